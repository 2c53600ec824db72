// @ts-check
/** Counts down the seconds that Comfy Cloud asks a node to wait, in the place of the node's report. */

import { asksToWait } from "./deletion/strings.mjs";

/** @param {{value: string}} area @param {unknown} seconds @param {unknown} during what goes on after the wait */
export function countDown(area, seconds, during) {
  /** @param {number} left */
  const show = (left) => {
    const text = left > 0 ? asksToWait(left, during === "backing_up" || during === "sending" ? during : "") : "";
    area.value = text;
    // Any other text is the node's report or a later wait: this countdown stops.
    if (text) setTimeout(() => area.value === text && show(left - 1), 1000);
  };
  if (typeof seconds === "number") show(seconds);
}
