/** A list of jobs with scripted answers of the server, and deletions that hide and remove jobs. */

import { HistoryApiError } from "#ui/api.mjs";
import { WorkflowNames } from "#ui/common/names.mjs";
import { Protection } from "#ui/protection/model.mjs";
import { Store } from "#ui/list/store.mjs";

export const row = (id, rest = {}) => ({
  id, status: "completed", raw: "", created: 1000, started: null, finished: null, took: 10, name: `${id}.png`, workflow_id: "wf", outputs: 1,
  output_type: "image", error: null, preview: null, ...rest,
});
export const STATUS = { configured: true, source: "saved", last4: "a1b2", finished: [], unresolved: [], running: null, problem: null, hold_seconds: 10 };
export const list = (...rows) => listOf("ours", ...rows);
export const listOf = (account, ...rows) => [{ type: "start", read_at: "2026-11-23T12:00:00Z", total: rows.length, account }, { type: "jobs", jobs: rows }, { type: "end", complete: true, read: rows.length, error: null }];
export const fail = (code) => new HistoryApiError({ code });

/** Each request for the list gets the next answer, and the last answer repeats. An error in an answer is thrown. */
export function stage(...answers) {
  const [hidden, gone] = [new Set(), new Set()];
  const listeners = new Set();
  let readings = 0;
  const ends = new Set();
  const change = () => listeners.forEach((each) => each());
  const hide = (...ids) => (ids.forEach((id) => hidden.add(id)), change());
  const end = (about) => (about.ids.forEach((id) => hidden.delete(id)), change(), ends.forEach((each) => each(about)));
  const undo = (...ids) => end({ ids, isBack: true });
  const remove = (...ids) => (ids.forEach((id) => gone.add(id)), hide(...ids));
  /** A deletion that can still be undone. */
  const holder = { phase: "holding", jobs: 2, sending: null, away: "", sent: false };
  const scene = { holder, status: { ...STATUS }, now: 1_000_000, lists: { jobs: [], workflows: [] }, seen: [], hidden, readings: () => readings, hide, end, undo, remove };
  const api = {
    status: async () => ({ ...scene.status }),
    async *list() {
      const lines = answers[Math.min(readings++, answers.length - 1)];
      for (const line of lines) {
        if (line instanceof Error) throw line;
        yield typeof line === "function" ? await line() : line;
      }
    },
  };
  const protection = new Protection({ protection: async () => scene.lists, protect: async () => scene.lists });
  const deletions = { hides: ({ id }) => hidden.has(id), holderOf: ({ id }) => (hidden.has(id) ? scene.holder : null), isGone: ({ id }) => gone.has(id), subscribe: (listener) => (listeners.add(listener), () => {}), onEnd: (listener) => ends.add(listener), adopt() {}, reading: () => (listed) => scene.seen.push([...listed.keys()].join()) };
  const names = new WorkflowNames({ getItem: () => null, setItem: () => undefined });
  return { ...scene, scene, names, store: new Store({ api, deletions, protection, names, now: () => scene.now }) };
}
export const ids = (store) => store.rows.map(({ id }) => id).join();
