import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/history_api.mjs";
import { Asking } from "#ui/panel/asking.mjs";
import { Deletions } from "#ui/panel/deletion_flow.mjs";

const STATUS = {
  version: "1", configured: true, source: "saved", last4: "a1b2", host: "x", running: null, finished: [], unresolved: [], problem: null,
  holds: [], lost_holds: [], hold_seconds: 10, can_cancel: true,
};
const ZERO = { deleted: 0, already_gone: 0, active: 0, protected: 0, failed: 0, unconfirmed: 0, not_attempted: 0 };
const deleted = (counts, jobs = {}, rest = {}) => ({
  kind: "delete", total: Object.values(counts).reduce((a, b) => a + b, 0), counts: { ...ZERO, ...counts }, jobs, stopped: false, report: "r", error: null, ...rest,
});
const CLEARED = { kind: "clear", outcome: "deleted", before: 12, removed: 12, listed: 0, active: 1, report: "", error: null };
const preview = (rest = {}) => ({ token: "t1", expires_in: 300, removable: 3, finished: 3, counts: {}, hold_seconds: 10, ...rest });
const hold = (rest = {}) => ({ id: "h1", kind: "delete", jobs: 3, ids: ["a", "b", "c"], seconds_left: 10, state: "holding", ...rest });
const fail = (code, extras) => new HistoryApiError({ code, message: code }, extras);
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Gives the listed values one after the other, the last one for ever; errors are thrown. */
function script(values) {
  const queue = [values].flat();
  return async () => {
    const next = queue.length > 1 ? queue.shift() : queue[0];
    const value = typeof next === "function" ? await next() : next;
    if (value instanceof Error) throw value;
    return value;
  };
}

/** A stage with a scripted server, a person who answers each step, and a clock that only moves when told. */
function stage({ status = STATUS, preview: previews = preview(), send = { hold: hold() }, undo = { hold: hold({ state: "undone" }) }, person = {}, stop = {}, hidden = false, canAct = true, shown: panel = true } = {}) {
  let time = 0;
  const timers = [];
  const [seen, tokens, shown, said, opened] = [[], [], [], [], []];
  let current = status;
  const answers = Object.fromEntries(Object.entries({ confirm: "yes", ...person }).map(([step, value]) => [step, script(value)]));
  const step = (name) => async () => {
    seen.push(name);
    return answers[name] ? answers[name]() : null;
  };
  const [roses, whys] = [[], []];
  const sending = script(send);
  const previewing = script(previews);
  const question = (kind) => ({
    kind,
    preview: previewing,
    count: (p) => p.removable,
    send: (token) => (tokens.push(token), sending()),
    steps: { counting: step("counting"), confirm: (frame, p, st, rose) => (roses.push(rose), step("confirm")()), nothing: step("nothing") },
  });
  let open = null;
  const dialogs = {
    async exclusive(talk) {
      if (open) return void seen.push("focused");
      open = { isOpen: () => Boolean(open), close: () => (open = null), focus: () => undefined, show: async () => null };
      try {
        return await talk(open);
      } finally {
        open = null;
      }
    },
  };
  const [stopped, unseen, stopping] = [[], [], script(stop)];
  const statuses = { looks: 0, read: 0 };
  const api = {
    status: async () => {
      statuses.looks += 1;
      const value = typeof current === "function" ? current() : current;
      if (value instanceof Error) throw value;
      return value;
    },
    undo: script(undo),
    stop: async (operation) => (stopped.push(operation), stopping()),
  };
  const now = () => time;
  const targets = [];
  const asking = new Asking({ api, dialogs, now, connect: { askForKey: step("askForKey") }, steps: { tooOld: (frame, why) => (whys.push(why), step("tooOld")()), busy: step("busy"), failed: step("failed") } });
  const flow = new Deletions({
    api, asking, now,
    questions: { clear: question("clear"), remove: (target) => (targets.push(target), question("delete")) },
    toasts: {
      canAct: () => canAct,
      tell: (kind, { title }) => shown.push([kind, title]),
      slot: () => ({ show: (kind, message) => shown.push([kind, message.title, message]), update: (kind, { title }) => shown.push([kind, title]), dismiss: () => shown.push(["dismissed"]) }),
    },
    schedule: (run, milliseconds) => timers.push({ at: time + milliseconds, run }),
    openPanel: () => opened.push(1),
    onResult: () => (statuses.read += 1),
    whenSeen: (run) => void (hidden ? unseen.push(run) : run()),
  });
  if (panel) flow.follow({ render: () => undefined, say: (text, urgent) => said.push(urgent ? `!${text}` : text), held: () => undefined });
  return {
    flow, seen, tokens, shown, said, targets, opened, timers, statuses, stopped, roses, whys,
    seePage: () => unseen.splice(0).forEach((run) => run()),
    titles: () => shown.map(([kind, title]) => `${kind}: ${title}`),
    last: () => shown.at(-1),
    leave: () => (open = null),
    setTime: (to) => (time = to),
    set: (next) => (current = next),
    /** Lets time pass, running what falls due. */
    async pass(milliseconds) {
      const end = time + milliseconds;
      for (;;) {
        const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers.splice(timers.indexOf(due), 1);
        time = due.at;
        due.run();
        await settled();
      }
      time = end;
    },
  };
}

