// @ts-check
/** What an output is, by its name, and which output comes before and after it. No DOM. */

import { clean } from "../common/format.mjs";

/** @import { JobOutput, Row } from "../../../types/wire" */

/** @typedef {"image" | "video" | "audio" | "text" | "3d" | "other"} OutputKind */
/** @typedef {Pick<JobOutput, "filename" | "output_type">} Output */
/** One output of a job; `number` "last" for the last one, null for the one that the list shows. @typedef {{id: string, number: number | "last" | null}} Place */

/** @type {[OutputKind, RegExp][]} */
const EXTENSIONS = [
  ["image", /^(png|jpe?g|webp|gif|avif)$/],
  ["video", /^(mp4|m4v|mov|webm)$/],
  ["audio", /^(mp3|wav|flac|ogg|opus|m4a)$/],
  ["text", /^(txt|jsonl?|[ct]sv|md|log|ya?ml|xml|srt|vtt|html?|svg)$/],
  ["3d", /^(glb|gltf|obj|fbx|stl|ply|usdz?|k?splat|spz|3mf)$/],
];

/** @type {Record<Exclude<OutputKind, "3d" | "other">, RegExp>} */
const CONTENT_TYPES = { image: /^image\/(png|jpeg|webp|gif|avif)$/, video: /^video\/(mp4|webm)$/, audio: /^audio\/(mpeg|wav|flac|ogg|mp4)$/, text: /^text\/plain\b/ };

/** In small letters, without its dot. @param {string} filename */
export const extensionOf = (filename) => (/\.([a-z0-9]{1,8})$/i.exec(filename)?.[1] ?? "").toLowerCase();

/** @param {string} filename @returns {OutputKind} */
export const kindOf = (filename) => EXTENSIONS.find(([, pattern]) => pattern.test(extensionOf(filename)))?.[0] ?? "other";

/** Whether an output of this kind is drawn in the viewer, so that its file is wanted at once. @param {OutputKind} kind @returns {kind is Exclude<OutputKind, "3d" | "other">} */
export const isDrawn = (kind) => kind !== "3d" && kind !== "other";

/** The kind of a file by the type that the server read from its first bytes; "other" for none that the page may show. @param {string} contentType @returns {OutputKind} */
export function kindOfContent(contentType) {
  const found = Object.entries(CONTENT_TYPES).find(([, pattern]) => pattern.test(contentType));
  return /** @type {OutputKind} */ (found?.[0] ?? "other");
}

/** Which output to show, when those of the job are known; -1 if there is none. @param {Output[]} outputs @param {Place["number"]} number @param {string} preview the name of the one that the list shows */
export function indexOf(outputs, number, preview) {
  if (number === "last") return outputs.length - 1;
  if (number !== null) return Math.min(number, outputs.length - 1);
  return Math.max(outputs.findIndex(({ filename }) => filename === preview), outputs.length ? 0 : -1);
}

/**
 * The output before or after one, in this job or the next of the list; null at the ends.
 * @param {{id: string, at: number, count: number}} shown `count`: the outputs of its job
 * @param {1 | -1} way
 * @param {Pick<Row, "id">[]} rows as they are listed
 * @param {number} row where the job was in the list, should it have left
 * @returns {Place | null}
 */
export function neighbour({ id, at, count }, way, rows, row) {
  const to = at + way;
  if (to >= 0 && to < count) return { id, number: to };
  const here = rows.findIndex((each) => each.id === id);
  // A job that has left the list: the one that took its place comes next.
  const next = rows[here >= 0 ? here + way : way > 0 ? row : row - 1];
  return next ? { id: next.id, number: way > 0 ? 0 : "last" } : null;
}

const MAX_STEM_CHARACTERS = 120;

/** A name for the saved file that every system allows. @param {string} filename */
export function savedName(filename) {
  const extension = extensionOf(filename);
  const stem = extension ? filename.slice(0, -extension.length - 1) : filename;
  const plain = clean(stem, 400).replace(/[\\/:*?"<>|\ufffd]/g, "_").replace(/^[.\s]+/, "_");
  return `${[...plain].slice(0, MAX_STEM_CHARACTERS).join("") || "output"}${extension && `.${extension}`}`;
}
