"""What the host serves of the packs and of the frontend: scripts, translations, templates, static files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web

from .registry import NodeRegistry

LOCALE_PARTS = ("nodeDefs", "commands", "settings")


def _merge(into: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for key, value in more.items():
        known = into.get(key)
        into[key] = _merge(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return into


def _read_json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return content


def translations(registry: NodeRegistry) -> dict[str, Any]:
    """The packs' `locales/<language>/*.json`, merged by language."""
    merged: dict[str, Any] = {}
    for pack in registry.pack_dirs.values():
        for language in sorted(path for path in (pack / "locales").glob("*") if path.is_dir()):
            texts = _read_json(language / "main.json")
            for part in LOCALE_PARTS:
                texts.update({part: content} if (content := _read_json(language / f"{part}.json")) else {})
            _merge(merged.setdefault(language.name, {}), texts)
    return merged


def extension_scripts(registry: NodeRegistry, frontend: Path | None) -> list[str]:
    """The address of every script that the page imports at start."""
    scripts: list[str] = []
    if frontend is not None:
        scripts += [
            f"/{file.relative_to(frontend).as_posix()}" for file in frontend.glob("extensions/**/*.js")
        ]
    for name, folder in registry.web_dirs.items():
        files = sorted(folder.glob("**/*.js"))
        scripts += [f"/extensions/{quote(name)}/{file.relative_to(folder).as_posix()}" for file in files]
    return scripts


def add_pack_routes(routes: web.RouteTableDef, registry: NodeRegistry, frontend: Path | None) -> None:
    """Add the lists; the files themselves are served by `add_static_files`."""

    @routes.get("/extensions")
    async def extensions(request: web.Request) -> web.Response:
        return web.json_response(extension_scripts(registry, frontend))

    @routes.get("/i18n")
    async def i18n(request: web.Request) -> web.Response:
        return web.json_response(translations(registry))

    @routes.get("/workflow_templates")
    async def workflow_templates(request: web.Request) -> web.Response:
        found = {
            name: sorted(file.stem for file in folder.glob("example_workflows/*.json"))
            for name, folder in registry.pack_dirs.items()
        }
        return web.json_response({name: files for name, files in found.items() if files})


def add_static_files(app: web.Application, registry: NodeRegistry, frontend: Path | None) -> None:
    """Serve the packs' scripts and templates, and the frontend at the root. Comes after all other routes."""
    for name, folder in registry.web_dirs.items():
        app.router.add_static(f"/extensions/{name}", folder)
    for name, folder in registry.pack_dirs.items():
        if (folder / "example_workflows").is_dir():
            app.router.add_static(f"/api/workflow_templates/{name}", folder / "example_workflows")
    if frontend is None:
        return
    index = frontend / "index.html"

    async def root(request: web.Request) -> web.FileResponse:
        return web.FileResponse(index)

    app.router.add_get("/", root)
    app.router.add_static("/", frontend)