const row = (id, status = "completed") => ({ id, status });

test("what was confirmed is held, its rows leave, and Undo brings them back", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a", "b", "c"] });
  assert.deepEqual(it.seen, ["counting", "confirm"]);
  assert.deepEqual(it.tokens, ["t1"]);
  assert.deepEqual(it.titles(), ["info: Removing 3 jobs in 10 s"]);
  assert.equal(it.flow.hides(row("a")), true);
  assert.equal(it.flow.hides(row("z")), false);
  assert.equal(it.flow.undo(), true);
  await settled();
  assert.deepEqual(it.last().slice(0, 2), ["info", "Nothing was deleted"]);
  assert.equal(it.flow.hides(row("a")), false);
  assert.equal(it.flow.undo(), false, "nothing is left to undo");
});

test("the seconds are the server’s, counted down, told at the start and at five", async () => {
  const it = stage({ send: { hold: hold({ seconds_left: 9.2 }) }, status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  const [entry] = it.flow.state().holding;
  const counted = [it.flow.secondsLeft(entry)];
  for (let i = 0; i < 9; i += 1) {
    await it.pass(1000);
    counted.push(it.flow.secondsLeft(entry));
  }
  assert.deepEqual(counted, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(it.titles(), ["info: Removing 3 jobs in 10 s", "info: Removing 3 jobs in 5 s"]);
  assert.deepEqual(it.said, ["Removing 3 jobs in 10 seconds. Control Z to undo.", "5 seconds left to undo."]);
  await it.pass(300);
  assert.deepEqual([it.flow.state().holding.length, it.flow.state().running.length], [0, 1]);
  assert.deepEqual(it.last(), ["loading", "Deleting jobs… 0 of 3"]);
});

test("the server’s clock corrects the page’s", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.adopt({ ...STATUS, holds: [hold({ seconds_left: 3 })] });
  assert.equal(it.flow.secondsLeft(it.flow.state().holding[0]), 3);
});

test("progress and the result come by event; a full success leaves by itself", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.progressed({ operation: "h1", hold: "h1", kind: "delete", node: null, phase: "sending", done: 1, total: 3 });
  it.flow.progressed({ operation: "h1", hold: "h1", kind: "delete", node: null, phase: "checking", done: 3, total: 3 });
  it.flow.changed({ operation: "h1", kind: "delete", result: deleted({ deleted: 3 }) });
  assert.deepEqual(it.titles().slice(1), ["loading: Deleting jobs… 1 of 3", "loading: Checking what is gone…", "success: 3 jobs removed from your cloud history"]);
  assert.equal(it.flow.state().results.length, 1);
  assert.equal(it.flow.hides(row("a")), true, "what is gone does not come back while an older list is shown");
  await it.pass(10_000);
  assert.equal(it.flow.state().results.length, 0);
  assert.equal(it.flow.hides(row("a")), true);
});

test("every outcome but a full success stays, is no success, and gives back what is still there", async () => {
  const jobs = { b: { outcome: "failed", why: "server error (500)" }, c: { outcome: "already_gone", why: "" } };
  const cases = [
    [deleted({ deleted: 1, failed: 1, already_gone: 1 }, jobs), "warning: 1 of 3 jobs removed"],
    [deleted({ failed: 3 }, { a: jobs.b, b: jobs.b, c: jobs.b }), "error: No job was removed"],
    [deleted({ unconfirmed: 3 }, { a: { outcome: "unconfirmed", why: "" } }), "warning: Outcome unknown: 3 jobs"],
    [deleted({ deleted: 1, not_attempted: 2 }, { b: { outcome: "not_attempted", why: "you stopped it" } }, { stopped: true }), "warning: Stopped: 1 of 3 jobs removed"],
    [deleted({ already_gone: 3 }), "warning: No job was removed"],
  ];
  for (const [result, told] of cases) {
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.flow.changed({ operation: "o", hold: "h1", kind: "delete", node: null, result });
    assert.equal(it.titles().at(-1), told);
    assert.match(it.said.at(-1), /^!/, "told at once");
    await it.pass(60_000);
    assert.equal(it.flow.state().results.length, 1, told);
  }
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.changed({ operation: "h1", kind: "delete", result: cases[0][0] });
  assert.deepEqual(["a", "b", "c"].map((id) => it.flow.hides(row(id))), [true, false, true]);
  assert.equal(it.flow.markOf("b").word, "Not removed");
  assert.equal(it.flow.markOf("c"), undefined);
});

test("trying again asks anew for what may still go, and keeps the result until that is confirmed", async () => {
  const it = stage({ person: { confirm: ["yes", null, "yes"] }, send: [{ hold: hold() }, { hold: hold({ id: "h2" }) }] });
  await it.flow.remove({ ids: ["a"] });
  it.flow.changed({ operation: "h1", kind: "delete", result: deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: "" } }) });
  const [entry] = it.flow.state().results;
  await it.flow.tryAgain(entry);
  assert.equal(it.flow.state().results.length, 1, "the person left");
  await it.flow.tryAgain(entry);
  assert.equal(it.flow.state().results.length, 0);
  assert.deepEqual(it.targets.slice(1), [{ ids: ["b"] }, { ids: ["b"] }]);
});

