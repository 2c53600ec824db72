import assert from "node:assert/strict";
import { test } from "node:test";
import { AuditPage } from "#ui/audit/page.mjs";
import { createPage } from "../viewer/page.js";

const ENTRY = {
  operation: "op", kind: "delete", origin: "panel", node: "", title: "", at: "2026-11-23T14:02:00", seconds: 2, asked: 1, state: "done",
  counts: { deleted: 1 }, removed: 1, report: "", host: "x", last4: "a1b2", version: "1", backup: null, run_seconds: null, failed_run_seconds: null, timed_jobs: null,
};

/** The page with these entries. @param {object[]} [entries] @param {(operation: string) => {jobs: object[], error: object | null}} [jobsOf] */
function page(entries = [ENTRY], jobsOf = () => ({ jobs: [], error: null }), status = null, saved = { of: () => undefined, learn: async () => undefined, subscribe: () => () => undefined }) {
  const { root } = createPage();
  globalThis.window.Node = root.constructor;
  const read = [];
  const timers = [];
  globalThis.window.setTimeout = (run) => timers.push(run);
  const auditLog = {
    entries, error: null, hasMore: false, removedInAll: 1, shown: () => () => undefined,
    jobs: async ({ operation }) => (read.push(operation), jobsOf(operation)),
  };
  const listeners = [];
  const store = { now: () => Date.parse(ENTRY.at), names: { of: () => "" }, saved, status, on: (_, listener) => (listeners.push(listener), () => undefined) };
  const { element } = new AuditPage({ auditLog, store, actions: {}, api: {}, dialogs: {}, toasts: {}, workflows: {}, back: () => undefined, close: () => undefined });
  const of = (name) => [...element.all()].find(({ attributes }) => (attributes.class ?? "").split(" ").includes(name));
  const toggle = [...(of("hd")?.all() ?? [])].find(({ tag }) => tag === "button");
  const setStatus = (next) => ((store.status = next), listeners.forEach((listen) => listen()));
  const search = [...element.all()].find(({ attributes }) => attributes["aria-label"] === "Search all deleted jobs");
  const type = async (text) => {
    search.value = text;
    search.fire("input", { target: search });
    timers.splice(0).forEach((run) => run());
    await new Promise((resolve) => setImmediate(resolve));
  };
  const text = () => [...element.all()].filter(({ attributes }) => attributes.class === "cch-entry").filter(({ hidden }) => !hidden).map(({ textContent }) => textContent);
  const said = () => [...element.all()].find(({ tag, attributes }) => tag === "p" && attributes.role === "status").textContent;
  return { element, setStatus, read, search, type, text, said, head: of("hd"), toggle, isOpen: () => toggle.attributes["aria-expanded"] === "true" };
}

test("a click anywhere on the head of an entry opens and closes it, and its button does so once", () => {
  const { head, toggle, isOpen } = page();
  assert.equal(isOpen(), false);
  head.fire("click");
  assert.equal(isOpen(), true);
  head.fire("click");
  assert.equal(isOpen(), false);
  // A press of the button bubbles to the head.
  toggle.fire("click");
  head.fire("click");
  assert.equal(isOpen(), true);
});

test("only an entry whose jobs went shows a bin or a backup, and one with an unknown outcome a question mark", () => {
  const drawing = (changes) => [...page([{ ...ENTRY, ...changes }]).head.all()].find(({ tag }) => tag === "path").attributes.d;
  const bin = drawing({}), unknown = drawing({ state: "unknown", removed: null, counts: null });
  const nothing = drawing({ removed: 0, counts: { failed: 1 } });
  assert.equal(new Set([bin, unknown, nothing]).size, 3);
  assert.equal(drawing({ removed: 0, counts: { unconfirmed: 1 } }), unknown);
  assert.equal(drawing({ removed: null, counts: null }), unknown);
});

const job = (id, name, rest = {}) => ({
  id, outcome: "deleted", why: "", workflow: true,
  facts: { name, workflow_id: "", status: "completed", raw: "", created: 0, took: null, error: null }, ...rest,
});

