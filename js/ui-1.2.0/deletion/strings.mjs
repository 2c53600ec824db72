// @ts-check
/** Texts of deletions and Undo. */

import { exactClock, number, roughDuration, sentence, sentences } from "../common/format.mjs";
import { formatter, text } from "../common/words.mjs";
import { backingUp, savingFiles } from "../protection/strings.mjs";

/** @import { DeletePreview, Preview } from "../../../types/wire" */

/** @typedef {DeletePreview["skipped"]} Skipped */

/** "18,402 completed, 2 failed": numbers with their words, without zeros. @param {[number, string][]} counts numbers, and the keys of their words */
export const counted = (counts) => formatter().list(counts.filter(([n]) => n > 0).map(([n, key]) => text(key, { n })), "narrow");

/** @param {number} n */
const seconds = (n) => text("common.duration.seconds", { n: number(n) });

/** Why a deletion can't be undone any more. @param {boolean} backsUp whether it backs up workflows, so that nothing is sent yet */
export const tooLate = (backsUp) => ({ title: text("deletion.too_late_title"), text: backsUp ? text("deletion.too_late_backup") : text("deletion.too_late") });

/* Before the confirmation */

/** @param {{selected: number, shown: number}} selection of which the list shows only some jobs */
export const hiddenSelection = ({ selected, shown }) =>
  shown ? text("deletion.partly_hidden", { n: selected, shown, hidden: selected - shown }) : text("deletion.all_hidden", { n: selected });

/** @param {number} n */
export const deselectHidden = (n) => text("deletion.deselect_hidden", { n });

/** @param {number} n */
export const deleteTitle = (n) => text("deletion.title", { n });
/** @param {number} n */
export const deleteButton = (n) => text("deletion.delete_jobs", { n });
/** @param {number} n */
export const showJobs = (n) => text("deletion.show_jobs", { n });

/** Jobs that stay. @param {Skipped} skipped */
const skippedParts = ({ active, protected: kept, unknown, already_gone: gone }) =>
  counted([[active, "deletion.n_active"], [kept, "deletion.n_protected"], [unknown, "deletion.n_unknown"], [gone, "deletion.n_gone"]]);

/** Why jobs stay. @param {{removable?: number, skipped: Skipped, kept?: number | null}} question */
export const stayingWords = ({ removable = 0, skipped: { active, protected: safe, unknown }, kept }) =>
  counted([[kept ?? 0, "deletion.n_kept"], [active, "deletion.n_active"], [safe, "deletion.n_protected"], [unknown, "deletion.n_unknown"]]) || text("deletion.none_stays", { n: removable });

/** @param {Skipped} skipped */
export const alreadyGone = ({ already_gone: n }) => (n ? text("deletion.already_gone", { n }) : "");

/** "12 min of run time", with "at least" if the time of some jobs is unknown. @param {number | null} took @param {number} timed number of jobs whose time is known @param {number} all */
export const runTime = (took, timed, all) => (took === null ? "" : text("deletion.run_time", { known: timed < all ? "some" : "all", time: roughDuration(took) }));

/** The text alternative of the pictures. @param {number} shown @param {number} all */
export const goingPictures = (shown, all) => (shown < all ? text("deletion.some_pictures", { shown, n: all }) : text("deletion.pictures", { n: all }));

/** @param {number} n */
export const agreeAll = (n) => text("deletion.agree_all", { n });

/** Less than all jobs must not round up to 100%. */
const NEARLY_ALL = 0.99;
const percent = (/** @type {number} */ share) => formatter().number(share, { style: "percent" });

/** @param {number} share */
export const agreePart = (share) =>
  share > NEARLY_ALL ? text("deletion.agree_nearly_all", { percent: percent(NEARLY_ALL) }) : text("deletion.agree_part", { percent: percent(share) });

/** The same for rules that apply to some of the finished jobs. @param {number} n */
export const agreeAllOfRules = (n) => text("deletion.agree_all_of_rules", { n });

/** @param {number} share @param {number} n */
export const agreePartOfRules = (share, n) =>
  share > NEARLY_ALL
    ? text("deletion.agree_nearly_all_of_rules", { percent: percent(NEARLY_ALL), n })
    : text("deletion.agree_part_of_rules", { percent: percent(share), n });

