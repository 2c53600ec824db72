"""Routes that show and answer approvals: a person's consent to a deletion by a workflow."""

from __future__ import annotations

from aiohttp import web

from ..approval.approval import DELETE, ApprovalAnswers
from ..tasks.threads import run_in_thread, write_in_thread
from .request import BACKUP_KINDS, Members, read_backup, read_body
from .response import Context, json_answer


class ApprovalRoutes:
    def __init__(self, context: Context, answers: ApprovalAnswers) -> None:
        self._context = context
        self._answers = answers

    async def show(self, request: web.Request) -> web.Response:
        """Return the approval that a websocket event has named, so that the page can show it."""
        body = await read_body(request, {"question": str}, ("question",))
        return json_answer(await run_in_thread(self._answers.fetch, body["question"]))

    async def seen(self, request: web.Request) -> web.Response:
        """Record that a page shows the approval."""
        body = await read_body(request, {"question": str, "token": str}, ("question", "token"))
        return json_answer(await write_in_thread(lambda: self._answers.mark_seen(body["question"], body["token"])))

    async def answer(self, request: web.Request) -> web.Response:
        """Answer an approval, and optionally allow all later workflows to delete."""
        members: Members = {"question": str, "token": str, "answer": str, "always": bool, "backup": BACKUP_KINDS}
        body = await read_body(request, members, ("question", "token", "answer"))
        operations = self._context.operations
        always = body.get("always", False) and body["answer"] == DELETE
        if always:
            operations.keys.check_key_is_not_shared()
        # The approval is answered first, because only the token of an open approval may change the setting.
        given = body["question"], body["token"], body["answer"], read_backup(body)
        await write_in_thread(lambda: self._answers.answer(*given))
        if always:
            await write_in_thread(lambda: operations.settings.change(nodes="allow"))
            operations.events.changed("settings")
        return json_answer({})
