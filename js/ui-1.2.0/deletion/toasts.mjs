// @ts-check
/** One toast for each deletion, updated from the hold to the result. */

import { COMMON } from "../common/strings.mjs";
import { shownPhase } from "./entries.mjs";
import * as words from "./strings.mjs";
import { HOLD } from "./strings.mjs";

/** @import { Entry } from "../../../types/deletion" */
/** @import { Actions } from "../../../types/list" */
/** @import { Toasts } from "../common/toasts.mjs" */
/** @import { Deletions } from "./controller.mjs" */
/** @import { ResultWords } from "./result_strings.mjs" */

/** Quarters of a deletion that are done, 0 to 4. @param {Entry} entry */
export const quarters = ({ done, total }) => (total > 0 ? Math.floor((4 * Math.min(done, total)) / total) : 0);

/** @param {Deletions} flow */
export const createDeletionToasts = (flow) => ({
  /**
   * Called at the start of the hold and shortly before its end: screen readers would read each change of the toast aloud.
   * @param {Entry} entry
   * @param {number} seconds
   * @param {boolean} first
   */
  hold(entry, seconds, first) {
    if (!entry.mine) return;
    entry.toast[first ? "show" : "update"]("info", {
      title: words.holdTitle(entry.jobs, seconds),
      detail: words.HOLD.text,
      action: { label: words.HOLD.undo, press: () => flow.undo(entry) },
      // The server's clock ends the hold. A toast that cannot be replaced closes by itself.
      life: flow.parts.toasts.canAct() ? Infinity : seconds * 1000,
    });
  },

  /** @param {Entry} entry @param {boolean} [first] */
  progress(entry, first = false) {
    if (!entry.mine) return;
    const waits = flow.secondsToWait(entry);
    // A toast that cannot be replaced would still show its first count beside the result.
    const [done, total] = flow.parts.toasts.canAct() ? [entry.done, entry.total] : [0, 0];
    const title = waits ? words.asksToWait(waits) : words.progressTitle(entry.kind, shownPhase(entry), done, total);
    entry.toast[first ? "show" : "update"]("loading", { title, detail: words.CLEAR.keepWorking });
  },

  /** @param {Entry} entry @param {ResultWords} words */
  result(entry, { kind, title, toast, again: ids }) {
    const retry = { label: entry.kind === "clear" ? COMMON.lookAgain : COMMON.tryAgain, press: () => void flow.tryAgain(entry) };
    const show = { label: COMMON.show, press: flow.parts.openPanel };
    const action = entry.kind === "clear" || (kind === "error" && ids.length) ? retry : show;
    entry.toast.show(kind, { title, detail: toast, ...(kind !== "success" && { action }) });
  },
});

/** Whether a deletion was sent, or may have been sent. @param {Entry} entry */
function isLate({ phase, result }) {
  if (phase !== "done") return phase !== "submitting" && phase !== "holding";
  return !(result && "outcome" in result && result.outcome === "failed");
}

/**
 * @param {object} parts
 * @param {Pick<Deletions, "entries" | "undo">} parts.deletions
 * @param {Pick<Toasts, "create">} parts.toasts
 * @returns {Actions["undo"]}
 */
export function createUndo({ deletions, toasts }) {
  const toast = toasts.create();
  return (say) => {
    if (deletions.undo() || deletions.entries.some(({ undoing }) => undoing)) return;
    const late = deletions.entries.find(isLate);
    const title = late ? HOLD.tooLate.title : HOLD.nothing;
    // Nothing has been sent while a deletion waits for another or saves workflows.
    const follows = late?.sent && late.phase !== "done";
    toast.show("info", { title, ...(follows && { detail: HOLD.tooLate.text }) });
    say(title, Boolean(late));
  };
}
