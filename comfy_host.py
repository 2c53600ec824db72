"""The only module that imports ComfyUI. Its functions also work outside ComfyUI, with fallbacks.

ComfyUI's modules are imported inside the functions, because importing `comfy.model_management` takes seconds, and the
pack must load without ComfyUI.
"""

from __future__ import annotations

import time
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

_cache_lock = ForkSafeLock(reentrant=True)


def operations() -> Operations:
    """Return the operations of this process, which the nodes and the routes share."""
    with _cache_lock:
        return _operations()


# The service is imported at the first call, because ComfyUI's start must not wait for it.
@cache
def _operations() -> Operations:
    from .cloud_history.service import Operations

    folder = output_folder()
    return Operations(_state_folder(), announce=announce, many_users=_many_users(), output_folder=folder)


def graph_deletions() -> GraphDeletions:
    """Return the object of this process that carries out deletions from workflows."""
    with _cache_lock:
        return _graph_deletions()


@cache
def _graph_deletions() -> GraphDeletions:
    from .cloud_history.approval.approval import ApprovalRequests
    from .cloud_history.approval.graph_deletions import GraphDeletions

    def send_event(event: str, payload: Mapping[str, Any], client: str) -> None:
        announce(event, payload, client=client)

    return GraphDeletions(operations(), ApprovalRequests(_state_folder(), send_event, _is_connected))


def _handlers() -> dict[str, Handler]:
    with _cache_lock:
        return _cached_handlers()


@cache
def _cached_handlers() -> dict[str, Handler]:
    from .cloud_history.routes.app import make_handlers, make_refusing_handlers

    try:
        return make_handlers(operations())
    except SetupProblem as problem:
        return make_refusing_handlers(problem)


def add_routes() -> None:
    """Add the pack's routes to ComfyUI's server, if there is one, and log unresolved deletions of an earlier run.

    Errors are only logged, because the nodes and ComfyUI must start all the same.
    """
    try:
        server = _server()
        if server is not None:
            from .cloud_history.routes import table

            table.add_routes(server.routes, _handlers)
        folder = _state_folder()
        if server is not None:
            _log_unresolved(folder)
    except SetupProblem as problem:
        log.error("%s", problem)
    except Exception:  # noqa: BLE001 - the nodes and ComfyUI work without the routes
        log.exception("Comfy Cloud History could not add its routes: its menu will not work.")


_OUTCOME_UNKNOWN = "the outcome is unknown. Nothing is sent again automatically. Check your cloud history."
_NOTHING_SENT = "nothing had been sent, and nothing was deleted. Nothing is sent automatically."


def _log_unresolved(folder: Path) -> None:
    from .cloud_history.state.in_flight import InFlight, SenderLock, unresolved
    from .cloud_history.state.saves import InFlightSaves
    from .cloud_history.tasks.threads import run_in_background

    def log_them() -> None:
        from .cloud_history.state.recovery import log_unsent

        try:
            log_unsent(folder)
        except SetupProblem as problem:
            log.warning("%s", problem)
        for entry in unresolved(InFlight(folder), SenderLock(folder)):
            log.warning(
                "ComfyUI stopped while it was deleting (%s, %s jobs, started %s by %s): "
                + (_OUTCOME_UNKNOWN if entry.may_have_sent else _NOTHING_SENT),
                entry.kind,
                "all" if entry.asked is None else entry.asked,
                entry.started_at or "at an unknown time",
                entry.origin,
            )
        for save in InFlightSaves(folder).interrupted():
            log.warning(
                "ComfyUI stopped while it was saving outputs (%s jobs, started %s by %s). Open the panel to go on.",
                len(save.job_ids),
                save.begun or "at an unknown time",
                save.origin,
            )

    # In the background, because a lock or a disk that hangs must not stop ComfyUI from starting.
    run_in_background(log_them)


def announce(event: str, payload: Mapping[str, Any], *, client: str | None = None) -> None:
    """Send a websocket event to the browsers, from any thread. A failure is logged and not raised."""
    try:
        server = _server()
        if server is not None:
            server.send_sync(event, dict(payload), client)
    except Exception:  # noqa: BLE001 - an error of ComfyUI's socket must not make a finished deletion fail
        log.exception("A websocket event could not be sent.")


