// @ts-check
/** Stopping what is being sent. */

import { errorLine } from "../common/strings.mjs";
import { asApiError } from "./confirm.mjs";
import { NOT_STOPPED } from "./strings.mjs";

/** What the server answers when there is nothing left to stop. */
const ENDED = "invalid_request";

/**
 * Sends no more; its result says how far it came. Only what was held can be stopped.
 * @param {import("./controller.mjs").Deletions} flow
 * @param {import("../../../types/deletions").Entry} entry
 */
export async function stop(flow, entry) {
  if (!entry.hold || entry.stopping) return;
  entry.stopping = true;
  flow.render();
  try {
    await flow.parts.api.stop(entry.hold);
  } catch (error) {
    entry.stopping = false;
    const refused = asApiError(error);
    if (refused.code !== ENDED) flow.parts.toasts.tell("error", { title: NOT_STOPPED, detail: errorLine(refused) });
    flow.render();
    void flow.refresh();
  }
}
