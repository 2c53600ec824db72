import assert from "node:assert/strict";
import { test } from "node:test";
import { createUndo } from "#ui/deletion/toasts.mjs";

/** What is told and said when Undo is pressed with these deletions. */
function press(entries, undone = false) {
  const [shown, said] = [[], []];
  const undo = createUndo({ deletions: { entries, undo: () => undone }, toasts: { create: () => ({ show: (kind, { title, detail = "" }) => shown.push(`${kind}: ${title} ${detail}`.trim()) }) } });
  undo((text, urgent) => said.push(urgent ? `!${text}` : text));
  return { shown, said };
}
const entry = (phase, rest = {}) => ({ phase, result: null, sent: false, undoing: false, ...rest });

test("with nothing to undo it says so", () => {
  const unsent = { kind: "delete", outcome: "failed", report: "", error: { code: "stopped" } };
  for (const entries of [[], [entry("done", { result: unsent })]]) {
    assert.deepEqual(press(entries), { shown: ["info: Nothing to undo"], said: ["Nothing to undo"] });
  }
});

test("after a deletion has been sent it is too late, and that is said at once", () => {
  const late = ["info: Too late to undo The deletion has been sent. Its result follows."];
  assert.deepEqual(press([entry("checking", { sent: true })]), { shown: late, said: ["!Too late to undo"] });
  // Not known to be sent, or told already.
  for (const each of [entry("waiting"), entry("sending"), entry("done", { sent: true, result: { kind: "delete", counts: {}, jobs: {} } })]) {
    assert.deepEqual(press([each]), { shown: ["info: Too late to undo"], said: ["!Too late to undo"] });
  }
});

test("what is undone, or is about to be, tells that itself", () => {
  assert.deepEqual(press([entry("holding")], true), { shown: [], said: [] });
  assert.deepEqual(press([entry("holding", { undoing: true })]), { shown: [], said: [] });
});