test("a search finds a job among all deletions, opens the one that has it, and hides the others", async () => {
  const entries = ["a", "b", "c"].map((operation) => ({ ...ENTRY, operation, asked: 10_000, removed: 10_000 }));
  const jobs = { a: [job("a1", "coast.png")], b: [job("b1", "mira_cover.png"), job("b2", "mira_boots.png")], c: [job("c1", "relight.png")] };
  const it = page(entries, (operation) => ({ jobs: jobs[operation], error: operation === "c" ? {} : null }));
  assert.deepEqual([it.text().length, it.read], [3, []], "nothing is read before");
  await it.type("mira cover");
  assert.deepEqual(it.read, ["a", "b", "c"]);
  assert.equal(it.text().length, 1);
  assert.match(it.text()[0], /mira_cover/);
  assert.ok(!it.text()[0].includes("mira_boots"));
  assert.equal(it.said(), "1 job in 1 deletion. The jobs of 1 deletion can’t be read.");
  await it.type("mira");
  assert.deepEqual([it.said().split(".")[0], it.read.length], ["2 jobs in 1 deletion", 3], "what was read is kept");
  await it.type("");
  assert.deepEqual([it.text().length, it.said()], [3, ""]);
  assert.ok(!it.text().join().includes("mira"), "closed again");
});

test("few deleted jobs need no search", () => {
  assert.equal(page([{ ...ENTRY, asked: 10 }]).search.parent.hidden, true);
  assert.equal(page([{ ...ENTRY, asked: 10 }, { ...ENTRY, operation: "b", asked: 1 }]).search.parent.hidden, false);
});

test("a job says that its workflow is not in the backup", async () => {
  const backup = { size: 1, jobs: 1 };
  const jobs = [job("a1", "coast.png", { workflow: false }), job("a2", "mira.png"), job("a3", "lamp.png", { workflow: false, outcome: "protected" })];
  const text = async (entry) => {
    const it = page([entry], () => ({ jobs: jobs.map((each) => ({ ...each })), error: null }));
    it.head.fire("click");
    await new Promise((resolve) => setImmediate(resolve));
    return it.text()[0];
  };
  const shown = await text({ ...ENTRY, backup });
  assert.equal(shown.split("The backup has no workflow of this job.").length, 2, shown);
  assert.ok(shown.includes("3 jobs, the newest first"), shown);
  assert.ok(!(await text(ENTRY)).includes("The backup has no workflow"));
});

test("the page says how long backups are kept by the settings, above the list and in its place", () => {
  const status = (backup_days) => ({ settings: { backup_days, backup_megabytes: 1000 } });
  const kept = (days) => `Backups are kept for ${days} days, or less if all backups together exceed 1,000 MB. The newest ten are always kept.`;
  for (const entries of [[ENTRY], []]) {
    const { element, setStatus } = page(entries, undefined, status(90));
    const shown = () => [...element.all()].filter(({ tag, textContent }) => tag === "p" && textContent.includes("Backups are kept")).map(({ textContent }) => textContent);
    assert.ok(shown().every((text) => text.includes(kept(90))) && shown().length, shown().join());
    setStatus(status(30));
    assert.ok(shown().every((text) => text.includes(kept(30))) && shown().length, shown().join());
    setStatus(null);
    assert.deepEqual(shown(), []);
  }
});

test("marks of saved outputs that come later change the lines of the jobs, which keep the focus", async () => {
  const states = new Map();
  const listeners = new Set();
  let learnt = () => undefined;
  const saved = {
    of: (id) => states.get(id),
    learn: () => new Promise((resolve) => (learnt = resolve)),
    subscribe: (listener) => (listeners.add(listener), () => listeners.delete(listener)),
  };
  const jobs = ["a", "b"].map((id) => ({ id, outcome: "deleted", workflow: true, facts: null }));
  const { element, head } = page([{ ...ENTRY, asked: 2, removed: 2 }], () => ({ jobs, error: null }), null, saved);
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const lines = () => [...element.all()].filter(({ attributes }) => attributes.class === "cch-kept");
  const offers = (line) => [...line.all()].some(({ tag, hidden, textContent }) => tag === "span" && !hidden && textContent === "Saved outputs");
  head.fire("click");
  await turn();
  const before = lines();
  assert.deepEqual(before.map(offers), [false, false]);
  states.set("b", "some");
  listeners.forEach((listener) => listener());
  learnt();
  await turn();
  assert.ok(lines().length === 2 && lines().every((line, at) => line === before[at]));
  assert.deepEqual(before.map(offers), [false, true]);
  head.fire("click");
  assert.equal(listeners.size, 0);
});
