import assert from "node:assert/strict";
import { test } from "node:test";
import { doingOf } from "#ui/deletion/entries.mjs";
import { CLEARED, ROSE, STATUS, deleted, fail, hold, preview, row, settled, stage } from "./stage.js";

test("a confirmed deletion starts a hold and hides its rows, and Undo shows them again", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a", "b", "c"] });
  assert.deepEqual(it.seen, ["counting", "confirm"]);
  assert.deepEqual(it.tokens, ["t1"]);
  assert.deepEqual(it.titles(), ["info: Removing 3 jobs at 00:00:10"]);
  assert.equal(it.flow.hides(row("a")), true);
  assert.equal(it.flow.hides(row("z")), false);
  assert.equal(it.flow.undo(), true);
  await settled();
  assert.deepEqual(it.last().slice(0, 2), ["info", "Nothing was deleted"]);
  assert.equal(it.flow.hides(row("a")), false);
  assert.equal(it.flow.undo(), false, "nothing is left to undo");
});

test("the hold counts down the server's seconds, and is announced at the start and at five seconds", async () => {
  const it = stage({ shown: true, send: { hold: hold({ seconds_left: 9.2 }) }, status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  const [entry] = it.flow.state().holding;
  const counted = [it.flow.secondsLeft(entry)];
  for (let i = 0; i < 9; i += 1) {
    await it.pass(1000);
    counted.push(it.flow.secondsLeft(entry));
  }
  assert.deepEqual(counted, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual(it.said, ["Removing 3 jobs in 10 seconds. Control Z to undo.", "5 seconds left to undo."]);
  await it.pass(300);
  assert.deepEqual([it.flow.state().holding.length, it.flow.state().running[0].phase], [0, "due"]);
  await it.pass(2_000);
  assert.equal(it.flow.state().running[0].phase, "sending");
  assert.deepEqual(it.titles(), [], "the card in the panel speaks, and no toast");
});

test("a short hold is not announced a second time with more seconds than it has", async () => {
  const it = stage({ shown: true, send: { hold: hold({ seconds_left: 3 }) } });
  await it.flow.remove({ ids: ["a"] });
  await it.pass(2_000);
  assert.deepEqual(it.said, ["Removing 3 jobs in 3 seconds. Control Z to undo."]);
});

test("a status with fewer seconds shortens the countdown", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.adopt({ ...STATUS, holds: [hold({ seconds_left: 3 })] });
  assert.equal(it.flow.secondsLeft(it.flow.state().holding[0]), 3);
});

test("an undo after the hold says that it is too late, and the result follows", async () => {
  const it = stage({ undo: fail("too_late"), status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  assert.deepEqual(it.last().slice(0, 2), ["error", "Too late to undo"]);
  assert.equal(it.flow.state().running.length, 1);
  it.ended("h1", deleted({ deleted: 3 }));
  assert.equal(it.titles().at(-1), "success: 3 jobs removed from your cloud history");
});

test("an undo without an answer is not reported as done", async () => {
  const it = stage({ undo: fail("comfyui_away") });
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  assert.deepEqual(it.last().slice(0, 2), ["error", "It could not be undone"]);
  assert.equal(it.flow.state().holding.length, 1);
});

test("an undone hold does not reappear with an older status", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  it.flow.adopt({ ...STATUS, holds: [hold(), hold({ id: "h2", ids: ["d"] })] });
  assert.deepEqual(it.flow.state().holding.map((entry) => entry.hold), ["h2"]);
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("d"))], [false, true]);
});

test("several holds can run at once, and Undo undoes the newest first", async () => {
  const it = stage({ send: [{ hold: hold() }, { hold: hold({ id: "h2", ids: ["d"], jobs: 1 }) }] });
  await it.flow.remove({ ids: ["a"] });
  await it.flow.remove({ ids: ["d"] });
  assert.deepEqual(it.flow.state().holding.map((entry) => entry.hold), ["h2", "h1"]);
  it.flow.undo();
  await settled();
  assert.deepEqual(it.flow.state().holding.map((entry) => entry.hold), ["h1"]);
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("d"))], [true, false]);
});

