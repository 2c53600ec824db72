// @ts-check
/** Names deletions, so that two of them can be told apart. */

import { number } from "../common/format.mjs";
import { jobName } from "../common/names.mjs";

/** @import { Hold, Row } from "../../../types/wire" */

/** @typedef {{origin?: Hold["origin"], first?: Row | null | undefined, jobs: number}} About */

/** A text about a deletion, with its name first. @param {{label: string}} entry @param {string} text */
export const named = ({ label }, text) => [label && `${label}.`, text].filter(Boolean).join(" ");

/** The name of a deletion that a node of a workflow carries out. */
export const BY_WORKFLOW = "A workflow’s deletion";

/**
 * "mira_cover_0001.png", "mira_cover_0001.png and 2 more", "Clear" or "Clean up"; "" if nothing is known.
 * @param {About} about
 * @param {(id: string) => string} workflowName the name of a workflow, or ""
 */
export function deletionLabel({ origin, first, jobs }, workflowName) {
  if (origin === "menu") return "Clear";
  if (origin === "clean_up") return "Clean up";
  if (!first) return "";
  const name = jobName(first, workflowName(first.workflow_id));
  return jobs > 1 ? `${name} and ${number(jobs - 1)} more` : name;
}
