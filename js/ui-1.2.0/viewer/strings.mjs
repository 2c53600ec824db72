// @ts-check
/** The texts of the viewer. */

import { clean, dateTime, enumeration } from "../common/format.mjs";
import { text } from "../common/words.mjs";

/** @import { FileKind } from "../common/kinds.mjs" */
/** @import { Words } from "../common/strings.mjs" */

/** The message in place of an output that the viewer can't show. @param {FileKind} kind @param {string} extension @returns {Words} */
export function notDrawn(kind, extension) {
  if (kind === "3d") return { title: text("viewer.not_drawn.model.title"), text: text("viewer.not_drawn.model.text") };
  const title = extension ? text("viewer.not_drawn.type", { extension }) : text("viewer.not_drawn.unknown");
  return { title, text: text("viewer.not_drawn.text") };
}

/** The message for a file that this browser can't show or play. @param {FileKind} kind @returns {Words} */
export const notShown = (kind) => ({ title: text("viewer.not_shown.title", { kind }), text: text("viewer.not_shown.text") });

/** The message for a file whose content is not what its extension says. @param {FileKind} kind @returns {Words} */
export const notItsKind = (kind) => ({ title: text("viewer.not_its_kind.title", { kind }), text: text("viewer.not_its_kind.text") });

/** @returns {Words} */
export const activeJob = () => ({ title: text("viewer.active.title"), text: text("viewer.active.text") });
/** @returns {Words} */
export const noOutputs = () => ({ title: text("viewer.no_outputs"), text: "" });
/** @returns {Words} */
export const jobGone = () => ({ title: text("viewer.job_gone.title"), text: text("viewer.job_gone.text") });

/** @param {number} at from 0 @param {number} n */
export const positionWords = (at, n) => text("viewer.position", { at: at + 1, n });

/** @param {number} width @param {number} height */
export const sizeWords = (width, height) => text("viewer.size", { width, height });

/** @param {string} name "" if it equals the output's name @param {number | null} created milliseconds since 1970 @param {string} status "" for a completed job */
export const jobWords = (name, created, status) => enumeration([name && text("viewer.job", { name: clean(name) }), status, created !== null && dateTime(created)]);

/** @param {boolean} selected @param {number} n */
export const selectedWords = (selected, n) => text(selected ? "viewer.job_selected" : "viewer.job_deselected", { n });

/** A tooltip with the keyboard shortcut. @param {string} label @param {string} key */
export const withKey = (label, key) => text("viewer.with_key", { label, key });
