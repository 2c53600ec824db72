// @ts-check
/** Matches answers and events of the server with the deletions in this page. Sends nothing itself. */

import { sentence, sentences } from "../common/format.mjs";
import { statusOf } from "../common/status.mjs";
import { text } from "../common/words.mjs";
import { isUnsent, markOf as markOfJob } from "./result_strings.mjs";
import { asksToWait, backupText, progressTitle, silent } from "./strings.mjs";

/** @import { DeletionEnd, DeletionState, Doing, Entry, Held } from "../../../types/deletion" */
/** @import { Mark } from "../../../types/list" */
/** @import { Hold, Progress, Result, Row, Status, Unresolved } from "../../../types/wire" */

/** @typedef {{result: Result} | {crashed: Unresolved} | {lost: true} | "open" | "missing"} ServerState */

const OPEN = new Set(["holding", "preparing", "waiting", "sending"]);
const ORDER = ["submitting", "holding", "due", "waiting", "sending", "checking", "done"];

/** Milliseconds between two status requests for a deletion. */
export const POLL_MS = 4_000;
/** Comfy Cloud counts as silent after this many seconds without an answer. */
const SILENT_SECONDS = 8;

/** @param {Entry} entry */
export const isOpen = (entry) => entry.phase !== "done";

/** Advances the phase, never back: an answer may be older than an event. @param {Entry} entry @param {Entry["phase"]} phase */
export function advance(entry, phase) {
  if (ORDER.indexOf(phase) > ORDER.indexOf(entry.phase)) entry.phase = phase;
}

/** @param {Entry} entry @param {Progress} progress @param {number} now */
export function follow(entry, { operation, phase, done, total, sent = phase === "sending", seconds_left: left = null, silent_seconds: silence = 0 }, now) {
  entry.operation = operation;
  entry.nextPoll = now + POLL_MS;
  if (phase === "asked_to_wait") return void (entry.waitsUntil = Math.max(entry.waitsUntil, now + total * 1000));
  entry.sent ||= sent;
  entry.savingOutputs = phase === "saving";
  entry.backingUp = phase === "backing_up" || phase === "saving";
  entry.preparing = !entry.sent && (phase === "checking" || phase === "preparing");
  entry.backupLeft = left;
  entry.silence = silence;
  if (phase === "sending") entry.sending = total;
  if (entry.sent || entry.backingUp) Object.assign(entry, { done, total });
  // While it takes the lock, a deletion may still have to wait for another one.
  if (phase === "preparing") return advance(entry, "due");
  // Before sending, the server reports "checking", "backing_up" and "saving".
  if (phase === "backing_up" || phase === "saving" || (!entry.sent && phase !== "waiting")) advance(entry, "sending");
  else advance(entry, phase);
}

/**
 * Returns the phase on screen: "preparing" while the jobs are looked up, "backing_up" while workflows are backed up, and
 * "saving" while outputs are saved, also after the hold has ended.
 * @param {Entry} entry
 */
export const shownPhase = ({ phase, backingUp, savingOutputs, preparing }) =>
  phase === "done" ? phase : savingOutputs ? "saving" : backingUp ? "backing_up" : preparing ? "preparing" : phase;

/** Whether a deletion has begun and is not known to back up or to send yet. @param {Entry} entry */
export const isBegun = ({ phase, sent, backingUp }) => phase === "sending" && !sent && !backingUp;

/** Whether certainly nothing has been sent. @param {Entry} entry */
export const isUnsentPhase = (entry) => !entry.sent && ["waiting", "preparing", "backing_up", "saving"].includes(shownPhase(entry));

/** Whether a deletion past its hold can be stopped. While it is checked what is gone, everything has been sent. @param {Entry} entry */
export const canStop = (entry) =>
  entry.operation !== null && !entry.away && !entry.workflow && ["waiting", "preparing", "backing_up", "saving", "sending"].includes(shownPhase(entry));

/** Whether the hold has just ended by this page's clock, and ComfyUI has not said yet what it does. @param {Entry} entry */
export const isEnding = ({ phase, asking, preparing, backingUp, away }) => phase === "due" && !asking && !preparing && !backingUp && !away;

/** Whether Comfy Cloud has not answered for a while. @param {Entry} entry */
export const isSilent = ({ silence }) => silence >= SILENT_SECONDS;

/** Whether a deletion may be waiting for an answer of Comfy Cloud. @param {Entry} entry */
export const canBeSilent = (entry) => entry.operation !== null && !entry.away && (["preparing", "backing_up", "saving", "sending", "checking"].includes(shownPhase(entry)));

