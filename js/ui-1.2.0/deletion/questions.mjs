// @ts-check
/** What is asked before jobs go: about some of them, or about all. */

import { createClearSteps } from "./clear_steps.mjs";
import { createBackupChoice } from "./backup_choice.mjs";
import { createDeleteSteps } from "./dialogs.mjs";

/** @typedef {import("./confirm.mjs").Question} Question */
/** @typedef {import("../api.mjs").HistoryApi} HistoryApi */

/**
 * Where anything is protected or backed up, the server answers with a deletion by ids instead.
 * @param {HistoryApi} api
 * @returns {Question}
 */
function clear(api) {
  const backup = createBackupChoice();
  return {
    kind: "clear",
    preview: api.preview,
    count: (preview) => (preview.kind === "delete" ? preview.removable : preview.finished),
    submit: (token, preview) => (preview.kind === "delete" ? api.remove(token, backup.answer()) : api.clear(token)),
    steps: createClearSteps(api, backup),
  };
}

/** @param {HistoryApi} api @param {import("../../../types/wire").Selection} target @returns {Question} */
function remove(api, target) {
  const backup = createBackupChoice();
  return {
    kind: "delete",
    preview: () => api.previewOf(target),
    count: ({ removable }) => removable,
    submit: (token) => api.remove(token, backup.answer()),
    steps: createDeleteSteps(api, "ids" in target ? target.ids.length : null, backup),
  };
}

/** @param {HistoryApi} api */
export const createQuestions = (api) => ({
  /** A new one each time: what was ticked once is not ticked for ever. */
  get clear() {
    return clear(api);
  },
  /** @param {import("../../../types/wire").Selection} target */
  remove: (target) => remove(api, target),
});
