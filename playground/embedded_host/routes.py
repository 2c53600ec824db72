"""The routes that ComfyUI's page uses, apart from those for settings and user files."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from .packs import NodeRegistry
from .run_state import Interruption
from .server import FEATURES, PromptQueue, PromptServer
from .validation import validate_prompt


def add_prompt_routes(server: PromptServer, registry: NodeRegistry, interruption: Interruption) -> None:
    """Add the websocket and the routes that queue and interrupt prompts."""
    numbers = itertools.count()
    queue = server.prompt_queue
    server.routes.get("/ws")(server.handle_websocket)

    @server.routes.post("/prompt")
    async def post_prompt(request: web.Request) -> web.Response:
        body = await request.json()
        prompt_id = str(body.get("prompt_id") or uuid.uuid4())
        check = validate_prompt(body["prompt"], registry)
        if check.error is not None:
            return web.json_response({"error": check.error, "node_errors": check.node_errors}, status=400)
        extra_data = body.get("extra_data", {})
        if "client_id" in body:
            extra_data["client_id"] = body["client_id"]
        number = next(numbers)
        queue.put((number, prompt_id, body["prompt"], extra_data, check.outputs))
        return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": check.node_errors})

    @server.routes.get("/queue")
    async def get_queue(request: web.Request) -> web.Response:
        return web.json_response(queue.state())

    @server.routes.post("/queue")
    async def post_queue(request: web.Request) -> web.Response:
        return _remove(await request.json(), queue.remove_waiting)

    @server.routes.post("/interrupt")
    async def post_interrupt(request: web.Request) -> web.Response:
        interruption.interrupt()
        return web.Response()


def _remove(body: dict[str, Any], remove: Callable[[Container[str] | None], None]) -> web.Response:
    """Remove what a body such as `{"clear": true}` or `{"delete": [ids]}` names."""
    if body.get("clear"):
        remove(None)
    if "delete" in body:
        remove(body["delete"])
    return web.Response()


def add_history_routes(routes: web.RouteTableDef, queue: PromptQueue) -> None:
    """Add the routes that show and remove finished prompts. They have nothing to do with the history on the Cloud."""

    @routes.get("/history")
    async def get_history(request: web.Request) -> web.Response:
        return web.json_response(queue.history())

    @routes.post("/history")
    async def post_history(request: web.Request) -> web.Response:
        return _remove(await request.json(), queue.remove_finished)

    @routes.get("/history/{prompt_id}")
    async def get_one(request: web.Request) -> web.Response:
        prompt_id, entries = request.match_info["prompt_id"], queue.history()
        return web.json_response({prompt_id: entries[prompt_id]} if prompt_id in entries else {})

    @routes.get("/jobs")
    async def get_jobs(request: web.Request) -> web.Response:
        wanted = request.query.get("status", "completed,failed").split(",")
        jobs = [_job(prompt_id, entry) for prompt_id, entry in queue.history().items()]
        jobs = [job for job in reversed(jobs) if job["status"] in wanted]
        page = {"offset": 0, "limit": len(jobs), "total": len(jobs), "has_more": False}
        return web.json_response({"jobs": jobs, "pagination": page})


def _job(prompt_id: str, entry: dict[str, Any]) -> dict[str, Any]:
    stamps = [data["timestamp"] for _, data in entry["status"]["messages"]]
    return {
        "id": prompt_id,
        "status": "completed" if entry["status"]["completed"] else "failed",
        "create_time": stamps[0],
        "execution_start_time": stamps[0],
        "execution_end_time": stamps[-1],
        "outputs_count": len(entry["outputs"]),
    }


def add_information_routes(routes: web.RouteTableDef, registry: NodeRegistry, frontend: Path | None) -> None:
    """Add the routes that describe the host, its nodes and its packs."""

    @routes.get("/object_info")
    async def object_info(request: web.Request) -> web.Response:
        return web.json_response({name: registry.describe(name) for name in registry.classes})

    @routes.get("/features")
    async def features(request: web.Request) -> web.Response:
        return web.json_response(FEATURES)

    @routes.get("/system_stats")
    async def system_stats(request: web.Request) -> web.Response:
        return web.json_response({"system": {"comfyui_version": "embedded host", "argv": []}, "devices": []})

    @routes.get("/internal/logs")
    async def logs(request: web.Request) -> web.Response:
        # Frontend 1.27 reads the log when it shows an error.
        return web.json_response("")

    @routes.get("/extensions")
    async def extensions(request: web.Request) -> web.Response:
        return web.json_response(_extension_scripts(registry, frontend))

    @routes.get("/i18n")
    async def i18n(request: web.Request) -> web.Response:
        return web.json_response(_translations(registry))

    @routes.get("/workflow_templates")
    async def workflow_templates(request: web.Request) -> web.Response:
        found = {
            name: sorted(file.stem for file in folder.glob("example_workflows/*.json"))
            for name, folder in registry.pack_dirs.items()
        }
        return web.json_response({name: files for name, files in found.items() if files})

    @routes.get("/templates/index.json")
    async def core_templates(request: web.Request) -> web.Response:
        # Without an answer the frontend reports an error when it opens a template of a pack.
        return web.json_response([])


def _extension_scripts(registry: NodeRegistry, frontend: Path | None) -> list[str]:
    """Return the address of every script that the page imports at its start."""
    folders = {f"/extensions/{quote(name)}/": folder for name, folder in registry.web_dirs.items()}
    if frontend is not None:
        folders = {"/extensions/": frontend / "extensions", **folders}
    return [
        prefix + file.relative_to(folder).as_posix()
        for prefix, folder in folders.items()
        for file in sorted(folder.glob("**/*.js"))
    ]


def _translations(registry: NodeRegistry) -> dict[str, dict[str, Any]]:
    """Merge the `locales/<language>/*.json` of all packs by language."""
    merged: dict[str, dict[str, Any]] = {}
    for pack in registry.pack_dirs.values():
        for file in sorted(pack.glob("locales/*/*.json")):
            content = json.loads(file.read_text("utf-8"))
            texts = merged.setdefault(file.parent.name, {})
            if file.stem == "main":
                texts.update(content)
            else:
                texts.setdefault(file.stem, {}).update(content)
    return merged


def add_static_files(app: web.Application, registry: NodeRegistry, frontend: Path | None) -> None:
    """Serve the files of the packs, and the frontend at the root. Must come after all other routes."""
    for name, folder in registry.web_dirs.items():
        app.router.add_static(f"/extensions/{name}", folder)
    for name, folder in registry.pack_dirs.items():
        if (folder / "example_workflows").is_dir():
            app.router.add_static(f"/api/workflow_templates/{name}", folder / "example_workflows")
    if frontend is not None:
        index = frontend / "index.html"

        async def root(request: web.Request) -> web.FileResponse:
            return web.FileResponse(index)

        app.router.add_get("/", root)
        app.router.add_static("/", frontend)
