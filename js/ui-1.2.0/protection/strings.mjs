// @ts-check
/** Texts on screen about protected jobs, which deletions leave out. */

import { clean, fileSize, number, plural, roughRange } from "../common/format.mjs";
import { andMore, errorLine } from "../common/strings.mjs";

/** @import { Choice } from "../../../types/list" */
/** @import { BackupKind, DeletePreview, Settings, Status } from "../../../types/wire" */

/** @typedef {DeletePreview["skipped"]} Skipped */
/** @typedef {NonNullable<DeletePreview["backup_estimate"]>} BackupEstimate */

export const PROTECT = {
  protect: "Protect",
  unprotect: "Unprotect",
  spoken: "protected",
  field: "Protection",
  sentence: "Protected. Deletions made in this ComfyUI leave this job out. The Comfy Cloud site does not know about it.",
  byWorkflow: "All jobs of this workflow are protected.",
  workflow: "Protect all jobs of this workflow",
  notChanged: "The protection could not be changed",
};

/** @type {[Choice["protection"], string][]} */
export const PROTECTIONS = [["", "Any"], ["protected", "Protected"], ["open", "Not protected"]];

const MAX_NAMES = 2;

/** "a and b", or "a, b and 1 more". @param {string[]} names */
function listed(names) {
  const rest = names.length - MAX_NAMES;
  return rest > 0 ? `${names.slice(0, MAX_NAMES).join(", ")} ${andMore(rest)}` : names.join(" and ");
}

/** @param {string[]} names */
export const protectedToast = (names) => (names.length === 1 ? `${names[0]} is protected` : `${number(names.length)} jobs protected: ${listed(names)}`);
/** @param {string[]} names */
export const unprotectedToast = (names) => (names.length === 1 ? `${names[0]} is no longer protected` : `${number(names.length)} jobs no longer protected: ${listed(names)}`);

/**
 * Asks to unprotect a workflow, because its jobs can't be unprotected one by one.
 * @param {object} about
 * @param {number} about.asked number of jobs to unprotect
 * @param {number} about.held number of those that a workflow protects
 * @param {number} about.workflows number of these workflows
 * @param {number} about.freed number of jobs that would lose their protection
 */
export const byWorkflowWords = ({ asked, held, workflows, freed }) => ({
  title:
    asked === 1
      ? "This job is protected by its workflow"
      : plural(held, "{n} of these jobs is protected by its workflow", "{n} of these jobs are protected by their workflow"),
  text: [
    plural(held, "It can’t be unprotected alone.", "They can’t be unprotected alone."),
    workflows === 1
      ? plural(freed, "If you unprotect the workflow, {n} job is no longer protected.", "If you unprotect the workflow, {n} jobs are no longer protected.")
      : plural(freed, `If you unprotect ${number(workflows)} workflows, {n} job is no longer protected.`, `If you unprotect ${number(workflows)} workflows, {n} jobs are no longer protected.`),
  ].join(" "),
  confirm: plural(workflows, "Unprotect the workflow", "Unprotect {n} workflows"),
});

/** @param {number} n */
export const allButTitle = (n) => plural(n, "Delete all finished jobs but the protected one?", "Delete all finished jobs but the {n} protected ones?");

/** @param {Skipped} skipped */
export const allProtected = ({ active, protected: kept }) => {
  const stay = active ? ` ${plural(active, "{n} active job stays.", "{n} active jobs stay.")}` : "";
  return plural(kept, "The only finished job is protected.", "All {n} finished jobs are protected.") + stay;
};

export const DAMAGED = {
  title: "Deletions are stopped",
  text: "The list of protected jobs can’t be read, so nothing is deleted. The damaged file was kept.",
  details: "Details",
  dialog: "The list of protected jobs is damaged",
  startEmpty: "Start with an empty list",
};

/** @param {string} name the file name; "" if unknown */
export const damagedText = (name) =>
  `The file was kept${name ? ` as ${clean(name)}` : ""}. Put a good copy in its place, or start with an empty list: then no job is protected.`;

