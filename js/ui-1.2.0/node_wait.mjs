// @ts-check
/** What a running node does, in the place of its report. */

import { followLanguage } from "./common/words.mjs";
import { asksToWait, nodeProgress } from "./deletion/strings.mjs";

/** @import { ComfyApi, ComfyApp } from "../../types/comfyui" */

/** @typedef {{value: string}} Area */

/** The text that was written last to each area. @type {WeakMap<Area, string>} */
const written = new WeakMap();

/** @param {Area} area @param {string} text */
function write(area, text) {
  written.set(area, text);
  area.value = text;
}

/** Counts down the seconds that Comfy Cloud asks to wait. @param {Area} area @param {number} seconds @param {unknown} during what goes on after the wait */
function countDown(area, seconds, during) {
  /** @param {number} left */
  const show = (left) => {
    const text = left > 0 ? asksToWait(left, during === "backing_up" || during === "saving" || during === "sending" ? during : "") : "";
    write(area, text);
    // Any other text is the node's report, a later wait or what the node does now: this countdown stops.
    if (text) setTimeout(() => area.value === text && show(left - 1), 1000);
  };
  show(seconds);
}

/**
 * Shows what a node does, unless it has written its report since.
 * @param {Area} area
 * @param {string} before what the area said when the event came
 * @param {{phase: unknown, done: unknown, total: unknown, during: unknown}} progress
 * @param {ComfyApp} host
 * @param {ComfyApi} api
 */
export async function showProgress(area, before, { phase, done, total, during }, host, api) {
  await followLanguage(host, api);
  if (area.value !== before && area.value !== written.get(area)) return;
  if (typeof done !== "number" || typeof total !== "number") return;
  if (phase === "asked_to_wait") return countDown(area, total, during);
  write(area, nodeProgress(String(phase), done, total));
}