test("too late to undo is said, and the result follows", async () => {
  const it = stage({ undo: fail("too_late"), status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  assert.deepEqual(it.last().slice(0, 2), ["error", "Too late to undo"]);
  assert.equal(it.flow.state().running.length, 1);
  it.flow.changed({ operation: "h1", kind: "delete", result: deleted({ deleted: 3 }) });
  assert.equal(it.titles().at(-1), "success: 3 jobs removed from your cloud history");
});

test("an undo that ComfyUI leaves unanswered is not called done", async () => {
  const it = stage({ undo: fail("comfyui_away") });
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  assert.deepEqual(it.last().slice(0, 2), ["error", "It could not be undone"]);
  assert.equal(it.flow.state().holding.length, 1);
});

test("what was undone does not come back with a status that was asked for before", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  it.flow.adopt({ ...STATUS, holds: [hold(), hold({ id: "h2", ids: ["d"] })] });
  assert.deepEqual(it.flow.state().holding.map((entry) => entry.hold), ["h2"]);
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("d"))], [false, true]);
});

test("several holds run side by side; undo takes the newest first", async () => {
  const it = stage({ send: [{ hold: hold() }, { hold: hold({ id: "h2", ids: ["d"], jobs: 1 }) }] });
  await it.flow.remove({ ids: ["a"] });
  await it.flow.remove({ ids: ["d"] });
  assert.deepEqual(it.flow.state().holding.map((entry) => entry.hold), ["h2", "h1"]);
  it.flow.undo();
  await settled();
  assert.deepEqual(it.flow.state().holding.map((entry) => entry.hold), ["h1"]);
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("d"))], [true, false]);
});

