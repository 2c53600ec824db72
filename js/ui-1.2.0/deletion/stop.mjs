// @ts-check
/** Undoes and stops deletions when the person asks for it. */

import { asApiError } from "../api.mjs";
import { errorLine } from "../common/strings.mjs";
import { advance, isOpen } from "./entries.mjs";
import { HOLD, NOT_STOPPED } from "./strings.mjs";

/** @import { Entry } from "../../../types/deletion" */
/** @import { Deletions } from "./controller.mjs" */

/** The server's error code when there is nothing left to stop. */
const ENDED = "invalid_request";

/** Stops the backup, or sending. The result says which jobs were sent. @param {Deletions} flow @param {Entry} entry */
export async function stop(flow, entry) {
  if (!entry.operation || entry.stopping) return;
  entry.stopping = entry.endedHere = entry.mayEndHere = true;
  flow.change();
  try {
    await flow.parts.api.stop(entry.operation);
  } catch (error) {
    entry.stopping = entry.endedHere = false;
    const refused = asApiError(error);
    if (refused.code !== ENDED) {
      // A toast closes when its button is pressed.
      if (isOpen(entry)) flow.notify.progress(entry, true);
      flow.parts.toasts.tell("error", { title: NOT_STOPPED, detail: errorLine(refused) });
    }
    flow.change();
    void flow.refresh();
  }
}

/** @param {Entry} entry whose hold has ended */
const tooLate = (entry) => (entry.backup && !entry.sent ? HOLD.tooLateForBackup : HOLD.tooLate);

/** Undoes a hold. @param {Deletions} flow @param {Entry} entry @param {string} hold */
export async function undo(flow, entry, hold) {
  Object.assign(entry, { undoing: true, endedHere: true, mayEndHere: true, refusal: "" });
  flow.render();
  try {
    await flow.parts.api.undo(hold);
    flow.undone(entry);
  } catch (error) {
    entry.undoing = entry.endedHere = false;
    const refused = asApiError(error);
    const late = refused.code === "too_late";
    const { title, text } = late ? tooLate(entry) : { title: HOLD.notUndone, text: errorLine(refused) };
    entry.refusal = `${title}. ${text}`;
    if (late) advance(entry, "sending");
    flow.notify.tell(entry, "error", { title, detail: text });
    flow.sayOf(entry, entry.refusal, true);
    flow.change();
    void flow.refresh();
  }
}
