"""The pack, loaded as ComfyUI's `load_custom_node` does: under its path, with every "." as "_x_"."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from types import ModuleType
from typing import Any

from hosts import CHECKOUT

NAME = str(CHECKOUT).replace(".", "_x_")
NODES = {
    "CloudHistoryDeleteJobs",
    "CloudHistoryClear",
    "CloudHistoryListJobs",
    "CloudHistoryPrune",
    "CloudHistorySaveOutputs",
}


def _own() -> dict[str, ModuleType]:
    """Return the loaded modules of the pack."""
    return {name: module for name, module in sys.modules.items() if name == NAME or name.startswith(f"{NAME}.")}


def forget() -> None:
    """Unload all modules of the pack."""
    for name in _own():
        del sys.modules[name]


def load() -> ModuleType:
    """Load the pack from its files."""
    forget()
    spec = importlib.util.spec_from_file_location(NAME, CHECKOUT / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = module
    spec.loader.exec_module(module)
    return module


class KeptPack:
    """All modules of the pack in their freshly loaded state, because loading them again takes longer than most tests.

    Loading restores the module variables and the function caches to their initial state.
    """

    def __init__(self) -> None:
        load()
        for package in ("cloud_history", "nodes"):
            for each in pkgutil.walk_packages([str(CHECKOUT / package)], f"{NAME}.{package}."):
                importlib.import_module(each.name)
        self._contents = {name: (module, dict(vars(module))) for name, module in _own().items()}
        forget()

    def load(self) -> ModuleType:
        """Start the pack again: only its `__init__` is run."""
        forget()
        for name, (module, contents) in self._contents.items():
            _restore(vars(module), contents)
            sys.modules[name] = module
        pack = sys.modules[NAME]
        assert pack.__spec__ is not None
        assert pack.__spec__.loader is not None
        pack.__spec__.loader.exec_module(pack)
        return pack


def _restore(now: dict[str, Any], then: dict[str, Any]) -> None:
    for name in now.keys() - then.keys():
        del now[name]
    now.update(then)
    for each in then.values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()