test("a hold of another window is shown and can be undone, without toasts", async () => {
  const it = stage();
  it.flow.adopt({ ...STATUS, holds: [hold()] });
  assert.equal(it.flow.state().holding.length, 1);
  assert.deepEqual(it.shown, []);
  it.flow.changed({ operation: "h1", hold: "h1", kind: "delete", node: null, result: null, undone: true });
  assert.equal(it.flow.state().holding.length, 0);
  assert.deepEqual(it.shown, []);
});

test("the event of our own hold may come before its answer: there is one card, not two", async () => {
  const it = stage({ send: () => (it.flow.adopt({ ...STATUS, holds: [hold()] }), { hold: hold() }) });
  await it.flow.remove({ ids: ["a"] });
  assert.equal(it.flow.state().holding.length, 1);
  assert.equal(it.flow.state().holding[0].mine, true);
});

test("when events are missed the status is looked at until the result is there", async () => {
  const it = stage({ status: { ...STATUS, finished: [{ operation: "old", result: deleted({ deleted: 99 }) }] } });
  await it.flow.remove({ ids: ["a"] });
  it.set({ ...STATUS, holds: [hold({ state: "sending" })], finished: [{ operation: "old", result: deleted({ deleted: 99 }) }] });
  await it.pass(30_000);
  assert.equal(it.flow.state().running.length, 1, "an older result is not taken for this one");
  it.set({ ...STATUS, finished: [{ operation: "other", result: deleted({ deleted: 50 }) }, { operation: "h1", result: deleted({ deleted: 3 }) }] });
  await it.pass(5_000);
  assert.equal(it.titles().at(-1), "success: 3 jobs removed from your cloud history");
  assert.equal(it.statuses.read, 1, "the list is read again");
});

test("a deletion that leaves no trace, or that a stop cut short, is never called a success", async () => {
  const cases = [
    [STATUS, "warning: Outcome unknown"],
    [{ ...STATUS, unresolved: [{ operation: "h1", kind: "delete", asked: 3, origin: "menu", started_at: "" }] }, "warning: Outcome unknown: 3 jobs"],
    [{ ...STATUS, lost_holds: [{ id: "h1", kind: "delete", jobs: 3, ids: [] }] }, "warning: A deletion was not sent"],
    [fail("comfyui_away"), "warning: Outcome unknown"],
  ];
  for (const [status, told] of cases) {
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.set(status);
    await it.pass(10_000 + 31 * 4_000);
    assert.equal(it.titles().at(-1), told);
    assert.equal(it.flow.hides(row("a")), false, "the rows are back");
    assert.equal(it.timers.length, 0, "and it looks no more");
  }
});

test("nothing is looked at while nothing is open", async () => {
  const it = stage();
  it.flow.adopt(STATUS);
  await it.pass(60_000);
  assert.equal(it.statuses.looks, 0);
});

test("when the answer to the confirmation is lost, the hold or the result is found; else it is unknown", async () => {
  const held = stage({ send: fail("comfyui_away") });
  held.set(() => (held.tokens.length ? { ...STATUS, holds: [hold()] } : STATUS));
  await held.flow.remove({ ids: ["a"] });
  assert.equal(held.flow.state().holding.length, 1);
  assert.equal(held.titles().at(-1), "info: Removing 3 jobs in 10 s");

  const told = stage({ send: () => (told.flow.adopt({ ...STATUS, holds: [hold()] }), fail("comfyui_away")) });
  told.set(() => (told.tokens.length ? { ...STATUS, holds: [hold()] } : STATUS));
  await told.flow.remove({ ids: ["a"] });
  assert.deepEqual(told.flow.state().holding.map((entry) => entry.mine), [true], "an event had told of it");

  const done = stage({ send: fail("strange_answer"), preview: preview({ hold_seconds: 0 }) });
  done.set(() => (done.tokens.length ? { ...STATUS, finished: [{ operation: "n", result: deleted({ deleted: 3 }) }] } : STATUS));
  await done.flow.remove({ ids: ["a"] });
  assert.equal(done.titles().at(-1), "success: 3 jobs removed from your cloud history");

  for (const code of ["comfyui_away", "strange_answer", "internal"]) {
    const lost = stage({ send: fail(code) });
    await lost.flow.remove({ ids: ["a"] });
    assert.equal(lost.titles().at(-1), "warning: Outcome unknown", code);
    assert.equal(lost.tokens.length, 1, "not sent again");
  }
});