/** @param {number} n */
export const agreeMany = (n) => text("deletion.agree_many", { n });

/** For jobs that can be had back in no way. @param {number} n */
export const agreeFinal = (n) => text("deletion.agree_final", { n });

/** What else the person must do, after a choice that asks for it. @param {string} agreement */
export const alsoTick = (agreement) => agreement && text("deletion.also_tick", { agreement });

/** @param {Skipped} skipped */
export function nothingToDelete(skipped) {
  const n = skipped.active + skipped.protected + skipped.unknown + skipped.already_gone;
  if (!n) return text("deletion.none_selected");
  if (n === skipped.already_gone) return text("deletion.selected_gone", { n });
  if (n > 1) return text("deletion.selected_stay", { n, why: skippedParts(skipped) });
  if (skipped.active) return text("deletion.selected_active");
  return skipped.protected ? text("deletion.selected_protected") : text("deletion.selected_unknown");
}

/**
 * Whether and until when a deletion can be undone.
 * @param {number} left seconds of the hold; 0 without a hold
 * @param {boolean} [backsUp] whether the workflows are backed up before anything is sent
 */
export function undoHint(left, backsUp = false) {
  if (left > 0) return text(backsUp ? "deletion.undo_backup" : "deletion.undo", { time: seconds(left) });
  return backsUp ? text("deletion.backup_at_once") : text("deletion.sent_at_once");
}

/** The same for a deletion by a workflow, which has no hold. @param {boolean} backsUp */
export const workflowUndoHint = (backsUp) => (backsUp ? text("deletion.workflow_backup") : text("deletion.sent_at_once"));

/** @param {number} left seconds of the hold */
export const clearHint = (left) => sentences([undoHint(left), text("deletion.clear_asks_again")]);

/** Shown while a question reads the jobs for long. @param {number} passed seconds */
export const readingLong = (passed) => text("deletion.reading_long", { time: seconds(passed) });

/* During a hold */

/** @typedef {{jobs: number, backup: boolean}} Held a held deletion: how many jobs, and whether a backup comes first */

/** What begins when the hold ends. @param {Held} entry @param {string} time */
const heldIn = ({ jobs: n, backup }, time) => text(backup ? "deletion.backup_in" : "deletion.removing_in", { n, time });

/** @param {Held} entry @param {number} left seconds */
export const holdTitle = (entry, left) => heldIn(entry, seconds(left));
/** @param {Held} entry @param {number} at milliseconds since 1970 */
export const holdAt = ({ jobs: n, backup }, at) => text(backup ? "deletion.backup_at" : "deletion.removing_at", { n, time: exactClock(at) });
/** @param {Held} entry @param {number} left seconds */
export const holdSpoken = (entry, left) => sentences([sentence(heldIn(entry, text("deletion.seconds_spoken", { n: left }))), text("deletion.press_to_undo")]);
/** @param {number} left seconds */
export const leftToUndo = (left) => text("deletion.left_to_undo", { n: left });
/** @param {number} n */
export const stayInHistory = (n) => text("deletion.stay_in_history", { n });
/** @param {number} n */
export const backInList = (n) => text("deletion.back_in_list", { n });

/* While deleting */

/** @param {"delete" | "clear"} kind @param {string} phase @param {number} done @param {number} total */
export function progressTitle(kind, phase, done, total) {
  if (phase === "checking") return text("deletion.checking");
  if (phase === "preparing") return text("deletion.preparing");
  if (phase === "waiting") return text("deletion.waiting");
  if (phase === "due") return text("deletion.asking");
  if (phase === "backing_up") return backingUp(done, total);
  if (phase === "saving") return savingFiles(done, total);
  if (kind === "clear") return text("deletion.clear_progress");
  if (total === 1) return text("deletion.deleting_one");
  return total ? text("deletion.progress_part", { done, total }) : text("deletion.progress_begun");
}

/**
 * What comes after the backup, or after the outputs are saved, and when.
 * @param {number} n jobs
 * @param {number | null} left seconds that it still takes, as measured; null if unknown
 * @param {boolean} [saving] whether outputs are saved
 */
export function backupText(n, left, saving = false) {
  const then = left ? text("deletion.then_in", { n, time: roughDuration(left * 1000) }) : text(saving ? "deletion.then_saved" : "deletion.then_backup", { n });
  return sentences([then, text("deletion.not_sent_yet")]);
}

