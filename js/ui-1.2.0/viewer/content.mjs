// @ts-check
/** Builds the element that shows an output. Text from a file is set as textContent only. */

import { button } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { text } from "../common/words.mjs";

/** @import { IconName } from "../common/icons.mjs" */
/** @import { Words } from "../common/strings.mjs" */

const MAX_TEXT_BYTES = 200_000;

/**
 * @typedef {object} MediaEvents
 * @property {(width: number, height: number) => void} onSize called when the size in pixels is known
 * @property {() => void} onFailure called if the browser can't show the file
 */

/** Returns an img, video or audio element. @param {"image" | "video" | "audio"} kind @param {string} url @param {string} name @param {MediaEvents} events */
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

/** Ends the download of a video or a sound. Browsers go on with it after the element is removed. @param {Element} stage */
export function stopMedia(stage) {
  const media = stage.querySelector("video, audio");
  if (!(media instanceof window.HTMLMediaElement)) return;
  media.pause();
  media.removeAttribute("src");
  media.load();
}

/** Returns an element with the beginning of a text file. @param {Blob} blob @param {string} name */
export async function textElement(blob, name) {
  const whole = await blob.slice(0, MAX_TEXT_BYTES).text();
  const shown = whole.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
  const page = el("pre", { class: "cch-viewer-text", dir: "auto", tabindex: "0", "aria-label": name }, shown);
  return el("div", { class: "cch-viewer-page" }, blob.size > MAX_TEXT_BYTES && el("p", { class: "cch-2" }, text("viewer.text_cut", { bytes: MAX_TEXT_BYTES })), page);
}

/**
 * Returns the message that is shown in place of an output.
 * @param {IconName} name
 * @param {Words} words
 * @param {{label: string, press: () => void} | null} [action]
 * @param {string} [more] further lines, such as the job's error
 */
export function messageElement(name, { title, text: told }, action = null, more = "") {
  return el(
    "div",
    { class: "cch-viewer-message" },
    icon(name, "s20"),
    el("h3", { dir: "auto" }, title),
    told && el("p", { dir: "auto" }, told),
    more && el("p", { class: "cch-lines cch-2", dir: "auto" }, more),
    action && button({ label: action.label, press: action.press }),
  );
}
