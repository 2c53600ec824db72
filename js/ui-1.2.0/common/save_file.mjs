// @ts-check
/** Giving the person a file, as a download of the browser. */

import { el } from "./dom.mjs";

/** Milliseconds after which every browser has begun to read it. */
const READ = 10_000;

/** @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), READ);
}
