"""Routes that return and change the list of protected jobs and workflows."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..errors import InputRefused
from ..jobs.filters import ProtectedJobs
from ..secret import HIDDEN, scrub
from ..tasks.threads import write_in_thread
from .request import MAX_BODY_BYTES_WITH_IDS, read_body, read_ids
from .response import Context, json_answer

MAX_WORKFLOW_ID_CHARACTERS = 100
MAX_WORKFLOWS = 1000


class ProtectionRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def show(self, request: web.Request) -> web.Response:
        return _answer(await self._context.operations.protected())

    async def change(self, request: web.Request) -> web.Response:
        members: dict[str, type] = {"protect": bool, "ids": list, "workflows": list}
        body = await read_body(request, members, ("protect",), largest=MAX_BODY_BYTES_WITH_IDS)
        if "ids" not in body and "workflows" not in body:
            raise InputRefused("nothing_to_protect")
        jobs = read_ids(body["ids"]) if "ids" in body else []
        workflows = _workflows(body.get("workflows", []))
        file = self._context.operations.protection
        changed = await write_in_thread(lambda: file.change(protect=body["protect"], jobs=jobs, workflows=workflows))
        self._context.operations.events.changed("protection")
        return _answer(changed)

    async def start_empty(self, request: web.Request) -> web.Response:
        await read_body(request, {})
        kept_as = await write_in_thread(self._context.operations.protection.start_empty)
        self._context.operations.events.changed("protection")
        return json_answer({"kept_as": kept_as})


def _answer(protected: ProtectedJobs) -> web.Response:
    return json_answer({"jobs": sorted(protected.jobs), "workflows": sorted(protected.workflows)})


def _workflows(given: list[Any]) -> list[str]:
    fits = [each for each in given if isinstance(each, str) and 0 < len(each) <= MAX_WORKFLOW_ID_CHARACTERS]
    if len(fits) != len(given) or len(fits) > MAX_WORKFLOWS:
        raise InputRefused("workflows_not_ids", most=MAX_WORKFLOWS)
    if any(HIDDEN in scrub(each) for each in fits):
        # Saving the id would write the API key to disk; saving it scrubbed would match no workflow.
        raise InputRefused("key_in_workflow_id")
    return fits
