import assert from "node:assert/strict";
import { test } from "node:test";
import { createSaveCards } from "#ui/outputs/cards.mjs";
import { createPage } from "../viewer/page.js";
import { failed, save, settled, stage } from "./stage.js";

/** The cards of these runs in an open panel. */
async function cards(...all) {
  createPage();
  const it = stage(all);
  const shown = [];
  const made = createSaveCards({ saves: it.saves, clock: { now: () => 0, schedule: () => undefined }, show: (ids, word) => shown.push([ids, word]), say: (text) => it.said.push(text) });
  await settled();
  const button = (label) => [...made.element.all()].find(({ tag, textContent, attributes, hidden }) => tag === "button" && !hidden && (textContent === label || attributes["aria-label"] === label));
  const text = () => [...made.element.all()].filter(({ tag, hidden }) => !hidden && ["p", "div"].includes(tag)).map((each) => (each.children.length ? "" : each.textContent)).filter(Boolean);
  return { it, made, shown, button, text, bar: () => [...made.element.all()].find(({ attributes }) => attributes.role === "progressbar") };
}

test("a run shows files, bytes, speed and time, and Stop, which says what stays", async () => {
  const { it, text, button, bar } = await cards(save());
  assert.deepEqual(text(), ["Saving outputs… 2 of 8 files", "1.2 of 4.1 GB · 18 MB/s · about 3 min left", "You can close this panel. Saving goes on."]);
  assert.equal(bar().attributes["aria-valuenow"], "29");
  assert.equal(button("Stop").attributes["data-tip"], "Saved files stay. You can save the rest later.");
  button("Stop").fire("click");
  await settled();
  assert.deepEqual(it.sent, [["stopSave", "s1"]]);
});

test("a run that is being stopped can’t be stopped again", async () => {
  const { text, button } = await cards(save({ state: "stopping" }));
  assert.deepEqual(text(), ["Stopping…", "Saved files stay."]);
  assert.equal(button("Stop").attributes["aria-disabled"], "true");
});

test("an interrupted run offers to go on or to be discarded, and does nothing by itself", async () => {
  const { it, text, button } = await cards(save({ state: "interrupted", files: null, bytes: null, jobs: 240 }));
  assert.deepEqual(text(), ["Outputs of 240 jobs", "Saving was interrupted", "ComfyUI stopped meanwhile. What is saved is whole and stays. Nothing goes on by itself."]);
  assert.deepEqual(it.sent, []);
  button("Continue").fire("click");
  button("Discard").fire("click");
  await settled();
  assert.deepEqual(it.sent, [["continueSave", "s1"]], "the second press comes while the first is under way");
});

test("a result in part says why, shows the jobs, and offers to try again", async () => {
  const { it, shown, text, button } = await cards(save({ state: "done", files_done: 8, saved: 6, already_here: 0, failed: failed(2), jobs_left: 2 }));
  assert.ok(text().includes("6 of 8 files are here"));
  button("Show the 2 jobs").fire("click");
  assert.deepEqual(shown, [[["job-0", "job-1"], "Not saved"]]);
  button("Try again (2)").fire("click");
  await settled();
  assert.deepEqual(it.sent, [["retrySave", "s1"]]);
});

test("a whole result has nothing to press but Dismiss", async () => {
  const { it, made, button } = await cards(save({ state: "done", saved: 8, already_here: 0 }));
  assert.equal([...made.element.all()].filter(({ tag }) => tag === "button").length, 1);
  button("Dismiss").fire("click");
  await settled();
  assert.deepEqual([it.sent, it.saves.all], [[["dismissSave", "s1"]], []]);
});

test("the card of a run that goes on is the same element until it ends", async () => {
  const { it, made } = await cards(save());
  const [before] = made.element.children;
  await it.tell(save({ files_done: 5 }));
  assert.equal(made.element.children[0], before);
  await it.tell(save({ state: "done", saved: 8 }));
  assert.notEqual(made.element.children[0], before);
});
