import assert from "node:assert/strict";
import { test } from "node:test";
import { Deafness, UNASKED_DEAF_MS } from "#ui/common/presses.mjs";

/** A question, the page's clock, and what the person sees of its buttons. */
function asked({ painted = true } = {}) {
  const stage = { time: 5_000, timers: [], paints: [], states: [] };
  const deafness = new Deafness({
    now: () => stage.time,
    schedule: (run, milliseconds) => stage.timers.push({ at: stage.time + milliseconds, run }),
    whenPainted: (run) => (painted ? run() : stage.paints.push(run)),
    onChange: (deaf) => stage.states.push(deaf),
  });
  deafness.begin(UNASKED_DEAF_MS);
  const wait = (milliseconds) => {
    stage.time += milliseconds;
    for (const timer of stage.timers.splice(0)) timer.at <= stage.time ? timer.run() : stage.timers.push(timer);
  };
  /** A click of a pointer, from the press to the release. */
  const click = (detail = 1, held = 0) => {
    deafness.pressed({ timeStamp: stage.time });
    wait(held);
    return deafness.hears({ detail, timeStamp: stage.time });
  };
  return { stage, deafness, wait, click, paint: () => stage.paints.splice(0).forEach((run) => run()) };
}

test("a question takes no answer in its first second, and one after it", () => {
  const { wait, click } = asked();
  assert.equal(click(), false);
  wait(UNASKED_DEAF_MS);
  assert.equal(click(), true);
});

test("the second half of a double click is no answer, however late", () => {
  const { wait, click } = asked();
  wait(60_000);
  assert.equal(click(2), false);
  assert.equal(click(3), false);
  assert.equal(click(1), true);
});

test("clicks that go on never answer: each one starts the second anew", () => {
  const { wait, click } = asked();
  for (let times = 0; times < 12; times += 1) {
    assert.equal(click(1), false);
    wait(700);
  }
  wait(300);
  assert.equal(click(1), true);
});

test("a press that began too early is no answer, though it is released in time", () => {
  const { wait, click } = asked();
  wait(900);
  assert.equal(click(1, 800), false);
});

test("a click that a busy page hands on late counts by the moment it was made", () => {
  const { stage, deafness, wait } = asked();
  const made = stage.time + 400;
  wait(3_000);
  assert.equal(deafness.hears({ detail: 1, timeStamp: made }), false);
  assert.equal(deafness.hears({ detail: 1, timeStamp: stage.time }), true);
});

test("a screen reader’s click, which presses nothing, is an answer after the second", () => {
  const { stage, deafness, wait, click } = asked();
  click();
  wait(4_000);
  assert.equal(deafness.hears({ detail: 0, timeStamp: stage.time }), true);
});

test("the second begins when the question can be seen", () => {
  const { wait, click, paint } = asked({ painted: false });
  wait(60_000);
  assert.equal(click(), false);
  paint();
  wait(500);
  assert.equal(click(), false);
  wait(1_000);
  assert.equal(click(), true);
});

test("what the buttons look like follows, also when the second starts anew", () => {
  const { stage, deafness, wait, click } = asked();
  assert.deepEqual([stage.states, deafness.isDeaf()], [[true], true]);
  wait(600);
  click();
  wait(500);
  assert.deepEqual([stage.states, deafness.isDeaf()], [[true], true]);
  wait(500);
  assert.deepEqual([stage.states, deafness.isDeaf()], [[true, false], false]);
});

test("what comes back into view is deaf again", () => {
  const { deafness, stage, wait, click } = asked();
  wait(30_000);
  deafness.begin(UNASKED_DEAF_MS);
  assert.equal(click(), false);
  wait(1_000);
  assert.equal(click(), true);
  assert.deepEqual(stage.states, [true, false, true, false]);
});

test("a step without anything to delete is not deaf, and an old timer changes nothing", () => {
  const { deafness, stage, wait, click } = asked();
  deafness.end();
  assert.equal(click(), true);
  wait(5_000);
  assert.deepEqual(stage.states, [true]);
});
