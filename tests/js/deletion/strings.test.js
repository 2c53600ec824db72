import assert from "node:assert/strict";
import { jobGone } from "#ui/details/strings.mjs";
import { test } from "node:test";
import * as before from "#ui/deletion/strings.mjs";
import * as after from "#ui/deletion/result_strings.mjs";

const words = { ...before, ...after, resultWords: (result) => after.resultWords(result, { jobs: result.total, ids: [] }) };

const ZERO = { deleted: 0, already_gone: 0, active: 0, protected: 0, failed: 0, unconfirmed: 0, not_attempted: 0 };

/** Makes a result from [outcome, number of jobs, reason] lists. */
function result(parts, rest = {}) {
  const [counts, jobs] = [{ ...ZERO }, {}];
  let n = 0;
  for (const [outcome, count, why = ""] of parts) {
    counts[outcome] += count;
    for (let i = 0; i < count; i += 1) if (outcome !== "deleted") jobs[`${outcome}-${(n += 1)}`] = { outcome, why: why ? { code: "", values: {}, text: why } : null };
  }
  return { kind: "delete", total: Object.values(counts).reduce((a, b) => a + b), counts, jobs, stopped: false, report: "", error: null, ...rest };
}
const lines = (value) => words.tallyLines(value).map(({ n, word, why }) => `${n} ${word}${why ? `: ${why}` : ""}`);

test("jobs that were not removed are counted by outcome and reason, retryable outcomes first", () => {
  const value = result([
    ["deleted", 3383], ["already_gone", 6], ["unconfirmed", 1, "accepted, but still listed"], ["failed", 2, "server error (500)"],
    ["not_attempted", 20, "the connection was lost"],
  ]);
  assert.deepEqual(lines(value), [
    "20 not tried: the connection was lost", "2 not removed: server error (500)", "1 unconfirmed: accepted, but still listed", "6 already gone",
  ]);
  const told = words.resultWords(value);
  assert.deepEqual([told.kind, told.title, told.text, told.again.length], ["warning", "3,383 of 3,412 jobs removed", "Assets stay. The other 29:", 23]);
  assert.equal(told.toast, "The panel says what happened to the other 29.");
});

test("an outcome with many reasons has one line without a reason", () => {
  const value = result(Array.from({ length: 9 }, (_, n) => ["failed", 1, `reason ${n}`]));
  assert.deepEqual(lines(value), ["9 not removed"]);
});

test("reasons from the cloud are cut to one line without control characters", () => {
  const [line] = words.tallyLines(result([["failed", 1, "a\u0000b\n\u202ec".concat("x".repeat(500))]]));
  assert.match(line.why, /^a�b �cx+…$/u);
  assert.ok(line.why.length <= 120);
});

test("only a deletion of all jobs is a success, also of a single job", () => {
  const kinds = [[["deleted", 1]], [["deleted", 2], ["active", 1]], [["already_gone", 1]], [["unconfirmed", 2]], [["failed", 1]], [["not_attempted", 1]]];
  assert.deepEqual(kinds.map((parts) => words.resultWords(result(parts)).kind), ["success", "warning", "warning", "warning", "error", "error"]);
  assert.equal(words.resultWords(result([["deleted", 1]])).title, "1 job removed from your cloud history");
  assert.equal(words.resultWords(result([["deleted", 1], ["active", 1]])).text, "Assets stay. The other one:");
});

test("a stopped deletion says how many jobs were not tried", () => {
  const told = words.resultWords(result([["deleted", 2100], ["not_attempted", 1312, "the deletion was stopped"]], { stopped: true }));
  assert.deepEqual([told.title, told.text], ["Stopped: 2,100 of 3,412 jobs removed", "The other 1,312 were not tried."]);
});

test("jobs that were accepted but are still listed are unknown, not failed", () => {
  const told = words.resultWords(result([["unconfirmed", 2, "accepted, but still listed"]]));
  assert.deepEqual([told.title, told.toast], ["Outcome unknown: 2 jobs", "2 unconfirmed: accepted, but still listed."]);
});

