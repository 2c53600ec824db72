import assert from "node:assert/strict";
import { test } from "node:test";
import { jobsList, questionView } from "#ui/deletion/question.mjs";
import * as words from "#ui/deletion/strings.mjs";
import { backupSize } from "#ui/protection/strings.mjs";

/** A stub of the DOM elements that a question uses. */
function element(tag) {
  return {
    tag, children: [], attributes: {}, listeners: {}, open: false, textContent: "",
    append(...children) { this.children.push(...children); },
    setAttribute(name, value) { this.attributes[name] = value; },
    addEventListener(type, listener) { this.listeners[type] = listener; },
    toggleAttribute(name, on) { if (on) this.attributes[name] = ""; else delete this.attributes[name]; },
    get firstChild() { return this.children[0]; },
  };
}
globalThis.document = { createElement: element, createElementNS: (space, tag) => element(tag), createTextNode: (data) => ({ data }) };

const texts = (node) => (typeof node === "string" ? [node] : [node.data ?? node.textContent, ...(node.children ?? []).flatMap(texts)].filter(Boolean));
const all = (node, tag) => [...(node.tag === tag ? [node] : []), ...(node.children ?? []).flatMap((child) => all(child, tag))];
const row = (n, more = {}) => ({ id: `${n}`.padStart(8, "0"), name: `mira_cover_000${n}_.png`, status: "completed", raw: "", created: 0, finished: 120_000, preview: null, output_type: "", ...more });
const NONE = { active: 0, protected: 0, unknown: 0, already_gone: 0 };
const question = (more = {}) => ({
  removable: 2, finished: 100, large_share: 0.8, many_jobs: 1000, many_final_jobs: 100, by_status: { completed: 2, failed: 0, cancelled: 0 }, oldest: 0, newest: 60_000, outputs: 3, took: 720_000, timed: 2,
  skipped: NONE, kept: null, rows: [row(1), row(2)], last4: "a1b2", ...more,
});
const thumbnails = () => {
  const [requested, released] = [[], []];
  return { requested, released, requestFor: ({ id }, image) => requested.push([id, image]), release: (image) => released.push(image) };
};
const view = (more, options = {}) => questionView(question(more), { thumbnails: thumbnails(), undo: () => "You can undo for 10 s.", atOnce: false, ...options });
const textOf = (shown) => shown.body.filter(Boolean).flatMap(texts).join("|");

test("a question says what goes with its run time, what stays, and the created times", () => {
  const text = textOf(view());
  for (const each of ["2|will be removed", "12 min of run time", "Their workflows, times and errors", "0|of these will stay", "Your other jobs are not touched", "3 outputs stay in your assets", "Oldest, created", "Newest, created", "Key ending in a1b2"]) {
    assert.ok(text.includes(each), `${each} in ${text}`);
  }
});

test("the sentence on undo is pinned and not in the part that scrolls", () => {
  const shown = view();
  assert.deepEqual(shown.pinned.flatMap(texts), ["You can undo for 10 s."]);
  assert.ok(!textOf(shown).includes("undo"));
});

test("the sentence on undo follows the choice whether to back up first", () => {
  const shown = view({}, { undo: (backsUp) => (backsUp ? "Then it can’t be undone." : "Sent at once."), backsUp: true, atOnce: true });
  const [sentence] = shown.pinned;
  const [warning, pending] = sentence.children;
  const seen = () => [...texts(sentence), "hidden" in warning.attributes, "hidden" in pending.attributes];
  assert.deepEqual(seen(), ["Then it can’t be undone.", true, false]);
  shown.chooseBackup(false);
  assert.deepEqual(seen(), ["Sent at once.", false, true]);
});

test("a clean-up counts active and protected jobs apart from those that its rules keep", () => {
  const text = textOf(view({ kept: 9, skipped: { ...NONE, active: 3, protected: 1 } }));
  assert.ok(text.includes("13|will stay|9\u00a0kept by your rules, 3\u00a0active, 1\u00a0protected"), text);
});

