"""The embedded host as a whole: its packs, its worker thread and its web server."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import mimetypes
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from .execution import GraphRunner
from .packs import NodeRegistry, load_packs
from .routes import add_history_routes, add_information_routes, add_prompt_routes, add_static_files
from .run_state import Interruption
from .server import PromptServer
from .user_files import add_file_routes, add_settings_routes, user_folder

logger = logging.getLogger("embedded_host")
MAX_BODY_BYTES = 100 * 1024 * 1024
HASHED_NAME = re.compile(r"/assets/[^/]+-[\w-]{8}\.\w+$")


class EmbeddedHost:
    """A server like ComfyUI's for the folder `base`, which holds `user/` and `custom_nodes/`.

    It must be made inside `comfy_modules.installed`, before the packs are loaded.

    Args:
        frontend: the `static` folder of a `comfyui-frontend-package`. None serves no page.
        multi_user: the value of `--multi-user` that packs read. The host has only one user in any case.
    """

    def __init__(
        self,
        base: Path,
        loop: asyncio.AbstractEventLoop,
        frontend: Path | None = None,
        *,
        multi_user: bool = False,
    ) -> None:
        self.base = base
        self.multi_user = multi_user
        self.frontend = frontend
        self.registry = NodeRegistry()
        self.interruption = Interruption()
        self.server = PromptServer(loop)
        self.runner = GraphRunner(self.registry, self.server, self.interruption)
        self._worker = threading.Thread(target=self._work, name="prompt worker", daemon=True)

    def load_packs(self) -> None:
        """Import every pack of `custom_nodes`, which may add routes to the server."""
        user_folder(self.base).mkdir(parents=True, exist_ok=True)
        load_packs(self.base / "custom_nodes", self.registry)

    def make_app(self) -> web.Application:
        """Build the web application, with every route also under `/api`."""
        mimetypes.add_type("text/javascript", ".js")
        mimetypes.add_type("application/wasm", ".wasm")
        add_prompt_routes(self.server, self.registry, self.interruption)
        add_history_routes(self.server.routes, self.server.prompt_queue)
        add_information_routes(self.server.routes, self.registry, self.frontend)
        add_settings_routes(self.server.routes, self.base)
        add_file_routes(self.server.routes, self.base)
        middlewares = [send_policy, cache_hashed_files, refuse_other_origins]
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=middlewares)
        for route in self.server.routes:
            if isinstance(route, web.RouteDef):
                app.router.add_route(route.method, "/api" + route.path, route.handler, **route.kwargs)
        app.add_routes(self.server.routes)
        add_static_files(app, self.registry, self.frontend)
        return app

    async def listen(self, port: int) -> str:
        """Serve on 127.0.0.1 until the process ends, and return the address. Port 0 takes any free port."""
        return await self._listen(web.AppRunner(self.make_app(), access_log=None), port)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Serve on a free port while the context is entered, for tests in one process."""
        runner = web.AppRunner(self.make_app(), access_log=None, shutdown_timeout=1)
        try:
            yield await self._listen(runner, 0)
        finally:
            # Interrupt the worker first: it could send to the event loop after its end.
            self.interruption.interrupt()
            self.server.prompt_queue.close()
            await asyncio.to_thread(self._worker.join, 5)
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner, port: int) -> str:
        self._worker.start()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        address, taken_port = runner.addresses[0][:2]
        return f"http://{address}:{taken_port}"

    def _work(self) -> None:
        """Run queued prompts in the worker thread until the queue is closed."""
        queue = self.server.prompt_queue
        while item := queue.take():
            _, prompt_id, prompt, extra_data, outputs = item
            queue.done(self.runner.run(prompt_id, prompt, extra_data, outputs))
            if self.server.client_id is not None:
                data = {"node": None, "prompt_id": prompt_id}
                self.server.send_sync("executing", data, self.server.client_id)


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self' data:; frame-src 'self'; object-src 'self';"
)
"""What ComfyUI 0.33.0 sends with `--disable-api-nodes`. It refuses videos and sounds at `blob:` addresses."""


@web.middleware
async def send_policy(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send the strictest content security policy that ComfyUI sends, so that the pack's pages are tested under it."""
    response = await handler(request)
    if not response.prepared:
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    return response


@web.middleware
async def refuse_other_origins(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse another origin only where Host is loopback, as ComfyUI 0.3.64 does. Packs need guards of their own."""
    host = urlsplit("//" + request.headers.get("Host", "").lower())
    origin = urlsplit(request.headers.get("Origin", "").lower())
    if origin.netloc and _is_loopback(host.hostname):
        same = host.netloc == origin.netloc
        if origin.port is None or host.port is None:
            same = host.hostname == origin.hostname
        if not same:
            logger.warning("request with non matching host and origin %s != %s", host.netloc, origin.netloc)
            return web.Response(status=403)
    return web.Response() if request.method == "OPTIONS" else await handler(request)


@web.middleware
async def cache_hashed_files(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let browsers keep files of the frontend whose names carry a hash, so that pages start sooner than in ComfyUI.

    Other scripts and styles are requested each time, so that an update of a pack is seen.
    """
    response = await handler(request)
    if HASHED_NAME.match(request.path):
        response.headers.setdefault("Cache-Control", "max-age=86400, immutable")
    elif request.path.endswith((".js", ".css")) or request.path == "/":
        response.headers.setdefault("Cache-Control", "no-cache")
    return response
