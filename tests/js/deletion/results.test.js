import assert from "node:assert/strict";
import { test } from "node:test";
import { words } from "#ui/common/words.mjs";
import { shownPhase } from "#ui/deletion/entries.mjs";
import { leftWord } from "#ui/deletion/result_strings.mjs";
import { CLEARED, ROSE, STATUS, UNSENT, deleted, fail, hold, preview, row, stage } from "./stage.js";

test("events bring the progress and the result, and the card of a full success closes by itself", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 3 });
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "checking", done: 3, total: 3 });
  it.ended("h1", deleted({ deleted: 3 }));
  assert.deepEqual(it.titles().slice(1), ["loading: Deleting jobs… 1 of 3", "loading: Checking what is gone…", "success: 3 jobs removed from your cloud history"]);
  assert.equal(it.flow.state().results.length, 1);
  assert.equal(it.flow.hides(row("a")), true, "removed jobs stay hidden while an older list is shown");
  await it.pass(10_000);
  assert.equal(it.flow.state().results.length, 0);
  assert.equal(it.flow.hides(row("a")), true);
});

test("a result with jobs left is not a success, stays, and shows the remaining rows again", async () => {
  const jobs = { b: { outcome: "failed", why: { code: "", values: {}, text: "server error (500)" } }, c: { outcome: "already_gone", why: null } };
  const cases = [
    [deleted({ deleted: 1, failed: 1, already_gone: 1 }, jobs), "warning: 1 of 3 jobs removed"],
    [deleted({ failed: 3 }, { a: jobs.b, b: jobs.b, c: jobs.b }), "error: No job was removed"],
    [deleted({ unconfirmed: 3 }, { a: { outcome: "unconfirmed", why: null } }), "warning: Outcome unknown: 3 jobs"],
    [deleted({ deleted: 1, not_attempted: 2 }, { b: { outcome: "not_attempted", why: { code: "", values: {}, text: "the deletion was stopped" } } }, { stopped: true }), "warning: Stopped: 1 of 3 jobs removed"],
    [deleted({ already_gone: 3 }), "warning: No job was removed"],
  ];
  for (const [result, told] of cases) {
    const open = stage({ shown: true });
    await open.flow.remove({ ids: ["a"] });
    open.ended("h1", result);
    assert.match(open.said.at(-1), /^!/, "the result is announced as urgent");
    assert.deepEqual(open.titles(), []);
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.ended("h1", result);
    assert.equal(it.titles().at(-1), told);
    await it.pass(60_000);
    assert.equal(it.flow.state().results.length, 1, told);
  }
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.ended("h1", cases[0][0]);
  assert.deepEqual(["a", "b", "c"].map((id) => it.flow.hides(row(id))), [true, false, true]);
  assert.equal(it.flow.markOf("b").word, "Not removed");
  assert.equal(it.flow.markOf("c"), undefined);
});

test("Try again previews the remaining jobs, and keeps the result until they are confirmed", async () => {
  const it = stage({ person: { confirm: ["yes", null, "yes"] }, send: [{ hold: hold() }, { hold: hold({ id: "h2" }) }] });
  await it.flow.remove({ ids: ["a"] });
  it.ended("h1", deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: null } }));
  const [entry] = it.flow.state().results;
  await it.flow.tryAgain(entry);
  assert.equal(it.flow.state().results.length, 1, "the result stays if the person cancels");
  await it.flow.tryAgain(entry);
  assert.equal(it.flow.state().results.length, 0);
  assert.deepEqual(it.targets.slice(1), Array(2).fill({ ids: ["b"], account: "ours" }));
});

test("Try again on a deletion from another tab uses the account of that deletion", async () => {
  const it = stage();
  it.flow.adopt({ ...STATUS, holds: [hold({ account: "theirs" })] });
  it.ended("h1", deleted({ failed: 1 }, { b: { outcome: "failed", why: null } }));
  await it.flow.tryAgain(it.flow.state().results[0]);
  assert.deepEqual(it.targets, [{ ids: ["b"], account: "theirs" }]);
});

test("jobs of another account are reported as such, not as gone, and the list is read again", async () => {
  const it = stage({ preview: fail("account_changed"), person: { failed: null } });
  await it.flow.remove({ ids: ["a"], account: "theirs" });
  assert.deepEqual(it.seen, ["counting", "failed"]);
  assert.equal(it.statuses.otherAccount, true);
  assert.equal(it.tokens.length, 0);
});

