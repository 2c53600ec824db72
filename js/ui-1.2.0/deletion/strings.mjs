// @ts-check
/** The words of deleting, undoing and details. */

import { clean, number, plural, tally } from "../common/format.mjs";
import { CLEAR, COMMON, NOT_DELETED, TOO_OLD } from "../common/strings.mjs";
import { backingUp } from "../protection/strings.mjs";

export { CLEAR, COMMON, NOT_DELETED, TOO_OLD };

export const DELETE = {
  byRules: "Kept by your rules",
  assets: "Assets stay.",
  history: "Only history will be affected.",
  nothing: "Nothing to delete",
  counting: "Delete jobs from your cloud history?",
  oldest: "Oldest",
  newest: "Newest",
  outputs: "Outputs",
  account: "Account",
  copyReport: "Copy report",
  reportCopied: "Report copied",
  progress: "Deleting jobs",
  checking: "Checking what is gone…",
  waiting: "Waiting for another deletion to finish…",
  closeable: "You can close this panel. The deletion goes on.",
  show: "Show",
  stop: "Stop",
  stopTip: "What was sent stays sent",
};

export const NOT_STOPPED = "It could not be stopped";

export const HOLD = {
  text: "Nothing has been sent yet.",
  undo: "Undo",
  soon: "5 seconds left to undo.",
  notUndone: "It could not be undone",
  nothing: "Nothing to undo",
  tooLate: { title: "Too late to undo", text: "The deletion has been sent. Its result follows." },
};

/** @param {number} n */
const jobs = (n) => plural(n, "{n} job", "{n} jobs");

/* Before */

/** @param {number} n */
export const deleteTitle = (n) => `Delete ${jobs(n)} from your cloud history?`;
/** @param {number} n */
export const deleteButton = (n) => `Delete ${jobs(n)}`;
/** @param {number} n */
export const outputsStay = (n) => plural(n, "{n} output stays in your assets", "{n} outputs stay in your assets");
/** @param {number} n */
export const showJobs = (n) => plural(n, "Show the job", "Show the {n} jobs");
/** @param {number} n */
export const hideJobs = (n) => plural(n, "Hide the job", "Hide the jobs");
/** @param {number} n */
export const andMore = (n) => `and ${number(n)} more`;

/** @param {import("../../../types/wire").DeletePreview["skipped"]} skipped */
const skippedParts = ({ active, protected: kept, unknown, already_gone: gone }) =>
  tally([[active, "active"], [kept, "protected"], [unknown, "unknown"], [gone, "already gone"]]);

/** @param {import("../../../types/wire").DeletePreview["skipped"]} skipped */
export const staying = (skipped) => skippedParts(skipped) || CLEAR.noneActive;

/** @param {import("../../../types/wire").DeletePreview["skipped"]} skipped */
export function nothingToDelete(skipped) {
  const n = skipped.active + skipped.protected + skipped.unknown + skipped.already_gone;
  if (!n) return "No finished job is selected.";
  if (n === skipped.already_gone) return plural(n, "The selected job is already gone.", "All {n} selected jobs are already gone.");
  if (n > 1) return `All ${number(n)} selected jobs stay: ${skippedParts(skipped)}.`;
  const why = skipped.active ? "it is active" : skipped.protected ? "it is protected" : "its status is unknown";
  return `The selected job stays: ${why}.`;
}

/** @param {number} seconds */
export const undoHint = (seconds) =>
  seconds > 0 ? `You can undo for ${number(seconds)} s; after that it can’t be undone.` : "This can’t be undone.";

/** @param {number} seconds */
export const clearHint = (seconds) => `${undoHint(seconds)} If more jobs finish before it is sent, you are asked again.`;

/* Held */

/** @param {number} n @param {number} seconds */
export const holdTitle = (n, seconds) => plural(n, `Removing {n} job in ${seconds} s`, `Removing {n} jobs in ${seconds} s`);
/** @param {number} n @param {number} seconds */
export const holdSpoken = (n, seconds) => `Removing ${jobs(n)} in ${seconds} seconds. Control Z to undo.`;
/** @param {number} n */
export const backInList = (n) => plural(n, "{n} job is back in the list.", "{n} jobs are back in the list.");

/** @param {number} n */
export const lostHold = (n) => ({
  title: "A deletion was not sent",
  text: plural(
    n,
    "ComfyUI stopped before {n} job was deleted. It is still in the list.",
    "ComfyUI stopped before {n} jobs were deleted. They are still in the list.",
  ),
});