export const LOST = {
  press: "Start anew…",
  dialog: "Start anew?",
  text:
    "Start anew only if the folder will not come back. What is missing counts as empty: no job is protected, no key is " +
    "saved, there are no backups, and the settings are as they were at first.",
  startAnew: "Start anew",
  notBegun: "The state folder could not be begun anew",
};

export const BACKUP = {
  kept: "Kept on this server",
  none: "There will be no backup, and nothing to reopen from Recently deleted.",
  progress: "Backing up workflows",
};

export const BEFORE = {
  label: "Before they go",
};

/** What can be kept. @param {number} n jobs @returns {[BackupKind, string][]} */
export const beforeChoices = (n) => [
  ["workflows", plural(n, "Keep its workflow", "Keep their workflows")],
  ["outputs", plural(n, "Keep its workflow and outputs", "Keep their workflows and outputs")],
  ["off", "Keep nothing"],
];

/** @typedef {Pick<Settings, "backup_days" | "backup_megabytes">} BackupLimits */

/** "for 90 days, or less if all backups together exceed 1,000 MB". @param {BackupLimits} limits */
const keptFor = ({ backup_days: days, backup_megabytes: megabytes }) =>
  `for ${plural(days, "{n} day", "{n} days")}, or less if all backups together exceed ${number(megabytes)} MB`;

/** @param {boolean} backup whether the workflows are backed up @param {number} n jobs @param {BackupLimits} [limits] */
export const backupPromise = (backup, n, limits) =>
  backup
    ? `${BACKUP.kept}${limits ? ` ${keptFor(limits)}` : ""}. ${plural(n, "Reopen it from Recently deleted.", "Reopen them from Recently deleted.")}`
    : BACKUP.none;

/**
 * What a choice promises.
 * @param {BackupKind} kind
 * @param {number} n jobs
 * @param {BackupLimits} [limits]
 * @param {Status["outputs"]} [outputs] where outputs are saved
 */
export function beforePromise(kind, n, limits, outputs) {
  const promise = backupPromise(kind !== "off", n, limits);
  if (kind !== "outputs") return promise;
  const where = clean(outputs?.place, 200) ? `in ${clean(outputs?.place, 200)}` : "here";
  const whole = plural(n, "If they are not all here and checked, the job is not deleted.", "A job whose outputs are not all here and checked is not deleted.");
  const first = outputs?.problem ? errorLine(outputs.problem) : `${plural(n, "Its", "Their")} outputs are saved ${where} first. ${whole}`;
  return `${first} ${plural(n, "Its workflow:", "Their workflows:")} ${promise.charAt(0).toLowerCase()}${promise.slice(1)}`;
}

/** How long backups are kept. @param {BackupLimits} limits */
export const backupsKept = (limits) => `Backups are kept ${keptFor(limits)}. The newest ten are always kept.`;

/** "231 workflows, about 1 MB, 2 to 9 min, longer if Comfy Cloud asks to wait". @param {BackupEstimate} estimate */
export const backupSize = ({ workflows, size, seconds, least_seconds: least, may_wait: mayWait }) =>
  `${plural(workflows, "{n} workflow", "{n} workflows")}, about ${fileSize(size)}, ${roughRange(least * 1000, seconds * 1000)}${mayWait ? ", longer if Comfy Cloud asks to wait" : ""}`;

/** @param {number} done @param {number} total */
export const backingUp = (done, total) => (total === 1 ? "Backing up the workflow…" : total ? `${BACKUP.progress}… ${number(done)} of ${number(total)}` : `${BACKUP.progress}…`);
/** @param {number} n */
export const outputsHere = (n) => (n > 0 ? ` ${plural(n, "{n} output is here.", "{n} outputs are here.")}` : "");
/** How many outputs are saved before the jobs are deleted. @param {number} done @param {number} total files; 0: not counted yet */
export const savingFiles = (done, total) => (total ? `Saving outputs… ${number(done)} of ${plural(total, "{n} file", "{n} files")}` : "Saving outputs…");
/** @param {number} n */
export const backedUp = (n) => (n > 0 ? ` ${plural(n, "{n} workflow backed up.", "{n} workflows backed up.")}` : "");
