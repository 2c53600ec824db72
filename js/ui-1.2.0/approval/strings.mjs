// @ts-check
/** Texts of approvals. */

import { clean, number, plural, shortId } from "../common/format.mjs";
import { NOT_DELETED } from "../deletion/strings.mjs";

export const APPROVAL = {
  workflow: "Workflow",
  node: "Node",
  always: "Always allow workflows to delete, on this computer",
  skip: "Skip",
  /** The text before and after the countdown. */
  hint: ["Without an answer nothing is deleted: the node stops in ", ". Closing this question or this page deletes nothing either."],
};

export const SKIPPED = { title: NOT_DELETED, detail: "The workflow was told to skip." };
export const ELSEWHERE = { title: "Answered in another window" };
export const NO_ANSWER = {
  // The node says it too. A message that stays would be taken for the outcome of a later deletion.
  life: 60_000,
  title: NOT_DELETED,
  detail:
    "No answer in 2 minutes, so nothing was deleted. Run the workflow again and answer.",
};
export const TOO_LATE = { title: "This question is no longer open", detail: "Look at the node: it says what happened." };

/** @param {number} n */
export const approvalTitle = (n) => plural(n, "Let this workflow delete {n} job?", "Let this workflow delete {n} jobs?");

/** Returns "Question 1 of 2" if there are several. @param {number} n @param {number} of */
export const approvalPlace = (n, of) => (of > 1 ? `Question ${number(n)} of ${number(of)}` : "");

/** @param {string} name @param {string} id of the workflow, shown without a name */
export const approvalWorkflow = (name, id) => clean(name, 80) || (id && shortId(id));

/** Formats a duration as "1:52". @param {number} milliseconds */
export function timeLeft(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