test("if events are missed, the status is requested until it has the result", async () => {
  const it = stage({ status: { ...STATUS, finished: [{ operation: "old", result: deleted({ deleted: 99 }) }] } });
  await it.flow.remove({ ids: ["a"] });
  it.set({ ...STATUS, holds: [hold({ state: "sending" })], finished: [{ operation: "old", result: deleted({ deleted: 99 }) }] });
  await it.pass(30_000);
  assert.equal(it.flow.state().running.length, 1, "the result of another deletion is ignored");
  it.set({ ...STATUS, finished: [{ operation: "other", result: deleted({ deleted: 50 }) }, { operation: "h1", result: deleted({ deleted: 3 }) }] });
  await it.pass(5_000);
  assert.equal(it.titles().at(-1), "success: 3 jobs removed from your cloud history");
  assert.equal(it.statuses.read, 1, "the list is read again");
});

test("a deletion that is missing from the status, or that a stop of ComfyUI ended, is not reported as a success", async () => {
  const cases = [
    [STATUS, "warning: Outcome unknown"],
    [{ ...STATUS, unresolved: [{ operation: "h1", kind: "delete", asked: 3, origin: "menu", started_at: "" }] }, "warning: Outcome unknown: 3 jobs"],
    [{ ...STATUS, lost_holds: [{ id: "h1", kind: "delete", jobs: 3, ids: [] }] }, "warning: An earlier deletion was not sent"],
  ];
  for (const [status, told] of cases) {
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.set(status);
    await it.pass(10_000 + 31 * 4_000);
    assert.equal(it.titles().at(-1), told);
    assert.equal(it.flow.hides(row("a")), false, "the rows are back");
    assert.equal(it.timers.length, 0, "no further status is requested");
  }
});

test("when the answer to a deletion is lost, the status shows its hold or result, else the outcome is unknown", async () => {
  const held = stage({ send: fail("comfyui_away") });
  held.set(() => (held.tokens.length ? { ...STATUS, holds: [hold()] } : STATUS));
  await held.flow.remove({ ids: ["a"] });
  assert.equal(held.flow.state().holding.length, 1);
  assert.equal(held.titles().at(-1), "info: Removing 3 jobs at 00:00:10");

  const told = stage({ send: () => (told.flow.adopt({ ...STATUS, holds: [hold()] }), fail("comfyui_away")) });
  told.set(() => (told.tokens.length ? { ...STATUS, holds: [hold()] } : STATUS));
  await told.flow.remove({ ids: ["a"] });
  assert.deepEqual(told.flow.state().holding.map((entry) => entry.mine), [true], "the hold belongs to this page, although an event reported it first");

  const done = stage({ send: fail("strange_answer"), preview: preview({ operation: "n", hold_seconds: 0 }) });
  done.set(() => (done.tokens.length ? { ...STATUS, finished: [{ operation: "n", result: deleted({ deleted: 3 }) }] } : STATUS));
  await done.flow.remove({ ids: ["a"] });
  assert.equal(done.titles().at(-1), "success: 3 jobs removed from your cloud history");

  for (const code of ["comfyui_away", "strange_answer", "internal"]) {
    const lost = stage({ send: fail(code) });
    await lost.flow.remove({ ids: ["a"] });
    assert.equal(lost.titles().at(-1), "warning: Outcome unknown", code);
    assert.equal(lost.tokens.length, 1, "the deletion is not sent again");
  }
});

test("when the answer to a deletion is lost, the result of another deletion is never shown as its outcome", async () => {
  const lost = stage({ send: fail("comfyui_away"), preview: preview({ operation: "ours", hold_seconds: 0 }) });
  lost.set(() => (lost.tokens.length ? { ...STATUS, finished: [{ operation: "a node’s", result: deleted({ deleted: 3 }) }] } : STATUS));
  await lost.flow.remove({ ids: ["a"] });
  assert.equal(lost.titles().at(-1), "warning: Outcome unknown");

  const held = stage({ send: fail("comfyui_away"), preview: preview({ operation: "ours" }) });
  held.set(() => (held.tokens.length ? { ...STATUS, holds: [hold({ id: "another tab’s" })] } : STATUS));
  await held.flow.remove({ ids: ["a"] });
  assert.equal(held.titles().at(-1), "warning: Outcome unknown");
  assert.deepEqual(held.flow.state().holding.map(({ mine }) => mine), [false], "the hold in the status belongs to another tab");

  const crashed = stage({ send: fail("comfyui_away"), preview: preview({ operation: "ours", hold_seconds: 0 }) });
  const left = { operation: "older", kind: "delete", asked: 7, origin: "panel", started_at: "" };
  crashed.set(() => (crashed.tokens.length ? { ...STATUS, unresolved: [left] } : STATUS));
  await crashed.flow.remove({ ids: ["a"] });
  assert.equal(crashed.titles().at(-1), "warning: Outcome unknown");
});

