import assert from "node:assert/strict";
import { test } from "node:test";
import { PressDelay, UNASKED_DELAY_MS } from "#ui/common/presses.mjs";

/** A delay with a simulated clock; `stage.states` records whether its buttons look disabled. */
function newDialog({ painted = true } = {}) {
  const stage = { time: 5_000, timers: [], paints: [], states: [] };
  const delay = new PressDelay({
    now: () => stage.time,
    schedule: (run, milliseconds) => stage.timers.push({ at: stage.time + milliseconds, run }),
    whenPainted: (run) => (painted ? run() : stage.paints.push(run)),
    onChange: (delayed) => stage.states.push(delayed),
  });
  delay.begin(UNASKED_DELAY_MS);
  const wait = (milliseconds) => {
    stage.time += milliseconds;
    for (const timer of stage.timers.splice(0)) timer.at <= stage.time ? timer.run() : stage.timers.push(timer);
  };
  /** A click of a pointer, from the press to the release. */
  const click = (detail = 1, held = 0) => {
    delay.pressed({ timeStamp: stage.time });
    wait(held);
    return delay.accepts({ detail, timeStamp: stage.time });
  };
  return { stage, delay, wait, click, paint: () => stage.paints.splice(0).forEach((run) => run()) };
}

test("a dialog ignores a click in its first second, and accepts one after that", () => {
  const { wait, click } = newDialog();
  assert.equal(click(), false);
  wait(UNASKED_DELAY_MS);
  assert.equal(click(), true);
});

test("the second click of a double click is ignored, however late it comes", () => {
  const { wait, click } = newDialog();
  wait(60_000);
  assert.equal(click(2), false);
  assert.equal(click(3), false);
  assert.equal(click(1), true);
});

test("rapid clicks are all ignored, because each click restarts the wait of one second", () => {
  const { wait, click } = newDialog();
  for (let times = 0; times < 12; times += 1) {
    assert.equal(click(1), false);
    wait(700);
  }
  wait(300);
  assert.equal(click(1), true);
});

test("a press that begins within the first second is ignored, even if it is released later", () => {
  const { wait, click } = newDialog();
  wait(900);
  assert.equal(click(1, 800), false);
});

test("a click that a busy page delivers late is judged by the time of the press", () => {
  const { stage, delay, wait } = newDialog();
  const made = stage.time + 400;
  wait(3_000);
  assert.equal(delay.accepts({ detail: 1, timeStamp: made }), false);
  assert.equal(delay.accepts({ detail: 1, timeStamp: stage.time }), true);
});

test("a screen reader’s click without a pointer press is accepted after the first second", () => {
  const { stage, delay, wait, click } = newDialog();
  click();
  wait(4_000);
  assert.equal(delay.accepts({ detail: 0, timeStamp: stage.time }), true);
});

test("the second begins when the dialog becomes visible", () => {
  const { wait, click, paint } = newDialog({ painted: false });
  wait(60_000);
  assert.equal(click(), false);
  paint();
  wait(500);
  assert.equal(click(), false);
  wait(1_000);
  assert.equal(click(), true);
});

test("the buttons look disabled while clicks are ignored, also when the second restarts", () => {
  const { stage, delay, wait, click } = newDialog();
  assert.deepEqual([stage.states, delay.isRunning()], [[true], true]);
  wait(600);
  click();
  wait(500);
  assert.deepEqual([stage.states, delay.isRunning()], [[true], true]);
  wait(500);
  assert.deepEqual([stage.states, delay.isRunning()], [[true, false], false]);
});

test("a dialog ignores clicks again for a second after it comes back into view", () => {
  const { delay, stage, wait, click } = newDialog();
  wait(30_000);
  delay.begin(UNASKED_DELAY_MS);
  assert.equal(click(), false);
  wait(1_000);
  assert.equal(click(), true);
  assert.deepEqual(stage.states, [true, false, true, false]);
});

test("a step that deletes nothing accepts clicks at once, and an earlier timer does not disable its buttons", () => {
  const { delay, stage, wait, click } = newDialog();
  delay.end();
  assert.equal(click(), true);
  wait(5_000);
  assert.deepEqual(stage.states, [true]);
});