test("without a hold it is sent at once, and one at a time", async () => {
  const it = stage({ preview: preview({ hold_seconds: 0 }), send: { operation: "o", state: "running" }, status: { ...STATUS, hold_seconds: 0 } });
  await it.flow.clear();
  assert.deepEqual(it.titles(), ["loading: Clearing your cloud history…"]);
  await it.flow.clear();
  assert.deepEqual(it.seen, ["counting", "confirm", "busy"]);
  it.flow.changed({ operation: "o", kind: "clear", result: CLEARED });
  assert.equal(it.titles().at(-1), "success: 12 jobs removed from your cloud history");
  const quick = stage({ preview: preview({ hold_seconds: 0 }), send: { operation: "o", state: "done", result: CLEARED } });
  await quick.flow.clear();
  assert.equal(quick.titles().at(-1), "success: 12 jobs removed from your cloud history");
});

test("a clear hides what is finished, and what came of it shows in the list", async () => {
  const it = stage({ send: { hold: hold({ kind: "clear", ids: [] }) } });
  await it.flow.clear();
  assert.deepEqual([row("a"), row("b", "pending"), row("c", "unknown")].map(it.flow.hides), [true, false, false]);
  it.flow.changed({ operation: "h1", kind: "clear", result: { ...CLEARED, outcome: "partial", removed: 9, listed: 3 } });
  assert.equal(it.titles().at(-1), "warning: 9 jobs removed from your cloud history, 3 still listed");
  assert.equal(it.flow.hides(row("a")), false);
});

test("what nodes delete is told by the nodes", () => {
  const it = stage();
  it.flow.changed({ operation: "n", kind: "delete", result: deleted({ failed: 3 }) });
  it.flow.progressed({ operation: "n", hold: null, kind: "delete", node: "4", phase: "sending", done: 0, total: 3 });
  assert.deepEqual([it.shown, it.flow.entries], [[], []]);
});

test("where toasts have no buttons and no panel is shown, the panel is opened for its Undo", async () => {
  const opened = async (options) => {
    const it = stage(options);
    await it.flow.remove({ ids: ["a"] });
    return it.opened.length;
  };
  assert.equal(await opened({ canAct: false, shown: false }), 1);
  assert.equal(await opened({ canAct: false, shown: true }), 0);
  assert.equal(await opened({ canAct: true, shown: false }), 0);
});

test("nothing is sent when the person cancels, or nothing would go", async () => {
  const left = stage({ person: { confirm: null } });
  await left.flow.remove({ ids: ["a"] });
  assert.deepEqual([left.tokens, left.shown], [[], []]);
  const none = stage({ preview: preview({ removable: 0 }) });
  await none.flow.remove({ ids: ["a"] });
  assert.deepEqual([none.seen, none.tokens], [["counting", "nothing"], []]);
  const gone = stage({ preview: () => (gone.leave(), preview()) });
  await gone.flow.remove({ ids: ["a"] });
  assert.deepEqual([gone.seen, gone.tokens], [["counting"], []]);
});

test("without a key it asks for one first", async () => {
  const it = stage({ person: { askForKey: STATUS } });
  const statuses = [{ ...STATUS, configured: false }, STATUS];
  it.set(() => (statuses.length > 1 ? statuses.shift() : statuses[0]));
  await it.flow.remove({ ids: ["a"] });
  assert.deepEqual(it.seen, ["counting", "askForKey", "counting", "confirm"]);
});

