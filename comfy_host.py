"""The only module that imports ComfyUI. Everything it offers has a plain fallback outside ComfyUI.

ComfyUI's modules are imported inside the functions: `comfy.model_management` alone takes seconds, and the pack
must load without any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from .cloud_history.config import state_folder
from .cloud_history.errors import SetupProblem
from .cloud_history.forks import ForkSafeLock
from .cloud_history.secret import log

if TYPE_CHECKING:
    from .cloud_history.approval.approval import RequestingNode
    from .cloud_history.approval.graph_deletions import GraphDeletions
    from .cloud_history.routes.table import Handler
    from .cloud_history.secret import Secret
    from .cloud_history.service import Operations

SYSTEM_FOLDER = "cloud_history"

_one_at_a_time = ForkSafeLock(reentrant=True)


def operations() -> Operations:
    """The operations of this process, shared by the nodes and the routes."""
    with _one_at_a_time:
        return _operations()


# What answers is imported when it is first asked: ComfyUI's start must not wait for it.
@cache
def _operations() -> Operations:
    from .cloud_history.service import Operations

    return Operations(_state_folder(), announce=announce, many_users=_many_users())


def graph_deletions() -> GraphDeletions:
    """Deletions that come from workflows, of this process."""
    with _one_at_a_time:
        return _graph_deletions()


@cache
def _graph_deletions() -> GraphDeletions:
    from .cloud_history.approval.approval import ApprovalRequests
    from .cloud_history.approval.graph_deletions import GraphDeletions

    def tell(event: str, payload: Mapping[str, Any], client: str) -> None:
        announce(event, payload, client=client)

    return GraphDeletions(operations(), ApprovalRequests(_state_folder(), tell, _is_connected))


def _handlers() -> dict[str, Handler]:
    with _one_at_a_time:
        return _made_handlers()


@cache
def _made_handlers() -> dict[str, Handler]:
    from .cloud_history.routes.app import make_handlers, make_refusing_handlers

    try:
        return make_handlers(operations())
    except SetupProblem as problem:
        return make_refusing_handlers(problem)


def add_routes() -> None:
    """Add our routes to ComfyUI's server, if there is one, and log what an earlier run left unresolved.

    A fault here must cost nobody their nodes, nor ComfyUI its start.
    """
    try:
        server = _server()
        if server is not None:
            from .cloud_history.routes import table

            table.add_routes(server.routes, _handlers)
        folder = _state_folder()
        if server is not None:
            _tell_unresolved(folder)
    except SetupProblem as problem:
        log.error("%s", problem)
    except Exception:  # noqa: BLE001 - ComfyUI stays alive, and the nodes work without the routes
        log.exception("Comfy Cloud History could not add its routes: its menu will not work.")


def _tell_unresolved(folder: Path) -> None:
    from .cloud_history.state.in_flight import InFlight, SenderLock, unresolved
    from .cloud_history.tasks.threads import run_in_background

    def tell() -> None:
        for entry in unresolved(InFlight(folder), SenderLock(folder)):
            log.warning(
                "ComfyUI stopped while it was deleting (%s, %s jobs, started %s by %s): the outcome is unknown. "
                "Nothing is sent again by itself; look at your cloud history.",
                entry.kind,
                "all" if entry.asked is None else entry.asked,
                entry.started_at or "at an unknown time",
                entry.origin,
            )

    # Not here: a lock or a disk that hangs must not keep ComfyUI from starting.
    run_in_background(tell)


def announce(event: str, payload: Mapping[str, Any], *, client: str | None = None) -> None:
    """Send a websocket event to the browsers, from any thread. A failure is logged and not raised."""
    try:
        server = _server()
        if server is not None:
            server.send_sync(event, dict(payload), client)
    except Exception:  # noqa: BLE001 - whatever ComfyUI's socket raises must not undo a finished deletion
        log.exception("A websocket event could not be sent.")


def requesting_node(display_name: str) -> RequestingNode:
    """The running node, and the browser that can approve its deletion.

    Args:
        display_name: what the node is called where nobody has given it another title.
    """
    from .cloud_history.approval.approval import RequestingNode

    # Before any name is read: it may be the key, and nobody knows that yet where this is the first operation.
    operations().keys.remember()
    node, extra = _node_id() or "", _part(3)
    workflow = _inner(_inner(extra, "extra_pnginfo"), "workflow")
    # Frontends send the title of a node with the prompt, and of the workflow its id alone.
    return RequestingNode(
        client=_client_id(),
        node=node,
        title=_text(_inner(_inner(_part(2), node), "_meta"), "title") or display_name,
        workflow=_text(workflow, "name"),
        workflow_id=_text(workflow, "id"),
        key=prompt_key(),
    )


def prompt_key() -> Secret | None:
    """The API key with which the person who queued the running prompt signed in to ComfyUI, if it was passed on.

    Read from the queue, and never as a hidden input: ComfyUI writes those into the report of an error.
    """
    from .cloud_history.errors import InvalidApiKey
    from .cloud_history.state.credentials import clean_key

    # Among the extra data in older versions; newer ones keep what must not be shown in a part of its own.
    for place in (_part(3), _part(5)):
        with suppress(InvalidApiKey):
            return clean_key(_text(place, "api_key_comfy_org"))
    return None


class NodeWatch:
    """Shows the progress of a running node, and notices when the person interrupts it."""

    def __init__(self) -> None:
        self._interrupt: BaseException | None = None
        self._bar: Any = None
        self._phase = ""
        self._model_management = _present("comfy.model_management", _import_model_management)
        self.node_id = _node_id()

    def stop_requested(self) -> bool:
        if self._interrupt is None and self._model_management is not None:
            # The one call that every version answers. It takes ComfyUI's flag down, so what it raises is kept.
            self._guard(self._model_management.throw_exception_if_processing_interrupted)
        return self._interrupt is not None

    def progress(self, phase: str, done: int, total: int) -> None:
        client = _client_id()
        if client is None:
            return  # Without a client, ComfyUI would send it to every page.
        if phase == "asked_to_wait":
            from .cloud_history.deletion import events

            announce(*events.node_progress(self.node_id, phase, done, total), client=client)
            return
        utils = _present("comfy.utils", _import_utils)
        if phase not in ("backing_up", "sending") or utils is None or total < 2:
            return
        if self._bar is None or phase != self._phase:
            self._bar, self._phase = utils.ProgressBar(total), phase
        self._guard(self._bar.update_absolute, done, total)

    async def end_stopped(self, report: str) -> None:
        """If the prompt was interrupted, have the page that queued it show the report, and end the prompt.

        ComfyUI itself shows nothing of a run that was interrupted. The event names the report, which the page fetches.
        """
        if not self.stopped:
            return
        client = _client_id()
        if client is not None:
            await self._tell_report(report, client)
        self.raise_if_stopped()

    async def _tell_report(self, report: str, client: str) -> None:
        from .cloud_history.deletion import events
        from .cloud_history.state.node_reports import NodeReports
        from .cloud_history.tasks.threads import write_in_thread

        reports, node = NodeReports(operations().folder), self.node_id or ""
        try:
            name = await write_in_thread(lambda: reports.keep(node, report))
        except SetupProblem as error:  # the state folder can't be written, or does not answer
            log.warning("%s", error)
        else:
            announce(*events.progress(name, "node_report"), client=client)

    @property
    def stopped(self) -> bool:
        """Whether the prompt was interrupted. ComfyUI's flag is reset, so the node must end with `raise_if_stopped`."""
        return self._interrupt is not None

    def raise_if_stopped(self) -> None:
        """End the prompt the way ComfyUI ends an interrupted one."""
        if self._interrupt is not None:
            raise self._interrupt

    def _guard(self, call: Any, *arguments: Any) -> None:
        try:
            call(*arguments)
        except BaseException as exc:
            if type(exc).__name__ != "InterruptProcessingException":
                raise
            self._interrupt = self._interrupt or exc


