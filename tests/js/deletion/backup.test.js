import assert from "node:assert/strict";
import { test } from "node:test";
import { canStop, isUnsentPhase } from "#ui/deletion/entries.mjs";
import { deletionLabel } from "#ui/deletion/label.mjs";
import { awayText, tooLate } from "#ui/deletion/strings.mjs";
import { deleted, fail, hold, preview, settled, stage, STATUS, UNSENT } from "./stage.js";

const FIRST = { id: "a", status: "completed", raw: "", created: 0, name: "mira_cover_0001.png", workflow_id: "w", error: null };
const HELD = hold({ backup: true, first: FIRST });
const event = (it, phase, done, more = {}) =>
  it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase, done, total: 3, sent: false, seconds_left: null, ...more });

/** A deletion that backs up its workflows. */
async function backingUp(options = {}) {
  const it = stage({ send: { hold: HELD }, status: { ...STATUS, holds: [{ ...HELD, state: "sending" }] }, ...options });
  await it.flow.remove({ ids: ["a"] });
  event(it, "backing_up", 1);
  return it;
}

test("the toast of a hold with a backup does not say that the jobs are removed at its end", async () => {
  const it = stage({ send: { hold: HELD } });
  await it.flow.remove({ ids: ["a"] });
  assert.deepEqual(it.titles(), ["info: Backup starts at 00:00:10, then 3 jobs are removed"]);
});

test("the toast of a hold counts down on screen, as its card does, and is not shown again", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  await it.pass(2_500);
  assert.deepEqual(it.ticks, ["Removing 3 jobs in 10 s", "Removing 3 jobs in 9 s", "Removing 3 jobs in 8 s"]);
  assert.equal(it.titles().length, 1);
  const open = it.openPanel();
  await it.pass(1_000);
  assert.equal(it.ticks.length, 3, "the card counts now");
  open.close();
});

test("while workflows are backed up, the toast has Stop, and says how long it still takes once that is measured", async () => {
  const it = await backingUp();
  assert.equal(it.last()[1], "Backing up workflows… 1 of 3");
  assert.equal(it.last()[2].detail, "mira_cover_0001.png and 2 more. After the backup, the jobs are removed. Nothing has been deleted yet. You can keep working.");
  event(it, "backing_up", 1, { seconds_left: 420 });
  assert.match(it.last()[2].detail, /About 7 min left, then the jobs are removed\. Nothing has been deleted yet\./);
  const { label, press } = it.last()[2].action;
  assert.equal(label, "Stop");
  press();
  assert.deepEqual(it.stopped, ["h1"]);
});

test("where a toast cannot be changed, a new one tells when the backup begins, and when jobs are sent", async () => {
  const it = await backingUp({ canAct: false });
  const told = () => it.shown.filter(([kind, , , how]) => kind === "loading" && how !== "changed").map(([, title, { detail }]) => [title, detail.includes("Nothing has been deleted yet")]);
  const begins = ["Backing up workflows…", true];
  assert.deepEqual(told(), [begins]);
  event(it, "backing_up", 3);
  assert.deepEqual(told(), [begins], "it says no number, so it stays true");
  event(it, "sending", 0, { sent: true });
  event(it, "sending", 2, { sent: true });
  assert.deepEqual(told(), [begins, ["Deleting jobs…", false]]);
  const card = await backingUp({ canAct: false, shown: true });
  event(card, "sending", 0, { sent: true });
  assert.deepEqual(card.shown, [], "while the panel is open, only its card tells");
  const now = await backingUp();
  event(now, "sending", 0, { sent: true });
  assert.deepEqual(now.shown.filter(([kind, , , how]) => kind === "loading" && how !== "changed"), [], "other toasts are changed, and not read aloud again");
});

test("between its quarters, the progress of a backup is written into its toast without reading it aloud", async () => {
  const it = await backingUp();
  event(it, "backing_up", 101, { total: 20_000 });
  const toasts = it.titles().length;
  event(it, "backing_up", 102, { total: 20_000 });
  assert.equal(it.titles().length, toasts);
  assert.equal(it.ticks.at(-1), "Backing up workflows… 102 of 20,000");
});

test("if a stop fails, the toast of the backup comes back with its button", async () => {
  const it = await backingUp({ stop: [fail("comfyui_away"), {}] });
  const before = it.titles().length;
  it.last()[2].action.press();
  await settled();
  assert.deepEqual(it.titles().slice(before), ["loading: Backing up workflows… 1 of 3", "error: It could not be stopped"]);
  assert.equal(it.shown.at(-2)[2].action.label, "Stop");
});

test("while Comfy Cloud asks to wait, the toast says what goes on by itself, when, and how far it is", async () => {
  const it = await backingUp();
  event(it, "asked_to_wait", 0, { total: 12 });
  assert.equal(it.titles().at(-1), "loading: The backup goes on in 12 s: Comfy Cloud asks to wait");
  assert.match(it.last()[2].detail, /Backing up workflows… 1 of 3\. After the backup/);
});

