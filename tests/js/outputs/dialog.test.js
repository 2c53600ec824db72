import assert from "node:assert/strict";
import { test } from "node:test";
import { SaveQuestion } from "#ui/outputs/dialog.mjs";
import { outputFacts } from "#ui/outputs/facts.mjs";
import { createPage } from "../viewer/page.js";
import { fail, preview, settled } from "./stage.js";

const STATUS = { configured: true, source: "saved", last4: "a1b2", problem: null };

/** Asks about three jobs. `answers` are the person's answers in turn; previews and the start may fail. */
function question({ previews = [preview()], answers = ["yes"], start = [], status = STATUS } = {}) {
  createPage();
  globalThis.window.ResizeObserver = class { observe() {} };
  const [views, started, asked, keys] = [[], [], [], []];
  let isOpen = true;
  const frame = {
    isOpen: () => isOpen,
    show: async (view) => {
      if (view.buttons.some(({ element }) => element)) return null; // the step that counts
      views.push(view);
      return answers.length ? answers.shift() : null;
    },
  };
  const next = (list) => {
    const value = list.length > 1 ? list.shift() : list[0];
    if (value instanceof Error) throw value;
    return value;
  };
  const asking = new SaveQuestion({
    api: { status: async () => next([status].flat()), savePreview: async (selection) => (asked.push(selection), next(previews)) },
    dialogs: { exclusive: async (talk) => talk(frame) },
    saves: { start: async (token) => (started.push(token), start.length && next(start)) },
    connect: { askForKey: async () => (keys.push(1), true) },
    onAccountChanged: () => keys.push("account"),
  });
  const text = (view) => view.body.filter(Boolean).map((part) => part.textContent).join(" ");
  return { ask: () => asking.ask({ ids: ["a", "b", "c"], account: "ours" }), views, started, asked, keys, text, close: () => (isOpen = false) };
}

test("the dialog says how many files, how large, where, how long and how they are checked, and then starts the run", async () => {
  const it = question();
  await it.ask();
  const [view] = it.views;
  assert.equal(view.title, "Save the outputs of 3 jobs?");
  for (const each of ["8to save4.1 GB", "0already here", "output/comfy-cloud", "90 GB", "about 3 min", "Each file, by its size", "Key ending in a1b2"]) assert.ok(it.text(view).includes(each), `${each} in ${it.text(view)}`);
  assert.deepEqual(view.buttons.map(({ label }) => label), ["Cancel", "Save 8 files"]);
  assert.deepEqual([it.asked, it.started], [[{ ids: ["a", "b", "c"], account: "ours" }], ["t1"]]);
});

test("Cancel starts nothing", async () => {
  const it = question({ answers: [null] });
  await it.ask();
  assert.deepEqual(it.started, []);
});

test("without room on the disk, the dialog gives both numbers and no button that saves", async () => {
  const it = question({ previews: [preview({ free_bytes: 2e9 })] });
  await it.ask();
  assert.match(it.text(it.views[0]), /Not enough disk space.*4\.1 GB.*2 GB are free/);
  assert.deepEqual(it.views[0].buttons.map(({ label }) => label), ["Close"]);
});

test("outputs that Comfy Cloud no longer has are named before anything is saved", async () => {
  const gone = [{ job_id: "a", filename: "mira\u202e.png" }];
  const it = question({ previews: [preview({ gone, gone_files: 3 })], answers: [null] });
  await it.ask();
  assert.match(it.text(it.views[0]), /3 outputs are no longer on Comfy Cloud.*mira\ufffd\.png.*and 2 more/);
  assert.equal(it.views[0].buttons[1].label, "Save 5 files");
});

test("if all is here, nothing is offered", async () => {
  const it = question({ previews: [preview({ saved_files: 8 })] });
  await it.ask();
  assert.equal(it.views[0].title, "Nothing to save");
  assert.deepEqual([it.views[0].buttons.length, it.started], [1, []]);
});

test("a refused start is said, and Try again asks anew", async () => {
  const it = question({ previews: [preview(), preview({ token: "t2" })], answers: ["yes", "retry", "yes"], start: [fail("preview_expired"), undefined] });
  await it.ask();
  assert.deepEqual([it.started, it.views[1].title], [["t1", "t2"], "preview_expired"]);
});

test("without a key, the person is asked for one first", async () => {
  const it = question({ status: { ...STATUS, configured: false }, answers: [null] });
  it.close();
  await it.ask();
  assert.deepEqual([it.asked, it.started], [[], []]);
});

const FACTS = { files: 312, bytes: 1.4e9, saved_files: 120, gone_files: 4, known: true, jobs_with_outputs: 40 };

/** The facts of a question, whose answer comes when the test says so. */
function facts(outputs = 312) {
  createPage();
  const nodes = [];
  globalThis.document.createTextNode = (data) => (nodes.push({ data }), nodes.at(-1));
  const said = [];
  let come;
  let signal;
  const read = (given) => ((signal = given), new Promise((resolve, reject) => (come = { resolve, reject })));
  const made = outputFacts({ removable: 2, outputs }, read, (text) => said.push(text));
  const [goes, stays, here, gone] = nodes;
  return { made, said, aborted: () => signal.aborted, texts: () => [goes, stays, here, gone].map(({ data }) => data), answer: async (value) => (value instanceof Error ? come.reject(value) : come.resolve(value), settled()) };
}

test("the facts of a question come late into rows that are there from the start", async () => {
  const it = facts();
  it.made.update(true);
  assert.deepEqual(it.texts(), ["Their workflows, times and errors; the workflows are kept in a backup", "312 outputs", "", ""]);
  await it.answer(FACTS);
  assert.deepEqual(it.texts().slice(1), ["308 outputs, 1.4 GB", "120 of 312 outputs saved", "4 outputs are no longer on the Cloud."]);
  assert.deepEqual(it.said, ["4 outputs are no longer on the Cloud."], "a loss is read aloud");
  it.made.update(false);
  assert.equal(it.texts()[0], "Their workflows, times and errors");
});

test("facts that can’t be read are called unknown, and a closed dialog asks no longer", async () => {
  const it = facts(null);
  await it.answer(fail("unreachable"));
  assert.deepEqual(it.texts().slice(1), ["Not known now", "Not known now", ""]);
  const closed = facts();
  closed.made.letGo();
  assert.equal(closed.aborted(), true);
  await closed.answer(fail("comfyui_away"));
  assert.equal(closed.texts()[2], "", "nothing is written into a closed dialog");
});
