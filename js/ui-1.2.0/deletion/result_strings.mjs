// @ts-check
/** Texts of results. */

import { clean, sentence, sentences } from "../common/format.mjs";
import { jobName } from "../common/names.mjs";
import { reasonText } from "../common/server_words.mjs";
import { errorLine, serverMessage } from "../common/strings.mjs";
import { formatter, text, words } from "../common/words.mjs";
import { backedUp, outputsHere } from "../protection/strings.mjs";
import { backInList, counted, stayInHistory } from "./strings.mjs";

/** @import { AuditEntry, ClearResult, DeleteResult, ErrorBody, OutcomeCode, Reason, Result, UnsentResult } from "../../../types/wire" */
/** @import { Words } from "../common/strings.mjs" */

/** @typedef {{n: number, word: string, why: string}} TallyLine */

/** @typedef {"here" | "elsewhere" | ""} By where Undo or Stop was pressed: in this page, in another one, or not known */
/**
 * The confirmed jobs, and where the deletion was stopped.
 * @typedef {{jobs: number, ids: Iterable<string>, by?: By}} About
 */

/** Outcomes that can be tried again, and the others. */
const MAY_GO = /** @type {const} */ (["not_attempted", "failed", "unconfirmed"]);
const OTHERS = /** @type {const} */ (["active", "protected", "already_gone"]);

/** Row marks: of outcomes that can be tried again, and of jobs that were protected after the confirmation. */
const ROW_MARKS = /** @type {const} */ ({
  failed: { kind: "failed", icon: "failed" },
  unconfirmed: { kind: "warn", icon: "unknown" },
  not_attempted: { kind: "warn", icon: "warning" },
  protected: { kind: "", icon: "lock" },
});

/** @param {string | undefined} outcome @returns {outcome is keyof typeof ROW_MARKS} */
const isMarked = (outcome) => outcome !== undefined && Object.hasOwn(ROW_MARKS, outcome);

/** @param {string} outcome @returns {outcome is typeof MAY_GO[number]} */
const mayGo = (outcome) => MAY_GO.some((each) => each === outcome);

/** Codes of reasons that are shorter in rows. */
const SHORT_WHY = new Set(["backup_failed", "outputs_not_saved", "connection_lost", "still_listed"]);

/** @param {Reason | null} why */
export function rowWhy(why) {
  if (!why) return "";
  if (SHORT_WHY.has(why.code)) return text(`deletion.why_${why.code}`);
  const said = reasonText(why);
  return `${said.slice(0, 1).toLocaleUpperCase(words.language)}${said.slice(1)}`;
}

/** The mark of a job's row; undefined if its outcome needs none. @param {{outcome: string, why: Reason | null}} job */
export const markOf = ({ outcome, why }) => (isMarked(outcome) ? { ...ROW_MARKS[outcome], word: text(`deletion.mark_${outcome}`), why: rowWhy(why) } : undefined);

/** Jobs that a deletion certainly left. */
export const leftBehind = () => text("deletion.mark_failed");

