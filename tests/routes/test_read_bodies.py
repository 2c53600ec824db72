"""Request bodies that the middleware of another pack has read before the routes read them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from cloud_history.routes import request as guards
from simulated_cloud import SimulatedCloud
from support.no_backups import without_backups
from support.route_stage import Stage, serving

How = Callable[[web.Request], Awaitable[object]]
KEPT: dict[str, How] = {
    "read": lambda request: request.read(),
    "text": lambda request: request.text(),
    "json": lambda request: request.json(),
    "nothing": lambda request: request.post(),
}
LOST: dict[str, How] = {
    "stream": lambda request: request.content.read(),
    "chunks": lambda request: request.content.readany(),
}


def watching(how: How) -> Middleware:
    @web.middleware
    async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
        await how(request)
        return await handler(request)

    return watch


@pytest.fixture
async def stage(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Stage]:
    middlewares = [watching({**KEPT, **LOST}[request.param])]
    async with serving(cloud, without_backups(tmp_path / "state"), environ, middlewares=middlewares) as stage:
        stage.operations.settings.change(hold_seconds=0)
        yield stage


@pytest.mark.parametrize("stage", KEPT, indirect=True)
async def test_a_body_already_read_by_another_pack_is_still_read(stage: Stage) -> None:
    token = (await stage.ask("preview", {"clear": True})).json["token"]
    answer = await stage.ask("clear", {"token": token})
    assert (answer.status, answer.json["state"]) == (200, "done")
    assert not stage.cloud.finished


@pytest.mark.parametrize("stage", KEPT, indirect=True)
async def test_a_chunked_body_already_read_by_another_pack_is_still_read(stage: Stage) -> None:
    body = json.dumps({"clear": True}).encode()
    wire = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    headers = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    answer = await stage.ask("preview", b"", headers=headers, wire=wire)
    assert answer.status == 200, answer


@pytest.mark.parametrize("stage", ["read"], indirect=True)
@pytest.mark.parametrize("in_chunks", [False, True])
async def test_a_body_read_by_another_pack_has_the_same_size_limit(stage: Stage, in_chunks: bool) -> None:
    body = json.dumps({"token": "x" * guards.MAX_BODY_BYTES}).encode()
    wire = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body) if in_chunks else body
    headers = {"Content-Length": None, "Transfer-Encoding": "chunked"} if in_chunks else {}
    answer = await stage.ask("clear", body, headers=headers, wire=wire)
    assert answer.status == 413
    assert stage.cloud.requests == []


@pytest.mark.parametrize("stage", LOST, indirect=True)
async def test_a_body_consumed_by_another_pack_is_reported_as_such(stage: Stage) -> None:
    answer = await stage.ask("preview", {"clear": True})
    error = answer.json["error"]
    assert answer.status == 400
    assert "Another custom node pack has already read the body" in error["message"]
    assert "Disable other packs" in error["hint"]
    assert stage.cloud.requests == []


@pytest.mark.parametrize("stage", ["read", "stream"], indirect=True)
async def test_an_empty_body_is_reported_as_not_json(stage: Stage) -> None:
    answer = await stage.ask("preview", b"")
    assert (answer.status, answer.json["error"]["message"]) == (400, "The request body is not JSON.")