test("a hold from another window is shown and can be undone, without toasts", async () => {
  const it = stage();
  it.flow.adopt({ ...STATUS, holds: [hold()] });
  assert.equal(it.flow.state().holding.length, 1);
  assert.deepEqual(it.shown, []);
  it.flow.adopt({ ...STATUS, undone: ["h1"] });
  assert.equal(it.flow.state().holding.length, 0);
  assert.deepEqual(it.shown, []);
});

test("if the event of a hold arrives before the answer, only one card is shown", async () => {
  const it = stage({ send: () => (it.flow.adopt({ ...STATUS, holds: [hold()] }), { hold: hold() }) });
  await it.flow.remove({ ids: ["a"] });
  assert.equal(it.flow.state().holding.length, 1);
  assert.equal(it.flow.state().holding[0].mine, true);
});

test("an event requests the status, and all events meanwhile share one more request", async () => {
  const it = stage();
  it.set({ ...STATUS, holds: [hold()] });
  for (let times = 0; times < 5; times += 1) void it.flow.refresh();
  await it.flow.refresh();
  assert.equal(it.statuses.looks, 2);
  assert.equal(it.flow.state().holding.length, 1);
  assert.deepEqual([it.flow.follows("h1"), it.flow.follows("h2"), it.flow.follows(null)], [true, false, false]);
  it.set(fail("comfyui_away"));
  await it.flow.refresh();
  it.set(STATUS);
  await it.flow.refresh();
  assert.equal(it.statuses.looks, 4, "status requests go on after a failed one");
});

test("the list learns when the jobs of a deletion begin to be sent, and when they are looked for", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const seen = [];
  it.flow.subscribe(() => seen.push(doingOf(it.flow.entries[0])));
  for (const [phase, done] of [["backing_up", 1], ["sending", 0], ["sending", 1], ["checking", 0]]) it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase, done, total: 3, ...(phase === "checking" && { sent: true }) });
  assert.deepEqual(seen, ["sending", "checking"]);
});

test("an event requests the progress, and all events meanwhile share one more request", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.setProgress([{ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 3 }]);
  for (let times = 0; times < 50; times += 1) void it.flow.readProgress();
  await it.flow.readProgress();
  assert.equal(it.statuses.progress, 2);
  assert.equal(it.titles().at(-1), "loading: Deleting jobs… 1 of 3");
  it.setProgress(fail("comfyui_away"));
  await it.flow.readProgress();
  assert.equal(it.titles().at(-1), "loading: Deleting jobs… 1 of 3");
});

test("without an open deletion, no status is requested", async () => {
  const it = stage();
  it.flow.adopt(STATUS);
  await it.pass(60_000);
  assert.equal(it.statuses.looks, 0);
});

test("a delayed answer does not extend the hold", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  await it.pass(6_000);
  it.flow.adopt({ ...STATUS, holds: [hold({ seconds_left: 9 })] });
  const [entry] = it.flow.state().holding;
  assert.equal(it.flow.secondsLeft(entry), 4);
  it.flow.adopt({ ...STATUS, holds: [hold({ seconds_left: 2 })] });
  assert.equal(it.flow.secondsLeft(entry), 2, "fewer seconds from the server shorten the hold");
});

test("without a hold, a deletion is sent at once, and a second one is refused while it runs", async () => {
  const it = stage({ preview: preview({ operation: "o", hold_seconds: 0 }), send: { operation: "o", state: "running" }, status: { ...STATUS, hold_seconds: 0 } });
  await it.flow.clear();
  assert.deepEqual(it.titles(), ["loading: Looking at the jobs first…"], "nothing is sent before they are looked up");
  await it.flow.clear();
  assert.deepEqual(it.seen, ["counting", "confirm", "busy"]);
  it.ended("o", CLEARED);
  assert.equal(it.titles().at(-1), "success: 12 jobs removed from your cloud history");
  const quick = stage({ preview: preview({ operation: "o", hold_seconds: 0 }), send: { operation: "o", state: "done", result: CLEARED } });
  await quick.flow.clear();
  assert.equal(quick.titles().at(-1), "success: 12 jobs removed from your cloud history");
});

