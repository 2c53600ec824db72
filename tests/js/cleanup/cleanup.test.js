import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { CleanUp, readChoice, readNumber, DEBOUNCE_MS } from "#ui/cleanup/model.mjs";
import { keptTable } from "#ui/cleanup/preview.mjs";
import { nothingWouldGo, reasonWord, unreadable, outcomeWord, wouldGo } from "#ui/cleanup/strings.mjs";
import { createPage } from "../viewer/page.js";

const preview = (go, rest = {}) => ({ total: 100, finished: 90, go, kept: [], share: go / 90, all: false, large: go / 90 > 0.8, empty: false, rows: [], account: "ours", ...rest });
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Creates a CleanUp whose timers run and whose requests are answered when the test says so. */
function stage() {
  const [asked, waiting] = [[], []];
  const api = {
    cleanUp: (policy, signal) =>
      new Promise((resolve, reject) => {
        asked.push({ policy, signal, answer: resolve, fail: reject });
        signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      }),
  };
  const after = (run, milliseconds) => {
    const timer = { run, milliseconds, stopped: false };
    waiting.push(timer);
    return () => (timer.stopped = true);
  };
  const cleanUp = new CleanUp({ api, after });
  const pass = () => waiting.splice(0).forEach(({ run, stopped }) => stopped || run());
  return { cleanUp, asked, waiting, pass };
}

/** Creates a CleanUp with a view and the answer to its first request. */
async function shown(first = preview(10)) {
  const it = stage();
  let drawn = 0;
  const leave = it.cleanUp.shown(() => (drawn += 1));
  it.pass();
  it.asked[0].answer(first);
  await settle();
  return { ...it, leave, drawn: () => drawn };
}

test("only whole numbers from 1 to the maximum are accepted", () => {
  assert.deepEqual(["1", " 20 ", "007", "36500"].map((text) => readNumber(text, "within")), [1, 20, 7, 36_500]);
  for (const text of ["", " ", "0", "000", "-1", "1.5", "1,000", "3O", "1e3", "٣", "30d", "36501", "9".repeat(400)]) assert.equal(readNumber(text, "within"), null, text);
  assert.deepEqual(["1000000", "1000001"].map((text) => readNumber(text, "last")), [1_000_000, null]);
});

const all = ({ rules }, rule) => Object.fromEntries(Object.keys(rules).map((key) => [key, rule]));

test("a policy has the rules that are on, and always the statuses", () => {
  const { choice } = stage().cleanUp;
  assert.deepEqual(readChoice(choice).policy, {
    keep_last: 20, keep_within: "30d", keep_weekly: 8, statuses: ["completed", "failed", "cancelled"], per_workflow: false,
  });
  const off = { on: false, text: "x" };
  const one = { ...choice, rules: { ...all(choice, off), daily: { on: true, text: " 7 " } }, statuses: ["failed"], workflow: "w", apart: true };
  assert.deepEqual(readChoice(one).policy, { keep_daily: 7, statuses: ["failed"], workflow_id: "w", per_workflow: true });
});

test("without a rule or a status, or with an unreadable number, there is no policy", () => {
  const { choice } = stage().cleanUp;
  const off = { on: false, text: "1" };
  assert.deepEqual(readChoice({ ...choice, rules: all(choice, off) }), { policy: null, fault: { kind: "none" } });
  const bad = { ...choice.rules, within: { on: true, text: "3O" } };
  assert.deepEqual(readChoice({ ...choice, rules: bad }), { policy: null, fault: { kind: "unreadable", rule: "within", text: "3O" } });
  assert.deepEqual(readChoice({ ...choice, statuses: [] }), { policy: null, fault: { kind: "nothing" } });
});

test("a preview is requested after a pause in the changes, and each change cancels the earlier request", async () => {
  const { cleanUp, asked, waiting, pass } = await shown();
  for (const text of ["3", "36", "365"]) cleanUp.setRule("within", { text });
  assert.deepEqual(waiting.map(({ milliseconds, stopped }) => [milliseconds, stopped]), [[DEBOUNCE_MS, true], [DEBOUNCE_MS, true], [DEBOUNCE_MS, false]]);
  pass();
  assert.deepEqual([asked.length, asked[1].policy.keep_within], [2, "365d"]);
  cleanUp.setRule("within", { text: "7" });
  assert.equal(asked[1].signal.aborted, true);
});

