import assert from "node:assert/strict";
import { test } from "node:test";
import { Selection } from "#ui/list/store.mjs";

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
