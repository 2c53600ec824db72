import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldJobs } from "#ui/deletion/entries.mjs";
import { workflowOptions } from "#ui/list/filter_popover.mjs";
import { allHeld, countWords, someStay } from "#ui/list/strings.mjs";
import { STATUS, fail, ids, list, listOf, row, stage } from "./stage.js";

test("jobs are listed newest first and counted by status", async () => {
  const { store } = stage(list(row("a"), row("b", { created: 2000, status: "failed" }), row("c", { status: "pending", created: 500 })));
  await store.refresh();
  assert.equal(ids(store), "b,a,c");
  assert.deepEqual({ ...store.counts, unknown: 0 }, { all: 3, completed: 1, failed: 1, cancelled: 0, active: 1, unknown: 0 });
  assert.equal(store.readAt, Date.parse("2026-11-23T12:00:00Z"));
});

test("a lost state folder blocks deletion, and the panel reports that instead of asking for a key", async () => {
  const lost = { code: "state_lost", message: "Deletions are stopped: the state folder /x is empty.", hint: "Put it back." };
  const { scene, store } = stage(list(row("a")));
  scene.status = { ...STATUS, problem: lost };
  await store.refresh();
  assert.equal(ids(store), "a", "the list is loaded with the key of the environment");
  assert.equal(store.blocked(), "Deletions are stopped.");
  scene.status = { ...STATUS, configured: false, problem: lost };
  await store.refresh();
  assert.equal(store.error.code, "state_lost");
});

test("a list of another account clears the selection, even if the status is unchanged", async () => {
  const { store } = stage(listOf("ours", row("a")), listOf("ours", row("a")), listOf("theirs", row("b")));
  await store.refresh();
  store.select((selection) => selection.toggle("a"));
  await store.refresh();
  assert.deepEqual([store.account, store.selection.ids()], ["ours", ["a"]], "a refresh of the same account");
  await store.refresh();
  assert.deepEqual([store.account, ids(store), store.selection.size], ["theirs", "b", 0]);
});

test("rows of two accounts are never shown together", async () => {
  const theirs = listOf("theirs", row("b"));
  const shown = [];
  const it = stage(listOf("ours", row("a")), [theirs[0], () => (shown.push(ids(it.store)), theirs[1]), theirs[2]]);
  await it.store.refresh();
  await it.store.refresh();
  assert.deepEqual([shown, ids(it.store)], [[""], "b"]);
});

test("another server address counts as another account", async () => {
  const { scene, store } = stage(list(row("a")));
  await store.refresh();
  store.select((selection) => selection.toggle("a"));
  store.setStatus({ ...scene.status, host: "elsewhere" });
  assert.equal(store.selection.size, 0);
});

test("“Select all matching” on a complete list selects the jobs shown, and no job that arrives later", async () => {
  const { store } = stage(list(row("a"), row("b")), list(row("a"), row("b"), row("late")));
  await store.refresh();
  store.choose({ search: "png" });
  store.selectMatching();
  await store.refresh();
  assert.equal(ids(store), "a,b,late");
  assert.deepEqual(store.selection.target(), { ids: ["a", "b"] });
  assert.ok(!store.selection.has("late"));
});

test("“Select all matching” on a loading list also selects matching jobs that arrive later", async () => {
  const [start, , end] = list();
  const seen = [];
  const it = stage([
    start, { type: "jobs", jobs: [row("a")] },
    () => {
      it.store.selectMatching();
      seen.push(it.store.selection.target());
      return { type: "jobs", jobs: [row("b"), row("c", { status: "failed" })] };
    },
    end,
  ]);
  it.store.choose({ tab: "completed" });
  await it.store.refresh();
  assert.deepEqual(seen, [{ filter: { statuses: ["completed"] } }]);
  assert.deepEqual([ids(it.store), it.store.selection.target()], ["a,b", { ids: ["a", "b"] }]);
});

test("“Select all matching” on an incomplete list targets the filter instead of ids", async () => {
  const [start, jobs, end] = list(row("a"));
  const { store } = stage([start, jobs, { ...end, complete: false }]);
  await store.refresh();
  store.selectMatching();
  assert.deepEqual(store.selection.target(), { filter: {} });
});

