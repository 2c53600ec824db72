import assert from "node:assert/strict";
import { test } from "node:test";
import { createUndo } from "#ui/deletion/toasts.mjs";

/** Presses Undo with these deletions, and returns the toasts. */
function press(entries, undone = false) {
  const shown = [];
  const undo = createUndo({ deletions: { entries, undo: () => undone }, toasts: { create: () => ({ show: (kind, { title, detail = "" }) => shown.push(`${kind}: ${title} ${detail}`.trim()) }) } });
  undo();
  return shown;
}
const entry = (phase, rest = {}) => ({ phase, result: null, sent: false, undoing: false, ...rest });

test("Undo without a deletion says that there is nothing to undo", () => {
  const unsent = { kind: "delete", outcome: "failed", report: "", error: { code: "stopped" } };
  for (const entries of [[], [entry("done", { result: unsent })]]) {
    assert.deepEqual(press(entries), ["info: Nothing to undo"]);
  }
});

test("Undo after a deletion was sent says at once that it is too late", () => {
  const late = ["info: Too late to undo The deletion has begun. Its result follows."];
  assert.deepEqual(press([entry("checking", { sent: true })]), late);
  // Not certainly sent, or the result is already shown.
  for (const each of [entry("waiting"), entry("sending"), entry("done", { sent: true, result: { kind: "delete", counts: {}, jobs: {} } })]) {
    assert.deepEqual(press([each]), ["info: Too late to undo"]);
  }
});

test("Undo shows no message of its own for a hold that is undone or being undone", () => {
  assert.deepEqual(press([entry("holding")], true), []);
  assert.deepEqual(press([entry("holding", { undoing: true })]), []);
});
