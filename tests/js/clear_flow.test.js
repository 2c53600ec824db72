import assert from "node:assert/strict";
import { test } from "node:test";
import { ClearFlow } from "../../js/clear_flow.js";
import { HistoryApiError } from "../../js/history_api.js";

const STATUS = { version: "1", configured: true, source: "saved", last4: "a1b2", host: "x", running: null, finished: [], unresolved: [], problem: null };
const RESULT = { kind: "clear", outcome: "deleted", before: 12, removed: 12, listed: 0, active: 1, report: "", error: null };
const preview = (rest = {}) => ({
  token: "t1", expires_in: 300, taken_at: "", finished: 12, last4: "a1b2", source: "saved", host: "x",
  counts: { completed: 10, failed: 1, cancelled: 1, active: 1 }, ...rest,
});
const fail = (code, extras) => new HistoryApiError({ code, message: code }, extras);

/** Gives the listed values one after the other, the last one for ever; errors are thrown. */
function script(values) {
  const queue = [values].flat();
  return async () => {
    const next = queue.length > 1 ? queue.shift() : queue[0];
    const value = typeof next === "function" ? next() : next;
    if (value instanceof Error) throw value;
    return value;
  };
}

/**
 * A stage with a scripted server and a person who answers each step.
 * @param {{status?: any, preview?: any, clear?: any, settled?: any, person?: Record<string, any>, now?: () => number}} options
 */
function stage({ status = STATUS, preview: previews = preview(), clear = { operation: "o", state: "done", result: RESULT }, settled, person = {}, now = () => 0 } = {}) {
  const seen = [];
  const tokens = [];
  const answers = Object.fromEntries(Object.entries({ confirm: "clear", ...person }).map(([step, value]) => [step, script(value)]));
  const step = (name) => async () => {
    seen.push(name);
    return answers[name] ? answers[name]() : null;
  };
  const sendClear = script(clear);
  const shown = [];
  let open = null;
  const parts = {
    api: {
      status: script(status),
      preview: script(previews),
      clear: (token) => (tokens.push(token), sendClear()),
    },
    dialogs: {
      async exclusive(talk) {
        if (open) return void seen.push("focused");
        open = { isOpen: () => Boolean(open), close: () => (open = null), focus: () => undefined, show: async () => null };
        try {
          return await talk(open);
        } finally {
          open = null;
        }
      },
    },
    steps: Object.fromEntries(["counting", "confirm", "nothing", "tooOld", "busy", "failed"].map((name) => [name, step(name)])),
    connect: { askForKey: step("askForKey") },
    toasts: {
      tell: (kind, message) => shown.push([kind, message.title]),
      progress: () => ({ become: (kind, message) => shown.push([kind, message.title]), dismiss: () => shown.push(["dismissed"]) }),
    },
    operations: { settled: script(settled ?? { result: RESULT }) },
    now,
  };
  return { flow: new ClearFlow(parts), seen, tokens, shown, leave: () => (open = null) };
}

test("what was confirmed is sent once, and the result is told", async () => {
  const { flow, seen, tokens, shown } = stage();
  await flow.clear();
  assert.deepEqual(seen, ["counting", "confirm"]);
  assert.deepEqual(tokens, ["t1"]);
  assert.deepEqual(shown, [["success", "12 jobs removed from your cloud history"]]);
});

test("nothing is sent when the person cancels", async () => {
  const { flow, tokens, shown } = stage({ person: { confirm: null } });
  await flow.clear();
  assert.deepEqual([tokens, shown], [[], []]);
});

test("an empty history says so and stops", async () => {
  const { flow, seen, tokens } = stage({ preview: preview({ finished: 0 }) });
  await flow.clear();
  assert.deepEqual(seen, ["counting", "nothing"]);
  assert.deepEqual(tokens, []);
});

test("without a key it asks for one first, then counts", async () => {
  const { flow, seen, tokens } = stage({ status: [{ ...STATUS, configured: false }, STATUS], person: { askForKey: STATUS } });
  await flow.clear();
  assert.deepEqual(seen, ["counting", "askForKey", "counting", "confirm"]);
  assert.deepEqual(tokens, ["t1"]);
});

test("a fault of the set-up is told instead of asking for a key", async () => {
  const problem = { code: "missing_dependency", message: "m", hint: "h" };
  const { flow, seen } = stage({ status: { ...STATUS, configured: false, problem } });
  await flow.clear();
  assert.deepEqual(seen, ["counting", "failed"]);
});

test("a damaged key file leads to the key dialog", async () => {
  const problem = { code: "key_file_damaged", message: "m", hint: "h" };
  const { flow, seen } = stage({ status: { ...STATUS, configured: false, problem } });
  await flow.clear();
  assert.deepEqual(seen, ["counting", "askForKey"]);
});

test("leaving the key dialog ends it", async () => {
  const { flow, seen, tokens } = stage({ status: { ...STATUS, configured: false } });
  await flow.clear();
  assert.deepEqual(seen, ["counting", "askForKey"]);
  assert.deepEqual(tokens, []);
});

test("closing while the jobs are counted ends it without a question", async () => {
  const it = stage({ preview: () => (it.leave(), preview()) });
  await it.flow.clear();
  assert.deepEqual(it.seen, ["counting"]);
  assert.deepEqual(it.tokens, []);
});

test("a preview that grew too old is never sent", async () => {
  const aged = (milliseconds) => {
    const times = [0, milliseconds];
    return () => times.shift();
  };
  const young = stage({ now: aged(299_999) });
  await young.flow.clear();
  assert.deepEqual([young.seen, young.tokens], [["counting", "confirm"], ["t1"]]);
  const old = stage({ now: aged(300_000) });
  await old.flow.clear();
  assert.deepEqual([old.seen, old.tokens], [["counting", "confirm", "tooOld"], []]);
});

