import assert from "node:assert/strict";
import { test } from "node:test";
import { Selection } from "#ui/list/store.mjs";

const ORDER = ["a", "b", "c", "d", "e"];
const chosen = (selection) => selection.ids().sort().join("");

test("a toggle adds or takes away one and drops no other", () => {
  const selection = new Selection();
  for (const id of ["a", "c", "a"]) selection.toggle(id);
  assert.equal(chosen(selection), "c");
});

test("a range goes from the last toggled one, either way, and adds to what was there", () => {
  const selection = new Selection();
  selection.toggle("e");
  selection.toggle("c");
  selection.range("a", ORDER);
  assert.equal(chosen(selection), "abce");
  selection.range("d", ORDER);
  assert.equal(chosen(selection), "abcde");
});

test("a range whose anchor is not listed is the one row, which is the anchor then", () => {
  const selection = new Selection();
  selection.range("d", ORDER);
  assert.equal(chosen(selection), "d");
  selection.range("b", ORDER);
  assert.equal(chosen(selection), "bcd");
});

test("all matching asks for the filter as it was; one toggle makes it ids again", () => {
  const selection = new Selection();
  const filter = { statuses: ["failed"], before: 5 };
  selection.selectMatching(["a", "b"], filter);
  assert.deepEqual(selection.target(), { filter });
  selection.toggle("a");
  assert.deepEqual(selection.target(), { ids: ["b"] });
});

test("nothing selected is no target, never everything", () => {
  const selection = new Selection();
  assert.equal(selection.target(), null);
  selection.selectMatching(["a"], {});
  selection.keep(() => false);
  assert.equal(selection.target(), null);
  assert.equal(selection.matching, null);
});

test("what is gone is forgotten, the rest stays", () => {
  const selection = new Selection();
  selection.add(["a", "b", "c"]);
  selection.keep((id) => id !== "b");
  assert.equal(chosen(selection), "ac");
});
