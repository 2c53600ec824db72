// @ts-check
/** Texts of approvals. */

import { clean, shortId } from "../common/format.mjs";
import { text } from "../common/words.mjs";

/** The messages about approvals that end without a deletion. */
export const skipped = () => ({ title: text("deletion.not_deleted"), detail: text("approval.skipped") });
export const answeredElsewhere = () => ({ title: text("approval.elsewhere") });
/** The node says it too. A message that stays would be taken for the outcome of a later deletion. */
export const notAnswered = () => ({ life: 60_000, title: text("deletion.not_deleted"), detail: text("approval.no_answer") });
export const tooLate = () => ({ title: text("approval.too_late_title"), detail: text("approval.too_late") });

/** @param {number} n */
export const approvalTitle = (n) => text("approval.title", { n });

/** Returns "Question 1 of 2" if there are several. @param {number} n @param {number} of */
export const approvalPlace = (n, of) => (of > 1 ? text("approval.place", { n, of }) : "");

/** Stands for the countdown, which is an element of its own. */
const GAP = "\ufffc";

/** The texts before and after the countdown. */
export function hintParts() {
  const [before = "", after = ""] = text("approval.hint", { time: GAP }).split(GAP);
  return [before, after];
}

/** @param {string} name @param {string} id of the workflow, shown without a name */
export const approvalWorkflow = (name, id) => clean(name, 80) || (id && shortId(id));

/** Formats a duration as "1:52". @param {number} milliseconds */
export function timeLeft(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