test("without a removed job, unconfirmed jobs are reported as unknown, and a failed job makes the result an error", () => {
  const timeout = { code: "timeout", message: "Comfy Cloud took too long to answer.", hint: "Try again in a minute.", status: null, retry_after: null };
  const unconfirmed = ["unconfirmed", 1, "Comfy Cloud took too long to answer"];
  const cases = [[["not_attempted", 1, "it took too long"], "error"], [["failed", 1, "too many requests"], "error"], [["active", 1], "warning"], [["already_gone", 1], "warning"]];
  for (const [other, kind] of cases) {
    const told = words.resultWords(result([unconfirmed, other], { error: timeout }));
    assert.deepEqual([told.kind, told.title, told.lines.length], [kind, "No job is known to have been removed", 2], other[0]);
    assert.equal(told.text, "Comfy Cloud took too long to answer. Try again in a minute.");
    assert.match(told.toast, /1 unconfirmed: Comfy Cloud took too long to answer/);
  }
  const alone = words.resultWords(result([unconfirmed, ["active", 1]]));
  assert.deepEqual([alone.text, alone.toast], ["", "1 unconfirmed: Comfy Cloud took too long to answer; 1 active, left alone."]);
});

test("a stopped deletion with unconfirmed and no removed jobs states no number of removed jobs", () => {
  for (const parts of [[["unconfirmed", 2, "the deletion was stopped"], ["not_attempted", 3, "the deletion was stopped"]], [["unconfirmed", 2, "the deletion was stopped"]]]) {
    const told = words.resultWords(result(parts, { stopped: true }));
    assert.deepEqual([told.kind, told.title, told.text], ["warning", "Stopped: No job is known to have been removed", ""]);
    assert.match(told.toast, /^(3 not tried: the deletion was stopped; )?2 unconfirmed: the deletion was stopped\.$/);
  }
});

test("a deletion that was not sent says why, and all its jobs can be tried again", () => {
  const error = { code: "unreachable", message: "Can’t reach cloud.comfy.org.", hint: "Check your internet connection or proxy.", status: null, retry_after: null };
  const unsent = { kind: "delete", outcome: "failed", total: 2, counts: { ...ZERO, not_attempted: 2 }, jobs: {}, stopped: false, report: "", error };
  const told = after.resultWords(unsent, { jobs: 2, ids: ["a", "b"] });
  assert.deepEqual([told.kind, told.title, told.again], ["error", "No job was removed", ["a", "b"]]);
  assert.equal(told.text, `${error.message} ${error.hint}`);
});

test("if no selected job can be deleted, the text says why", () => {
  const none = { active: 0, protected: 0, unknown: 0, already_gone: 0 };
  assert.equal(words.nothingToDelete({ ...none, active: 1 }), "The selected job stays: it is active.");
  assert.equal(words.nothingToDelete({ ...none, protected: 1 }), "The selected job stays: it is protected.");
  assert.equal(words.nothingToDelete({ ...none, unknown: 1 }), "The selected job stays: its status is unknown.");
  assert.equal(words.nothingToDelete({ ...none, active: 1, protected: 1 }), "All 2 selected jobs stay: 1\u00a0active, 1\u00a0protected.");
  assert.equal(words.nothingToDelete({ ...none, already_gone: 3 }), "All 3 selected jobs are already gone.");
});

test("the hint says how long a deletion can be undone, or that it cannot", () => {
  assert.equal(words.undoHint(10), "You can undo for 10 s; after that it can’t be undone.");
  assert.equal(words.undoHint(0), "The deletion is sent at once and can’t be undone.");
  assert.equal(words.clearHint(0), "The deletion is sent at once and can’t be undone. If more jobs finish before it is sent, you are asked again.");
  assert.equal(words.holdTitle({ jobs: 1, backup: false }, 8), "Removing 1 job in 8 s");
});

