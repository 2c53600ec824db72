// @ts-check
/** Texts of results. */

import { clean, number, plural, tally } from "../common/format.mjs";
import { jobName } from "../common/names.mjs";
import { andMore, errorLine } from "../common/strings.mjs";
import { backedUp, outputsHere } from "../protection/strings.mjs";
import { backInList, DELETE, ENDED_ELSEWHERE, NOT_DELETED, stayInHistory, STOPPED_ELSEWHERE, UNDONE, UNDONE_ELSEWHERE } from "./strings.mjs";

/** @import { AuditEntry, ClearResult, DeleteResult, ErrorBody, OutcomeCode, Reason, Result, UnsentResult } from "../../../types/wire" */
/** @import { Words } from "../common/strings.mjs" */

/** @typedef {{n: number, word: string, why: string}} TallyLine */

/** @typedef {"here" | "elsewhere" | ""} By where Undo or Stop was pressed: in this page, in another one, or not known */
/**
 * The confirmed jobs, and where the deletion was stopped.
 * @typedef {{jobs: number, ids: Iterable<string>, by?: By}} About
 */

export const NOT_REMOVED = "No job was removed";
/** Jobs were sent, but no result was confirmed: some may be gone. */
export const NONE_KNOWN = "No job is known to have been removed";

/** @param {number} n */
const jobs = (n) => plural(n, "{n} job", "{n} jobs");

/** Outcomes that can be tried again, and the others. */
const MAY_GO = /** @type {const} */ (["not_attempted", "failed", "unconfirmed"]);
const OTHERS = /** @type {const} */ (["active", "protected", "already_gone"]);

/** @type {Record<OutcomeCode, string>} */
const LINE = {
  deleted: "removed",
  already_gone: "already gone",
  active: "active, left alone",
  protected: "protected, kept",
  failed: "not removed",
  unconfirmed: "unconfirmed",
  not_attempted: "not tried",
};

/** Row marks of outcomes that can be tried again. */
const MARKS = /** @type {const} */ ({
  failed: { kind: "failed", icon: "failed", word: "Not removed" },
  unconfirmed: { kind: "warn", icon: "unknown", word: "Unconfirmed" },
  not_attempted: { kind: "warn", icon: "warning", word: "Not tried" },
});

/** All row marks, including the mark of jobs that were protected after the confirmation. */
export const ROW_MARKS = /** @type {const} */ ({ ...MARKS, protected: { kind: "", icon: "lock", word: "Protected, kept" } });

/** Short texts for rows, by the code of the reason. @type {Record<string, string>} */
const SHORT_WHY = { backup_failed: "Backup failed", outputs_not_saved: "Outputs not saved", connection_lost: "Connection lost", still_listed: "Accepted, still listed" };

