"""Small stand-ins for the modules of ComfyUI that the pack talks to, put where `import` finds them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aiohttp import web


class InterruptProcessingException(Exception):
    """Raised inside a node that must stop, once for each interrupt."""


def module(name: str, **contents: Any) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(contents)
    return made


@dataclass
class FakeComfyUI:
    """A ComfyUI that consists of stand-ins for its modules.

    Attributes:
        interrupted: whether the interrupt flag is set.
        interrupt_at: the value at which a progress bar raises InterruptProcessingException.
        sockets: the clients whose websocket is connected.
        running: the items of the queue that run now, as ComfyUI keeps them: number, prompt id, graph, extra data,
            outputs, and in newer versions what must not be shown.
        multi_user: whether it was started with --multi-user.
        sent: websocket events as (event, payload, client).
        when_sent: called with each event.
        progress: the values that the progress bar has shown.
    """

    user_folder: Path
    interrupted: bool = False
    interrupt_at: int | None = None
    node_id: str | None = "12"
    client_id: str | None = "browser-1"
    sockets: dict[str, object] = field(default_factory=lambda: {"browser-1": object()})
    running: dict[int, Any] = field(default_factory=dict)
    multi_user: bool = False
    when_sent: Callable[[str, dict[str, Any], str | None], None] = lambda event, data, sid: None
    sent: list[tuple[str, dict[str, Any], str | None]] = field(default_factory=list)
    progress: list[tuple[int, int]] = field(default_factory=list)
    routes: Any = field(default_factory=web.RouteTableDef)

    def throw_if_interrupted(self) -> None:
        if self.interrupted:
            self.interrupted = False
            raise InterruptProcessingException

    def send(self, event: str, data: dict[str, Any], sid: str | None = None) -> None:
        self.sent.append((event, data, sid))
        self.when_sent(event, data, sid)

    def update(self, done: int, total: int) -> None:
        if self.interrupt_at is not None and done >= self.interrupt_at:
            raise InterruptProcessingException
        self.progress.append((done, total))

    def install(self, patch: pytest.MonkeyPatch, *, system_user_folder: bool = True) -> None:
        """Install the modules for one test."""
        server = SimpleNamespace(
            routes=self.routes,
            client_id=self.client_id,
            sockets=self.sockets,
            prompt_queue=SimpleNamespace(currently_running=self.running),
            send_sync=self.send,
        )
        paths = module(
            "folder_paths",
            get_user_directory=lambda: str(self.user_folder),
            get_output_directory=lambda: str(self.user_folder.parent / "output"),
        )
        if system_user_folder:
            vars(paths)["get_system_user_directory"] = lambda name: str(self.user_folder / f"__{name}")

        def progress_bar(total: int) -> SimpleNamespace:
            return SimpleNamespace(update_absolute=self.update)

        management = module(
            "comfy.model_management", throw_exception_if_processing_interrupted=self.throw_if_interrupted
        )
        context = SimpleNamespace(prompt_id="p", node_id=self.node_id, list_index=0)
        for made in (
            module("server", PromptServer=SimpleNamespace(instance=server)),
            paths,
            module("comfy", __path__=[]),
            management,
            module("comfy.utils", ProgressBar=progress_bar),
            module("comfy.cli_args", args=SimpleNamespace(multi_user=self.multi_user)),
            module("comfy_execution", __path__=[]),
            module("comfy_execution.utils", get_executing_context=lambda: context),
        ):
            patch.setitem(sys.modules, made.__name__, made)
