// @ts-check
/** Deletions that are under way: which one an answer or an event speaks of, and what is known of it. No requests here. */

import { statusOf } from "../common/status.mjs";
import { isUnsent, ROW_MARKS, rowWhy } from "./result_strings.mjs";

/** @import { Entry } from "../../../types/deletion" */
/** @import { Mark } from "../../../types/list" */
/** @import { Hold, Progress, Result, Row, Status } from "../../../types/wire" */

/** @typedef {{result: Result} | {crashed: number | null} | {lost: true} | "open" | "missing"} Seen */

const OPEN = new Set(["holding", "waiting", "sending"]);
const ORDER = ["submitting", "holding", "waiting", "sending", "checking", "done"];

/** Milliseconds between two looks at what a deletion has come to. */
export const POLL_MS = 4_000;

/** @param {Entry} entry */
export const isOpen = (entry) => entry.phase !== "done";

/** Phases only go forward: an answer may be older than an event. @param {Entry} entry @param {Entry["phase"]} phase */
export function advance(entry, phase) {
  if (ORDER.indexOf(phase) > ORDER.indexOf(entry.phase)) entry.phase = phase;
}

/** @param {Entry} entry @param {Progress} progress @param {number} now */
export function follow(entry, { operation, phase, done, total }, now) {
  entry.operation = operation;
  entry.nextPoll = now + POLL_MS;
  if (phase === "asked_to_wait") return void (entry.waitsUntil = Math.max(entry.waitsUntil, now + total * 1000));
  entry.sent ||= phase === "sending";
  entry.backingUp = phase === "backing_up";
  if (entry.sent || entry.backingUp) Object.assign(entry, { done, total });
  // Before it sends, the server looks at what is there, and saves what it is to save.
  const before = phase === "backing_up" || (!entry.sent && phase !== "waiting");
  advance(entry, before ? "sending" : phase);
}

/** As a person sees it: saving workflows comes before sending, and may come after the hold has ended. @param {Entry} entry */
export const shownPhase = ({ phase, backingUp }) => (backingUp && phase !== "done" ? "backing_up" : phase);

/** What the server says of a hold. @param {Entry} entry @param {Hold} hold @param {number} now */
export function update(entry, hold, now) {
  entry.hold = entry.operation = hold.id;
  entry.account = hold.account;
  for (const id of hold.ids) entry.ids.add(id);
  // A hold never ends later than was told: an answer that says so has been long on its way.
  const deadline = now + hold.seconds_left * 1000;
  if (hold.state === "holding") entry.deadline = entry.deadline ? Math.min(entry.deadline, deadline) : deadline;
  if (hold.state !== "undone" && hold.state !== "done") advance(entry, hold.state);
}

/** @param {Entry[]} entries @param {string | null | undefined} operation @returns {Entry | undefined} */
export const named = (entries, operation) => entries.find((entry) => operation && entry.operation === operation);

/** What a status tells of one deletion. @param {Entry} entry @param {Status} status @returns {Seen} */
export function seenIn(entry, status) {
  const finished = status.finished.find(({ operation }) => operation === entry.operation);
  if (finished) return { result: finished.result };
  const unresolved = status.unresolved.find(({ operation }) => operation === entry.operation);
  if (unresolved) return { crashed: unresolved.asked };
  if (entry.hold && status.lost_holds?.some(({ id }) => id === entry.hold)) return { lost: true };
  if (entry.hold && status.holds?.some((hold) => hold.id === entry.hold && OPEN.has(hold.state))) return "open";
  return status.running && status.running.operation === entry.operation ? "open" : "missing";
}

/** Whether a job has left the list, because it is about to go. @param {Entry[]} entries @param {Row} row */
export function isAboutToGo(entries, row) {
  return entries.some((entry) => {
    if (!isOpen(entry) || entry.phase === "submitting") return false;
    // What a clear takes is remembered, so that it stays away until the list is read again.
    if (entry.kind === "clear" && statusOf(row.status).finished) entry.ids.add(row.id);
    return entry.ids.has(row.id);
  });
}

/** The jobs of a deletion that are truly gone. @param {Entry} entry @returns {string[]} */
export function goneOf({ kind, ids, result }) {
  if (result?.kind === "clear") return result.outcome === "deleted" ? [...ids] : [];
  // A clear that ended as a deletion by ids has left out more than its result names.
  if (!result || isUnsent(result) || kind === "clear") return [];
  return [...ids].filter((id) => (result.jobs[id]?.outcome ?? "already_gone") === "already_gone");
}

/** How a result shows on a row, if it does. @param {Entry[]} entries @param {string} id @returns {Mark | undefined} */
export function markOf(entries, id) {
  for (const { result } of entries) {
    const job = result && "jobs" in result && Object.hasOwn(result.jobs, id) ? result.jobs[id] : undefined;
    if (job && job.outcome in ROW_MARKS) return { ...ROW_MARKS[/** @type {keyof typeof ROW_MARKS} */ (job.outcome)], why: rowWhy(job.why) };
  }
  return undefined;
}

/** A cloud may list a deleted job for some seconds more; milliseconds. */
const LAG = 10_000;

/** @param {() => number} now milliseconds of a clock that never goes back */
export function createGone(now) {
  /** @type {Map<string, number>} when each was told */
  const told = new Map();
  return {
    /** @param {string} id */
    has: (id) => told.has(id),
    /** @param {string[]} ids */
    add: (ids) => ids.forEach((id) => told.set(id, now())),
    /**
     * To be called when a reading begins; what it returns, when it has come to a whole list: what is listed then is there.
     * @returns {(listed: {has(id: string): boolean}) => void}
     */
    reading() {
      const begun = now();
      return (listed) => {
        for (const [id, at] of told) if (begun - at >= LAG && listed.has(id)) told.delete(id);
      };
    },
  };
}