/** @param {number} left seconds @param {string} [phase] what goes on after the wait */
export const asksToWait = (left, phase = "") => text("deletion.asks_to_wait", { phase, time: seconds(left) });

/** @param {number} passed seconds; 0 where no number is shown */
export const silent = (passed) => (passed ? text("deletion.silent_for", { time: roughDuration(passed * 1000) }) : text("deletion.silent"));

/** What a workflow's node says while it works. @param {string} phase @param {number} done @param {number} total */
export function nodeProgress(phase, done, total) {
  const [notYet, cancel] = [text("deletion.not_sent_yet"), text("deletion.cancel_the_run")];
  if (phase === "waiting") return sentences([text("deletion.waiting"), notYet, cancel]);
  if (phase === "backing_up") return sentences([total === 1 ? text("deletion.node_backs_up_one") : text("deletion.node_backs_up", { done, total }), notYet, cancel]);
  if (phase === "saving") return sentences([sentence(savingFiles(done, total)), cancel]);
  if (phase === "checking") return text("deletion.checking");
  return text("deletion.node_removes", { n: total });
}

/** @param {number} percent */
export const progressSpoken = (percent) => text("deletion.progress_spoken", { n: percent });

/* Cancelling jobs */

/** @param {number} n @param {boolean} running whether any of the jobs runs already */
export const cancelWords = (n, running) => ({
  title: text("deletion.cancel_title", { n }),
  lost: running ? text("deletion.cancel_lost", { n }) : text("deletion.cancel_pending", { n }),
  stays: text("deletion.cancel_stays", { n }),
  keep: running ? text("deletion.keep_running", { n }) : text("deletion.let_run", { n }),
  confirm: text("deletion.cancel_jobs", { n }),
  list: text("deletion.cancel_list", { n }),
});

/** @param {number} cancelled @param {number} already @param {number} left without an answer */
export const cancelledWords = (cancelled, already, left) => ({
  title: text("deletion.cancelled", { n: cancelled }),
  detail: sentences([already > 0 && text("deletion.finished_already", { n: already }), left > 0 && text("deletion.not_cancelled", { n: left })]),
});

/** @param {number} cancelled @param {number} already finished, by the answers before the lost one */
export const cancelLost = (cancelled, already) => {
  const { title, detail } = cancelledWords(cancelled, already, 0);
  return { title: text("deletion.outcome_unknown"), text: sentences([cancelled > 0 && sentence(title), detail, text("deletion.cancel_answer_lost")]) };
};

/* Clearing the whole history */

/** @param {number} n */
export const clearButton = (n) => text("deletion.clear_jobs", { n });

/** @param {Preview["counts"]} counts */
export const nothingToClear = ({ active }) => sentences([text("deletion.no_finished"), active > 0 && text("deletion.active_stay", { n: active })]);

/** Tells the result of a deletion from that of a later one. @param {number} n jobs @param {number} at milliseconds since 1970 @param {boolean} earlier whether there is a later one */
export const whichDeletion = (n, at, earlier) => text(earlier ? "deletion.which_earlier" : "deletion.which", { n, time: exactClock(at) });

/** ComfyUI answers, but neither its status nor its audit log has the deletion. */
export const lostWords = () => ({ title: text("deletion.outcome_unknown"), text: text("deletion.no_record") });

/* While ComfyUI does not answer */

/**
 * What is known about a deletion while ComfyUI does not answer.
 * @param {{phase: string, jobs: number, sent: boolean, backingUp?: boolean, savingOutputs?: boolean, backup?: boolean, stopping?: boolean, sending?: number | null}} entry
 * @param {number} left seconds until the end of the hold
 */
export function awayText({ phase, jobs: n, sent, backingUp = false, savingOutputs = false, backup = false, stopping = false, sending = null }, left) {
  if (phase === "holding") return text(backup ? "deletion.away_hold_backup" : "deletion.away_hold", { n, time: seconds(left) });
  if (stopping && !sent) return text("deletion.away_stopping");
  if (backingUp && !sent) return text(savingOutputs ? "deletion.away_saving" : "deletion.away_backup", { n });
  return sent ? text("deletion.away_sent", { n: sending ?? n }) : text("deletion.away_unknown", { n });
}
