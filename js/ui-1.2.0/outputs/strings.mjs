// @ts-check
/** Texts about saving outputs, and about outputs that are saved. */

import { clean, fileSize, roughDuration, sentences } from "../common/format.mjs";
import { reasonText } from "../common/server_words.mjs";
import { text } from "../common/words.mjs";

/** @import { Choice } from "../../../types/list" */
/** @import { NotSaved, OutputFacts, Save, SavedOutputs, SavePreview } from "../../../types/wire" */
/** @import { Words } from "../common/strings.mjs" */

/** How saved files can be checked. */
const CHECKS = new Set(["hash", "size", "none"]);

/** @returns {[Choice["saved"], string][]} */
export const savedChoices = () => [["", text("outputs.any")], ["yes", text("outputs.saved")], ["no", text("outputs.not_saved")]];

/** @param {number} n */
const outputs = (n) => text("outputs.outputs", { n });

/* Before saving */

/** @param {number} n jobs */
export const saveTitle = (n) => text("outputs.title", { n });
/** @param {number} n files */
export const saveButton = (n) => text("outputs.save_button", { n });

/** How many outputs Comfy Cloud no longer has. @param {SavePreview} preview */
export const goneFiles = ({ gone, gone_files: n = gone.length }) => n;

/** How many files would be saved. @param {SavePreview} preview */
export const filesToSave = (preview) => preview.files_to_save ?? Math.max(0, preview.files - preview.saved_files - goneFiles(preview));

/** How many bytes would be saved; null if a size is not known. @param {SavePreview} preview */
export const bytesToSave = ({ bytes, saved_bytes: here, bytes_to_save: left }) => (left !== undefined ? left : bytes === null ? null : Math.max(0, bytes - here));

/** "4.1 GB", or that it is unknown. @param {SavePreview} preview */
export function sizeToSave(preview) {
  const bytes = bytesToSave(preview);
  return bytes === null ? text("outputs.size_not_known") : fileSize(bytes);
}

/** @param {number} n jobs */
export const withoutOutputs = (n) => (n ? text("outputs.without_outputs", { n }) : "");

/** @param {SavePreview} preview */
export const checkWords = ({ checked }) => (CHECKS.has(checked) ? text(`outputs.check_${checked}`) : "");

/** @param {SavePreview} preview */
export const takesWords = ({ seconds }) => (seconds === null ? "" : seconds < 10 ? text("outputs.takes_seconds") : text("outputs.takes_about", { time: roughDuration(seconds * 1000) }));

/** @param {number} n outputs */
export const goneWords = (n) => text("outputs.gone", { n });

/** @param {number} n */
export const showGone = (n) => text("outputs.show_gone", { n });

/** Whether the files certainly don't fit on the disk. @param {SavePreview} preview */
export function isTooLarge(preview) {
  const bytes = bytesToSave(preview);
  return preview.free_bytes !== null && bytes !== null && bytes > preview.free_bytes;
}

/** @param {SavePreview} preview */
export const noSpaceText = (preview) =>
  text("outputs.no_space_text", { n: filesToSave(preview), size: sizeToSave(preview), free: fileSize(preview.free_bytes ?? 0) });

/** Why there is nothing to save. @param {SavePreview} preview */
export function nothingToSave(preview) {
  const { files: all, saved_files: here, place } = preview;
  const gone = goneFiles(preview);
  if (!all) return text("outputs.none_at_all");
  if (here) return sentences([text("outputs.all_here_in", { n: here, place: clean(place) }), gone > 0 && goneWords(gone)]);
  return text("outputs.all_gone", { n: gone });
}

/* While saving, and afterwards */

/** @param {Save} save */
export const progressTitle = ({ files_done: done, files: all }) => (all ? text("outputs.progress_part", { done, n: all }) : text("outputs.progress_begun"));

/** "1.2 of 4.1 GB", "980 MB of 4.1 GB". @param {Save} save */
function bytesWords({ bytes_done: done, bytes }) {
  if (!bytes) return done ? fileSize(done) : "";
  const [part, whole] = [fileSize(Math.min(done, bytes)), fileSize(bytes)];
  const [size = "", unit] = part.split(/\s/);
  return text("outputs.bytes_part", { part: unit && whole.split(/\s/)[1] === unit ? size : part, whole });
}

/** "1.2 of 4.1 GB · 18 MB/s · about 3 min left". @param {Save} save */
export const progressText = (save) =>
  [
    bytesWords(save),
    save.bytes_per_second > 0 && text("outputs.speed", { size: fileSize(save.bytes_per_second) }),
    save.seconds_left !== null && text("outputs.time_left", { time: roughDuration(save.seconds_left * 1000) }),
  ].filter(Boolean).join(" · ");

/** How much of a run is done, from 0 to 1: by bytes where all sizes are known. @param {Save} save */
export const shareDone = ({ bytes, bytes_done: bytesDone, files: all, files_done: done }) => (bytes ? Math.min(1, bytesDone / bytes) : all ? Math.min(1, done / all) : 0);