test("a filter shortens the list, but does not change the counts and the selection", async () => {
  const { store } = stage(list(row("a"), row("b", { status: "failed" })));
  await store.refresh();
  store.select((selection) => selection.toggle("a"));
  store.choose({ tab: "failed" });
  assert.equal(ids(store), "b");
  assert.equal(store.counts.all, 2);
  assert.deepEqual(store.selection.ids(), ["a"]);
  assert.deepEqual(store.filter(), { statuses: ["failed"] });
});

test("a refresh shows the old list until the new one is complete, then drops jobs that are gone", async () => {
  let seen = "";
  const { store } = stage(list(row("a"), row("b")), [...list(row("b")).slice(0, 2), () => ((seen = ids(store)), list(row("b"))[2])]);
  await store.refresh();
  store.select((selection) => selection.add(["a", "b"]));
  await store.refresh();
  assert.equal(seen, "a,b");
  assert.equal(ids(store), "b");
  assert.deepEqual(store.selection.ids(), ["b"]);
});

test("while the cloud is unreachable the last list stays on screen and deletion is blocked", async () => {
  const { store } = stage(list(row("a")), [fail("unreachable")], list(row("a")));
  await store.refresh();
  assert.equal(store.blocked(), "");
  await store.refresh();
  assert.equal(ids(store), "a");
  assert.equal(store.error.code, "unreachable");
  assert.match(store.blocked(), /when Comfy Cloud answers/);
  await store.refresh();
  assert.equal(store.blocked(), "");
});

test("a refused key empties the list", async () => {
  const { store } = stage(list(row("a")), [fail("unauthorized")]);
  await store.refresh();
  await store.refresh();
  assert.equal(ids(store), "");
  assert.equal(store.readAt, null);
});

test("a new key drops the jobs and the selection of the previous key", async () => {
  const { store, scene } = stage(list(row("a")));
  await store.refresh();
  store.select((selection) => selection.toggle("a"));
  store.setStatus({ ...scene.status, last4: "ffff" });
  assert.equal(ids(store), "");
  assert.equal(store.selection.size, 0);
});

test("without a key the list is not requested", async () => {
  const { store, scene, readings } = stage(list(row("a")));
  scene.status.configured = false;
  await store.refresh();
  assert.equal(store.error.code, "missing_key");
  assert.equal(readings(), 0);
});

test("if the server would not use a new key, the panel shows the reason and does not ask for a key", async () => {
  const { store, scene, readings } = stage(list(row("a")));
  Object.assign(scene.status, { configured: false, can_connect: false, problem: { code: "many_users", message: "m", hint: "h" } });
  await store.refresh();
  assert.equal(store.error.code, "many_users");
  assert.equal(readings(), 0);
  scene.status.can_connect = true;
  await store.refresh();
  assert.equal(store.error.code, "missing_key");
});

test("a list that ends early is shown as incomplete, and jobs missing from it stay selected", async () => {
  const cut = [...list(row("a")).slice(0, 2), { type: "end", complete: false, read: 1, error: null }];
  const { store } = stage(list(row("a"), row("b")), cut);
  await store.refresh();
  store.select((selection) => selection.add(["a", "b"]));
  await store.refresh();
  assert.ok(store.incomplete);
  assert.equal(store.selection.size, 2);
});

const broken = (...rows) => [...list(...rows).slice(0, 2), { type: "end", complete: false, read: rows.length, error: { code: "server_fault", message: "", hint: "", status: 500, retry_after: null } }];

test("a refresh that breaks off keeps the last complete list and blocks deletion", async () => {
  const { store } = stage(list(row("a"), row("b")), broken(row("c")), list(row("c")));
  await store.refresh();
  const { readAt } = store;
  await store.refresh();
  assert.equal(ids(store), "a,b");
  assert.deepEqual([store.error?.code, store.incomplete, store.readAt], ["server_fault", false, readAt]);
  assert.match(store.blocked(), /when Comfy Cloud answers/);
  await store.refresh();
  assert.deepEqual([ids(store), store.error, store.blocked()], ["c", null, ""]);
});

test("until one list is complete, each list that breaks off is shown as incomplete", async () => {
  const { store } = stage(broken(row("a")), broken(row("a"), row("b")));
  for (const listed of ["a", "a,b"]) {
    await store.refresh();
    assert.deepEqual([ids(store), store.incomplete, store.error], [listed, true, null]);
  }
});

