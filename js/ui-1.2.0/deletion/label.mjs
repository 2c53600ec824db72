// @ts-check
/** Names deletions, so that two of them can be told apart. */

import { dateTime, sentence, sentences } from "../common/format.mjs";
import { isDescribed, jobName } from "../common/names.mjs";
import { text } from "../common/words.mjs";

/** @import { Hold, Row } from "../../../types/wire" */

/** @typedef {{origin?: Hold["origin"], first?: Row | null | undefined, jobs: number}} About */

/** Where a deletion was started, if not in this page; "" for those of workflows, whose name says it. @param {{mine?: boolean, workflow?: boolean}} entry */
export const startedWord = ({ mine = true, workflow = false }) => (mine || workflow ? "" : text("deletion.started_elsewhere"));

/**
 * Where a deletion was undone or stopped: "here", "elsewhere", or "" if that is not certain.
 * @param {{mine: boolean, resumed: boolean, endedHere: boolean, mayEndHere: boolean}} entry
 * @returns {"here" | "elsewhere" | ""}
 */
export const endedBy = ({ mine, resumed, endedHere, mayEndHere }) => (endedHere ? "here" : mine && !resumed && !mayEndHere ? "elsewhere" : "");

/** A text about a deletion, with its name first. @param {{label: string, mine?: boolean, workflow?: boolean}} entry @param {string} said */
export const named = (entry, said) => sentences([sentence(entry.label), startedWord(entry), said]);

/** The name of a deletion that a node of a workflow carries out. */
export const byWorkflow = () => text("deletion.by_workflow");

/** "The failed job of 23 November 2026, 18:37:05": beside what becomes of a deletion, "Failed KSampler" would read as its outcome. @param {Row} row */
const describedJob = ({ status, created }) =>
  created === null ? text("deletion.label_job", { status }) : text("deletion.label_job_of", { status, at: dateTime(created, true) });

/**
 * "mira_cover_0001.png", "mira_cover_0001.png and 2 more", "The failed job of 23 November 2026, 18:37:05", "Clear cloud history" or "Clean up"; "" if nothing is known.
 * @param {About} about
 * @param {(id: string) => string} workflowName the name of a workflow, or ""
 */
export function deletionLabel({ origin, first, jobs }, workflowName) {
  if (origin === "menu") return text("deletion.label_clear");
  if (origin === "clean_up") return text("deletion.label_clean_up");
  if (!first) return "";
  const workflow = workflowName(first.workflow_id);
  const name = isDescribed(first, workflow) ? describedJob(first) : jobName(first, workflow);
  return jobs > 1 ? text("deletion.label_more", { name, n: jobs - 1 }) : name;
}

/** The name of a deletion in the language that is shown. @param {{workflow?: boolean, about?: About}} entry @param {(id: string) => string} [workflowName] */
export const labelOf = ({ workflow = false, about }, workflowName = () => "") => (workflow ? byWorkflow() : about ? deletionLabel(about, workflowName) : "");
