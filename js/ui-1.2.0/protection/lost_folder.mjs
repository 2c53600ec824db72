// @ts-check
/** A state folder that is lost stops all deletions: what is told of it, and the way out. */

import { button, el } from "../common/dom.mjs";
import { clean } from "../common/format.mjs";
import { STATE_LOST } from "../api.mjs";
import { card } from "../common/components.mjs";
import { COMMON, errorLine, errorWords } from "../common/strings.mjs";
import { asApiError } from "../deletion/confirm.mjs";
import { LOST } from "./strings.mjs";

/** @typedef {import("../../../types/wire").Status} Status */

const MAX_CHARACTERS = 1000;

/**
 * @param {object} parts
 * @param {Pick<import("../api.mjs").HistoryApi, "startAnew">} parts.api
 * @param {import("../common/dialogs.mjs").Dialogs} parts.dialogs
 * @param {Pick<import("../common/toasts.mjs").Toasts, "tell">} parts.toasts
 * @param {(status: Status) => void} parts.onStarted
 */
export function createLostFolder({ api, dialogs, toasts, onStarted }) {
  async function startAnew() {
    try {
      onStarted(await api.startAnew());
    } catch (error) {
      toasts.tell("error", { title: LOST.notBegun, detail: errorLine(asApiError(error)) });
    }
  }

  /** @param {string} message */
  async function ask(message) {
    const answer = await dialogs.exclusive((frame) =>
      frame.show({
        title: LOST.dialog,
        body: [el("p", { dir: "auto" }, clean(message, MAX_CHARACTERS)), el("p", { dir: "auto" }, LOST.text)],
        buttons: [{ label: COMMON.cancel }, { label: LOST.startAnew, answer: "anew", kind: "danger" }],
      }),
    );
    if (answer === "anew") await startAnew();
  }

  return {
    /** @param {Status} status @returns {HTMLElement[]} none where the folder is there */
    banners({ problem }) {
      if (problem?.code !== STATE_LOST) return [];
      const press = () => void ask(problem.message);
      return [card("failed", "i-danger", errorWords(problem), undefined, [button({ label: LOST.press, press })])];
    },
  };
}
