// @ts-check
/** Texts about saving outputs, and about outputs that are saved. */

import { clean, fileSize, number, plural, roughDuration } from "../common/format.mjs";

/** @import { Choice } from "../../../types/list" */
/** @import { NotSaved, OutputFacts, Save, SavedOutputs, SavePreview } from "../../../types/wire" */
/** @import { Words } from "../common/strings.mjs" */

export const SAVE = {
  ask: "Save outputs…",
  askThis: "Save outputs of this job…",
  asking: "Save outputs?",
  toSave: "to save",
  here: "already here",
  counting: "Counting outputs…",
  place: "Saved to",
  free: "Free space",
  takes: "Takes",
  account: "Account",
  checked: "Checked",
  noOverwrite: "No file is overwritten. You can close this panel while the outputs are saved.",
  nothing: "Nothing to save",
  goneTitle: "No longer on Comfy Cloud",
  noSpace: "Not enough disk space",
  progress: "Saving outputs",
  stop: "Stop",
  stopTip: "Saved files stay. You can save the rest later.",
  stopping: "Stopping…",
  stoppingText: "Saved files stay.",
  closeable: "You can close this panel. Saving goes on.",
  interrupted: "Saving was interrupted",
  goOn: "Continue",
  discard: "Discard",
  discardTip: "Saves no more of these outputs. Saved files stay.",
  saveRest: "Save the rest",
  stopped: "Saving was stopped",
  notStopped: "Saving could not be stopped",
  notStarted: "The outputs were not saved",
  notContinued: "Saving could not be continued",
  notDismissed: "The message could not be dismissed",
  showPanel: "Show",
  show: "Open Cloud history to see what was saved.",
  away: "ComfyUI doesn’t answer",
  awayText: "If it still runs, it goes on saving. What is saved is shown here as soon as it answers.",
  copyList: "Copy list",
  listCopied: "List copied",
};

/** How saved files are checked. */
const CHECKS = { hash: "Each file, by its size and its hash", size: "Each file, by its size", none: "Comfy Cloud tells no sizes, so files are only checked to have arrived whole" };

export const SAVED = {
  field: "Saved outputs",
  word: "Saved",
  spoken: "outputs saved",
  tip: "All outputs of this job are saved here",
  folder: "Folder",
  copyFolder: "Copy folder",
  folderCopied: "Folder copied",
  missing: "no longer here",
  showFiles: "Saved outputs",
  hideFiles: "Hide saved outputs",
  loading: "Looking for saved outputs…",
  none: "None of its outputs is saved here.",
  notRead: "What is saved can’t be read",
  view: "View",
  download: "Download",
};

/** @type {[Choice["saved"], string][]} */
export const SAVED_CHOICES = [["", "Any"], ["yes", "Saved"], ["no", "Not saved"]];

/** @param {number} n */
const files = (n) => plural(n, "{n} file", "{n} files");
/** @param {number} n */
const outputs = (n) => plural(n, "{n} output", "{n} outputs");

/* Before saving */

/** @param {number} n jobs */
export const saveTitle = (n) => plural(n, "Save the outputs of {n} job?", "Save the outputs of {n} jobs?");
/** @param {number} n files */
export const saveButton = (n) => plural(n, "Save {n} file", "Save {n} files");

/** How many outputs Comfy Cloud no longer has. @param {SavePreview} preview */
export const goneFiles = ({ gone, gone_files: n = gone.length }) => n;

/** How many files would be saved. @param {SavePreview} preview */
export const filesToSave = (preview) => preview.files_to_save ?? Math.max(0, preview.files - preview.saved_files - goneFiles(preview));

/** How many bytes would be saved; null if a size is not known. @param {SavePreview} preview */
export const bytesToSave = ({ bytes, saved_bytes: here, bytes_to_save: left }) => (left !== undefined ? left : bytes === null ? null : Math.max(0, bytes - here));

/** "4.1 GB", or that it is unknown. @param {SavePreview} preview */
export function sizeToSave(preview) {
  const bytes = bytesToSave(preview);
  return bytes === null ? "size not known" : fileSize(bytes);
}

/** @param {number} n jobs */
export const withoutOutputs = (n) => (n ? plural(n, "{n} job has no outputs", "{n} jobs have no outputs") : "");

/** @param {SavePreview} preview */
export const checkWords = ({ checked }) => CHECKS[checked] ?? "";