test("the deletions receive every complete list, and no incomplete one", async () => {
  const cut = { type: "end", complete: false, read: 1, error: null };
  const { store, scene } = stage(list(row("a"), row("b")), [...list(row("a")).slice(0, 2), cut], [fail("unreachable")]);
  for (let n = 0; n < 3; n += 1) await store.refresh();
  assert.deepEqual(scene.seen, ["a,b"]);
});

test("a list without its end line is an error", async () => {
  const { store } = stage(list(row("a")).slice(0, 2));
  await store.refresh();
  assert.equal(store.error.code, "strange_answer");
  assert.ok(store.incomplete);
});

test("jobs on hold leave the list and the selection, and the focus moves to the next row", async () => {
  const { store, hide } = stage(list(row("a", { created: 3 }), row("b", { created: 2 }), row("c", { created: 1 })));
  await store.refresh();
  store.focus("b");
  store.select((selection) => selection.add(["a", "b"]));
  hide("b");
  assert.equal(ids(store), "a,c");
  assert.deepEqual(store.selection.ids(), ["a"]);
  assert.equal(store.focused, "c");
});

test("the list is not requested while no panel is open, and is refreshed when one opens after a change", async () => {
  const { store, readings } = stage(list(row("a")));
  store.changed();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(readings(), 0);
  const leave = store.shown();
  await store.refresh();
  const after = readings();
  assert.ok(after >= 1);
  leave();
  store.changed();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(readings(), after);
});

test("changes during a refresh cause exactly one more refresh afterwards", async () => {
  const { store, readings } = stage(list(row("a")));
  const first = store.refresh();
  void store.refresh();
  void store.refresh();
  await first;
  assert.equal(readings(), 2);
});

test("a listener is called once for each change, and not after it unsubscribed", async () => {
  const { store } = stage(list(row("a")));
  await store.refresh();
  let calls = 0;
  const leave = store.on(["rows", "selection"], () => (calls += 1));
  store.select((selection) => selection.toggle("a"));
  assert.equal(calls, 1);
  leave();
  store.select((selection) => selection.toggle("a"));
  assert.equal(calls, 1);
});

test("a job that becomes protected leaves a list of unprotected jobs, but stays selected", async () => {
  const { store, scene } = stage(list(row("a"), row("b", { workflow_id: "other" })));
  await store.refresh();
  store.choose({ protection: "open" });
  store.select((selection) => selection.add(["a", "b"]));
  scene.lists = { jobs: [], workflows: ["other"] };
  await store.protection.read();
  assert.equal(ids(store), "a");
  assert.deepEqual(store.selection.ids(), ["a", "b"]);
  assert.equal(store.counts.all, 2);
  assert.deepEqual(store.filter(), { protected: false });
});

test("deletion is blocked while the list of protected jobs is unreadable", async () => {
  const { store, scene } = stage(list(row("a")));
  scene.status.protection = { jobs: 0, workflows: 0, damaged: "kept.json" };
  scene.lists = Promise.reject(fail("protection_damaged"));
  let calls = 0;
  store.on(["status"], () => (calls += 1));
  await store.refresh();
  assert.equal(store.blocked(), "Deletions are stopped.");
  assert.ok(calls);
  assert.equal(ids(store), "a", "the list can still be loaded");
});

test("the protected jobs are requested with the list, and again when they change while a panel is open", async () => {
  const { store, scene } = stage(list(row("a")));
  scene.lists = { jobs: ["a"], workflows: [] };
  await store.refresh();
  assert.ok(store.protection.covers(row("a")));
  scene.lists = { jobs: [], workflows: [] };
  store.protectionChanged();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(store.protection.covers(row("a")), "no panel is open, so the lists are not requested");
  const leave = store.shown();
  await store.refresh();
  scene.lists = { jobs: ["b"], workflows: [] };
  store.protectionChanged();
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(store.protection.covers(row("b")));
  leave();
});

test("the store counts unreadable rows, and stores the reason why a list is unreliable", async () => {
  const end = { type: "end", complete: false, read: 1, unreadable: 2, doubt: "the list can’t be trusted (it repeats a page)", error: null };
  const { store } = stage([...list(row("a")).slice(0, 2), end]);
  await store.refresh();
  assert.deepEqual([store.unreadable, store.doubt, store.incomplete], [2, end.doubt, true]);
});

