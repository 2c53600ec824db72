import assert from "node:assert/strict";
import { test } from "node:test";
import { createBackupChoice } from "#ui/deletion/dialogs.mjs";
import { createQuestions } from "#ui/deletion/confirm.mjs";

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
  const choice = createBackupChoice();
  assert.deepEqual(choice.answer(), {}, "not asked yet");
  const box = boxOf(choice.tick(true));
  assert.ok(box.checked);
  assert.deepEqual(choice.answer(), { backup: true });
  box.press();
  assert.deepEqual(choice.answer(), { backup: false });
  assert.ok(!boxOf(choice.tick(true)).checked);
});

test("where the server knows no backups none is offered", () => {
  const choice = createBackupChoice();
  assert.equal(choice.tick(undefined), null);
  assert.deepEqual(choice.answer(), {});
});

test("a clear is confirmed as what its preview is", () => {
  const sent = [];
  const questions = createQuestions({ clear: (token) => sent.push(["clear", token]), remove: (token, options) => sent.push(["delete", token, options]) });
  const { clear } = questions;
  const [everything, byIds] = [{ kind: "clear", finished: 7, removable: 7 }, { kind: "delete", everything: true, removable: 5 }];
  assert.deepEqual([clear.count(everything), clear.count(byIds)], [7, 5]);
  clear.submit("t1", everything);
  clear.submit("t2", byIds);
  assert.deepEqual(sent, [["clear", "t1"], ["delete", "t2", {}]]);
  assert.notEqual(questions.clear, clear, "what was ticked is not ticked for ever");
});
