"""Routes for the audit log of past deletions, and for backups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import islice

from aiohttp import web

from ..deletion.report import Payload
from ..errors import InputRefused
from ..jobs.ids import is_hex_id, is_job_id
from ..jobs.job import Job
from ..jobs.rows import job_row, read_details, workflow_file
from ..secret import scrub
from ..state.audit_csv import csv_lines
from ..state.audit_log import LoggedDeletion
from ..state.backups import BackupInfo
from ..tasks.threads import run_in_thread, run_large_in_thread, write_in_thread
from .request import read_body
from .response import HEADERS, Context, file_answer, json_answer, large_json_answer, write_in_time

MAX_ENTRIES = 100
MAX_DELETIONS_READ = 5000
"""Maximum number of deletions that are searched for existing backups."""
LINES_PER_PIECE = 2000
FACTS = ("status", "raw", "created", "took", "name", "workflow_id", "error")


class AuditRoutes:
    def __init__(self, context: Context) -> None:
        self._queue = context.operations.queue
        self._backups = context.operations.backups

    async def entries(self, request: web.Request) -> web.Response:
        backups = {each.operation: each for each in await run_large_in_thread(self._backups.list)}
        recorded = await run_large_in_thread(self._queue.audit_log.entries, MAX_DELETIONS_READ)
        # Older deletions are listed if their backups exist, so that every backup can be opened and deleted.
        older = [each for each in recorded[MAX_ENTRIES:] if each.entry.operation in backups]
        more = len(recorded) - MAX_ENTRIES > len(older)
        found = [*recorded[:MAX_ENTRIES], *older]
        running = await run_in_thread(self._queue.running)
        now = running.operation if running else ""
        entries = [_entry(each, backups.get(each.entry.operation), now) for each in found]
        removed = await run_large_in_thread(self._queue.audit_log.removed_in_all)
        return await large_json_answer({"entries": entries, "more": more, "removed_in_all": removed})

    async def jobs(self, request: web.Request) -> web.Response:
        operation = _name(request)

        def read() -> list[Payload]:
            jobs = self._queue.audit_log.jobs(operation)
            return [
                {
                    "id": scrub(each.id),
                    "outcome": each.outcome,
                    "why": scrub(each.why),
                    "job": _facts(each.job) if each.job else None,
                }
                for each in jobs
            ]

        jobs = await run_large_in_thread(read)
        return await large_json_answer({"jobs": jobs})

    async def csv(self, request: web.Request) -> web.StreamResponse:
        named = {"Content-Disposition": 'attachment; filename="comfy-cloud-deletions.csv"'}
        response = web.StreamResponse(headers={**HEADERS, **named, "Content-Type": "text/csv; charset=utf-8"})
        lines = csv_lines(self._queue.audit_log)
        # Sent in pieces, because the log can be large. Without a byte order mark, spreadsheets guess the encoding.
        piece = "\ufeff" + await run_large_in_thread(_piece, lines)
        await response.prepare(request)
        while piece:
            await write_in_time(request, response.write(piece.encode("utf-8")))
            piece = await run_large_in_thread(_piece, lines)
        await write_in_time(request, response.write_eof())
        return response

    async def backup(self, request: web.Request) -> web.Response:
        operation = _name(request)
        return await large_json_answer({"jobs": await run_large_in_thread(self._backups.jobs, operation)})

    async def backed_up_job(self, request: web.Request) -> web.Response:
        operation, job_id = _backed_up(request)

        def read() -> Payload:
            return read_details(self._backups.job(operation, job_id), datetime.now(timezone.utc))

        return await large_json_answer(await run_large_in_thread(read))

    async def backed_up_workflow(self, request: web.Request) -> web.Response:
        """Return the workflow of a backed-up job as a file."""
        operation, job_id = _backed_up(request)
        return file_answer(await run_large_in_thread(lambda: workflow_file(self._backups.job(operation, job_id))))

    async def delete_backup(self, request: web.Request) -> web.Response:
        await read_body(request, {})
        name = _name(request)
        await write_in_thread(lambda: self._backups.delete(name))
        return json_answer({})


def _piece(lines: Iterator[str]) -> str:
    return "".join(islice(lines, LINES_PER_PIECE))


def _backed_up(request: web.Request) -> tuple[str, str]:
    operation, job_id = _name(request), request.match_info["job_id"]
    if not is_job_id(job_id):
        raise InputRefused("not_a_job_id")
    return operation, job_id.lower()


def _facts(job: Job) -> Payload:
    """Return the members of a job's row that the log knows."""
    row = job_row(job)
    return {name: row[name] for name in FACTS}


def _name(request: web.Request) -> str:
    name = request.match_info["operation"]
    if not is_hex_id(name):
        raise InputRefused("not_an_operation")
    return name


def _entry(deletion: LoggedDeletion, backup: BackupInfo | None, running: str) -> Payload:
    entry, outcome = deletion.entry, deletion.outcome
    is_running = outcome is None and entry.operation == running
    return {
        "operation": entry.operation,
        "kind": entry.kind,
        "origin": entry.origin,
        "node": scrub(entry.node),
        "title": scrub(entry.title),
        "at": entry.at,
        "seconds": outcome.seconds if outcome else None,
        "run_seconds": outcome.run_seconds if outcome else None,
        "failed_run_seconds": outcome.failed_run_seconds if outcome else None,
        "timed_jobs": outcome.timed_jobs if outcome else None,
        "asked": entry.asked,
        "state": "running" if is_running else deletion.state,
        "counts": dict(outcome.counts) if outcome else None,
        "removed": outcome.removed if outcome else None,
        "report": scrub(outcome.report) if outcome else "",
        "host": entry.host,
        "last4": entry.last4,
        "version": entry.version,
        "backup": {"jobs": backup.jobs, "size": backup.size} if backup else None,
    }
