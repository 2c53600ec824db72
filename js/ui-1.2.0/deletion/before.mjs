// @ts-check
/** What is kept before jobs are deleted: nothing, their workflows, or their workflows and outputs. */

import { select } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { text } from "../common/words.mjs";
import { beforeChoices, beforePromise, backupSize } from "../protection/strings.mjs";

/** @import { BackupKind, Question, Settings, Status } from "../../../types/wire" */

/** @typedef {(kind: BackupKind) => void} Choose */

/** Whether anything is kept, so that a deletion can be stopped while that is done. @param {BackupKind | undefined} kind */
export const isKept = (kind) => kind !== undefined && kind !== "off";

/** What the server proposes to keep. Older servers only tell whether the setting is on. @param {BackupKind | boolean} preset @param {Settings} [settings] @returns {BackupKind} */
export function proposedKind(preset, settings) {
  if (typeof preset === "string") return preset;
  if (!preset) return "off";
  return settings && settings.backup !== "off" ? settings.backup : "workflows";
}

let made = 0;

/**
 * The choice, with what it promises, or with what is lost if nothing is kept.
 * @param {Pick<Question, "removable" | "backup_estimate">} question
 * @param {BackupKind} kind
 * @param {Choose} choose
 * @param {Settings} [settings] which say how long a backup is kept
 * @param {Status["outputs"]} [outputs] where outputs are saved
 */
export function beforeOption({ removable, backup_estimate: estimate }, kind, choose, settings, outputs) {
  // The text nodes stay: some frontends move the focus when nodes are added or removed.
  const [size, promise] = [document.createTextNode(""), document.createTextNode("")];
  const id = `cch-before-${++made}`;
  const line = el("span", { id }, promise);
  const say = (/** @type {BackupKind} */ chosen) => {
    // The estimate is about workflows alone.
    size.data = chosen === "workflows" && estimate ? backupSize(estimate) : "";
    promise.data = beforePromise(chosen, removable, settings, outputs);
    line.className = isKept(chosen) ? "cch-2" : "";
  };
  say(kind);
  const list = select(beforeChoices(removable), kind, (value) => {
    const chosen = /** @type {BackupKind} */ (value);
    say(chosen);
    choose(chosen);
  });
  list.setAttribute("aria-describedby", id);
  return el("div", { class: "cch-before" }, el("label", { class: "cch-lab" }, el("span", {}, text("protection.before_label")), list), line, el("span", { class: "cch-2" }, size));
}
