import assert from "node:assert/strict";
import { test } from "node:test";
import { backupTick } from "#ui/deletion/dialogs.mjs";

/** As much of a page as the tick needs. */
function element(tag) {
  return {
    tag, children: [], listeners: {}, checked: false,
    append(child) { this.children.push(child); },
    setAttribute(name) { if (name === "checked") this.checked = true; },
    addEventListener(type, listener) { this.listeners[type] = listener; },
    press() { this.checked = !this.checked; this.listeners.change({ target: this }); },
  };
}
globalThis.document = { createElement: element, createElementNS: (space, tag) => element(tag) };
const boxOf = (tick) => tick.children.find(({ tag }) => tag === "input");

test("the tick begins as it is set, and what the person chose is kept when they look again", () => {
  const request = { preview: { backup: true } };
  const box = boxOf(backupTick(request));
  assert.ok(box.checked);
  assert.equal(request.backup, true);
  box.press();
  assert.equal(request.backup, false);
  assert.ok(!boxOf(backupTick(request)).checked);
});

test("where the server knows no backups none is offered", () => {
  const request = { preview: {} };
  assert.equal(backupTick(request), null);
  assert.equal(request.backup, undefined, "nothing is sent of it");
});
