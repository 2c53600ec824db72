import assert from "node:assert/strict";
import { test } from "node:test";
import { isFramed, refuseFramed } from "#ui/api.mjs";
import { createHistoryApi, HistoryApiError } from "#ui/api.mjs";
import { errorWords } from "#ui/common/strings.mjs";

/** Calls that are allowed in a frame: reading, undoing, stopping and skipping. */
const ALLOWED = new Set([
  "status", "progress", "nodeReport", "openApproval", "approvalSeen", "answerApproval", "protection", "undo", "stop", "job", "list", "thumbnail", "output", "media",
  "cleanUp", "auditLog", "auditJobs", "auditCsv", "backupJobs", "backupJob", "workflowFile", "backupWorkflowFile",
  "saves", "stopSave", "outputFacts", "savedJobs", "savedOutputs", "savedFile",
]);

function framed() {
  const routes = [];
  const api = refuseFramed(createHistoryApi(async (route) => (routes.push(route), new Response("{}"))));
  return { api, routes };
}

test("in a frame, calls that delete, cancel or remove a safeguard send nothing", async () => {
  const { api, routes } = framed();
  for (const [name, call] of Object.entries(api)) {
    if (ALLOWED.has(name)) continue;
    const error = await call({}, {}, {}).then(() => assert.fail(name), (reason) => reason);
    assert.ok(error instanceof HistoryApiError, name);
    assert.equal(error.code, "framed", name);
  }
  assert.deepEqual(routes, []);
});

test("in a frame, an approval can be skipped but not answered with delete", async () => {
  const { api, routes } = framed();
  await api.answerApproval("q", "t", { answer: "skip", always: false });
  assert.deepEqual(routes, ["/cloud_history/ask/answer"]);
  for (const answer of [{ answer: "delete", always: false }, { answer: "delete", always: true }, {}]) {
    await assert.rejects(api.answerApproval("q", "t", answer), { code: "framed" });
  }
  assert.equal(routes.length, 1);
});

test("isFramed detects a frame of another page, and the error says what to do", () => {
  const own = {};
  own.top = own;
  assert.deepEqual([isFramed(own), isFramed({ top: own })], [false, true]);
  assert.match(errorWords({ code: "framed" }).text, /Open ComfyUI in a tab of its own/);
});
