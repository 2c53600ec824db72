import assert from "node:assert/strict";
import { test } from "node:test";
import { importMain } from "./comfyui.js";

const { createTab, LOADING, registerTab } = await importMain();

test("the tab is registered where ComfyUI wants it now, and at its older place where there is no other", () => {
  const told = [];
  const deprecated = (tab) => told.push(["deprecated", tab]);
  registerTab({ registerSidebarTab: deprecated, sidebarTab: { registerSidebarTab: (tab) => told.push(["sidebarTab", tab]) } }, "ours");
  registerTab({ registerSidebarTab: deprecated, sidebarTab: {} }, "ours");
  assert.deepEqual(told, [["sidebarTab", "ours"], ["deprecated", "ours"]]);
});

/** As much of a page as the tab writes into. */
function element(tag) {
  const made = {
    tag, style: {}, attributes: {}, children: [], textContent: "", listeners: {}, parent: null,
    setAttribute: (name, value) => (made.attributes[name] = value),
    addEventListener: (type, run) => (made.listeners[type] = run),
    replaceChildren: (...children) => (made.children = children),
    remove: () => made.parent?.splice(made.parent.indexOf(made), 1),
  };
  return made;
}

/** The tab, opened, with a panel that comes or does not come as the test says. */
function openTab() {
  const [shown, asked, told] = [[], [], []];
  globalThis.document = { createElement: element };
  const place = { insertBefore: (child) => (shown.push(child), (child.parent = shown)) };
  const tab = createTab(() => new Promise((come, fail) => asked.push({ come, fail })));
  const panel = { mountInTab: (anchor) => (told.push(`mounted ${anchor.name}`), { unmount: () => told.push("unmounted") }) };
  tab.component.mounted.call({ $el: { name: "here", parentNode: place } });
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    told, asked, shown,
    come: () => (asked.at(-1).come(panel), settled()),
    fail: () => (asked.at(-1).fail(new Error("no file")), settled()),
    close: () => tab.component.beforeUnmount(),
    words: () => shown.map(({ attributes, children }) => [attributes.role, ...children.map(({ tag, textContent }) => `${tag}: ${textContent}`)]),
  };
}

test("until the panel has come the tab says that it loads, and then nothing of its own is left", async () => {
  const tab = openTab();
  assert.deepEqual(tab.words(), [["status", `div: ${LOADING.wait}`]]);
  await tab.come();
  assert.deepEqual([tab.told, tab.shown], [["mounted here"], []]);
  tab.close();
  assert.deepEqual(tab.told, ["mounted here", "unmounted"]);
});

test("a panel that can’t be loaded is told as an alert, and another try says again that it loads", async () => {
  const tab = openTab();
  await tab.fail();
  assert.deepEqual(tab.words(), [["alert", `div: ${LOADING.failed}`, `div: ${LOADING.remedy}`, `button: ${LOADING.again}`]]);
  tab.shown[0].children[2].listeners.click();
  assert.deepEqual([tab.words(), tab.asked.length], [[["status", `div: ${LOADING.wait}`]], 2]);
  await tab.come();
  assert.deepEqual([tab.told, tab.shown], [["mounted here"], []]);
});

test("a panel that comes, or fails, once the tab is closed is not shown", async () => {
  for (const end of ["come", "fail"]) {
    const tab = openTab();
    const [words] = tab.shown;
    tab.close();
    assert.deepEqual(tab.shown, [], "its words go with it");
    await tab[end]();
    assert.deepEqual([tab.told, tab.shown, words.attributes.role], [[], [], "status"], end);
  }
});
