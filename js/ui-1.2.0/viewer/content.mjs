// @ts-check
/** The element that shows an output. Every text of a file is text. */

import { button } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { VIEWER } from "./strings.mjs";

/** @import { IconName } from "../common/icons.mjs" */
/** @import { OutputKind } from "./outputs.mjs" */
/** @import { Words } from "./strings.mjs" */

const MAX_TEXT_BYTES = 200_000;

/** @type {Record<OutputKind, IconName>} */
export const KIND_ICONS = { image: "image", video: "video", audio: "audio", text: "file", "3d": "box", other: "file" };

/**
 * @typedef {object} Told
 * @property {(width: number, height: number) => void} onSize
 * @property {() => void} onFailure the browser can't show it
 */

/** A picture, a video or a sound at an address. @param {"image" | "video" | "audio"} kind @param {string} url @param {string} name @param {Told} told */
export function mediaElement(kind, url, name, { onSize, onFailure }) {
  if (kind === "image") {
    const image = el("img", { alt: name, draggable: "false", onload: () => onSize(image.naturalWidth, image.naturalHeight), onerror: onFailure });
    image.src = url;
    return image;
  }
  const media = el(kind, { controls: true, preload: "metadata", "aria-label": name, onerror: onFailure });
  media.addEventListener("loadedmetadata", () => media instanceof window.HTMLVideoElement && media.videoWidth && onSize(media.videoWidth, media.videoHeight));
  media.src = url;
  return media;
}

/** The beginning of a text file. @param {Blob} blob @param {string} name */
export async function textElement(blob, name) {
  const text = await blob.slice(0, MAX_TEXT_BYTES).text();
  const shown = text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
  const page = el("pre", { class: "cch-viewer-text", dir: "auto", tabindex: "0", "aria-label": name }, shown);
  return el("div", { class: "cch-viewer-page" }, blob.size > MAX_TEXT_BYTES && el("p", { class: "cch-2" }, VIEWER.textCut), page);
}

/**
 * What is said in place of an output.
 * @param {IconName} name
 * @param {Words} words
 * @param {{label: string, press: () => void} | null} [action]
 * @param {string} [more] several lines, such as an error of the job
 */
export function messageElement(name, { title, text }, action = null, more = "") {
  return el(
    "div",
    { class: "cch-viewer-message" },
    icon(name, "s20"),
    el("h3", { dir: "auto" }, title),
    text && el("p", { dir: "auto" }, text),
    more && el("p", { class: "cch-lines cch-2", dir: "auto" }, more),
    action && button({ label: action.label, press: action.press }),
  );
}
