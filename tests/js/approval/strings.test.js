import assert from "node:assert/strict";
import { test } from "node:test";
import { createWorkflowNames } from "#ui/details/workflows.mjs";
import { approvalWorkflow, approvalPlace, approvalTitle, timeLeft } from "#ui/approval/strings.mjs";
import { nodeName } from "#ui/common/strings.mjs";
import { readNumber, savedWord } from "#ui/settings.mjs";

test("an approval has a title, the name of the node and the name of the workflow", () => {
  assert.equal(approvalTitle(1), "Let this workflow delete 1 job?");
  assert.equal(approvalTitle(1280), "Let this workflow delete 1,280 jobs?");
  assert.equal(nodeName("Delete Cloud Jobs", "2"), "Delete Cloud Jobs, node 2");
  assert.equal(nodeName("", "2"), "Node 2");
  assert.equal(nodeName("Tidy up", ""), "Tidy up");
  assert.equal(nodeName("", ""), "Node");
  assert.equal(approvalWorkflow("a\u202eb\n", "x"), "a\ufffdb");
  assert.equal(approvalWorkflow("", "0f8fad5b-d9cb-469f-a165-70867728950e"), "0f8fad5b");
  assert.equal(approvalWorkflow("", ""), "");
});

test("an approval shows its number only in a series of several", () => {
  assert.deepEqual([[1, 1], [1, 2], [2, 2], [3, 1000]].map(([n, of]) => approvalPlace(n, of)), ["", "Question 1 of 2", "Question 2 of 2", "Question 3 of 1,000"]);
});

test("the remaining time is 0:00 only after the deadline, and never negative", () => {
  assert.deepEqual([120_000, 112_000, 111_001, 60_000, 900, 1, 0, -5_000].map(timeLeft), ["2:00", "1:52", "1:52", "1:00", "0:01", "0:01", "0:00", "0:00"]);
});

test("a workflow's name is found by its id among the open workflows, the active one first", () => {
  const named = (filename, id) => ({ filename, activeState: id ? { id } : null });
  const host = { activeWorkflow: named("copy", "a"), openWorkflows: [named("original", "a"), named("other", "b"), named("none", "")] };
  const nameOf = createWorkflowNames(() => host);
  assert.deepEqual(["a", "b", "c", ""].map(nameOf), ["copy", "other", "", ""]);
  assert.equal(createWorkflowNames(() => undefined)("a"), "");
});

test("a setting accepts only whole numbers in its range", () => {
  for (const [name, good, bad] of [
    ["hold_seconds", ["0", "60", " 10 "], ["61", "-1", "1.5", "", "1e1", "abc"]],
    ["backup_days", ["1", "36500"], ["0", "36501", "99999999"]],
    ["backup_megabytes", ["1", "10000000"], ["0", "10000001"]],
  ]) {
    for (const text of good) assert.equal(readNumber(name, text), Number(text), text);
    for (const text of bad) assert.equal(readNumber(name, text), null, text);
  }
});

test("saving a hold of 0 seconds says that nothing can be undone from now on", () => {
  assert.deepEqual([["hold_seconds", 0], ["hold_seconds", 10], ["backup_days", 10]].map(([name, value]) => savedWord(name, value)), ["Saved. Deletions now begin at once, without undo.", "Saved", "Saved"]);
});