/** What became of the jobs that can be tried again. An unconfirmed job may be gone, so it is never called "not removed". @param {Result | null} result @param {string[]} again */
export function leftWord(result, again) {
  if (!result || !("jobs" in result)) return leftBehind();
  const outcomes = new Set(again.map((id) => result.jobs[id]?.outcome).map((outcome) => (isMarked(outcome) ? outcome : "failed")));
  const [first] = outcomes;
  if (outcomes.size === 1) return text(`deletion.mark_${first}`);
  return outcomes.has("unconfirmed") ? text("deletion.mark_mixed") : leftBehind();
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
const mayTryAgain = ({ jobs: left }) => Object.entries(left).filter(([, { outcome }]) => mayGo(outcome)).map(([id]) => id);

const MAX_NAMES = 3;

/** The names of some of the jobs with this outcome. @param {DeleteResult} result @param {OutcomeCode} code */
function namesOf({ counts, jobs: left, left: rows = [] }, code) {
  const names = rows.filter(({ id }) => left[id]?.outcome === code).slice(0, MAX_NAMES).map((row) => jobName(row));
  const rest = (counts[code] ?? 0) - names.length;
  if (!names.length) return "";
  return rest > 0 ? text("deletion.names_and_more", { names, n: rest }) : formatter().list(names, "narrow");
}

/** Counts jobs that were not removed, by outcome and reason. @param {DeleteResult} result @returns {TallyLine[]} */
export function tallyLines(result) {
  const { counts, jobs: left } = result;
  /** @type {Map<string, TallyLine>} */
  const lines = new Map();
  for (const { outcome, why } of Object.values(left)) {
    if (!mayGo(outcome)) continue;
    const reason = clean(why && reasonText(why), 120);
    const key = `${MAY_GO.indexOf(outcome)} ${reason}`;
    const line = lines.get(key) ?? { n: 0, word: text(`deletion.outcome_${outcome}`), why: reason };
    line.n += 1;
    lines.set(key, line);
  }
  const apart = [...lines].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })).map(([, line]) => line);
  const plain = (/** @type {OutcomeCode} */ code) => ({ n: counts[code] ?? 0, word: text(`deletion.outcome_${code}`), why: "" });
  const first = apart.length > MAX_LINES ? MAY_GO.map(plain) : apart;
  return [...first, ...OTHERS.map((code) => ({ ...plain(code), why: namesOf(result, code) }))].filter(({ n }) => n > 0);
}

/** @param {number} n */
const removedWords = (n) => text("deletion.removed", { n });

/**
 * @typedef {Words & {kind: "success" | "info" | "warning" | "error", toast: string, unlisted?: string, lines: TallyLine[], again: string[]}} ResultWords
 *   `text` is shown above the lines, `toast` without them; `unlisted` instead of both while no list shows the jobs;
 *   `again`: ids that can be tried again
 */

/** What is left after a clear or a clean-up, and why. @param {NonNullable<DeleteResult["stay"]>} stay */
function stayWords({ active, protected: kept, unknown, kept: byRules, held, finished_meanwhile: late }) {
  const n = active + kept + unknown + byRules + held + late;
  if (!n) return text("deletion.none_left");
  const why = counted([[active, "deletion.n_active"], [kept, "deletion.n_protected"], [unknown, "deletion.n_of_unknown"], [byRules, "deletion.n_kept"], [held, "deletion.n_held"], [late, "deletion.n_finished"]]);
  return text("deletion.stay", { n, why });
}

/** "3 of 10 jobs removed". @param {number} gone @param {number} n */
const partRemoved = (gone, n) => text("deletion.part_removed", { gone, n });
/** @param {number} gone @param {number} n */
const stoppedPart = (gone, n) => text("deletion.stopped_part", { gone, n });

