import assert from "node:assert/strict";
import { test } from "node:test";
import { dayAndTime, fileSize } from "#ui/common/format.mjs";
import { HistoryApiError } from "#ui/api.mjs";
import { AuditLog, joinJobs, matching } from "#ui/audit/model.mjs";
import * as words from "#ui/audit/strings.mjs";

const entry = (rest = {}) => ({
  operation: "op", kind: "delete", origin: "panel", node: "", title: "", at: "2026-11-23T14:02:00", seconds: 2, asked: 35, state: "done",
  counts: { deleted: 35 }, removed: 35, report: "", host: "x", last4: "a1b2", version: "1", backup: null,
  run_seconds: null, failed_run_seconds: null, timed_jobs: null, ...rest,
});
const facts = (rest = {}) => ({
  status: "completed", raw: "", created: new Date("2026-11-23T13:48:00").getTime(), took: 12_500, name: "portrait_00031_.png", workflow_id: "w-1", error: null, ...rest,
});
const outOfMemory = { message: "Out of\u0000 memory", type: "", node_type: "KSampler", node_id: "" };
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const titleOf = (rest) => words.entryTitle(entry(rest));

test("the title of a deletion counts only jobs that were verified as removed", () => {
  assert.equal(titleOf({}), "35 jobs removed");
  assert.equal(titleOf({ asked: 1, removed: 1 }), "1 job removed");
  assert.equal(titleOf({ asked: 3412, removed: 3383 }), "3,383 of 3,412 jobs removed");
  assert.equal(titleOf({ asked: null, removed: 8114 }), "8,114 jobs removed");
  assert.equal(titleOf({ asked: 4, removed: 0, counts: { failed: 4 } }), "No job was removed");
});

test("an entry of a running deletion does not say that jobs are being deleted: it may still back up", () => {
  assert.equal(titleOf({ state: "running", removed: null, counts: null }), "A deletion of 35 jobs is running");
  assert.equal(titleOf({ state: "running", asked: null, removed: null, counts: null }), "A deletion is running");
});

test("an entry calls an unknown outcome unknown", () => {
  assert.equal(titleOf({ state: "unknown", asked: 412, removed: null, counts: null }), "Outcome unknown: 412 jobs");
  assert.equal(titleOf({ state: "unknown", asked: 1, removed: null, counts: null }), "Outcome unknown: 1 job");
  assert.equal(titleOf({ state: "unknown", asked: null, removed: null, counts: null }), "Outcome unknown");
  assert.equal(titleOf({ asked: 2, removed: 0, counts: { unconfirmed: 2 } }), "Outcome unknown: 2 jobs");
  assert.equal(titleOf({ asked: 3, removed: 0, counts: { unconfirmed: 1, not_attempted: 2 } }), "No job is known to have been removed");
  assert.equal(titleOf({ asked: 5, removed: null, counts: null }), "Outcome unknown: 5 jobs");
});

test("an entry says when the deletion happened and where it was started", () => {
  const now = new Date("2026-11-23T20:00:00").getTime();
  const about = (rest) => words.entryAbout(entry(rest), now);
  assert.equal(about({}), "Today, 14:02 · Panel");
  assert.equal(about({ at: "2026-11-22T18:40:00", origin: "clean_up" }), "Yesterday, 18:40 · Clean up");
  assert.equal(about({ at: "2026-11-20T09:14:00", origin: "node", node: "14", title: "Delete Cloud\u0000 Jobs" }), "20 November, 09:14 · Delete Cloud\ufffd Jobs, node 14");
  assert.equal(about({ origin: "node", node: "14" }), "Today, 14:02 · Node 14");
  assert.equal(about({ at: "2026-11-02T10:05:00", origin: "menu", kind: "clear" }), "2 November, 10:05 · Clear cloud history");
  assert.equal(about({ origin: "menu", at: "no time" }), "Menu");
  assert.equal(about({ origin: "unknown" }), "Today, 14:02");
  assert.equal(dayAndTime(new Date("2025-11-23T09:05:00").getTime(), now), "23 November 2025, 09:05");
});

