"""Modules under ComfyUI's names, offering what a pack may import, bound to one embedded host."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from .blocking import ExecutionBlocker
from .context import ExecutionContext, get_executing_context
from .interruption import InterruptProcessingException
from .prompt_server import PromptServer

if TYPE_CHECKING:
    from .host import EmbeddedHost


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name, "A stand-in made by the embedded host.")
    vars(module).update(contents)
    return module


def _folder_paths(base: Path) -> ModuleType:
    def get_system_user_directory(name: str = "system") -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name):
            raise ValueError(f"not a name for a system user folder: {name!r}")
        return str(base / "user" / f"__{name}")

    return _module(
        "folder_paths",
        base_path=str(base),
        get_user_directory=lambda: str(base / "user"),
        get_system_user_directory=get_system_user_directory,
        get_folder_paths=lambda kind: [str(base / kind)],
    )


def _progress_bar(host: EmbeddedHost) -> type[Any]:
    class ProgressBar:
        def __init__(self, total: float, node_id: str | None = None) -> None:
            self.total = total
            self.current: float = 0
            self.node_id = node_id

        def update_absolute(self, value: float, total: float | None = None, preview: object = None) -> None:
            self.total = self.total if total is None else total
            self.current = min(value, self.total)
            host.show_progress(self.current, self.total, self.node_id)

        def update(self, value: float) -> None:
            self.update_absolute(self.current + value)

    return ProgressBar


def make_modules(host: EmbeddedHost) -> dict[str, ModuleType]:
    """All stand-ins by the name under which packs import them."""
    interruption = host.interruption
    management = _module(
        "comfy.model_management",
        InterruptProcessingException=InterruptProcessingException,
        interrupt_current_processing=interruption.interrupt,
        processing_interrupted=interruption.wanted,
        throw_exception_if_processing_interrupted=interruption.throw_if_wanted,
    )
    utils = _module("comfy.utils", ProgressBar=_progress_bar(host))
    cli_args = _module("comfy.cli_args", args=SimpleNamespace(multi_user=host.multi_user, listen="127.0.0.1"))
    execution = _module(
        "comfy_execution.utils",
        get_executing_context=get_executing_context,
        ExecutionContext=ExecutionContext,
    )
    graph = _module("comfy_execution.graph_utils", ExecutionBlocker=ExecutionBlocker)
    modules = [
        _module("comfy", model_management=management, utils=utils, cli_args=cli_args, __path__=[]),
        _module("comfy_execution", utils=execution, graph_utils=graph, __path__=[]),
        _module("server", PromptServer=PromptServer),
        _module(
            "nodes",
            NODE_CLASS_MAPPINGS=host.registry.classes,
            NODE_DISPLAY_NAME_MAPPINGS=host.registry.display_names,
            interrupt_processing=interruption.interrupt,
        ),
        _folder_paths(host.base),
        *(management, utils, cli_args, execution, graph),
    ]
    return {module.__name__: module for module in modules}


@contextmanager
def installed(host: EmbeddedHost) -> Iterator[None]:
    """Let imports find the stand-ins for the time of the block."""
    modules = make_modules(host)
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