/* Under way */

/**
 * @param {"delete" | "clear"} kind
 * @param {string} phase
 * @param {number} done
 * @param {number} total
 */
export function progressTitle(kind, phase, done, total) {
  if (phase === "checking") return DELETE.checking;
  if (phase === "waiting") return DELETE.waiting;
  if (phase === "backing_up") return backingUp(done, total);
  if (kind === "clear") return CLEAR.progress;
  return total ? `${DELETE.progress}… ${number(done)} of ${number(total)}` : `${DELETE.progress}…`;
}

/** @param {number} seconds */
export const asksToWait = (seconds) => `Comfy Cloud asks to wait, ${number(seconds)} s`;

/** @param {number} percent */
export const progressSpoken = (percent) => `Deleting: ${percent} percent`;

/* Cancelling jobs */

/** @param {number} n */
export const cancelWords = (n) => ({
  title: plural(n, "Cancel this job?", "Cancel {n} jobs?"),
  text: plural(n, "It stops now and stays in your history as cancelled.", "They stop now and stay in your history as cancelled."),
  keep: plural(n, "Keep it running", "Keep them running"),
  confirm: plural(n, "Cancel job", "Cancel {n} jobs"),
});

/** @param {number} cancelled @param {number} already @param {number} left asked for and not answered for */
export const cancelledWords = (cancelled, already, left) => ({
  title: plural(cancelled, "{n} job cancelled", "{n} jobs cancelled"),
  detail: [
    already > 0 && `${number(already)} had finished already.`,
    left > 0 && plural(left, "{n} job was not cancelled.", "{n} jobs were not cancelled."),
  ].filter(Boolean).join(" "),
});

/** @param {number} cancelled @param {number} already that the answers before told of */
export const cancelLost = (cancelled, already) => {
  const { title, detail } = cancelledWords(cancelled, already, 0);
  const known = [cancelled > 0 && `${title}.`, detail];
  return { title: "Outcome unknown", text: [...known, "The answer was lost. Look at the list again."].filter(Boolean).join(" ") };
};

/* Details */

export const DETAILS = {
  back: "Back to the list",
  status: "Status",
  queued: "Queued",
  started: "Started",
  finished: "Finished",
  took: "Took",
  outputs: "Outputs",
  none: "None",
  workflow: "Workflow",
  jobId: "Job ID",
  copyWorkflowId: "Copy workflow ID",
  copyJobId: "Copy job ID",
  idCopied: "Copied",
  traceback: "Traceback",
  copyError: "Copy error",
  errorCopied: "Error copied",
  open: "Open workflow",
  download: "Download workflow",
  opened: "Workflow opened in a new tab",
  notCancelled: "No job was cancelled",
  notOpened: "The workflow can’t be opened",
  notOpenedText: "It is not in a form that ComfyUI can load. Download it to look at it.",
  noWorkflow: "Comfy Cloud kept no workflow for this job.",
  activeStay: "Active jobs can’t be deleted. Cancel the job first, or wait until it has finished.",
  cancel: "Cancel job…",
  remove: "Delete…",
  notCopied: "This browser does not let pages copy",
  pick: "Choose a job to see its details.",
  gone: { title: "Comfy Cloud does not find this job", text: "It may have been removed elsewhere. Refresh the list." },
};

/** @param {number} n */
export const outputsKept = (n) => plural(n, "{n} output, kept as an asset", "{n} outputs, kept as assets");
/** @param {number} i @param {number} n */
export const outputOf = (i, n) => `${number(i)} of ${number(n)}`;
/** @param {string} node @param {string} id */
export const nodeWords = (node, id) => (id ? `${clean(node, 80) || "Node"} (node ${clean(id, 40)})` : clean(node, 80));
/** @param {string} took @param {string} queued */
export const tookWords = (took, queued) => (queued ? `${took}, after ${queued} in the queue` : took);

/* Settings */

export const SETTINGS = {
  saved: "Saved",
  fixed: "Set outside ComfyUI",
  fixedBy: "Set by COMFY_CLOUD_HISTORY_NODES. Change it there, then restart ComfyUI.",
  backup: { off: "Off", workflows: "Workflows" },
  nodes: { ask: "Ask first", allow: "Always", never: "Never" },
  ranges: {
    hold_seconds: "0 to 60. With 0, a deletion is sent at once.",
    backup_days: "1 to 36,500. The newest ten backups are always kept.",
    backup_megabytes: "1 to 10,000,000. The newest ten backups are always kept.",
  },
};