/** What a running deletion has done and what comes next. @param {Entry} entry @param {string} title said here while the title says what Comfy Cloud does */
function progressText(entry, title) {
  const done = sentence(title);
  const unsent = isUnsentPhase(entry) ? text("deletion.not_sent_yet") : "";
  const next = entry.backingUp && !entry.stopping ? backupText(entry.jobs, entry.backupLeft, entry.savingOutputs) : unsent;
  const stop = entry.workflow && entry.phase !== "checking" ? text("deletion.cancel_the_run") : "";
  return sentences([done, next, stop]);
}

/**
 * What a running deletion does.
 * @param {Entry} entry
 * @param {number} waits seconds for which Comfy Cloud asks to wait
 * @param {boolean} [isCounted] whether the title has numbers
 */
export function progressWords(entry, waits, isCounted = true) {
  const phase = shownPhase(entry);
  const [done, total] = isCounted ? [entry.done, entry.total] : [0, 0];
  const isStopping = entry.stopping && phase !== "checking";
  const progress = isStopping ? text("deletion.stopping_title") : progressTitle(entry.kind, phase, done, total);
  const instead = waits && !isStopping ? asksToWait(waits, phase) : isSilent(entry) ? silent(isCounted ? entry.silence : 0) : "";
  return { title: instead || progress, text: progressText(entry, instead && progress) };
}

/** What a running deletion does, to be read aloud. @param {Entry} entry @param {number} waits seconds for which Comfy Cloud asks to wait */
export function spokenProgress(entry, waits) {
  const { title, text: more } = progressWords(entry, waits);
  return sentences([sentence(title), more]);
}

/** What an open deletion does with its jobs, as far as it is known. @param {Entry} entry @returns {Doing} */
export function doingOf(entry) {
  const { away, stopping, undoing, sent, phase } = entry;
  if (away || (shownPhase(entry) === "due" && !isEnding(entry))) return "unknown";
  if (stopping || undoing) return sent ? "stopped" : "stopping";
  if (!sent) return "waiting";
  return phase === "checking" ? "checking" : "sending";
}

/** @type {Doing[]} */
const DOING = ["unknown", "stopped", "checking", "sending", "stopping", "waiting"];

/** Counts the jobs that the list leaves out, by what their deletions do. */
export class HeldJobs {
  /** @type {Map<Entry, {all: number, matching: number}>} */
  #counts = new Map();

  /** Counts a job of a deletion. @param {Entry} entry @param {boolean} isMatching whether the job matches the filter */
  add(entry, isMatching) {
    const counts = this.#counts.get(entry) ?? { all: 0, matching: 0 };
    this.#counts.set(entry, counts);
    counts.all += 1;
    counts.matching += Number(isMatching);
  }

  /** The number of jobs, and the deletions that do the same, together. @returns {{all: number, matching: number, groups: Held[]}} */
  sum() {
    /** @type {Map<Doing, Held>} */
    const groups = new Map();
    let [inAll, shown] = [0, 0];
    for (const [entry, { all, matching }] of this.#counts) {
      [inAll, shown] = [inAll + all, shown + matching];
      const doing = doingOf(entry);
      const group = groups.get(doing) ?? { doing, all: 0, matching: 0, jobs: 0, sending: 0, why: "" };
      const jobs = Math.max(entry.jobs, all);
      group.all += all;
      group.matching += matching;
      group.jobs += jobs;
      group.sending += Math.min(entry.sending ?? jobs, jobs);
      group.why ||= entry.away;
      groups.set(doing, group);
    }
    return { all: inAll, matching: shown, groups: DOING.map((doing) => groups.get(doing)).filter((group) => !!group) };
  }
}

/**
 * Updates an entry from the server's hold.
 * @param {Entry} entry
 * @param {Hold} hold
 * @param {number} now
 * @param {number} [asked] when the answer was requested, on the same clock; by default unknown
 * @returns {boolean} whether the deletion now prepares or waits. After that, only its progress says what it does
 */
export function update(entry, hold, now, asked = -Infinity) {
  const before = shownPhase(entry);
  entry.hold = entry.operation = hold.id;
  entry.account = hold.account;
  entry.backup = hold.backup;
  entry.stopping ||= hold.stopping ?? false;
  for (const id of hold.ids) entry.ids.add(id);
  if (hold.state === "holding") setDeadline(entry, hold.seconds_left * 1000, now, asked);
  if (hold.state === "preparing") {
    advance(entry, "due");
    entry.preparing ||= entry.phase === "due";
  } else if (hold.state !== "undone" && hold.state !== "done") {
    if (hold.state === "waiting" && entry.phase === "due") entry.preparing = false;
    advance(entry, hold.state);
  }
  const after = shownPhase(entry);
  return after !== before && (after === "preparing" || after === "waiting");
}

