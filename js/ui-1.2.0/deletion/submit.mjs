// @ts-check
/** Confirms a deletion, sends the request, and handles a refusal or a lost answer. */

import { asApiError, HistoryApiError, NO_ANSWER, STRANGE } from "../api.mjs";
import { errorLine } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { advance, isOpen, stateIn } from "./entries.mjs";
import { endedBy } from "./label.mjs";
import { messageWords, stoppedUnsent } from "./result_strings.mjs";

/** @import { Entry } from "../../../types/deletion" */
/** @import { HiddenSelection } from "../../../types/list" */
/** @import { DeletionRequest, Previewed } from "./confirm.mjs" */
/** @import { Deletions } from "./controller.mjs" */

/** After these codes, the deletion may have started. */
const OUTCOME_UNKNOWN = new Set([NO_ANSWER, STRANGE, "internal"]);

/**
 * Confirms and sends a deletion. Resolves when the server has answered or the person has cancelled.
 * @param {Deletions} flow
 * @param {DeletionRequest["selection"]} selection
 * @param {() => void} [confirmed] called once the person has confirmed
 * @param {boolean} [grew] whether this repeats a confirmation because more jobs have finished
 * @param {HiddenSelection} [hidden] the part of the selection that the list does not show
 * @returns {Promise<boolean>} false if another dialog of this pack was open
 */
export async function start(flow, selection, confirmed, grew = false, hidden = undefined) {
  const { confirmation } = flow.parts;
  if (flow.entries.some((entry) => entry.mine && isOpen(entry) && !entry.hold)) {
    await confirmation.tellBusy("ours");
    return true;
  }
  let answer = await confirmation.ask({ selection, ...(hidden && { hidden }) }, grew);
  if (answer === undefined) return false;
  if (answer) confirmed?.();
  while (answer) answer = await send(flow, answer);
  return true;
}

/**
 * Asks for confirmation again after more jobs have finished than were confirmed. Nothing has been sent.
 * @param {Deletions} flow
 * @param {Entry} entry whose result is "count_rose"
 */
export async function askAgain(flow, entry) {
  if (!flow.entries.includes(entry)) return;
  flow.notify.retire(entry);
  const asked = await start(flow, { clear: true }, () => flow.drop(entry), true);
  if (!asked && entry.words) flow.announce(entry, entry.words);
}

/** @param {Deletions} flow @param {Previewed} request @returns {Promise<Previewed | null | undefined>} the request, if the person confirmed again after a refusal */
async function send(flow, request) {
  const { preview } = request;
  const entry = flow.add({ kind: preview.kind, jobs: preview.removable ?? preview.finished }, true);
  const { selection } = request;
  Object.assign(entry, { operation: preview.operation, account: preview.account, asked: selection });
  flow.label(entry, { origin: "clear" in selection ? "menu" : "policy" in selection ? "clean_up" : "panel", first: preview.rows?.[0], jobs: entry.jobs });
  if (!preview.hold_seconds) {
    Object.assign(entry, { phase: "sending", preparing: true });
    // The server names the jobs of a hold, but here its answer comes after the result.
    const going = flow.parts.going?.(selection) ?? [];
    if (going.length === entry.jobs) entry.ids = new Set(going);
    flow.notify.progress(entry, true);
    flow.change();
  }
  try {
    flow.handleAnswer(entry, await flow.parts.api.submit(request));
  } catch (error) {
    return refused(flow, entry, request, asApiError(error));
  }
  return null;
}

/** @param {Deletions} flow @param {Entry} entry @param {Previewed} request @param {HistoryApiError} error */
async function refused(flow, entry, request, error) {
  if (OUTCOME_UNKNOWN.has(error.code)) return recover(flow, entry);
  const { confirmation, toasts } = flow.parts;
  const showDialog = confirmation.after(error, request);
  if (!showDialog) {
    const isStopped = error.code === "stopped";
    flow.conclude(entry, () => (isStopped ? stoppedUnsent(entry.jobs, endedBy(entry)) : messageWords("error", { title: text("deletion.none_removed"), text: errorLine(error) })), true);
    return null;
  }
  flow.drop(entry, true);
  flow.notify.retire(entry);
  const answer = await showDialog();
  // Another dialog of this pack was open, so show the refusal in a toast.
  if (answer === undefined) toasts.tell("warning", { title: text("deletion.not_deleted"), detail: errorLine(error) });
  return answer;
}

/** After a lost answer, reads from the status whether the deletion is held, runs, or has ended. @param {Deletions} flow @param {Entry} entry */
async function recover(flow, entry) {
  const { api, now } = flow.parts;
  const asked = now();
  /** @type {HistoryApiError | undefined} */
  let failed;
  const status = await api.status().catch((unanswered) => void (unanswered instanceof HistoryApiError && (failed = unanswered)));
  entry.answering = false;
  if (!status) {
    // The clock asks again until ComfyUI answers.
    advance(entry, "due");
    flow.lostTouch(failed);
    return null;
  }
  const held = status.holds?.find(({ id }) => id === entry.operation);
  if (held) {
    flow.handleAnswer(entry, { hold: held });
  } else if (stateIn(entry, status) !== "missing") {
    advance(entry, "sending");
  } else {
    await flow.readRecord(entry);
  }
  flow.adopt(status, asked);
  return null;
}