test("results of nodes are not shown in the panel", () => {
  const it = stage();
  it.ended("n", deleted({ failed: 3 }));
  assert.deepEqual([it.shown, it.flow.entries], [[], []]);
});

test("a deletion that sent nothing marks no row, and can be tried again with all jobs", async () => {
  for (const [code, told] of [["unauthorized", "error: No job was removed"], ["stopped", "info: Nothing was deleted"]]) {
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.ended("h1", { ...deleted({ not_attempted: 3 }), ...UNSENT, error: { code, message: "m" } });
    assert.equal(it.titles().at(-1), told);
    assert.deepEqual(it.flow.state().results[0].words.again, ["a", "b", "c"]);
    assert.deepEqual([it.flow.markOf("a"), it.flow.hides(row("a"))], [undefined, false]);
  }
});

test("the result of a deletion that left some jobs stays on its card, and longer in its toast", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const timers = it.timers.length;
  it.ended("h1", deleted({ deleted: 3, active: 1 }, { d: { outcome: "active", why: null } }));
  assert.deepEqual([it.titles().at(-1), it.last()[2].life], ["success: 3 jobs removed from your cloud history", 15_000]);
  assert.equal(it.timers.length, timers);
});

test("when the time to undo is over, the jobs are looked at first, unless another deletion is sent", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const shown = (state) => {
    it.flow.adopt({ ...STATUS, holds: [hold({ state, seconds_left: 0 })] });
    return [shownPhase(it.flow.state().running[0]), it.titles().at(-1)];
  };
  assert.deepEqual(shown("preparing"), ["preparing", "loading: Looking at the jobs first…"]);
  assert.deepEqual(shown("waiting"), ["waiting", "loading: Waiting for another deletion to finish…"]);
  assert.equal(shown("sending")[0], "sending");
});

test("the phase “checking” before sending is not shown as the check after it", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const at = (phase, done, total) => {
    it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase, done, total });
    return it.flow.state().running.map((entry) => [entry.phase, entry.done, entry.total]).flat();
  };
  assert.deepEqual(at("waiting", 0, 1), ["waiting", 0, 3]);
  assert.deepEqual(at("preparing", 0, 1), ["waiting", 0, 3]);
  assert.equal(shownPhase(it.flow.state().running[0]), "preparing");
  assert.deepEqual(at("checking", 0, 1), ["sending", 0, 3]);
  assert.deepEqual(at("sending", 2, 3), ["sending", 2, 3]);
  assert.deepEqual(at("checking", 0, 3), ["checking", 0, 3]);
});

test("Stop sends one request, and the result says how many jobs were removed", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 3 });
  const [entry] = it.flow.state().running;
  await Promise.all([it.flow.stop(entry), it.flow.stop(entry)]);
  assert.deepEqual(it.stopped, ["h1"]);
  const jobs = { b: { outcome: "not_attempted", why: { code: "", values: {}, text: "the deletion was stopped" } }, c: { outcome: "not_attempted", why: { code: "", values: {}, text: "the deletion was stopped" } } };
  it.ended("h1", deleted({ deleted: 1, not_attempted: 2 }, jobs, { stopped: true }));
  assert.equal(it.titles().at(-1), "warning: Stopped: 1 of 3 jobs removed");
});

test("a deletion without a hold can be stopped too", async () => {
  const it = stage({ preview: preview({ hold_seconds: 0 }), send: { operation: "h1", state: "running" } });
  await it.flow.remove({ ids: ["a"] });
  await it.flow.stop(it.flow.state().running[0]);
  assert.deepEqual(it.stopped, ["h1"]);
});

