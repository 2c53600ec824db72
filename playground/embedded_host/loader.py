"""Loading packs the way ComfyUI's `load_custom_node` does.

The module name is the whole path of the folder with "." replaced by "_x_", so only relative imports
work inside a pack (seen on ComfyUI 0.3.64).
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from pathlib import Path
from types import ModuleType

from .registry import NodeRegistry

logger = logging.getLogger("embedded_host")


def load_pack(folder: Path, registry: NodeRegistry) -> ModuleType:
    """Import the pack in `folder` and register what it offers. Whatever its import raises comes through."""
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not a pack")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    registry.pack_dirs[folder.name] = folder
    web_directory = getattr(module, "WEB_DIRECTORY", None)
    if web_directory is not None and (folder / web_directory).is_dir():
        registry.web_dirs[folder.name] = folder / web_directory
    for class_type, node in module.NODE_CLASS_MAPPINGS.items():
        registry.classes[class_type] = node
        node.RELATIVE_PYTHON_MODULE = f"custom_nodes.{folder.name}"
    registry.display_names.update(getattr(module, "NODE_DISPLAY_NAME_MAPPINGS", {}))
    return module


def load_packs(custom_nodes: Path, registry: NodeRegistry) -> None:
    """Load every pack of the folder. One that fails is logged and left out; the others still load."""
    for folder in sorted(custom_nodes.iterdir()):
        if not (folder / "__init__.py").is_file() or folder.name.endswith(".disabled"):
            continue
        try:
            load_pack(folder, registry)
        except Exception:  # a host outlives whatever a pack raises
            logger.exception("IMPORT FAILED: %s", folder)
        else:
            logger.info("Loaded %s", folder.name)


def forget_pack(folder: Path) -> None:
    """Remove the modules of the pack in `folder`, so that it can be loaded afresh."""
    name = str(folder).replace(".", "_x_")
    for module in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
        del sys.modules[module]
