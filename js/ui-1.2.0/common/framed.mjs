// @ts-check
/** A page in a frame of another page: that one may lie over or under what a person thinks to click, so nothing is deleted from here. */

import { HistoryApiError } from "../api.mjs";

/** @typedef {import("../api.mjs").HistoryApi} HistoryApi */

export const FRAMED = "framed";

/**
 * All that deletes, cancels, or makes deleting easier. Reading, undoing and stopping stay.
 * @type {readonly (keyof HistoryApi)[]}
 */
const REFUSED = [
  "preview", "previewOf", "clear", "remove", "cancel", "protect", "startEmpty", "startAnew", "saveSettings", "saveKey", "removeKey",
  "dismiss", "dismissHold", "deleteBackup",
];

/** Whether another page shows this one. @param {{top: unknown}} [page] */
export const isFramed = (page = window) => page.top !== page;

/** @param {HistoryApi} api @returns {HistoryApi} refuses what a page in a frame may not do */
export function refuseFramed(api) {
  const refuse = () => Promise.reject(new HistoryApiError({ code: FRAMED }));
  /** @type {HistoryApi["askAnswer"]} */
  const askAnswer = (question, token, answer) => (answer.answer === "skip" ? api.askAnswer(question, token, answer) : refuse());
  return { ...api, ...Object.fromEntries(REFUSED.map((name) => [name, refuse])), askAnswer };
}