test("a failed stop can be repeated, and a stop after the end shows no error", async () => {
  for (const [code, told] of [["comfyui_away", "error: It could not be stopped"], ["invalid_request", "info: Removing 3 jobs at 00:00:10"]]) {
    const it = stage({ stop: fail(code) });
    await it.flow.remove({ ids: ["a"] });
    await it.flow.stop(it.flow.entries[0]);
    assert.equal(it.titles().at(-1), told);
    assert.equal(it.flow.entries[0].stopping, false);
  }
});

test("without a hold, an event before the answer does not repeat the result", async () => {
  const refuse = () => {
    it.flow.applyProgress({ operation: "o", hold: null, kind: "clear", phase: "checking", done: 0, total: 1 });
    it.ended("o", ROSE);
    return fail("count_rose", { operation: "o", preview: preview({ token: "t2", hold_seconds: 0 }) });
  };
  const it = stage({ preview: preview({ hold_seconds: 0 }), send: [refuse, { operation: "p", state: "done", result: CLEARED }] });
  await it.flow.clear();
  assert.deepEqual([it.seen, it.roses, it.tokens], [["counting", "confirm", "confirm"], [false, true], ["t1", "t2"]]);
  assert.equal(it.titles().at(-1), "success: 12 jobs removed from your cloud history");
});

test("a clear that is previewed as a deletion by ids is shown as a deletion throughout", async () => {
  const it = stage({ preview: preview({ kind: "delete" }) });
  await it.flow.clear();
  const [entry] = it.flow.state().holding;
  assert.equal(entry.kind, "delete");
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("z"))], [true, false], "other jobs are not hidden");
  it.ended("h1", deleted({ deleted: 2, protected: 1 }, { b: { outcome: "protected", why: null } }));
  assert.equal(it.flow.markOf("b").word, "Protected, kept");
  assert.deepEqual([it.flow.hides(row("a")), it.flow.hides(row("b"))], [true, false]);
});

test("a clear shows the jobs again that were protected after its confirmation", async () => {
  const it = stage({ send: { hold: hold({ kind: "clear", ids: [] }) } });
  await it.flow.clear();
  assert.ok(it.flow.hides(row("kept")));
  it.ended("h1", deleted({ deleted: 2 }));
  assert.ok(!it.flow.hides(row("kept")));
  assert.equal(it.titles().at(-1), "success: 2 jobs removed from your cloud history");
});

test("backing up workflows is shown as such, also after the hold, and not as deleting", async () => {
  const it = stage({ status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  await it.pass(11_000);
  const event = (phase, done) => it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase, done, total: 4 });
  it.said.length = 0;
  event("checking", 0);
  event("backing_up", 2);
  assert.equal(it.titles().at(-1), "loading: Backing up workflows… 2 of 4");
  assert.deepEqual(it.said, []);
  event("backing_up", 4);
  event("sending", 0);
  assert.equal(it.titles().at(-1), "loading: Deleting jobs… 0 of 4");
  it.openPanel();
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 2, total: 4 });
  assert.deepEqual(it.said, ["Deleting: 50 percent"]);
});

test("a deletion that sent nothing hides no job, and all of it can be tried again", async () => {
  const failed = { kind: "delete", outcome: "failed", report: "", error: { code: "state_unwritable", message: "disk full", hint: "", status: null, retry_after: null } };
  // A server may send counts for such a deletion, but name no job.
  for (const result of [failed, { ...deleted({ not_attempted: 3 }), ...failed }]) {
    const it = stage();
    await it.flow.remove({ ids: ["a"] });
    it.ended("h1", result);
    assert.deepEqual(["a", "b", "c"].map((id) => it.flow.hides(row(id))), [false, false, false]);
    assert.equal(it.titles().at(-1), "error: No job was removed");
    assert.deepEqual(it.flow.state().results[0].words.again, ["a", "b", "c"]);
  }
});

