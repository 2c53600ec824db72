"""Routes for the status, the settings, the API key, and notices about interrupted deletions."""

from __future__ import annotations

from dataclasses import asdict, replace

from aiohttp import web

from .. import __version__
from ..cloud import schema
from ..deletion.report import Payload, error_payload
from ..errors import (
    BadRequest,
    CloudConnectionError,
    CloudResponseError,
    Forbidden,
    InputRefused,
    KeyFileDamaged,
    ProtectionDamaged,
    SettingsDamaged,
    SetupProblem,
    StateFolderLost,
    StateUnreadable,
    Unauthorized,
)
from ..state.credentials import ApiKey, clean_key, has_usual_prefix
from ..state.node_reports import NodeReports
from ..state.settings import MEMBERS, SAFE_SETTINGS, Settings
from ..tasks.threads import compute_in_thread, run_in_thread, write_in_thread
from .request import read_body
from .response import Context, error_answer, json_answer, large_json_answer

_NOTHING_LEFT_OPEN: Payload = {"running": None, "unresolved": [], "lost_holds": []}


class StatusRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._reports = NodeReports(context.operations.folder)

    async def status(self, request: web.Request) -> web.Response:
        return await large_json_answer(await self.payload())

    async def progress(self, request: web.Request) -> web.Response:
        """Return the progress of running deletions. The answer is small, because browsers poll it."""
        return json_answer({"operations": self._context.operations.events.progress()})

    async def node_report(self, request: web.Request) -> web.Response:
        """Return the report of a node that was stopped."""
        name = request.match_info["name"]
        return json_answer(await run_in_thread(self._reports.fetch, name))

    async def change_settings(self, request: web.Request) -> web.Response:
        body = await read_body(request, MEMBERS)
        if not body:
            raise InputRefused("nothing_to_set")
        operations = self._context.operations
        if body.get("outputs_folder"):
            # Checked before it is saved, so that a person learns at once that a folder is not allowed.
            await operations.outputs.folder(replace(SAFE_SETTINGS, outputs_folder=body["outputs_folder"]))
        await write_in_thread(lambda: operations.settings.change(**body))
        if not body.keys().isdisjoint(("backup_days", "backup_megabytes")):
            await operations.delete_old_backups()
        return await self.status(request)

    async def dismiss_unresolved(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"operation": str}, ("operation",))
        operations = self._context.operations
        known = {entry.operation for entry in await run_in_thread(operations.queue.unresolved)}
        if body["operation"] not in known:
            raise InputRefused("no_such_unresolved")
        await write_in_thread(lambda: operations.queue.in_flight.resolve(body["operation"]))
        return await self.status(request)

    async def dismiss_hold(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"hold": str}, ("hold",))
        await write_in_thread(lambda: self._context.holds.dismiss(body["hold"]))
        return await self.status(request)

    async def start_anew(self, request: web.Request) -> web.Response:
        await read_body(request, {})
        await write_in_thread(self._context.operations.state.start_anew)
        self._context.operations.events.changed("protection")
        return await self.status(request)

    async def payload(self) -> Payload:
        """Return the whole status as JSON."""
        operations, holds, problem, key, host = self._context.operations, self._context.holds, None, None, ""
        can_connect = not operations.keys.is_fixed
        try:
            await compute_in_thread(schema.load_all)
            host = operations.base_url().host
            key = await run_in_thread(operations.keys.find)
        except SetupProblem as error:
            problem = error_payload(error)
            # Any other problem also prevents testing and using a new key.
            can_connect = can_connect and isinstance(error, KeyFileDamaged)
        try:
            settings = await run_in_thread(operations.settings.in_force)
        except (SettingsDamaged, StateFolderLost) as error:
            settings, problem = SAFE_SETTINGS, error_payload(error)
        try:
            left_open = await self._left_open()
        except StateUnreadable as error:
            left_open, problem = _NOTHING_LEFT_OPEN, problem or error_payload(error)
        nodes = operations.nodes_may_delete(settings)
        return {
            "version": __version__,
            "configured": key is not None,
            "source": key.source if key else None,
            "last4": key.secret.last4 if key else "",
            "can_connect": can_connect,
            "host": host,
            "finished": [{"operation": name, "result": result} for name, result in list(operations.queue.finished)],
            **left_open,
            "holds": [hold.payload() for hold in holds.open],
            "undone": holds.undone,
            "hold_seconds": settings.hold_seconds,
            "outputs": await self._outputs(settings),
            "settings": {**asdict(settings), "nodes": nodes.mode, "nodes_fixed": nodes.fixed},
            "protection": await self._protection(),
            "can_cancel": self._context.can_cancel,
            "problem": problem,
            "clock": operations.clock.warning,
        }

    async def _outputs(self, settings: Settings) -> Payload:
        """Return the folder for outputs, or why there is none."""
        try:
            return {"place": (await self._context.operations.outputs.folder(settings)).place, "problem": None}
        except SetupProblem as error:
            return {"place": None, "problem": error_payload(error)}

    async def _left_open(self) -> Payload:
        """Return running, unresolved and lost deletions. Raise StateUnreadable if they cannot be listed."""
        queue = self._context.operations.queue
        if self._context.operations.keys.refuses_shared_key:
            return _NOTHING_LEFT_OPEN
        running = await run_in_thread(queue.running)
        return {
            "running": running.summary() if running else None,
            "unresolved": [entry.summary() for entry in await run_in_thread(queue.unresolved)],
            "lost_holds": await run_in_thread(self._context.holds.lost),
        }

    async def _protection(self) -> Payload:
        try:
            protected = await self._context.operations.protected()
        except ProtectionDamaged as error:
            return {"jobs": 0, "workflows": 0, "damaged": error.name}
        except StateFolderLost:
            return {"jobs": 0, "workflows": 0, "damaged": None}  # `problem` already reports this error
        return {"jobs": len(protected.jobs), "workflows": len(protected.workflows), "damaged": None}


class KeyRoutes:
    def __init__(self, context: Context, status: StatusRoutes) -> None:
        self._context = context
        self._status = status

    async def save(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"api_key": str, "unchecked": bool}, ("api_key",))
        secret = clean_key(body.pop("api_key"))
        operations, account = self._context.operations, None
        if not body.get("unchecked"):
            try:
                account = await self._context.in_time(operations.check_key(ApiKey(secret, "saved")))
            except (Unauthorized, Forbidden, BadRequest):
                raise
            except (CloudConnectionError, CloudResponseError) as error:
                # The server has not refused the key, so the person may save it untested.
                return error_answer(error, can_save_unchecked=True)
        await self._context.holds.undo_all()
        self._context.saves.stop_all()
        await write_in_thread(lambda: operations.keys.save(secret))
        await self._context.holds.undo_all()  # a hold may have started while the key was written
        operations.events.changed("key")
        status = await self._status.payload()
        more = {"checked": account is not None, "account": account, "unusual": not has_usual_prefix(secret)}
        return json_answer({**status, **more, "outranked": status["source"] == "env"})

    async def remove(self, request: web.Request) -> web.Response:
        await read_body(request, {})
        await self._context.holds.undo_all()
        self._context.saves.stop_all()
        await write_in_thread(self._context.operations.keys.remove)
        await self._context.holds.undo_all()
        self._context.operations.events.changed("key")
        return json_answer(await self._status.payload())