test("a job that is already gone does not count as one that stays", () => {
  const text = textOf(view({ skipped: { ...NONE, already_gone: 2 } }));
  assert.ok(text.includes("0|of these will stay"), text);
  assert.ok(text.includes("2 are already gone"), text);
});

test("a question about all finished jobs does not speak of other jobs", () => {
  for (const all of [{ finished: 2 }, { finished: 3, skipped: { ...NONE, protected: 1 } }, { kept: 9 }]) {
    const text = textOf(view(all));
    assert.ok(text.includes("|will stay") && !text.includes("other jobs"), text);
  }
  assert.ok(textOf(view({ finished: null }, { finishedHere: 40 })).includes("Your other jobs are not touched"));
  assert.ok(!textOf(view({ finished: null }, { finishedHere: 2 })).includes("Your other jobs are not touched"));
});

test("the run time of jobs is a minimum if that of some is unknown, and is left out if it is unknown", () => {
  assert.ok(textOf(view({ timed: 1 })).includes("at least 12 min of run time"));
  assert.ok(!textOf(view({ took: null, timed: 0 })).includes("run time"));
});

test("more than 80% of the finished jobs, or more than 1,000 jobs, need one more step", () => {
  assert.equal(view({ removable: 80, finished: 100 }).agreement, "");
  assert.equal(view({ removable: 81, finished: 100 }).agreement, "Yes, delete 81% of my finished jobs");
  assert.equal(view({ removable: 9999, finished: 10_000 }).agreement, "Yes, delete over 99% of my finished jobs");
  assert.equal(view({ removable: 100, finished: 100 }).agreement, "Yes, delete all 100 finished jobs");
  assert.equal(view({ removable: 1000, finished: 20_000 }).agreement, "");
  assert.equal(view({ removable: 1001, finished: 20_000 }).agreement, "Yes, delete 1,001 jobs");
});

test("rules that apply to some of the finished jobs need one more step by the share of those", () => {
  const agreement = (removable, chosen, finished = 1204) => view({ removable, chosen, finished, kept: 0 }).agreement;
  assert.equal(agreement(85, 97), "Yes, delete 88% of the 97 jobs these rules apply to");
  assert.equal(agreement(77, 97), "");
  assert.equal(agreement(97, 97), "Yes, delete all 97 jobs these rules apply to");
  assert.equal(agreement(1, 1), "Yes, delete the only job these rules apply to");
  assert.equal(agreement(999, 1000, 1000), "Yes, delete over 99% of my finished jobs");
  assert.equal(agreement(1204, 1204), "Yes, delete all 1,204 finished jobs");
});

test("the server says from where on a deletion needs one more step", () => {
  assert.equal(view({ removable: 60, finished: 100, large_share: 0.5 }).agreement, "Yes, delete 60% of my finished jobs");
  assert.equal(view({ removable: 60, finished: 1000, many_jobs: 50 }).agreement, "Yes, delete 60 jobs");
});

test("100 jobs or more that can neither be undone nor are backed up need one more step, which comes and goes with the backup", () => {
  const agreed = (removable, atOnce, backsUp) => view({ removable, finished: 20_000 }, { atOnce, backsUp }).agreement;
  const label = "Yes, delete 261 jobs without undo and without a backup";
  assert.deepEqual([agreed(261, true, false), agreed(261, true, true), agreed(261, false, false)], [label, "", ""]);
  assert.deepEqual([agreed(99, true, false), agreed(100, true, false)], ["", "Yes, delete 100 jobs without undo and without a backup"]);
  const { chooseBackup } = view({ removable: 261, finished: 20_000 }, { atOnce: true });
  assert.deepEqual([chooseBackup(true), chooseBackup(false)], ["", label]);
  assert.equal(view({ removable: 60, finished: 1000, many_final_jobs: 50 }, { atOnce: true }).agreement, "Yes, delete 60 jobs without undo and without a backup");
});

