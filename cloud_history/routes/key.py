"""Saving and removing the API key."""

from __future__ import annotations

from aiohttp import web

from ..errors import BadRequest, CloudConnectionError, CloudResponseError, Forbidden, Unauthorized
from ..state.credentials import ApiKey, clean_key, looks_usual
from ..tasks.threads import write_in_thread
from .context import Context
from .request import read_body
from .response import error_answer, json_answer
from .status import StatusRoutes


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
                # The key itself was not refused: it could not be tried.
                return error_answer(error, can_save_unchecked=True)
        await self._context.holds.undo_all()
        await write_in_thread(lambda: operations.keys.save(secret))
        await self._context.holds.undo_all()  # one may have begun while the key was written
        operations.announcements.changed("key")
        status = await self._status.payload()
        more = {"checked": account is not None, "account": account, "unusual": not looks_usual(secret)}
        return json_answer({**status, **more, "outranked": status["source"] == "env"})

    async def remove(self, request: web.Request) -> web.Response:
        await read_body(request, {})
        await self._context.holds.undo_all()
        await write_in_thread(self._context.operations.keys.remove)
        await self._context.holds.undo_all()
        self._context.operations.announcements.changed("key")
        return json_answer(await self._status.payload())
