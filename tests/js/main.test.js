import assert from "node:assert/strict";
import { test } from "node:test";
import { importMain } from "./comfyui.js";

const { createTab, LOADING, registerTab } = await importMain();

test("the tab is registered through sidebarTab, or through the deprecated method of older frontends", () => {
  const told = [];
  const deprecated = (tab) => told.push(["deprecated", tab]);
  registerTab({ registerSidebarTab: deprecated, sidebarTab: { registerSidebarTab: (tab) => told.push(["sidebarTab", tab]) } }, "ours");
  registerTab({ registerSidebarTab: deprecated, sidebarTab: {} }, "ours");
  assert.deepEqual(told, [["sidebarTab", "ours"], ["deprecated", "ours"]]);
});

/** A stub of the DOM elements that the tab uses. */
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

/** Opens the tab. The test decides whether loading the panel succeeds. */
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

test("the tab shows a loading message, and removes it once the panel is loaded", async () => {
  const tab = openTab();
  assert.deepEqual(tab.words(), [["status", `div: ${LOADING.wait}`]]);
  await tab.come();
  assert.deepEqual([tab.told, tab.shown], [["mounted here"], []]);
  tab.close();
  assert.deepEqual(tab.told, ["mounted here", "unmounted"]);
});

test("if the panel cannot be loaded, the tab shows an alert, and Try again shows the loading message", async () => {
  const tab = openTab();
  await tab.fail();
  assert.deepEqual(tab.words(), [["alert", `div: ${LOADING.failed}`, `div: ${LOADING.remedy}`, `button: ${LOADING.again}`]]);
  tab.shown[0].children[2].listeners.click();
  assert.deepEqual([tab.words(), tab.asked.length], [[["status", `div: ${LOADING.wait}`]], 2]);
  await tab.come();
  assert.deepEqual([tab.told, tab.shown], [["mounted here"], []]);
});

test("nothing is shown if loading succeeds or fails after the tab was closed", async () => {
  for (const end of ["come", "fail"]) {
    const tab = openTab();
    const [words] = tab.shown;
    tab.close();
    assert.deepEqual(tab.shown, [], "closing the tab removes its message");
    await tab[end]();
    assert.deepEqual([tab.told, tab.shown, words.attributes.role], [[], [], "status"], end);
  }
});