test("with a backup, the hint says that the deletion can be stopped until it is sent", () => {
  assert.equal(words.undoHint(10, true), "You can undo for 10 s, and then stop it while the backup is made. After that it is sent and can’t be undone.");
  assert.equal(words.undoHint(0, true), "The backup starts at once. You can stop it while the backup is made. After that it is sent and can’t be undone.");
  assert.equal(words.workflowUndoHint(false), "The deletion is sent at once and can’t be undone.");
  assert.match(words.workflowUndoHint(true), /^The backup starts at once\. .* cancelling the run in ComfyUI\. After that it is sent/);
});

test("with a backup, a hold says that the backup begins when it ends, and that the jobs are removed afterwards", () => {
  const held = (jobs, backup = true) => ({ jobs, backup });
  assert.equal(words.holdTitle(held(19_991), 10), "Backup starts in 10 s, then 19,991 jobs are removed");
  assert.equal(words.holdTitle(held(1), 1), "Backup starts in 1 s, then 1 job is removed");
  assert.match(words.holdAt(held(2), 0), /^Backup starts at \d\d:\d\d:\d\d, then 2 jobs are removed$/);
  assert.equal(words.holdSpoken(held(2), 10), "Backup starts in 10 seconds, then 2 jobs are removed. Control Z to undo.");
  assert.equal(words.holdSpoken(held(2, false), 1), "Removing 2 jobs in 1 second. Control Z to undo.");
});

test("a backup says how long it still takes once that was measured, and that nothing has been deleted yet", () => {
  assert.equal(words.backupText(19_991, 360), "About 6 min left, then the jobs are removed. Nothing has been deleted yet.");
  assert.equal(words.backupText(1, null), "After the backup, the job is removed. Nothing has been deleted yet.");
});

test("a wait that Comfy Cloud asks for says what goes on afterwards", () => {
  assert.equal(words.asksToWait(12, "backing_up"), "The backup goes on in 12 s: Comfy Cloud asks to wait");
  assert.equal(words.asksToWait(12, "sending"), "The deletion goes on in 12 s: Comfy Cloud asks to wait");
  assert.equal(words.asksToWait(12), "It goes on in 12 s: Comfy Cloud asks to wait");
});

test("a cancellation says how many jobs had finished and how many were not cancelled", () => {
  assert.deepEqual(words.cancelledWords(2, 1, 0), { title: "2 jobs cancelled", detail: "1 had finished already." });
  assert.deepEqual(words.cancelledWords(1, 0, 1), { title: "1 job cancelled", detail: "1 job was not cancelled." });
});

