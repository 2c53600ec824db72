import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import * as words from "#ui/protection/strings.mjs";
import { ProtectionActions } from "#ui/protection/actions.mjs";
import { Protection } from "#ui/protection/model.mjs";

const job = (id, workflow = "") => ({ id, workflow_id: workflow });
const status = (jobs, workflows = 0, damaged = null) => ({ protection: { jobs, workflows, damaged } });
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** A simulated server with its lists, and the person's answer to the confirmation dialog. */
function stage({ jobs = [], workflows = [], all = [], answer = null } = {}) {
  const lists = { jobs: new Set(jobs), workflows: new Set(workflows) };
  const given = () => ({ jobs: [...lists.jobs], workflows: [...lists.workflows] });
  const scene = { lists, failure: null, reads: 0, sent: [], toasts: [], asked: [] };
  const api = {
    async protection() {
      scene.reads += 1;
      if (scene.failure) throw scene.failure;
      return given();
    },
    async protect(protect, which) {
      if (scene.failure) throw scene.failure;
      scene.sent.push([protect, which]);
      for (const [name, ids] of Object.entries(which)) for (const id of ids) protect ? lists[name].add(id) : lists[name].delete(id);
      return given();
    },
    async startEmpty() {
      scene.failure = null;
      lists.jobs.clear();
      return { kept_as: "x" };
    },
  };
  const protection = new Protection(api);
  const frame = { show: async (view) => (scene.asked.push([view.title, view.body[0].text, view.buttons.at(-1).label]), answer) };
  const protecting = new ProtectionActions({
    protection,
    dialogs: { exclusive: (talk) => talk(frame) },
    toasts: { tell: (kind, { title }) => scene.toasts.push(`${kind}: ${title}`) },
    all: () => all,
    nameOf: ({ id }) => `${id}.png`,
  });
  return { scene, protection, protecting };
}
// Stands in for the DOM: the dialog creates one paragraph.
globalThis.document = { createElement: () => ({ append(text) { this.text = text; }, setAttribute() {}, addEventListener() {} }) };

test("a job is protected by its id or its workflow id, and an empty workflow id matches no job", async () => {
  const { protection } = stage({ jobs: ["a"], workflows: ["w", ""] });
  await protection.read();
  assert.deepEqual([job("a"), job("b", "w"), job("c", "v"), job("d")].map(protection.covers), [true, true, false, false]);
});

test("the lists are requested again only when the status reports other counts", async () => {
  const { scene, protection } = stage({ jobs: ["a"] });
  protection.adopt(status(1));
  assert.ok(protection.any, "the count of the status is enough");
  await protection.read();
  protection.adopt(status(1));
  assert.equal(scene.reads, 1);
  scene.lists.workflows.add("w");
  protection.adopt(status(1, 1));
  await nextTurn();
  assert.equal(scene.reads, 2);
  assert.ok(protection.covers(job("x", "w")));
});

test("an answer that arrives after the answer to a later request is ignored", async () => {
  const waiting = [];
  const protection = new Protection({ protection: () => new Promise((resolve) => waiting.push(resolve)), protect: async () => ({ jobs: ["new"], workflows: [] }) });
  const reading = protection.read();
  await protection.change(true, { jobs: ["new"] });
  waiting[0]({ jobs: ["old"], workflows: [] });
  await reading;
  assert.deepEqual([...protection.jobs], ["new"]);
});

test("listeners are called only when the protection changes", async () => {
  const { protection } = stage({ jobs: ["a"] });
  let calls = 0;
  const leave = protection.subscribe(() => (calls += 1));
  await protection.read();
  await protection.read();
  assert.equal(calls, 1);
  protection.adopt(status(1, 0, "protected.damaged"));
  protection.adopt(status(1, 0, "protected.damaged"));
  assert.equal(calls, 2);
  leave();
  await protection.change(false, { jobs: ["a"] });
  assert.equal(calls, 2);
});

test("a failed request keeps the last lists, and a damaged list is reported", async () => {
  const { scene, protection } = stage({ jobs: ["a"] });
  await protection.read();
  scene.failure = new HistoryApiError({ code: "comfyui_away" });
  await protection.read();
  assert.ok(protection.covers(job("a")));
  assert.equal(protection.damaged, null);
  scene.failure = new HistoryApiError({ code: "protection_damaged" });
  await protection.read();
  assert.equal(protection.damaged, "");
  protection.adopt(status(0, 0, "kept.json"));
  assert.equal(protection.damaged, "kept.json");
  await protection.startEmpty();
  assert.equal(protection.damaged, null);
  assert.ok(!protection.any);
});

