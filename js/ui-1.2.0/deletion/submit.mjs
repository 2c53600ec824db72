// @ts-check
/** A deletion's beginning: from the question to the server's answer, also to an answer that is lost or refuses. */

import { asApiError, NO_ANSWER, STRANGE } from "../api.mjs";
import { errorLine } from "../common/strings.mjs";
import { advance, isOpen, seenIn } from "./entries.mjs";
import { NOT_REMOVED } from "./result_strings.mjs";
import { LOST, NOT_DELETED } from "./strings.mjs";

/** @import { Entry } from "../../../types/deletions" */
/** @import { Status } from "../../../types/wire" */
/** @import { HistoryApiError } from "../api.mjs" */
/** @import { Confirmed, Question } from "./confirm.mjs" */
/** @import { Deletions } from "./controller.mjs" */

/** After these nobody can say whether the deletion had begun. */
const NOT_KNOWN = new Set([NO_ANSWER, STRANGE, "internal"]);

/**
 * Resolves when it is held, when its result is told, or when nothing was confirmed.
 * @param {Deletions} flow
 * @param {Question} question
 * @param {() => void} [confirmed] called once the person has said yes
 * @param {boolean} [rose] whether it is asked again because more jobs have finished
 * @returns {Promise<boolean>} false if it could not be asked, because another dialog of ours was open
 */
export async function start(flow, question, confirmed = () => undefined, rose = false) {
  const { asking } = flow.parts;
  if (flow.entries.some((entry) => entry.mine && isOpen(entry) && !entry.hold)) {
    await asking.tellBusy("ours");
    return true;
  }
  let answer = await asking.ask(question, rose);
  if (answer === undefined) return false;
  if (answer) confirmed();
  while (answer) answer = await send(flow, question, answer);
  return true;
}

/**
 * More had finished than was confirmed: nothing was sent, and nothing is without another yes.
 * @param {Deletions} flow
 * @param {Entry} entry with that result
 */
export async function askAgain(flow, entry) {
  if (!flow.entries.includes(entry)) return;
  entry.slot.dismiss();
  const asked = await start(flow, flow.parts.questions.clear, () => flow.drop(entry), true);
  if (!asked && entry.words) flow.tell.result(entry, entry.words);
}

/**
 * @param {Deletions} flow
 * @param {Question} question
 * @param {Confirmed} confirmed
 * @returns {Promise<Confirmed | null | undefined>} what was confirmed after a refusal
 */
async function send(flow, question, { preview, status }) {
  const entry = flow.add({ kind: preview.kind ?? question.kind, jobs: question.count(preview) }, true);
  Object.assign(entry, { operation: preview.operation, account: preview.account });
  if (!preview.hold_seconds) {
    entry.phase = "sending";
    flow.tell.progress(entry, true);
    flow.change();
  }
  try {
    flow.begun(entry, await question.submit(preview.token, preview));
  } catch (error) {
    return refused(flow, entry, question, asApiError(error), status);
  }
  return null;
}

/** @param {Deletions} flow @param {Entry} entry @param {Question} question @param {HistoryApiError} error @param {Status} status */
async function refused(flow, entry, question, error, status) {
  if (NOT_KNOWN.has(error.code)) return findOut(flow, entry);
  flow.drop(entry);
  const { asking, toasts } = flow.parts;
  const talk = asking.after(error, question, status);
  if (!talk) {
    entry.slot.show("error", { title: NOT_REMOVED, detail: errorLine(error) });
    flow.say(`${NOT_REMOVED}. ${errorLine(error)}`, true);
    return null;
  }
  entry.slot.dismiss();
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
