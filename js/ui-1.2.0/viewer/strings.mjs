// @ts-check
/** The texts of the viewer. */

import { clean, dateTime, number } from "../common/format.mjs";

/** @import { FileKind } from "../common/kinds.mjs" */

export const VIEWER = {
  close: "Close",
  previous: "Previous output",
  next: "Next output",
  download: "Download",
  select: "Select job",
  selected: "Selected",
  deselect: "Deselect job",
  loading: "Loading…",
  tryAgain: "Try again",
  outputs: "Output",
  firstOfList: "This is the first output in the list.",
  lastOfList: "This is the last output in the list.",
  downloading: "Downloading…",
  textCut: "These are the first 200 KB. Download the file to read the rest.",
};

/** @typedef {{title: string, text: string}} Words */

/** @type {Record<FileKind, string>} */
const KIND_WORDS = { image: "picture", video: "video", audio: "sound", text: "text", "3d": "3D model", other: "file" };

/** The message in place of an output that the viewer can't show. @param {FileKind} kind @param {string} extension @returns {Words} */
export function notDrawn(kind, extension) {
  if (kind === "3d") return { title: "This is a 3D model", text: "It can’t be shown here. Download it to open it in a 3D program." };
  const what = extension ? `This is a file of the type “${extension}”` : "This is a file of an unknown type";
  return { title: what, text: "It can’t be shown here. Download it to open it in another program." };
}

/** The message for a file that this browser can't show or play. @param {FileKind} kind @returns {Words} */
export const notShown = (kind) => ({
  title: `This browser can’t ${kind === "video" || kind === "audio" ? "play" : "show"} this ${KIND_WORDS[kind]}`,
  text: "Download it to open it in another program.",
});

/** The message for a file whose content is not what its extension says. @param {FileKind} kind @returns {Words} */
export const notItsKind = (kind) => ({
  title: `This file is not the ${KIND_WORDS[kind]} that its name says`,
  text: "It is not shown here. You can still download it.",
});

/** @type {Words} */
export const ACTIVE_JOB = { title: "This job has not finished", text: "Its outputs can be shown when it has." };
/** @type {Words} */
export const NO_OUTPUTS = { title: "This job has no outputs", text: "" };
/** @type {Words} */
export const JOB_GONE = { title: "This job is gone", text: "It is no longer in the list. Close the viewer and refresh the list." };

/** @param {number} at from 0 @param {number} all */
export const positionWords = (at, all) => `${number(at + 1)} of ${number(all)}`;

/** @param {number} width @param {number} height */
export const sizeWords = (width, height) => `${number(width)} × ${number(height)}`;

/** @param {string} name "" if it equals the output's name @param {number | null} created milliseconds since 1970 @param {string} status "" for a completed job */
export const jobWords = (name, created, status) =>
  [name && `Job ${clean(name)}`, status, created === null ? "" : dateTime(created)].filter(Boolean).join(", ");

/** @param {boolean} selected @param {number} all */
export const selectedWords = (selected, all) => `${selected ? "Job selected" : "Job no longer selected"}. ${number(all)} selected.`;

/** A tooltip with the keyboard shortcut. @param {string} label @param {string} key */
export const withKey = (label, key) => `${label} (${key})`;