test("the list answers how many finished jobs there are if the server does not know", () => {
  assert.equal(view({ removable: 9, finished: null }).agreement, "");
  assert.equal(view({ removable: 9, finished: null }, { finishedHere: 10 }).agreement, "Yes, delete 90% of my finished jobs");
  assert.equal(view({ removable: 1001, finished: null }).agreement, "Yes, delete 1,001 jobs");
});

test("up to 12 jobs are shown as pictures with a text alternative, and released when the dialog closes", () => {
  const pictures = thumbnails();
  const rows = Array.from({ length: 200 }, (_, n) => row(n, n === 0 ? { name: "", status: "failed" } : {}));
  const shown = view({ removable: 231, rows }, { thumbnails: pictures });
  const strip = shown.body.filter(Boolean).find(({ tag }) => tag === "ul");
  assert.equal(strip.attributes["aria-label"], "12 of the 231 jobs that will be removed");
  assert.equal(strip.children.length, 13);
  assert.deepEqual(texts(strip.children[12]), ["and 219 more"]);
  assert.match(strip.children[0].children[0].attributes["aria-label"], /^Failed,\s\d/);
  assert.equal(pictures.requested.length, 12);
  shown.letGo();
  assert.deepEqual(pictures.released, pictures.requested.map(([, image]) => image));
});

test("the list in a question shows the created time of each job and cuts names in the middle", () => {
  const shown = view({ removable: 1, rows: [row(7, { created: null })] });
  const fold = shown.body.filter(Boolean).find(({ tag }) => tag === "details");
  const name = all(fold, "span").find(({ attributes }) => attributes.class === "cch-name");
  assert.deepEqual(texts(name), ["mira_cover", "_0007_.png", "mira_cover_0007_.png"]);
  assert.deepEqual(name.children.map(({ attributes }) => attributes["aria-hidden"]), ["true", "true", undefined], "a screen reader reads the name whole");
  const time = all(fold, "span").find(({ attributes }) => attributes.class === "r");
  assert.deepEqual(texts(time), [], "the finished time does not stand in for the created time");
});

test("the list in a question marks the jobs that the panel’s list hides", () => {
  const shown = view({ removable: 1, rows: [row(1)] }, { isShown: () => false });
  const words = (each) => all(each.body.filter(Boolean).find(({ tag }) => tag === "details"), "span").filter(({ attributes }) => attributes.class === "cch-2 w").flatMap(texts);
  assert.deepEqual(words(shown), ["hidden"]);
  assert.deepEqual(words(view({ removable: 1, rows: [row(1)] })), []);
});

test("a list of jobs gives each job’s name and status, once", () => {
  const rows = [row(1, { status: "in_progress" }), row(2, { name: "", status: "pending" })];
  const [named, unnamed] = jobsList("The 2 jobs that stop", rows, () => "").children.map((line) => texts(line).join("|"));
  assert.match(named, /^mira_cover\|_0001_\.png\|mira_cover_0001_\.png\|In progress\|00000001$/);
  assert.match(unnamed, /^Pending,\|.*\|00000002$/);
  assert.equal(unnamed.match(/Pending/g).length, 2, "in the name on screen, and in the name that is read");
});

test("the size of a backup is an estimate and says so", () => {
  assert.equal(backupSize({ workflows: 231, size: 1_000_000, seconds: 20, least_seconds: 20 }), "231 workflows, about 1 MB, about 20 s");
  assert.equal(backupSize({ workflows: 19_991, size: 100e6, seconds: 500, least_seconds: 134, may_wait: true }), "19,991 workflows, about 100 MB, 2 to 8 min, longer if Comfy Cloud asks to wait");
  assert.equal(words.goingPictures(1, 1), "The job that will be removed");
});
