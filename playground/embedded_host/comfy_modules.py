"""Stand-ins for the modules of ComfyUI that the pack imports, bound to one embedded host."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from .host import EmbeddedHost
from .run_state import InterruptProcessingException, executing
from .server import PromptServer


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name, "A stand-in made by the embedded host.")
    vars(module).update(contents)
    return module


def _progress_bar(host: EmbeddedHost) -> type[Any]:
    class ProgressBar:
        def __init__(self, total: float) -> None:
            self.total = total

        def update_absolute(self, value: float, total: float | None = None) -> None:
            self.total = self.total if total is None else total
            host.runner.show_progress(min(value, self.total), self.total)

    return ProgressBar


def _make_modules(host: EmbeddedHost) -> list[ModuleType]:
    management = _module(
        "comfy.model_management",
        InterruptProcessingException=InterruptProcessingException,
        throw_exception_if_processing_interrupted=host.interruption.raise_if_interrupted,
    )
    utils = _module("comfy.utils", ProgressBar=_progress_bar(host))
    cli_args = _module("comfy.cli_args", args=SimpleNamespace(multi_user=host.multi_user))
    execution = _module("comfy_execution.utils", get_executing_context=executing.get)

    def get_system_user_directory(name: str) -> str:
        return str(Path(host.base) / "user" / f"__{name}")

    def get_output_directory() -> str:
        return str(Path(host.base) / "output")

    return [
        _module("comfy", model_management=management, utils=utils, cli_args=cli_args, __path__=[]),
        _module("comfy_execution", utils=execution, __path__=[]),
        _module("server", PromptServer=PromptServer),
        _module(
            "folder_paths",
            get_system_user_directory=get_system_user_directory,
            get_output_directory=get_output_directory,
        ),
        *(management, utils, cli_args, execution),
    ]


@contextmanager
def installed(host: EmbeddedHost) -> Iterator[None]:
    """Let imports find the stand-ins while the context is entered."""
    modules = {module.__name__: module for module in _make_modules(host)}
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