test("an entry says what its backup contains", () => {
  const backup = { jobs: 35, size: 2_100_000 };
  assert.deepEqual(words.entryKept(entry()), ["No backup"]);
  assert.deepEqual(words.entryKept(entry({ backup })), ["Backup, 2.1 MB"]);
  const stopped = (more) => words.entryKept(entry({ asked: 231, ...more }));
  assert.deepEqual(stopped({ removed: 0, report: "Nothing was sent. The deletion was stopped." }), ["Nothing was sent. The deletion was stopped.", "No backup"]);
  const some = "Stopped: 100 of 231 jobs removed. Assets stay.";
  assert.deepEqual(stopped({ removed: 100, report: some }), [some, "No backup"]);
  assert.deepEqual(stopped({ removed: 100, report: "100 of 231 jobs removed. Assets stay." }), ["No backup"], "the title says that");
  assert.deepEqual(words.entryKept(entry({ state: "unknown" })), ["ComfyUI stopped while it was deleting."]);
  assert.deepEqual(words.entryKept(entry({ state: "unknown", backup })), ["ComfyUI stopped while it was deleting.", "Backup, 2.1 MB"]);
  assert.deepEqual([0, 40, 812_000, 999_600, 2_149_999, 148_000_000, 9.97e9, 3e15].map(fileSize), [
    "0.1 KB", "0.1 KB", "812 KB", "1 MB", "2.1 MB", "148 MB", "10 GB", "3,000 TB",
  ]);
});

test("the confirmation for deleting a backup has a singular and a plural", () => {
  assert.equal(words.backupGoes(1), "1 workflow can’t be restored after that. The record of the deletion stays.");
  assert.equal(words.backupGoes(35), "35 workflows can’t be restored after that. The record of the deletion stays.");
  assert.equal(words.outcomeWords({ outcome: "failed", why: "server\n error" }), "Not removed: server error");
  assert.deepEqual(["deleted", "unknown", "toString"].map((outcome) => words.outcomeWords({ outcome, why: "" })), ["", "", ""]);
  assert.equal(words.backupGoes(null), "The record of the deletion stays.");
});

test("the jobs of a deletion have the audit log’s order, outcomes and facts, else the facts of the backup", () => {
  const logged = [{ id: "a", outcome: "deleted", why: "", job: null }, { id: "b", outcome: "failed", why: "w", job: facts() }, { id: "d", outcome: "deleted", why: "", job: null }];
  const kept = (/** @type {string} */ id, more = {}) => ({ id, status: "failed", created: 5, finished: 9, name: `${id}.png`, workflow_id: "w", has_workflow: false, ...more });
  const known = (/** @type {string} */ id) => ({ status: "failed", raw: "", created: 5, took: null, name: `${id}.png`, workflow_id: "w", error: null });
  assert.deepEqual(joinJobs(logged, [kept("c", { has_workflow: true }), kept("a"), kept("b")]), [
    { id: "a", outcome: "deleted", why: "", facts: known("a"), workflow: false },
    { id: "b", outcome: "failed", why: "w", facts: facts(), workflow: false },
    { id: "d", outcome: "deleted", why: "", facts: null, workflow: false },
    { id: "c", outcome: "", why: "", facts: known("c"), workflow: true },
  ]);
});

test("a deleted job is shown with its status, creation time, run time and error, and nothing is made up", () => {
  const now = new Date("2026-11-23T20:00:00").getTime();
  const today = dayAndTime(facts().created, now);
  assert.equal(words.jobAbout(facts(), now), `Completed · Created: ${today} · 12.5\u00a0s`);
  const failed = facts({ status: "failed", name: "", error: outOfMemory });
  assert.equal(words.jobError(failed), "KSampler: Out of\ufffd memory");
  assert.equal(words.jobError(facts()), "");
  const silent = { ...outOfMemory, message: " " };
  assert.deepEqual([words.jobError(facts({ error: silent, name: "" })), words.jobError(facts({ error: silent }))], ["", "KSampler"]);
  const bare = facts({ status: "cancelled", created: null, took: null, name: "", workflow_id: "" });
  assert.equal(words.jobAbout(bare, now), "Cancelled");
  assert.equal(words.jobAbout(facts({ status: "unknown", raw: "odd", created: null, took: null }), now), "Unknown (odd)");
});