test("a clear hides the finished jobs until its result arrives", async () => {
  const it = stage({ send: { hold: hold({ kind: "clear", ids: [] }) } });
  await it.flow.clear();
  assert.deepEqual([row("a"), row("b", "pending"), row("c", "unknown")].map(it.flow.hides), [true, false, false]);
  it.ended("h1", { ...CLEARED, outcome: "partial", removed: 9, listed: 3 });
  assert.equal(it.titles().at(-1), "warning: 9 jobs removed from your cloud history, 3 still listed");
  assert.equal(it.flow.hides(row("a")), false);
});

test("a toast that cannot be replaced shows no count, because it would stay beside the result", async () => {
  const titles = async (canAct) => {
    const it = stage({ canAct });
    await it.flow.remove({ ids: ["a", "b"] });
    await it.pass(10_000);
    it.setProgress([{ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 3 }]);
    await it.flow.readProgress();
    return it.titles().filter((title) => title.startsWith("loading"));
  };
  assert.deepEqual(await titles(true), ["loading: Deleting jobs… 1 of 3"]);
  const still = await titles(false);
  assert.ok(still.length);
  for (const title of still) assert.doesNotMatch(title, /\d/);
});

test("if toasts have no buttons and the panel is closed, a hold opens the panel for its Undo", async () => {
  const opened = async (options) => {
    const it = stage(options);
    await it.flow.remove({ ids: ["a"] });
    return it.opened.length;
  };
  assert.equal(await opened({ canAct: false, shown: false }), 1);
  assert.equal(await opened({ canAct: false, shown: true }), 0);
  assert.equal(await opened({ canAct: true, shown: false }), 0);
});

test("each toast with a button also has the sentence that an old frontend shows instead", async () => {
  const of = async (end, options = {}) => {
    const it = stage(options);
    await it.flow.remove({ ids: ["a"] });
    await end(it);
    const { action, detail } = it.last()[2];
    return [action.label, action.elsewhere, detail.includes("Open Cloud history")];
  };
  const running = { status: { ...STATUS, holds: [hold({ state: "sending" })] } };
  assert.deepEqual(await of(() => undefined), ["Undo", "Open Cloud history to undo it.", false]);
  assert.deepEqual(await of((it) => it.flow.lostTouch()), ["Undo", "Open Cloud history to undo it.", false]);
  assert.deepEqual(await of((it) => it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 3 }), running), ["Stop", "Open Cloud history to stop it.", false]);
  assert.deepEqual(await of((it) => it.ended("h1", deleted({ failed: 3 }, { a: { outcome: "failed", why: null } }))), ["Try again", "Open Cloud history to try again.", false]);
  assert.deepEqual(await of((it) => it.ended("h1", deleted({ deleted: 2, unconfirmed: 1 }, { a: { outcome: "unconfirmed", why: null } }))), ["Show", "Open Cloud history to see the list.", false]);
});

