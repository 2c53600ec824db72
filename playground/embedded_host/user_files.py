"""Settings and files that the page keeps on the server, for the one user `default`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web


def user_folder(base: Path) -> Path:
    """Return the folder in which ComfyUI keeps the files of its only user."""
    return base / "user" / "default"


def read_settings(base: Path) -> dict[str, Any]:
    """Return all settings that were ever changed."""
    file = user_folder(base) / "comfy.settings.json"
    settings: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return settings


def write_settings(base: Path, changes: dict[str, Any]) -> None:
    """Change some settings and keep the others."""
    file = user_folder(base) / "comfy.settings.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**read_settings(base), **changes}, indent=4), "utf-8")


def add_settings_routes(routes: web.RouteTableDef, base: Path) -> None:
    """Add the routes for settings."""

    @routes.get("/users")
    async def users(request: web.Request) -> web.Response:
        return web.json_response({"storage": "server", "migrated": True})

    @routes.get("/settings")
    async def get_settings(request: web.Request) -> web.Response:
        return web.json_response(read_settings(base))

    @routes.get("/settings/{id}")
    async def get_setting(request: web.Request) -> web.Response:
        return web.json_response(read_settings(base).get(request.match_info["id"]))

    @routes.post("/settings")
    async def post_settings(request: web.Request) -> web.Response:
        write_settings(base, await request.json())
        return web.Response()

    @routes.post("/settings/{id}")
    async def post_setting(request: web.Request) -> web.Response:
        write_settings(base, {request.match_info["id"]: await request.json()})
        return web.Response()


def add_file_routes(routes: web.RouteTableDef, base: Path) -> None:
    """Add the routes for workflows and other files of the user."""
    root = user_folder(base)

    @routes.get("/userdata")
    async def list_files(request: web.Request) -> web.Response:
        folder = _inside(root, request.query.get("dir", ""))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return web.json_response([_describe(path, folder) for path in files])

    @routes.get("/userdata/{file}")
    async def read_file(request: web.Request) -> web.StreamResponse:
        path = _inside(root, request.match_info["file"])
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    @routes.post("/userdata/{file}")
    async def write_file(request: web.Request) -> web.Response:
        path = _inside(root, request.match_info["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(await request.read())
        return web.json_response(_describe(path, root))


def _inside(root: Path, name: str) -> Path:
    path = (root / unquote(name)).resolve()
    if not path.is_relative_to(root.resolve()):
        raise web.HTTPForbidden
    return path


def _describe(path: Path, root: Path) -> dict[str, Any]:
    stat = path.stat()
    times = dict.fromkeys(("modified", "created"), int(stat.st_mtime * 1000))
    return {"path": path.relative_to(root.resolve()).as_posix(), "size": stat.st_size, **times}