/** @param {Reason | null} why */
export function rowWhy(why) {
  if (!why) return "";
  const { code, text } = why;
  return Object.hasOwn(SHORT_WHY, code) ? /** @type {string} */ (SHORT_WHY[code]) : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** Jobs that a deletion certainly left. */
export const LEFT = MARKS.failed.word;

/** What became of the jobs that can be tried again. An unconfirmed job may be gone, so it is never called "not removed". @param {Result | null} result @param {string[]} again */
export function leftWord(result, again) {
  if (!result || !("jobs" in result)) return LEFT;
  const words = new Set(again.map((id) => ROW_MARKS[/** @type {keyof typeof MARKS} */ (result.jobs[id]?.outcome)]?.word ?? LEFT));
  if (words.size === 1) return [...words][0] ?? LEFT;
  return words.has(MARKS.unconfirmed.word) ? "Not removed or unconfirmed" : LEFT;
}

const MAX_LINES = 6;

/**
 * Whether a deletion ended before anything was sent. Such a result names no job.
 * @param {UnsentResult | DeleteResult} result
 * @returns {result is UnsentResult}
 */
export const isUnsent = (result) => "outcome" in result;

/** Whether the person stopped a deletion before anything was sent. @param {Result} result */
export function isStoppedUnsent(result) {
  if ("outcome" in result) return result.outcome === "failed" && result.error?.code === "stopped";
  if (!result.stopped) return false;
  const { deleted, failed, unconfirmed, already_gone: gone, not_attempted: left } = result.counts;
  return left > 0 && !deleted && !failed && !unconfirmed && !gone;
}

/** @param {DeleteResult} result */
const mayTryAgain = ({ jobs: left }) => Object.entries(left).filter(([, { outcome }]) => outcome in MARKS).map(([id]) => id);

const MAX_NAMES = 3;

/** The names of some of the jobs with this outcome. @param {DeleteResult} result @param {OutcomeCode} code */
function namesOf({ counts, jobs: left, left: rows = [] }, code) {
  const names = rows.filter(({ id }) => left[id]?.outcome === code).slice(0, MAX_NAMES).map((row) => jobName(row));
  const rest = (counts[code] ?? 0) - names.length;
  return names.length ? [...names, rest > 0 && andMore(rest)].filter(Boolean).join(", ") : "";
}

/** Counts jobs that were not removed, by outcome and reason. @param {DeleteResult} result @returns {TallyLine[]} */
export function tallyLines(result) {
  const { counts, jobs: left } = result;
  /** @type {Map<string, TallyLine>} */
  const lines = new Map();
  for (const { outcome, why } of Object.values(left)) {
    if (!(outcome in MARKS)) continue;
    const reason = clean(why?.text, 120);
    const key = `${MAY_GO.indexOf(/** @type {"failed"} */ (outcome))} ${reason}`;
    const line = lines.get(key) ?? { n: 0, word: LINE[outcome], why: reason };
    line.n += 1;
    lines.set(key, line);
  }
  const apart = [...lines].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })).map(([, line]) => line);
  const plain = (/** @type {OutcomeCode} */ code) => ({ n: counts[code] ?? 0, word: LINE[code], why: "" });
  const first = apart.length > MAX_LINES ? MAY_GO.map(plain) : apart;
  return [...first, ...OTHERS.map((code) => ({ ...plain(code), why: namesOf(result, code) }))].filter(({ n }) => n > 0);
}

/** @param {number} n */
const removedWords = (n) => plural(n, "{n} job removed from your cloud history", "{n} jobs removed from your cloud history");

/**
 * @typedef {Words & {kind: "success" | "info" | "warning" | "error", toast: string, unlisted?: string, lines: TallyLine[], again: string[]}} ResultWords
 *   `text` is shown above the lines, `toast` without them; `unlisted` instead of both while no list shows the jobs;
 *   `again`: ids that can be tried again
 */

/** @param {number} n */
const finishedMeanwhile = (n) => (n ? ` ${plural(n, "{n} job finished meanwhile and stays.", "{n} jobs finished meanwhile and stay.")}` : "");

/** What is left after a clear or a clean-up, and why. @param {NonNullable<DeleteResult["stay"]>} stay */
function stayWords({ active, protected: kept, unknown, kept: byRules, held, finished_meanwhile: late }) {
  const n = active + kept + unknown + byRules + held + late;
  const parts = tally([[active, "active"], [kept, "protected"], [unknown, "of an unknown status"], [byRules, "kept by your rules"], [held, "in another deletion"], [late, "finished meanwhile"]]);
  return n ? `${plural(n, "{n} job stays in your history", "{n} jobs stay in your history")}: ${parts}.` : "No job is left in your history.";
}

/** @param {DeleteResult} result @param {About} about @returns {ResultWords} */
function deleteResultWords(result, { jobs: confirmed, by = "" }) {
  const { counts, total, stopped } = result;
  const more = { lines: tallyLines(result), again: mayTryAgain(result) };
  const rest = total - counts.deleted;
  const stay = result.stay ? ` ${stayWords(result.stay)}` : finishedMeanwhile(result.finished_meanwhile ?? 0);
  const assets = DELETE.assets + backedUp(result.backed_up ?? 0) + outputsHere(result.outputs_saved ?? 0) + stay;
  if (rest <= 0) return { kind: "success", title: removedWords(counts.deleted), text: assets, toast: assets, ...more };
  // The dialog said that these jobs stay.
  if (counts.deleted > 0 && counts.deleted === confirmed && rest === counts.active + counts.protected && !stopped) {
    return { kind: "success", title: removedWords(counts.deleted), text: assets, toast: `${assets} ${linesText(more.lines)}`, ...more };
  }

  const ofAll = `${number(counts.deleted)} of ${jobs(total)} removed`;
  const toast = plural(rest, "The panel says what happened to the other one.", "The panel says what happened to the other {n}.");
  if (isStoppedUnsent(result)) return { ...stoppedUnsent(counts.not_attempted, by), ...more };
  if (stopped && counts.not_attempted === rest) {
    const text = plural(rest, "The other one was not tried.", "The other {n} were not tried.");
    return { kind: "warning", title: `Stopped: ${ofAll}`, text, toast: text, ...more };
  }
  if (!counts.deleted && counts.unconfirmed) return { ...noneKnownWords(result, more.lines), ...more };
  const others = `${DELETE.assets} ${plural(rest, "The other one:", "The other {n}:")}`;
  if (stopped || counts.deleted > 0) return { kind: "warning", title: stopped ? `Stopped: ${ofAll}` : ofAll, text: others, toast, ...more };
  const text = result.error ? errorLine(result.error) : "";
  const bad = counts.failed + counts.not_attempted > 0;
  return { kind: bad ? "error" : "warning", title: NOT_REMOVED, text, toast: text || linesText(more.lines), ...more };
}

