// @ts-check
/** Texts on screen of the page "Recently deleted". */

import { clean, dayAndTime, duration, fileSize, roughDuration, sentence, sentences } from "../common/format.mjs";
import { statusName, statusWord } from "../common/status.mjs";
import { crashWords, nodeName } from "../common/strings.mjs";
import { text, words } from "../common/words.mjs";

/** @import { AuditEntry, JobFacts } from "../../../types/wire" */

/** Outcomes of which a job's line tells. Others are covered by the text of the deletion. */
const OUTCOMES = new Set(["already_gone", "active", "protected", "failed", "unconfirmed", "not_attempted"]);

/** A job's outcome; "" if the text of the deletion covers it. @param {{outcome: string, why: string}} job */
export function outcomeWords({ outcome, why }) {
  if (!OUTCOMES.has(outcome)) return "";
  const word = text(`audit.outcome_${outcome}`);
  return why ? text("audit.outcome_why", { outcome: word, why: clean(why, 120) }) : word;
}

const removed = (/** @type {number} */ n) => text("audit.removed", { n });

/** The title counts only jobs that were verified as removed. @param {AuditEntry} entry */
export function entryTitle({ state, asked, removed: gone, counts }) {
  // It may still be backing up workflows.
  if (state === "running") return asked === null ? text("audit.running_unknown") : text("audit.running", { n: asked });
  const all = asked ?? gone;
  const open = counts?.unconfirmed ?? 0;
  if (state === "unknown" || gone === null || (gone === 0 && open > 0 && open === all)) return crashWords(all).title;
  if (gone === 0 && open > 0) return text("deletion.none_known");
  if (gone === 0) return all ? text("deletion.none_removed") : removed(0);
  if (all === null || gone >= all) return removed(gone);
  return text("audit.removed_part", { gone, n: all });
}

/** Where a deletion can be started, besides a node. @type {Set<string | null | undefined>} */
const ORIGINS = new Set(["panel", "menu", "clean_up"]);

/** @param {AuditEntry} entry */
function originWord({ kind, origin, node, title }) {
  if (origin === "node") return nodeName(title, node);
  if (kind === "clear") return text("audit.origin_clear");
  return ORIGINS.has(origin) ? text(`audit.origin_${origin}`) : "";
}

/** When and from where the deletion was started. @param {AuditEntry} entry @param {number} now */
export function entryAbout(entry, now) {
  const at = Date.parse(entry.at);
  return [Number.isFinite(at) ? dayAndTime(at, now) : "", originWord(entry)].filter(Boolean).join(" · ");
}

/** How many jobs have each outcome but "deleted". The record has its report in English alone. @param {NonNullable<AuditEntry["counts"]>} counts */
const countsWords = (counts) =>
  Object.entries(counts).filter(([outcome, n]) => OUTCOMES.has(outcome) && n > 0)
    .map(([outcome, n]) => text("deletion.line", { n, word: text(`deletion.outcome_${outcome}`) })).join(text("common.semicolon"));

/** Why jobs were not removed, as the report begins; "" if all were, or if the title says the same. @param {AuditEntry} entry */
function entryWhy(entry) {
  if (entry.state !== "done" || (entry.removed ?? 0) >= (entry.asked ?? 0)) return "";
  if (words.language !== "en" && entry.counts) return sentence(countsWords(entry.counts));
  return entry.report.startsWith(entryTitle(entry)) ? "" : clean(entry.report);
}

/** What the backup contains, and what is unknown about the deletion or why jobs were not removed. @param {AuditEntry} entry */
export function entryKept(entry) {
  const { state, backup } = entry;
  const crash = (state === "unknown" && crashWords(null).text) || entryWhy(entry) || false;
  const kept = backup ? text("audit.backup", { size: fileSize(backup.size) }) : state !== "unknown" && text("audit.no_backup");
  return [crash, kept].filter((line) => typeof line === "string");
}

/** "12 min of run time, 3 min of it by failed jobs", "at least" if that of some removed jobs is unknown. @param {AuditEntry} entry */
export function entryRunTime({ run_seconds: all, failed_run_seconds: failed, timed_jobs: timed, removed: gone }) {
  if (all === null) return "";
  return text("audit.run_time", {
    known: timed === null || timed < (gone ?? Infinity) ? "some" : "all",
    time: roughDuration(all * 1000),
    lost: !failed ? "none" : failed >= all ? "all" : "some",
    failed: roughDuration((failed ?? 0) * 1000),
  });
}

/** @param {JobFacts} facts */
const wordOf = (facts) => (facts.raw ? statusWord(facts) : statusName(facts.status));

/** "Failed · Created: Today, 13:48 · 12.5 s". @param {JobFacts} facts @param {number} now */
export function jobAbout(facts, now) {
  const created = facts.created === null ? "" : text("audit.created", { at: dayAndTime(facts.created, now) });
  return [wordOf(facts), created, facts.took === null ? "" : duration(facts.took).replace(" ", "\u00a0")].filter(Boolean).join(" · ");
}

/** The node and the message of a job's error; "" if the name says it all. @param {JobFacts} facts */
export function jobError({ error, name }) {
  const [node, message] = [clean(error?.node_type, 80), clean(error?.message)];
  return message || clean(name) ? [node, message].filter(Boolean).join(": ") : "";
}

/** What a search through all deletions found. @param {number} jobs @param {number} deletions @param {number} unread deletions whose jobs can't be read */
export const foundInAll = (jobs, deletions, unread) =>
  sentences([jobs ? text("audit.found_in_all", { jobs, deletions }) : text("audit.no_match"), unread > 0 && text("audit.unread", { n: unread })]);

/** @param {number | null} n null: unknown */
export const backupGoes = (n) => sentences([n !== null && text("audit.backup_lost", { n }), text("audit.record_stays")]);
