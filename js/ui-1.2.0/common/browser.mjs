// @ts-check
/** Copies text and saves files, also on pages without clipboard access (plain http from another computer). */

import { el } from "./dom.mjs";

/** The browser's storage. Its methods throw where the browser allows none. @type {Pick<Storage, "getItem" | "setItem">} */
export const browserStorage = {
  getItem: (key) => window.localStorage.getItem(key),
  setItem: (key, value) => window.localStorage.setItem(key, value),
};

/** @param {string} text */
function copyBySelection(text) {
  const before = document.activeElement;
  const area = el("textarea", { class: "cch-unseen", style: "position: fixed; inset: 0 auto auto 0; width: 1px; height: 1px; opacity: 0" });
  area.value = text;
  // Inside the open dialog, because its focus trap would take the focus from any other place.
  (before?.closest("[role=dialog]") ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
}

/** Resolves with whether the text was copied. @param {string} text */
export async function copyText(text) {
  try {
    await window.navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** Time after which every browser has started to read the file. */
const READ_MS = 10_000;

/** @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), READ_MS);
}
