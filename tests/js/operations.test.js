import assert from "node:assert/strict";
import { test } from "node:test";
import { createOperations } from "../../js/operations.js";

const RESULT = { kind: "clear", outcome: "deleted", before: 3, removed: 3, listed: 0, active: 0, report: "", error: null };
const quiet = { running: null, finished: [], unresolved: [] };

/** Looks happen only when a test lets time pass. */
function stage(statuses) {
  const pending = [];
  let looks = 0;
  const status = async () => {
    const next = statuses[Math.min(looks++, statuses.length - 1)];
    if (next === "away") throw new Error("away");
    return { ...quiet, ...next };
  };
  const delay = () => new Promise((resolve) => pending.push(resolve));
  const pass = async (times = 1) => {
    for (let i = 0; i < times; i++) {
      pending.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { operations: createOperations({ status, delay }), pass, looks: () => looks };
}

test("the websocket’s word is taken, and then nothing is looked up", async () => {
  const { operations, pass, looks } = stage([{}]);
  const settled = operations.settled("o");
  operations.changed({ operation: "other", result: { ...RESULT, removed: 99 } });
  operations.changed({ operation: "o", result: RESULT });
  assert.deepEqual(await settled, { result: RESULT });
  await pass(3);
  assert.equal(looks(), 0);
});

test("a result that came before anyone waited is not lost", async () => {
  const { operations } = stage([{}]);
  operations.changed({ operation: "o", result: RESULT });
  assert.deepEqual(await operations.settled("o"), { result: RESULT });
});

test("a missed message is made up for by looking", async () => {
  const { operations, pass } = stage([{ running: { operation: "o" } }, { finished: [{ operation: "o", result: RESULT }] }]);
  const settled = operations.settled("o");
  await pass(2);
  assert.deepEqual(await settled, { result: RESULT });
});

test("a crash is told as unresolved, not as a result", async () => {
  const entry = { operation: "o", kind: "clear", asked: 3, origin: "menu", started_at: "" };
  const { operations, pass } = stage(["away", { unresolved: [entry] }]);
  const settled = operations.settled("o");
  await pass(2);
  assert.deepEqual(await settled, { unresolved: entry });
});

test("an operation that leaves no trace is given up after three looks", async () => {
  const { operations, pass, looks } = stage([{}]);
  const settled = operations.settled("o");
  await pass(3);
  assert.deepEqual(await settled, { lost: true });
  assert.equal(looks(), 3);
});

test("a silent ComfyUI is waited for, but not for ever", async () => {
  const { operations, pass, looks } = stage(["away"]);
  const settled = operations.settled("o");
  await pass(40);
  assert.deepEqual(await settled, { lost: true });
  assert.equal(looks(), 30);
});
