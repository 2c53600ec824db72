// @ts-check
/** Texts on screen of the page "Recently deleted". */

import { clean, dayAndTime, fileSize, number, plural } from "../common/format.mjs";
import { crashWords, nodeName } from "../common/strings.mjs";
import { NONE_KNOWN, NOT_REMOVED } from "../deletion/result_strings.mjs";
import { DELETE } from "../deletion/strings.mjs";

/** @import { AuditEntry } from "../../../types/wire" */

export const AUDIT = {
  title: "Recently deleted",
  about: "A backup restores the workflow, not the job on Comfy Cloud.",
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
  noJobs: "The record names no single jobs.",
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
  if (state === "running") return `${DELETE.progress}…`;
  const all = asked ?? gone;
  const open = counts?.unconfirmed ?? 0;
  if (state === "unknown" || gone === null || (gone === 0 && open > 0 && open === all)) return crashWords(all).title;
  if (gone === 0 && open > 0) return NONE_KNOWN;
  if (gone === 0) return all ? NOT_REMOVED : removed(0);
  return all === null || gone >= all ? removed(gone) : `${number(gone)} of ${removed(all)}`;
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

/** What the backup contains, and what is unknown about the deletion. @param {AuditEntry} entry */
export function entryKept({ state, backup }) {
  const crash = state === "unknown" && crashWords(null).text;
  const kept = backup ? `Backup, ${fileSize(backup.size)}` : state !== "unknown" && AUDIT.noBackup;
  return [crash, kept].filter((line) => typeof line === "string");
}

/** @param {number} n */
export const showAll = (n) => `Show all ${number(n)}`;

/** @param {number} n */
export const removedInAll = (n) => plural(n, "{n} job removed so far", "{n} jobs removed so far");

/** @param {number | null} n null: unknown */
export const backupGoes = (n) => {
  const lost = n === null ? "" : `${plural(n, "{n} workflow can’t be restored after that.", "{n} workflows can’t be restored after that.")} `;
  return `${lost}The record of the deletion stays.`;
};
