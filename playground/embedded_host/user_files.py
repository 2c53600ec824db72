"""Settings and user data: what the frontend keeps on the server, for the one user `default`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web


def settings_file(base: Path) -> Path:
    """Where ComfyUI keeps the settings of its only user."""
    return base / "user" / "default" / "comfy.settings.json"


def read_settings(base: Path) -> dict[str, Any]:
    """All settings that were ever changed."""
    file = settings_file(base)
    settings: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return settings


def write_settings(base: Path, changes: dict[str, Any]) -> None:
    """Change some settings and keep the others."""
    file = settings_file(base)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**read_settings(base), **changes}, indent=4), "utf-8")


def add_user_routes(routes: web.RouteTableDef, base: Path) -> None:
    """Serve settings and user data of the folder `base`."""
    _add_settings_routes(routes, base)
    _add_userdata_routes(routes, base / "user" / "default")

    @routes.get("/users")
    async def users(request: web.Request) -> web.Response:
        return web.json_response({"storage": "server", "migrated": True})


def _add_settings_routes(routes: web.RouteTableDef, base: Path) -> None:
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


def _inside(root: Path, name: str) -> Path:
    path = (root / unquote(name)).resolve()
    if not path.is_relative_to(root.resolve()):
        raise web.HTTPForbidden
    return path


def _describe(path: Path, root: Path) -> dict[str, Any]:
    stat = path.stat()
    modified = int(stat.st_mtime * 1000)
    return {
        "path": path.relative_to(root).as_posix(),
        "size": stat.st_size,
        "modified": modified,
        "created": modified,
    }


def _add_userdata_routes(routes: web.RouteTableDef, root: Path) -> None:
    @routes.get("/userdata")
    async def list_files(request: web.Request) -> web.Response:
        folder = _inside(root, request.query.get("dir", ""))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if request.query.get("full_info") == "true":
            return web.json_response([_describe(path, folder) for path in files])
        return web.json_response([path.relative_to(folder).as_posix() for path in files])

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

    @routes.delete("/userdata/{file}")
    async def delete_file(request: web.Request) -> web.Response:
        _inside(root, request.match_info["file"]).unlink(missing_ok=True)
        return web.Response(status=204)
