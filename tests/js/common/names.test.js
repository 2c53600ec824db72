import assert from "node:assert/strict";
import { test } from "node:test";
import { directionOf, nameElement } from "#ui/common/components.mjs";
import { jobName, jobNameParts, WorkflowNames } from "#ui/common/names.mjs";
import { openNames } from "#ui/details/workflows.mjs";

const element = (tag) => ({ tag, attributes: {}, children: [], setAttribute(name, value) { this.attributes[name] = value; }, append(child) { this.children.push(child); } });
globalThis.document = { createElement: element };

const AT = new Date(2026, 10, 28, 18, 37).getTime();
const row = (rest = {}) => ({ id: "7f3a9c21-aaaa", status: "completed", raw: "", created: AT, name: "", error: null, ...rest });

test("a job is called by its workflow and its output, by either alone, or else by what happened and when", () => {
  assert.equal(jobName(row({ name: "mira_cover_0001.png" }), "Portrait"), "Portrait · mira_cover_0001.png");
  assert.equal(jobName(row({ name: "mira_cover_0001.png" })), "mira_cover_0001.png");
  assert.match(jobName(row({ status: "failed" }), "Portrait"), /^Portrait\u00a0· .*37/);
  const error = { message: "no", type: "", node_type: "KSampler", node_id: "3" };
  assert.match(jobName(row({ status: "failed", error })), /^Failed KSampler,\u00a0.*37/);
  assert.match(jobName(row({ status: "cancelled" })), /^Cancelled,\u00a0.*37/);
  assert.equal(jobName(row({ status: "failed", error, created: null })), "Failed KSampler,\u00a07f3a9c21");
});

test("the counter and extension of an output, and the time, are never shortened", () => {
  assert.deepEqual(jobNameParts(row({ name: "mira_cover_0001.png" }), "Portrait"), ["Portrait · mira", "_cover_0001.png"]);
  assert.equal(jobNameParts(row())[0], "Completed,");
});

test("jobs of one workflow differ in the part of their names that is never shortened", () => {
  const end = (rest) => jobNameParts(row(rest), "Coast study").at(-1);
  assert.equal(end({ name: "coast_dawn_00001_.png" }), "_dawn_00001_.png");
  assert.equal(end({ name: "dusk_00001_.png" }), "dusk_00001_.png");
  assert.notEqual(end({ created: AT }), end({ created: AT + 1_000 }));
  assert.equal(end({ created: null }), "\u00a0· 7f3a9c21");
  assert.equal(end({ name: "anna_headshot_00001_.png" }), "eadshot_00001_.png", "a whole long word would leave no room for the beginning");
});

test("the white space where a name is cut in two is drawn", () => {
  assert.deepEqual(jobNameParts(row({ name: "ComfyUI_00001_.png" }), "Unsaved Workflow"), ["Unsaved Workflow ·\u00a0", "ComfyUI_00001_.png"]);
  assert.deepEqual(jobNameParts(row({ name: "my cat_0001.png" }), "Pets"), ["Pets · my", "\u00a0cat_0001.png"]);
  assert.deepEqual(jobNameParts(row({ name: "cat 0001.png" })), ["cat\u00a0", "0001.png"]);
});

test("a name of letters from right to left keeps its end, and is written in the direction of the letters at its cut", () => {
  const named = (name, workflow) => {
    const [head, tail] = jobNameParts(row({ name }), workflow);
    return [head, tail, directionOf(head)];
  };
  assert.deepEqual(named("תמונה_יפה_00012_.png"), ["תמונה_יפה", "_00012_.png", "rtl"]);
  assert.deepEqual(named("صورة_00012_.png", "Coast study"), ["Coast study ·\u00a0", "صورة_00012_.png", "ltr"]);
  assert.deepEqual(named("الصورةالجميلة_00012_.png", "Coast study"), ["Coast study · الصورةالجميلة", "_00012_.png", "rtl"], "a word of joined letters is not cut in two");
  assert.deepEqual(named("mira_cover_0001.png", "חוף"), ["חוף · mira", "_cover_0001.png", "ltr"]);
  assert.deepEqual(named("mira_תמונה_0001.png"), ["mira_תמונה", "_0001.png", "rtl"]);
  assert.deepEqual(named("mira_0001.png"), ["mira", "_0001.png", "ltr"]);
  assert.equal(directionOf(jobNameParts(row(), "חוף")[0]), "rtl");
  const { attributes, children } = nameElement(["תמונה", "_00012_.png"]);
  assert.deepEqual([attributes.dir, children[0].attributes.dir, children[1].attributes.dir], ["rtl", undefined, "auto"]);
});

test("names from the cloud can’t bring in control characters or marks that change the writing direction", () => {
  assert.equal(jobName(row({ name: "a\u202eb" }), "c\u0007d"), "c\ufffdd · a\ufffdb");
});

/** Keeps one text. @param {string | null} [text] */
const storage = (text = null) => ({ text, getItem: () => text, setItem: function (_, value) { this.text = text = value; } });

test("names of workflows are remembered, and the newest one counts", () => {
  const kept = storage();
  const names = new WorkflowNames(kept);
  let changes = 0;
  names.subscribe(() => (changes += 1));
  names.learn([["w1", "Portrait"], ["", "No id"], ["w2", "  "]]);
  names.learn([["w1", "Portrait"]]);
  names.learn([["w1", "Portrait 2"]]);
  assert.deepEqual([names.of("w1"), names.of("w2"), names.all(), changes], ["Portrait 2", "", ["Portrait 2"], 2]);
  assert.equal(new WorkflowNames(kept).of("w1"), "Portrait 2");
});

test("only a limited number of names is remembered, the newest ones", () => {
  const kept = storage();
  const names = new WorkflowNames(kept);
  names.learn(Array.from({ length: 600 }, (_, at) => [`w${at}`, `Name ${at}`]));
  assert.deepEqual([names.all().length, names.of("w99"), names.of("w599")], [500, "", "Name 599"]);
  assert.equal(JSON.parse(kept.text).length, 500);
});

test("names work without the browser’s storage, and with damaged contents", () => {
  const refuse = () => { throw new Error("denied"); };
  const names = new WorkflowNames({ getItem: refuse, setItem: refuse });
  names.learn([["w1", "Portrait"]]);
  assert.equal(names.of("w1"), "Portrait");
  for (const text of ["{", "{}", "[1]", '[["w1", 5]]', "null"]) assert.equal(new WorkflowNames(storage(text)).of("w1"), "", text);
});

test("names come from saved workflows that are open, and never from an id that several of them share", () => {
  const open = (id, filename, isTemporary = false) => ({ activeState: { id }, filename, isTemporary });
  const portrait = open("w1", "Portrait");
  const workflows = { activeWorkflow: portrait, openWorkflows: [portrait, open("w2", "Copy"), open("w2", "Copy 2"), open("w3", "Unsaved Workflow", true), { activeState: null }] };
  assert.deepEqual(openNames(workflows), [["w1", "Portrait"]]);
  assert.deepEqual(openNames(undefined), []);
});
