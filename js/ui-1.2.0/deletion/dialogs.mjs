// @ts-check
/** Draws the steps of the delete and clear dialogs. */

import { banners, checkOption, errorStep, facts, hint, notice, skeleton, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, dateTime, number, shortId } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { statusOf } from "../common/status.mjs";
import { accountWords, andMore, busyWords, COMMON, goingParts, TOO_OLD } from "../common/strings.mjs";
import { allButTitle, allProtected, BACKUP, stayingAllBut } from "../protection/strings.mjs";
import * as words from "./strings.mjs";

/** @import { DeletePreview, Preview, Row } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { DeletionRequest, Steps } from "./confirm.mjs" */

const { CLEAR, DELETE } = words;
const WIDTH = 448;
const CLEAR_WIDTH = 416;

/** Returns the checkbox for backups. Its state is kept when the preview is repeated. @param {DeletionRequest} request */
export function backupTick(request) {
  const { backup: preset } = request.preview;
  // A server without backups does not send this field.
  if (preset === undefined) return null;
  request.backup ??= Boolean(preset);
  const text = [BACKUP.tick, el("span", { class: "cch-2" }, BACKUP.text)];
  return checkOption(text, request.backup, (backup) => (request.backup = backup), "cch-opt top");
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

/** Shows the job if there is only one. @param {Row[]} rows */
export const whichJob = (rows) => rows.length === 1 && el("div", { class: "cch-mini" }, ...rows.map(jobLine));

/** Lists the jobs that would be deleted, folded if there are several. @param {Row[]} rows @param {number} all */
function jobsFold(rows, all) {
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
  // A single job is shown at once: if the list moved just before the click, the person sees that it is the wrong job.
  fold.open = all === 1;
  fill();
  return fold;
}

/** Says that the counts have changed since the last confirmation. */
function grewHint() {
  const again = hint("warning", CLEAR.grew, "cch-msg warn");
  again.setAttribute("role", "alert");
  return again;
}

/** @param {number} going @param {HTMLElement | string} goingParts @param {number} staying @param {string} stayingParts */
const counts = (going, goingParts, staying, stayingParts) =>
  tiles(tile(number(going), CLEAR.willGo, goingParts), tile(number(staying), CLEAR.willStay, stayingParts));

/** @param {DeletePreview} preview @param {HTMLElement | null} tick */
function deleteBody(preview, tick) {
  const { removable, skipped, oldest, newest, outputs, rows } = preview;
  const stay = preview.kept ?? skipped.active + skipped.protected + skipped.unknown + skipped.already_gone;
  return [
    counts(removable, goingParts(preview.by_status), stay, preview.kept ? DELETE.byRules : words.staying(skipped)),
    facts([
      [DELETE.oldest, oldest === null ? "" : dateTime(oldest)],
      [DELETE.newest, newest === null ? "" : dateTime(newest)],
      [DELETE.outputs, outputs > 0 ? words.outputsStay(outputs) : ""],
      [DELETE.account, accountWords(preview)],
    ]),
    jobsFold(rows, removable),
    tick,
    hint("info", `${DELETE.history} ${words.undoHint(preview.hold_seconds)}`),
  ];
}

/** @param {Preview | DeletePreview} preview @param {HTMLElement | null} tick */
function clearBody(preview, tick) {
  const { hold_seconds: seconds = 0 } = preview;
  const numbers = () => {
    if (preview.kind === "clear") return counts(preview.finished, goingParts(preview.counts), preview.counts.active, words.stayingParts(preview.counts));
    const { removable, by_status: byStatus, skipped } = preview;
    return counts(removable, goingParts(byStatus), skipped.protected + skipped.active + skipped.unknown, stayingAllBut(skipped) || CLEAR.noneActive);
  };
  const undo = preview.kind === "clear" ? words.clearHint(seconds) : words.undoHint(seconds);
  return [numbers(), facts([[CLEAR.account, accountWords(preview)]]), tick, hint("info", CLEAR.assets), hint(seconds ? "pending" : "warning", undo)];
}

/** @param {boolean} isClear @param {Preview | DeletePreview} preview */
function titleOf(isClear, preview) {
  if (preview.kind === "clear") return CLEAR.title;
  return isClear && preview.skipped.protected ? allButTitle(preview.skipped.protected) : words.deleteTitle(preview.removable);
}

/** @param {boolean} isClear @param {Preview | DeletePreview} preview */
function nothingText(isClear, preview) {
  if (preview.kind === "clear") return words.nothingToClear(preview.counts);
  if (!isClear) return words.nothingToDelete(preview.skipped);
  return preview.skipped.protected ? allProtected(preview.skipped) : words.nothingToClear({ ...preview.by_status, active: preview.skipped.active });
}

/** @param {HistoryApi} api @returns {Steps} */
export const createSteps = (api) => ({
  counting(frame, { selection }) {
    const isClear = "clear" in selection;
    const waiting = el("button", { type: "button", class: "cch-btn cch-confirm", "aria-disabled": "true" }, COMMON.loading);
    const box = tiles(tile(skeleton("64px"), CLEAR.willGo, skeleton("120px")), tile(skeleton("32px"), CLEAR.willStay, skeleton("64px")));
    box.setAttribute("aria-busy", "true");
    return frame.show({
      title: isClear ? CLEAR.title : "ids" in selection ? words.deleteTitle(selection.ids.length) : DELETE.counting,
      width: isClear ? CLEAR_WIDTH : WIDTH,
      body: [box, hint("info", isClear ? CLEAR.assets : DELETE.history)],
      // A disabled button takes the place of the red one, so that Cancel does not move when that appears.
      buttons: [{ label: COMMON.cancel }, { label: "", element: waiting }],
    });
  },

  confirm(frame, request, grew) {
    const isClear = "clear" in request.selection;
    const { preview, status } = request;
    const body = isClear ? clearBody(preview, backupTick(request)) : deleteBody(preview, backupTick(request));
    const { hidden } = request;
    const keepShown = hidden && hidden.shown > 0 && { label: DELETE.keepShown, kind: /** @type {const} */ ("ghost"), answer: "shown" };
    const label = preview.kind === "clear" ? words.clearButton(preview.finished) : words.deleteButton(preview.removable);
    return frame.show({
      title: titleOf(isClear, preview),
      width: isClear ? CLEAR_WIDTH : WIDTH,
      body: [...banners(status, api), grew && grewHint(), hidden && hint("warning", words.hiddenSelection(hidden), "cch-msg warn"), ...body],
      buttons: [{ label: COMMON.cancel }, ...(keepShown ? [keepShown] : []), { label, kind: "danger", icon: "trash", answer: "yes" }],
    });
  },

  nothing(frame, { selection, preview, status }) {
    const isClear = "clear" in selection;
    return notice(frame, { title: isClear ? CLEAR.nothing : DELETE.nothing, text: nothingText(isClear, preview) }, banners(status, api));
  },

  // `why` is the server's reason: a preview may be refused for other reasons than its age.
  tooOld: (frame, why = "") =>
    frame.show({
      title: TOO_OLD.title,
      body: [el("p", {}, clean(why) || TOO_OLD.text)],
      buttons: [{ label: COMMON.cancel, kind: "ghost" }, { label: COMMON.lookAgain, answer: "again" }],
    }),
  busy: (frame, origin) => notice(frame, busyWords(origin)),
  failed: errorStep,
});
