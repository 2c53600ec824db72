import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_IDS, SavedMarks } from "#ui/outputs/saved.mjs";
import { ids, list, row, stage as listStage } from "../list/stage.js";
import { Protection } from "#ui/protection/model.mjs";
import { Store } from "#ui/list/store.mjs";
import { fail, settled } from "./stage.js";

/** Marks with a scripted server, which knows the jobs in `saved`. */
function marks(saved = {}) {
  const asked = [];
  const timers = [];
  const it = { asked, saved, error: null, now: 0, told: 0 };
  it.marks = new SavedMarks({
    api: {
      savedJobs: async (list) => {
        asked.push(list);
        if (it.error) throw it.error;
        return { jobs: Object.fromEntries(list.filter((id) => it.saved[id]).map((id) => [id, it.saved[id]])) };
      },
    },
    now: () => it.now,
    schedule: (run) => timers.push(run),
  });
  it.marks.subscribe(() => (it.told += 1));
  it.rest = async () => {
    for (const run of timers.splice(0)) run();
    await settled();
  };
  return it;
}

test("the rows in view are asked about in one request, and once", async () => {
  const it = marks({ a: "all", b: "some" });
  it.marks.want(["a"]);
  it.marks.want(["a", "b", "c"]);
  await it.rest();
  assert.deepEqual(it.asked, [["a", "b", "c"]]);
  assert.deepEqual(["a", "b", "c", "d"].map(it.marks.of), ["all", "some", "none", undefined]);
  it.marks.want(["a", "b", "c"]);
  await it.rest();
  assert.equal(it.asked.length, 1);
});

test("after files were saved, what is shown is asked again, and the old marks stay until the answer", async () => {
  const it = marks({ a: "some" });
  await it.marks.learn(["a"]);
  it.saved.a = "all";
  it.marks.changed();
  assert.equal(it.marks.of("a"), "some");
  it.marks.want(["a"]);
  await it.rest();
  assert.equal(it.marks.of("a"), "all");
});

test("a server that does not answer is not asked again with each scroll", async () => {
  const it = marks();
  it.error = fail("comfyui_away");
  it.marks.want(["a"]);
  await it.rest();
  it.marks.want(["a", "b"]);
  await it.rest();
  assert.equal(it.asked.length, 1);
  it.now = 60_000;
  it.marks.want(["a"]);
  await it.rest();
  assert.equal(it.asked.length, 2);
});

test("many jobs are read in several requests of a size that the server takes", async () => {
  const it = marks();
  await it.marks.learn(Array.from({ length: 2 * MAX_IDS + 5 }, (_, at) => `job-${at}`));
  assert.deepEqual(it.asked.map(({ length }) => length), [MAX_IDS, MAX_IDS, 5]);
});

/** A loaded list that asks these marks. */
async function listed(it) {
  const { scene } = listStage();
  const lines = list(row("whole"), row("left"), row("empty", { outputs: 0 }));
  const protection = new Protection({ protection: async () => scene.lists, protect: async () => scene.lists });
  const deletions = { hides: () => false, holderOf: () => null, isGone: () => false, subscribe: () => () => undefined, onEnd: () => undefined, adopt() {}, reading: () => () => undefined };
  const api = { status: async () => scene.status, async *list() { yield* lines; } };
  const store = new Store({ api, deletions, protection, saved: it.marks, now: () => 1_000_000 });
  await store.refresh();
  return store;
}

test("the filter “Not saved” lists the jobs with outputs that are not here, once that is known, and follows what is saved", async () => {
  const it = marks({ whole: "all" });
  const store = await listed(it);
  store.choose({ saved: "no" });
  assert.equal(ids(store), "", "nothing is called unsaved before it is known");
  await settled();
  assert.equal(ids(store), "left");
  assert.deepEqual(it.asked, [["whole", "left"]], "jobs without outputs are not asked about");
  store.choose({ saved: "yes" });
  assert.equal(ids(store), "whole");
  it.saved.left = "all";
  it.marks.changed();
  await settled();
  assert.equal(ids(store), "whole,left");
  assert.deepEqual(store.shownTarget(), { ids: ["whole", "left"] });
});

test("if what is saved can’t be read, the filter is taken away instead of showing an empty list", async () => {
  const it = marks();
  it.error = fail("setup");
  const store = await listed(it);
  const told = [];
  store.onSavedUnknown = (error) => told.push(error.code);
  store.choose({ saved: "no" });
  await settled();
  assert.deepEqual([store.choice.saved, ids(store), told], ["", "whole,left,empty", ["setup"]]);
});
