"""Loading packs as ComfyUI's `load_custom_node` does, and the registry of the nodes that they offer.

The module name is the path of the folder with "." replaced by "_x_", so only relative imports work inside a pack
(observed in ComfyUI 0.3.64).
"""

from __future__ import annotations

import importlib.util
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from .core_nodes import DISPLAY_NAMES, NODE_CLASSES, NodeClass

logger = logging.getLogger("embedded_host")


@dataclass
class NodeRegistry:
    """The node classes, titles and folders of all loaded packs, and the stand-ins for ComfyUI's own nodes."""

    classes: dict[str, NodeClass] = field(default_factory=lambda: dict(NODE_CLASSES))
    display_names: dict[str, str] = field(default_factory=lambda: dict(DISPLAY_NAMES))
    web_dirs: dict[str, Path] = field(default_factory=dict)
    pack_dirs: dict[str, Path] = field(default_factory=dict)

    def input_types(self, class_type: str) -> dict[str, Any]:
        """Return the node's `INPUT_TYPES()`, called anew each time as ComfyUI does."""
        declared: dict[str, Any] = self.classes[class_type].INPUT_TYPES()
        return declared

    def is_output(self, class_type: str) -> bool:
        """Whether a run may start from this node."""
        return getattr(self.classes[class_type], "OUTPUT_NODE", False) is True

    def describe(self, class_type: str) -> dict[str, Any]:
        """Build the node's entry in the answer of `GET /object_info`."""
        node = self.classes[class_type]
        inputs = self.input_types(class_type)
        outputs = node.RETURN_TYPES
        return {
            "input": inputs,
            "input_order": {group: list(names) for group, names in inputs.items()},
            "output": outputs,
            "output_is_list": getattr(node, "OUTPUT_IS_LIST", [False] * len(outputs)),
            "output_name": getattr(node, "RETURN_NAMES", outputs),
            "output_tooltips": getattr(node, "OUTPUT_TOOLTIPS", []),
            "name": class_type,
            "display_name": self.display_names.get(class_type, class_type),
            "description": getattr(node, "DESCRIPTION", ""),
            "python_module": getattr(node, "RELATIVE_PYTHON_MODULE", "nodes"),
            "category": getattr(node, "CATEGORY", "sd"),
            "output_node": self.is_output(class_type),
            "search_aliases": getattr(node, "SEARCH_ALIASES", []),
        }


def load_pack(folder: Path, registry: NodeRegistry) -> ModuleType:
    """Import the pack in `folder` and register its nodes. Exceptions of the import propagate."""
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
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
    """Load every pack of the folder. A pack that fails is logged and skipped."""
    for folder in sorted(path.parent for path in custom_nodes.glob("*/__init__.py")):
        try:
            load_pack(folder, registry)
        except Exception:  # the host survives whatever a pack raises
            logger.exception("IMPORT FAILED: %s", folder)
        else:
            logger.info("Loaded %s", folder.name)
