import assert from "node:assert/strict";
import { test } from "node:test";
import { createHistoryApi, HistoryApiError } from "#ui/api.mjs";

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

const ALL = { clear: true };
const request = (kind, rest) => ({ selection: ALL, preview: { kind, token: "t" }, ...rest });

test("every request has the header X-Cloud-History, which other sites cannot send", async () => {
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

test("request bodies have the expected fields and no others", async () => {
  const { api, calls } = answering({ ...STATUS, checked: true });
  await api.saveKey("k");
  await api.saveKey("k", true);
  assert.deepEqual(calls.map(({ init }) => JSON.parse(init.body)), [{ api_key: "k" }, { api_key: "k", unchecked: true }]);

  const clearing = answering({ operation: "o", state: "running" }, { status: 202 });
  assert.equal((await clearing.api.submit(request("clear"))).state, "running");
  assert.deepEqual(JSON.parse(clearing.calls[0].init.body), { token: "t" });
});

test("an error answer becomes HistoryApiError with its code, message, retry_after and other fields", async () => {
  const body = { error: { code: "count_rose", message: "m", hint: "h", status: 200, retry_after: 3, cloud_says: "s" }, preview: { token: "t" } };
  const error = await codeOf(answering(body, { status: 409 }).api.submit(request("clear")));
  assert.deepEqual(
    [error.code, error.message, error.hint, error.status, error.retryAfter, error.cloudSays, error.extras],
    ["count_rose", "m", "h", 200, 3, "s", { preview: { token: "t" } }],
  );
});

test("a request without an answer fails with comfyui_away", async () => {
  for (const failure of [new TypeError("Failed to fetch"), new DOMException("", "AbortError")]) {
    const api = createHistoryApi(() => Promise.reject(failure));
    assert.equal((await codeOf(api.status())).code, "comfyui_away");
  }
});

test("missing routes fail with routes_missing", async () => {
  for (const status of [404, 405]) {
    assert.equal((await codeOf(answering("Not Found", { status }).api.status())).code, "routes_missing");
  }
});

test("an answer in an unknown form fails with strange_answer", async () => {
  for (const body of ["<html>sign in</html>", "", "[]", "null", "{}", '{"configured": "yes"}']) {
    assert.equal((await codeOf(answering(body).api.status())).code, "strange_answer", body);
  }
  assert.equal((await codeOf(answering("<html>", { status: 502 }).api.preview(ALL))).code, "strange_answer");
  assert.equal((await codeOf(answering({ operation: "o", state: "done" }).api.submit(request("clear")))).code, "strange_answer");
  assert.equal((await codeOf(answering({ token: "t" }).api.preview(ALL))).code, "strange_answer");
});

test("no error contains the API key", async () => {
  const api = createHistoryApi(() => Promise.reject(new Error("comfyui-secret")));
  const error = await codeOf(api.saveKey("comfyui-secret"));
  assert.doesNotMatch(JSON.stringify(error) + error.stack + error.message, /comfyui-secret/);
});

const encoder = new globalThis.TextEncoder();
/** An api whose answers are streamed in these pieces. */
function streaming(pieces, { status = 200 } = {}) {
  const calls = [];
  const api = createHistoryApi(async (route, init) => {
    calls.push({ route, init });
    const body = new globalThis.ReadableStream({
      start(controller) {
        for (const piece of pieces) {
          if (piece instanceof Error) return controller.error(piece);
          controller.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
        }
        controller.close();
      },
    });
    return new Response(body, { status });
  });
  return { api, calls };
}
const collect = async (lines) => {
  const all = [];
  for await (const line of lines) all.push(line);
  return all;
};

test("the list is yielded line by line, however the stream is split", async () => {
  const text = '{"type":"start","read_at":"","total":2}\n{"type":"jobs","jobs":[{"id":"é"}]}\n\n{"type":"end","complete":true,"read":1,"error":null}';
  const bytes = encoder.encode(text);
  for (const size of [1, 7, 1000]) {
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
    const { api, calls } = streaming(pieces);
    const lines = await collect(api.list({ statuses: ["failed"] }));
    assert.deepEqual(lines.map(({ type }) => type), ["start", "jobs", "end"]);
    assert.equal(lines[1].jobs[0].id, "é");
    assert.deepEqual(JSON.parse(calls[0].init.body), { filter: { statuses: ["failed"] } });
  }
});

test("a list that breaks off or is not a list fails, after yielding the lines before", async () => {
  const start = '{"type":"start","read_at":"","total":2}\n';
  const cases = [
    [[start, new TypeError("network")], "comfyui_away"],
    [[start, "<html>\n"], "strange_answer"],
    [[start, '{"type":"jobs","jobs":3}\n'], "strange_answer"],
  ];
  for (const [pieces, code] of cases) {
    const seen = [];
    const error = await codeOf((async () => {
      for await (const line of streaming(pieces).api.list({})) seen.push(line);
    })());
    assert.equal(error.code, code);
    assert.ok(seen.length <= 1);
  }
  const refused = answering({ error: { code: "unauthorized" } }, { status: 401 });
  assert.equal((await codeOf(collect(refused.api.list({})))).code, "unauthorized");
});

test("an aborted request keeps its AbortError, and a lost request does not", async () => {
  const controller = new AbortController();
  controller.abort();
  const api = createHistoryApi(() => Promise.reject(new DOMException("", "AbortError")));
  await assert.rejects(api.job("x", controller.signal), { name: "AbortError" });
  assert.equal((await codeOf(api.job("x"))).code, "comfyui_away");
});

test("ids and file names are escaped in addresses", async () => {
  const { api, calls } = answering({ job: { id: "x" }, outputs: [] });
  await api.job("../status?x#y");
  await api.thumbnail("a&file=b", "../c d.png").catch(() => undefined);
  assert.deepEqual(calls.map(({ route }) => route), [
    "/cloud_history/jobs/..%2Fstatus%3Fx%23y", "/cloud_history/thumbnail?job=a%26file%3Db&file=..%2Fc%20d.png",
  ]);
});

test("a deletion must be answered with a hold or an operation", async () => {
  const hold = { id: "h", kind: "delete", jobs: 1, ids: ["a"], seconds_left: 10, state: "holding" };
  const bodies = [{ hold }, { operation: "o", state: "running" }, { operation: "o", state: "done", result: {} }];
  for (const body of bodies) assert.deepEqual(await answering(body, { status: 202 }).api.submit(request("delete")), body);
  for (const body of [{}, { hold: { ...hold, seconds_left: "10" } }, { hold: {} }, { operation: "o", state: "done" }]) {
    assert.equal((await codeOf(answering(body).api.submit(request("delete")))).code, "strange_answer");
  }
});

test("an approval with missing or invalid fields is refused, and reporting it as seen sends its token", async () => {
  const question = {
    state: "open", question: "q", token: "t", kind: "delete", removable: 3, by_status: {}, skipped: {}, seconds_left: 9,
  };
  const { api, calls } = answering(question);
  assert.deepEqual(await api.openApproval("q"), question);
  assert.deepEqual([calls[0].route, calls[0].init.body], ["/cloud_history/ask/question", '{"question":"q"}']);
  const odd = [{}, { token: 3 }, { seconds_left: "x" }, { skipped: null }, { state: "closed" }, { removable: null }];
  for (const more of odd) {
    const broken = { ...question, ...more };
    if (Object.keys(more).length === 0) delete broken.by_status;
    assert.equal((await codeOf(answering(broken).api.openApproval("q"))).code, "strange_answer", JSON.stringify(more));
  }
  await api.approvalSeen("q", "t");
  assert.deepEqual(JSON.parse(calls[1].init.body), { question: "q", token: "t" });
});

test("protection can be read and changed by job ids or workflows, and only the given lists are sent", async () => {
  const { api, calls } = answering({ jobs: ["a"], workflows: [] });
  assert.deepEqual(await api.protection(), { jobs: ["a"], workflows: [] });
  await api.protect(true, { jobs: ["a"] });
  await api.protect(false, { workflows: ["w"] });
  assert.deepEqual(calls.map(({ route, init }) => `${init.method} ${route} ${init.body ?? ""}`), [
    "GET /cloud_history/protection ",
    'POST /cloud_history/protection {"protect":true,"ids":["a"]}',
    'POST /cloud_history/protection {"protect":false,"workflows":["w"]}',
  ]);
  assert.equal((await codeOf(answering({ jobs: ["a"] }).api.protection())).code, "strange_answer", "without workflows, the answer is refused");
});

test("a deletion sends the field backup only if the person could choose", async () => {
  const { api, calls } = answering({ operation: "o", state: "running" }, { status: 202 });
  await api.submit(request("delete"));
  await api.submit(request("delete", { backup: false }));
  await api.submit(request("clear", { backup: false }));
  assert.deepEqual(calls.map(({ route, init }) => [route.split("/").at(-1), JSON.parse(init.body)]), [
    ["delete", { token: "t" }], ["delete", { token: "t", backup: false }], ["clear", { token: "t" }],
  ]);
});

test("the preview of a clear may be one of a deletion by ids, but must be complete", async () => {
  const byIds = { token: "t", operation: "o", kind: "delete", everything: true, removable: 3, by_status: {}, skipped: {}, rows: [] };
  assert.equal((await answering(byIds).api.preview(ALL)).kind, "delete");
  assert.equal((await codeOf(answering({ ...byIds, rows: undefined, finished: 3, counts: {} }).api.preview(ALL))).code, "strange_answer");
  assert.equal((await codeOf(answering({ ...byIds, operation: undefined }).api.preview(ALL))).code, "strange_answer", "without an operation id, the preview is refused");
});

test("the audit log and the backups have their own routes, and answers in another form are refused", async () => {
  const { api, calls } = answering({ jobs: [] });
  await api.auditJobs("a/b");
  await api.backupJobs("a/b");
  await api.deleteBackup("../key");
  await api.backupJob("a", "../b").catch(() => undefined);
  await api.backupWorkflowFile("a", "../b");
  assert.deepEqual(calls.map(({ route, init }) => `${init.method} ${route}`), [
    "GET /cloud_history/record/a%2Fb", "GET /cloud_history/backups/a%2Fb", "DELETE /cloud_history/backups/..%2Fkey", "GET /cloud_history/backups/a/..%2Fb",
    "GET /cloud_history/backups/a/..%2Fb/workflow",
  ]);
  const wrong = [["auditLog", {}], ["auditLog", { entries: [{}], removed_in_all: 1 }], ["auditJobs", { jobs: [{ id: "a" }] }], ["backupJobs", { jobs: [{}] }], ["backupJob", {}]];
  for (const [name, body] of wrong) assert.equal((await codeOf(answering(body).api[name]("a", "b"))).code, "strange_answer", name);
});

test("previewing a clean-up sends only the policy", async () => {
  const body = { total: 1, finished: 1, go: 0, kept: [{ reason: "last", n: 1, count: 1 }], share: 0, all: false, large: false, empty: false, rows: [{ job: { id: "a" }, keep: "last" }] };
  const { api, calls } = answering(body);
  assert.deepEqual(await api.cleanUp({ keep_last: 1 }), body);
  assert.deepEqual([calls[0].route, JSON.parse(calls[0].init.body)], ["/cloud_history/clean_up", { policy: { keep_last: 1 } }]);
  for (const part of [{ go: null }, { kept: {} }, { rows: [{}] }]) assert.equal((await codeOf(answering({ ...body, ...part }).api.cleanUp({}))).code, "strange_answer");
  await api.preview({ policy: { keep_last: 1 }, allow_large: true }).catch(() => undefined);
  assert.deepEqual(JSON.parse(calls[1].init.body), { policy: { keep_last: 1 }, allow_large: true });
});

test("the audit log is downloaded unchanged as CSV, and a refusal is an error", async () => {
  const { api, calls } = answering("when,what\r\n");
  assert.equal(await (await api.auditCsv()).text(), "when,what\r\n");
  assert.deepEqual([calls[0].route, calls[0].init.headers["X-Cloud-History"]], ["/cloud_history/record.csv", "1"]);
  assert.equal((await codeOf(answering({ error: { code: "forbidden_here" } }, { status: 403 }).api.auditCsv())).code, "forbidden_here");
});
