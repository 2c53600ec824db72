// @ts-check
/** Texts on screen of the page "Recently deleted". */

import { clean, dayAndTime, duration, fileSize, number, plural, roughDuration } from "../common/format.mjs";
import { statusName, statusWord } from "../common/status.mjs";
import { crashWords, nodeName } from "../common/strings.mjs";
import { NONE_KNOWN, NOT_REMOVED } from "../deletion/result_strings.mjs";

/** @import { AuditEntry, JobFacts } from "../../../types/wire" */

export const AUDIT = {
  title: "Recently deleted",
  about: "Removed jobs can’t be brought back. If there is a backup, you can open their workflows here. Their outputs stay in your assets.",
  noBackup: "No backup",
  showJobs: "Show jobs",
  hideJobs: "Hide jobs",
  open: "Open",
  download: "Download workflow",
  deleteBackup: "Delete backup…",
  export: "Export as CSV",
  file: "comfy-cloud-deletions.csv",
  notExported: "The record can’t be exported",
  notDeleted: "The backup was not deleted",
  confirm: "Delete",
  empty: { title: "Nothing deleted yet", text: "What you delete from this ComfyUI is listed here, with its backup if there is one." },
  ask: "Delete this backup?",
  loading: "Loading jobs…",
  noJobs: "The record has no list of these jobs.",
  older: "Older deletions are in the CSV alone.",
  search: "Search these jobs",
  searchAll: "Search all deleted jobs",
  searching: "Searching…",
  noWorkflow: "The backup has no workflow of this job.",
  noMatch: "No job matches.",
  notRead: "The file can’t be read",
};

/** Texts for a job's line, by outcome. Other outcomes are covered by the text of the deletion. @type {Record<string, string>} */
const OUTCOMES = {
  already_gone: "Already gone",
  active: "Active, left alone",
  protected: "Protected, kept",
  failed: "Not removed",
  unconfirmed: "Unconfirmed",
  not_attempted: "Not tried",
};

/** A job's outcome; "" if the text of the deletion covers it. @param {{outcome: string, why: string}} job */
export function outcomeWords({ outcome, why }) {
  const word = Object.hasOwn(OUTCOMES, outcome) && OUTCOMES[outcome];
  return word && why ? `${word}: ${clean(why, 120)}` : word || "";
}

const removed = (/** @type {number} */ n) => plural(n, "{n} job removed", "{n} jobs removed");

/** The title counts only jobs that were verified as removed. @param {AuditEntry} entry */
export function entryTitle({ state, asked, removed: gone, counts }) {
  // It may still be backing up workflows.
  if (state === "running") return asked === null ? "A deletion is running" : plural(asked, "A deletion of {n} job is running", "A deletion of {n} jobs is running");
  const all = asked ?? gone;
  const open = counts?.unconfirmed ?? 0;
  if (state === "unknown" || gone === null || (gone === 0 && open > 0 && open === all)) return crashWords(all).title;
  if (gone === 0 && open > 0) return NONE_KNOWN;
  if (gone === 0) return all ? NOT_REMOVED : removed(0);
  if (all === null || gone >= all) return removed(gone);
  return plural(all, `${number(gone)} of {n} job removed`, `${number(gone)} of {n} jobs removed`);
}

/** @param {AuditEntry} entry */
function originWord({ kind, origin, node, title }) {
  if (origin === "node") return nodeName(title, node);
  if (kind === "clear") return "Clear cloud history";
  return { panel: "Panel", menu: "Menu", clean_up: "Clean up" }[/** @type {string} */ (origin)] ?? "";
}

/** When and from where the deletion was started. @param {AuditEntry} entry @param {number} now */
export function entryAbout(entry, now) {
  const at = Date.parse(entry.at);
  return [Number.isFinite(at) ? dayAndTime(at, now) : "", originWord(entry)].filter(Boolean).join(" · ");
}

/** Why jobs were not removed, as the report begins; "" if all were, or if the title says the same. @param {AuditEntry} entry */
const entryWhy = (entry) =>
  entry.state === "done" && (entry.removed ?? 0) < (entry.asked ?? 0) && !entry.report.startsWith(entryTitle(entry)) ? clean(entry.report) : "";

/** What the backup contains, and what is unknown about the deletion or why jobs were not removed. @param {AuditEntry} entry */
export function entryKept(entry) {
  const { state, backup } = entry;
  const crash = (state === "unknown" && crashWords(null).text) || entryWhy(entry) || false;
  const kept = backup ? `Backup, ${fileSize(backup.size)}` : state !== "unknown" && AUDIT.noBackup;
  return [crash, kept].filter((line) => typeof line === "string");
}

/** "12 min of run time, 3 min of it by failed jobs", "at least" if that of some removed jobs is unknown. @param {AuditEntry} entry */
export function entryRunTime({ run_seconds: all, failed_run_seconds: failed, timed_jobs: timed, removed: gone }) {
  if (all === null) return "";
  const some = timed === null || timed < (gone ?? Infinity) ? "at least " : "";
  const lost = !failed ? "" : failed >= all ? ", all of it by failed jobs" : `, ${roughDuration(failed * 1000)} of it by failed jobs`;
  return `${some}${roughDuration(all * 1000)} of run time${lost}`;
}

/** @param {JobFacts} facts */
const wordOf = (facts) => (facts.raw ? statusWord(facts) : statusName(facts.status));

/** "Failed · Created: Today, 13:48 · 12.5 s". @param {JobFacts} facts @param {number} now */
export function jobAbout(facts, now) {
  const created = facts.created === null ? "" : `Created: ${dayAndTime(facts.created, now)}`;
  return [wordOf(facts), created, facts.took === null ? "" : duration(facts.took).replace(" ", "\u00a0")].filter(Boolean).join(" · ");
}

/** The node and the message of a job's error; "" if the name says it all. @param {JobFacts} facts */
export function jobError({ error, name }) {
  const [node, message] = [clean(error?.node_type, 80), clean(error?.message)];
  return message || clean(name) ? [node, message].filter(Boolean).join(": ") : "";
}

/** @param {number} n */
export const copyIds = (n) => plural(n, "Copy ID", "Copy {n} IDs");

/** @param {number} found @param {number} all */
export const foundWord = (found, all) => `${number(found)} of ${plural(all, "{n} job", "{n} jobs")}`;

/** @param {number} n */
export const inOrder = (n) => plural(n, "{n} job", "{n} jobs, the newest first");

/** What a search through all deletions found. @param {number} jobs @param {number} deletions @param {number} unread deletions whose jobs can't be read */
export function foundInAll(jobs, deletions, unread) {
  const found = jobs ? `${plural(jobs, "{n} job", "{n} jobs")} in ${plural(deletions, "{n} deletion", "{n} deletions")}.` : AUDIT.noMatch;
  return unread ? `${found} ${plural(unread, "The jobs of {n} deletion can’t be read.", "The jobs of {n} deletions can’t be read.")}` : found;
}

/** @param {number} n */
export const showAll = (n) => `Show all ${number(n)}`;

/** @param {number} n */
export const removedInAll = (n) => plural(n, "{n} job removed in this record", "{n} jobs removed in this record");

/** @param {number | null} n null: unknown */
export const backupGoes = (n) => {
  const lost = n === null ? "" : `${plural(n, "{n} workflow can’t be restored after that.", "{n} workflows can’t be restored after that.")} `;
  return `${lost}The record of the deletion stays.`;
};
