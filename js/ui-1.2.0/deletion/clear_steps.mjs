// @ts-check
/** What the clear dialog shows at each step. */

import { hint } from "../common/dom.mjs";
import { number } from "../common/format.mjs";
import { buttons, countingView, facts, roseHint } from "./dialogs.mjs";
import { allButTitle, allProtected, stayingAllBut } from "../protection/strings.mjs";
import { clearHint, deleteButton, deleteTitle, undoHint } from "./strings.mjs";
import { banners, notice, tile, tiles } from "../common/components.mjs";
import * as words from "../common/strings.mjs";

/** @typedef {import("../../../types/wire").Preview} Preview */
/** @typedef {import("../../../types/wire").DeletePreview} DeletePreview */

const { CLEAR } = words;
const WIDTH = 416;

/**
 * Where anything is protected or backed up: exactly the jobs of the preview go.
 * @param {DeletePreview} preview
 * @param {HTMLElement | null} tick
 */
function byIds(preview, tick) {
  const { removable, by_status, skipped, hold_seconds: seconds } = preview;
  const counts = { ...by_status, active: skipped.active };
  const stay = skipped.protected + skipped.active + skipped.unknown;
  const body = [
    tiles(
      tile(number(removable), CLEAR.willGo, words.goingParts(counts)),
      tile(number(stay), CLEAR.willStay, stayingAllBut(skipped) || CLEAR.noneActive),
    ),
    facts([[CLEAR.account, words.accountWords(preview)]]),
    tick,
    hint("info", CLEAR.assets),
    hint(seconds ? "pending" : "warning", undoHint(seconds)),
  ];
  const title = skipped.protected ? allButTitle(skipped.protected) : deleteTitle(removable);
  return { title, body, label: deleteButton(removable) };
}

/**
 * @param {import("../api.mjs").HistoryApi} api
 * @param {import("./backup_choice.mjs").BackupChoice} backup
 * @returns {import("./confirm.mjs").QuestionSteps}
 */
export const createClearSteps = (api, backup) => ({
  counting: (frame) => frame.show(countingView(CLEAR.title, WIDTH, [hint("info", CLEAR.assets)])),

  confirm(frame, /** @type {Preview | DeletePreview} */ preview, status, rose) {
    if (preview.kind === "delete") {
      const { title, body, label } = byIds(preview, backup.tick(preview.backup));
      return frame.show({ title, width: WIDTH, body: [...banners(status, api), ...body], buttons: buttons(label) });
    }
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

  nothing(frame, /** @type {Preview | DeletePreview} */ preview, status) {
    const byIds = preview.kind === "delete";
    const none = words.nothingToClear(byIds ? { ...preview.by_status, active: preview.skipped.active } : preview.counts);
    const text = byIds && preview.skipped.protected ? allProtected(preview.skipped) : none;
    return notice(frame, { title: CLEAR.nothing, text }, banners(status, api));
  },
});
