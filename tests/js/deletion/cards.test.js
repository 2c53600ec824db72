import assert from "node:assert/strict";
import { test } from "node:test";
import { createCards } from "#ui/deletion/cards.mjs";
import { createPage } from "../viewer/page.js";
import { deleted, hold, stage, STATUS } from "./stage.js";

const FIRST = { id: "a", status: "completed", raw: "", created: 0, name: "mira_cover_0001.png", workflow_id: "w", error: null };

/** The card of a deletion with these values, in an open panel. */
function cardOf(values) {
  createPage();
  const it = stage();
  Object.assign(it.flow.add({ kind: "delete", jobs: 3 }, true), { operation: "h1", answering: false, ...values });
  const { element } = createCards({ deletions: it.flow, show: () => undefined, say: () => undefined });
  const all = [...element.all()];
  const stop = all.find(({ tag, textContent }) => tag === "button" && textContent === "Stop");
  const bar = all.find(({ attributes }) => attributes.role === "progressbar");
  return {
    text: all.find(({ tag }) => tag === "p")?.textContent,
    stop: stop && !stop.hidden ? stop.attributes["data-tip"] : null,
    bar: bar && !bar.hidden ? [bar.attributes["aria-label"], bar.attributes["aria-valuenow"] ?? null] : null,
  };
}

const LOST = "What is already removed can’t be brought back";
const LOSES_NOTHING = "Nothing has been deleted yet. If you stop it, nothing will be.";
const GOES_ON = "You can close this panel. The deletion goes on.";

test("the card of a backup says that nothing has been deleted yet, and what Stop does then", () => {
  const backup = { phase: "sending", backingUp: true, done: 1, total: 4 };
  assert.deepEqual(cardOf(backup), {
    text: `After the backup, the jobs are removed. Nothing has been deleted yet. ${GOES_ON}`, stop: LOSES_NOTHING, bar: ["Backing up workflows", "25"],
  });
  assert.deepEqual(cardOf({ phase: "sending", preparing: true }), { text: `Nothing has been deleted yet. ${GOES_ON}`, stop: LOSES_NOTHING, bar: null });
  assert.deepEqual(cardOf({ phase: "waiting" }), { text: `Nothing has been deleted yet. ${GOES_ON}`, stop: LOSES_NOTHING, bar: ["Deleting jobs", null] });
});

test("the card of a deletion that is sent says that what is removed can’t be brought back, and has no Stop once all is sent", () => {
  assert.deepEqual(cardOf({ phase: "sending", sent: true, done: 2, total: 4 }), { text: GOES_ON, stop: LOST, bar: ["Deleting jobs", "50"] });
  assert.deepEqual(cardOf({ phase: "checking", sent: true, done: 4, total: 4 }), { text: GOES_ON, stop: null, bar: ["Deleting jobs", "100"] });
});

test("while it is not known whether a deletion was sent, its card promises nothing and shows no progress", () => {
  assert.deepEqual(cardOf({ phase: "due" }), { text: "", stop: null, bar: null });
  const away = cardOf({ phase: "due", away: "ComfyUI doesn’t answer" });
  assert.match(away.text, /^It is not known whether the deletion of 3 jobs was sent/);
  assert.deepEqual([away.stop, away.bar], [null, null]);
});

test("the card of a hold names its deletion", async () => {
  for (const [jobs, name] of [[1, "mira_cover_0001.png"], [2, "mira_cover_0001.png and 1 more"]]) {
    createPage();
    const held = hold({ jobs, first: FIRST });
    const it = stage({ send: { hold: held }, status: { ...STATUS, holds: [held] } });
    const { element } = createCards({ deletions: it.flow, show: () => undefined, say: () => undefined });
    await it.flow.remove({ ids: ["a"] });
    assert.equal([...element.all()].find(({ tag }) => tag === "bdi").textContent, name);
  }
});

test("“Try again” is off, with the same reason, while Delete is off", () => {
  createPage();
  const it = stage();
  const left = { b: { outcome: "failed", why: null } };
  Object.assign(it.flow.add({ kind: "delete", jobs: 1 }, true), { operation: "h1", answering: false });
  it.ended("h1", deleted({ failed: 1 }, left));
  let why = "You can delete again when Comfy Cloud answers.";
  let asked = 0;
  it.flow.tryAgain = () => (asked += 1);
  const cards = createCards({ deletions: it.flow, show: () => undefined, say: () => undefined, blocked: () => why });
  const retry = [...cards.element.all()].find(({ tag, textContent }) => tag === "button" && textContent === "Try again (1)");
  assert.deepEqual([retry.attributes["aria-disabled"], retry.attributes["data-tip"]], ["true", why]);
  retry.fire("click");
  assert.equal(asked, 0);
  why = "";
  cards.render();
  assert.equal(retry.attributes["aria-disabled"], "false");
  retry.fire("click");
  assert.equal(asked, 1);
});

test("the card of a deletion that is being stopped says so, and nothing of what comes after a backup", () => {
  const { text, stop } = cardOf({ phase: "sending", backingUp: true, stopping: true, done: 1, total: 4 });
  assert.deepEqual([text, stop], ["Nothing has been deleted yet. No further jobs are sent. You can close this panel.", LOSES_NOTHING]);
});

test("while Comfy Cloud does not answer, the card says for how long, and that nothing has been deleted yet", () => {
  createPage();
  const it = stage();
  Object.assign(it.flow.add({ kind: "delete", jobs: 3 }, true), { operation: "h1", answering: false, phase: "sending", preparing: true });
  const { element, render } = createCards({ deletions: it.flow, show: () => undefined, say: () => undefined });
  const progress = (silent_seconds) => {
    it.flow.applyProgress({ operation: "h1", hold: "h1", kind: "delete", phase: "preparing", done: 0, total: 3, sent: false, silent_seconds });
    render();
    return element.textContent;
  };
  assert.match(progress(7), /Looking at the jobs first…StopNothing has been deleted yet\./);
  assert.match(progress(9), /Comfy Cloud hasn’t answered for 9 sStopLooking at the jobs first… Nothing has been deleted yet\./);
  assert.match(progress(0), /Looking at the jobs first…StopNothing has been deleted yet\./);
});

test("the result of a deletion before another one says that it is the earlier one", async () => {
  createPage();
  const it = stage();
  Object.assign(it.flow.add({ kind: "delete", jobs: 3 }, true), { operation: "h1", answering: false });
  const { element, render } = createCards({ deletions: it.flow, show: () => undefined, say: () => undefined });
  it.ended("h1", deleted({ deleted: 2, failed: 1 }, { b: { outcome: "failed", why: null } }));
  render();
  assert.match(element.textContent, /3 jobs, ended at \d/);
  assert.doesNotMatch(element.textContent, /Earlier deletion/);
  await it.flow.remove({ ids: ["a"] });
  it.flow.undo();
  await it.pass(60_000);
  render();
  assert.match(element.textContent, /Earlier deletion: 3 jobs, ended at \d/);
});

test("only once ComfyUI’s answer takes long after a hold, its card says that ComfyUI is asked", async () => {
  createPage();
  const it = stage();
  const { element, render } = createCards({ deletions: it.flow, show: () => undefined, say: () => undefined });
  await it.flow.remove({ ids: ["a"] });
  const after = async (milliseconds) => {
    await it.pass(milliseconds);
    render();
    return element.textContent;
  };
  assert.doesNotMatch(await after(11_000), /Asking ComfyUI/);
  assert.match(await after(1_000), /Asking ComfyUI whether it was sent…/);
});
