"""The routes of the API, as strict as its documentation."""

from __future__ import annotations

import asyncio
import json
import math
import re
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .assets import AssetQuery, assets_of_job, assets_page
from .bends import Bent
from .bent_answers import carry_out_postponed
from .error_shapes import (
    ErrorShape,
    error_response,
    html_page,
    message_only,
    plan_refusal,
    rate_limited,
    subscription_inactive,
)
from .listing import BadParameter, ListQuery, bent_page, page
from .media import picture_of
from .storage import signed_url

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
MAX_CANCELLED_AT_ONCE = 100
# Room for 100,000 ids. The documentation has no limit.
MAX_BODY_BYTES = 64 * 1024 * 1024
PUBLIC = frozenset({"/api/system_stats"})


class Refused(Exception):
    """Ends a request with an error answer."""

    def __init__(self, shape: ErrorShape) -> None:
        super().__init__(shape.status)
        self.shape = shape


def api_app(cloud: SimulatedCloud, observer: Middleware) -> web.Application:
    """Build the application of the API. `observer` wraps every request."""
    routes = Routes(cloud)
    app = web.Application(middlewares=[observer, routes.guard], client_max_size=MAX_BODY_BYTES)
    app.add_routes(
        [
            web.get("/api/user", routes.user, allow_head=False),
            web.get("/api/system_stats", routes.system_stats, allow_head=False),
            web.post("/api/history", routes.history),
            web.get("/api/jobs", routes.jobs, allow_head=False),
            web.post("/api/jobs/cancel", routes.cancel_jobs),
            web.get("/api/jobs/{job_id}", routes.job, allow_head=False),
            web.post("/api/jobs/{job_id}/cancel", routes.cancel_job),
            web.get("/api/jobs/{job_id}/assets", routes.job_assets, allow_head=False),
            web.get("/api/assets", routes.assets, allow_head=False),
            web.get("/api/view", routes.view, allow_head=False),
            # Dangerous routes of the real API, refused here. `SimulatedCloud.forbidden_calls` counts the calls.
            web.post("/api/queue", routes.refuse),
            web.post("/api/interrupt", routes.refuse),
            web.delete("/api/assets/{asset_id}", routes.refuse),
        ]
    )
    return app


