// @ts-check
/** Cancels pending and running jobs. */

import { asApiError, NO_ANSWER, STRANGE } from "../api.mjs";
import { confirmed } from "../common/dialogs.mjs";
import { hint } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { sentences } from "../common/format.mjs";
import { errorLine } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { jobsList } from "./question.mjs";
import { cancelledWords, cancelLost, cancelWords } from "./strings.mjs";

/** @import { Row } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */
/** @import { Dialogs } from "../common/dialogs.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */

const MAX_IDS_PER_REQUEST = 100;
/** Codes after which the outcome is unknown, because the request may have arrived. */
const OUTCOME_UNKNOWN = new Set([NO_ANSWER, STRANGE, "internal", "unreachable", "timeout", "server_fault", "unreadable_answer", "list_not_whole"]);

/** @param {Pick<HistoryApi, "cancel">} api @param {string[]} ids @param {string} account */
async function cancelAll(api, ids, account) {
  let [cancelled, already] = [0, 0];
  /** @type {string[]} */
  const ended = [];
  /** @type {HistoryApiError | null} */
  let trouble = null;
  for (let from = 0; from < ids.length && !trouble; from += MAX_IDS_PER_REQUEST) {
    const asked = ids.slice(from, from + MAX_IDS_PER_REQUEST);
    try {
      const answer = await api.cancel(asked, account);
      cancelled += answer.cancelled.length;
      already += answer.finished_already.length;
      ended.push(...answer.cancelled, ...answer.finished_already);
    } catch (error) {
      trouble = asApiError(error);
      if (OUTCOME_UNKNOWN.has(trouble.code)) ended.push(...asked);
    }
  }
  return { cancelled, already, ended, trouble };
}

/**
 * @param {object} parts
 * @param {Pick<HistoryApi, "cancel">} parts.api
 * @param {Dialogs} parts.dialogs
 * @param {Pick<Toasts, "tell">} parts.toasts
 * @param {(id: string) => string} parts.workflowName the name of a workflow, or ""
 * @param {(ids: string[]) => void} parts.onChange called with the jobs that were cancelled, had finished, or may have been cancelled
 */
export function createCancellation({ api, dialogs, toasts, workflowName, onChange }) {
  /** @param {number} cancelled @param {number} already @param {number} left @param {HistoryApiError | null} trouble */
  function tell(cancelled, already, left, trouble) {
    if (trouble && OUTCOME_UNKNOWN.has(trouble.code)) {
      const lost = cancelLost(cancelled, already);
      return toasts.tell("warning", { title: lost.title, detail: lost.text });
    }
    const { title, detail } = cancelledWords(cancelled, already, left);
    const more = sentences([detail, trouble && errorLine(trouble)]);
    const kind = left === 0 ? "success" : cancelled ? "warning" : "error";
    toasts.tell(kind, { title: cancelled + already === 0 ? text("deletion.none_cancelled") : title, ...(more && { detail: more }) });
  }

  /** @param {string[]} ids @param {string} account */
  async function send(ids, account) {
    const { cancelled, already, ended, trouble } = await cancelAll(api, ids, account);
    tell(cancelled, already, ids.length - cancelled - already, trouble);
    onChange(ended);
  }

  return {
    /** Cancels jobs if the person confirms. @param {Row[]} rows active jobs @param {string} account that owns the jobs */
    async ask(rows, account) {
      const ids = rows.map((row) => row.id);
      const { title, lost, stays, keep, confirm, list } = cancelWords(ids.length, rows.some(({ status }) => status === "in_progress"));
      const view = {
        title,
        body: [jobsList(list, rows, workflowName), el("p", {}, sentences([lost, stays]))],
        pinned: [hint("warning", text("deletion.final"))],
      };
      if (await confirmed(dialogs, view, { label: confirm, kind: "danger", icon: "stop" }, keep)) await send(ids, account);
    },
  };
}
