import assert from "node:assert/strict";
import { test } from "node:test";
import { Details } from "#ui/details/view.mjs";
import { createPage } from "../viewer/page.js";

const ROW = { id: "00000001-a", name: "mira_0001_.png", status: "completed", raw: "", created: 0, started: 0, finished: 1, took: 1, outputs: 0, output_type: "", workflow_id: "", error: null, preview: null };
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** The details of one job, over or beside the list, with a list that a test can change. */
async function shown({ pane = false } = {}) {
  const { root } = createPage();
  globalThis.window.Node = root.constructor;
  const listeners = {};
  const [removed, seen] = [[], { back: 0 }];
  const listed = new Map([[ROW.id, ROW]]);
  const store = {
    on: (kinds, run) => (kinds.forEach((kind) => (listeners[kind] = run)), () => undefined), names: { subscribe: () => () => undefined, learn: () => undefined },
    protection: { subscribe: () => () => undefined, covers: () => false, byWorkflow: () => false, workflows: new Set(), jobs: new Set() },
    nameParts: () => ["mira", "_0001_.png"], now: () => 1, selection: { size: 0 }, blocked: () => "", canCancel: () => true,
    get: (id) => listed.get(id), loading: false, incomplete: false, readAt: 1,
  };
  const api = { job: async () => ({ job: ROW, outputs: [], workflow: null, prompt: null, error: null, updated: null }), savedOutputs: async () => ({ folder: "", files: [] }) };
  const actions = { remove: (target, confirmed) => removed.push([target, confirmed]) };
  const details = new Details({ store, api, actions, thumbnails: {}, workflows: {}, toasts: {}, back: () => (seen.back += 1), close: () => undefined });
  details.show(ROW, { pane });
  await settled();
  const button = (label) => [...details.element.all()].find(({ tag, textContent }) => tag === "button" && textContent === label);
  return { details, store, removed, seen, listed, button, change: () => listeners.rows?.() };
}

test("a deletion from the details goes back to the list as soon as it is confirmed, so that no page of a removed job stays open", async () => {
  const { removed, seen, button } = await shown();
  button("Delete…").fire("click");
  const [target, confirmed] = removed[0];
  assert.deepEqual([target, seen.back], [{ ids: [ROW.id] }, 0], "nothing happens before the confirmation");
  confirmed();
  assert.equal(seen.back, 1);
});

test("beside the list there is no page to leave", async () => {
  const { removed, button } = await shown({ pane: true });
  button("Delete…").fire("click");
  assert.equal(removed[0][1], undefined);
});

test("the page of a job that is gone from the list says so, offers the way back, and no longer offers to delete it", async () => {
  const { details, store, listed, change, button, seen } = await shown();
  listed.clear();
  store.loading = true;
  change();
  assert.ok(button("Delete…"), "a list that is still being read proves nothing");
  store.loading = false;
  change();
  assert.match(details.element.textContent, /This job is no longer in your cloud history/);
  assert.equal(button("Delete…"), undefined);
  button("Back to the list").fire("click");
  assert.equal(seen.back, 1);
});