/** @param {DeleteResult} result @param {About} about @returns {ResultWords} */
function deleteResultWords(result, { jobs: confirmed, by = "" }) {
  const { counts, total, stopped } = result;
  const more = { lines: tallyLines(result), again: mayTryAgain(result) };
  const rest = total - counts.deleted;
  const late = result.finished_meanwhile ?? 0;
  const stay = result.stay ? stayWords(result.stay) : late > 0 && text("deletion.finished_meanwhile", { n: late });
  const assets = sentences([text("deletion.assets"), backedUp(result.backed_up ?? 0), outputsHere(result.outputs_saved ?? 0), stay]);
  if (rest <= 0) return { kind: "success", title: removedWords(counts.deleted), text: assets, toast: assets, ...more };
  // The dialog said that these jobs stay.
  if (counts.deleted > 0 && counts.deleted === confirmed && rest === counts.active + counts.protected && !stopped) {
    return { kind: "success", title: removedWords(counts.deleted), text: assets, toast: sentences([assets, linesText(more.lines)]), ...more };
  }

  const ofAll = (stopped ? stoppedPart : partRemoved)(counts.deleted, total);
  const toast = text("deletion.panel_says", { n: rest });
  if (isStoppedUnsent(result)) return { ...stoppedUnsent(counts.not_attempted, by), ...more };
  if (stopped && counts.not_attempted === rest) {
    const why = text("deletion.others_not_tried", { n: rest });
    return { kind: "warning", title: ofAll, text: why, toast: why, ...more };
  }
  if (!counts.deleted && counts.unconfirmed) return { ...noneKnownWords(result, more.lines), ...more };
  const others = sentences([text("deletion.assets"), text("deletion.the_others", { n: rest })]);
  if (stopped || counts.deleted > 0) return { kind: "warning", title: ofAll, text: others, toast, ...more };
  const why = result.error ? errorLine(result.error) : "";
  const bad = counts.failed + counts.not_attempted > 0;
  return { kind: bad ? "error" : "warning", title: text("deletion.none_removed"), text: why, toast: why || linesText(more.lines), ...more };
}

/**
 * Texts of a deletion after which no job is confirmed as removed, but some may be.
 * @param {DeleteResult} result
 * @param {TallyLine[]} lines
 * @returns {Pick<ResultWords, "kind" | "title" | "text" | "toast">}
 */
function noneKnownWords({ counts, total, stopped, error }, lines) {
  const listed = linesText(lines);
  if (stopped) return { kind: "warning", title: text("deletion.stopped_none_known"), text: "", toast: listed };
  // Accepted but still listed: neither a success nor a failure.
  if (counts.unconfirmed === total) return { kind: "warning", title: text("deletion.outcome_unknown_jobs", { n: total }), text: "", toast: listed };
  const why = error ? errorLine(error) : "";
  const bad = counts.failed + counts.not_attempted > 0;
  return { kind: bad ? "error" : "warning", title: text("deletion.none_known"), text: why, toast: sentences([listed, why]) };
}

/** Reasons and names have commas of their own. @param {TallyLine[]} lines */
const linesText = (lines) =>
  sentence(lines.map(({ n, word, why }) => (why ? text("deletion.line_why", { n, word, why }) : text("deletion.line", { n, word }))).join(text("common.semicolon")));

/** Nothing was deleted, because of the person. @param {number} n jobs @param {string} how */
const nothingDeleted = (n, how) => ({
  ...messageWords("info", { title: text("deletion.not_deleted"), text: sentences([how, backInList(n)]) }),
  // There, it has to say what happened: no job comes back into a list.
  unlisted: sentences([how || text("deletion.undone"), stayInHistory(n)]),
});

/** A deletion was stopped before anything was sent. @param {number} n @param {By} by */
export const stoppedUnsent = (n, by) =>
  nothingDeleted(n, text(by === "elsewhere" ? "deletion.stopped_elsewhere" : by ? "deletion.you_stopped" : "deletion.stopped_unsent"));

/** A deletion was undone. @param {number} n @param {By} by */
export const undoneWords = (n, by) => nothingDeleted(n, by === "here" ? "" : by ? text("deletion.undone_elsewhere") : text("deletion.undone"));

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
  const why = (otherwise && serverMessage(error)) || errorLine(error);
  const changed = otherwise || error.code === "count_rose";
  return { kind: changed ? "warning" : "error", title: text(changed ? "deletion.not_deleted" : "deletion.none_removed"), text: why, toast: why, ...more };
}

/** @param {number} n */
const stillListed = (n) => text("deletion.still_listed", { n });

/** Returns why the outcome is unknown: the error if it has an HTTP status, else `unanswered`. @param {ErrorBody | null} error @param {string} unanswered */
const whyUnknown = (error, unanswered) => (error?.status ? errorLine(error).replace(/\)$/, ").") : unanswered);