class Routes:
    """The handlers of the routes."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self._cloud = cloud
        self._window_began = float("-inf")
        self._in_window = 0
        self._with_key = 0

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Check the key, the rate and the subscription, and give errors their documented shape."""
        try:
            if request.path not in PUBLIC:
                self._check_rate()
                self._check_caller(request)
            self._check_switches(request.path)
            return await handler(request)
        except Refused as refusal:
            return refusal.shape.response()
        except web.HTTPMethodNotAllowed:
            return error_response(405, "method_not_allowed", "Method not allowed").response()
        except web.HTTPNotFound:
            return error_response(404, "not_found", "No such route").response()

    def _check_caller(self, request: web.Request) -> None:
        if request.headers.getall("X-API-Key", []) != [self._cloud.api_key]:
            raise Refused(self._cloud.switches.unauthorized)
        self._with_key += 1
        every = self._cloud.switches.false_401
        if every and self._with_key % every == 0:
            raise Refused(message_only(401, "Invalid API key"))
        # Documented: a second credential that is invalid is refused, not ignored.
        if "Authorization" in request.headers:
            raise Refused(error_response(401, "unauthorized", "Send one credential, not two."))
        if "X-Comfy-Workspace-ID" in request.headers:
            raise Refused(error_response(400, "workspace_id_invalid", "The key belongs to another workspace."))

    def _check_rate(self) -> None:
        switches, now = self._cloud.switches, self._cloud.clock()
        if not switches.rate_limit:
            return
        if now - self._window_began >= switches.rate_limit_seconds:
            self._window_began, self._in_window = now, 0
        if self._in_window >= switches.rate_limit:
            left = math.ceil(self._window_began + switches.rate_limit_seconds - now)
            raise Refused(rate_limited(str(left) if switches.rate_limit_told else None))
        self._in_window += 1

    def _check_switches(self, path: str) -> None:
        switches = self._cloud.switches
        on_jobs = path == "/api/jobs" or path.startswith("/api/jobs/")
        if (
            (on_jobs and not switches.has_jobs_route)
            or (path == "/api/user" and not switches.has_user_route)
            or (path == "/api/assets" and not switches.has_assets_route)
            or (on_jobs and path.endswith("/assets") and not switches.has_job_assets_route)
        ):
            raise web.HTTPNotFound
        if path in PUBLIC | {"/api/user"}:
            return
        if switches.subscription == "inactive":
            raise Refused(subscription_inactive())
        if switches.plan_refusal:
            # Clients must not follow this Retry-After, because the plan refuses a retry as well.
            refusal = plan_refusal(switches.plan_refusal, switches.plan_refusal_status, retry_after="1")
            raise Refused(refusal)
        if path == "/api/history" and switches.history_route != 200:
            raise Refused(error_response(switches.history_route, "gone", "This API has moved."))

    async def user(self, request: web.Request) -> web.Response:
        """Handle `GET /api/user`."""
        return web.json_response({"status": self._cloud.switches.user_status})

    async def system_stats(self, request: web.Request) -> web.Response:
        """Handle `GET /api/system_stats`, which is public, so an answer proves nothing about a key."""
        system = {
            "os": "posix",
            "python_version": "3.12.11",
            "embedded_python": False,
            "comfyui_version": "0.3.64",
            "pytorch_version": "2.8.0+cu128",
            "argv": [],
            "ram_total": 0,
            "ram_free": 0,
        }
        return web.json_response({"system": system, "devices": []})

    async def history(self, request: web.Request) -> web.Response:
        """Handle `POST /api/history`: delete finished jobs and skip all others silently."""
        body = await _json_object(request)
        job_ids, clear = body.get("delete", []), body.get("clear", False)
        if not set(body) <= {"delete", "clear"}:
            raise _bad("unknown property in request")
        if not isinstance(job_ids, list) or not all(isinstance(job_id, str) for job_id in job_ids):
            raise _bad("delete must be an array of strings")
        if not isinstance(clear, bool):
            raise _bad("clear must be a boolean")
        if self._cloud.switches.refuses_malformed_ids and not all(UUID.fullmatch(job_id) for job_id in job_ids):
            raise _bad("invalid job id")
        cloud = self._cloud
        bent = Bent(cloud, "history")
        if not cloud.switches.lies:
            named = cloud.listed() if clear else list(filter(None, map(cloud.account.get, job_ids)))
            cloud.account.delete([job.id for job in bent.removal(named)], cloud.clock())
        cloud.deletions += 1
        return bent.answer(web.Response())

    async def jobs(self, request: web.Request) -> web.Response:
        """Handle `GET /api/jobs`."""
        cloud = self._cloud
        try:
            query = ListQuery.parse(request.query, cursors=cloud.switches.cursor)
        except BadParameter as problem:
            raise _bad(str(problem)) from problem
        carry_out_postponed(cloud)
        bent = Bent(cloud, "list")
        statuses = None if cloud.switches.ignores_status_filter else bent.query(query).statuses
        listed = cloud.account.listed(statuses, still=cloud.shows)
        text = bent_page(listed, query, cloud.switches, bent) if bent else page(listed, query, cloud.switches)
        return bent.answer(web.Response(text=text, content_type="application/json"))

    async def job(self, request: web.Request) -> web.Response:
        """Handle `GET /api/jobs/{job_id}`."""
        cloud, switches, job_id = self._cloud, self._cloud.switches, request.match_info["job_id"]
        carry_out_postponed(cloud)
        bent = Bent(cloud, "detail")
        job = bent.detail(job_id, cloud.account.get(job_id))
        if job is None:
            raise Refused(error_response(404, "not_found", "Job not found"))
        detail = job.detail(seconds=switches.time_unit == "s", raw=switches.raw_states)
        return bent.answer(web.json_response(bent.details(job_id, detail)))

    async def cancel_jobs(self, request: web.Request) -> web.Response:
        """Handle `POST /api/jobs/cancel`: cancel all jobs, or none if one id is unknown."""
        job_ids = (await _json_object(request)).get("job_ids")
        if not isinstance(job_ids, list) or not 1 <= len(job_ids) <= MAX_CANCELLED_AT_ONCE:
            raise _bad("job_ids must hold 1 to 100 ids")
        if not all(isinstance(job_id, str) and UUID.fullmatch(job_id) for job_id in job_ids):
            raise _bad("job_ids must be UUIDs")
        if any(self._cloud.account.get(job_id) is None for job_id in job_ids):
            raise Refused(error_response(404, "not_found", "Job not found"))
        return web.json_response({"cancelled": [job_id for job_id in job_ids if self._cancel(job_id)]})

    async def cancel_job(self, request: web.Request) -> web.Response:
        """Handle `POST /api/jobs/{job_id}/cancel`."""
        job_id = request.match_info["job_id"]
        if self._cloud.account.get(job_id) is None:
            raise Refused(error_response(404, "not_found", "Job not found"))
        return web.json_response({"cancelled": self._cancel(job_id)})

    def _cancel(self, job_id: str) -> bool:
        if self._cloud.jobs[job_id].finished:
            return False
        self._cloud.finish(job_id, "cancelled")
        return True

    async def view(self, request: web.Request) -> web.Response:
        """Handle `GET /api/view`: redirect to the storage, or send the picture itself if a channel is requested."""
        name, channel = request.query.get("filename"), request.query.get("channel")
        if not name:
            raise _bad("filename is required")
        if channel not in (None, "rgb", "a", "alpha"):
            raise _bad("invalid channel")
        path = self._cloud.account.locate(request.query.get("subfolder", ""), name)
        owner = self._cloud.account.find(path)
        if owner is None:
            raise Refused(error_response(404, "not_found", "File not found"))
        if channel is not None:
            return web.Response(body=picture_of(name, owner.width, owner.height), content_type="image/png")
        found = html_page(302, "Found")
        location = signed_url(self._cloud, path)
        return web.Response(status=302, body=found.body, headers={**found.headers, "Location": location})

    async def assets(self, request: web.Request) -> web.Response:
        """Handle `GET /api/assets`."""
        try:
            query = AssetQuery.parse(request.query)
        except BadParameter as problem:
            raise _bad(str(problem)) from problem
        # Drawing pictures to know their sizes would block the event loop.
        return web.json_response(await asyncio.to_thread(assets_page, self._cloud, query))

    async def job_assets(self, request: web.Request) -> web.Response:
        """Handle `GET /api/jobs/{job_id}/assets` of the newer contract."""
        job = self._cloud.account.get(request.match_info["job_id"])
        if job is None:
            raise Refused(error_response(404, "not_found", "Job not found"))
        return web.json_response(await asyncio.to_thread(assets_of_job, self._cloud, job))

    async def refuse(self, request: web.Request) -> web.Response:
        """Refuse a request that no client of the history should send."""
        raise Refused(error_response(405, "method_not_allowed", "Method not allowed"))


def _bad(message: str) -> Refused:
    return Refused(error_response(400, "bad_request", message))


async def _json_object(request: web.Request) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise _bad("Content-Type must be application/json")
    try:
        body = json.loads(await request.read())
    except ValueError as error:
        raise _bad("request body is not JSON") from error
    if not isinstance(body, dict):
        raise _bad("request body must be an object")
    return body
