"""Queueing, stopping and looking back: the routes that a run of a graph uses."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

from aiohttp import web

from .interruption import Interruption
from .prompt_server import FEATURES, PromptServer
from .registry import NodeRegistry, describe_node
from .validation import validate_prompt


def add_prompt_routes(server: PromptServer, registry: NodeRegistry, interruption: Interruption) -> None:
    """Add them to the server's table."""
    server.routes.get("/ws")(server.handle_websocket)
    _add_prompt_route(server, registry)
    _add_queue_routes(server, interruption)
    _add_history_routes(server)
    _add_information_routes(server, registry)


def _add_prompt_route(server: PromptServer, registry: NodeRegistry) -> None:
    numbers = itertools.count()

    @server.routes.post("/prompt")
    async def post_prompt(request: web.Request) -> web.Response:
        body = await request.json()
        prompt = body["prompt"]
        prompt_id = str(body.get("prompt_id") or uuid.uuid4())
        check = await validate_prompt(prompt, registry)
        if check.error is not None:
            return web.json_response({"error": check.error, "node_errors": check.node_errors}, status=400)
        extra_data = body.get("extra_data", {})
        if "client_id" in body:
            extra_data["client_id"] = body["client_id"]
        number = -next(numbers) if body.get("front") else next(numbers)
        server.prompt_queue.put((number, prompt_id, prompt, extra_data, check.outputs))
        return web.json_response({"prompt_id": prompt_id, "number": number, "node_errors": check.node_errors})


def _add_queue_routes(server: PromptServer, interruption: Interruption) -> None:
    @server.routes.get("/prompt")
    async def get_prompt(request: web.Request) -> web.Response:
        return web.json_response(server.queue_info())

    @server.routes.get("/queue")
    async def get_queue(request: web.Request) -> web.Response:
        return web.json_response(server.prompt_queue.state())

    @server.routes.post("/queue")
    async def post_queue(request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("clear"):
            server.prompt_queue.drop(None)
        server.prompt_queue.drop(set(body.get("delete", [])))
        return web.Response()

    @server.routes.post("/interrupt")
    async def post_interrupt(request: web.Request) -> web.Response:
        try:
            body = await request.json()
        except json.JSONDecodeError:
            body = {}
        running = {item[1] for item in server.prompt_queue.state()["queue_running"]}
        if body.get("prompt_id") is None or body["prompt_id"] in running:
            interruption.interrupt()
        return web.Response()


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


def _add_history_routes(server: PromptServer) -> None:
    @server.routes.get("/history")
    async def get_history(request: web.Request) -> web.Response:
        entries = list(server.prompt_queue.history().items())
        newest = int(request.query.get("max_items", len(entries)))
        return web.json_response(dict(entries[max(0, len(entries) - newest) :]))

    @server.routes.get("/history/{prompt_id}")
    async def get_one(request: web.Request) -> web.Response:
        return web.json_response(server.prompt_queue.history(request.match_info["prompt_id"]))

    @server.routes.post("/history")
    async def post_history(request: web.Request) -> web.Response:
        body = await request.json()
        if body.get("clear"):
            server.prompt_queue.forget(None)
        server.prompt_queue.forget(set(body.get("delete", [])))
        return web.Response()

    @server.routes.get("/jobs")
    async def get_jobs(request: web.Request) -> web.Response:
        wanted = request.query.get("status", "completed,failed").split(",")
        jobs = [_job(prompt_id, entry) for prompt_id, entry in server.prompt_queue.history().items()]
        jobs = [job for job in reversed(jobs) if job["status"] in wanted]
        page = {"offset": 0, "limit": len(jobs), "total": len(jobs), "has_more": False}
        return web.json_response({"jobs": jobs, "pagination": page})


def _add_information_routes(server: PromptServer, registry: NodeRegistry) -> None:
    @server.routes.get("/object_info")
    async def object_info(request: web.Request) -> web.Response:
        return web.json_response({name: describe_node(name, registry) for name in registry.classes})

    @server.routes.get("/object_info/{name}")
    async def one_object_info(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.json_response({name: describe_node(name, registry)} if name in registry.classes else {})

    @server.routes.get("/features")
    async def features(request: web.Request) -> web.Response:
        return web.json_response(FEATURES)

    @server.routes.get("/system_stats")
    async def system_stats(request: web.Request) -> web.Response:
        return web.json_response({"system": {"comfyui_version": "embedded host", "argv": []}, "devices": []})

    @server.routes.get("/internal/logs")
    async def logs(request: web.Request) -> web.Response:
        # Frontend 1.27 asks for them when it shows an error.
        return web.json_response("")
