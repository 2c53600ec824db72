"""Routes that preview, run and list saves of outputs, and that serve the files that were saved."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiohttp import web

from ..approval.approval import ApprovalAnswers
from ..deletion.preview import VALID_SECONDS, ClearPreview, Previews
from ..deletion.report import Payload
from ..errors import CloudTimeoutError, InputRefused, PreviewExpired, SetupProblem
from ..jobs.filters import JobFilter, Selection
from ..jobs.job import Job
from ..outputs.facts import FACTS_SECONDS, OutputFacts, facts_payload
from ..outputs.request import SavePreview
from ..outputs.saves import Save, Saves
from ..outputs.stored import JobHere
from ..state.credentials import Connection
from ..tasks.stopping import STOP_CHECK_SECONDS, Deadline, Unwatched
from ..tasks.threads import compute_in_thread, write_in_thread
from .request import MAX_BODY_BYTES_WITH_IDS, job_id_in, read_body, read_ids, read_selection
from .response import Context, json_answer, large_json_answer
from .saved_file import send_saved_file

MAX_IDS_PER_LOOK = 1_000
_OPERATION: dict[str, type] = {"operation": str}


class SaveRoutes:
    def __init__(self, context: Context, answers: ApprovalAnswers) -> None:
        self._context = context
        self._answers = answers
        self._previews: Previews[SavePreview] = Previews()

    @property
    def _saves(self) -> Saves:
        return self._context.saves

    async def preview(self, request: web.Request) -> web.Response:
        """Return what a save of the selected jobs would do, with a token that confirms it."""
        members = {"ids": list, "filter": dict, "account": str}
        body = await read_body(request, members, largest=MAX_BODY_BYTES_WITH_IDS)
        selection = _selection(body)
        connection = await self._context.find_connection(body.get("account"))
        preview = await self._context.in_time(self._context.operations.preview_save(connection, selection, Unwatched()))
        kept = self._previews.keep(preview, connection)
        more = {
            "token": kept.token,
            "operation": kept.operation,
            "account": connection.account,
            "expires_in": VALID_SECONDS,
            "last4": connection.key.secret.last4,
            "host": connection.base_url.host,
        }
        return json_answer({**await compute_in_thread(preview.payload), **more})

    async def save(self, request: web.Request) -> web.Response:
        """Begin a save that the person has confirmed. It goes on when the browser disconnects."""
        body = await read_body(request, {"token": str}, ("token",))
        connection = await self._context.operations.find_connection()
        kept = self._previews.redeem(body["token"], connection)
        preview = kept.preview
        if not preview.facts.files:
            raise InputRefused("nothing_to_save")
        outputs = self._context.operations.outputs
        folder = await outputs.folder()
        if folder.place != preview.place:
            raise PreviewExpired("outputs_folder_changed")  # the person has seen another folder
        await outputs.check_room(preview.needed)
        save = await self._saves.start(preview.request(connection, kept.operation), folder)
        return _answer(save, 202)

    async def saves(self, request: web.Request) -> web.Response:
        """Return running, interrupted and ended saves."""
        return await large_json_answer({"saves": await self._saves.payloads()})

    async def stop(self, request: web.Request) -> web.Response:
        body = await read_body(request, _OPERATION, ("operation",))
        return _answer(self._saves.stop(body["operation"]))

    async def continue_interrupted(self, request: web.Request) -> web.Response:
        """Go on with a save that a restart of ComfyUI interrupted."""
        body = await read_body(request, _OPERATION, ("operation",))
        connection = await self._context.operations.find_connection()
        return _answer(await self._saves.continue_interrupted(body["operation"], connection), 202)

    async def retry(self, request: web.Request) -> web.Response:
        """Save once more what an ended save did not save."""
        body = await read_body(request, _OPERATION, ("operation",))
        connection = await self._context.operations.find_connection()
        folder = await self._context.operations.outputs.folder()
        return _answer(await self._saves.retry(body["operation"], connection, folder), 202)

    async def dismiss(self, request: web.Request) -> web.Response:
        body = await read_body(request, _OPERATION, ("operation",))
        await self._saves.dismiss(body["operation"])
        with suppress(SetupProblem):  # then there is no folder to tidy
            self._context.operations.outputs.tidy(await self._context.operations.outputs.folder())
        return json_answer({})

    async def facts(self, request: web.Request) -> web.Response:
        """Return what is known of the outputs of jobs that are about to be deleted. May take many seconds."""
        members = {"ids": list, "filter": dict, "token": str, "account": str, "question": str}
        body = await read_body(request, members, largest=MAX_BODY_BYTES_WITH_IDS)
        if "question" in body:
            return json_answer(await self._facts_of_question(body["question"], body.get("token", "")))
        connection = await self._context.find_connection(body.get("account"))
        facts, here = await self._context.in_time(self._facts(body, connection))
        return json_answer(await compute_in_thread(facts_payload, facts, here))

    async def _facts_of_question(self, question: str, token: str) -> Payload:
        """Return the facts of a workflow's question, which the node reads: only it knows the jobs and the key."""
        deadline = Deadline(min(FACTS_SECONDS, self._context.max_seconds))
        while deadline.left():
            if facts := await write_in_thread(lambda: self._answers.facts(question, token)):
                return facts
            await asyncio.sleep(STOP_CHECK_SECONDS)
        raise CloudTimeoutError("took_too_long", sent=True)

    async def _facts(self, body: dict[str, Any], connection: Connection) -> tuple[OutputFacts, dict[str, JobHere]]:
        operations = self._context.operations
        jobs = await self._jobs(body, connection)
        facts = await operations.output_facts(connection, jobs, Unwatched(), FACTS_SECONDS)
        return facts, await operations.outputs.here([job.id for job in jobs])

    async def _jobs(self, body: dict[str, Any], connection: Connection) -> Sequence[Job]:
        """Return the jobs that a body names: by ids, by a filter, or by the token of a deletion's preview."""
        operations = self._context.operations
        if "token" not in body:
            return await operations.finished_jobs(connection, _selection(body), Unwatched())
        if "ids" in body or "filter" in body:
            raise InputRefused("selection_ambiguous")
        preview = self._context.previews.look_at(body["token"], connection).preview
        if isinstance(preview, ClearPreview):
            return await operations.finished_jobs(connection, Selection(filter=JobFilter()), Unwatched())
        return preview.jobs

    async def saved(self, request: web.Request) -> web.Response:
        """Return which of some jobs have saved outputs, without asking the Cloud."""
        body = await read_body(request, {"ids": list}, ("ids",), largest=MAX_BODY_BYTES_WITH_IDS)
        job_ids = read_ids(body["ids"])
        if len(job_ids) > MAX_IDS_PER_LOOK:
            raise InputRefused("wrong_number_of_job_ids", most=MAX_IDS_PER_LOOK)
        here = await self._context.operations.outputs.here(job_ids)
        return json_answer(
            {"jobs": {job_id: "all" if each.whole else "some" for job_id, each in here.items() if each.files}}
        )

    async def of_job(self, request: web.Request) -> web.Response:
        """Return the saved outputs of one job, also of a deleted one."""
        job_id = job_id_in(request.match_info["job_id"])
        return json_answer(await self._context.operations.outputs.payload(job_id))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """Stream one saved output from the disk."""
        job_id, number = job_id_in(request.match_info["job_id"]), request.match_info["number"]
        return await send_saved_file(request, self._context.operations.outputs, job_id, number)


def _selection(body: dict[str, Any]) -> Selection:
    """Return the jobs in a body with exactly one of `ids` and `filter`."""
    if ("ids" in body) is ("filter" in body):
        raise InputRefused("selection_ambiguous")
    return read_selection(body)


def _answer(save: Save, status: int = 200) -> web.Response:
    return json_answer({"save": save.payload()}, status)