test("the first press protects the unprotected jobs, the next unprotects all, and the toast names the changed jobs", async () => {
  const rows = [job("a"), job("b"), job("c")];
  const { scene, protection, protecting } = stage({ jobs: ["a"], all: rows });
  await protection.read();
  await protecting.set(rows);
  assert.deepEqual(scene.sent.at(-1), [true, { jobs: ["b", "c"] }]);
  await protecting.set(rows);
  assert.deepEqual(scene.sent.at(-1), [false, { jobs: ["a", "b", "c"] }]);
  assert.deepEqual(scene.toasts, ["success: 2 jobs protected: b.png and c.png", "success: 3 jobs no longer protected: a.png, b.png and 1 more"]);
  await protecting.set([]);
  assert.equal(scene.sent.length, 2);
});

test("a button that says Protect never unprotects, even if another page has protected the jobs meanwhile", async () => {
  const rows = [job("a"), job("b")];
  const { scene, protection, protecting } = stage({ jobs: ["a", "b"], all: rows });
  await protection.read();
  await protecting.set(rows, true);
  assert.deepEqual(scene.sent, []);
  await protecting.set(rows, false);
  assert.deepEqual(scene.sent, [[false, { jobs: ["a", "b"] }]]);
  await protecting.set([rows[0]], true);
  await protecting.set([rows[0]], false);
  assert.deepEqual(scene.toasts.slice(-2), ["success: a.png is protected", "success: a.png is no longer protected"]);
  scene.sent.length = 1;
  await protecting.set(rows, false);
  assert.equal(scene.sent.length, 1, "a button that says Unprotect never protects");
});

test("protecting a workflow protects all its jobs, and the toast names them", async () => {
  const all = [job("a", "w"), job("b", "w"), job("c", "v")];
  const { scene, protection, protecting } = stage({ jobs: ["a"], all });
  await protection.read();
  await protecting.protectWorkflow(all[0]);
  assert.deepEqual(scene.sent, [[true, { workflows: ["w"] }]]);
  assert.deepEqual(scene.toasts, ["success: b.png is protected"]);
  assert.ok(protection.covers(all[1]));
});

test("unprotecting a job protected by its workflow asks to unprotect the workflow, and says how many jobs that affects", async () => {
  const all = [job("a", "w"), job("b", "w"), job("c", "w"), job("d")];
  const no = stage({ jobs: ["c"], workflows: ["w"], all });
  await no.protection.read();
  await no.protecting.set([all[0]]);
  assert.deepEqual(no.scene.asked, [[
    "This job is protected by its workflow",
    "It can’t be unprotected alone. If you unprotect the workflow, 2 jobs are no longer protected.",
    "Unprotect the workflow",
  ]]);
  assert.deepEqual([no.scene.sent, no.scene.toasts], [[], []]);

  const yes = stage({ jobs: ["c", "d"], workflows: ["w"], all, answer: "yes" });
  await yes.protection.read();
  await yes.protecting.set([all[0], all[3]]);
  assert.match(yes.scene.asked[0][0], /^1 of these jobs is protected by its workflow$/);
  assert.deepEqual(yes.scene.sent, [[false, { jobs: ["d"], workflows: ["w"] }]]);
  assert.deepEqual(yes.scene.toasts, ["success: 3 jobs no longer protected: a.png, b.png and 1 more"]);
  assert.ok(yes.protection.covers(all[2]), "the job is also protected by its id");
});

test("a refused change shows an error, and no success toast", async () => {
  const all = [job("a")];
  const { scene, protection, protecting } = stage({ all });
  await protection.read();
  scene.failure = new HistoryApiError({ code: "protection_damaged" });
  await protecting.set(all);
  assert.deepEqual(scene.toasts, ["error: The protection could not be changed"]);
  assert.ok(!protection.covers(all[0]));
  assert.equal(protection.damaged, "");
});

test("the protection texts have a singular and a plural", () => {
  assert.equal(words.allButTitle(1), "Delete all finished jobs but the protected one?");
  assert.equal(words.allButTitle(12), "Delete all finished jobs but the 12 protected ones?");
  assert.equal(words.allProtected({ active: 1, protected: 1 }), "The only finished job is protected. 1 active job stays.");
  assert.equal(words.backedUp(0), false);
  assert.equal(words.backedUp(1), "1 workflow backed up.");
  assert.equal(words.backingUp(3, 1200), "Backing up workflows… 3 of 1,200");
  assert.match(words.damagedText(""), /^The file was kept\. /);
  assert.match(words.damagedText("a\u202eb.json"), /^The file was kept as a�b\.json\. /u);
});
