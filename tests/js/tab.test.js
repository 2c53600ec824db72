import assert from "node:assert/strict";
import { test } from "node:test";
import { registerTab } from "../../js/tab.js";

test("the tab is registered where ComfyUI wants it now, and at its older place where there is no other", () => {
  const told = [];
  const deprecated = (tab) => told.push(["deprecated", tab]);
  registerTab({ registerSidebarTab: deprecated, sidebarTab: { registerSidebarTab: (tab) => told.push(["sidebarTab", tab]) } }, "ours");
  registerTab({ registerSidebarTab: deprecated, sidebarTab: {} }, "ours");
  assert.deepEqual(told, [["sidebarTab", "ours"], ["deprecated", "ours"]]);
});
