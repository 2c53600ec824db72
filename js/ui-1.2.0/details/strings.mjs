// @ts-check
/** Texts on screen of a job's details. */

import { clean, number, plural } from "../common/format.mjs";

export const DETAILS = {
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
  error: "Error",
  copyError: "Copy error",
  errorCopied: "Error copied",
  open: "Open workflow",
  download: "Download workflow",
  opened: "Workflow opened in a new tab",
  notOpened: "The workflow can’t be opened",
  notOpenedText: "It is not in a form that ComfyUI can load. Download it to look at it.",
  noWorkflow: "Comfy Cloud kept no workflow for this job.",
  activeStay: "Active jobs can’t be deleted. Cancel the job first, or wait until it has finished.",
  cancel: "Cancel job…",
  remove: "Delete…",
  gone: { title: "Comfy Cloud does not find this job", text: "It may have been removed elsewhere. Refresh the list." },
  notListed: { title: "This job is no longer in your cloud history", text: "The list has been read again since you opened this job." },
};

/** @param {number} n */
export const outputsKept = (n) => plural(n, "{n} output, kept as an asset", "{n} outputs, kept as assets");

/** @param {number} i @param {number} n */
export const outputOf = (i, n) => `${number(i)} of ${number(n)}`;

/** @param {string} name of an output @param {string} position "2 of 5", "" for the only one */
export const viewWord = (name, position) => [`View ${name}`, position].filter(Boolean).join(", ");

/** @param {string} node @param {string} id */
export const nodeWords = (node, id) => (id ? `${clean(node, 80) || "Node"} (node ${clean(id, 40)})` : clean(node, 80));

/** @param {string} took @param {string} queued */
export const tookWords = (took, queued) => (queued ? `${took}, after ${queued} in the queue` : took);