/**
 * Texts of a deletion after which no job is confirmed as removed, but some may be.
 * @param {DeleteResult} result
 * @param {TallyLine[]} lines
 * @returns {Pick<ResultWords, "kind" | "title" | "text" | "toast">}
 */
function noneKnownWords({ counts, total, stopped, error }, lines) {
  const listed = linesText(lines);
  if (stopped) return { kind: "warning", title: `Stopped: ${NONE_KNOWN}`, text: "", toast: listed };
  // Accepted but still listed: neither a success nor a failure.
  if (counts.unconfirmed === total) return { kind: "warning", title: `Outcome unknown: ${jobs(total)}`, text: "", toast: listed };
  const text = error ? errorLine(error) : "";
  const bad = counts.failed + counts.not_attempted > 0;
  return { kind: bad ? "error" : "warning", title: NONE_KNOWN, text, toast: text ? `${listed} ${text}` : listed };
}

/** Reasons and names have commas of their own. @param {TallyLine[]} lines */
const linesText = (lines) =>
  lines.map(({ n, word, why }) => `${number(n)} ${word}${why ? `: ${why}` : ""}`).join("; ").replace(/[^.]$/, "$&.");

/** Nothing was deleted, because of the person. @param {number} n jobs @param {string} how */
const nothingDeleted = (n, how) => ({
  ...messageWords("info", { title: NOT_DELETED, text: [how, backInList(n)].filter(Boolean).join(" ") }),
  // There, it has to say what happened: no job comes back into a list.
  unlisted: `${how || UNDONE} ${stayInHistory(n)}`,
});

/** A deletion was stopped before anything was sent. @param {number} n @param {By} by */
export const stoppedUnsent = (n, by) =>
  nothingDeleted(n, by === "elsewhere" ? STOPPED_ELSEWHERE : `${by ? "You stopped it" : "Stopped"} before anything was sent.`);

/** A deletion was undone. @param {number} n @param {By} by */
export const undoneWords = (n, by) => nothingDeleted(n, by === "here" ? "" : by ? UNDONE_ELSEWHERE : UNDONE);

/**
 * Texts of a deletion that sent nothing: all jobs can be tried again.
 * @param {NonNullable<Result["error"]>} error
 * @param {About} about
 * @returns {ResultWords}
 */
function unsentWords(error, { jobs: n, ids, by = "" }) {
  const more = { lines: [], again: [...ids] };
  if (error.code === "stopped") return { ...stoppedUnsent(n, by), ...more };
  // Jobs were protected or backups turned on since the preview: not an error, and the server's message says which.
  const otherwise = error.code === "preview_expired";
  const text = (otherwise && clean(error.message)) || errorLine(error);
  const changed = otherwise || error.code === "count_rose";
  return { kind: changed ? "warning" : "error", title: changed ? NOT_DELETED : NOT_REMOVED, text, toast: text, ...more };
}

/** @param {number} n */
const stillListed = (n) => plural(n, "{n} job is still listed.", "{n} jobs are still listed.");

/** Returns why the outcome is unknown: the error if it has an HTTP status, else `unanswered`. @param {ErrorBody | null} error @param {string} unanswered */
const whyUnknown = (error, unanswered) => (error?.status ? errorLine(error).replace(/\)$/, ").") : unanswered);

/**
 * Returns the texts of a clear. Only a verified deletion is a success.
 * @param {ClearResult} result
 * @returns {Words & {kind: "success" | "warning" | "error"}}
 */