test("looking up the jobs before a backup is not called deleting", async () => {
  const it = stage({ send: { hold: HELD } });
  await it.flow.remove({ ids: ["a"] });
  event(it, "checking", 0);
  assert.equal(it.titles().at(-1), "loading: Looking at the jobs first…");
  assert.match(it.last()[2].detail, /Nothing has been deleted yet/);
  event(it, "checking", 0, { sent: true });
  assert.equal(it.titles().at(-1), "loading: Checking what is gone…");
  assert.doesNotMatch(it.last()[2].detail, /Nothing has been deleted/);
  assert.equal(it.last()[2].action, undefined, "there is nothing left to stop");
});

test("a page that is loaded during a backup asks how far it is", async () => {
  const it = stage({ stored: new Map([["CloudHistory.holds", JSON.stringify({ h1: { until: 60_000, kind: "delete", jobs: 3 } })]]), status: { ...STATUS, holds: [{ ...HELD, state: "sending" }] } });
  it.setProgress([{ operation: "h1", hold: "h1", kind: "delete", phase: "backing_up", done: 2, total: 3, sent: false, seconds_left: 60 }]);
  const { api } = it.flow.parts;
  const answer = api.progress;
  api.progress = async () => (await settled(), answer());
  await it.flow.resume();
  await settled();
  assert.deepEqual(it.titles(), ["loading: Backing up workflows… 2 of 3"], "it never says that jobs are deleted");
  assert.match(it.last()[2].detail, /^mira_cover_0001\.png and 2 more\. About 60 s left/);
});

test("if ComfyUI is gone during a backup, the page says that nothing had been deleted when it last answered", async () => {
  const it = await backingUp();
  it.set(fail("comfyui_away"));
  await it.pass(12_000);
  assert.equal(it.titles().at(-1), "warning: ComfyUI doesn’t answer");
  assert.match(it.last()[2].detail, /it was backing up the workflows, and nothing had been deleted\. If it still runs, it removes 3 jobs after the backup\./);
});

test("if ComfyUI is gone during a hold with a backup, the page does not say that it removes the jobs at its end", async () => {
  const it = stage({ send: { hold: { ...HELD, seconds_left: 60 } } });
  await it.flow.remove({ ids: ["a"] });
  it.flow.lostTouch();
  assert.match(it.last()[2].detail, /If it still runs, it backs up 3 jobs in 60 s, and then removes them\.$/);
});

test("an undo that comes too late for the hold, but before the end of the backup, says that Stop loses nothing", async () => {
  const it = stage({ send: { hold: HELD }, undo: fail("too_late") });
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await settled();
  assert.equal(it.last()[2].detail, "The backup has begun. Until it is complete, nothing is deleted, and Stop ends it.");
});

test("once jobs are sent, an undo that comes too late does not say that nothing is deleted", async () => {
  const it = await backingUp({ undo: fail("too_late") });
  const [entry] = it.flow.entries;
  Object.assign(entry, { phase: "holding", backingUp: false, sent: true });
  it.flow.undo();
  await settled();
  assert.equal(it.last()[2].detail, tooLate(false).text);
});

test("a deletion can be stopped while it waits, looks up jobs, backs up or sends, and not once all is sent or ComfyUI is gone", () => {
  const entry = { operation: "h1", away: "", phase: "sending", sent: false, backingUp: false, preparing: false };
  const stoppable = [{ phase: "waiting" }, { preparing: true }, { backingUp: true }, { sent: true }];
  const notStoppable = [{ phase: "submitting" }, { phase: "holding" }, { phase: "due" }, { phase: "checking", sent: true }, { phase: "done" }, { operation: null }, { away: "ComfyUI doesn’t answer" }];
  for (const more of stoppable) assert.equal(canStop({ ...entry, ...more }), true, JSON.stringify(more));
  for (const more of notStoppable) assert.equal(canStop({ ...entry, ...more }), false, JSON.stringify(more));
});

test("nothing counts as unsent once a job was sent", () => {
  for (const more of [{ phase: "waiting" }, { preparing: true }, { backingUp: true }]) {
    const entry = { phase: "sending", sent: false, backingUp: false, preparing: false, ...more };
    assert.equal(isUnsentPhase(entry), true);
    assert.equal(isUnsentPhase({ ...entry, sent: true }), false);
  }
});

test("if ComfyUI is gone while jobs are sent, the page does not say that it is unknown whether they were", () => {
  const about = { phase: "sending", jobs: 3, sent: true };
  assert.equal(awayText(about, 0), "It was removing 3 jobs. How many are gone is shown here as soon as it is known.");
  assert.match(awayText({ ...about, backingUp: true }, 0), /^It was removing 3 jobs/);
  assert.match(awayText({ ...about, phase: "due", sent: false }, 0), /^It is not known whether the deletion of 3 jobs was sent/);
});

