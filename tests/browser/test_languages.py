"""ComfyUI shows our nodes, menus and help pages in its own language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import choose_in_canvas_menu
from browser.conftest import Frontend
from browser.panel_page import TAB_BUTTON
from project_setup import OLDEST_FRONTEND

LOCALES = Path(__file__).parents[2] / "locales"
HELP = LOCALES.parent / "js" / "docs"
# Adds a node to an empty graph and selects it.
ADD_NODE = """type => {
    const node = window.LiteGraph.createNode(type);
    window.app.graph.clear();
    window.app.graph.add(node);
    window.app.canvas.selectItems([node]);
    window.app.canvas.centerOnNode(node);
    const label = each => each.label ?? each.localized_name ?? each.name;
    return {
        title: node.title,
        inputs: Object.fromEntries([...node.inputs, ...(node.widgets ?? [])].map(each => [each.name, label(each)])),
        outputs: node.outputs.map(label),
    };
}"""
in_language = [
    pytest.param(name, marks=pytest.mark.stage(settings={"Comfy.Locale": name, "Comfy.Sidebar.Size": "normal"}))
    for name in ("fr", "ar")
]


def texts(language: str, file: str) -> Any:
    """Return the content of a translation file."""
    return json.loads((LOCALES / language / f"{file}.json").read_text("utf-8"))


@pytest.mark.parametrize("language", in_language)
async def test_menus_nodes_and_help_are_in_the_language_of_comfyui(
    page: Page, frontend: Frontend, language: str
) -> None:
    menu = texts(language, "main")
    await expect(page.locator(TAB_BUTTON)).to_have_attribute("aria-label", menu["Cloud history"])
    await expect(page.locator(TAB_BUTTON)).to_contain_text(menu["Cloud"])
    if frontend.version != OLDEST_FRONTEND:
        await choose_in_canvas_menu(page, menu["contextMenu"]["Cloud history"])
        await expect(
            page.locator(".litemenu-entry", has_text=menu["contextMenu"]["Clear cloud history…"])
        ).to_be_visible()
        await page.keyboard.press("Escape")

    nodes = texts(language, "nodeDefs")
    for node_id in ("CloudHistoryDeleteJobs", "CloudHistoryListJobs", "CloudHistoryPrune", "CloudHistoryClear"):
        shown, node = await page.evaluate(ADD_NODE, node_id), nodes[node_id]
        assert shown["title"] == node["display_name"]
        assert shown["outputs"] == [each["name"] for each in node["outputs"].values()]
        for name, each in node["inputs"].items():
            assert shown["inputs"][name] == each["name"]

    await page.get_by_test_id("info-button").click()
    written = (HELP / "CloudHistoryClear" / f"{language}.md").read_text("utf-8")
    sentence = re.findall(r"^\w.*", written, re.MULTILINE)[0].split("`")[0].strip()
    paragraph = page.get_by_role("paragraph").filter(has_text=sentence).first
    await expect(paragraph).to_be_visible()
    await expect(paragraph).to_have_css("direction", "rtl" if language == "ar" else "ltr")