test("once ComfyUI answers again, the toast of a running deletion is no warning any more and can stop it", async () => {
  const it = stage({ status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  const sending = { operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 100 };
  it.flow.applyProgress(sending);
  it.flow.lostTouch();
  assert.equal(it.titles().at(-1), "warning: ComfyUI doesn’t answer");
  it.flow.applyProgress(sending);
  assert.equal(it.titles().at(-1), "loading: Deleting jobs… 1 of 100");
  assert.equal(it.last()[2].action.label, "Stop");
});

test("nothing is sent if the person cancels or no job can be deleted", async () => {
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

test("without an API key, a deletion first asks for one", async () => {
  const it = stage({ person: { askForKey: STATUS } });
  const statuses = [{ ...STATUS, configured: false }, STATUS];
  it.set(() => (statuses.length > 1 ? statuses.shift() : statuses[0]));
  await it.flow.remove({ ids: ["a"] });
  assert.deepEqual(it.seen, ["counting", "askForKey", "counting", "confirm"]);
});

test("if the server would not use an entered key, a deletion shows the problem instead of asking for a key", async () => {
  const problem = { code: "many_users", message: "m", hint: "h" };
  const it = stage({ status: { ...STATUS, configured: false, can_connect: false, problem } });
  await it.flow.remove({ ids: ["a"] });
  assert.deepEqual(it.seen, ["counting", "failed"]);
});

test("the token of an expired preview is never sent; Look again sends the token of the new preview", async () => {
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

test("a refused deletion shows the confirmation again, or an error", async () => {
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
    assert.deepEqual(it.flow.entries.map(({ phase }) => phase), ["done"], "its card stays until it is dismissed");
  }
});

test("a failed preview offers to try again or to replace the key", async () => {
  const retried = stage({ preview: [fail("unreachable"), preview()], person: { failed: "retry" } });
  await retried.flow.remove({ ids: ["a"] });
  assert.deepEqual(retried.seen, ["counting", "failed", "counting", "confirm"]);
  const replaced = stage({ preview: [fail("unauthorized"), preview()], person: { failed: "replace", askForKey: STATUS } });
  await replaced.flow.remove({ ids: ["a"] });
  assert.deepEqual(replaced.seen, ["counting", "failed", "askForKey", "counting", "confirm"]);
});

test("a running deletion blocks a new one only without a hold", async () => {
  const running = { operation: "x", kind: "delete", origin: "node", started_at: "" };
  const none = stage({ status: { ...STATUS, running, hold_seconds: 0 } });
  await none.flow.remove({ ids: ["a"] });
  assert.deepEqual(none.seen, ["counting", "busy"]);
  const held = stage({ status: { ...STATUS, running } });
  await held.flow.remove({ ids: ["a"] });
  assert.deepEqual(held.seen, ["counting", "confirm"]);
});

test("if more jobs have finished by the end of the hold, nothing is sent until the person confirms again", async () => {
  const clearing = { send: [{ hold: hold({ kind: "clear", ids: [] }) }, { hold: hold({ id: "h2", kind: "clear", ids: [] }) }], preview: [preview(), preview({ token: "t2" })] };
  const it = stage({ ...clearing, person: { confirm: ["yes", null, "yes"] } });
  await it.flow.clear();
  it.ended("h1", ROSE);
  await settled();
  assert.deepEqual([it.seen, it.roses, it.tokens], [["counting", "confirm", "counting", "confirm"], [false, true], ["t1"]]);
  assert.deepEqual(it.last(), ["dismissed"]);
  assert.equal(it.flow.state().results[0].words.title, "Nothing was deleted", "the result stays if the person cancels");

  const yes = stage(clearing);
  await yes.flow.clear();
  yes.flow.adopt({ ...STATUS, finished: [{ operation: "h1", result: ROSE }] });
  await settled();
  assert.deepEqual(yes.tokens, ["t1", "t2"]);
  assert.deepEqual(yes.flow.entries.map((entry) => entry.hold), ["h2"]);
});

test("only a visible page that confirmed the deletion asks again", async () => {
  const it = stage({ hidden: true, send: { hold: hold({ kind: "clear", ids: [] }) } });
  await it.flow.clear();
  it.ended("h1", ROSE);
  await settled();
  assert.equal(it.roses.length, 1);
  it.seePage();
  await settled();
  assert.deepEqual(it.roses, [false, true]);
  const other = stage();
  other.flow.adopt({ ...STATUS, holds: [hold({ kind: "clear", ids: [] })] });
  other.ended("h1", ROSE);
  await settled();
  assert.deepEqual([other.seen, other.titles()], [[], ["warning: Nothing was deleted"]]);
});

test("the backup choice of one deletion is not kept for the next", async () => {
  const { flow, requests } = stage();
  await flow.clear();
  requests[0].backup = true;
  flow.drop(flow.entries[0]);
  await flow.clear();
  assert.deepEqual(requests.map(({ selection, backup }) => [selection, backup]), [[{ clear: true }, true], [{ clear: true }, undefined]]);
});
