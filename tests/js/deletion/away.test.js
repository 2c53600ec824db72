import assert from "node:assert/strict";
import { test } from "node:test";
import { deleted, fail, hold, row, settled, stage, STATUS } from "./stage.js";

const AWAY = fail("comfyui_away");
const UNKNOWN = "It is not known whether the deletion of 3 jobs was sent. This is shown here as soon as it is known.";

/** A deletion whose hold ends while ComfyUI does not answer. */
async function away(options = {}) {
  const it = stage(options);
  await it.flow.remove({ ids: ["a"] });
  it.set(AWAY);
  await it.pass(12_000);
  return it;
}

test("if ComfyUI is gone at the end of a hold, the page says that it does not know whether the deletion was sent", async () => {
  const it = await away();
  const [kind, title, { detail }] = it.last();
  assert.deepEqual([kind, title, detail], ["warning", "ComfyUI doesn’t answer", UNKNOWN]);
  assert.ok(!it.titles().some((text) => text.includes("Deleting")));
  const [entry] = it.flow.state().running;
  assert.deepEqual([entry.phase, entry.away], ["due", "ComfyUI doesn’t answer"]);
  await it.pass(10 * 60_000);
  assert.deepEqual(it.flow.state().running, [entry], "it is asked until it answers");
  assert.equal(it.flow.hides(row("a")), true);
  assert.equal(it.titles().filter((text) => text.includes("answer")).length, 1, "it is said once");
});

test("if ComfyUI answers with an error at the end of a hold, the page quotes the error, and does not say that nothing answers", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  it.set(fail("state_not_answering"));
  await it.pass(12_000);
  assert.deepEqual(it.last().slice(0, 2), ["warning", "state_not_answering"]);
  assert.equal(it.last()[2].detail, UNKNOWN);
});

test("a request that ComfyUI never answers counts as no answer after five seconds", async () => {
  const it = stage({ shown: true });
  await it.flow.remove({ ids: ["a"] });
  let answer;
  it.set(() => new Promise((resolve) => (answer = resolve)));
  await it.pass(15_000);
  assert.equal(it.flow.state().running[0].away, "");
  await it.pass(2_000);
  assert.equal(it.flow.state().running[0].away, "ComfyUI doesn’t answer");
  assert.equal(it.said.at(-1), `!ComfyUI doesn’t answer. ${UNKNOWN}`);
  await it.pass(60_000);
  assert.equal(it.statuses.looks, 2, "one before the deletion and one afterwards: no request is added to one that waits");
  answer({ ...STATUS, holds: [hold({ state: "sending" })] });
  await settled();
  assert.deepEqual([it.flow.state().running[0].away, it.flow.state().running[0].phase], ["", "sending"]);
});

test("when ComfyUI is back, the page says what became of the deletion", async () => {
  const recorded = { operation: "h1", state: "done", removed: 3, counts: { deleted: 3 }, report: "r" };
  const cases = [
    [{ ...STATUS, finished: [{ operation: "h1", result: deleted({ deleted: 3 }) }] }, [], "success: 3 jobs removed from your cloud history"],
    [{ ...STATUS, lost_holds: [{ id: "h1", kind: "delete", jobs: 3, ids: [] }] }, [], "warning: An earlier deletion was not sent"],
    [{ ...STATUS, unresolved: [{ operation: "h1", kind: "delete", asked: 3, origin: "menu", started_at: "" }] }, [], "warning: Outcome unknown: 3 jobs"],
    [{ ...STATUS, undone: ["h1"] }, [], "info: Nothing was deleted"],
    // A restart forgets results, but not the audit log.
    [STATUS, [recorded], "success: 3 jobs removed from your cloud history"],
    [STATUS, [{ ...recorded, removed: 2 }], "warning: 2 of 3 jobs removed"],
    [STATUS, [{ ...recorded, removed: 0, counts: { unconfirmed: 3 } }], "warning: Outcome unknown: 3 jobs"],
    [STATUS, [{ ...recorded, state: "unknown" }], "warning: Outcome unknown"],
    [STATUS, [], "warning: Outcome unknown"],
  ];
  for (const [status, record, told] of cases) {
    const it = await away({ record });
    it.set(status);
    await it.pass(20_000);
    assert.equal(it.titles().at(-1), told);
  }
  const running = await away();
  running.set({ ...STATUS, holds: [hold({ state: "sending" })] });
  await running.pass(5_000);
  assert.equal(running.titles().at(-1), "loading: Deleting jobs… 0 of 3");
});

test("a hold that goes on after the sleep of the server's computer counts down again and can be undone", async () => {
  const it = await away();
  it.set({ ...STATUS, holds: [hold({ seconds_left: 8 })] });
  await it.pass(5_000);
  const [entry] = it.flow.state().holding;
  assert.equal(it.flow.secondsLeft(entry), 8 - 2, "the answer came two seconds ago");
  assert.match(it.titles().at(-1), /^info: Removing 3 jobs at/);
  assert.equal(it.flow.undo(), true);
});

test("after the sleep of this computer, the status is requested at once", async () => {
  const it = stage();
  await it.flow.remove({ ids: ["a"] });
  const { looks } = it.statuses;
  await it.pass(2_000);
  assert.equal(it.statuses.looks, looks);
  it.sleep(60_000);
  it.set({ ...STATUS, finished: [{ operation: "h1", result: deleted({ deleted: 3 }) }] });
  await it.pass(1_000);
  assert.equal(it.titles().at(-1), "success: 3 jobs removed from your cloud history");
});

test("a lost connection during a hold says what is known, and Undo stays", async () => {
  const it = stage({ shown: true });
  await it.flow.remove({ ids: ["a"] });
  await it.pass(3_000);
  it.set({ ...STATUS, holds: [hold({ seconds_left: 7 })] });
  it.flow.reconnecting();
  await settled();
  assert.equal(it.said.length, 1, "ComfyUI answers requests");
  it.set(AWAY);
  for (let times = 0; times < 3; times += 1) it.flow.reconnecting();
  await settled();
  const known = "!ComfyUI doesn’t answer. Nothing had been sent when it last answered. If it still runs, it removes 3 jobs in 7 s.";
  assert.deepEqual(it.said.slice(1), [known]);
  assert.equal(it.flow.state().holding.length, 1);
  it.set({ ...STATUS, holds: [hold({ seconds_left: 6 })] });
  await it.pass(4_000);
  assert.equal(it.said.at(-1), "ComfyUI answers again. Nothing has been sent yet.");
});

test("a deletion whose answer and status are both lost is not called sent", async () => {
  const it = stage({ send: AWAY });
  it.set(() => (it.tokens.length ? Promise.reject(AWAY) : STATUS));
  await it.flow.remove({ ids: ["a"] });
  assert.equal(it.titles().at(-1), "warning: ComfyUI doesn’t answer");
  it.set({ ...STATUS, holds: [hold({ seconds_left: 4 })] });
  await it.pass(2_000);
  assert.match(it.titles().at(-1), /^info: Removing 3 jobs at/);
});