test("a preview that grew too old is never sent; looking again sends the new one’s token", async () => {
  const aged = (person) => {
    const it = stage({ preview: [preview(), preview({ token: "t2" })], person: { ...person, confirm: [() => (it.setTime(300_000), "yes"), "yes"] } });
    return it;
  };
  const left = aged({});
  await left.flow.remove({ ids: ["a"] });
  assert.deepEqual([left.seen.at(-1), left.tokens, left.whys], ["tooOld", [], [undefined]]);
  const again = aged({ tooOld: "again" });
  await again.flow.remove({ ids: ["a"] });
  assert.deepEqual(again.tokens, ["t2"]);
});

test("a refusal to begin leads back to the question, or is an error", async () => {
  const expired = stage({ send: [fail("preview_expired"), { hold: hold() }], preview: [preview(), preview({ token: "t2" })], person: { tooOld: "again" } });
  await expired.flow.remove({ ids: ["a"] });
  assert.deepEqual([expired.tokens, expired.whys], [["t1", "t2"], ["preview_expired"]]);  // the server’s reason
  const rose = stage({ send: [fail("count_rose", { preview: preview({ token: "t2", finished: 14 }) }), { hold: hold({ kind: "clear", ids: [] }) }] });
  await rose.flow.clear();
  assert.deepEqual([rose.seen, rose.tokens], [["counting", "confirm", "confirm"], ["t1", "t2"]]);
  const busy = stage({ send: fail("busy", { origin: "node" }) });
  await busy.flow.remove({ ids: ["a"] });
  assert.deepEqual(busy.seen, ["counting", "confirm", "busy"]);
  for (const code of ["unauthorized", "server_fault", "state_unwritable", "some_new_code"]) {
    const it = stage({ send: fail(code) });
    await it.flow.remove({ ids: ["a"] });
    assert.equal(it.titles().at(-1), "error: No job was removed", code);
    assert.deepEqual(it.flow.entries, []);
  }
});

test("an error while looking offers to try again, and to replace the key", async () => {
  const retried = stage({ preview: [fail("unreachable"), preview()], person: { failed: "retry" } });
  await retried.flow.remove({ ids: ["a"] });
  assert.deepEqual(retried.seen, ["counting", "failed", "counting", "confirm"]);
  const replaced = stage({ preview: [fail("unauthorized"), preview()], person: { failed: "replace", askForKey: STATUS } });
  await replaced.flow.remove({ ids: ["a"] });
  assert.deepEqual(replaced.seen, ["counting", "failed", "askForKey", "counting", "confirm"]);
});

test("a deletion that runs stands in the way only where there is no hold to wait in", async () => {
  const running = { operation: "x", kind: "delete", origin: "node", started_at: "" };
  const none = stage({ status: { ...STATUS, running, hold_seconds: 0 } });
  await none.flow.remove({ ids: ["a"] });
  assert.deepEqual(none.seen, ["counting", "busy"]);
  const held = stage({ status: { ...STATUS, running } });
  await held.flow.remove({ ids: ["a"] });
  assert.deepEqual(held.seen, ["counting", "confirm"]);
});

const UNSENT = { outcome: "failed", before: null, removed: 0, listed: null, active: null, report: "r" };
const ROSE = { kind: "clear", ...UNSENT, error: { code: "count_rose", message: "2 more jobs have finished since you looked." } };

test("a deletion that ended before anything was sent can be tried again as a whole, and marks no row", async () => {
  for (const [code, told] of [["unauthorized", "error: No job was removed"], ["stopped", "warning: Stopped: 0 of 3 jobs removed"]]) {
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.flow.changed({ operation: "h1", kind: "delete", result: { ...deleted({ not_attempted: 3 }), ...UNSENT, error: { code, message: "m" } } });
    assert.equal(it.titles().at(-1), told);
    assert.deepEqual(it.flow.state().results[0].words.again, ["a", "b", "c"]);
    assert.deepEqual([it.flow.markOf("a"), it.flow.hides(row("a"))], [undefined, false]);
  }
});

