import assert from "node:assert/strict";
import { test } from "node:test";
import { NODE } from "../../js/node_report.js";
import "./comfyui.js";

const nodes = new Map();
const STOPPED = "Stopped: 2 of 12 jobs removed.";
const fetched = [];
const api = Object.assign(new globalThis.EventTarget(), {
  async fetchApi(route) {
    fetched.push(route);
    return new Response(JSON.stringify({ node: "1", report: STOPPED }));
  },
});
const extensions = [];
const app = {
  registerExtension: (extension) => extensions.push(extension),
  extensionManager: { setting: { get: () => "en" }, sidebarTab: { registerSidebarTab: () => undefined } },
  graph: { getNodeById: (id) => nodes.get(String(id)) },
};
globalThis.comfyui = { app, api };
// Loading the style sheets succeeds at once.
const element = () => Object.assign(new globalThis.EventTarget(), { style: {}, value: "", setAttribute() {}, append() {} });
globalThis.window = Object.assign(globalThis, { top: globalThis, navigator: globalThis.navigator ?? { language: "en-GB" } });
globalThis.document = { createElement: element, head: { append: (...sheets) => sheets.forEach((sheet) => sheet.dispatchEvent(new Event("load"))) } };
await import("../../js/main.js");
const [extension] = extensions;
extension.setup();

