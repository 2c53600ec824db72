import assert from "node:assert/strict";
import { test } from "node:test";
import { createCards } from "#ui/deletion/cards.mjs";
import { createPage } from "../viewer/page.js";
import { deleted, fail, hold, preview, row, settled, stage, STATUS, UNSENT } from "./stage.js";

const STOPPED = { ...deleted({ not_attempted: 3 }), ...UNSENT, error: { code: "stopped", message: "m" } };

/** A deletion in its backup, started in this page or not. */
async function backingUp(here) {
  const held = hold({ backup: true, state: "sending" });
  const it = stage({ send: { hold: hold({ backup: true }) }, status: { ...STATUS, holds: [held] } });
  if (here) await it.flow.remove({ ids: ["a"] });
  else it.flow.adopt({ ...STATUS, holds: [held] });
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "backing_up", done: 1, total: 3, sent: false, seconds_left: null });
  return it;
}

test("the page in which Stop was pressed says that you stopped the deletion, and another one that it was stopped elsewhere", async () => {
  for (const here of [true, false]) {
    const it = await backingUp(here);
    await it.flow.stop(it.flow.entries[0]);
    it.ended("h1", STOPPED);
    assert.match(it.last()[2].detail, /You stopped it before anything was sent\. 3 jobs are back in the list\.$/);
  }
  const other = await backingUp(true);
  other.ended("h1", STOPPED);
  assert.equal(other.last()[2].detail, "Stopped in another browser or tab before anything was sent. 3 jobs are back in the list.");
  const reloaded = await backingUp(true);
  reloaded.flow.entries[0].resumed = true;
  reloaded.ended("h1", STOPPED);
  assert.match(reloaded.last()[2].detail, /^Stopped before anything was sent\./, "this page may have stopped it before it was reloaded");
});

test("a Stop that failed does not count as pressed", async () => {
  const it = await backingUp(true);
  it.flow.parts.api.stop = async () => { throw fail("comfyui_away"); };
  await it.flow.stop(it.flow.entries[0]);
  it.ended("h1", STOPPED);
  assert.match(it.last()[2].detail, /^Stopped before/);
});

test("a page whose deletion is undone in another one says so", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.adopt({ ...STATUS, undone: ["h1"] });
  assert.equal(it.last()[2].detail, "Undone in another browser or tab before anything was sent. 3 jobs are back in the list.");
  const mine = stage();
  await mine.flow.remove({ ids: ["a"] });
  mine.flow.undo();
  await settled();
  assert.equal(mine.last()[2].detail, "3 jobs are back in the list.");
});

test("an Undo that is pressed for another page's deletion is answered in the page in which it was pressed", async () => {
  const it = stage();
  it.flow.adopt({ ...STATUS, holds: [hold()] });
  it.flow.undo();
  await settled();
  assert.deepEqual(it.last().slice(0, 2), ["info", "Nothing was deleted"]);
  assert.equal(it.last()[2].detail, "Started in another browser or tab. 3 jobs are back in the list.");
});

test("without a key, an undone deletion says that the jobs stay, and does not promise jobs in a list", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.adopt({ ...STATUS, configured: false, undone: ["h1"] });
  assert.equal(it.last()[2].detail, "Undone in another browser or tab before anything was sent. 3 jobs stay in your history.");
});

test("the card of a deletion says if another page has started it", async () => {
  const shown = async (here) => {
    createPage();
    const it = stage({ send: { hold: hold() }, status: { ...STATUS, holds: [hold()] } });
    const { element } = createCards({ deletions: it.flow, show: () => undefined, say: () => undefined });
    if (here) await it.flow.remove({ ids: ["a"] });
    else it.flow.adopt({ ...STATUS, holds: [hold()] });
    return element.textContent.includes("Started in another browser or tab.");
  };
  assert.deepEqual([await shown(true), await shown(false)], [false, true]);
});

test("a bad end of another page's deletion says where it was started", async () => {
  const it = await backingUp(false);
  it.ended("h1", deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: null } }));
  assert.match(it.last()[2].detail, /^Started in another browser or tab\. /);
});

test("without a hold, the jobs of a deletion leave the list at once, and come back if they were not removed", async () => {
  const answers = [];
  const it = stage({ preview: preview({ hold_seconds: 0 }), send: () => new Promise((resolve) => answers.push(resolve)) });
  it.flow.parts.going = () => ["a", "b", "c"];
  const back = [];
  it.flow.onEnd(({ ids, isBack }) => back.push([ids, isBack]));
  const asked = it.flow.remove({ ids: ["a", "b", "c"] });
  await settled();
  assert.equal(it.last()[1], "Looking at the jobs first…");
  assert.match(it.last()[2].detail, /Nothing has been deleted yet/);
  assert.deepEqual(["a", "z"].map((id) => it.flow.hides(row(id))), [true, false]);
  answers[0]({ operation: "h1", state: "done", result: deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: null } }) });
  await asked;
  assert.deepEqual(["a", "b"].map((id) => it.flow.hides(row(id))), [true, false]);
  assert.deepEqual(back, [[["a", "b", "c"], false]]);
});

test("without a hold, jobs that the page cannot tell stay in the list, and a refusal gives the selection back", async () => {
  const unsure = stage({ preview: preview({ hold_seconds: 0 }), send: { operation: "h1", state: "running" } });
  unsure.flow.parts.going = () => ["a", "b"];
  await unsure.flow.remove({ ids: ["a", "b", "c"] });
  assert.equal(unsure.flow.hides(row("a")), false, "the server counted three");
  const it = stage({ preview: preview({ hold_seconds: 0 }), send: fail("busy") });
  it.flow.parts.going = () => ["a", "b", "c"];
  const back = [];
  it.flow.onEnd(({ ids, isBack }) => back.push([ids, isBack]));
  await it.flow.remove({ ids: ["a", "b", "c"] });
  assert.deepEqual(back, [[["a", "b", "c"], true]]);
});
