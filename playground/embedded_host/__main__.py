"""`python -m embedded_host --base DIR [--port 0] [--frontend DIR]`: serve until Ctrl+C."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from .comfy_modules import installed
from .host import EmbeddedHost


def main() -> None:
    """Serve, and print one line with the address when ready.

    Ctrl+C breaks the event loop as in ComfyUI: aiohttp sends no shutdown signal, open tasks are dropped, `atexit` runs.
    """
    parser = argparse.ArgumentParser(prog="embedded_host", description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder with custom_nodes/ and user/")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any free port")
    parser.add_argument("--frontend", type=Path, help="the static folder of a comfyui-frontend-package")
    parser.add_argument("--multi-user", action="store_true", help="tell packs that there are several users")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    # Programs that a shell starts in the background ignore Ctrl+C by default.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    frontend = options.frontend and options.frontend.absolute()
    host = EmbeddedHost(options.base.absolute(), loop, frontend, multi_user=options.multi_user)
    with installed(host):
        host.load_packs()
        try:
            address = loop.run_until_complete(host.listen(options.port))
            print(f"Serving on {address}", flush=True)
            loop.run_until_complete(host.server.publish())
        except KeyboardInterrupt:
            logging.getLogger("embedded_host").info("Stopped")


if __name__ == "__main__":
    main()
