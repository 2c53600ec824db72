import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { createWorkflows, freeName, isLoadable, stem, tabName } from "#ui/details/workflows.mjs";

const WORKFLOW = { nodes: [{ id: 1, type: "Note" }], links: [] };
const details = (name = "a_00001_.png", workflow = WORKFLOW) => ({ job: { id: "7f3a9c21-5b0e", name, created: null }, outputs: [], workflow });

function stage({ taken = [], name = "a_00001_.png", workflow = WORKFLOW, load = (n) => `workflows/${n}.json`, store = true } = {}) {
  const [loaded, shownToasts] = [[], []];
  const tabs = { getWorkflowByPath: (path) => (taken.includes(path) ? {} : null), activeWorkflow: { path: "workflows/mine.json" } };
  const app = {
    loadGraphData: async (...call) => {
      loaded.push(call);
      tabs.activeWorkflow = { path: load(call[3]) };
    },
    extensionManager: store ? { workflow: tabs } : {},
  };
  const it = createWorkflows({ getApp: () => app, api: { job: async () => details(name, workflow) }, toasts: { tell: (kind, { title }) => shownToasts.push([kind, title]) } });
  return { it, loaded, shownToasts };
}

test("a workflow opens in a new tab under an unused name", async () => {
  const { it, loaded, shownToasts } = stage({ taken: ["workflows/a_00001_ 7f3a9c21.json", "workflows/a_00001_ 7f3a9c21 (2).json"] });
  assert.equal(await it.open("x"), true);
  assert.deepEqual(loaded, [[WORKFLOW, true, true, "a_00001_ 7f3a9c21 (3)"]]);
  assert.deepEqual(shownToasts, [["success", "Workflow opened in a new tab"]]);
});

test("ComfyUI chooses the tab’s name if it offers no lookup of names", async () => {
  const { it, loaded } = stage({ store: false });
  await it.open("x");
  assert.equal(loaded[0][3], null);
  assert.equal(freeName("n", { extensionManager: {} }), null);
});

test("a workflow that ComfyUI can’t load never reaches the canvas", async () => {
  for (const workflow of [{}, [], { nodes: {} }, { nodes: [null] }, { nodes: [{ id: 1 }] }, { nodes: [{ id: {}, type: "A" }] }, { nodes: [], links: 3 }]) {
    assert.equal(isLoadable(workflow), false);
    const { it, loaded, shownToasts } = stage({ workflow });
    assert.equal(await it.open("x"), false);
    assert.deepEqual([loaded, shownToasts[0]?.[0]], [[], "error"]);
  }
});

test("a workflow is not reported as opened if ComfyUI loaded it into another tab", async () => {
  const { it, shownToasts } = stage({ load: () => "workflows/mine.json" });
  assert.equal(await it.open("x"), false);
  assert.deepEqual(shownToasts, [["error", "The workflow can’t be opened"]]);
});

test("opening a job without a workflow says that there is none", async () => {
  const { it, loaded, shownToasts } = stage({ workflow: null });
  await it.open("x");
  assert.deepEqual([loaded, shownToasts], [[], [["info", "The workflow can’t be opened"]]]);
});

test("job names from the cloud become safe file names", () => {
  assert.equal(stem(details("../../etc/pass:wd.png")), "etc_pass_wd 7f3a9c21");
  assert.equal(stem(details("\u202egnp.exe\u0000")), "gnp 7f3a9c21");
  assert.equal(stem(details("")), "job 7f3a9c21");
  assert.ok(stem(details("Z".repeat(10_000))).length < 80);
});

test("a downloaded workflow is the server’s exact text, from Comfy Cloud or a backup, so large numbers stay exact", async (t) => {
  const text = '{"nodes": [{"seed": 18446744073709551614, "cfg": NaN}]}';
  const [saved, asked] = [[], []];
  t.mock.method(URL, "createObjectURL", (blob) => (saved.push(blob), "blob:x"));
  t.mock.method(URL, "revokeObjectURL", () => undefined);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const names = [];
  t.after(() => delete globalThis.document);
  globalThis.document = { createElement: () => ({ setAttribute(name, value) { this[name] = value; }, append() {}, click() { names.push(this.download); } }) };
  const api = { job: async () => details(), workflowFile: async (id) => (asked.push(id), new globalThis.Blob([text])) };
  const it = createWorkflows({ getApp: assert.fail, api, toasts: { tell: assert.fail } });
  assert.equal(await it.download("x"), true);
  assert.equal(await it.download("x", details(), async () => new globalThis.Blob([text, " "])), true);
  assert.deepEqual([asked, names], [["x"], ["a_00001_ 7f3a9c21.json", "a_00001_ 7f3a9c21.json"]]);
  assert.deepEqual(await Promise.all(saved.map((blob) => blob.text())), [text, `${text} `]);
});

test("a failed download shows an error toast", async () => {
  const shownToasts = [];
  const api = { job: async () => details(), workflowFile: async () => Promise.reject(new HistoryApiError({ code: "comfyui_away" })) };
  const it = createWorkflows({ getApp: assert.fail, api, toasts: { tell: (kind) => shownToasts.push(kind) } });
  assert.equal(await it.download("x"), false);
  assert.deepEqual(shownToasts, ["error"]);
});

test("the tabs of jobs that are called alike differ in what ComfyUI does not cut off", () => {
  const named = (name, minute) => tabName({ ...details(name, { ...WORKFLOW, name: "Coast / study" }), job: { id: `7f3a9c2${minute}-5b0e`, name, created: new Date(2026, 10, 23, 18, minute).getTime() } });
  assert.equal(named("coast_study_00001_.png", 37), "18.37 coast_study_00001_ 7f3a9c23");
  assert.equal(named("coast_study_00001_.png", 41), "18.41 coast_study_00001_ 7f3a9c24");
  assert.equal(named("", 37), "18.37 Coast _ study 7f3a9c23", "a job without outputs has the name of its workflow");
});
