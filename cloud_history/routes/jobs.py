"""Routes that list jobs, return a job's details, thumbnails and outputs, and cancel jobs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import cast

from aiohttp import web

from ..cloud.client import CloudClient
from ..cloud.evidence import describe_defects
from ..cloud.listing import MAX_READINGS, Reading, read_pages
from ..cloud.lookup import look_up
from ..cloud.pages import RowMapper
from ..deletion.report import Payload, error_payload
from ..errors import (
    ApiMovedOn,
    BadRequest,
    CloudError,
    CloudTimeoutError,
    InputRefused,
    NotFound,
    OperationRefused,
    UnreadableAnswer,
)
from ..jobs.filters import JobFilter
from ..jobs.job import Job, row_id
from ..jobs.rows import files_of, read_details, row_json, workflow_file
from ..secret import log
from ..state.credentials import Connection
from ..tasks.threads import compute_in_thread
from .media import MediaTickets, is_media, look_at_media, read_wanted_media, send_media
from .output_files import FileNames
from .outputs import read_filename, read_number, read_wanted_output, send_output
from .request import job_id_in, read_body, read_filter, read_ids
from .response import HEADERS, Context, error_answer, file_answer, json_answer, large_json_answer, write_in_time

ROWS_PER_LINE = 250
MAX_IDS_PER_CANCEL = 100

_Written = tuple[str, FileNames | None]
"""A job's row as JSON, and its preview file. These are tuples of strings, because the garbage collector does not track
them: traversing an object for each job would block the event loop."""


class JobRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._tickets = MediaTickets()

    async def jobs(self, request: web.Request) -> web.StreamResponse:
        """Stream all jobs that match the filter, as lines of JSON."""
        body = await read_body(request, {"filter": dict})
        chosen = read_filter(body.get("filter", {}))
        if chosen.protected is not None:
            chosen = replace(chosen, protection=await self._context.operations.protected())
        chosen = await self._context.operations.with_saved(chosen)
        connection = await self._context.operations.find_connection()
        stream = _JobStream(request, self._context, connection, chosen)
        async with self._context.operations.open(connection) as client:
            await self._read_in_time(stream, client)
        if stream.reading.error is not None and not stream.response.prepared:
            return error_answer(stream.reading.error)
        await write_in_time(request, stream.end())
        return stream.response

    async def _read_in_time(self, stream: _JobStream, client: CloudClient) -> None:
        reading = asyncio.ensure_future(stream.read(client))
        try:
            await asyncio.wait({reading}, timeout=self._context.max_seconds)
            if not reading.done():
                stream.reading.error = CloudTimeoutError("list_too_slow", sent=True)
                return
            reading.result()
        except ConnectionResetError:
            raise
        except Exception:
            if not stream.response.prepared:
                raise
            # A part of the answer is sent already, so only the last line can report the error.
            log.exception("Reading the list failed.")
            stream.reading.error = CloudError("internal")
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def details(self, request: web.Request) -> web.Response:
        detail = await self._detail(request)
        return await large_json_answer(await compute_in_thread(read_details, detail, datetime.now(timezone.utc)))

    async def workflow(self, request: web.Request) -> web.Response:
        """Return the job's workflow as a file."""
        return file_answer(await compute_in_thread(workflow_file, await self._detail(request)))

    async def _detail(self, request: web.Request) -> Payload:
        job_id = job_id_in(request.match_info["job_id"])
        connection = await self._context.operations.find_connection()

        async def read() -> Payload:
            async with self._context.operations.open(connection) as client:
                return await client.get_job_detail(job_id)

        detail = await self._context.in_time(read())
        if row_id(detail) != job_id:
            raise UnreadableAnswer(200)
        self._context.thumbnails.files.learn_outputs(connection, job_id, files_of(detail))
        return detail

    async def thumbnail(self, request: web.Request) -> web.Response:
        job_id, filename = job_id_in(request.query.get("job", "")), read_filename(request.query)
        picture = await self._context.in_time(
            self._context.thumbnails.get(job_id, filename, read_number(request.query))
        )
        headers = {**HEADERS, "Cache-Control": "private, max-age=3600", "Content-Type": picture.content_type}
        return web.Response(body=picture.content, headers=headers)

    async def output(self, request: web.Request) -> web.StreamResponse:
        """Stream one output of a job in full size."""
        wanted = read_wanted_output(job_id_in(request.match_info["job_id"]), request.query)
        connection = await self._context.operations.find_connection()
        async with self._context.operations.open(connection) as client:
            find = partial(self._context.thumbnails.files.find, client, connection, *wanted.place)
            return await send_output(request, client, find, wanted, self._context.max_seconds)

    async def open_media(self, request: web.Request) -> web.Response:
        """Return the type and the size of an output, and a ticket for `media` if the browser can show it."""
        body = await read_body(request, {"job": str, "file": str, "number": int, "most": int}, ("job", "file"))
        wanted = read_wanted_media(job_id_in(body["job"]), body)
        connection = await self._context.operations.find_connection()
        async with self._context.operations.open(connection) as client:
            find = partial(self._context.thumbnails.files.find, client, connection, *wanted.place)
            media = await look_at_media(client, connection, find, wanted, self._context.max_seconds)
        ticket = self._tickets.issue(media) if is_media(media.content_type) else None
        return json_answer({"type": media.content_type, "size": media.size, "ticket": ticket})

    async def media(self, request: web.Request) -> web.StreamResponse:
        """Stream the output of a ticket, or a range of it."""
        connection = await self._context.operations.find_connection()
        media = self._tickets.find(request.match_info["ticket"], connection)
        async with self._context.operations.open(connection) as client:
            return await send_media(request, client, media, self._context.max_seconds)

    async def cancel(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"ids": list, "account": str}, ("ids",))
        job_ids = read_ids(body["ids"])
        if len(job_ids) > MAX_IDS_PER_CANCEL:
            raise InputRefused("wrong_number_of_job_ids", most=MAX_IDS_PER_CANCEL)
        connection = await self._context.find_connection(body.get("account"))
        return json_answer(await self._context.in_time(self._cancel(connection, job_ids)))

    async def _cancel(self, connection: Connection, job_ids: list[str]) -> Payload:
        async with self._context.operations.open(connection) as client:
            cancelled = await self._cancel_active(client, job_ids)
        if cancelled is None:
            return {"cancelled": [], "finished_already": job_ids}
        self._context.can_cancel = True
        self._context.operations.events.changed("cancel")
        return {
            "cancelled": [each for each in job_ids if each in cancelled],
            "finished_already": [each for each in job_ids if each not in cancelled],
        }

    async def _cancel_active(self, client: CloudClient, job_ids: list[str]) -> set[str] | None:
        """Cancel the active jobs and return their ids, or None if no job was active."""
        try:
            return set(await client.cancel_jobs(job_ids))
        except (NotFound, BadRequest, ApiMovedOn) as error:
            refused = error
        if refused.status in (405, 410, 501):
            raise self._not_supported()
        # Either an id is unknown or the server lacks the route, so try again with the active jobs only.
        found = await look_up(client, job_ids)
        found.check(job_ids)
        active = [job_id for job_id, job in found.there.items() if job.active]
        if not active:
            return None
        if len(active) < len(job_ids):
            try:
                return set(await client.cancel_jobs(active))
            except (NotFound, BadRequest, ApiMovedOn) as error:
                refused = error
        raise self._not_supported() if refused.status in (404, 405, 410, 501) else refused

    def _not_supported(self) -> OperationRefused:
        self._context.can_cancel = False
        return OperationRefused("not_supported")