const words = (store) => countWords(store).join("");

test("with nothing selected the count line is short, and its numbers add up", async () => {
  const { store } = stage(list(row("a"), row("b", { status: "failed" }), row("c")));
  assert.equal(words(store), "");
  await store.refresh();
  assert.equal(words(store), "3 jobs");
  store.choose({ tab: "failed" });
  assert.equal(words(store), "1 of 3 jobs");
  store.choose({ search: "nothing has this name" });
  assert.equal(words(store), "0 of 3 jobs");
});

test("the count line says how many selected jobs a filter hides, and these can be deselected", async () => {
  const { store } = stage(list(row("a"), row("b", { status: "failed" }), row("c"), row("d", { status: "failed" })));
  await store.refresh();
  store.select((selection) => selection.add(["a", "c"]));
  assert.equal(words(store), "2 selected, 0 s of run time");
  store.choose({ tab: "failed" });
  assert.equal(words(store), "2 selected, none shown here");
  store.select((selection) => selection.toggle("b"));
  assert.equal(words(store), "3 selected, 1 shown here");
  store.selectOnlyShown();
  assert.deepEqual([store.selection.target(), words(store)], [{ ids: ["b"] }, "1 selected, 0 s of run time"]);
});

test("the count line adds up the run time of the selection, and says if the time of some jobs is unknown", async () => {
  const { store } = stage(list(row("a", { took: 480_000 }), row("b", { took: 241_000 }), row("c", { took: null }), row("d", { took: null }), row("waits", { status: "pending", took: null })));
  await store.refresh();
  store.select((selection) => selection.add(["a", "b"]));
  assert.equal(words(store), "2 selected, 12 min of run time");
  store.select((selection) => selection.add(["c"]));
  assert.equal(words(store), "3 selected, at least 12 min of run time");
  store.select((selection) => (selection.clear(), selection.add(["c", "d"])));
  assert.equal(words(store), "2 selected");
  store.select((selection) => (selection.clear(), selection.add(["a", "waits"])));
  assert.equal(words(store), "2 selected, 8 min of run time");
});

test("while the list is incomplete, the counts of jobs and of a selected filter are lower limits", async () => {
  const [start, jobs, end] = list(row("a"), row("b", { status: "failed" }));
  const { store } = stage([start, jobs, { ...end, complete: false }]);
  await store.refresh();
  assert.equal(words(store), "At least 2 jobs");
  store.choose({ tab: "failed" });
  assert.equal(words(store), "1 of at least 2 jobs");
  store.selectMatching();
  assert.equal(words(store), "At least 1 selected, 0 s of run time");
});

test("a search also finds the names of workflows that this browser knows", async () => {
  const { store, names } = stage(list(row("a", { workflow_id: "w1" }), row("b", { workflow_id: "w2" })));
  await store.refresh();
  store.choose({ search: "portrait a.png" });
  assert.equal(ids(store), "");
  names.learn([["w1", "Portrait Studio"]]);
  assert.equal(ids(store), "a");
});

test("“Select all matching” of a search for a workflow’s name targets ids, because the server does not know the name", async () => {
  const [start, jobs, end] = list(row("a", { workflow_id: "w1" }), row("b", { workflow_id: "w2" }));
  const { store, names } = stage([start, jobs, { ...end, complete: false }]);
  names.learn([["w1", "Portrait Studio"]]);
  await store.refresh();
  store.choose({ search: "portrait" });
  store.selectMatching();
  assert.deepEqual(store.selection.target(), { ids: ["a"] });
  store.choose({ search: "b.png" });
  store.selectMatching();
  assert.deepEqual(store.selection.target(), { filter: { search: "b.png" } });
});

