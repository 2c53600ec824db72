import assert from "node:assert/strict";
import { test } from "node:test";
import { Selection } from "#ui/list/selection.mjs";
import { row, list, listOf, stage, ids } from "./stage.js";

const ORDER = ["a", "b", "c", "d", "e"];
const chosen = (selection) => selection.ids().sort().join("");

test("toggling a job adds or removes it and leaves the rest of the selection unchanged", () => {
  const selection = new Selection();
  for (const id of ["a", "c", "a"]) selection.toggle(id);
  assert.equal(chosen(selection), "c");
});

test("a range starts at the job toggled last, in either direction, and adds to the selection", () => {
  const selection = new Selection();
  selection.toggle("e");
  selection.toggle("c");
  selection.range("a", ORDER);
  assert.equal(chosen(selection), "abce");
  selection.range("d", ORDER);
  assert.equal(chosen(selection), "abcde");
});

test("a range whose anchor is not listed selects only the clicked row, which becomes the anchor", () => {
  const selection = new Selection();
  selection.range("d", ORDER);
  assert.equal(chosen(selection), "d");
  selection.range("b", ORDER);
  assert.equal(chosen(selection), "bcd");
});

test("“Select all matching” targets the filter, and toggling one job afterwards targets ids", () => {
  const selection = new Selection();
  const filter = { statuses: ["failed"], before: 5 };
  selection.selectMatching(["a", "b"], filter);
  assert.deepEqual(selection.target(), { filter });
  selection.toggle("a");
  assert.deepEqual(selection.target(), { ids: ["b"] });
});

test("an empty selection has no target, and never means everything", () => {
  const selection = new Selection();
  assert.equal(selection.target(), null);
  selection.selectMatching(["a"], {});
  selection.keep(() => false);
  assert.equal(selection.target(), null);
  assert.equal(selection.matching, null);
});

test("jobs that no longer exist leave the selection, and the others stay", () => {
  const selection = new Selection();
  selection.add(["a", "b", "c"]);
  selection.keep((id) => id !== "b");
  assert.equal(chosen(selection), "ac");
});

test("an undo restores the selection and the focused row", async () => {
  const it = stage(list(row("a", { created: 4 }), row("b", { created: 3 }), row("c", { created: 2 }), row("d", { created: 1 })));
  const { store } = it;
  await store.refresh();
  store.select((selection) => selection.add(["a", "b", "d"]));
  store.focus("b");
  it.hide("a", "b");
  assert.deepEqual([ids(store), store.selection.ids(), store.focused], ["c,d", ["d"], "d"]);
  it.undo("a", "b");
  assert.deepEqual([ids(store), store.selection.ids().sort(), store.focused], ["a,b,c,d", ["a", "b", "d"], "b"]);
});

test("an undo does not move the focus if the person has moved it meanwhile", async () => {
  const it = stage(list(row("a", { created: 4 }), row("b", { created: 3 }), row("c", { created: 2 })));
  const { store } = it;
  await store.refresh();
  store.focus("a");
  it.hide("a");
  store.focus("c");
  it.undo("a");
  assert.deepEqual([store.focused, store.selection.size], ["c", 0]);
});

test("an undo selects nothing that was not selected, and nothing of another account", async () => {
  const it = stage(listOf("ours", row("a"), row("b")), listOf("theirs", row("a")));
  const { store } = it;
  await store.refresh();
  store.select((selection) => selection.toggle("a"));
  it.hide("a", "b");
  await store.refresh();
  it.undo("a", "b");
  assert.deepEqual([store.account, store.selection.ids()], ["theirs", []]);
});

test("after a deletion has ended, none of the jobs that it was asked for stays selected, also none that it left alone", async () => {
  const it = stage(list(row("a"), row("b"), row("active", { status: "in_progress" }), row("other")));
  const { store } = it;
  await store.refresh();
  store.select((selection) => selection.add(["a", "b", "active"]));
  it.hide("a", "b");
  assert.deepEqual(store.selection.ids(), ["active"]);
  store.select((selection) => selection.toggle("other"));
  it.end({ ids: ["a", "b", "active"], isBack: false });
  assert.deepEqual(store.selection.ids(), ["other"], "b was not removed, and active was left alone");
  it.hide("a", "b");
  it.undo("a", "b");
  assert.deepEqual(store.selection.ids(), ["other"], "a later undo selects only what its own deletion deselected");
});

test("after a deletion of all matching jobs has ended, the filter is no longer selected", async () => {
  const it = stage([{ type: "start", read_at: "2026-11-23T12:00:00Z", total: 2, account: "ours" }, { type: "jobs", jobs: [row("a"), row("b")] }, { type: "end", complete: false, read: 2, error: null }]);
  const { store } = it;
  await store.refresh();
  store.selectMatching();
  const { filter } = store.selection.target();
  it.hide("a");
  it.end({ ids: ["a"], filter: { ...filter }, isBack: false });
  assert.equal(store.selection.target(), null);
});

test("a key acts on all selected jobs only from one of them, and on any other focused row alone", async () => {
  const { store } = stage(list(row("a"), row("b"), row("c")));
  await store.refresh();
  store.focus("c");
  assert.equal(store.keyRow()?.id, "c");
  store.select((selection) => selection.add(["a", "b"]));
  assert.equal(store.keyRow()?.id, "c");
  store.focus("a");
  assert.equal(store.keyRow(), null);
  store.choose({ search: "c.png" });
  assert.deepEqual([store.focused, store.keyRow()?.id], ["c", "c"], "the filter hides the selection");
  store.choose({ search: "nothing" });
  assert.equal(store.keyRow(), null);
});

test("the jobs that a deletion would remove are the finished, unprotected ones of its selection", async () => {
  const it = stage(list(row("a"), row("b", { status: "failed" }), row("c", { status: "pending" })));
  await it.store.refresh();
  const going = (selection) => it.store.going(selection).join();
  assert.deepEqual([{ ids: ["b", "c"] }, { filter: { statuses: ["failed"] } }, { clear: true }, { policy: {} }].map(going), ["b", "b", "a,b", ""]);
});

test("a row that took the place of a deleted one counts as chosen only once the person chooses it, or an undo brings the old one back", async () => {
  const all = [row("a", { created: 4 }), row("b", { created: 3 }), row("c", { created: 2 })];
  const it = stage(list(...all), list(...all.slice(2)));
  const { store } = it;
  await store.refresh();
  store.focus("a");
  assert.equal(store.chosen, true);
  it.hide("a");
  assert.deepEqual([store.focused, store.chosen], ["b", false]);
  it.undo("a");
  assert.deepEqual([store.focused, store.chosen], ["a", true]);
  it.hide("a");
  let redrawn = 0;
  store.on(["focus"], () => (redrawn += 1));
  store.focus("b");
  assert.deepEqual([store.focused, store.chosen, redrawn], ["b", true, 1]);
  await store.refresh();
  assert.deepEqual([store.focused, store.chosen], ["c", false], "another browser deleted the row");
});