test("looking again sends the new preview’s token", async () => {
  const times = [0, 300_000, 300_000, 300_001];
  const { flow, tokens } = stage({ now: () => times.shift() ?? 0, preview: [preview(), preview({ token: "t2" })], person: { tooOld: "again" } });
  await flow.clear();
  assert.deepEqual(tokens, ["t2"]);
});

test("when more jobs have finished it asks again with the new numbers", async () => {
  const risen = preview({ token: "t2", finished: 14 });
  const { flow, seen, tokens, shown } = stage({ clear: [fail("count_rose", { preview: risen }), { operation: "o", state: "done", result: RESULT }] });
  await flow.clear();
  assert.deepEqual(seen, ["counting", "confirm", "confirm"]);
  assert.deepEqual(tokens, ["t1", "t2"]);
  assert.deepEqual(shown.map(([kind]) => kind), ["dismissed", "success"]);
});

test("and declining then sends nothing more", async () => {
  const { flow, tokens } = stage({ clear: fail("count_rose", { preview: preview({ token: "t2" }) }), person: { confirm: ["clear", null] } });
  await flow.clear();
  assert.deepEqual(tokens, ["t1"]);
});

test("a token the server no longer knows leads to another look", async () => {
  const { flow, seen, tokens } = stage({
    clear: [fail("preview_expired"), { operation: "o", state: "done", result: RESULT }],
    preview: [preview(), preview({ token: "t2" })],
    person: { tooOld: "again" },
  });
  await flow.clear();
  assert.deepEqual(seen, ["counting", "confirm", "tooOld", "counting", "confirm"]);
  assert.deepEqual(tokens, ["t1", "t2"]);
});

test("a deletion that already runs is told, before and after confirming", async () => {
  const before = stage({ status: { ...STATUS, running: { operation: "x", kind: "delete", origin: "node", started_at: "" } } });
  await before.flow.clear();
  assert.deepEqual(before.seen, ["counting", "busy"]);
  const after = stage({ clear: fail("busy", { origin: "node" }) });
  await after.flow.clear();
  assert.deepEqual(after.seen, ["counting", "confirm", "busy"]);
  assert.deepEqual(after.shown, [["dismissed"]]);
});

test("a click while it is being sent starts nothing", async () => {
  let release = () => undefined;
  const it = stage({ clear: () => new Promise((resolve) => (release = () => resolve({ operation: "o", state: "done", result: RESULT }))) });
  const first = it.flow.clear();
  while (!it.tokens.length) await new Promise((resolve) => setImmediate(resolve));
  await it.flow.clear();
  release();
  await first;
  assert.deepEqual(it.seen, ["counting", "confirm", "busy"]);
  assert.equal(it.tokens.length, 1);
});

test("longer work is waited for, and a crash in between is a warning", async () => {
  const running = { operation: "o", state: "running" };
  const good = stage({ clear: running });
  await good.flow.clear();
  assert.equal(good.shown[0][0], "success");
  const crashed = stage({ clear: running, settled: { unresolved: { operation: "o", kind: "clear", asked: 12, origin: "menu", started_at: "" } } });
  await crashed.flow.clear();
  assert.deepEqual(crashed.shown, [["warning", "Outcome unknown: 12 jobs"]]);
  const lost = stage({ clear: running, settled: { lost: true } });
  await lost.flow.clear();
  assert.deepEqual(lost.shown, [["warning", "Outcome unknown"]]);
});

test("when ComfyUI’s answer is lost it is looked up, and never called a success unseen", async () => {
  for (const code of ["comfyui_away", "strange_answer", "internal"]) {
    const nothing = stage({ clear: fail(code) });
    await nothing.flow.clear();
    assert.deepEqual(nothing.shown, [["warning", "Outcome unknown"]], code);
    assert.equal(nothing.tokens.length, 1, "not sent again");
  }
  const old = { operation: "old", result: { ...RESULT, removed: 99 } };
  const found = stage({
    clear: fail("comfyui_away"),
    status: [{ ...STATUS, finished: [old] }, { ...STATUS, finished: [{ operation: "new", result: RESULT }, old] }],
  });
  await found.flow.clear();
  assert.deepEqual(found.shown, [["success", "12 jobs removed from your cloud history"]]);
  const onlyOld = stage({ clear: fail("comfyui_away"), status: { ...STATUS, finished: [old] } });
  await onlyOld.flow.clear();
  assert.deepEqual(onlyOld.shown, [["warning", "Outcome unknown"]], "an older result is not taken for this one");
});

test("a refused clear is an error, whatever the reason", async () => {
  for (const code of ["unauthorized", "server_fault", "state_unwritable", "refused", "some_new_code"]) {
    const { flow, shown } = stage({ clear: fail(code) });
    await flow.clear();
    assert.deepEqual(shown, [["error", "No job was removed"]], code);
  }
});

test("an error while counting offers to try again, and to replace the key", async () => {
  const retried = stage({ preview: [fail("unreachable"), preview()], person: { failed: "retry" } });
  await retried.flow.clear();
  assert.deepEqual(retried.seen, ["counting", "failed", "counting", "confirm"]);
  const replaced = stage({ preview: [fail("unauthorized"), preview()], person: { failed: "replace", askForKey: STATUS } });
  await replaced.flow.clear();
  assert.deepEqual(replaced.seen, ["counting", "failed", "askForKey", "counting", "confirm"]);
  const left = stage({ preview: fail("unreachable") });
  await left.flow.clear();
  assert.deepEqual(left.seen, ["counting", "failed"]);
});
