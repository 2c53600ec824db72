/** Runs deletions from the confirmation to the result, with a scripted server and clock. */

import { HistoryApiError } from "#ui/api.mjs";
import { Confirmation } from "#ui/deletion/confirm.mjs";
import { Deletions } from "#ui/deletion/controller.mjs";
import { createMemory } from "#ui/deletion/memory.mjs";
import { start } from "#ui/deletion/submit.mjs";

export const STATUS = {
  version: "1", configured: true, source: "saved", last4: "a1b2", host: "x", running: null, finished: [], unresolved: [], problem: null,
  holds: [], lost_holds: [], hold_seconds: 10, can_cancel: true,
};
const ZERO = { deleted: 0, already_gone: 0, active: 0, protected: 0, failed: 0, unconfirmed: 0, not_attempted: 0 };
export const deleted = (counts, jobs = {}, rest = {}) => ({
  kind: "delete", total: Object.values(counts).reduce((a, b) => a + b, 0), counts: { ...ZERO, ...counts }, jobs, stopped: false, report: "r", error: null, ...rest,
});
export const CLEARED = { kind: "clear", outcome: "deleted", before: 12, removed: 12, listed: 0, active: 1, report: "", error: null };
export const UNSENT = { outcome: "failed", before: null, removed: 0, listed: null, active: null, report: "r" };
export const ROSE = { kind: "clear", ...UNSENT, error: { code: "count_rose", message: "2 more jobs have finished since you looked." } };
export const preview = (rest = {}) => ({ token: "t1", operation: "h1", account: "ours", expires_in: 300, removable: 3, finished: 3, counts: {}, hold_seconds: 10, ...rest });
export const hold = (rest = {}) => ({ id: "h1", kind: "delete", jobs: 3, ids: ["a", "b", "c"], seconds_left: 10, state: "holding", account: "ours", origin: "panel", first: null, backup: false, ...rest });
export const fail = (code, extras) => new HistoryApiError({ code, message: code }, extras);
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Returns the values in turn, the last one for ever. Throws those that are errors. */
function script(values) {
  const queue = [values].flat();
  return async () => {
    const next = queue.length > 1 ? queue.shift() : queue[0];
    const value = typeof next === "function" ? await next() : next;
    if (value instanceof Error) throw value;
    return value;
  };
}

/** Creates Deletions with a scripted server, scripted answers of a person, and a clock that only `pass` moves. */
export function stage({ status = STATUS, preview: previews = preview(), send = { hold: hold() }, undo = { hold: hold({ state: "undone" }) }, person = {}, stop = {}, hidden = false, canAct = true, shown: panel = false, record = [], stored = new Map() } = {}) {
  let [time, asleep] = [0, 0];
  const timers = [];
  const [seen, tokens, shown, said, opened, ticks] = [[], [], [], [], [], []];
  let current = status;
  const answers = Object.fromEntries(Object.entries({ confirm: "yes", ...person }).map(([step, value]) => [step, script(value)]));
  const step = (name) => async () => {
    seen.push(name);
    return answers[name] ? answers[name]() : null;
  };
  const [requests, roses, whys] = [[], [], []];
  const sending = script(send);
  const previewing = script(previews);
  let open = null;
  const dialogs = {
    async exclusive(talk) {
      if (open) return void seen.push("focused");
      open = { isOpen: () => Boolean(open), close: () => (open = null), focus: () => undefined, show: async () => null };
      try {
        return await talk(open);
      } finally {
        open = null;
      }
    },
  };
  const [stopped, unseen, stopping] = [[], [], script(stop)];
  const statuses = { looks: 0, read: 0, progress: 0 };
  let progress = [];
  const api = {
    status: async () => {
      statuses.looks += 1;
      const value = typeof current === "function" ? current() : current;
      if (value instanceof Error) throw value;
      return value;
    },
    progress: async () => {
      statuses.progress += 1;
      if (progress instanceof Error) throw progress;
      return { operations: progress };
    },
    async preview(selection) {
      const isClear = "clear" in selection;
      if (!isClear) targets.push(selection);
      return { kind: isClear ? "clear" : "delete", ...(await previewing()) };
    },
    submit: ({ preview: { token } }) => (tokens.push(token), sending()),
    undo: script(undo),
    stop: async (operation) => (stopped.push(operation), stopping()),
    auditLog: async () => ({ entries: record, removed_in_all: 0 }),
  };
  const now = () => time;
  const targets = [];
  const steps = {
    ...Object.fromEntries(["counting", "nothing", "busy", "failed"].map((name) => [name, step(name)])),
    confirm: (frame, request, grew) => (requests.push(request), roses.push(grew), step("confirm")()),
    tooOld: (frame, why) => (whys.push(why), step("tooOld")()),
  };
  const confirmation = new Confirmation({ api, dialogs, now, connect: { askForKey: step("askForKey") }, steps, onAccountChanged: () => (statuses.otherAccount = true) });
  const today = () => time + asleep;
  const storage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => stored.set(key, value), removeItem: (key) => stored.delete(key) };
  const flow = new Deletions({
    api, confirmation, now, today, memory: createMemory(() => storage, today),
    toasts: {
      canAct: () => canAct,
      tell: (kind, { title }) => shown.push([kind, title]),
      create: () => ({ show: (kind, message) => shown.push([kind, message.title, message]), update: (kind, message) => shown.push([kind, message.title, message, "changed"]), dismiss: () => shown.push(["dismissed"]), rewrite: ({ title }) => ticks.push(title) }),
    },
    schedule: (run, milliseconds) => timers.push({ at: time + milliseconds, run }),
    openPanel: () => opened.push(1),
    onResult: () => (statuses.read += 1),
    whenVisible: (run) => void (hidden ? unseen.push(run) : run()),
  });
  flow.remove = (target, confirmed) => start(flow, target, confirmed);
  flow.clear = () => start(flow, { clear: true });
  /** Opens a panel that records what it says. */
  const openPanel = () => {
    const view = { render: () => undefined, say: (text, urgent) => said.push(urgent ? `!${text}` : text), held: () => undefined };
    return { view, close: flow.follow(view) };
  };
  if (panel) openPanel();
  return {
    openPanel,
    flow, seen, tokens, shown, said, ticks, targets, opened, timers, statuses, stopped, requests, roses, whys,
    seePage: () => unseen.splice(0).forEach((run) => run()),
    titles: () => shown.map(([kind, title]) => `${kind}: ${title}`),
    last: () => shown.at(-1),
    leave: () => (open = null),
    setTime: (to) => (time = to),
    /** The computer sleeps: only the clock on the wall goes on. */
    sleep: (milliseconds) => (asleep += milliseconds),
    /** Sends a status with the result of an operation. */
    ended: (operation, result) => flow.adopt({ ...STATUS, finished: [{ operation, result }] }),
    setProgress: (operations) => (progress = operations),
    set: (next) => (current = next),
    /** Moves the clock and runs the timers that are due. */
    async pass(milliseconds) {
      const end = time + milliseconds;
      for (;;) {
        const due = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!due) break;
        timers.splice(timers.indexOf(due), 1);
        time = due.at;
        due.run();
        await settled();
      }
      time = end;
    },
  };
}

export const row = (id, status = "completed") => ({ id, status });
