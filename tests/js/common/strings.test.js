import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import * as common from "#ui/common/strings.mjs";
import * as results from "#ui/deletion/result_strings.mjs";
import * as deletion from "#ui/deletion/strings.mjs";
import { wordsOf } from "../languages.js";

const words = { ...common, ...deletion, ...results };

const result = (outcome, rest = {}) => ({ kind: "clear", outcome, before: 10, removed: 10, listed: 0, active: 0, report: "", error: null, ...rest });
const error = (code, rest = {}) => ({ code, message: "", hint: "", status: null, retry_after: null, cloud_says: "", ...rest });

test("only a verified clear is reported as a success", () => {
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

test("the result of a clear says how many jobs are gone and how many are left", () => {
  assert.equal(words.clearResultWords(result("deleted", { removed: 1284 })).title, "1,284 jobs removed from your cloud history");
  assert.equal(words.clearResultWords(result("deleted", { removed: 1 })).title, "1 job removed from your cloud history");
  const partial = words.clearResultWords(result("partial", { removed: 7, listed: 3 }));
  assert.equal(partial.title, "7 jobs removed from your cloud history, 3 still listed");
  assert.match(words.clearResultWords(result("unknown", { removed: null, listed: 1 })).text, /1 job is still listed\./);
  assert.match(words.clearResultWords(result("unconfirmed", { removed: null, listed: null })).text, /list can’t be read/);
});

test("a partial result without numbers shows no numbers", () => {
  const shown = words.clearResultWords(result("partial", { removed: null, listed: null }));
  assert.equal(shown.title, "Outcome unknown");
  assert.equal(shown.kind, "warning");
});

test("a clear that the cloud answered with an error quotes the cloud, and does not say that the connection was lost", () => {
  const unknown = (code, rest, outcome = "unknown") => words.clearResultWords(result(outcome, { removed: 0, listed: 10, error: code && error(code, rest) }));
  const problem = { message: "Comfy Cloud has a problem.", hint: "It is not your key. Try again in a few minutes." };
  const fault = unknown("server_fault", { ...problem, status: 500, cloud_says: "Oops" });
  assert.deepEqual([fault.kind, fault.title], ["warning", "Outcome unknown"]);
  assert.equal(
    fault.text,
    "Comfy Cloud has a problem. It is not your key. Try again in a few minutes. Comfy Cloud says: “Oops” (500). 10 jobs are still listed. Look again, then decide.",
  );
  assert.match(unknown("unreadable_answer", { message: "This answer can’t be read.", status: 200 }).text, /^This answer can’t be read\. /);
  assert.match(unknown("server_fault", { ...problem, status: 503 }, "stopped").text, /^Comfy Cloud has a problem\. /);
  for (const code of ["unreachable", "timeout", null]) {
    assert.equal(unknown(code, {}).text, "The connection was lost after the request was sent. 10 jobs are still listed. Look again, then decide.", code);
  }
});

test("a stopped clear says how many jobs it removed, and names no number if no removal was verified", () => {
  const stopped = (rest) => words.clearResultWords(result("stopped", rest));
  const text = "It was stopped after it was sent. The list can’t be read. Look again, then decide.";
  for (const code of ["stopped", "unreachable"]) {
    assert.deepEqual(stopped({ removed: null, listed: null, error: error(code) }), { kind: "warning", title: "Outcome unknown", text }, code);
  }
  const accepted = stopped({ removed: 0, listed: 10 });
  assert.deepEqual([accepted.title, accepted.text], ["Outcome unknown", "Comfy Cloud accepted the request. 10 jobs are still listed. Look again, then decide."]);
  assert.equal(stopped({ removed: 2, listed: 8 }).title, "Stopped: 2 of 10 jobs removed");
});

test("a failure quotes the cloud’s message and HTTP status on one line", () => {
  const shown = words.clearResultWords(result("failed", { error: error("unauthorized", { message: "Your API key was refused.", hint: "It may have been revoked, or not copied whole.", status: 401, cloud_says: "Invalid\n<b>key</b>" }) }));
  assert.equal(shown.title, "No job was removed");
  assert.equal(
    shown.text,
    "Your API key was refused. It may have been revoked, or not copied whole. Comfy Cloud says: “Invalid <b>key</b>” (401)",
  );
});

test("the browser shows the server’s message and hint for every error code", () => {
  for (const code of ["state_unwritable", "unreachable", "missing_key", "protection_damaged", "constructor", "a code of tomorrow"]) {
    const sent = { message: "The setting can’t be saved.", hint: "settings.json is a link, which is not followed." };
    assert.deepEqual(words.errorWords(error(code, sent)), { title: "The setting can’t be saved", text: sent.hint }, code);
    assert.equal(words.errorLine(new HistoryApiError(error(code, sent))), `${sent.message} ${sent.hint}`, code);
  }
});

test("the browser has texts of its own only for errors that carry no message from the server", () => {
  for (const code of ["missing_key", "framed", "comfyui_away", "routes_missing", "strange_answer"]) {
    const { title, text } = words.errorWords(error(code));
    assert.ok(title && text, code);
    assert.notEqual(title, "Something went wrong", code);
  }
  for (const code of ["odd", "constructor", "unauthorized"]) assert.equal(words.errorWords(error(code)).title, "Something went wrong", code);
});

test("only the error of a reading request says that reading changes no job", () => {
  for (const code of ["unauthorized", "subscription_inactive", "unreachable", "timeout"]) {
    const sent = error(code, { message: "No.", hint: "Wait." });
    assert.equal(words.readingErrorWords(sent).text, "Wait. Reading changes no job.", code);
    assert.equal(words.errorWords(sent).text, "Wait.", code);
  }
  assert.equal(words.readingErrorWords(error("account_changed", { message: "No.", hint: "Wait." })).text, "Wait.");
});

test("the account is named by the key’s last four characters, or by where the key is stored", () => {
  assert.equal(words.accountWords({ last4: "a1b2", source: "saved" }), "Key ending in a1b2");
  assert.equal(words.accountWords({ last4: "", source: "env" }), "Key from COMFY_CLOUD_API_KEY");
  assert.equal(words.keyWords({ last4: "a1b2", source: "saved" }), "Ending in a1b2, saved on this server");
  assert.equal(words.keyWords({ last4: "", source: "saved" }), "Saved on this server");
});

test("the clear dialog names the jobs that stay, or says that none do", () => {
  const counts = { completed: 2, failed: 0, cancelled: 1, active: 1 };
  assert.equal(words.goingParts(counts), "2\u00a0completed, 1\u00a0cancelled");
  const skipped = { active: 1, protected: 0, unknown: 0, already_gone: 0 };
  assert.equal(words.stayingWords({ skipped }), "1\u00a0active");
  assert.equal(words.stayingWords({ skipped: { ...skipped, active: 0 } }), "None are active or protected");
  assert.equal(words.nothingToClear(counts), "Your cloud history has no finished jobs. 1 active job stays.");
  assert.equal(words.clearButton(1), "Clear 1 job");
});

test("no text on screen says “erase” or has no straight quotes", async () => {
  const texts = Object.values(await wordsOf("en"));
  const collect = (value) => (typeof value === "string" ? texts.push(value) : typeof value === "object" && value && Object.values(value).forEach(collect));
  collect({ ...deletion, ...results });
  assert.ok(texts.length > 60);
  for (const text of texts) assert.doesNotMatch(text, /\berased?\b|'|"|!/, text);
});

test("a deletion that ComfyUI's end stopped is called unknown only if a request may have been sent", () => {
  assert.deepEqual(words.crashWords(231), { title: "Outcome unknown: 231 jobs", text: "ComfyUI stopped while it was deleting." });
  const unsent = words.crashWords(231, false);
  assert.deepEqual([unsent.title, unsent.text], ["Nothing was deleted", "ComfyUI stopped before anything was sent, so 231 jobs were not removed."]);
  assert.equal(words.crashWords(null, false).text, "ComfyUI stopped before anything was sent.");
});
