import assert from "node:assert/strict";
import { test } from "node:test";
import { savesToShow } from "#ui/outputs/cards.mjs";
import { POLL_MS } from "#ui/outputs/saves.mjs";
import { fail, failed, save, settled, stage } from "./stage.js";

const DONE = { state: "done", files_done: 8, saved: 7, already_here: 1, seconds_left: null };

test("a run is shown at once, and its end is noticed without an event", async () => {
  const it = stage();
  it.open();
  await it.saves.start("t1");
  assert.deepEqual(it.sent, [["startSave", "t1"]]);
  assert.deepEqual(it.saves.all.map(({ state }) => state), ["running"]);
  it.set([save(DONE)]);
  await it.pass(POLL_MS);
  assert.deepEqual(it.saves.all.map(({ state }) => state), ["done"]);
  assert.equal(it.savedTimes(), 1, "what is known of saved files is read again");
  assert.deepEqual(it.said.at(-1), "7 files saved. In output/comfy-cloud. 1 was already here.");
  assert.deepEqual(it.toasts, [], "its card says so");
  const before = it.asked();
  await it.pass(10 * POLL_MS);
  assert.equal(it.asked(), before, "nobody asks after the end");
});

test("a run goes on with the panel closed, and its end is a toast that opens the panel", async () => {
  const it = stage();
  const close = it.open();
  await it.saves.start("t1");
  close();
  it.set([save({ ...DONE, saved: 5, failed: failed(2), jobs_left: 2 })]);
  await it.pass(POLL_MS);
  const [[kind, title, , action]] = it.toasts;
  assert.deepEqual([kind, title], ["warning", "6 of 8 files are here"]);
  action.press();
  assert.equal(it.opened.length, 1);
});

test("a reloaded page knows the runs that this browser has started, and no others", async () => {
  const it = stage();
  await it.saves.start("t1");
  const again = stage([save(), save({ operation: "other" })], { stored: it.stored });
  await again.saves.resume();
  await again.tell(save(DONE), save({ ...DONE, operation: "other" }));
  assert.deepEqual(again.toasts.map(([kind, title]) => [kind, title]), [["success", "7 files saved"]]);
  assert.deepEqual(again.memory.saves(), [], "its end is shown, so it is forgotten");
  const nobody = stage([save()]);
  await nobody.saves.resume();
  assert.equal(nobody.asked(), 0, "a page without runs of its own asks nothing at its start");
});

test("the runs of deletions and of saving share one memory, and none takes the other’s for its own", async () => {
  const it = stage();
  await it.saves.start("t1");
  it.memory.add({ operation: "d1", kind: "delete", jobs: 2 }, 10);
  assert.deepEqual([it.memory.all().map(({ operation }) => operation), it.memory.saves()], [["d1"], ["s1"]]);
  it.memory.forget("s1");
  assert.deepEqual([it.memory.all().length, it.memory.saves()], [1, []]);
});

test("a run that a restart interrupted goes on only if the person says so", async () => {
  const it = stage([save()]);
  it.open();
  await settled();
  const interrupted = save({ state: "interrupted", files: null, bytes: null, files_done: 0, bytes_done: 0, saved: 0, already_here: 0 });
  await it.tell(interrupted);
  assert.deepEqual([it.said.at(-1), it.sent], ["!Saving was interrupted", []]);
  await it.saves.goOn(it.saves.all[0]);
  assert.deepEqual(it.sent, [["continueSave", "s1"]]);
  assert.deepEqual(it.memory.saves(), ["s1"]);
});

test("what is dismissed stays away, also if an older answer still has it", async () => {
  const it = stage([save(DONE)]);
  it.open();
  await settled();
  await it.saves.dismiss(it.saves.all[0]);
  assert.deepEqual([it.sent, it.saves.all], [[["dismissSave", "s1"]], []]);
});

test("Try again replaces the result by the new run", async () => {
  const it = stage([save({ ...DONE, failed: failed(2), jobs_left: 1 })]);
  it.open();
  await settled();
  const shown = [];
  it.saves.follow({ render: () => shown.push(it.saves.all.map(({ operation }) => operation).join()), say: () => undefined });
  await settled();
  it.set([save({ ...DONE, failed: failed(2), jobs_left: 1 }), save({ operation: "s2" })]);
  await it.saves.tryAgain(it.saves.all[0]);
  assert.deepEqual(it.saves.all.map(({ operation, state }) => [operation, state]), [["s2", "running"]]);
  assert.ok(!shown.some((all) => all.includes("s1") && all.includes("s2")), "never both, not even for a moment");
});

test("a second press of Stop sends nothing, and a refusal is said", async () => {
  const it = stage([save()]);
  it.open();
  await settled();
  it.refusals.stopSave = fail("save_not_running");
  await Promise.all([it.saves.stop(it.saves.all[0]), it.saves.stop(it.saves.all[0])]);
  assert.equal(it.sent.length, 1);
  assert.deepEqual(it.toasts.map(([kind, title]) => [kind, title]), [["error", "Saving could not be stopped"]]);
  assert.equal(it.saves.busy.size, 0, "Stop works again");
});

test("while ComfyUI does not answer, the page says so once and keeps asking", async () => {
  const it = stage([save()]);
  it.open();
  await settled();
  it.set(fail("comfyui_away"));
  await it.pass(5 * POLL_MS);
  assert.equal(it.saves.away, true);
  assert.equal(it.said.filter((text) => text.includes("doesn’t answer")).length, 1);
  it.set([save({ files_done: 3 })]);
  await it.pass(POLL_MS);
  assert.deepEqual([it.saves.away, it.saves.all[0].files_done], [false, 3]);
});

test("each quarter of a run is said once", async () => {
  const it = stage([save({ files_done: 0 })]);
  it.open();
  await settled();
  for (const done of [1, 2, 3, 4, 4, 6]) await it.tell(save({ files_done: done }));
  assert.deepEqual(it.said, ["Saving outputs: 25 percent", "Saving outputs: 50 percent", "Saving outputs: 75 percent"]);
});

test("all runs that go on have a card, and the newest of the others, in the order in which they began", () => {
  const all = ["running", "done", "interrupted", "done", "stopping"].map((state, at) => save({ operation: String(at), state }));
  assert.deepEqual(savesToShow(all).map(({ operation }) => operation), ["2", "1", "4", "0"]);
});