test("a backup that has done a quarter is not announced as a quarter of the deletion", async () => {
  const it = stage({ shown: true, send: { hold: HELD }, status: { ...STATUS, holds: [{ ...HELD, state: "sending" }] } });
  await it.flow.remove({ ids: ["a"] });
  for (const done of [1, 2, 3]) event(it, "backing_up", done, { total: 4 });
  assert.deepEqual(it.said.filter((text) => text.includes("percent")), []);
  for (const done of [1, 2]) event(it, "sending", done, { total: 4, sent: true });
  assert.deepEqual(it.said.filter((text) => text.includes("percent")).map((text) => text.replace(/^.*Deleting/, "Deleting")), ["Deleting: 50 percent"]);
});

test("two deletions are told apart by the names of their jobs, in holds, progress and results", async () => {
  const other = hold({ id: "h2", ids: ["d"], jobs: 1, first: { ...FIRST, id: "d", name: "", status: "failed", error: { node_type: "KSampler" } } });
  const it = stage({ send: [{ hold: HELD }, { hold: other }] });
  await it.flow.remove({ ids: ["a"] });
  await it.flow.remove({ ids: ["d"] });
  const details = it.shown.map(([, , message]) => message.detail.replace("\u00a0", " "));
  assert.match(details[0], /^mira_cover_0001\.png and 2 more\. Nothing has been sent yet/);
  assert.match(details[1], /^The failed job of 1 January 1970, 00:00:00\. Nothing has been sent yet/);
});

test("a deletion that is stopped during its backup gives the jobs back as an undo does", async () => {
  const it = await backingUp();
  const back = [];
  it.flow.onEnd(({ ids, isBack }) => back.push([ids, isBack, it.flow.hides({ id: "a", status: "completed" })]));
  it.ended("h1", { ...deleted({ not_attempted: 3 }), ...UNSENT, error: { code: "stopped", message: "m" } });
  assert.deepEqual(back, [[["a", "b", "c"], true, false]]);
  assert.equal(it.titles().at(-1), "info: Nothing was deleted");
  assert.match(it.last()[2].detail, /\. Stopped in another browser or tab before anything was sent\. 3 jobs are back in the list\./);
});

test("a deletion that was not stopped gives no job back", async () => {
  const it = await backingUp();
  it.flow.onEnd(({ isBack }) => assert.ok(!isBack, "a job came back"));
  it.ended("h1", deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: null } }));
  assert.equal(it.titles().at(-1), "warning: 2 of 3 jobs removed");
});

test("a backup that is stopped before the server has answered is not called an error", async () => {
  const it = stage({ preview: preview({ hold_seconds: 0 }), send: fail("stopped") });
  let back = 0;
  it.flow.onEnd(({ isBack }) => (back += Number(isBack)));
  await it.flow.remove({ ids: ["a"] });
  assert.equal(it.titles().at(-1), "info: Nothing was deleted");
  assert.equal(back, 1, "its jobs are selected again");
  const refused = stage({ preview: preview({ hold_seconds: 0 }), send: fail("unreadable") });
  await refused.flow.remove({ ids: ["a"] });
  assert.equal(refused.titles().at(-1), "error: No job was removed");
});

test("what a screen reader says about a hold and a result begins with the name of the deletion", async () => {
  const it = stage({ shown: true, send: { hold: HELD } });
  await it.flow.remove({ ids: ["a"] });
  it.ended("h1", deleted({ deleted: 3 }));
  assert.deepEqual(it.said, [
    "mira_cover_0001.png and 2 more. Backup starts in 10 seconds, then 3 jobs are removed. Control Z to undo.",
    "mira_cover_0001.png and 2 more. 3 jobs removed from your cloud history. Assets stay.",
  ]);
});

test("a clear and a clean-up are named as such, also without a hold", async () => {
  const none = () => "";
  assert.equal(deletionLabel({ origin: "menu", first: FIRST, jobs: 9 }, none), "Clear cloud history");
  assert.equal(deletionLabel({ origin: "clean_up", first: FIRST, jobs: 9 }, none), "Clean up");
  assert.equal(deletionLabel({ origin: "panel", first: FIRST, jobs: 1 }, () => "Portraits"), "Portraits · mira_cover_0001.png");
  const failed = { ...FIRST, status: "failed", name: "", error: { message: "", type: "", node_type: "KSampler", node_id: "3" } };
  assert.match(deletionLabel({ origin: "panel", first: failed, jobs: 3 }, none), /^The failed job of \d+ \w+ \d+, [\d:]+ and 2 more$/, "not “Failed KSampler”, which reads as an outcome");
  assert.equal(deletionLabel({ origin: "panel", first: { ...failed, created: null }, jobs: 1 }, none), "The failed job");
  const it = stage({ preview: preview({ hold_seconds: 0, rows: [FIRST], removable: 1 }), send: { operation: "h1", state: "running" } });
  await it.flow.remove({ ids: ["a"] });
  assert.equal(it.flow.entries[0].label, "mira_cover_0001.png");
  for (const [selection, label] of [[{ clear: true }, "Clear cloud history"], [{ policy: {} }, "Clean up"]]) {
    const sent = stage({ preview: preview({ hold_seconds: 0, rows: [FIRST] }), send: { operation: "h1", state: "running" } });
    await sent.flow.remove(selection);
    assert.equal(sent.flow.entries[0].label, label);
  }
});
