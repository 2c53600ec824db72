// @ts-check
/** Texts on screen of a job's details. */

import { clean } from "../common/format.mjs";
import { text } from "../common/words.mjs";

/** @import { Words } from "../common/strings.mjs" */

/** What is said of a job that Comfy Cloud does not find. @returns {Words} */
export const jobGone = () => ({ title: text("details.gone.title"), text: text("details.gone.text") });

/** What is said of a job that the list no longer has. @returns {Words} */
export const notListed = () => ({ title: text("details.not_listed.title"), text: text("details.not_listed.text") });

/** @param {number} n */
export const outputsKept = (n) => text("details.outputs_kept", { n });

/** @param {number} at from 1 @param {number} n */
export const outputOf = (at, n) => text("details.output_of", { at, n });

/** @param {string} name of an output @param {string} position "2 of 5", "" for the only one */
export const viewWord = (name, position) => (position ? text("details.view_at", { name, position }) : text("details.view", { name }));

/** @param {string} node @param {string} id */
export function nodeWords(node, id) {
  const name = clean(node, 80);
  return id ? text("details.node", { node: name || text("common.node.unnamed"), id: clean(id, 40) }) : name;
}

/** @param {string} took @param {string} queued */
export const tookWords = (took, queued) => (queued ? text("details.took_after", { took, queued }) : took);