export function clearResultWords(result) {
  const { before, removed, listed, active, error, doubt } = result;
  const activeStay = active ? ` ${plural(active, "{n} active job stays.", "{n} active jobs stay.")}` : "";
  const left = doubt ? `What is gone is not known: ${doubt.text.replace(/\.$/, "")}.` : listed === null ? "The list can’t be read." : stillListed(listed);
  const unknown = (/** @type {string} */ how) =>
    /** @type {const} */ ({ kind: "warning", title: "Outcome unknown", text: `${how} ${left} Look again, then decide.` });

  switch (result.outcome) {
    case "deleted":
      return { kind: "success", title: removedWords(removed ?? before ?? 0), text: DELETE.assets + activeStay };
    case "partial":
      if (removed === null || listed === null) return unknown("Comfy Cloud accepted the request.");
      return {
        kind: "warning",
        title: `${removedWords(removed)}, ${number(listed)} still listed`,
        text: `${plural(listed, "It", "They")} may have finished meanwhile. Look again, then decide.${activeStay}`,
      };
    case "unconfirmed":
      return unknown("Comfy Cloud accepted the request.");
    case "failed":
      return { kind: "error", title: NOT_REMOVED, text: error ? errorLine(error) : "The request was not accepted." };
    case "stopped":
      // If there is no error, Comfy Cloud had accepted the request before the person pressed Stop.
      if (!removed) return unknown(error ? whyUnknown(error, "It was stopped after it was sent.") : "Comfy Cloud accepted the request.");
      return { kind: "warning", title: `Stopped: ${number(removed)} of ${jobs(before ?? removed)} removed`, text: left };
    default:
      return unknown(whyUnknown(error, "The connection was lost after the request was sent."));
  }
}

/** @param {Result} result @param {About} about @returns {ResultWords} */
function wordsOf(result, about) {
  if (result.kind === "delete") return isUnsent(result) ? unsentWords(result.error, about) : deleteResultWords(result, about);
  if (result.outcome === "failed" && result.before === null && result.error) return { ...unsentWords(result.error, about), again: [] };
  const { kind, title, text } = clearResultWords(result);
  return { kind, title, text, toast: text, lines: [], again: [] };
}

/** Whether a deletion was stopped after it had begun to send. @param {Result} result */
const isStoppedSending = (result) => ("outcome" in result ? result.outcome === "stopped" : result.stopped) && !isStoppedUnsent(result);

/**
 * Returns the texts of a result. Only a verified deletion is a success.
 * @param {Result} result
 * @param {About} about
 * @returns {ResultWords}
 */
export function resultWords(result, about) {
  const message = wordsOf(result, about);
  if (about.by !== "elsewhere" || !isStoppedSending(result)) return message;
  const said = (/** @type {string} */ text) => [ENDED_ELSEWHERE, text].filter(Boolean).join(" ");
  return { ...message, text: said(message.text), toast: said(message.toast) };
}

/**
 * The texts of a deletion by a workflow. The panel does not try it again: its next run does.
 * @param {ResultWords} message
 * @param {Result} result
 * @returns {ResultWords}
 */
export function ofWorkflow(message, result) {
  const text = "The run was cancelled before anything was sent to Comfy Cloud.";
  return { ...(isStoppedUnsent(result) ? messageWords("info", { title: NOT_DELETED, text }) : message), again: [] };
}

/** The end of a deletion that has no result. @param {ResultWords["kind"]} kind @param {Words} words @returns {ResultWords} */
export const messageWords = (kind, { title, text }) => ({ kind, title, text, toast: text, lines: [], again: [] });

/** The end of a deletion as the audit log has it. @param {Pick<AuditEntry, "removed" | "counts" | "report">} recorded @param {number} asked @returns {ResultWords} */
export function recordedWords({ removed, counts, report }, asked) {
  if (removed === null || counts?.unconfirmed) return messageWords("warning", { title: `Outcome unknown: ${jobs(asked)}`, text: clean(report) });
  if (removed >= asked) return messageWords("success", { title: removedWords(removed), text: DELETE.assets });
  const title = removed ? `${number(removed)} of ${jobs(asked)} removed` : NOT_REMOVED;
  return messageWords("warning", { title, text: clean(report) });
}

/** @param {number} n */
export const tryAgainLabel = (n) => `Try again (${number(n)})`;
/** @param {number} n */
export const showLabel = (n) => plural(n, "Show it", "Show the {n}");
