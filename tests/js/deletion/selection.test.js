import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "#ui/deletion/submit.mjs";
import { deselectHidden, hiddenSelection } from "#ui/deletion/strings.mjs";
import { settled, stage } from "./stage.js";

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
  flow.onUndone((ids) => heard.push([ids, flow.hides({ id: "a", status: "completed" })]));
  await start(flow, { ids: ["a", "b", "c"] });
  assert.ok(flow.hides({ id: "a", status: "completed" }));
  flow.undo();
  await settled();
  assert.deepEqual(heard, [[["a", "b", "c"], false]]);
});
