"""Nodes, menus, help pages and the panel are in the language of ComfyUI."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from browser.comfy_page import button, choose_in_canvas_menu, choose_in_menu, dialog, load_workflow, press_run
from browser.conftest import ONE_FRONTEND, Frontend
from browser.panel_page import TAB_BUTTON, newest_first, open_list
from browser.test_asking import clear_graph
from cloud_history.routes.words import FOLDER as WORDS
from project_setup import OLDEST_FRONTEND
from simulated_cloud import SimulatedCloud

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


SET_LOCALE = "locale => window.app.extensionManager.setting.set('Comfy.Locale', locale)"
MARK = "¤"
FRENCH = "**/words/fr?*"


@contextlib.asynccontextmanager
async def answering(page: Page, address: str, answer: Callable[[Route], Awaitable[None]]) -> AsyncIterator[None]:
    """Answer requests in place of the host, until the end of the test that shares the page with others."""
    await page.route(address, answer)
    try:
        yield
    finally:
        await page.unroute(address)


def marked_french(page: Page) -> contextlib.AbstractAsyncContextManager[None]:
    """Let the words in French be those in English with a mark, so that a test sees which texts were worded anew."""
    english: dict[str, str] = json.loads((WORDS / "en.json").read_text("utf-8"))
    marked = {key: MARK + text for key, text in english.items()}
    return answering(page, FRENCH, lambda route: route.fulfill(json=marked))


def words_asked(asked: list[str]) -> list[str]:
    """Return the last part of each address of words."""
    return [address.rpartition("/")[2].partition("?")[0] for address in asked if "/words/" in address]


@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_an_open_panel_is_worded_anew_without_a_reload_and_loses_nothing(
    page: Page, cloud: SimulatedCloud, asked: list[str]
) -> None:
    async with marked_french(page):
        await change_the_language_of_a_panel(page, cloud, asked)
    assert cloud.history_posts == []


async def change_the_language_of_a_panel(page: Page, cloud: SimulatedCloud, asked: list[str]) -> None:
    """Change the language to French, to English and back, beside a deletion, a selection and a page."""
    assert words_asked(asked) == [], "nothing is loaded before the panel is opened"
    panel = await open_list(page, cloud)
    assert words_asked(asked) == ["en"], "one file for the language"

    first, second, third = cloud.listed("completed")[:3]
    await panel.tab("Completed").click()
    await panel.select([first, second])
    await panel.delete(2)
    await expect(panel.cards).to_contain_text("Nothing has been sent yet.")
    await panel.select([third])
    await page.evaluate(SET_LOCALE, "fr")
    root = page.locator(".cch-panel")
    await expect(root).to_have_attribute("lang", "fr")
    await expect(root).to_have_count(1)
    assert words_asked(asked) == ["en", "fr"]
    await expect(root.locator(".cch-title").first).to_have_text(f"{MARK}Cloud history")
    await expect(root.locator(".cch-count")).to_contain_text(f"{MARK}1 selected")
    card = root.locator(".cch-card")
    await expect(card).to_have_count(1)
    for text in ("Removing 2 jobs in", "Nothing has been sent yet.", "Undo"):
        await expect(card).to_contain_text(MARK + text)
    await expect(root.get_by_role("tab", selected=True)).to_contain_text(f"{MARK}Completed")
    await expect(root.get_by_role("option", selected=True)).to_have_count(1)
    await expect(root.get_by_role("option", selected=True)).to_contain_text(f"{MARK}Completed")
    assert cloud.history_posts == []

    await root.get_by_role("button", name=f"{MARK}More").click()
    await root.get_by_role("menuitem", name=f"{MARK}Recently deleted").click()
    await page.evaluate(SET_LOCALE, "en")
    await expect(root).to_have_attribute("lang", "en")
    await expect(root.locator(".cch-page h2")).to_have_text("Recently deleted")
    await root.locator(".cch-page").get_by_role("button", name="Back to the list").click()
    await expect(panel.count).to_contain_text("1 selected")
    await panel.cards.get_by_role("button", name="Undo").click()
    await expect(panel.cards).to_contain_text("Nothing was deleted2 jobs are back in the list.")
    await page.evaluate(SET_LOCALE, "fr")
    await expect(root).to_have_attribute("lang", "fr")
    assert words_asked(asked) == ["en", "fr"], "each language is loaded once"


@pytest.mark.stage(connected=True)
async def test_a_change_of_the_language_closes_an_open_dialog_and_deletes_nothing(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await panel.select(newest_first(cloud.finished)[:1])
    opened = await panel.ask_to_delete(1)
    root = page.locator(".cch-panel")
    async with marked_french(page):
        await page.evaluate(SET_LOCALE, "fr")
        await expect(opened).to_have_count(0)
        await expect(root.locator(".cch-count")).to_contain_text(f"{MARK}1 selected")
    await root.get_by_role("button", name=f"{MARK}Delete 1…").click()
    await expect(dialog(page).get_by_role("heading")).to_have_text(f"{MARK}Delete 1 job from your cloud history?")
    await expect(dialog(page).locator(".cch-dialog")).to_have_attribute("lang", "fr")
    assert cloud.history_posts == []


@pytest.mark.stage(connected=True, settings={"Comfy.Locale": "ar"})
async def test_the_panel_opens_in_the_language_and_direction_of_comfyui(page: Page, asked: list[str]) -> None:
    more = json.loads((WORDS / "ar.json").read_text("utf-8"))["list.more"]
    async with page.expect_response("**/words/ar?*") as answered:
        await page.locator(TAB_BUTTON).click()
    root = page.locator(".cch-panel")
    await expect(root).to_have_attribute("lang", "ar")
    await expect(root).to_have_attribute("dir", "rtl")
    await expect(root.get_by_role("button", name=more)).to_be_visible()
    assert sorted(words_asked(asked)) == ["ar", "en"]
    headers = await (await answered.value).all_headers()
    assert headers["content-encoding"] == "gzip"


@ONE_FRONTEND
@pytest.mark.stage(connected=True, settings={"Comfy.Locale": "fr"})
async def test_a_language_that_cannot_be_loaded_is_english_until_the_panel_is_opened_again(
    page: Page, console_errors: list[str]
) -> None:
    more = json.loads((WORDS / "fr.json").read_text("utf-8"))["list.more"]
    root = page.locator(".cch-panel")
    async with answering(page, "**/words/fr*", lambda route: route.abort()):
        await page.locator(TAB_BUTTON).click()
        await expect(root.get_by_role("button", name="More", exact=True)).to_be_visible()
        await expect(root).to_have_attribute("lang", "en")
        await page.locator(TAB_BUTTON).click()
        await expect(root).to_have_count(0)
    await page.locator(TAB_BUTTON).click()
    await expect(root).to_have_attribute("lang", "fr")
    await expect(root.get_by_role("button", name=more, exact=True)).to_be_visible()
    console_errors[:] = [text for text in console_errors if "ERR_FAILED" not in text]


@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_without_its_routes_the_panel_still_says_what_is_wrong(page: Page, console_errors: list[str]) -> None:
    async with answering(page, "**/cloud_history/**", lambda route: route.fulfill(status=404, body="404: Not Found")):
        await page.locator(TAB_BUTTON).click()
        await expect(page.locator(".cch-panel")).to_contain_text("Comfy Cloud History is not running")
    console_errors[:] = [text for text in console_errors if "404" not in text]


@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_the_settings_on_screen_are_worded_anew_and_keep_their_values(page: Page) -> None:
    await choose_in_menu(page, "Settings")
    await page.get_by_text("Cloud history", exact=True).last.click()
    fields = page.locator(".cch-setting")
    nodes = fields.locator("select").filter(has_text="Ask first")
    await expect(nodes).to_have_value("ask")
    async with marked_french(page):
        await page.evaluate(SET_LOCALE, "fr")
        await expect(nodes.locator("option")).to_have_text([f"{MARK}Ask first", f"{MARK}Always", f"{MARK}Never"])
    await expect(nodes).to_have_value("ask")
    assert (
        await fields.locator("input").first.get_attribute("data-tip")
        == f"{MARK}0 to 60. With 0, a deletion is sent at once."
    )


@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_a_change_of_the_language_does_not_answer_the_question_of_a_workflow(
    page: Page, cloud: SimulatedCloud
) -> None:
    await load_workflow(page, clear_graph())
    await press_run(page)
    asked = dialog(page, "Let this workflow delete")
    await expect(asked).to_be_visible()
    async with marked_french(page):
        await page.evaluate(SET_LOCALE, "fr")
        await page.wait_for_function("window.app.extensionManager.setting.get('Comfy.Locale') === 'fr'")
        await expect(asked.locator(".cch-dialog")).to_have_attribute("lang", "en")
        await button(asked, "Skip").click()
    await expect(asked).to_have_count(0)
    assert cloud.history_posts == []