/** @param {SavePreview} preview */
export const takesWords = ({ seconds }) => (seconds === null ? "" : seconds < 10 ? "a few seconds" : `about ${roughDuration(seconds * 1000)}`);

/** @param {number} n outputs */
export const goneWords = (n) => plural(n, "{n} output is no longer on Comfy Cloud and can’t be saved.", "{n} outputs are no longer on Comfy Cloud and can’t be saved.");

/** @param {number} n */
export const showGone = (n) => plural(n, "Show the output", "Show the {n} outputs");

/** Whether the files certainly don't fit on the disk. @param {SavePreview} preview */
export function isTooLarge(preview) {
  const bytes = bytesToSave(preview);
  return preview.free_bytes !== null && bytes !== null && bytes > preview.free_bytes;
}

/** @param {SavePreview} preview */
export const noSpaceText = (preview) =>
  `${files(filesToSave(preview))} ${filesToSave(preview) === 1 ? "needs" : "need"} ${sizeToSave(preview)}, and ${fileSize(preview.free_bytes ?? 0)} are free. Free some space, choose fewer jobs, or choose another folder in Settings.`;

/** Why there is nothing to save. @param {SavePreview} preview */
export function nothingToSave(preview) {
  const { files: all, saved_files: here, place } = preview;
  const gone = goneFiles(preview);
  if (!all) return "These jobs have no outputs.";
  if (here) return [plural(here, "The output is already here", "All {n} outputs are already here"), `, in ${clean(place)}.`, gone ? ` ${goneWords(gone)}` : ""].join("");
  return plural(gone, "Comfy Cloud no longer has this output.", "Comfy Cloud no longer has these {n} outputs.");
}

/* While saving, and afterwards */

/** @param {Save} save */
export const progressTitle = ({ files_done: done, files: all }) => (all ? `${SAVE.progress}… ${number(done)} of ${files(all)}` : `${SAVE.progress}…`);

/** "1.2 of 4.1 GB", "980 MB of 4.1 GB". @param {Save} save */
function bytesWords({ bytes_done: done, bytes }) {
  if (!bytes) return done ? fileSize(done) : "";
  const [part, whole] = [fileSize(Math.min(done, bytes)), fileSize(bytes)];
  const [size, unit] = part.split(" ");
  return whole.endsWith(` ${unit}`) ? `${size} of ${whole}` : `${part} of ${whole}`;
}

/** "1.2 of 4.1 GB · 18 MB/s · about 3 min left". @param {Save} save */
export const progressText = (save) =>
  [bytesWords(save), save.bytes_per_second > 0 && `${fileSize(save.bytes_per_second)}/s`, save.seconds_left !== null && `about ${roughDuration(save.seconds_left * 1000)} left`]
    .filter(Boolean)
    .join(" · ");

/** How much of a run is done, from 0 to 1: by bytes where all sizes are known. @param {Save} save */
export const shareDone = ({ bytes, bytes_done: bytesDone, files: all, files_done: done }) => (bytes ? Math.min(1, bytesDone / bytes) : all ? Math.min(1, done / all) : 0);

/** @param {number} percent */
export const savingSpoken = (percent) => `Saving outputs: ${percent} percent`;

/** Names a run, so that two of them can be told apart. @param {Save} save */
export const whichSave = ({ jobs }) => plural(jobs, "Outputs of {n} job", "Outputs of {n} jobs");

export const INTERRUPTED = "ComfyUI stopped meanwhile. What is saved is whole and stays. Nothing goes on by itself.";

/** "6 of 8 files are here". @param {Save} save */
const partHere = ({ saved, already_here: already, files: all }) => `${number(saved + already)} of ${files(all ?? 0)} ${saved + already === 1 ? "is" : "are"} here`;

/** @param {number} n files that were here before */
const alreadyHere = (n) => (n ? plural(n, "{n} was already here.", "{n} were already here.") : "");

/** @param {Save} save @returns {Words} */
export function resultWords(save) {
  const { state, saved, already_here: already, failed, place, error } = save;
  const to = place && saved ? `In ${clean(place)}.` : "";
  const others = alreadyHere(already);
  if (state === "stopped") return { title: `Saving was stopped: ${partHere(save)}`, text: [clean(error, 600), to, others].filter(Boolean).join(" ") };
  if (!failed.length && !error) return { title: saved || !already ? plural(saved, "{n} file saved", "{n} files saved") : plural(already, "The file was already here", "All {n} files were already here"), text: saved ? [to, others].filter(Boolean).join(" ") : `In ${clean(place)}.` };
  const title = saved + already ? partHere(save) : "No file was saved";
  return { title, text: [clean(error, 600), to, others].filter(Boolean).join(" ") };
}