test("an answer that arrives after a change is dropped", async () => {
  const { cleanUp, asked, pass } = await shown();
  cleanUp.setRule("last", { text: "5" });
  pass();
  cleanUp.setRule("last", { text: "6" });
  asked[1].answer(preview(77));
  await settle();
  assert.deepEqual([cleanUp.preview.go, cleanUp.working, cleanUp.target()], [10, true, null]);
  pass();
  asked[2].answer(preview(66));
  await settle();
  assert.deepEqual([cleanUp.preview.go, cleanUp.working, cleanUp.target().policy.keep_last], [66, false, 6]);
});

test("jobs can be deleted only with a preview of the current choice", async () => {
  const { cleanUp } = await shown();
  assert.deepEqual(cleanUp.target(), { policy: cleanUp.policy, allow_large: true, account: "ours" }, "the dialog asks once more if that is much");
  cleanUp.setRule("within", { text: "" });
  assert.equal(cleanUp.target(), null);
  const other = await shown(preview(0));
  assert.equal(other.cleanUp.target(), null);
});

test("after leaving the page before the answer to a change, nothing can be deleted", async () => {
  const { cleanUp, leave } = await shown();
  cleanUp.choose({ apart: true });
  leave();
  assert.deepEqual([cleanUp.working, cleanUp.target()], [false, null]);
});

test("without a status, the preview is empty and no request is sent", async () => {
  const { cleanUp, asked, waiting } = await shown();
  cleanUp.choose({ statuses: [] });
  assert.deepEqual([waiting.length, asked.length, cleanUp.preview.go, cleanUp.preview.total, cleanUp.target()], [0, 1, 0, 100, null]);
});

test("an error stays until the next request, and nothing can be deleted meanwhile", async () => {
  const { cleanUp, asked, pass } = await shown();
  cleanUp.refresh();
  pass();
  asked[1].fail(new HistoryApiError({ code: "unreachable" }));
  await settle();
  assert.deepEqual([cleanUp.error.code, cleanUp.working, cleanUp.target()], ["unreachable", false, null]);
  cleanUp.refresh();
  assert.equal(cleanUp.error, null);
});

test("without a view no request is sent, and the choices are kept after leaving the page", async () => {
  const { cleanUp, waiting, leave } = await shown();
  cleanUp.setRule("last", { text: "9" });
  leave();
  assert.equal(waiting[0].stopped, true);
  waiting.length = 0;
  cleanUp.refresh();
  assert.equal(waiting.length, 0);
  assert.equal(cleanUp.choice.rules.last.text, "9");
});

test("the texts of Clean up name counts, invalid numbers and reasons", () => {
  assert.equal(wouldGo(18_197, 20_113), "18,197 of 20,113 jobs would go");
  assert.equal(nothingWouldGo(20_113), "Nothing would go. These rules keep all 20,113 jobs.");
  assert.equal(unreadable("3O", "within"), "“3O” is not a number of days. Nothing is deleted until it is.");
  assert.equal(unreadable("x\u0000", "weekly"), "“x�” is not a number of weeks. Nothing is deleted until it is.");
  const policy = { keep_last: 1200, keep_within: "30d" };
  assert.deepEqual(["last", "within", "daily", "weekly", "protected", "active", "no_time", "unknown", "not_chosen"].map((reason) => reasonWord(reason, policy)), [
    "Last 1,200", "Within 30 days", "One a day", "One a week", "Protected", "Active", "No usable time", "Unknown status", "Not chosen",
  ]);
  assert.equal(outcomeWord("within", policy), "Kept: within 30 days");
  assert.equal(outcomeWord(null, policy), "Would go");
});

test("the reasons for keeping jobs add up, and say that each job is counted once", () => {
  createPage();
  const kept = [{ reason: "protected", n: null, count: 2 }, { reason: "last", n: 5, count: 5 }, { reason: "active", n: null, count: 2 }];
  const textOf = (about) => keptTable(about, { keep_last: 5 }).map((each) => each.textContent).join(" ");
  assert.equal(textOf(preview(91, { kept })), "Kept, and why9Last 55Protected2Active2 Each of the 9 kept jobs is counted once, under one reason. Others may keep it too.");
  assert.equal(textOf(preview(95, { kept: kept.slice(1, 2) })), "Kept, and why5Last 55");
});