/** @param {Entry} entry @param {number} left milliseconds @param {number} now @param {number} asked */
function setDeadline(entry, left, now, asked) {
  // The server counted the seconds between the request and now. Only a request says that the deadline is later than it
  // seemed, as after a sleep of the server's computer: an answer alone may have been delayed on its way.
  const latest = now + left;
  entry.deadline = entry.deadline ? Math.max(asked + left, Math.min(entry.deadline, latest)) : latest;
  if (entry.phase === "due" && entry.deadline > now) entry.phase = "holding";
}

const MAX_HOLDS = 3;

/** The deletions that have a card: holds, else the running deletion, else the newest result. @param {DeletionState} state */
export function entriesToShow({ holding, running, results }) {
  if (holding.length) return holding.slice(0, MAX_HOLDS).reverse();
  return running[0] ? [running[0]] : results.slice(0, 1);
}

/**
 * Whether all jobs that a result left have gone since. The list of another account says nothing about them.
 * @param {Entry} entry
 * @param {{has(id: string): boolean}} listed
 * @param {string} account whose list it is
 */
export function isOutdated(entry, listed, account) {
  const again = entry.words?.again ?? [];
  return again.length > 0 && entry.account === account && !again.some((id) => listed.has(id));
}

/** @param {Entry[]} entries @param {string | null | undefined} operation @returns {Entry | undefined} */
export const findEntry = (entries, operation) => entries.find((entry) => operation && entry.operation === operation);

/** Returns what a status says about one deletion. @param {Entry} entry @param {Status} status @returns {ServerState} */
export function stateIn(entry, status) {
  const finished = status.finished.find(({ operation }) => operation === entry.operation);
  if (finished) return { result: finished.result };
  const unresolved = status.unresolved.find(({ operation }) => operation === entry.operation);
  if (unresolved) return { crashed: unresolved };
  if (status.lost_holds?.some(({ id }) => id === entry.operation)) return { lost: true };
  if (status.holds?.some(({ id, state }) => id === entry.operation && OPEN.has(state))) return "open";
  return status.running && status.running.operation === entry.operation ? "open" : "missing";
}

/** The open deletion for which the list leaves out a job. @param {Entry[]} entries @param {Row} row @returns {Entry | undefined} */
export function holderOf(entries, row) {
  return entries.find((entry) => {
    // A workflow's jobs stay in the list until they are gone: the page does not know which they are.
    if (!isOpen(entry) || entry.phase === "submitting" || entry.workflow) return false;
    // Remember the jobs of a clear, so that they stay hidden until the list is read again.
    if (entry.kind === "clear" && statusOf(row.status).finished) entry.ids.add(row.id);
    return entry.ids.has(row.id);
  });
}

/** Returns the jobs that a deletion has removed. @param {Entry} entry @returns {string[]} */
export function goneOf({ kind, ids, result }) {
  if (result?.kind === "clear") return result.outcome === "deleted" ? [...ids] : [];
  // A clear that ended as a deletion by ids left more jobs than its result names.
  if (!result || isUnsent(result) || kind === "clear") return [];
  return [...ids].filter((id) => (result.jobs[id]?.outcome ?? "already_gone") === "already_gone");
}

/** Returns which jobs a deletion was asked for. @param {Entry} entry @param {boolean} isBack @returns {DeletionEnd} */
export function endOf({ ids, asked, result }, isBack) {
  const named = result && "jobs" in result ? Object.keys(result.jobs) : [];
  return { ids: [...new Set([...ids, ...(asked.ids ?? []), ...named])], ...(asked.filter && { filter: asked.filter }), isBack };
}

/** Returns the mark of a job's outcome for its row, if a result names the job. @param {Entry[]} entries @param {string} id @returns {Mark | undefined} */
export function markOf(entries, id) {
  for (const { result } of entries) {
    const job = result && "jobs" in result && Object.hasOwn(result.jobs, id) ? result.jobs[id] : undefined;
    const mark = job && markOfJob(job);
    if (mark) return mark;
  }
  return undefined;
}

/** A cloud may list a deleted job this much longer. */
const LISTING_LAG_MS = 10_000;

/** @param {() => number} now milliseconds of a monotonic clock */
export function createRemovedJobs(now) {
  /** @type {Map<string, number>} ids, and when each was reported as removed */
  const removed = new Map();
  return {
    /** @param {string} id */
    has: (id) => removed.has(id),
    /** @param {string[]} ids */
    add: (ids) => ids.forEach((id) => removed.set(id, now())),
    /**
     * Call this before reading the list. Call the returned function with the complete list, to show removed jobs that it still contains.
     * @returns {(listed: {has(id: string): boolean}) => void}
     */
    reading() {
      const begun = now();
      return (listed) => {
        for (const [id, at] of removed) if (begun - at >= LISTING_LAG_MS && listed.has(id)) removed.delete(id);
      };
    },
  };
}
