import assert from "node:assert/strict";
import { test } from "node:test";
import { createHistoryApi, HistoryApiError } from "#ui/api.mjs";
import { preview, save } from "./stage.js";

/** An api whose server gives this answer, and the requests it got. */
function answering(body) {
  const calls = [];
  const api = createHistoryApi(async (route, init) => {
    calls.push([init.method, route.replace("/cloud_history/", ""), init.body && JSON.parse(init.body)]);
    return new Response(JSON.stringify(body));
  });
  return { api, calls };
}

test("the routes of saving get the expected bodies, and ids never leave their part of the address", async () => {
  const { api, calls } = answering({ ...preview(), save: save(), saves: [save()], jobs: {}, folder: null, files: [] });
  await api.savePreview({ ids: ["a"], account: "ours" }).catch(() => undefined);
  await api.startSave("t1");
  await api.saves();
  for (const name of ["stopSave", "continueSave", "dismissSave", "retrySave"]) await api[name]("s1");
  await api.savedJobs(["a"]);
  await api.savedOutputs("a/../b");
  await api.savedFile("a b", 2);
  assert.deepEqual(calls, [
    ["POST", "outputs/preview", { ids: ["a"], account: "ours" }],
    ["POST", "outputs/save", { token: "t1" }],
    ["GET", "outputs/saves", undefined],
    ...["stop", "continue", "dismiss", "retry"].map((name) => ["POST", `outputs/${name}`, { operation: "s1" }]),
    ["POST", "outputs/saved", { ids: ["a"] }],
    ["GET", "outputs/of/a%2F..%2Fb", undefined],
    ["GET", "outputs/of/a%20b/2", undefined],
  ]);
});

test("answers of another form are refused, so that no card and no mark is made of them", async () => {
  const wrong = [
    ["saves", { saves: [save({ state: "enchanted" })] }],
    ["saves", { saves: [{}] }],
    ["saves", []],
    ["savedJobs", { jobs: [] }],
    ["savedOutputs", { folder: 1, files: [] }],
    ["savedOutputs", { folder: "x", files: [null] }],
    ["outputFacts", { files: "many", saved_files: 0 }],
    ["savePreview", { ...preview(), token: undefined }],
    ["startSave", { save: null }],
  ];
  for (const [name, body] of wrong) {
    const error = await answering(body).api[name]({}).then(() => assert.fail(`${name} ${JSON.stringify(body)}`), (reason) => reason);
    assert.ok(error instanceof HistoryApiError, String(error));
    assert.equal(error.code, "strange_answer");
  }
});

test("a run that was interrupted has no number of files yet, and is no strange answer", async () => {
  const { api } = answering({ saves: [save({ state: "interrupted", files: null, bytes: null })] });
  assert.equal((await api.saves()).saves[0].files, null);
});
