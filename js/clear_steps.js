// @ts-check
/** What the clear dialog shows at each step. */

import { el, hint } from "./dom.js";
import { number } from "./format.js";
import { banners, errorStep, notice } from "./parts.js";
import * as words from "./words.js";

/** @typedef {import("../types/wire").Status} Status */
/** @typedef {import("../types/wire").Preview} Preview */
/** @typedef {import("./dialogs.js").Frame} Frame */

const { CLEAR, COMMON } = words;

/** @param {import("./dom.js").Child} count @param {string} what @param {import("./dom.js").Child} detail */
const tile = (count, what, detail) => el("div", {}, el("b", {}, count), el("em", {}, what), detail);

const skeleton = (/** @type {string} */ width) => el("span", { class: "cch-skel", style: `width: ${width}` });

/** @param {HTMLElement} going @param {HTMLElement} staying */
const tiles = (going, staying) => el("div", { class: "cch-nums" }, going, staying);

/** @param {import("./history_api.js").HistoryApi} api */
export function createClearSteps(api) {
  return {
    /** While the jobs are counted. The unusable button keeps Cancel where it will be. @param {Frame} frame */
    counting(frame) {
      const waiting = el("button", { type: "button", class: "cch-btn cch-confirm", "aria-disabled": "true" }, COMMON.loading);
      const box = tiles(tile(skeleton("64px"), CLEAR.willGo, skeleton("120px")), tile(skeleton("32px"), CLEAR.willStay, skeleton("64px")));
      box.setAttribute("aria-busy", "true");
      const buttons = [{ label: COMMON.cancel }, { label: "", element: waiting }];
      return frame.show({ title: CLEAR.title, body: [box, hint("info", CLEAR.assets), hint("warning", CLEAR.noUndo)], buttons });
    },

    /**
     * Resolves with "clear" if the person confirms.
     * @param {Frame} frame
     * @param {Preview} preview
     * @param {Status} status
     * @param {boolean} rose whether it is asked again because more jobs have finished
     */
    confirm(frame, preview, status, rose) {
      const { counts, finished } = preview;
      const account = el("dl", { class: "cch-dl" }, el("dt", {}, CLEAR.account), el("dd", {}, words.accountWords(preview)));
      const again = hint("warning", CLEAR.rose, "cch-msg warn");
      again.setAttribute("role", "alert");
      const body = [
        ...banners(status, api),
        rose && again,
        tiles(
          tile(number(finished), CLEAR.willGo, words.goingParts(counts)),
          tile(number(counts.active), CLEAR.willStay, words.stayingParts(counts)),
        ),
        account,
        hint("info", CLEAR.assets),
        hint("warning", CLEAR.noUndo),
      ];
      /** @type {import("./dialogs.js").ViewButton[]} */
      const buttons = [{ label: COMMON.cancel }, { label: words.clearButton(finished), kind: "danger", icon: "trash", answer: "clear" }];
      return frame.show({ title: CLEAR.title, body, buttons });
    },

    /** @param {Frame} frame @param {Preview} preview @param {Status} status */
    nothing: (frame, preview, status) =>
      notice(frame, { title: CLEAR.nothing, text: words.nothingToClear(preview.counts) }, banners(status, api)),

    /** Resolves with "again" if the person wants a new preview. @param {Frame} frame */
    tooOld: (frame) =>
      frame.show({
        title: words.TOO_OLD.title,
        body: [el("p", {}, words.TOO_OLD.text)],
        buttons: [{ label: COMMON.cancel, kind: "ghost" }, { label: COMMON.lookAgain, answer: "again" }],
      }),

    /** @param {Frame} frame @param {"node" | "menu" | "ours" | undefined} origin */
    busy: (frame, origin) => notice(frame, words.busyWords(origin)),

    failed: errorStep,
  };
}

/** @typedef {ReturnType<typeof createClearSteps>} ClearSteps */
