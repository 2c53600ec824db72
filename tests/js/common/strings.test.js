import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import * as common from "#ui/common/strings.mjs";
import * as results from "#ui/deletion/result_strings.mjs";
import * as deletion from "#ui/deletion/strings.mjs";

const words = { ...common, ...deletion, ...results };

const result = (outcome, rest = {}) => ({ kind: "clear", outcome, before: 10, removed: 10, listed: 0, active: 0, report: "", error: null, ...rest });
const error = (code, rest = {}) => ({ code, message: "", hint: "", status: null, retry_after: null, cloud_says: "", ...rest });

test("only a verified clear is a success", () => {
  const kinds = {
    deleted: result("deleted"),
    partial: result("partial", { removed: 7, listed: 3 }),
    unconfirmed: result("unconfirmed", { removed: null, listed: null }),
    unknown: result("unknown", { removed: null, listed: 10 }),
    failed: result("failed", { removed: 0, listed: 10, error: error("unauthorized") }),
    stopped: result("stopped", { removed: 2, listed: 8 }),
    "a word of tomorrow": result("evaporated", { removed: null, listed: null }),
  };
  for (const [outcome, each] of Object.entries(kinds)) {
    const { kind } = words.clearResultWords(each);
    assert.equal(kind === "success", outcome === "deleted", outcome);
  }
  assert.equal(words.clearResultWords(kinds.failed).kind, "error");
});

test("the result says how many are gone and how many are left", () => {
  assert.equal(words.clearResultWords(result("deleted", { removed: 1284 })).title, "1,284 jobs removed from your cloud history");
  assert.equal(words.clearResultWords(result("deleted", { removed: 1 })).title, "1 job removed from your cloud history");
  const partial = words.clearResultWords(result("partial", { removed: 7, listed: 3 }));
  assert.equal(partial.title, "7 jobs removed from your cloud history, 3 still listed");
  assert.match(words.clearResultWords(result("unknown", { removed: null, listed: 1 })).text, /1 job is still listed\./);
  assert.match(words.clearResultWords(result("unconfirmed", { removed: null, listed: null })).text, /list can’t be read/);
});

test("a partial result without numbers is not dressed up as one with", () => {
  const told = words.clearResultWords(result("partial", { removed: null, listed: null }));
  assert.equal(told.title, "Outcome unknown");
  assert.equal(told.kind, "warning");
});

test("a clear that was answered by a fault says so, in the cloud’s own words, and calls no connection lost", () => {
  const unknown = (code, rest, outcome = "unknown") => words.clearResultWords(result(outcome, { removed: 0, listed: 10, error: code && error(code, rest) }));
  const fault = unknown("server_fault", { status: 500, cloud_says: "Oops" });
  assert.deepEqual([fault.kind, fault.title], ["warning", "Outcome unknown"]);
  assert.equal(
    fault.text,
    "Comfy Cloud has a problem. It is not your key. Try again in a few minutes. Comfy Cloud says: “Oops” (500). 10 jobs are still listed. Look again, then decide.",
  );
  assert.match(unknown("unreadable_answer", { status: 200 }).text, /^This answer can’t be read\. /);
  assert.match(unknown("server_fault", { status: 503 }, "stopped").text, /^Comfy Cloud has a problem\. /);
  for (const code of ["unreachable", "timeout", null]) {
    assert.equal(unknown(code, {}).text, "The connection was lost after the request was sent. 10 jobs are still listed. Look again, then decide.", code);
  }
});

test("a stopped clear says how far it came, and claims no number where none is seen to be gone", () => {
  const stopped = (rest) => words.clearResultWords(result("stopped", rest));
  const text = "You stopped it after it was sent. The list can’t be read. Look again, then decide.";
  for (const code of ["stopped", "unreachable"]) {
    assert.deepEqual(stopped({ removed: null, listed: null, error: error(code) }), { kind: "warning", title: "Outcome unknown", text }, code);
  }
  const accepted = stopped({ removed: 0, listed: 10 });
  assert.deepEqual([accepted.title, accepted.text], ["Outcome unknown", "Comfy Cloud accepted the request. 10 jobs are still listed. Look again, then decide."]);
  assert.equal(stopped({ removed: 2, listed: 8 }).title, "Stopped: 2 of 10 jobs removed");
});

