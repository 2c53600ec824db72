import assert from "node:assert/strict";
import { test } from "node:test";
import { Approvals } from "#ui/approval/flow.mjs";
import { HistoryApiError } from "#ui/api.mjs";

const rest = () => new Promise((resolve) => setImmediate(resolve));

const opened = (question = "q1", more = {}) => ({
  state: "open", question, token: `token of ${question}`, kind: "delete", node: "5", title: "Delete Cloud Jobs", workflow: "", workflow_id: "w",
  removable: 3, by_status: { completed: 3, failed: 0, cancelled: 0 }, skipped: { active: 0, unknown: 0, already_gone: 0, protected: 0 },
  oldest: null, newest: null, last4: "a1b2", seconds_left: 120, ...more,
});
const closed = (question = "q1", more = {}) => ({ state: "closed", question, ...more });

/** Creates a page with Approvals. `shown.at(-1).answer(…)` answers the open dialog. */
function page({ settings = { nodes_fixed: false }, problem = null } = {}) {
  const stage = { time: 0, shown: [], toasts: [], sent: [], fail: {}, timers: [], server: new Map() };
  const post = (name) => async (question, token, answer) => {
    stage.sent.push([name, question, token, ...(answer ? [answer] : [])]);
    if (stage.fail[name]) throw stage.fail[name];
    return { seconds_left: stage.server.get(question).seconds_left };
  };
  const openApproval = async (name) => {
    if (stage.fail.question) throw stage.fail.question;
    return stage.server.get(name);
  };
  const step = (frame, question, parts) =>
    new Promise((resolve) => {
      frame.leave = () => resolve({ answer: "skip", always: false });
      stage.shown.push({ question, parts, frame, answer: (answer, always = false) => resolve({ answer, always }) });
    });
  const dialogs = {
    async exclusive(talk) {
      const frame = { isOpen: () => true, close: () => frame.leave?.() };
      return talk(frame);
    },
  };
  const asks = new Approvals({
    api: {
      status: async () => (settings instanceof Error ? Promise.reject(settings) : { settings, problem }),
      openApproval,
      approvalSeen: post("seen"),
      answerApproval: post("answer"),
    },
    dialogs,
    toasts: { tell: (kind, message) => stage.toasts.push([kind, message.title, message.detail]) },
    step,
    workflowName: (id) => (id === "w" ? "portrait_batch_v3" : ""),
    now: () => stage.time,
    schedule: (run, milliseconds) => stage.timers.push({ at: stage.time + milliseconds, run }),
  });
  /** Sends an event of the server: an approval is open or closed. */
  const tell = async (event) => {
    if (event?.state === "open") stage.server.set(event.question, event);
    asks.handleEvent(event?.state === "open" ? { question: event.question, state: "open" } : event);
    await rest();
    await rest();
  };
  const wait = async (milliseconds) => {
    stage.time += milliseconds;
    for (const timer of stage.timers.splice(0)) timer.at <= stage.time ? timer.run() : stage.timers.push(timer);
    await rest();
  };
  return { ...stage, stage, tell, wait, answers: () => stage.sent.filter(([name]) => name === "answer"), seen: () => stage.sent.filter(([name]) => name === "seen") };
}

test("an approval is fetched and shown with its workflow's name, and reported as seen", async () => {
  const { shown, seen, tell } = page();
  await tell(opened());
  await tell(opened("q1", { seconds_left: 118 }));
  assert.equal(shown.length, 1);
  assert.equal(shown[0].question.workflow, "portrait_batch_v3");
  assert.deepEqual(seen(), [["seen", "q1", "token of q1"], ["seen", "q1", "token of q1"]]);
});

test("each answer is sent as given, and closing the dialog is a skip", async () => {
  for (const [give, answer, always] of [
    [(it) => it.answer("delete", true), "delete", true],
    [(it) => it.answer("skip"), "skip", false],
    [(it) => it.frame.leave(), "skip", false],
  ]) {
    const { shown, answers, toasts, tell } = page();
    await tell(opened());
    assert.deepEqual(answers(), []);
    give(shown[0]);
    await rest();
    assert.deepEqual(answers(), [["answer", "q1", "token of q1", { answer, always }]]);
    assert.equal(toasts.some(([, title]) => title === "Nothing was deleted"), answer === "skip");
  }
});

test("an answered approval is not shown again when a late event arrives", async () => {
  const { shown, toasts, tell } = page();
  await tell(opened());
  shown[0].answer("delete");
  await rest();
  await tell(opened());
  await tell(closed());
  assert.equal(shown.length, 1);
  assert.deepEqual(toasts, []);
});

test("when a request ends elsewhere, its dialog closes and no answer is sent", async () => {
  for (const [passed, more, title] of [
    [10_000, {}, "Answered in another window"],
    [10_000, { how: "answered" }, "Answered in another window"],
    [119_500, {}, "Nothing was deleted"],
    [119_500, { how: "no_answer" }, "Nothing was deleted"],
    [10_000, { how: "stopped" }, undefined],
  ]) {
    const { shown, answers, toasts, tell, wait } = page();
    await tell(opened());
    await wait(passed);
    await tell(closed("q1", more));
    assert.equal(shown.length, 1);
    assert.deepEqual(answers(), []);
    assert.equal(toasts[0]?.[1], title);
  }
});

