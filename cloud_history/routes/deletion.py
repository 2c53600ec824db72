"""Routes that preview, confirm, undo and stop deletions, and that preview a retention policy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import islice
from typing import Any

from aiohttp import web

from ..deletion.holds import HoldWatch
from ..deletion.preview import MAX_ROWS, VALID_SECONDS, ClearPreview, DeletionPreview, Preview
from ..deletion.report import Payload, result_payload
from ..deletion.request import DeletionRequest
from ..errors import Busy, CloudError, HistoryGrew, InputRefused
from ..jobs.job import Job
from ..jobs.rows import job_row
from ..jobs.status import JobCounts
from ..retention.cleanup import CleanUp, resolve
from ..retention.policy import CleanUpPreview, Policy, newest_first, read_policy
from ..retention.report import counts_kept
from ..secret import log, log_about
from ..state.credentials import Connection
from ..tasks.own_loop import run_on_own_loop
from ..tasks.stopping import Unwatched
from ..tasks.threads import compute_in_thread, run_in_thread
from .request import BACKUP_KINDS, MAX_BODY_BYTES_WITH_IDS, Members, read_backup, read_body, read_selection
from .response import Context, busy_answer, error_answer, json_answer, large_json_answer

_SELECTIONS: dict[str, type] = {"clear": bool, "ids": list, "filter": dict, "policy": dict}


class DeletionRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context
        # Tasks are stored, because the event loop has only weak references to them. A confirmed deletion goes on when
        # the browser disconnects.
        self._running: dict[str, tuple[asyncio.Task[Any], HoldWatch]] = {}

    async def preview(self, request: web.Request) -> web.Response:
        members: Members = {**_SELECTIONS, "allow_large": bool, "account": str, "backup": BACKUP_KINDS}
        body = await read_body(request, members, largest=MAX_BODY_BYTES_WITH_IDS)
        allow_large, account = bool(body.pop("allow_large", False)), body.pop("account", None)
        backup = read_backup(body)  # what the person chose for a clear, whose kind depends on it
        body.pop("backup", None)
        if len(body) != 1 or body.get("clear") is False:
            raise InputRefused("selection_ambiguous")
        policy = read_policy(body["policy"]) if "policy" in body else None
        selection = read_selection(body) if "ids" in body or "filter" in body else None
        operations = self._context.operations
        connection = await self._context.find_connection(account)
        if policy is not None:
            found = resolve(operations, connection, policy, Unwatched(), allow_large=allow_large)
            _, preview = await self._context.in_time(found)
        elif selection is not None:
            preview = await self._context.in_time(operations.preview(connection, selection, Unwatched()))
        elif await operations.clears_by_ids(backup):
            preview = await self._context.in_time(operations.preview_everything(connection, Unwatched()))
        else:
            counts = await self._context.in_time(operations.count(connection))
            return json_answer(await self._keep(await self._clear_preview(connection, counts), connection))
        held = {job_id for hold in self._context.holds.open for job_id in hold.job_ids}
        return json_answer(await self._keep(preview.without(held), connection))

    async def delete(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"token": str, "backup": BACKUP_KINDS}, ("token",))
        return await self._confirm(body, DeletionPreview)

    async def clear(self, request: web.Request) -> web.Response:
        return await self._confirm(await read_body(request, {"token": str}, ("token",)), ClearPreview)

    async def undo(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"hold": str}, ("hold",))
        hold = await self._context.holds.undo(body["hold"])
        return json_answer({"hold": hold.payload()})

    async def stop(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"operation": str}, ("operation",))
        if body["operation"] in self._running:
            self._running[body["operation"]][1].stopping = True
        else:
            self._context.holds.stop(body["operation"])
        return json_answer({})

    async def _confirm(self, body: Payload, kind: type[ClearPreview] | type[DeletionPreview]) -> web.Response:
        operations = self._context.operations
        seconds = (await run_in_thread(operations.settings.in_force)).hold_seconds
        # The setting may be lower now, but the preview promised more seconds to undo the deletion.
        seconds = max(seconds, self._context.previews.promised_hold(body["token"]))
        running = await run_in_thread(operations.queue.running)
        if not seconds and running is not None:
            return busy_answer(Busy(origin=running.origin))
        connection = await operations.find_connection()
        kept = self._context.previews.redeem(body["token"], connection)
        preview = kept.preview
        if not isinstance(preview, kind):
            raise InputRefused("preview_of_other_kind")
        if not preview.size:
            raise InputRefused("nothing_to_delete")
        # The browsers say that a backup comes first, so turning the setting off meanwhile has no effect.
        wish = read_backup(body)
        backup = await operations.backup_in_force(wish)
        request = DeletionRequest(
            # With the jobs that stay, so that the result says why each of them stayed.
            preview.asked_ids if isinstance(preview, DeletionPreview) else None,
            connection,
            _origin(preview),
            backup=wish if backup == "off" else backup,
            preview=preview,
            operation=kept.operation,
        )
        if not seconds:
            with log_about(request.operation):
                return await self._send_now(request)
        hold = await self._context.holds.start(request, seconds)
        return json_answer({"hold": hold.payload()}, 202)

    async def _send_now(self, request: DeletionRequest) -> web.Response:
        name, events = request.operation, self._context.operations.events
        watch = HoldWatch(partial(events.progressed, name, request.kind))
        work = run_on_own_loop(self._context.operations.carry_out(request, watch, wait=False))
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        self._running[name] = task, watch
        task.add_done_callback(lambda ended: self._ended(name, ended))
        await asyncio.wait({task}, timeout=self._context.max_seconds)
        if not task.done():
            return json_answer({"operation": name, "state": "running"}, 202)
        try:
            result = task.result()
        except Busy as error:
            return busy_answer(error)
        except HistoryGrew as error:
            preview = await self._clear_preview(request.connection, error.counts)
            again = await self._keep(preview, request.connection)
            return error_answer(error, operation=name, preview=again)
        except CloudError as error:
            return error_answer(error, operation=name)
        payload = await compute_in_thread(result_payload, result)
        return await large_json_answer({"operation": name, "state": "done", "result": payload})

    def _ended(self, operation: str, task: asyncio.Task[Any]) -> None:
        del self._running[operation]
        self._context.operations.events.forget(operation)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, CloudError):
            log.error("A deletion failed.", exc_info=error)

    async def _clear_preview(self, connection: Connection, counts: JobCounts) -> ClearPreview:
        try:
            return await self._context.in_time(self._context.operations.preview_clear(connection, counts, Unwatched()))
        except CloudError:
            return ClearPreview(counts)

    async def _keep(self, preview: Preview, connection: Connection) -> Payload:
        settings = await run_in_thread(self._context.operations.settings.in_force)
        kept = self._context.previews.keep(preview, connection, settings.hold_seconds)
        facts, taken_at = await compute_in_thread(preview.payload), datetime.now(timezone.utc)
        more: Payload = {}
        if isinstance(preview, ClearPreview):
            counts, taken_at = preview.counts, preview.counts.taken_at
            more["counts"] = {**facts["by_status"], "active": counts.active}
        else:
            more["everything"] = preview.everything
        estimate = await run_in_thread(
            self._context.operations.backup_estimates.estimate, preview.size, connection.account
        )
        return {
            "token": kept.token,
            "operation": kept.operation,
            "account": connection.account,
            "expires_in": VALID_SECONDS,
            "taken_at": taken_at.isoformat(),
            "hold_seconds": kept.hold_seconds,
            "backup": settings.backup,
            "backup_estimate": estimate.payload(),
            "rows": [job_row(job) for job in preview.jobs[:MAX_ROWS]],
            "last4": connection.key.secret.last4,
            "source": connection.key.source,
            "host": connection.base_url.host,
            **facts,
            **more,
        }


def _origin(preview: Preview) -> str:
    """Return the place in the browser where the deletion was confirmed."""
    if not isinstance(preview, DeletionPreview) or preview.everything:
        return "menu"
    return "clean_up" if preview.what else "panel"


class CleanUpRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._clean_up = CleanUp(context.operations)

    async def preview(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"policy": dict}, ("policy",))
        policy = read_policy(body["policy"])
        connection = await self._context.operations.find_connection()
        found = self._clean_up.preview(connection, policy, Unwatched())
        payload = await compute_in_thread(cleanup_payload, policy, *await self._context.in_time(found))
        return json_answer({**payload, "account": connection.account})


def cleanup_payload(policy: Policy, preview: CleanUpPreview, jobs: Mapping[str, Job]) -> Payload:
    """Return what a policy would delete and keep, as JSON for the browser.

    `rows` contains the newest 200 jobs that would be deleted and the newest 200 that would stay. So the browser can
    show the newest 200 jobs of the whole history, and also a full page of the jobs that would be deleted.
    """
    numbers = {
        rule.reason: value if isinstance(value, int) else value / timedelta(days=1) for rule, value in policy.rules
    }
    kept = [
        {"reason": reason.value, "n": numbers.get(reason), "count": count}
        for reason, count in counts_kept(preview).items()
    ]
    listed = {*islice(preview.kept, MAX_ROWS), *(job.id for job in preview.go[:MAX_ROWS])}
    rows = [
        {"job": job_row(job), "keep": preview.kept[job.id].value if job.id in preview.kept else None}
        for job in newest_first(jobs[job_id] for job_id in listed)
    ]
    return {
        "total": len(jobs),
        "finished": sum(job.finished for job in jobs.values()),
        "go": len(preview.go),
        "kept": kept,
        "share": preview.share,
        "all": preview.takes_all,
        "large": preview.takes_much,
        "empty": not policy.rules,
        "rows": rows,
    }