test("no text promises erasure or has an exclamation mark", () => {
  const all = JSON.stringify(words);
  assert.doesNotMatch(all, /erase|[!]|'/i);
});

test("a deletion that left only the jobs that the dialog said would stay is a success, and names them", () => {
  const left = [{ id: "p", status: "pending", raw: "", created: 0, name: "", error: null, workflow_id: "" }, { id: "q", status: "pending", raw: "", created: 0, name: "Storyboard ep. 3", error: null, workflow_id: "" }];
  const mixed = { kind: "delete", total: 4, counts: { ...ZERO, deleted: 2, active: 2 }, jobs: { p: { outcome: "active", why: null }, q: { outcome: "active", why: null } }, left, stopped: false, report: "", error: null };
  const told = after.resultWords(mixed, { jobs: 2, ids: ["a", "b"] });
  assert.deepEqual([told.kind, told.title, told.text], ["success", "2 jobs removed from your cloud history", "Assets stay."]);
  assert.match(told.toast.replace("\u00a0", " "), /^Assets stay\. 2 active, left alone: Pending, \d\d:\d\d:\d\d, Storyboard ep\. 3\.$/);
  assert.deepEqual(told.lines.map(({ n, word }) => [n, word]), [[2, "active, left alone"]]);
  assert.equal(after.resultWords(mixed, { jobs: 3, ids: ["a", "b", "q"] }).kind, "warning", "a job that became active meanwhile was expected to go");
});

test("a clear says how many jobs finished meanwhile and stay", () => {
  const clear = { kind: "delete", total: 2, counts: { ...ZERO, deleted: 2 }, jobs: {}, stopped: false, backed_up: 2, finished_meanwhile: 1, report: "", error: null };
  assert.equal(after.resultWords(clear, { jobs: 2, ids: ["a", "b"] }).text, "Assets stay. 2 workflows backed up. 1 job finished meanwhile and stays.");
});

test("the result of a clear or a clean-up says how many jobs stay, and why", () => {
  const clear = (stay) => after.resultWords({ kind: "delete", total: 2, counts: { ...ZERO, deleted: 2 }, jobs: {}, stopped: false, backed_up: 0, stay, finished_meanwhile: stay.finished_meanwhile, report: "", error: null }, { jobs: 2, ids: ["a", "b"] });
  const none = { active: 0, protected: 0, unknown: 0, kept: 0, held: 0, finished_meanwhile: 0 };
  const text = (stay) => clear({ ...none, ...stay }).text.replaceAll("\u00a0", " ");
  assert.equal(text({ active: 2, protected: 7 }), "Assets stay. 9 jobs stay in your history: 2 active, 7 protected.");
  assert.equal(text({ kept: 1 }), "Assets stay. 1 job stays in your history: 1 kept by your rules.");
  assert.equal(text({ unknown: 1, held: 2, finished_meanwhile: 3 }), "Assets stay. 6 jobs stay in your history: 1 of an unknown status, 2 in another deletion, 3 finished meanwhile.");
  assert.equal(text({}), "Assets stay. No job is left in your history.");
  const simple = { kind: "clear", outcome: "deleted", before: 9, removed: 9, listed: 0, doubt: null, active: 2, report: "", error: null };
  assert.equal(after.clearResultWords(simple).text, "Assets stay. 2 active jobs stay.");
  assert.equal(after.clearResultWords({ ...simple, active: 0 }).text, "Assets stay.");
});

test("only a full success says how many workflows were backed up", () => {
  const all = words.resultWords(result([["deleted", 35]], { backed_up: 35 }));
  assert.deepEqual([all.text, all.toast], ["Assets stay. 35 workflows backed up.", "Assets stay. 35 workflows backed up."]);
  assert.equal(words.resultWords(result([["deleted", 2], ["protected", 1]], { backed_up: 2 })).text, "Assets stay. The other one:");
});

test("jobs that were protected after the confirmation have their own line and are not tried again", () => {
  const told = words.resultWords(result([["deleted", 2], ["protected", 3], ["failed", 1, "its workflow couldn’t be backed up: no space"]]));
  assert.deepEqual(told.lines.map(({ n, word, why }) => `${n} ${word}: ${why}`), ["1 not removed: its workflow couldn’t be backed up: no space", "3 protected, kept: "]);
  assert.equal(told.again.length, 1);
});

test("on a row, the short reason depends on its code, not on its text", () => {
  const short = (code, text) => words.rowWhy({ code, values: {}, text });
  assert.deepEqual(["backup_failed", "connection_lost", "still_listed"].map((code) => short(code, "other words")), ["Backup failed", "Connection lost", "Accepted, still listed"]);
  assert.equal(short("server_fault", "server error (500)"), "Server error (500)");
  assert.equal(short("constructor", "the connection was lost"), "The connection was lost");
  assert.equal(words.rowWhy(null), "");
});

test("if jobs were protected after the preview, a clear is not an error and shows the server's message", () => {
  const error = { code: "preview_expired", message: "Jobs were protected, or backups were switched on, since you looked.", hint: "", status: null, retry_after: null };
  const clear = { kind: "clear", outcome: "failed", before: null, removed: null, listed: null, active: null, report: "", error };
  const unsent = { kind: "delete", outcome: "failed", report: "", error };
  for (const value of [clear, unsent, { ...unsent, total: 3, counts: { ...ZERO, not_attempted: 3 }, jobs: {}, stopped: false }]) {
    const told = after.resultWords(value, { jobs: 3, ids: [] });
    assert.deepEqual([told.kind, told.title, told.text], ["warning", "Nothing was deleted", error.message]);
  }
});

test("a job whose details are not found is not called gone, because some servers have no details", () => {
  assert.doesNotMatch(`${jobGone().title} ${jobGone().text}`, /\bgone\b|was removed/);
});
