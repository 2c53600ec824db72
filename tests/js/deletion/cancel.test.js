import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { createCancellation } from "#ui/deletion/cancel.mjs";

/** A stub of the DOM elements that a question uses. */
const element = (tag) => ({
  tag, children: [], attributes: {},
  append(...children) { this.children.push(...children); },
  setAttribute(name, value) { this.attributes[name] = value; },
});
globalThis.document = { createElement: element, createElementNS: (space, tag) => element(tag) };
const texts = (node) => (typeof node === "string" ? [node] : (node.children ?? []).flatMap(texts));

/** The jobs that the last cancellation has ended. */
let endedIds = null;

/** Cancels jobs with a server that gives these answers in turn and throws those that are errors. */
async function cancel(jobs, ...answers) {
  const told = [];
  endedIds = null;
  let changes = 0;
  const api = {
    async cancel(ids, account) {
      assert.equal(account, "ours");
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return { cancelled: ids, finished_already: [], ...answer };
    },
  };
  const dialogs = { exclusive: (talk) => talk({ show: async () => "yes" }) };
  const toasts = { tell: (kind, { title, detail = "" }) => told.push(`${kind}: ${title}. ${detail}`.trim()) };
  const cancelling = createCancellation({ api, dialogs, toasts, workflowName: () => "", onChange: (ids) => ((changes += 1), (endedIds = ids)) });
  await cancelling.ask(Array.from({ length: jobs }, (_, n) => ({ id: `j${n}`, name: "", status: "pending", finished: null, created: null })), "ours");
  assert.equal(changes, 1, "the list is read again after every outcome");
  return told.join();
}
const fail = (code) => new HistoryApiError({ code, message: code });

test("after a lost answer, the outcome of a cancellation is unknown", async () => {
  for (const code of ["unreachable", "timeout", "server_fault", "unreadable_answer", "comfyui_away", "strange_answer", "internal"]) {
    assert.equal(await cancel(2, fail(code)), "warning: Outcome unknown. The answer was lost. Look at the list again.", code);
  }
});

test("when an answer is lost, the message still counts the jobs of the earlier answers", async () => {
  const told = await cancel(150, { cancelled: Array(98), finished_already: Array(2) }, fail("timeout"));
  assert.equal(told, "warning: Outcome unknown. 98 jobs cancelled. 2 had finished already. The answer was lost. Look at the list again.");
});

test("a refused cancellation says why", async () => {
  assert.match(await cancel(1, fail("unauthorized")), /^error: No job was cancelled. 1 job was not cancelled\. unauthorized\./);
  assert.match(await cancel(150, {}, fail("unauthorized")), /^warning: 100 jobs cancelled. 50 jobs were not cancelled./);
});

test("cancelling all jobs is a success", async () => {
  assert.equal(await cancel(2, {}), "success: 2 jobs cancelled.");
});

/** What the question says before jobs with these statuses are cancelled. */
async function question(...statuses) {
  let asked;
  const dialogs = { exclusive: (talk) => talk({ show: async (view) => void (asked = view) }) };
  const cancelling = createCancellation({ api: {}, dialogs, toasts: {}, workflowName: () => "", onChange: () => undefined });
  await cancelling.ask(statuses.map((status, n) => ({ id: `j${n}`, name: `mira_${n}.png`, status, raw: "", created: null, error: null, workflow_id: "" })), "ours");
  const { title, body, pinned, buttons } = asked;
  return { title, text: [...body, ...pinned].flatMap(texts).join("|"), labels: buttons.map(({ label }) => label) };
}

test("before jobs are cancelled, the question lists them with their status and says what is lost", async () => {
  const { title, text, labels } = await question("in_progress", "pending");
  assert.equal(title, "Cancel 2 active jobs?");
  for (const each of ["mira|_0.png|mira_0.png|In progress", "mira|_1.png|mira_1.png|Pending", "They stop now, and their unfinished work is lost. They stay in your history as cancelled.", "This can’t be undone."]) {
    assert.ok(text.includes(each), `${each} in ${text}`);
  }
  assert.deepEqual(labels, ["Keep them running", "Cancel 2 active jobs"]);
});

test("a job that has not started yet loses no work", async () => {
  const { title, text, labels } = await question("pending");
  assert.equal(title, "Cancel this job?");
  assert.ok(text.includes("It will not run. It stays in your history as cancelled."), text);
  assert.deepEqual(labels, ["Let it run", "Cancel job"]);
});

test("jobs that were cancelled, had finished, or may have been cancelled are named, so that they do not stay selected", async () => {
  await cancel(3, { cancelled: ["j0"], finished_already: ["j1"] });
  assert.deepEqual(endedIds, ["j0", "j1"]);
  await cancel(2, fail("timeout"));
  assert.deepEqual(endedIds, ["j0", "j1"]);
  await cancel(2, fail("unauthorized"));
  assert.deepEqual(endedIds, []);
});