/** @param {number} percent */
export const savingSpoken = (percent) => text("outputs.spoken", { n: percent });

/** Names a run, so that two of them can be told apart. @param {Save} save */
export const whichSave = ({ jobs }) => text("outputs.which", { n: jobs });

/** How many files are here, and how many there are. @param {Save} save */
const partValues = ({ saved, already_here: already, files: all }) => ({ here: saved + already, n: all ?? 0 });

/** @param {Save} save @returns {Words} */
export function resultWords(save) {
  const { state, saved, already_here: already, failed, place, error } = save;
  const to = place && saved ? text("outputs.in_place", { place: clean(place) }) : "";
  const others = already > 0 && text("outputs.were_here", { n: already });
  const why = sentences([clean(error, 600), to, others]);
  if (state === "stopped") return { title: text("outputs.stopped_part", partValues(save)), text: why };
  if (!failed.length && !error) {
    if (saved || !already) return { title: text("outputs.files_saved", { n: saved }), text: saved ? sentences([to, others]) : text("outputs.in_place", { place: clean(place) }) };
    return { title: text("outputs.all_were_here", { n: already }), text: text("outputs.in_place", { place: clean(place) }) };
  }
  return { title: saved + already ? text("outputs.part_here", partValues(save)) : text("outputs.none_saved"), text: why };
}

const MAX_REASONS = 5;

/** @param {NotSaved} failed */
export const whyNotSaved = ({ why, reason }) => clean(reason ? reasonText(reason) : why, 160) || text("outputs.why_unknown");

/** How many files were not saved, by the reason, the most frequent first. @param {Save} save @returns {{n: number, word: string, why: string}[]} */
export function failedLines({ failed }) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const each of failed) counts.set(whyNotSaved(each), (counts.get(whyNotSaved(each)) ?? 0) + 1);
  const lines = [...counts].sort(([, a], [, b]) => b - a).map(([why, n]) => ({ n, word: text("outputs.line_not_saved"), why }));
  const rest = lines.slice(MAX_REASONS).reduce((sum, { n }) => sum + n, 0);
  return rest ? [...lines.slice(0, MAX_REASONS), { n: rest, word: text("outputs.line_not_saved"), why: text("outputs.why_others") }] : lines;
}

/** The files that were not saved, one a line, for the clipboard. @param {Save} save */
export const failedList = ({ failed }) => failed.map((each) => [each.job_id, each.filename, whyNotSaved(each)].join("\t")).join("\n");

/** The server tells of so many files that were not saved. */
const MAX_FAILED = 200;

/** The label of the button that saves what is left; "" if nothing is. @param {Save} save */
export function tryAgainLabel({ state, failed, jobs_left: left = failed.length }) {
  if (!left) return "";
  if (state === "stopped" || !failed.length) return text("outputs.save_rest");
  return failed.length < MAX_FAILED ? text("outputs.try_again_n", { n: failed.length }) : text("outputs.try_again");
}
/** @param {number} n jobs */
export const showJobsLabel = (n) => text("outputs.show_jobs", { n });

/* What is saved */

/** "All 4 outputs", "3 of 4 outputs". @param {SavedOutputs} saved @param {number} all outputs of the job */
export function savedCount({ files: saved }, all) {
  const there = saved.filter((each) => each.here).length;
  const most = Math.max(all, saved.length);
  if (!there) return text("outputs.count_none");
  return there === most ? text("outputs.count_all", { n: most }) : text("outputs.count_part", { here: there, n: most });
}

/** @param {number} there outputs on this server's disk @param {number} all outputs of the job */
export const savedSentence = (there, all) => (there === all ? text("outputs.saved_all", { n: all }) : text("outputs.saved_part", { here: there, n: all }));

/* In questions before a deletion */

/** @param {number} n jobs @param {boolean} kept whether workflows are kept in a backup */
export const goesWords = (n, kept) => (kept ? text("outputs.goes_kept", { n }) : text("deletion.what_goes", { n }));

/** @param {number} n */
export const outputsInAll = (n) => (n ? outputs(n) : text("outputs.no_outputs"));

/** "312 outputs, 1.4 GB". @param {OutputFacts} facts */
export const staysWords = ({ files: all, bytes, gone_files: gone }) => {
  const left = Math.max(0, all - gone);
  if (!left) return text("outputs.no_outputs");
  return bytes === null ? outputs(left) : text("outputs.outputs_size", { n: left, size: fileSize(bytes) });
};

/** @param {OutputFacts} facts */
export const hereWords = ({ files: all, saved_files: saved }) => {
  if (!all) return "";
  if (!saved) return text("outputs.here_none", { n: all });
  return saved === all ? text("outputs.here_all", { n: all }) : text("outputs.here_part", { here: saved, n: all });
};

/** @param {number} n outputs */
export const goneFromCloud = (n) => text("outputs.gone_from_cloud", { n });
