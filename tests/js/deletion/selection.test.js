import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "#ui/deletion/submit.mjs";
import { deselectHidden, hiddenSelection } from "#ui/deletion/strings.mjs";
import { deleted, fail, settled, stage } from "./stage.js";

test("“Deselect the hidden jobs” previews the shown jobs of the same account in place of the whole selection", async () => {
  const { flow, targets, seen, requests } = stage({ person: { confirm: ["deselect", null] } });
  let deselected = 0;
  const hidden = { selected: 3, shown: 1, isShown: () => true, deselectHidden: () => ((deselected += 1), { ids: ["a"] }) };
  await start(flow, { ids: ["a", "b", "c"], account: "ours" }, undefined, false, hidden);
  assert.deepEqual(targets, [{ ids: ["a", "b", "c"], account: "ours" }, { ids: ["a"], account: "ours" }]);
  assert.deepEqual([deselected, seen.filter((step) => step === "confirm").length, requests[1].hidden], [1, 2, undefined]);
});

test("“Deselect the hidden jobs” deletes nothing if no shown job is left in the selection", async () => {
  const { flow, targets, tokens } = stage({ person: { confirm: "deselect" } });
  await start(flow, { ids: ["a"] }, undefined, false, { selected: 1, shown: 1, isShown: () => true, deselectHidden: () => null });
  assert.deepEqual([targets.length, tokens], [1, []]);
});

test("the dialog says how many selected jobs the list shows", () => {
  assert.equal(hiddenSelection({ selected: 5, shown: 3 }), "5 jobs are selected. The list shows 3 of them and hides 2.");
  assert.equal(hiddenSelection({ selected: 2, shown: 0 }), "2 jobs are selected. The list shows none of them.");
  assert.equal(hiddenSelection({ selected: 1, shown: 0 }), "1 job is selected. The list does not show it.");
});

test("the words for leaving out hidden jobs say which jobs they take from the deletion", () => {
  assert.equal(deselectHidden(2), "Deselect the 2 hidden jobs");
  assert.equal(deselectHidden(1), "Deselect the hidden job");
});

test("an undo names the jobs that are back, after they are no longer hidden", async () => {
  const { flow } = stage();
  const heard = [];
  flow.onEnd(({ ids, isBack }) => heard.push([ids, isBack, flow.hides({ id: "a", status: "completed" })]));
  await start(flow, { ids: ["a", "b", "c"] });
  assert.ok(flow.hides({ id: "a", status: "completed" }));
  flow.undo();
  await settled();
  assert.deepEqual(heard, [[["a", "b", "c"], true, false]]);
});

/** Deletes jobs of which `active` is left alone, and returns what is said about the end. */
async function endWith(result, selection = { ids: ["a", "b", "c", "active"] }) {
  const it = stage();
  const heard = [];
  it.flow.onEnd((end) => heard.push(end));
  await start(it.flow, selection);
  it.ended("h1", result);
  await settled();
  return { ...it, heard };
}

test("the end of a deletion names all jobs that it was asked for, also those that it left alone", async () => {
  const ids = ["a", "b", "c", "active"];
  const failed = { outcome: "failed", why: { code: "x", text: "x" } };
  const named = deleted({ deleted: 2, failed: 1, active: 1 }, { c: failed, active: { outcome: "active", why: null } });
  assert.deepEqual((await endWith(named)).heard, [{ ids, isBack: false }]);
  const filter = { statuses: ["failed"] };
  assert.deepEqual((await endWith(named, { filter })).heard, [{ ids, filter, isBack: false }]);
  const unsent = { kind: "delete", outcome: "failed", before: null, removed: 0, listed: null, active: null, report: "r", error: { code: "offline", message: "m" } };
  assert.deepEqual((await endWith(unsent)).heard, [{ ids, isBack: false }]);
});

test("a deletion that is stopped before its first request gives the selection back, in whichever form its result says so", async () => {
  const error = { code: "stopped", message: "m" };
  const early = { kind: "delete", outcome: "failed", before: null, removed: 0, listed: null, active: null, report: "r", error };
  const afterBackup = deleted({ not_attempted: 3, active: 1 }, {}, { stopped: true });
  for (const result of [early, afterBackup]) {
    const { heard, titles, last } = await endWith(result);
    assert.deepEqual(heard, [{ ids: ["a", "b", "c", "active"], isBack: true }]);
    assert.equal(titles().at(-1), "info: Nothing was deleted");
    assert.match(last()[2].detail, /3 jobs are back in the list/);
  }
  const { heard } = await endWith(deleted({ not_attempted: 2, unconfirmed: 1 }, {}, { stopped: true }));
  assert.equal(heard[0].isBack, false);
});

test("a deletion that the server refuses leaves the selection as it was", async () => {
  const { flow } = stage({ send: fail("too_many_deletions") });
  const heard = [];
  flow.onEnd(({ isBack }) => heard.push(isBack));
  await start(flow, { ids: ["a"] });
  await settled();
  assert.deepEqual(heard, [true]);
});
