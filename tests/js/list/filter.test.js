import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING, filterOf, inForce, matcher, sorted } from "#ui/list/filter.mjs";

const row = (rest = {}) => ({
  id: "7f3a9c21-aaaa", status: "completed", raw: "", created: 1000, started: null, finished: null, took: 10, name: "Sunset.png",
  workflow_id: "wf-1", outputs: 1, output_type: "image", error: null, preview: null, ...rest,
});
const DAY = 86_400_000;

test("without a filter every job is listed", () => {
  assert.deepEqual(filterOf(EVERYTHING, 5), {});
  assert.ok(matcher({})(row({ status: "unknown", created: null })));
});

test("the tab Active lists pending and running jobs, and only the tab All lists jobs of unknown status", () => {
  const active = matcher({ statuses: ["active"] });
  assert.deepEqual(["pending", "in_progress", "completed", "unknown"].map((status) => active(row({ status }))), [true, true, false, false]);
  for (const tab of ["completed", "failed", "cancelled", "active"]) assert.ok(!matcher(filterOf({ ...EVERYTHING, tab }, 0))(row({ status: "unknown" })), tab);
});

test("search matches name, id, workflow id and error, ignores case, and treats special characters literally", () => {
  const finds = (search, rest) => matcher({ search })(row(rest));
  assert.ok(finds("SUNSET"));
  assert.ok(finds("7F3A"));
  assert.ok(finds("wf-1"));
  assert.ok(finds("cuda", { error: { message: "CUDA out of memory" } }));
  assert.ok(!finds("s.nset"));
  assert.ok(!finds("png7f3a"), "the search does not match across two fields");
});

test("a time range includes its start, excludes its end, and excludes jobs without a time", () => {
  const within = matcher({ after: 1000, before: 2000 });
  assert.deepEqual([999, 1000, 1999, 2000, null].map((created) => within(row({ created }))), [false, true, true, false, false]);
});

test("the menu’s time filters count back from the given time", () => {
  assert.deepEqual(filterOf({ ...EVERYTHING, time: "last7" }, 10 * DAY), { after: 3 * DAY });
  assert.deepEqual(filterOf({ ...EVERYTHING, time: "older30" }, 40 * DAY), { before: 10 * DAY });
});

test("a filter between two dates includes both days in local time, and a missing date sets no limit", () => {
  const choice = { ...EVERYTHING, time: "between", from: "2026-11-01", to: "2026-11-02" };
  assert.deepEqual(filterOf(choice, 0), { after: new Date(2026, 10, 1).getTime(), before: new Date(2026, 10, 3).getTime() });
  assert.deepEqual(filterOf({ ...choice, to: "" }, 0), { after: new Date(2026, 10, 1).getTime() });
  assert.deepEqual(filterOf({ ...choice, from: "", to: "" }, 0), {});
});

test("rows without the sorted value come last in every order", () => {
  const rows = () => [row({ id: "none", created: null, took: null }), row({ id: "old", created: 1, took: 9 }), row({ id: "new", created: 5, took: 2 })];
  const order = (sort) => sorted(rows(), sort).map(({ id }) => id).join();
  assert.equal(order("recent"), "new,old,none");
  assert.equal(order("oldest"), "old,new,none");
  assert.equal(order("longest"), "old,new,none");
  assert.equal(order("shortest"), "new,old,none");
});

test("the filter badge counts filters, but not the tab, the search or the order", () => {
  assert.equal(inForce({ ...EVERYTHING, tab: "failed", search: "x", sort: "oldest" }), 0);
  assert.equal(inForce({ ...EVERYTHING, time: "last1", output: "image", workflow: "w" }), 3);
});

test("the protection filter uses the browser’s list of protected jobs, and is sent to the server as a field", () => {
  const known = { protection: { covers: ({ id }) => id === "kept" }, saved: { of: () => undefined } };
  const rows = [row({ id: "kept" }), row({ id: "other" })];
  const listed = (protection) => rows.filter(matcher(filterOf({ ...EVERYTHING, protection }, 0), known)).map(({ id }) => id).join();
  assert.deepEqual([listed(""), listed("protected"), listed("open")], ["kept,other", "kept", "other"]);
  assert.deepEqual(filterOf({ ...EVERYTHING, protection: "open" }, 0), { protected: false });
  assert.equal(inForce({ ...EVERYTHING, protection: "open" }), 1);
});

test("the filter for saved outputs never takes a job of which nothing is known, and no job without outputs", () => {
  const states = new Map([["whole", "all"], ["part", "some"], ["left", "none"], ["empty", "none"]]);
  const known = { protection: { covers: () => false }, saved: { of: (id) => states.get(id) } };
  const rows = ["whole", "part", "left", "unknown"].map((id) => row({ id, outputs: 2 }));
  const listed = (saved) => [...rows, row({ id: "empty", outputs: 0 })].filter(matcher(filterOf({ ...EVERYTHING, saved }, 0), known)).map(({ id }) => id).join();
  assert.deepEqual([listed(""), listed("yes"), listed("no")], ["whole,part,left,unknown,empty", "whole", "part,left"]);
  assert.deepEqual(filterOf({ ...EVERYTHING, saved: "no" }, 0), { saved: "no" });
  assert.equal(inForce({ ...EVERYTHING, saved: "no" }), 1);
});