test("a failure carries the cloud’s own words and status, as text on one line", () => {
  const told = words.clearResultWords(result("failed", { error: error("unauthorized", { status: 401, cloud_says: "Invalid\n<b>key</b>" }) }));
  assert.equal(told.title, "No job was removed");
  assert.equal(
    told.text,
    "Your API key was refused. It may have been revoked, or not copied whole. Your jobs are untouched. Comfy Cloud says: “Invalid <b>key</b>” (401)",
  );
});

test("every error code has a title and something to do", () => {
  const codes = [
    "missing_key", "unauthorized", "forbidden", "subscription_inactive", "api_moved_on", "rate_limited", "server_fault", "timeout", "unreachable",
    "unreadable_answer", "not_comfy_cloud", "busy", "preview_expired", "count_rose", "state_unwritable", "unsafe_base_url",
    "missing_dependency", "comfyui_away", "routes_missing", "strange_answer",
  ];
  for (const code of codes) {
    const { title, text } = words.errorWords(error(code));
    assert.ok(title && text, code);
    assert.notEqual(title, "Something went wrong", code);
  }
});

test("what can’t be written is told in the server’s words, which name it", () => {
  const told = { message: "The setting can’t be saved.", hint: "settings.json is a symbolic link, which is not followed." };
  assert.deepEqual(words.errorWords(error("state_unwritable", told)), { title: told.message, text: told.hint });
});

test("an unknown code is told in the server’s words, and a name of Object is no code", () => {
  assert.deepEqual(words.errorWords(error("odd", { message: "No.", hint: "Wait." })), { title: "No.", text: "Wait." });
  assert.deepEqual(words.errorWords(error("constructor", { message: "No.", hint: "Wait." })), { title: "No.", text: "Wait." });
  assert.equal(words.errorWords(error("odd")).title, "Something went wrong");
});

test("a refusal for the plan's sake is no broken connection, and an API that has moved on asks for no patience", () => {
  assert.doesNotMatch(words.errorLine(error("subscription_inactive")), /inactive|again/);
  assert.match(words.errorLine(error("api_moved_on")), /newer version of Comfy Cloud History/);
  assert.doesNotMatch(words.errorLine(error("api_moved_on")), /[Tt]ry again/);
});

test("waiting is told in whole seconds, rounded up, when the cloud names them", () => {
  assert.equal(words.errorWords(error("rate_limited", { retry_after: 12.3 })).text, "Comfy Cloud asks to wait. Try again in 13 s.");
  assert.equal(words.errorWords(new HistoryApiError({ code: "rate_limited", retry_after: 5 })).text, "Comfy Cloud asks to wait. Try again in 5 s.");
  assert.match(words.errorWords(error("rate_limited")).text, /in a minute/);
});

test("the account is named by the last four characters, or by where the key is", () => {
  assert.equal(words.accountWords({ last4: "a1b2", source: "saved" }), "Key ending in a1b2");
  assert.equal(words.accountWords({ last4: "", source: "env" }), "Key from COMFY_CLOUD_API_KEY");
  assert.equal(words.keyWords({ last4: "a1b2", source: "saved" }), "Ending in a1b2, saved on this server");
  assert.equal(words.keyWords({ last4: "", source: "saved" }), "Saved on this server");
});

test("what stays is named, also when nothing does", () => {
  const counts = { completed: 2, failed: 0, cancelled: 1, active: 1 };
  assert.equal(words.goingParts(counts), "2\u00a0completed, 1\u00a0cancelled");
  assert.equal(words.stayingParts(counts), "1\u00a0active");
  assert.equal(words.stayingParts({ ...counts, active: 0 }), "None are active or protected");
  assert.equal(words.nothingToClear(counts), "Your cloud history has no finished jobs. 1 active job stays.");
  assert.equal(words.clearButton(1), "Clear 1 job");
});

test("no word promises erasure, and apostrophes are typographic", () => {
  const texts = [];
  const collect = (value) => (typeof value === "string" ? texts.push(value) : typeof value === "object" && value && Object.values(value).forEach(collect));
  collect({ ...words });
  assert.ok(texts.length > 60);
  for (const text of texts) assert.doesNotMatch(text, /\berased?\b|'|"|!/, text);
});
