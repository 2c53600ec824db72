// @ts-check
/** The kinds of files that jobs make, by file name and by content type. The only lists of them in the interface. */

/** @import { IconName } from "./icons.mjs" */

/** @typedef {"image" | "video" | "audio" | "text" | "3d" | "other"} FileKind */

/** @type {[FileKind, RegExp][]} */
const EXTENSIONS = [
  ["image", /^(png|jpe?g|webp|gif|avif)$/],
  ["video", /^(mp4|m4v|mov|webm)$/],
  ["audio", /^(mp3|wav|flac|ogg|opus|m4a)$/],
  ["text", /^(txt|jsonl?|[ct]sv|md|log|ya?ml|xml|srt|vtt|html?|svg)$/],
  ["3d", /^(glb|gltf|obj|fbx|stl|ply|usdz?|k?splat|spz|3mf)$/],
];

/** @type {Record<Exclude<FileKind, "3d" | "other">, RegExp>} */
const CONTENT_TYPES = { image: /^image\/(png|jpeg|webp|gif|avif)$/, video: /^video\/(mp4|webm)$/, audio: /^audio\/(mpeg|wav|flac|ogg|mp4)$/, text: /^text\/plain\b/ };

/** @type {Record<FileKind, IconName>} */
export const KIND_ICONS = { image: "image", video: "video", audio: "audio", text: "file", "3d": "box", other: "file" };

/** The icon of an output type of the server. @param {string} type @param {IconName} other for types without an icon */
export const typeIcon = (type, other) => (Object.hasOwn(KIND_ICONS, type) ? KIND_ICONS[/** @type {FileKind} */ (type)] : other);

/** Returns the extension in lower case, without the dot. @param {string} filename */
export const extensionOf = (filename) => (filename.match(/\.([a-z0-9]{1,8})$/i)?.[1] ?? "").toLowerCase();

/** @param {string} filename @returns {FileKind} */
export const kindOf = (filename) => EXTENSIONS.find(([, pattern]) => pattern.test(extensionOf(filename)))?.[0] ?? "other";

/** Returns the kind of a file by the content type from the server; "other" for types that the page must not show. @param {string} contentType @returns {FileKind} */
export function kindOfContent(contentType) {
  const found = Object.entries(CONTENT_TYPES).find(([, pattern]) => pattern.test(contentType));
  return /** @type {FileKind} */ (found?.[0] ?? "other");
}
