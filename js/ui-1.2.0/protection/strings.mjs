// @ts-check
/** Texts on screen about protected jobs, which deletions leave out, and about what is kept of the others. */

import { clean, fileSize, roughRange, sentences } from "../common/format.mjs";
import { errorLine } from "../common/strings.mjs";
import { text } from "../common/words.mjs";

/** @import { Choice } from "../../../types/list" */
/** @import { BackupKind, DeletePreview, Settings, Status } from "../../../types/wire" */

/** @typedef {DeletePreview["skipped"]} Skipped */
/** @typedef {NonNullable<DeletePreview["backup_estimate"]>} BackupEstimate */

/** @returns {[Choice["protection"], string][]} */
export const protections = () => [["", text("protection.any")], ["protected", text("protection.protected")], ["open", text("protection.not_protected")]];

const MAX_NAMES = 2;

/** "a and b", or "a, b and 1 more". @param {string[]} names */
function listed(names) {
  const rest = names.length - MAX_NAMES;
  return rest > 0 ? text("protection.names_and_more", { names: names.slice(0, MAX_NAMES), n: rest }) : text("protection.names", { names });
}

/** @param {string[]} names */
export const protectedToast = (names) =>
  names.length === 1 ? text("protection.one_protected", { name: names[0] ?? "" }) : text("protection.many_protected", { n: names.length, names: listed(names) });
/** @param {string[]} names */
export const unprotectedToast = (names) =>
  names.length === 1 ? text("protection.one_unprotected", { name: names[0] ?? "" }) : text("protection.many_unprotected", { n: names.length, names: listed(names) });

/**
 * Asks to unprotect a workflow, because its jobs can't be unprotected one by one.
 * @param {object} about
 * @param {number} about.asked number of jobs to unprotect
 * @param {number} about.held number of those that a workflow protects
 * @param {number} about.workflows number of these workflows
 * @param {number} about.freed number of jobs that would lose their protection
 */
export const byWorkflowWords = ({ asked, held, workflows, freed }) => ({
  title: asked === 1 ? text("protection.by_workflow_title_one") : text("protection.by_workflow_title", { n: held }),
  text: sentences([
    text("protection.not_alone", { n: held }),
    workflows === 1 ? text("protection.workflow_frees", { n: freed }) : text("protection.workflows_free", { n: freed, workflows })]),
  confirm: text("protection.unprotect_workflows", { n: workflows }),
});

/** @param {number} n */
export const allButTitle = (n) => text("protection.all_but_title", { n });

/** @param {Skipped} skipped */
export const allProtected = ({ active, protected: kept }) =>
  sentences([text("protection.all_protected", { n: kept }), active > 0 && text("deletion.active_stay", { n: active })]);

/** @param {string} name the file name; "" if unknown */
export const damagedText = (name) => (name ? text("protection.damaged_kept_as", { name: clean(name) }) : text("protection.damaged_kept"));

/** What can be kept. @param {number} n jobs @returns {[BackupKind, string][]} */
export const beforeChoices = (n) => [
  ["workflows", text("protection.before_workflows", { n })],
  ["outputs", text("protection.before_outputs", { n })],
  ["off", text("protection.before_off")],
];

/** @typedef {Pick<Settings, "backup_days" | "backup_megabytes">} BackupLimits */

/** @param {BackupLimits} limits */
const limitValues = ({ backup_days: days, backup_megabytes: megabytes }) => ({ days, megabytes });

/** @param {boolean} backup whether the workflows are backed up @param {number} n jobs @param {BackupLimits} [limits] */
export function backupPromise(backup, n, limits) {
  if (!backup) return text("protection.backup_none");
  return sentences([limits ? text("protection.kept_for", limitValues(limits)) : text("protection.kept"), text("protection.reopen", { n })]);
}

/**
 * What a choice promises.
 * @param {BackupKind} kind
 * @param {number} n jobs
 * @param {BackupLimits} [limits]
 * @param {Status["outputs"]} [outputs] where outputs are saved
 */
export function beforePromise(kind, n, limits, outputs) {
  if (kind !== "outputs") return backupPromise(kind !== "off", n, limits);
  const place = clean(outputs?.place, 200);
  const saved = place ? text("protection.outputs_first_in", { n, place }) : text("protection.outputs_first", { n });
  const kept = limits ? text("protection.workflows_kept_for", { n, ...limitValues(limits) }) : text("protection.workflows_kept", { n });
  return sentences([outputs?.problem ? errorLine(outputs.problem) : saved, kept, text("protection.reopen", { n })]);
}

/** How long backups are kept. @param {BackupLimits} limits */
export const backupsKept = (limits) => text("protection.backups_kept", limitValues(limits));

/** "231 workflows, about 1 MB, 2 to 9 min, longer if Comfy Cloud asks to wait". @param {BackupEstimate} estimate */
export function backupSize({ workflows, size, seconds, least_seconds: least, may_wait: mayWait }) {
  const values = { n: workflows, size: fileSize(size), time: roughRange(least * 1000, seconds * 1000) };
  return mayWait ? text("protection.backup_size_may_wait", values) : text("protection.backup_size", values);
}

/** @param {number} done @param {number} total */
export function backingUp(done, total) {
  if (total === 1) return text("protection.backing_up_one");
  return total ? text("protection.backing_up_part", { done, total }) : text("protection.backing_up");
}
/** @param {number} n */
export const outputsHere = (n) => n > 0 && text("protection.outputs_here", { n });
/** How many outputs are saved before the jobs are deleted. @param {number} done @param {number} total files; 0: not counted yet */
export const savingFiles = (done, total) => (total ? text("outputs.progress_part", { done, n: total }) : text("outputs.progress_begun"));
/** @param {number} n */
export const backedUp = (n) => n > 0 && text("protection.backed_up", { n });
