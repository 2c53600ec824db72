import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemory, KEY } from "#ui/deletion/memory.mjs";
import { deleted, hold, stage, STATUS } from "./stage.js";

/** Confirms a deletion in one page, and returns the storage of its browser. */
async function confirmed() {
  const stored = new Map();
  const it = stage({ stored });
  await it.flow.remove({ ids: ["a"] });
  return { stored, it };
}

test("a reloaded page shows the hold that this browser started, with its Undo, after one request", async () => {
  const { stored } = await confirmed();
  const it = stage({ stored, status: { ...STATUS, holds: [hold({ seconds_left: 7 })] } });
  await it.flow.resume();
  assert.equal(it.statuses.looks, 1);
  const [kind, title, { action }] = it.last();
  assert.deepEqual([kind, title, action.label], ["info", "Removing 3 jobs at 00:00:07", "Undo"]);
  await it.pass(7_000);
  it.ended("h1", deleted({ deleted: 3 }));
  assert.equal(it.titles().at(-1), "success: 3 jobs removed from your cloud history");
  assert.deepEqual([...stored], [], "nothing is remembered once the result was shown");
});

test("a page that is reloaded after the hold says what became of the deletion", async () => {
  const ids = { id: "h1", kind: "delete", jobs: 3, ids: [] };
  for (const [status, told] of [
    [{ ...STATUS, finished: [{ operation: "h1", result: deleted({ deleted: 3 }) }] }, "success: 3 jobs removed from your cloud history"],
    [{ ...STATUS, lost_holds: [ids] }, "warning: An earlier deletion was not sent"],
    [{ ...STATUS, undone: ["h1"] }, "info: Nothing was deleted"],
    [{ ...STATUS, holds: [hold({ state: "sending" })] }, "loading: Deleting jobs… 0 of 3"],
    [STATUS, "warning: Outcome unknown"],
  ]) {
    const { stored } = await confirmed();
    const it = stage({ stored, status });
    await it.flow.resume();
    await it.pass(0);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(it.titles().at(-1), told);
  }
});

test("if more jobs have finished, a reloaded page says so and opens no dialog", async () => {
  const { stored } = await confirmed();
  const error = { code: "count_rose", message: "2 more jobs have finished since you looked." };
  const it = stage({ stored, status: { ...STATUS, finished: [{ operation: "h1", result: { kind: "clear", outcome: "failed", before: null, removed: 0, listed: null, report: "", error } }] } });
  await it.flow.resume();
  assert.deepEqual([it.seen, it.titles().at(-1)], [[], "warning: Nothing was deleted"]);
});

test("an undone deletion is not remembered, and one that is shown already is not shown twice", async () => {
  const { stored, it } = await confirmed();
  assert.deepEqual(Object.keys(JSON.parse(stored.get(KEY))), ["h1"]);
  await it.flow.resume();
  assert.equal(it.flow.entries.length, 1);
  it.flow.undo();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([...stored], []);
});

test("a deletion that takes longer than a result is waited for is still remembered", async () => {
  const stored = new Map();
  const it = stage({ stored, status: { ...STATUS, holds: [hold({ state: "sending", backup: true })] } });
  await it.flow.remove({ ids: ["a"] });
  await it.pass(900_000);
  const { until } = JSON.parse(stored.get(KEY)).h1;
  assert.ok(until > 900_000, `forgotten after ${until / 1000} s`);
});

test("old, damaged and unreadable memories count as none", () => {
  let text = null;
  const memory = createMemory(() => ({ getItem: () => text, setItem: (key, value) => void (key === KEY && (text = value)), removeItem: () => (text = null) }), () => 5_000_000);
  const about = { operation: "h1", kind: "delete", jobs: 3 };
  memory.add(about, 10);
  assert.deepEqual(memory.all(), [about]);
  const entry = JSON.parse(text).h1;
  for (const damaged of ["", "{", "null", "[1]", '"a"', JSON.stringify({ h1: null }), JSON.stringify({ h1: { ...entry, until: 4_999_999 } }), JSON.stringify({ h1: { ...entry, until: 9e15 } })]) {
    text = damaged;
    assert.deepEqual(memory.all(), [], damaged);
  }
  const blocked = createMemory(() => {
    throw new Error("blocked");
  }, () => 0);
  blocked.add(about, 10);
  blocked.forget("h1");
  assert.deepEqual(blocked.all(), []);
});
