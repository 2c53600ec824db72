"""The embedded host put together: packs, worker thread, web server."""

from __future__ import annotations

import asyncio
import mimetypes
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from .context import get_executing_context
from .core_nodes import add_core_nodes
from .interruption import Interruption
from .loader import load_packs
from .pack_routes import add_pack_routes, add_static_files
from .prompt_routes import add_prompt_routes
from .prompt_server import PromptServer
from .registry import NodeRegistry
from .runner import GraphRunner
from .user_files import add_user_routes


class EmbeddedHost:
    """One ComfyUI-like server for the folder `base`, which holds `user/` and `custom_nodes/`.

    `frontend` is the `static` folder of a `comfyui-frontend-package`; None serves no page. `multi_user` is
    what packs are told; there is one user all the same. Made inside `standins.installed`, before the packs are loaded.
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
        add_core_nodes(self.registry)

    def show_progress(self, value: float, maximum: float, node_id: str | None) -> None:
        """What a node's progress bar does. Raises if the prompt has been interrupted."""
        context = get_executing_context()
        self.interruption.throw_if_wanted()
        node_id = node_id or (context.node_id if context else self.runner.last_node_id)
        if self.runner.progress is None or node_id is None:
            return
        self.runner.progress.update(node_id, value, maximum)
        data = {"value": value, "max": maximum, "prompt_id": self.runner.progress.prompt_id, "node": node_id}
        self.server.send_sync("progress", data, self.server.client_id)

    def load_packs(self) -> None:
        """Import every pack of `custom_nodes`; they may add routes meanwhile."""
        (self.base / "user" / "default").mkdir(parents=True, exist_ok=True)
        load_packs(self.base / "custom_nodes", self.registry)

    def make_app(self) -> web.Application:
        """The web application, with every route also under `/api`."""
        mimetypes.add_type("text/javascript", ".js")
        mimetypes.add_type("application/wasm", ".wasm")
        add_prompt_routes(self.server, self.registry, self.interruption)
        add_pack_routes(self.server.routes, self.registry, self.frontend)
        add_user_routes(self.server.routes, self.base)
        app = self.server.app
        prefixed = web.RouteTableDef()
        for route in self.server.routes:
            if isinstance(route, web.RouteDef):
                prefixed.route(route.method, "/api" + route.path)(route.handler, **route.kwargs)
        app.add_routes(prefixed)
        app.add_routes(self.server.routes)
        add_static_files(app, self.registry, self.frontend)
        return app

    async def listen(self, port: int) -> str:
        """Start to serve on 127.0.0.1 (0: any free port) and return the address. Nothing stops it but the process."""
        return await self._listen(web.AppRunner(self.make_app(), access_log=None), port)

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[str]:
        """The same for the time of the block, for tests in one process."""
        runner = web.AppRunner(self.make_app(), access_log=None, shutdown_timeout=1)
        try:
            yield await self._listen(runner, port)
        finally:
            # Otherwise the worker could speak to a loop that is closed.
            self.interruption.interrupt()
            self.server.prompt_queue.close()
            await asyncio.to_thread(self._worker.join, 5)
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner, port: int) -> str:
        self._worker.start()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        self.server.address, self.server.port = runner.addresses[0][:2]
        return f"http://{self.server.address}:{self.server.port}"

    def _work(self) -> None:
        """Run queued prompts until the queue is closed, in a thread of its own."""
        queue = self.server.prompt_queue
        while item := queue.take():
            _, prompt_id, prompt, extra_data, outputs = item
            queue.done(self.runner.run(prompt_id, prompt, extra_data, outputs))
            if self.server.client_id is not None:
                data = {"node": None, "prompt_id": prompt_id}
                self.server.send_sync("executing", data, self.server.client_id)