test("a removed job is shown again if a list that began 10 seconds after the result contains it", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const before = it.flow.reading();
  it.ended("h1", deleted({ deleted: 3 }));
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

test("a wait that Comfy Cloud asks for is shown with its seconds, and afterwards the progress is shown again", async () => {
  const it = stage({ status: { ...STATUS, holds: [hold({ state: "sending" })] } });
  await it.flow.remove({ ids: ["a"] });
  const event = (phase, done, total) => it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", node: null, phase, done, total });
  event("sending", 1, 300);
  event("asked_to_wait", 0, 12);
  event("asked_to_wait", 0, 12);
  const [entry] = it.flow.state().running;
  assert.equal(it.titles().at(-1), "loading: The deletion goes on in 12 s: Comfy Cloud asks to wait");
  const open = it.openPanel();
  event("sending", 1, 300);
  entry.waitsUntil = 0;
  event("asked_to_wait", 0, 12);
  event("asked_to_wait", 0, 12);
  open.close();
  assert.equal(it.said.filter((text) => text === "The deletion goes on in 12 s: Comfy Cloud asks to wait").length, 1, "several waits are announced once");
  assert.deepEqual([entry.done, entry.total, entry.phase], [1, 300, "sending"]);
  await it.pass(4_000);
  assert.equal(it.flow.secondsToWait(entry), 8);
  await it.pass(9_000);
  assert.equal(it.flow.secondsToWait(entry), 0);
  assert.equal(it.titles().at(-1), "loading: Deleting jobs… 1 of 300");
});

test("a result disappears when a complete list has none of the jobs that it left", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.ended("h1", deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: null } }));
  it.flow.reading()(new Map([["b", row("b")]]), "ours");
  assert.equal(it.flow.state().results.length, 1, "the job is still listed");
  it.flow.reading()(new Map(), "another");
  assert.equal(it.flow.state().results.length, 1, "the list of another account does not have the job");
  it.flow.reading()(new Map(), "ours");
  assert.equal(it.flow.state().results.length, 0);
});

test("while workflows are saved, the toast says that nothing has been deleted yet", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "backing_up", done: 1, total: 3 });
  assert.match(it.last()[2].detail, /Nothing has been deleted yet\./);
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "sending", done: 1, total: 3 });
  assert.doesNotMatch(it.last()[2].detail, /Nothing has been deleted/);
});

test("the filter for the jobs of a result names their outcome, and never calls an unconfirmed job “not removed”", () => {
  const left = (...outcomes) => leftWord(deleted({ deleted: 1 }, Object.fromEntries(outcomes.map((outcome, n) => [`${n}`, { outcome, why: null }]))), outcomes.map((_, n) => `${n}`));
  assert.equal(left("unconfirmed", "unconfirmed"), "Unconfirmed");
  assert.equal(left("failed"), "Not removed");
  assert.equal(left("not_attempted", "not_attempted"), "Not tried");
  assert.equal(left("failed", "not_attempted"), "Not removed");
  assert.equal(left("failed", "unconfirmed"), "Not removed or unconfirmed");
  assert.equal(leftWord({ kind: "delete", outcome: "failed", report: "", error: {} }, ["a"]), "Not removed");
});

test("what was stopped or removed before is not shown again once a newer deletion begins, but what failed is", async () => {
  const failed = { a: { outcome: "failed", why: { code: "", values: {}, text: "server error (500)" } } };
  const stopped = { kind: "delete", ...UNSENT, error: { code: "stopped", message: "Stopped." } };
  for (const [first, stays] of [[stopped, 0], [deleted({ failed: 1 }, failed), 1]]) {
    const it = stage({ shown: true });
    await it.flow.remove({ ids: ["a"] });
    it.ended("h1", first);
    assert.equal(it.flow.state().results.length, 1);
    await it.flow.remove({ ids: ["d"] });
    assert.equal(it.flow.state().results.length, stays, "its card would be taken for the outcome of the newer one");
  }
});

test("in another language, the name and the end of a deletion are said anew", async (t) => {
  const it = stage({ preview: preview({ rows: [{ id: "a", status: "failed", created: null, name: "", workflow_id: "", error: null }] }) });
  await it.flow.remove({ ids: ["a"] });
  it.ended("h1", { ...deleted({ not_attempted: 3 }), ...UNSENT, error: { code: "unauthorized", message: "m" } });
  const [entry] = it.flow.state().results;
  assert.deepEqual([entry.label, entry.words.title], ["The failed job and 2 more", "No job was removed"]);
  const load = words.load;
  t.after(() => ((words.load = load), words.use("en")));
  words.load = async () => ({ "deletion.none_removed": "Aucune tâche retirée", "deletion.label_job": "La tâche échouée" });
  await words.use("fr");
  it.flow.reword();
  assert.deepEqual([entry.label, entry.words.title, entry.words.again], ["La tâche échouée and 2 more", "Aucune tâche retirée", ["a", "b", "c"]]);
});