const MAX_REASONS = 5;

/** @param {NotSaved} failed */
export const whyNotSaved = ({ why }) => clean(why, 160) || "for an unknown reason";

/** How many files were not saved, by the reason, the most frequent first. @param {Save} save @returns {{n: number, word: string, why: string}[]} */
export function failedLines({ failed }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const each of failed) counts.set(whyNotSaved(each), (counts.get(whyNotSaved(each)) ?? 0) + 1);
  const lines = [...counts].sort(([, a], [, b]) => b - a).map(([why, n]) => ({ n, word: "not saved", why }));
  const rest = lines.slice(MAX_REASONS).reduce((sum, { n }) => sum + n, 0);
  return rest ? [...lines.slice(0, MAX_REASONS), { n: rest, word: "not saved", why: "for other reasons" }] : lines;
}

/** The files that were not saved, one a line, for the clipboard. @param {Save} save */
export const failedList = ({ failed }) => failed.map((each) => [each.job_id, each.filename, whyNotSaved(each)].join("\t")).join("\n");

/** The server tells of so many files that were not saved. */
const MAX_FAILED = 200;

/** The label of the button that saves what is left; "" if nothing is. @param {Save} save */
export function tryAgainLabel({ state, failed, jobs_left: left = failed.length }) {
  if (!left) return "";
  if (state === "stopped" || !failed.length) return SAVE.saveRest;
  return failed.length < MAX_FAILED ? `Try again (${number(failed.length)})` : "Try again";
}
/** @param {number} n jobs */
export const showJobsLabel = (n) => plural(n, "Show the job", "Show the {n} jobs");
/** What is said of jobs whose outputs are not all saved, on a chip. */
export const NOT_SAVED = "Not saved";

/* What is saved */

/** "All 4 outputs", "3 of 4 outputs". @param {SavedOutputs} saved @param {number} all outputs of the job */
export function savedCount({ files: saved }, all) {
  const there = saved.filter((each) => each.here).length;
  const most = Math.max(all, saved.length);
  if (!there) return "None";
  return there === most ? plural(most, "The output", "All {n} outputs") : `${number(there)} of ${outputs(most)}`;
}

/** @param {number} there outputs on this server's disk @param {number} all outputs of the job */
export const savedSentence = (there, all) => (there === all ? plural(all, "The output is saved here.", "All {n} outputs are saved here.") : `${number(there)} of ${outputs(all)} are saved here.`);

/* In questions before a deletion */

export const FACTS = {
  goes: "Goes",
  stays: "Stays on the Cloud",
  here: "Is here",
  notKnown: "Not known now",
  nothing: "There is nothing to save",
};

/** @param {number} n jobs @param {boolean} kept whether workflows are kept in a backup */
export const goesWords = (n, kept) =>
  kept
    ? plural(n, "Its workflow, times and error; the workflow is kept in a backup", "Their workflows, times and errors; the workflows are kept in a backup")
    : plural(n, "Its workflow, times and error", "Their workflows, times and errors");

/** @param {number} n */
export const outputsInAll = (n) => (n ? outputs(n) : "No outputs");

/** "312 outputs, 1.4 GB". @param {OutputFacts} facts */
export const staysWords = ({ files: all, bytes, gone_files: gone }) => {
  const left = Math.max(0, all - gone);
  return left ? [outputs(left), bytes !== null && fileSize(bytes)].filter(Boolean).join(", ") : "No outputs";
};

/** @param {OutputFacts} facts */
export const hereWords = ({ files: all, saved_files: saved }) => {
  if (!all) return "";
  if (!saved) return plural(all, "The output is not saved", "None of the {n} outputs is saved");
  return saved === all ? plural(all, "The output is saved", "All {n} outputs are saved") : `${number(saved)} of ${outputs(all)} saved`;
};

/** @param {number} n outputs */
export const goneFromCloud = (n) => plural(n, "{n} output is no longer on the Cloud.", "{n} outputs are no longer on the Cloud.");