test("an entry sums up the run time of its removed jobs, and says “at least” where some is unknown", () => {
  const runTime = (rest) => words.entryRunTime(entry(rest));
  assert.equal(runTime({}), "");
  assert.equal(runTime({ run_seconds: 720, failed_run_seconds: 0, timed_jobs: 35 }), "12 min of run time");
  assert.equal(runTime({ run_seconds: 720, failed_run_seconds: 180, timed_jobs: 35 }), "12 min of run time, 3 min of it by failed jobs");
  assert.equal(runTime({ run_seconds: 32, failed_run_seconds: 32, timed_jobs: 35 }), "32 s of run time, all of it by failed jobs");
  assert.equal(runTime({ run_seconds: 45, failed_run_seconds: 0, timed_jobs: 34 }), "at least 45 s of run time");
  assert.equal(runTime({ run_seconds: 12_000, failed_run_seconds: 0, timed_jobs: 35, removed: null }), "at least 3 h 20 min of run time");
});

test("the page knows whether older deletions are left out", async () => {
  for (const more of [true, false, undefined]) {
    const auditLog = new AuditLog({ api: { auditLog: async () => ({ entries: [entry()], more, removed_in_all: 35 }) } });
    await auditLog.refresh();
    assert.equal(auditLog.hasMore, more === true);
  }
});

test("the jobs of an entry are found by each word of their name, id, workflow or error", () => {
  const job = (id, more) => ({ id, outcome: "deleted", why: "", workflow: false, facts: more && facts(more) });
  const jobs = [job("a1", { name: "mira_cover_0001.png" }), job("b2", { name: "", error: outOfMemory, workflow_id: "w-2" }), job("c3", null)];
  const found = (text) => matching(jobs, text, (id) => (id === "w-2" ? "My workflow" : "")).map(({ id }) => id);
  assert.deepEqual(found(" "), ["a1", "b2", "c3"]);
  assert.deepEqual(found("Mira cover"), ["a1"]);
  assert.deepEqual(found("mira ksampler"), []);
  assert.deepEqual(["ksampler", "memory", "W-2", "my WORKFLOW", "C3"].map(found), [["b2"], ["b2"], ["b2"], ["b2"], ["c3"]]);
});

const refusing = (code) => () => Promise.reject(new HistoryApiError({ code }));

test("a damaged backup does not hide the jobs of the audit log", async () => {
  const auditJobs = async () => ({ jobs: [{ id: "a", outcome: "deleted", why: "" }] });
  const backup = { jobs: 1, size: 1 };
  for (const code of ["backup_damaged", "comfyui_away"]) {
    const got = await new AuditLog({ api: { auditJobs, backupJobs: refusing(code) } }).jobs(entry({ backup }));
    assert.deepEqual([got.jobs.map(({ id }) => id), got.error.code], [["a"], code]);
  }
  const none = await new AuditLog({ api: { auditJobs: refusing("not_found"), backupJobs: assert.fail } }).jobs(entry());
  assert.deepEqual([none.jobs, none.error.code], [[], "not_found"]);
});

test("the jobs of an entry are listed with the newest first, and those of unknown age last", async () => {
  const of = (id, created) => ({ id, outcome: "deleted", why: "", ...(created !== undefined && { job: facts({ created }) }) });
  const auditJobs = async () => ({ jobs: [of("unknown"), of("old", 1), of("dateless", null), of("new", 3), of("middle", 2)] });
  const { jobs } = await new AuditLog({ api: { auditJobs } }).jobs(entry());
  assert.deepEqual(jobs.map(({ id }) => id), ["new", "middle", "old", "unknown", "dateless"]);
});

test("the audit log is requested only when its page opens and when a deletion changes it", async () => {
  const asked = [];
  const auditLog = new AuditLog({ api: { auditLog: () => new Promise((resolve) => asked.push(resolve)) } });
  let drawn = 0;
  auditLog.changed();
  assert.equal(asked.length, 0);
  const leave = auditLog.shown(() => (drawn += 1));
  auditLog.changed();
  asked[1]({ entries: [entry()], removed_in_all: 35 });
  asked[0]({ entries: [], removed_in_all: 0 });
  await nextTurn();
  assert.deepEqual([auditLog.entries.length, auditLog.removedInAll, drawn], [1, 35, 1]);
  leave();
  auditLog.changed();
  assert.equal(asked.length, 2);
});
