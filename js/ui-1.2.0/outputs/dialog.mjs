// @ts-check
/** The dialog before outputs are saved: how many files, how large, where, and for how long. */

import { ACCOUNT_CHANGED, asApiError, noKey } from "../api.mjs";
import { errorStep, facts, hint, notice, skeleton, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, fileSize, number, sentence, sentences } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { accountWords, andMore } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import * as words from "./strings.mjs";

/** @import { SavePreview, Selection, Status } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Dialogs, Frame, View } from "../common/dialogs.mjs" */
/** @import { ConnectSteps } from "../connect/dialog.mjs" */
/** @import { Saves } from "./saves.mjs" */

/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "savePreview">} api
 * @property {Dialogs} dialogs
 * @property {Pick<Saves, "start">} saves
 * @property {Pick<ConnectSteps, "askForKey">} connect
 * @property {() => void} onAccountChanged the selected jobs belong to another account than the current API key
 */

const WIDTH = 448;

/** @param {Selection} selection */
const titleOf = (selection) => ("ids" in selection ? words.saveTitle(selection.ids.length) : text("outputs.asking"));

/** @param {Frame} frame @param {Selection} selection */
function counting(frame, selection) {
  const waiting = el("button", { type: "button", class: "cch-btn cch-confirm", "aria-disabled": "true" }, text("outputs.counting"));
  const box = tiles(tile(skeleton("64px"), text("outputs.to_save"), skeleton("120px")), tile(skeleton("32px"), text("outputs.already_here"), skeleton("64px")));
  box.setAttribute("aria-busy", "true");
  // A disabled button takes the place of the one that saves, so that Cancel does not move when that appears.
  return frame.show({ title: titleOf(selection), width: WIDTH, body: [box], buttons: [{ label: text("common.cancel") }, { label: "", element: waiting }] });
}

/** Two columns: what would be saved, and what is here already. @param {SavePreview} preview */
const numbers = (preview) => {
  const line = (/** @type {string} */ said) => said && el("span", { class: "cch-what" }, said);
  return tiles(
    tile(number(words.filesToSave(preview)), text("outputs.to_save"), words.sizeToSave(preview)),
    tile(number(preview.saved_files), text("outputs.already_here"), preview.saved_files ? fileSize(preview.saved_bytes) : "", line(words.withoutOutputs(preview.without_outputs))),
  );
};

/** Says which outputs Comfy Cloud no longer has. @param {SavePreview} preview */
function gonePart(preview) {
  const all = words.goneFiles(preview);
  if (!all) return [];
  const lines = preview.gone.map(({ filename }) => el("div", {}, el("span", { class: "cch-cut", dir: "auto" }, clean(filename))));
  const rest = all - lines.length;
  const label = words.showGone(all);
  const box = el("div", { class: "cch-mini", tabindex: "0", role: "group", "aria-label": label }, ...lines, rest > 0 && el("div", { class: "cch-2" }, andMore(rest)));
  return [hint("warning", words.goneWords(all), "cch-msg warn"), el("details", { class: "cch-fold" }, el("summary", {}, icon("right", "s14"), label), box)];
}

/** @param {SavePreview} preview @param {Status} status */
const placeFacts = (preview, status) =>
  facts([
    [text("outputs.place"), clean(preview.place, 300)],
    [text("outputs.free"), preview.free_bytes === null ? "" : fileSize(preview.free_bytes)],
    [text("outputs.takes"), words.takesWords(preview)],
    [text("outputs.checked"), words.checkWords(preview)],
    [text("outputs.account"), accountWords(status)],
  ]);

/** @param {Frame} frame @param {SavePreview} preview @param {Status} status */
function confirm(frame, preview, status) {
  const tooLarge = words.isTooLarge(preview);
  /** @type {View} */
  const view = {
    title: words.saveTitle(preview.jobs),
    width: WIDTH,
    body: [tooLarge && hint("failed", sentences([sentence(text("outputs.no_space")), words.noSpaceText(preview)]), "cch-msg bad"), numbers(preview), ...gonePart(preview), placeFacts(preview, status)],
    buttons: [{ label: tooLarge ? text("common.close") : text("common.cancel") }],
  };
  if (tooLarge) return frame.show(view);
  const save = /** @type {const} */ ({ label: words.saveButton(words.filesToSave(preview)), kind: "primary", icon: "save", answer: "yes" });
  return frame.show({ ...view, pinned: [hint("info", text("outputs.no_overwrite"))], buttons: [...view.buttons, save] });
}

/** @param {Frame} frame @param {SavePreview} preview */
const nothing = (frame, preview) => notice(frame, { title: text("outputs.nothing"), text: words.nothingToSave(preview) });

export class SaveQuestion {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * Asks before the outputs of these jobs are saved, and starts the run. Resolves when it has begun or the person has cancelled.
   * @param {Selection} selection
   */
  ask(selection) {
    return this.parts.dialogs.exclusive((frame) => this.#converse(frame, selection));
  }

  /** @param {Frame} frame @param {Selection} selection */
  async #converse(frame, selection) {
    for (;;) {
      /** @type {Status | null} */
      let status = null;
      void counting(frame, selection);
      try {
        status = await this.parts.api.status();
        if (!frame.isOpen()) return;
        if (!status.configured) throw noKey(status);
        const preview = await this.parts.api.savePreview(selection);
        if (!frame.isOpen()) return;
        if (!words.filesToSave(preview)) return void (await nothing(frame, preview));
        if ((await confirm(frame, preview, status)) !== "yes") return;
        return await this.parts.saves.start(preview.token);
      } catch (error) {
        if (!(await this.#asksAgain(frame, error, status))) return;
      }
    }
  }

  /** Shows an error. Resolves with whether to ask again. @param {Frame} frame @param {unknown} error @param {Status | null} status */
  async #asksAgain(frame, error, status) {
    const failed = asApiError(error);
    if (!frame.isOpen()) return false;
    if (failed.code === ACCOUNT_CHANGED) this.parts.onAccountChanged();
    const answer = failed.code === "missing_key" && status ? "replace" : await errorStep(frame, failed, status);
    if (answer === "replace" && status) return Boolean(await this.parts.connect.askForKey(frame, status));
    return answer === "retry";
  }
}
