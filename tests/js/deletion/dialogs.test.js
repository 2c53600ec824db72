import assert from "node:assert/strict";
import { test } from "node:test";
import { backupTick } from "#ui/deletion/dialogs.mjs";

/** A stub of the DOM elements that the checkbox uses. */
function element(tag) {
  return {
    tag, children: [], listeners: {}, checked: false,
    append(child) { this.children.push(child); },
    setAttribute(name) { if (name === "checked") this.checked = true; },
    addEventListener(type, listener) { this.listeners[type] = listener; },
    press() { this.checked = !this.checked; this.listeners.change({ target: this }); },
  };
}
globalThis.document = { createElement: element, createElementNS: (space, tag) => element(tag), createTextNode: (data) => ({ data }) };
const boxOf = (tick) => tick.children.find(({ tag }) => tag === "input");

test("the backup checkbox starts with the setting and keeps the person's choice when the preview is repeated", () => {
  const request = { preview: { backup: true } };
  const box = boxOf(backupTick(request));
  assert.ok(box.checked);
  assert.equal(request.backup, true);
  box.press();
  assert.equal(request.backup, false);
  assert.ok(!boxOf(backupTick(request)).checked);
});

test("no backup checkbox is shown if the server has no backups", () => {
  const request = { preview: {} };
  assert.equal(backupTick(request), null);
  assert.equal(request.backup, undefined, "the request has no field backup");
});