def _present(name: str, load: Callable[[], ModuleType]) -> ModuleType | None:
    """Return ComfyUI's module of that name, or None outside ComfyUI."""
    try:
        return load()
    except ModuleNotFoundError as exc:
        # Only "there is no ComfyUI here" is quiet: what is missing inside a ComfyUI module is a real error.
        if exc.name is None or not (name == exc.name or name.startswith(f"{exc.name}.")):
            raise
        return None


# One statement for each module, not one call that imports by name: a scanner of packs can read what is imported.
def _import_server() -> ModuleType:
    import server

    return cast(ModuleType, server)


def _import_folder_paths() -> ModuleType:
    import folder_paths

    return cast(ModuleType, folder_paths)


def _import_cli_args() -> ModuleType:
    import comfy.cli_args as module

    return cast(ModuleType, module)


def _import_utils() -> ModuleType:
    import comfy.utils as module

    return cast(ModuleType, module)


def _import_model_management() -> ModuleType:
    import comfy.model_management as module

    return cast(ModuleType, module)


def _import_execution_utils() -> ModuleType:
    import comfy_execution.utils as module

    return cast(ModuleType, module)


def _server() -> Any:
    module = _present("server", _import_server)
    return getattr(getattr(module, "PromptServer", None), "instance", None)


def _client_id() -> str | None:
    return getattr(_server(), "client_id", None)


def _is_connected(client: str) -> bool:
    return client in getattr(_server(), "sockets", ())


def _many_users() -> bool:
    return bool(getattr(getattr(_present("comfy.cli_args", _import_cli_args), "args", None), "multi_user", False))


def _context() -> Any:
    module = _present("comfy_execution.utils", _import_execution_utils)
    return module.get_executing_context() if module is not None else None


def _node_id() -> str | None:
    return getattr(_context(), "node_id", None)


def _part(number: int) -> Mapping[str, Any]:
    """A part of the queue item that is running here: 2 is its graph, 3 its extra data. Empty where there is none."""
    context = _context()
    # Some editions call the prompt a task, and wrap the item.
    prompt_id = getattr(context, "prompt_id", None) or getattr(context, "task_id", None)
    running = getattr(getattr(_server(), "prompt_queue", None), "currently_running", {})
    for item in list(running.values()) if prompt_id else ():
        parts = getattr(item, "queue_tuple", item)
        if isinstance(parts, Sequence) and len(parts) > number and parts[1] == prompt_id:
            return parts[number] if isinstance(parts[number], Mapping) else {}
    return {}


def _inner(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(of: Mapping[str, Any], name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""


# Found once, at the start: another pack may change the working directory later.
@cache
def _state_folder() -> Path:
    from .cloud_history.state.folder import state_folder_at

    inside = _system_user_folder()
    found = state_folder(inside_comfyui=inside)
    if inside is not None:
        state_folder_at(found).keep_id_copy_in(inside)
    return found


def _system_user_folder() -> Path | None:
    paths = _present("folder_paths", _import_folder_paths)
    if paths is None:
        return None
    if hasattr(paths, "get_system_user_directory"):
        return Path(paths.get_system_user_directory(SYSTEM_FOLDER))
    # Before ComfyUI 0.3.76: the same place by hand. Core serves no folder that begins with two underscores.
    return Path(paths.get_user_directory()) / f"__{SYSTEM_FOLDER}"
