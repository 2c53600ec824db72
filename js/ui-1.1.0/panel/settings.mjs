// @ts-check
/** Settings > Cloud history. The seconds to undo live on the server, never among ComfyUI's own settings: they are a safety. */

import { el, loadStyle } from "../dom.mjs";
import { errorLine } from "../words.mjs";
import { asApiError } from "./asking.mjs";
import { SETTINGS } from "./words_delete.mjs";
import { SETTINGS as NAMES } from "../../start_words.js";

/** @typedef {import("../../../types/wire").Status} Status */

const MOST = 60;
/** A whole number of seconds that can be set; null if it is none. @param {string} text */
export function readSeconds(text) {
  const seconds = /^\d{1,3}$/.test(text.trim()) ? Number(text) : NaN;
  return seconds <= MOST ? seconds : null;
}

/** @param {{api: {status(): Promise<Status>, saveHoldSeconds(seconds: number): Promise<Status>}, onStatus?: (status: Status) => void}} options */
export function secondsField({ api, onStatus }) {
  const note = el("span", { class: "cch-2 cch-t12", role: "status" });
  const input = el("input", {
    type: "number", class: "cch-num", min: "0", max: String(MOST), step: "1", inputmode: "numeric",
    "aria-label": NAMES.seconds, title: SETTINGS.range, disabled: true, onchange: () => void save(),
  });
  let saved = "";

  /** @param {Status} status */
  const take = (status) => {
    saved = String(status.hold_seconds ?? "");
    input.value = saved;
    input.disabled = saved === "";
    onStatus?.(status);
  };
  const refuse = (/** @type {unknown} */ error) => {
    input.value = saved;
    note.textContent = errorLine(asApiError(error));
  };

  async function save() {
    const seconds = readSeconds(input.value);
    input.classList.toggle("bad", seconds === null);
    note.textContent = seconds === null ? SETTINGS.range : "";
    if (seconds === null) return;
    try {
      take(await api.saveHoldSeconds(seconds));
      note.textContent = SETTINGS.saved;
    } catch (error) {
      refuse(error);
    }
  }

  void loadStyle();
  api.status().then(take).catch(refuse);
  const box = el("div", { class: "cch cch-setting" }, note, input);
  // ComfyUI listens to bare keys.
  box.addEventListener("keydown", (event) => event.key !== "Escape" && event.key !== "Tab" && event.stopPropagation());
  return box;
}
