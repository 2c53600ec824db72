// @ts-check
/** What the clear dialog shows at each step. */

import { hint } from "./dom.mjs";
import { number } from "./format.mjs";
import { buttons, countingView, facts, roseHint } from "./panel/delete_dialog.mjs";
import { clearHint } from "./panel/words_delete.mjs";
import { banners, notice, tile, tiles } from "./parts.mjs";
import * as words from "./words.mjs";

/** @typedef {import("../../types/wire").Preview} Preview */

const { CLEAR } = words;
const WIDTH = 416;

/** @param {import("./history_api.mjs").HistoryApi} api @returns {import("./panel/asking.mjs").QuestionSteps} */
export const createClearSteps = (api) => ({
  counting: (frame) => frame.show(countingView(CLEAR.title, WIDTH, [hint("info", CLEAR.assets)])),

  confirm(frame, /** @type {Preview} */ preview, status, rose) {
    const { counts, finished, hold_seconds: seconds = 0 } = preview;
    const body = [
      ...banners(status, api),
      rose && roseHint(),
      tiles(
        tile(number(finished), CLEAR.willGo, words.goingParts(counts)),
        tile(number(counts.active), CLEAR.willStay, words.stayingParts(counts)),
      ),
      facts([[CLEAR.account, words.accountWords(preview)]]),
      hint("info", CLEAR.assets),
      hint(seconds ? "pending" : "warning", clearHint(seconds)),
    ];
    return frame.show({ title: CLEAR.title, width: WIDTH, body, buttons: buttons(words.clearButton(finished)) });
  },

  nothing: (frame, /** @type {Preview} */ preview, status) =>
    notice(frame, { title: CLEAR.nothing, text: words.nothingToClear(preview.counts) }, banners(status, api)),
});
