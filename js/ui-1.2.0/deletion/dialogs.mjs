// @ts-check
/** What the delete dialog shows at each step, and the clear dialog: the same pieces, other words. */

import { banners, errorStep, hint, notice, skeleton, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, dateTime, number, shortId } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { statusOf } from "../common/status.mjs";
import { accountWords, andMore, busyWords, COMMON, goingParts, TOO_OLD } from "../common/strings.mjs";
import { allButTitle, allProtected, BACKUP, stayingAllBut } from "../protection/strings.mjs";
import * as words from "./strings.mjs";
import { clearButton, clearHint, deleteButton, deleteTitle, nothingToClear, stayingParts, undoHint } from "./strings.mjs";

/** @import { DeletePreview, Preview, Row } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { ViewButton } from "../common/dialogs.mjs" */
/** @import { CommonSteps, QuestionSteps } from "./confirm.mjs" */

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

const { CLEAR, DELETE } = words;
const WIDTH = 448;

/** Terms with their texts; those without a text are left out. @param {[string, string][]} rows */
function facts(rows) {
  const list = el("dl", { class: "cch-dl" });
  for (const [term, text] of rows) if (text) list.append(el("dt", {}, term), el("dd", {}, text));
  return list;
}

/** @param {Row} row */
function jobLine(row) {
  const name = clean(row.name) || shortId(row.id);
  const when = row.created ?? row.finished;
  return el(
    "div",
    {},
    icon(statusOf(row.status).icon, row.status === "failed" ? "s14 i-danger" : "s14 cch-2"),
    el("bdi", { class: "cch-cut", title: clean(row.name) || clean(row.id) }, name),
    el("span", { class: "r" }, when === null ? "" : dateTime(when)),
  );
}

/** Which job it is, where it is one. @param {Row[]} rows */
export const whichJob = (rows) => rows.length === 1 && el("div", { class: "cch-mini" }, ...rows.map(jobLine));

/** The jobs that would go, folded until they are asked for where they are several. @param {Row[]} rows @param {number} all */
export function jobsFold(rows, all) {
  const label = el("span", {}, words.showJobs(all));
  const box = el("div", { class: "cch-mini", tabindex: "0", role: "group", "aria-label": words.showJobs(all) });
  const fold = el("details", { class: "cch-fold" }, el("summary", {}, icon("right", "s14"), label), box);
  const fill = () => {
    label.textContent = fold.open ? words.hideJobs(all) : words.showJobs(all);
    if (!fold.open || box.firstChild) return;
    box.append(...rows.map(jobLine));
    if (all > rows.length) box.append(el("div", { class: "cch-2" }, andMore(all - rows.length)));
  };
  fold.addEventListener("toggle", fill);
  // The list may have moved before it was pressed: whoever means one job sees which it is.
  fold.open = all === 1;
  fill();
  return fold;
}

/** @param {string} title @param {number} width @param {HTMLElement[]} hints */
const countingView = (title, width, hints) => {
  const waiting = el("button", { type: "button", class: "cch-btn cch-confirm", "aria-disabled": "true" }, COMMON.loading);
  const box = tiles(tile(skeleton("64px"), CLEAR.willGo, skeleton("120px")), tile(skeleton("32px"), CLEAR.willStay, skeleton("64px")));
  box.setAttribute("aria-busy", "true");
  // The unusable button keeps Cancel where it will be.
  return { title, width, body: [box, ...hints], buttons: [{ label: COMMON.cancel }, { label: "", element: waiting }] };
};

/** Shown when it is asked again because the numbers have changed. */
function roseHint() {
  const again = hint("warning", CLEAR.rose, "cch-msg warn");
  again.setAttribute("role", "alert");
  return again;
}

/** @param {string} label @returns {ViewButton[]} */
const buttons = (label) => [{ label: COMMON.cancel }, { label, kind: "danger", icon: "trash", answer: "yes" }];

/**
 * @param {HistoryApi} api
 * @param {number | null} asked jobs chosen, for the title while they are counted; null when not known
 * @param {BackupChoice} backup
 * @returns {QuestionSteps}
 */
