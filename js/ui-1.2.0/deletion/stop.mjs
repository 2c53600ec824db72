// @ts-check
/** Undoes and stops deletions when the person asks for it. */

import { asApiError } from "../api.mjs";
import { sentence, sentences } from "../common/format.mjs";
import { errorLine } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { advance, isOpen } from "./entries.mjs";
import { tooLate } from "./strings.mjs";

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
      flow.parts.toasts.tell("error", { title: text("deletion.not_stopped"), detail: errorLine(refused) });
    }
    flow.change();
    void flow.refresh();
  }
}

/** @param {Entry} entry whose hold has ended */
const tooLateWords = (entry) => tooLate(entry.backup && !entry.sent);

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
    const { title, text: detail } = late ? tooLateWords(entry) : { title: text("deletion.not_undone"), text: errorLine(refused) };
    entry.refusal = sentences([sentence(title), detail]);
    if (late) advance(entry, "sending");
    flow.notify.tell(entry, "error", { title, detail });
    flow.sayOf(entry, entry.refusal, true);
    flow.change();
    void flow.refresh();
  }
}
