// @ts-check
/** The outputs of a job, and the outputs before and after one. No DOM. */

import { clean } from "../common/format.mjs";
import { extensionOf } from "../common/kinds.mjs";

/** @import { JobOutput, Row } from "../../../types/wire" */
/** @import { FileKind } from "../common/kinds.mjs" */

/** @typedef {Pick<JobOutput, "filename" | "output_type">} Output */
/** One output of a job. `number`: "last" for the last output, null for the output that the list shows. @typedef {{id: string, number: number | "last" | null}} Place */

/** Whether the viewer shows outputs of this kind, so that it loads the file at once. @param {FileKind} kind @returns {kind is Exclude<FileKind, "3d" | "other">} */
export const isDrawn = (kind) => kind !== "3d" && kind !== "other";

/** Returns the index of the output to show first, -1 if the job has no outputs. @param {Output[]} outputs @param {Place["number"]} number @param {string} preview the file name in the list */
export function indexOf(outputs, number, preview) {
  if (number === "last") return outputs.length - 1;
  if (number !== null) return Math.min(number, outputs.length - 1);
  return Math.max(outputs.findIndex(({ filename }) => filename === preview), outputs.length ? 0 : -1);
}

/**
 * Returns the output before or after the current one, in this job or the next job of the list; null at the end of the list.
 * @param {{id: string, at: number, count: number}} shown `count`: number of outputs of the job
 * @param {1 | -1} way
 * @param {Pick<Row, "id">[]} rows of the list
 * @param {number} row the job's former place in the list, for a job that has left it
 * @returns {Place | null}
 */
export function neighbour({ id, at, count }, way, rows, row) {
  const to = at + way;
  if (to >= 0 && to < count) return { id, number: to };
  const here = rows.findIndex((each) => each.id === id);
  // If the job has left the list, the job that took its place comes next.
  const next = rows[here >= 0 ? here + way : way > 0 ? row : row - 1];
  return next ? { id: next.id, number: way > 0 ? 0 : "last" } : null;
}

const MAX_STEM_CHARACTERS = 120;

/** Returns a name for the downloaded file that every system allows. @param {string} filename */
export function savedName(filename) {
  const extension = extensionOf(filename);
  const stem = extension ? filename.slice(0, -extension.length - 1) : filename;
  const plain = clean(stem, 400).replace(/[\\/:*?"<>|\ufffd]/g, "_").replace(/^[.\s]+/, "_");
  return `${[...plain].slice(0, MAX_STEM_CHARACTERS).join("") || "output"}${extension && `.${extension}`}`;
}