test("the countdown follows the server's seconds, but ignores rounding differences", async () => {
  const { shown, tell, wait } = page();
  await tell(opened());
  const { left } = shown[0].parts;
  await wait(2_400);
  await tell(opened("q1", { seconds_left: 118 }));
  assert.equal(left(), 117_600);
  await tell(opened("q1", { seconds_left: 60 }));
  assert.equal(left(), 60_000);
});

test("a second approval waits for the first, and is reported as seen", async () => {
  const { shown, seen, answers, tell } = page();
  await tell(opened("q1"));
  await tell(opened("q2"));
  assert.equal(shown.length, 1);
  assert.deepEqual(seen().map(([, question]) => question), ["q1", "q2"]);
  shown[0].answer("skip");
  await rest();
  assert.equal(shown.length, 2);
  shown[1].answer("delete");
  await rest();
  assert.deepEqual(answers().map(([, question, , { answer }]) => [question, answer]), [["q1", "skip"], ["q2", "delete"]]);
});

test("an approval shows its number in the series, and later approvals are counted", async () => {
  const { shown, tell, wait } = page();
  await tell(opened("q1"));
  assert.deepEqual(shown[0].parts.place(), [1, 1]);
  await tell(opened("q2"));
  assert.deepEqual(shown[0].parts.place(), [1, 2]);
  shown[0].answer("delete");
  await rest();
  assert.deepEqual(shown[1].parts.place(), [2, 2]);
  shown[1].answer("delete");
  await wait(3_000);
  await tell(opened("q3"));
  assert.deepEqual(shown[2].parts.place(), [3, 3]);
  shown[2].answer("delete");
  await rest();
  await wait(60_000);
  await tell(opened("q4"));
  assert.deepEqual(shown[3].parts.place(), [1, 1]);
});

test("an approval that ends while it waits is never shown", async () => {
  const { shown, tell } = page();
  await tell(opened("q1"));
  await tell(opened("q2"));
  await tell(closed("q2"));
  shown[0].answer("skip");
  await rest();
  assert.equal(shown.length, 1);
});

test("an answer that could not be sent shows an error, and the approval is shown again while it is open", async () => {
  const { stage, shown, toasts, tell } = page();
  stage.fail.answer = new HistoryApiError({ code: "comfyui_away" });
  await tell(opened());
  shown[0].answer("delete");
  await rest();
  assert.deepEqual(toasts.map(([kind, title]) => [kind, title]), [["error", "ComfyUI doesn’t answer"]]);
  await tell(opened());
  assert.equal(shown.length, 2);
});

test("an answer that arrives too late is not reported as a deletion", async () => {
  const { stage, shown, toasts, tell } = page();
  stage.fail.answer = new HistoryApiError({ code: "question_closed", message: "This question is no longer open." });
  await tell(opened());
  shown[0].answer("delete");
  await rest();
  assert.deepEqual(toasts.map(([kind, title]) => [kind, title]), [["warning", "This question is no longer open"]]);
  await tell(opened());
  assert.equal(shown.length, 1);
});

test("a failed report that the approval is seen is repeated with the next event", async () => {
  const { stage, seen, tell } = page();
  stage.fail.seen = new HistoryApiError({ code: "comfyui_away" });
  await tell(opened());
  stage.fail.seen = undefined;
  await tell(opened());
  await tell(opened());
  assert.equal(seen().length, 3);
});

test("an approval that cannot be fetched is not shown, and is fetched again with the next event", async () => {
  const { stage, shown, seen, tell } = page();
  stage.fail.question = new HistoryApiError({ code: "comfyui_away" });
  await tell(opened());
  assert.deepEqual([shown.length, seen().length], [0, 0]);
  stage.fail.question = undefined;
  await tell(opened());
  assert.equal(shown.length, 1);
});

test("a waiting approval is fetched again for a new token before it is shown", async () => {
  const { stage, shown, answers, tell } = page();
  await tell(opened("q1"));
  await tell(opened("q2", { token: "early" }));
  stage.server.set("q2", opened("q2", { token: "late" }));
  shown[0].answer("skip");
  await rest();
  shown[1].answer("delete");
  await rest();
  assert.equal(answers()[1][2], "late");
});

test("the dialog closes after the deadline if ComfyUI is away", async () => {
  const { shown, answers, toasts, tell, wait } = page();
  await tell(opened());
  await wait(121_000);
  assert.deepEqual(toasts, []);
  await wait(5_000);
  assert.equal(shown.length, 1);
  assert.deepEqual(answers(), []);
  assert.equal(toasts[0][1], "Nothing was deleted");
});

test("“always” is offered only if the setting can be changed", async () => {
  const cases = [
    [{}, true], [{ settings: { nodes_fixed: true } }, false], [{ settings: undefined }, true],
    [{ settings: null }, false], [{ settings: new Error("away") }, false], [{ problem: { code: "many_users" } }, false],
  ];
  for (const [options, offered] of cases) {
    const { shown, tell } = page(options);
    await tell(opened());
    assert.equal(shown[0].parts.canAlways, offered, JSON.stringify(options));
  }
});

test("events that are not open approvals show nothing", async () => {
  const { shown, tell } = page();
  for (const event of [null, {}, { state: "open" }, { state: "open", question: 3 }, { question: "q1" }, closed("other")]) await tell(event);
  assert.equal(shown.length, 0);
});
