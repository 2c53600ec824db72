/** Runs that save outputs, with a scripted server and a clock that only `pass` moves. */

import { HistoryApiError } from "#ui/api.mjs";
import { createMemory } from "#ui/deletion/memory.mjs";
import { Saves } from "#ui/outputs/saves.mjs";

export const save = (rest = {}) => ({
  operation: "s1", state: "running", jobs: 3, files: 8, bytes: 4_100_000_000, files_done: 2, bytes_done: 1_200_000_000, bytes_per_second: 18_000_000, seconds_left: 161,
  saved: 1, already_here: 1, failed: [], jobs_left: 0, place: "output/comfy-cloud", started: 0, ended: null, error: null, ...rest,
});
export const preview = (rest = {}) => ({
  token: "t1", jobs: 3, files: 8, bytes: 4_100_000_000, unknown_sizes: 0, saved_files: 0, saved_bytes: 0, without_outputs: 0, gone: [], gone_files: 0, free_bytes: 90e9,
  place: "output/comfy-cloud", seconds: 200, checked: "size", ...rest,
});
export const failed = (n, why = "server error (500)") => Array.from({ length: n }, (_, at) => ({ job_id: `job-${at % 2}`, filename: `mira_${at}.png`, why }));
export const fail = (code) => new HistoryApiError({ code, message: code });
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** @param {object[] | Error} first what the server tells at first */
export function stage(first = [], { stored = new Map() } = {}) {
  let [told, time, asked] = [first, 0, 0];
  const [sent, toasts, said, opened, timers] = [[], [], [], [], []];
  const refusals = {};
  const post = (name) => async (argument) => {
    sent.push([name, argument]);
    if (refusals[name]) throw refusals[name];
    return { save: save({ operation: name === "retrySave" ? "s2" : "s1" }) };
  };
  const api = {
    ...Object.fromEntries(["startSave", "stopSave", "continueSave", "dismissSave", "retrySave"].map((name) => [name, post(name)])),
    saves: async () => {
      asked += 1;
      if (told instanceof Error) throw told;
      return { saves: told };
    },
  };
  const storage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value), removeItem: (key) => stored.delete(key) };
  const memory = createMemory(() => storage, () => time);
  let saved = 0;
  const saves = new Saves({
    api, memory,
    toasts: { tell: (kind, message) => toasts.push([kind, message.title, message.detail ?? "", message.action]) },
    schedule: (run, milliseconds) => timers.push({ at: time + milliseconds, run }),
    openPanel: () => opened.push(1),
    onSaved: () => (saved += 1),
  });
  const open = () => saves.follow({ render: () => undefined, say: (text, urgent) => said.push(urgent ? `!${text}` : text) });
  return {
    saves, sent, toasts, said, opened, refusals, memory, stored, open,
    asked: () => asked,
    savedTimes: () => saved,
    set: (next) => (told = next),
    /** The server tells something else, and an event says so. */
    async tell(...next) {
      told = next;
      await saves.refresh();
    },
    async pass(milliseconds) {
      const end = time + milliseconds;
      for (let due; (due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]); ) {
        timers.splice(timers.indexOf(due), 1);
        time = due.at;
        due.run();
        await settled();
      }
      time = end;
    },
  };
}
