import assert from "node:assert/strict";
import { test } from "node:test";
import { createHistoryApi, HistoryApiError } from "../../js/history_api.js";

const STATUS = { version: "1.0.0", configured: true, source: "saved", last4: "a1b2", host: "x", running: null, finished: [], unresolved: [], problem: null };

function answering(body, { status = 200 } = {}) {
  const calls = [];
  const api = createHistoryApi(async (route, init) => {
    calls.push({ route, init });
    return new Response(typeof body === "string" ? body : JSON.stringify(body), { status });
  });
  return { api, calls };
}

const codeOf = async (promise) => {
  const error = await promise.then(() => assert.fail("did not fail"), (reason) => reason);
  assert.ok(error instanceof HistoryApiError, String(error));
  return error;
};

test("every request carries the header that a foreign page cannot send", async () => {
  const { api, calls } = answering({ ...STATUS, checked: true });
  await api.status();
  await api.saveKey("k");
  await api.removeKey();
  await api.dismiss("op");
  assert.deepEqual(calls.map(({ route, init }) => `${init.method} ${route}`), [
    "GET /cloud_history/status", "POST /cloud_history/key", "DELETE /cloud_history/key", "POST /cloud_history/unresolved/dismiss",
  ]);
  for (const { init } of calls) assert.equal(init.headers["X-Cloud-History"], "1");
  for (const { init } of calls.slice(1)) assert.equal(init.headers["Content-Type"], "application/json");
});

test("bodies hold what the routes ask for and nothing else", async () => {
  const { api, calls } = answering({ ...STATUS, checked: true });
  await api.saveKey("k");
  await api.saveKey("k", true);
  assert.deepEqual(calls.map(({ init }) => JSON.parse(init.body)), [{ api_key: "k" }, { api_key: "k", unchecked: true }]);

  const clearing = answering({ operation: "o", state: "running" }, { status: 202 });
  assert.equal((await clearing.api.clear("t")).state, "running");
  assert.deepEqual(JSON.parse(clearing.calls[0].init.body), { token: "t" });
});

test("an error answer becomes an error with its code, words, wait and extras", async () => {
  const body = { error: { code: "count_rose", message: "m", hint: "h", status: 200, retry_after: 3, cloud_says: "s" }, preview: { token: "t" } };
  const error = await codeOf(answering(body, { status: 409 }).api.clear("t"));
  assert.deepEqual(
    [error.code, error.message, error.hint, error.status, error.retryAfter, error.cloudSays, error.extras],
    ["count_rose", "m", "h", 200, 3, "s", { preview: { token: "t" } }],
  );
});

test("a request that ComfyUI leaves unanswered is told apart from every refusal", async () => {
  for (const failure of [new TypeError("Failed to fetch"), new DOMException("", "AbortError")]) {
    const api = createHistoryApi(() => Promise.reject(failure));
    assert.equal((await codeOf(api.status())).code, "comfyui_away");
  }
});

test("routes that are not there are told as such", async () => {
  for (const status of [404, 405]) {
    assert.equal((await codeOf(answering("Not Found", { status }).api.status())).code, "routes_missing");
  }
});

test("an answer that is not ours is never taken for one", async () => {
  for (const body of ["<html>sign in</html>", "", "[]", "null", "{}", '{"configured": "yes"}']) {
    assert.equal((await codeOf(answering(body).api.status())).code, "strange_answer", body);
  }
  assert.equal((await codeOf(answering("<html>", { status: 502 }).api.preview())).code, "strange_answer");
  assert.equal((await codeOf(answering({ operation: "o", state: "done" }).api.clear("t"))).code, "strange_answer");
  assert.equal((await codeOf(answering({ token: "t" }).api.preview())).code, "strange_answer");
});

test("the key is in no error", async () => {
  const api = createHistoryApi(() => Promise.reject(new Error("comfyui-secret")));
  const error = await codeOf(api.saveKey("comfyui-secret"));
  assert.doesNotMatch(JSON.stringify(error) + error.stack + error.message, /comfyui-secret/);
});