test("the look before it sends is not called the look afterwards", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const at = (phase, done, total) => {
    it.flow.progressed({ operation: "h1", hold: "h1", kind: "delete", node: null, phase, done, total });
    return it.flow.state().running.map((entry) => [entry.phase, entry.done, entry.total]).flat();
  };
  assert.deepEqual(at("waiting", 0, 1), ["waiting", 0, 3]);
  assert.deepEqual(at("checking", 0, 1), ["sending", 0, 3]);
  assert.deepEqual(at("sending", 2, 3), ["sending", 2, 3]);
  assert.deepEqual(at("checking", 0, 3), ["checking", 0, 3]);
});

test("stopping is asked for once, and the result says how far it came", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.progressed({ operation: "h1", hold: "h1", kind: "delete", node: null, phase: "sending", done: 1, total: 3 });
  const [entry] = it.flow.state().running;
  await Promise.all([it.flow.stop(entry), it.flow.stop(entry)]);
  assert.deepEqual(it.stopped, ["h1"]);
  const jobs = { b: { outcome: "not_attempted", why: "you stopped it" }, c: { outcome: "not_attempted", why: "you stopped it" } };
  it.flow.changed({ operation: "h1", kind: "delete", result: deleted({ deleted: 1, not_attempted: 2 }, jobs, { stopped: true }) });
  assert.equal(it.titles().at(-1), "warning: Stopped: 1 of 3 jobs removed");
});

test("what could not be stopped can be stopped again; that it had ended is no news", async () => {
  for (const [code, told] of [["comfyui_away", "error: It could not be stopped"], ["invalid_request", "info: Removing 3 jobs in 10 s"]]) {
    const it = stage({ stop: fail(code) });
    await it.flow.remove({ ids: ["a"] });
    await it.flow.stop(it.flow.entries[0]);
    assert.equal(it.titles().at(-1), told);
    assert.equal(it.flow.entries[0].stopping, false);
  }
});

test("when more has finished by the end of the hold the person is asked again; nothing is sent without a yes", async () => {
  const clearing = { send: [{ hold: hold({ kind: "clear", ids: [] }) }, { hold: hold({ id: "h2", kind: "clear", ids: [] }) }], preview: [preview(), preview({ token: "t2" })] };
  const it = stage({ ...clearing, person: { confirm: ["yes", null, "yes"] } });
  await it.flow.clear();
  it.flow.changed({ operation: "h1", kind: "clear", result: ROSE });
  await settled();
  assert.deepEqual([it.seen, it.roses, it.tokens], [["counting", "confirm", "counting", "confirm"], [false, true], ["t1"]]);
  assert.deepEqual(it.last(), ["dismissed"]);
  assert.equal(it.flow.state().results[0].words.title, "Nothing was deleted", "it stays said, for the person left");

  const yes = stage(clearing);
  await yes.flow.clear();
  yes.flow.adopt({ ...STATUS, finished: [{ operation: "h1", result: ROSE }] });
  await settled();
  assert.deepEqual(yes.tokens, ["t1", "t2"]);
  assert.deepEqual(yes.flow.entries.map((entry) => entry.hold), ["h2"]);
});

test("nobody is asked again on a page that is not looked at, or that did not confirm it", async () => {
  const it = stage({ hidden: true, send: { hold: hold({ kind: "clear", ids: [] }) } });
  await it.flow.clear();
  it.flow.changed({ operation: "h1", kind: "clear", result: ROSE });
  await settled();
  assert.equal(it.roses.length, 1);
  it.seePage();
  await settled();
  assert.deepEqual(it.roses, [false, true]);
  const other = stage();
  other.flow.adopt({ ...STATUS, holds: [hold({ kind: "clear", ids: [] })] });
  other.flow.changed({ operation: "h1", kind: "clear", result: ROSE });
  await settled();
  assert.deepEqual([other.seen, other.titles()], [[], ["warning: Nothing was deleted"]]);
});