class _JobStream:
    def __init__(self, request: web.Request, context: Context, connection: Connection, chosen: JobFilter) -> None:
        self._request = request
        self.response = web.StreamResponse(headers={**HEADERS, "Content-Type": "application/x-ndjson"})
        self._context = context
        self._connection = connection
        self._chosen = chosen
        self.reading = Reading()
        self._mapper = RowMapper(self._written)

    def _written(self, job: Job) -> _Written | None:
        """Return the row of a job that matches, else None. Runs in the thread that reads a page."""
        if not self._chosen.matches(job):
            return None
        file = job.preview
        return row_json(job), None if file is None else (file.filename, file.subfolder, file.kind)

    async def read(self, client: CloudClient) -> None:
        for _ in range(MAX_READINGS):
            # The generator is closed explicitly, so that prefetching ends as soon as the browser disconnects.
            pages = cast(
                "AsyncGenerator[dict[str, _Written], None]",
                read_pages(client, self._chosen.query(), self._mapper, self.reading),
            )
            async with aclosing(pages):
                await self._read_once(pages)
            if self.reading.complete or self.reading.error is not None:
                return

    async def _read_once(self, pages: AsyncGenerator[dict[str, _Written], None]) -> None:
        async for jobs in pages:
            await self._start()
            rows = [row for row, _ in jobs.values()]
            for at in range(0, len(rows), ROWS_PER_LINE):
                line = f'{{"type":"jobs","jobs":[{",".join(rows[at : at + ROWS_PER_LINE])}]}}\n'
                await self.response.write(line.encode())
            files = {job_id: file for job_id, (_, file) in jobs.items() if file is not None}
            self._context.thumbnails.files.learn_previews(self._connection, files)

    async def end(self) -> None:
        await self._start()
        error = self.reading.error
        complete, read = self.reading.complete and error is None, len(self.reading.job_ids)
        more = {
            "complete": complete,
            "read": read,
            "unreadable": self.reading.unreadable,
            "doubt": str(describe_defects(self.reading.defects)) if self.reading.defects else "",
            "error": error_payload(error) if error else None,
        }
        await self._line({"type": "end", **more})
        await self.response.write_eof()

    async def _start(self) -> None:
        if not self.response.prepared:
            await self.response.prepare(self._request)
            moment = datetime.now(timezone.utc).isoformat()
            header = {"read_at": moment, "total": self.reading.total, "account": self._connection.account}
            await self._line({"type": "start", **header})

    async def _line(self, payload: Payload) -> None:
        await self.response.write(json.dumps(payload, separators=(",", ":")).encode() + b"\n")