def requesting_node(display_name: str) -> RequestingNode:
    """Return the running node, and the browser that can approve its deletion.

    Args:
        display_name: the title of a node that has no title of its own.
    """
    from .cloud_history.approval.approval import RequestingNode

    # The key is loaded before a title is read, so that a key pasted into a title is scrubbed.
    operations().keys.remember()
    node, extra = _node_id() or "", _queue_item_part(3)
    workflow = _mapping_in(_mapping_in(extra, "extra_pnginfo"), "workflow")
    # Frontends send the title of a node with the prompt, but only the id of a workflow.
    return RequestingNode(
        client=_client_id(),
        node=node,
        title=_text_in(_mapping_in(_mapping_in(_queue_item_part(2), node), "_meta"), "title") or display_name,
        workflow=_text_in(workflow, "name"),
        workflow_id=_text_in(workflow, "id"),
        key=prompt_key(),
    )


def prompt_key() -> Secret | None:
    """Return the API key with which the person who queued the running prompt signed in, if ComfyUI passes it on.

    The key is read from the queue and not from a hidden input, because ComfyUI writes hidden inputs to error reports.
    """
    from .cloud_history.errors import InvalidApiKey
    from .cloud_history.state.credentials import clean_key

    # Older versions of ComfyUI put the key into part 3, the extra data. Newer versions have part 5 for secrets.
    for place in (_queue_item_part(3), _queue_item_part(5)):
        with suppress(InvalidApiKey):
            return clean_key(_text_in(place, "api_key_comfy_org"))
    return None


SECONDS_BETWEEN_TEXTS = 0.25
"""A node's text changes at most this often during one phase."""


class NodeWatch:
    """Shows the progress of a running node, and checks whether the person has interrupted the prompt."""

    def __init__(self) -> None:
        self._interrupt: BaseException | None = None
        self._bar: Any = None
        self._phase = self._step = self._told = ""
        self._next_text = 0.0
        self._has_sent = False
        self._model_management = _import_or_none("comfy.model_management", _import_model_management)
        self.node_id = _node_id()

    def stop_requested(self) -> bool:
        if self._interrupt is None and self._model_management is not None:
            # Every version of ComfyUI has this function. It resets ComfyUI's flag, so the raised exception is stored.
            self._call_and_store_interrupt(self._model_management.throw_exception_if_processing_interrupted)
        return self._interrupt is not None

    def progress(self, phase: str, done: int, total: int) -> None:
        if phase != "asked_to_wait":
            self._step = phase
        client = _client_id()
        if client is None:
            return  # Without a client id, ComfyUI would send the progress to every page.
        if phase == "asked_to_wait":
            from .cloud_history.deletion import events

            announce(*events.node_progress(self.node_id, phase, done, total, during=self._step), client=client)
            return
        self._tell(phase, done, total, client)
        utils = _import_or_none("comfy.utils", _import_utils)
        if phase not in ("backing_up", "saving", "sending") or utils is None or total < 2:
            return
        if self._bar is None or phase != self._phase:
            self._bar, self._phase = utils.ProgressBar(total), phase
        self._call_and_store_interrupt(self._bar.update_absolute, done, total)

    def _tell(self, phase: str, done: int, total: int, client: str) -> None:
        """Tell the page that queued the prompt what the node does. The page shows it where the report will be."""
        from .cloud_history.deletion import events

        self._has_sent = self._has_sent or (phase == "sending" and total > 0)
        # Before anything is sent, "checking" may also belong to a node that deletes nothing.
        is_told = phase in ("waiting", "backing_up", "saving") or (phase in ("sending", "checking") and self._has_sent)
        now = time.monotonic()
        if not is_told or (phase == self._told and now < self._next_text):
            return
        self._told, self._next_text = phase, now + SECONDS_BETWEEN_TEXTS
        announce(*events.node_progress(self.node_id, phase, done, total), client=client)

    async def end_stopped(self, report: str) -> None:
        """If the prompt was interrupted, show the report on the page that queued the prompt, and end the prompt.

        ComfyUI shows no output of an interrupted run. The event has the report's name, and the page fetches the report.
        """
        if not self.stopped:
            return
        client = _client_id()
        if client is not None:
            await self._send_report(report, client)
        self.raise_if_stopped()

    async def _send_report(self, report: str, client: str) -> None:
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
        """Whether the prompt was interrupted. ComfyUI's flag is reset, so the node must call `raise_if_stopped`."""
        return self._interrupt is not None

    def raise_if_stopped(self) -> None:
        """End the prompt the way ComfyUI ends an interrupted one."""
        if self._interrupt is not None:
            raise self._interrupt

    def _call_and_store_interrupt(self, call: Any, *arguments: Any) -> None:
        try:
            call(*arguments)
        except BaseException as exc:
            if type(exc).__name__ != "InterruptProcessingException":
                raise
            self._interrupt = self._interrupt or exc


