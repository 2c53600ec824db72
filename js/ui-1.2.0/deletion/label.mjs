// @ts-check
/** Names deletions, so that two of them can be told apart. */

import { dateTime, number } from "../common/format.mjs";
import { isDescribed, jobName } from "../common/names.mjs";
import { statusWord } from "../common/status.mjs";
import { STARTED_ELSEWHERE } from "./strings.mjs";

/** @import { Hold, Row } from "../../../types/wire" */

/** @typedef {{origin?: Hold["origin"], first?: Row | null | undefined, jobs: number}} About */

/** Where a deletion was started, if not in this page; "" for those of workflows, whose name says it. @param {{mine?: boolean, workflow?: boolean}} entry */
export const startedWord = ({ mine = true, workflow = false }) => (mine || workflow ? "" : STARTED_ELSEWHERE);

/**
 * Where a deletion was undone or stopped: "here", "elsewhere", or "" if that is not certain.
 * @param {{mine: boolean, resumed: boolean, endedHere: boolean, mayEndHere: boolean}} entry
 * @returns {"here" | "elsewhere" | ""}
 */
export const endedBy = ({ mine, resumed, endedHere, mayEndHere }) => (endedHere ? "here" : mine && !resumed && !mayEndHere ? "elsewhere" : "");

/** A text about a deletion, with its name first. @param {{label: string, mine?: boolean, workflow?: boolean}} entry @param {string} text */
export const named = (entry, text) => [entry.label && `${entry.label}.`, startedWord(entry), text].filter(Boolean).join(" ");

/** The name of a deletion that a node of a workflow carries out. */
export const BY_WORKFLOW = "A workflow’s deletion";

/** "The failed job of 23 November 2026, 18:37:05": beside what becomes of a deletion, "Failed KSampler" would read as its outcome. @param {Row} row */
const describedJob = (row) => `The ${statusWord(row).toLowerCase()} job${row.created === null ? "" : ` of ${dateTime(row.created, true)}`}`;

/**
 * "mira_cover_0001.png", "mira_cover_0001.png and 2 more", "The failed job of 23 November 2026, 18:37:05", "Clear cloud history" or "Clean up"; "" if nothing is known.
 * @param {About} about
 * @param {(id: string) => string} workflowName the name of a workflow, or ""
 */
export function deletionLabel({ origin, first, jobs }, workflowName) {
  if (origin === "menu") return "Clear cloud history";
  if (origin === "clean_up") return "Clean up";
  if (!first) return "";
  const workflow = workflowName(first.workflow_id);
  const name = isDescribed(first, workflow) ? describedJob(first) : jobName(first, workflow);
  return jobs > 1 ? `${name} and ${number(jobs - 1)} more` : name;
}
