// @ts-check
/** What Undo does from the keyboard: where nothing is held it says so. */

import { HOLD } from "./strings.mjs";

/** @typedef {import("../../../types/deletions").Entry} Entry */

/** Whether it was sent, or may have been. @param {Entry} entry */
function isLate({ phase, result }) {
  if (phase !== "done") return phase !== "asking" && phase !== "holding";
  return !(result && "outcome" in result && result.outcome === "failed");
}

/**
 * @param {object} parts
 * @param {Pick<import("./controller.mjs").Deletions, "entries" | "undo">} parts.deletions
 * @param {Pick<import("../common/toasts.mjs").Toasts, "slot">} parts.toasts
 * @returns {import("../../../types/panel").Actions["undo"]}
 */
export function createUndoing({ deletions, toasts }) {
  const slot = toasts.slot();
  return (say) => {
    if (deletions.undo() || deletions.entries.some(({ undoing }) => undoing)) return;
    const late = deletions.entries.find(isLate);
    const title = late ? HOLD.tooLate.title : HOLD.nothing;
    // Of one that waits for another, or saves workflows, nothing has been sent yet.
    const follows = late?.sent && late.phase !== "done";
    slot.show("info", { title, ...(follows && { detail: HOLD.tooLate.text }) });
    say(title, Boolean(late));
  };
}