test("sent at once, the answer tells: an event that comes before it says nothing twice", async () => {
  const refuse = () => {
    it.flow.progressed({ operation: "o", hold: null, kind: "clear", node: null, phase: "checking", done: 0, total: 1 });
    it.flow.changed({ operation: "o", kind: "clear", result: ROSE });
    return fail("count_rose", { operation: "o", preview: preview({ token: "t2", hold_seconds: 0 }) });
  };
  const it = stage({ preview: preview({ hold_seconds: 0 }), send: [refuse, { operation: "p", state: "done", result: CLEARED }] });
  await it.flow.clear();
  assert.deepEqual([it.seen, it.roses, it.tokens], [["counting", "confirm", "confirm"], [false, true], ["t1", "t2"]]);
  assert.equal(it.titles().at(-1), "success: 12 jobs removed from your cloud history");
});

test("a clear that the server turned into a deletion by ids is one from its start to its end", async () => {
  const it = stage({ preview: preview({ kind: "delete" }) });
  await it.flow.clear();
  const [entry] = it.flow.state().holding;
  assert.equal(entry.kind, "delete");
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("z"))], [true, false], "the others are not said to go");
  it.flow.changed({ operation: "h1", hold: "h1", kind: "delete", node: null, result: deleted({ deleted: 2, protected: 1 }, { b: { outcome: "protected", why: "" } }) });
  assert.equal(it.flow.markOf("b").word, "Protected, kept");
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("b"))], [true, false]);
});

test("where something was protected in the last moment, a clear names what it left and hides nothing for good", async () => {
  const it = stage({ send: { hold: hold({ kind: "clear", ids: [] }) } });
  await it.flow.clear();
  assert.ok(it.flow.hides(row("kept")));
  it.flow.changed({ operation: "h1", hold: "h1", kind: "clear", node: null, result: deleted({ deleted: 2 }) });
  assert.ok(!it.flow.hides(row("kept")));
  assert.equal(it.titles().at(-1), "success: 2 jobs removed from your cloud history");
});

test("saving workflows is told as that, also after the clock has run out, and is not called deleting", async () => {
  const it = stage({ status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  await it.pass(11_000);
  const event = (phase, done) => it.flow.progressed({ operation: "h1", hold: "h1", kind: "delete", node: null, phase, done, total: 4 });
  it.said.length = 0;
  event("checking", 0);
  event("backing_up", 2);
  assert.equal(it.titles().at(-1), "loading: Backing up workflows… 2 of 4");
  assert.deepEqual(it.said, []);
  event("backing_up", 4);
  event("sending", 0);
  assert.equal(it.titles().at(-1), "loading: Deleting jobs… 0 of 4");
  event("sending", 2);
  assert.deepEqual(it.said, ["Deleting: 50 percent"]);
});

test("a deletion that sent nothing hides no job, and all of it can be tried again", async () => {
  const failed = { kind: "delete", outcome: "failed", report: "", error: { code: "state_unwritable", message: "disk full", hint: "", status: null, retry_after: null } };
  // A server may count such a deletion too, and name no job.
  for (const result of [failed, { ...deleted({ not_attempted: 3 }), ...failed }]) {
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.flow.changed({ operation: "h1", hold: "h1", kind: "delete", node: null, result });
    assert.deepEqual(["a", "b", "c"].map((id) => it.flow.hides(row(id))), [false, false, false]);
    assert.equal(it.titles().at(-1), "error: No job was removed");
    assert.deepEqual(it.flow.state().results[0].words.again, ["a", "b", "c"]);
  }
});

test("what a list still names that was begun long enough after the result is there", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const before = it.flow.reading();
  it.flow.changed({ operation: "h1", hold: "h1", kind: "delete", node: null, result: deleted({ deleted: 3 }) });
  await it.pass(9_999);
  const soon = it.flow.reading();
  await it.pass(1);
  const late = it.flow.reading();
  const listed = new Set(["a"]);
  before(listed);
  soon(listed);
  assert.equal(it.flow.hides(row("a")), true, "the list may be older than the deletion");
  late(listed);
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("b"))], [false, true]);
});