const tell = (type, detail) => api.dispatchEvent(new CustomEvent(type, { detail }));
const until = async (state) => {
  for (const end = Date.now() + 20_000; !state(); ) {
    assert.ok(Date.now() < end, "the report did not arrive in 20 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const SUCCESS = "12 jobs removed from your cloud history. Assets stay.";

/** Adds a node of this pack to the graph and returns helpers that read its report. */
function place(id, name = "CloudHistoryDeleteJobs") {
  class Placed {
    addDOMWidget(_name, _type, area) {
      this.area = area;
      this.widget = {};
      return this.widget;
    }
    computeSize = () => [100, 100];
    setSize() {}
  }
  extension.beforeRegisterNodeDef(Placed, { name });
  const node = new Placed();
  node.onNodeCreated?.();
  nodes.set(id, node);
  const succeed = () => (tell("executing", id), node.onExecuted({ text: [SUCCESS] }));
  return { succeed, node, text: () => node.area.value, pressRun: () => node.widget.beforeQueued() };
}

test("a node that starts again clears the report of its earlier run", () => {
  const { succeed, text } = place("1");
  succeed();
  assert.equal(text(), SUCCESS);
  tell("executing", "1");
  assert.equal(text(), "");
});

test("the start and the end of other nodes leave a report unchanged", () => {
  const { succeed, text } = place("1");
  place("2", "SaveImage");
  succeed();
  for (const id of ["2", "3", null, undefined]) tell("executing", id);
  tell("execution_start", { prompt_id: "p" });
  tell("execution_interrupted", { node_id: "2" });
  assert.equal(text(), SUCCESS);
});

test("an interrupted node says that it was stopped, and its own report is fetched", async () => {
  const { succeed, text } = place("1");
  succeed();
  tell("executing", "1");
  tell("execution_interrupted", { node_id: "1" });
  assert.equal(text(), NODE.interrupted);
  assert.deepEqual(fetched, []);
  tell("executing", "1");
  tell("cloud_history.progress", { kind: "node_report", operation: "r1" });
  tell("execution_interrupted", { node_id: "1" });
  await until(() => text() === STOPPED);
  assert.deepEqual(fetched, ["/cloud_history/node_reports/r1"]);
});

test("an interruption of another window's run changes no report", () => {
  const { succeed, text } = place("1");
  tell("execution_interrupted", { node_id: "1" });
  assert.equal(text(), "");
  succeed();
  tell("execution_interrupted", { node_id: "1" });
  assert.equal(text(), SUCCESS);
});

test("while Comfy Cloud asks a node to wait, its report counts down the seconds, until the node writes its own report", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { text, node } = place("1");
  tell("executing", "1");
  const wait = (total, during = "") => tell("cloud_history.progress", { node: "1", phase: "asked_to_wait", done: 0, total, during });
  wait(12);
  await until(() => text());
  assert.equal(text(), "It goes on in 12 s: Comfy Cloud asks to wait");
  t.mock.timers.tick(1000);
  assert.equal(text(), "It goes on in 11 s: Comfy Cloud asks to wait");
  for (let second = 0; second < 11; second += 1) t.mock.timers.tick(1000);
  assert.equal(text(), "");
  wait(12, "backing_up");
  await until(() => text());
  assert.equal(text(), "The backup goes on in 12 s: Comfy Cloud asks to wait");
  node.onExecuted({ text: [SUCCESS] });
  t.mock.timers.tick(1000);
  assert.equal(text(), SUCCESS);
});

test("a node says what it does, that nothing has been deleted yet, and how to stop it, until its report comes", async () => {
  const { text, node } = place("1");
  tell("executing", "1");
  const work = async (phase, done, total, before = text()) => {
    tell("cloud_history.progress", { node: "1", phase, done, total, during: "" });
    await until(() => text() !== before);
    return text();
  };
  const unsent = "Nothing has been deleted yet. To stop it, cancel the run in ComfyUI.";
  assert.equal(await work("waiting", 0, 1), `Waiting for another deletion to finish… ${unsent}`);
  assert.equal(await work("backing_up", 124, 231), `Backing up workflows: 124 of 231. ${unsent}`);
  assert.equal(await work("backing_up", 125, 231), `Backing up workflows: 125 of 231. ${unsent}`);
  assert.equal(await work("sending", 0, 231), "Removing 231 jobs…");
  assert.equal(await work("checking", 0, 231), "Checking what is gone…");
  node.onExecuted({ text: [SUCCESS] });
  assert.equal(text(), SUCCESS);
});

test("a report that a node writes while the countdown is loaded is not replaced", async () => {
  const { text, node } = place("1");
  tell("executing", "1");
  tell("cloud_history.progress", { node: "1", phase: "asked_to_wait", done: 0, total: 12 });
  node.onExecuted({ text: [SUCCESS] });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(text(), SUCCESS);
});

test("a node that is interrupted while it waits for Comfy Cloud says that it was stopped", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { text } = place("1");
  tell("executing", "1");
  tell("cloud_history.progress", { node: "1", phase: "asked_to_wait", done: 0, total: 12 });
  await until(() => text());
  tell("execution_interrupted", { node_id: "1" });
  t.mock.timers.tick(1000);
  assert.equal(text(), NODE.interrupted);
});

test("pressing Run marks the report as that of an earlier run", () => {
  const { succeed, text, pressRun, node } = place("1");
  pressRun();
  assert.equal(text(), "", "an empty report is not marked");
  succeed();
  pressRun();
  assert.equal(text(), `Earlier run:\n${SUCCESS}`);
  // After a refused run, or a second press before the node starts: not marked twice.
  pressRun();
  assert.equal(text(), `Earlier run:\n${SUCCESS}`);
  tell("executing", "1");
  node.onExecuted({ text: [SUCCESS] });
  assert.equal(text(), SUCCESS);
  pressRun();
  tell("execution_interrupted", { node_id: "1" });
  assert.equal(text(), `Earlier run:\n${SUCCESS}`, "the run was interrupted before this node started");
});

test("pressing Run while the node is running marks no report", () => {
  const { text, pressRun, node } = place("1");
  tell("executing", "1");
  pressRun();
  node.onExecuted({ text: [SUCCESS] });
  assert.equal(text(), SUCCESS);
});

test("a failed node shows the error", () => {
  const { succeed, text } = place("1");
  succeed();
  tell("executing", "1");
  tell("execution_error", { node_id: "1", exception_message: "No job was removed." });
  assert.equal(text(), "No job was removed.");
});

test("a node in a subgraph is found by its path", () => {
  const inner = place("3");
  nodes.set("12", { subgraph: { getNodeById: (id) => (id === "3" ? inner.node : null) } });
  tell("executing", "12:3");
  tell("execution_interrupted", { node_id: "12:3" });
  assert.equal(inner.text(), NODE.interrupted);
});
