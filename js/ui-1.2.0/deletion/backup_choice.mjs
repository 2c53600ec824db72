// @ts-check
/** The tick that saves the workflows before their jobs go. */

import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { BACKUP } from "../protection/strings.mjs";

/** One choice, kept when the person has to look again. */
export function createBackupChoice() {
  /** @type {boolean | undefined} */
  let chosen;
  return {
    /** What to send along: nothing where it was never asked. */
    answer: () => (chosen === undefined ? {} : { backup: chosen }),

    /** @param {boolean | undefined} preset as it is set for all deletions; undefined: the server knows no backups */
    tick(preset) {
      if (preset === undefined) return null;
      chosen ??= preset;
      const box = el("input", { type: "checkbox", checked: chosen, onchange: ({ target }) => (chosen = target.checked) });
      const words = el("span", { class: "cch-grow" }, BACKUP.tick, el("span", { class: "cch-2" }, BACKUP.text));
      return el("label", { class: "cch-opt top" }, box, el("span", { class: "cch-check", "aria-hidden": "true" }, icon("check")), words);
    },
  };
}

/** @typedef {ReturnType<typeof createBackupChoice>} BackupChoice */
