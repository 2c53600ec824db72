import assert from "node:assert/strict";
import { test } from "node:test";
import { deleted, fail, hold, row, settled, stage, STATUS } from "./stage.js";

/** What is on screen and what is read aloud: a toast of ComfyUI is both. */
const words = (it) => [...it.titles(), ...it.said];

test("while the panel is open, only its card speaks, from the hold to the result", async () => {
  const it = stage({ shown: true, status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  await it.pass(11_000);
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 3 });
  it.ended("h1", deleted({ deleted: 3 }));
  assert.deepEqual(it.titles(), []);
  assert.equal(new Set(it.said).size, it.said.length, "nothing is said twice");
  assert.equal(it.said.at(-1), "3 jobs removed from your cloud history. Assets stay.");
});

test("when the panel opens, the toast of the hold goes; when it closes, the toast comes", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  assert.deepEqual(it.titles(), ["info: Removing 3 jobs at 00:00:10"]);
  await it.pass(4_000);
  const panel = it.openPanel();
  assert.deepEqual(it.last(), ["dismissed"]);
  panel.close();
  assert.equal(it.titles().at(-1), "info: Removing 3 jobs at 00:00:10", "it names the same time");
  it.set({ ...STATUS, holds: [hold({ state: "sending" })] });
  await it.pass(10_000);
  const again = it.openPanel();
  assert.deepEqual(it.last(), ["dismissed"]);
  again.close();
  assert.equal(it.titles().at(-1), "loading: Deleting jobs… 0 of 3");
});

test("of two open panels, only the newer one shows cards and speaks", async () => {
  const it = stage({ shown: true });
  const large = it.openPanel();
  await it.flow.remove({ ids: ["a"] });
  assert.equal(it.said.length, 1);
  assert.equal(it.flow.isSpeaker(large.view), true);
  large.close();
  assert.deepEqual(it.titles(), [], "the other panel is still open");
});

test("a result that has no card beside a newer hold is told by a toast alone", async () => {
  const it = stage({ shown: true, send: [{ hold: hold() }, { hold: hold({ id: "h2", ids: ["d"], jobs: 1, seconds_left: 60 }) }] });
  await it.flow.remove({ ids: ["a"] });
  await it.flow.remove({ ids: ["d"] });
  it.said.length = 0;
  it.flow.adopt({ ...STATUS, holds: [hold({ id: "h2", ids: ["d"], jobs: 1, seconds_left: 50 })], finished: [{ operation: "h1", result: deleted({ deleted: 3 }) }] });
  assert.deepEqual(words(it), ["success: 3 jobs removed from your cloud history"]);
});

test("a newer toast closes the toast of an earlier deletion that has ended", async () => {
  const it = stage({ send: [{ hold: hold() }, { hold: hold({ id: "h2", ids: ["d"], jobs: 1 }) }] });
  await it.flow.remove({ ids: ["a"] });
  it.ended("h1", deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: null } }));
  await it.flow.remove({ ids: ["d"] });
  assert.deepEqual(it.titles().slice(1).map((text) => text.replace(/:\d.*/, "")), ["warning: 2 of 3 jobs removed", "dismissed: undefined", "info: Removing 3 jobs at 00"]);
});

test("in the panel, a short card says that the deletion was undone", async () => {
  const it = stage({ shown: true });
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  assert.deepEqual(it.titles(), []);
  assert.equal(it.said.at(-1), "Nothing was deleted. 3 jobs are back in the list.");
  assert.deepEqual(it.flow.state().results.map(({ words: { kind, title } }) => [kind, title]), [["info", "Nothing was deleted"]]);
  assert.equal(it.flow.hides(row("a")), false);
  await it.pass(3_000);
  assert.deepEqual(it.flow.entries, []);
});

test("a refused Undo is said on the card of the hold, without a toast", async () => {
  for (const [code, said] of [["comfyui_away", "It could not be undone. comfyui_away."], ["too_late", "Too late to undo. The deletion has begun. Its result follows."]]) {
    const it = stage({ shown: true, undo: fail(code) });
    await it.flow.remove({ ids: ["a"] });
    it.flow.undo();
    await settled();
    assert.deepEqual(it.titles(), []);
    assert.equal(it.said.at(-1), `!${said}`);
    assert.equal(it.flow.entries[0].refusal, said);
  }
});

test("in the panel, the banner tells of a deletion that was not sent, and the list is read for it", async () => {
  const it = stage({ shown: true });
  await it.flow.remove({ ids: ["a"] });
  it.flow.adopt({ ...STATUS, lost_holds: [{ id: "h1", kind: "delete", jobs: 3, ids: [] }] });
  assert.deepEqual(it.titles(), []);
  assert.equal(it.said.at(-1), "!An earlier deletion was not sent. ComfyUI stopped in the time to undo it, so 3 jobs were not removed then.");
  assert.equal(it.statuses.read, 1);
  assert.deepEqual(it.flow.entries, []);
});