def _import_or_none(name: str, load: Callable[[], ModuleType]) -> ModuleType | None:
    """Return ComfyUI's module of that name, or None outside ComfyUI."""
    try:
        return load()
    except ModuleNotFoundError as exc:
        # Return None only if ComfyUI itself is missing. If ComfyUI's module cannot import another one, raise the error.
        if exc.name is None or not (name == exc.name or name.startswith(f"{exc.name}.")):
            raise
        return None


# Each module has its own import statement, because the registry's scanner cannot read imports by name.
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
    module = _import_or_none("server", _import_server)
    return getattr(getattr(module, "PromptServer", None), "instance", None)


def _client_id() -> str | None:
    return getattr(_server(), "client_id", None)


def _is_connected(client: str) -> bool:
    return client in getattr(_server(), "sockets", ())


def _many_users() -> bool:
    return bool(
        getattr(getattr(_import_or_none("comfy.cli_args", _import_cli_args), "args", None), "multi_user", False)
    )


def _context() -> Any:
    module = _import_or_none("comfy_execution.utils", _import_execution_utils)
    return module.get_executing_context() if module is not None else None


def _node_id() -> str | None:
    return getattr(_context(), "node_id", None)


def _queue_item_part(number: int) -> Mapping[str, Any]:
    """Return a part of the running queue item: 2 is the graph, 3 the extra data. Empty if the part is missing."""
    context = _context()
    # Some editions of ComfyUI name the prompt id `task_id`, and wrap the queue item in an object.
    prompt_id = getattr(context, "prompt_id", None) or getattr(context, "task_id", None)
    running = getattr(getattr(_server(), "prompt_queue", None), "currently_running", {})
    for item in list(running.values()) if prompt_id else ():
        parts = getattr(item, "queue_tuple", item)
        if isinstance(parts, Sequence) and len(parts) > number and parts[1] == prompt_id:
            return parts[number] if isinstance(parts[number], Mapping) else {}
    return {}


def _mapping_in(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    return found if isinstance(found, Mapping) else {}


def _text_in(of: Mapping[str, Any], name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""


# Cached at the start, because another pack may change the working directory later.
@cache
def _state_folder() -> Path:
    from .cloud_history.state.folder import state_folder_at

    inside = _system_user_folder()
    found = state_folder(inside_comfyui=inside)
    if inside is not None:
        state_folder_at(found).keep_id_copy_in(inside)
    return found


def output_folder() -> Path | None:
    """Return ComfyUI's folder for outputs, which `--output-directory` may have moved; None outside ComfyUI."""
    paths = _import_or_none("folder_paths", _import_folder_paths)
    if paths is None:
        return None
    # Made absolute now, because another pack may change the working directory later.
    return Path(paths.get_output_directory()).absolute()


def _system_user_folder() -> Path | None:
    paths = _import_or_none("folder_paths", _import_folder_paths)
    if paths is None:
        return None
    if hasattr(paths, "get_system_user_directory"):
        return Path(paths.get_system_user_directory(SYSTEM_FOLDER))
    # ComfyUI before 0.3.76 lacks this function, but also never serves a folder whose name begins with two underscores.
    return Path(paths.get_user_directory()) / f"__{SYSTEM_FOLDER}"