export function createDeleteSteps(api, asked, backup) {
  const counting = asked === null ? DELETE.counting : words.deleteTitle(asked);
  return {
    counting: (frame) => frame.show(countingView(counting, WIDTH, [hint("info", DELETE.history)])),

    confirm(frame, /** @type {DeletePreview} */ preview, status, rose) {
      const { removable, skipped, oldest, newest, outputs, rows } = preview;
      const stay = preview.kept ?? skipped.active + skipped.protected + skipped.unknown + skipped.already_gone;
      const body = [
        ...banners(status, api),
        rose && roseHint(),
        tiles(
          tile(number(removable), CLEAR.willGo, goingParts(preview.by_status)),
          tile(number(stay), CLEAR.willStay, preview.kept ? DELETE.byRules : words.staying(skipped)),
        ),
        facts([
          [DELETE.oldest, oldest === null ? "" : dateTime(oldest)],
          [DELETE.newest, newest === null ? "" : dateTime(newest)],
          [DELETE.outputs, outputs > 0 ? words.outputsStay(outputs) : ""],
          [DELETE.account, accountWords(preview)],
        ]),
        jobsFold(rows, removable),
        backup.tick(preview.backup),
        hint("info", `${DELETE.history} ${words.undoHint(preview.hold_seconds)}`),
      ];
      return frame.show({ title: words.deleteTitle(removable), width: WIDTH, body, buttons: buttons(words.deleteButton(removable)) });
    },

    nothing: (frame, /** @type {DeletePreview} */ preview, status) =>
      notice(frame, { title: DELETE.nothing, text: words.nothingToDelete(preview.skipped) }, banners(status, api)),
  };
}

/** @returns {CommonSteps} */
export const createCommonSteps = () => ({
  // A preview may also be refused for another reason, and only the server knows which.
  tooOld: (frame, why = "") =>
    frame.show({
      title: TOO_OLD.title,
      body: [el("p", {}, clean(why) || TOO_OLD.text)],
      buttons: [{ label: COMMON.cancel, kind: "ghost" }, { label: COMMON.lookAgain, answer: "again" }],
    }),
  busy: (frame, origin) => notice(frame, busyWords(origin)),
  failed: errorStep,
});

export { buttons, countingView, facts, roseHint };

const CLEAR_WIDTH = 416;

/** Where anything is protected or backed up: exactly the jobs of the preview go. @param {DeletePreview} preview @param {HTMLElement | null} tick */
function byIds(preview, tick) {
  const { removable, by_status, skipped, hold_seconds: seconds } = preview;
  const counts = { ...by_status, active: skipped.active };
  const stay = skipped.protected + skipped.active + skipped.unknown;
  const body = [
    tiles(
      tile(number(removable), CLEAR.willGo, goingParts(counts)),
      tile(number(stay), CLEAR.willStay, stayingAllBut(skipped) || CLEAR.noneActive),
    ),
    facts([[CLEAR.account, accountWords(preview)]]),
    tick,
    hint("info", CLEAR.assets),
    hint(seconds ? "pending" : "warning", undoHint(seconds)),
  ];
  const title = skipped.protected ? allButTitle(skipped.protected) : deleteTitle(removable);
  return { title, body, label: deleteButton(removable) };
}

/** @param {HistoryApi} api @param {BackupChoice} backup @returns {QuestionSteps} */
export const createClearSteps = (api, backup) => ({
  counting: (frame) => frame.show(countingView(CLEAR.title, CLEAR_WIDTH, [hint("info", CLEAR.assets)])),

  confirm(frame, /** @type {Preview | DeletePreview} */ preview, status, rose) {
    if (preview.kind === "delete") {
      const { title, body, label } = byIds(preview, backup.tick(preview.backup));
      return frame.show({ title, width: CLEAR_WIDTH, body: [...banners(status, api), ...body], buttons: buttons(label) });
    }
    const { counts, finished, hold_seconds: seconds = 0 } = preview;
    const body = [
      ...banners(status, api),
      rose && roseHint(),
      tiles(
        tile(number(finished), CLEAR.willGo, goingParts(counts)),
        tile(number(counts.active), CLEAR.willStay, stayingParts(counts)),
      ),
      facts([[CLEAR.account, accountWords(preview)]]),
      hint("info", CLEAR.assets),
      hint(seconds ? "pending" : "warning", clearHint(seconds)),
    ];
    return frame.show({ title: CLEAR.title, width: CLEAR_WIDTH, body, buttons: buttons(clearButton(finished)) });
  },

  nothing(frame, /** @type {Preview | DeletePreview} */ preview, status) {
    const byIds = preview.kind === "delete";
    const none = nothingToClear(byIds ? { ...preview.by_status, active: preview.skipped.active } : preview.counts);
    const text = byIds && preview.skipped.protected ? allProtected(preview.skipped) : none;
    return notice(frame, { title: CLEAR.nothing, text }, banners(status, api));
  },
});
