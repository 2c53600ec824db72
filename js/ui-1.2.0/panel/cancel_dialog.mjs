// @ts-check
/** Cancelling jobs that wait or run: another thing than deleting, in words and place. */

import { el } from "../dom.mjs";
import { sentErrorLine } from "../words.mjs";
import { asApiError } from "./asking.mjs";
import { cancelledWords, cancelWords, DETAILS } from "./words_delete.mjs";

/** @typedef {import("../../../types/wire").Row} Row */

/** What the server takes in one request. */
const MOST = 100;

/**
 * @param {object} parts
 * @param {Pick<import("../history_api.mjs").HistoryApi, "cancel">} parts.api
 * @param {import("../dialogs.mjs").Dialogs} parts.dialogs
 * @param {Pick<import("../toasts.mjs").Toasts, "tell">} parts.toasts
 * @param {() => void} parts.onChange
 */
export function createCancelling({ api, dialogs, toasts, onChange }) {
  /** @param {string[]} ids */
  async function send(ids) {
    let [cancelled, already] = [0, 0];
    /** @type {string} */
    let trouble = "";
    for (let from = 0; from < ids.length && !trouble; from += MOST) {
      try {
        const answer = await api.cancel(ids.slice(from, from + MOST));
        cancelled += answer.cancelled.length;
        already += answer.finished_already.length;
      } catch (error) {
        trouble = sentErrorLine(asApiError(error));
      }
    }
    const left = ids.length - cancelled - already;
    const { title, detail } = cancelledWords(cancelled, already, left);
    const text = [detail, trouble].filter(Boolean).join(" ");
    const kind = left === 0 ? "success" : cancelled ? "warning" : "error";
    toasts.tell(kind, { title: left === ids.length ? DETAILS.notCancelled : title, ...(text && { detail: text }) });
    onChange();
  }

  return {
    /** @param {Row[]} rows active ones */
    async ask(rows) {
      const ids = rows.map((row) => row.id);
      const { title, text, keep, confirm } = cancelWords(ids.length);
      const answer = await dialogs.exclusive((frame) =>
        frame.show({ title, body: [el("p", {}, text)], buttons: [{ label: keep }, { label: confirm, kind: "danger", icon: "stop", answer: "yes" }] }),
      );
      if (answer === "yes") await send(ids);
    },
  };
}
