// @ts-check
/** The pages that the More menu opens, and what they know beyond the time they are shown. */

import { CleanUp } from "./cleanup/model.mjs";
import { CleanUpPage } from "./cleanup/page.mjs";
import { DeletionRecord } from "./audit/model.mjs";
import { RecordPage } from "./audit/page.mjs";

/** @param {() => void} run @param {number} milliseconds @returns {() => void} the way to stop it */
function after(run, milliseconds) {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/**
 * @param {object} parts
 * @param {import("./api.mjs").HistoryApi} parts.api
 * @param {import("../../types/panel").Store} parts.store
 * @param {import("../../types/panel").Actions} parts.actions
 * @param {import("./list/thumbnails.mjs").Thumbnails} parts.thumbnails
 * @param {import("./details/workflows.mjs").Workflows} parts.workflows
 * @param {import("./common/dialogs.mjs").Dialogs} parts.dialogs
 * @param {import("./common/toasts.mjs").Toasts} parts.toasts
 */
export function createPageParts(parts) {
  const cleanUp = new CleanUp({ api: parts.api, after });
  const record = new DeletionRecord({ api: parts.api });
  return {
    /** @type {import("../../types/panel").ViewParts["createPage"]} */
    create: (name, view) =>
      name === "clean_up"
        ? new CleanUpPage({ ...parts, ...view, cleanUp })
        : new RecordPage({ ...parts, ...view, record, now: () => parts.store.now() }),

    /** What a change is about: after a deletion the list is read again, and Clean up follows the list. @param {string} kind */
    changed(kind) {
      if (kind === "protection" || kind === "key") cleanUp.refresh();
      else record.changed();
    },
  };
}
