// @ts-check
/** A deletion's beginning: from the confirmation to the server's answer, also to an answer that is lost or refuses. */

import { asApiError, NO_ANSWER, STRANGE } from "../api.mjs";
import { errorLine } from "../common/strings.mjs";
import { advance, isOpen, seenIn } from "./entries.mjs";
import { NOT_REMOVED } from "./result_strings.mjs";
import { LOST, NOT_DELETED } from "./strings.mjs";

/** @import { Entry } from "../../../types/deletion" */
/** @import { HistoryApiError } from "../api.mjs" */
/** @import { DeletionRequest, Previewed } from "./confirm.mjs" */
/** @import { Deletions } from "./controller.mjs" */

/** After these nobody can say whether the deletion had begun. */
const NOT_KNOWN = new Set([NO_ANSWER, STRANGE, "internal"]);

/**
 * Resolves when it is held, when its result is told, or when nothing was confirmed.
 * @param {Deletions} flow
 * @param {DeletionRequest["selection"]} selection
 * @param {() => void} [confirmed] called once the person has said yes
 * @param {boolean} [grew] whether it is asked again because more jobs have finished
 * @returns {Promise<boolean>} false if it could not be asked, because another dialog of ours was open
 */
export async function start(flow, selection, confirmed, grew = false) {
  const { confirmation } = flow.parts;
  if (flow.entries.some((entry) => entry.mine && isOpen(entry) && !entry.hold)) {
    await confirmation.tellBusy("ours");
    return true;
  }
  let answer = await confirmation.ask({ selection }, grew);
  if (answer === undefined) return false;
  if (answer) confirmed?.();
  while (answer) answer = await send(flow, answer);
  return true;
}

/**
 * More had finished than was confirmed: nothing was sent, and nothing is without another yes.
 * @param {Deletions} flow
 * @param {Entry} entry with that result
 */
export async function askAgain(flow, entry) {
  if (!flow.entries.includes(entry)) return;
  entry.toast.dismiss();
  const asked = await start(flow, { clear: true }, () => flow.drop(entry), true);
  if (!asked && entry.words) flow.tell.result(entry, entry.words);
}

/** @param {Deletions} flow @param {Previewed} request @returns {Promise<Previewed | null | undefined>} what was confirmed after a refusal */
async function send(flow, request) {
  const { preview } = request;
  const entry = flow.add({ kind: preview.kind, jobs: preview.removable ?? preview.finished }, true);
  Object.assign(entry, { operation: preview.operation, account: preview.account });
  if (!preview.hold_seconds) {
    entry.phase = "sending";
    flow.tell.progress(entry, true);
    flow.change();
  }
  try {
    flow.begun(entry, await flow.parts.api.submit(request));
  } catch (error) {
    return refused(flow, entry, request, asApiError(error));
  }
  return null;
}

/** @param {Deletions} flow @param {Entry} entry @param {Previewed} request @param {HistoryApiError} error */
async function refused(flow, entry, request, error) {
  if (NOT_KNOWN.has(error.code)) return findOut(flow, entry);
  flow.drop(entry);
  const { confirmation, toasts } = flow.parts;
  const talk = confirmation.after(error, request);
  if (!talk) {
    entry.toast.show("error", { title: NOT_REMOVED, detail: errorLine(error) });
    flow.say(`${NOT_REMOVED}. ${errorLine(error)}`, true);
    return null;
  }
  entry.toast.dismiss();
  const answer = await talk();
  // Another dialog of ours was open: what would have been asked there is told here.
  if (answer === undefined) toasts.tell("warning", { title: NOT_DELETED, detail: errorLine(error) });
  return answer;
}

/** The request was lost on its way to ComfyUI or back: look whether it is held, runs, or has run. @param {Deletions} flow @param {Entry} entry */
async function findOut(flow, entry) {
  const status = await flow.parts.api.status().catch(() => null);
  entry.answering = false;
  const held = status?.holds?.find(({ id }) => id === entry.operation);
  if (held) {
    flow.begun(entry, { hold: held });
  } else if (status && seenIn(entry, status) !== "missing") {
    advance(entry, "sending");
  } else {
    flow.giveUp(entry, LOST);
  }
  if (status) flow.adopt(status);
  return null;
}