/**
 * Returns the texts of a clear. Only a verified deletion is a success.
 * @param {ClearResult} result
 * @returns {Words & {kind: "success" | "warning" | "error"}}
 */
export function clearResultWords(result) {
  const { before, removed, listed, active, error, doubt } = result;
  const activeStay = (active ?? 0) > 0 && text("deletion.active_stay", { n: active ?? 0 });
  const left = doubt ? text("deletion.doubt", { why: reasonText(doubt).replace(/[.。]$/, "") }) : listed === null ? text("deletion.list_unread") : stillListed(listed);
  const unknown = (/** @type {string} */ how) =>
    /** @type {const} */ ({ kind: "warning", title: text("deletion.outcome_unknown"), text: sentences([how, left, text("deletion.look_again")]) });

  switch (result.outcome) {
    case "deleted":
      return { kind: "success", title: removedWords(removed ?? before ?? 0), text: sentences([text("deletion.assets"), activeStay]) };
    case "partial":
      if (removed === null || listed === null) return unknown(text("deletion.accepted"));
      return { kind: "warning", title: text("deletion.partial", { n: removed, listed }), text: sentences([text("deletion.partial_why", { n: listed }), activeStay]) };
    case "unconfirmed":
      return unknown(text("deletion.accepted"));
    case "failed":
      return { kind: "error", title: text("deletion.none_removed"), text: error ? errorLine(error) : text("deletion.not_accepted") };
    case "stopped":
      // If there is no error, Comfy Cloud had accepted the request before the person pressed Stop.
      if (!removed) return unknown(error ? whyUnknown(error, text("deletion.stopped_after")) : text("deletion.accepted"));
      return { kind: "warning", title: stoppedPart(removed, before ?? removed), text: left };
    default:
      return unknown(whyUnknown(error, text("deletion.connection_lost")));
  }
}

/** @param {Result} result @param {About} about @returns {ResultWords} */
function wordsOf(result, about) {
  if (result.kind === "delete") return isUnsent(result) ? unsentWords(result.error, about) : deleteResultWords(result, about);
  if (result.outcome === "failed" && result.before === null && result.error) return { ...unsentWords(result.error, about), again: [] };
  const { kind, title, text: why } = clearResultWords(result);
  return { kind, title, text: why, toast: why, lines: [], again: [] };
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
  const said = (/** @type {string} */ more) => sentences([text("deletion.ended_elsewhere"), more]);
  return { ...message, text: said(message.text), toast: said(message.toast) };
}

/**
 * The texts of a deletion by a workflow. The panel does not try it again: its next run does.
 * @param {ResultWords} message
 * @param {Result} result
 * @returns {ResultWords}
 */
export function ofWorkflow(message, result) {
  const why = text("deletion.run_cancelled");
  return { ...(isStoppedUnsent(result) ? messageWords("info", { title: text("deletion.not_deleted"), text: why }) : message), again: [] };
}

/** The end of a deletion that has no result. @param {ResultWords["kind"]} kind @param {Words} words @returns {ResultWords} */
export const messageWords = (kind, { title, text: said }) => ({ kind, title, text: said, toast: said, lines: [], again: [] });

/** The end of a deletion as the audit log has it. @param {Pick<AuditEntry, "removed" | "counts" | "report">} recorded @param {number} asked @returns {ResultWords} */
export function recordedWords({ removed, counts, report }, asked) {
  if (removed === null || counts?.unconfirmed) return messageWords("warning", { title: text("deletion.outcome_unknown_jobs", { n: asked }), text: clean(report) });
  if (removed >= asked) return messageWords("success", { title: removedWords(removed), text: text("deletion.assets") });
  const title = removed ? partRemoved(removed, asked) : text("deletion.none_removed");
  return messageWords("warning", { title, text: clean(report) });
}

/** @param {number} n */
export const tryAgainLabel = (n) => text("deletion.try_again_n", { n });
/** @param {number} n */
export const showLabel = (n) => text("deletion.show_n", { n });