test("only finished jobs that are not protected can be deleted, and a reason says why none can", async () => {
  const { scene, store } = stage(list(row("a"), row("b"), row("c", { status: "in_progress" }), row("d", { status: "unknown" })));
  scene.lists = { jobs: ["b"], workflows: [] };
  await store.refresh();
  await store.protection.read();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((id) => store.get(id));
  assert.match(someStay(4, store.removable([a, b, c, d]).length), /^1 of 4 selected jobs can be deleted\./);
  assert.equal(someStay(1, store.removable([a]).length), "");
  assert.deepEqual(store.removable([a, b, c, d]).map(({ id }) => id), ["a"]);
  assert.deepEqual([[a, b, c, d], [c], [b], [b, c], [d]].map((rows) => store.whyNotRemovable(rows)), [
    "", "Active jobs can’t be deleted.", "Protected jobs can’t be deleted.",
    ...Array(2).fill("None of these jobs can be deleted: they are active, protected or of an unknown status."),
  ]);
});

test("the workflow filter lists workflows by name with the number of their jobs, the most first", async () => {
  const { store, names } = stage(list(row("a", { workflow_id: "11111111-1" }), row("b", { workflow_id: "22222222-2" }), row("c", { workflow_id: "22222222-2" }), row("d", { workflow_id: "" })));
  await store.refresh();
  names.learn([["22222222-2", "Portrait"]]);
  assert.deepEqual(workflowOptions(store, "", ""), [["", "All workflows"], ["22222222-2", "Portrait (2)"], ["11111111-1", "11111111 (1)"]]);
  assert.deepEqual(workflowOptions(store, "11111111-1", "gone-gone-1").map(([, label]) => label), ["All workflows", "Current workflow (1)", "Portrait (2)", "gone-gon (0)"]);
});

test("jobs on hold stay in the counts of the tabs until they are removed, and the count line names them", async () => {
  const it = stage(list(row("a"), row("b", { status: "failed" }), row("c")));
  const { store } = it;
  await store.refresh();
  it.hide("a", "b");
  assert.deepEqual([ids(store), store.counts.all, store.counts.failed, store.held.all, store.held.matching], ["c", 3, 1, 2, 2]);
  assert.equal(countWords(store).join(""), "3 jobs, 2 about to be removed");
  store.select((selection) => selection.add(["c"]));
  assert.equal(countWords(store).join(""), "1 selected, 2 about to be removed");
  store.select((selection) => selection.clear());
  store.choose({ tab: "failed" });
  assert.deepEqual([ids(store), store.held.all, store.held.matching], ["", 2, 1]);
  assert.equal(countWords(store).join(""), "0 of 3 jobs, 2 about to be removed", "a tab hides a job that stays");
  it.remove("a", "b");
  assert.deepEqual([store.counts.all, store.counts.failed, store.held], [1, 0, { all: 0, matching: 0, groups: [] }]);
  assert.equal(countWords(store).join(""), "0 of 1 job");
});

test("the words for a list whose jobs are all in a deletion say what is done with them, and only what is known", () => {
  const words = (entry, n = 3, others = []) => {
    const held = new HeldJobs();
    for (const each of [{ jobs: n, ...entry }, ...others]) for (let job = 0; job < n; job += 1) held.add(each, true);
    const { title, text } = allHeld(held.sum().groups);
    return [title, text];
  };
  const open = (phase, rest = {}) => ({ phase, sending: null, away: "", sent: false, stopping: false, undoing: false, ...rest });
  const sending = (rest) => open("sending", { sent: true, ...rest });
  assert.deepEqual(words(open("holding")), ["3 jobs are about to be removed", "They are still in your history."]);
  assert.deepEqual(words(sending()), ["3 jobs are being removed", ""]);
  assert.deepEqual(words(sending(), 1), ["1 job is being removed", ""]);
  assert.deepEqual(words(sending({ sending: 1 })), ["1 of 3 jobs is being removed", "The other 2 are not sent. The result says why."]);
  assert.deepEqual(words(open("waiting", { stopping: true })), ["Stopping the deletion of 3 jobs", "Nothing has been deleted yet."]);
  assert.deepEqual(words(sending({ stopping: true })), ["Stopping: checking which of 3 jobs are gone", ""]);
  assert.deepEqual(words(open("checking", { sent: true })), ["Checking which of 3 jobs are gone", ""]);
  assert.deepEqual(words(sending({ away: "ComfyUI doesn’t answer" })), ["It is not known which of 3 jobs are gone", "ComfyUI doesn’t answer."]);
  assert.deepEqual(words(open("holding"), 3, [sending({ jobs: 3 })]), ["3 jobs are being removed", "3 jobs are about to be removed."]);
});
