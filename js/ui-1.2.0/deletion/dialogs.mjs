// @ts-check
/** Draws the steps of the delete and clear dialogs. */

import { banners, errorStep, hint, linkButton, notice, skeleton, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, sentences } from "../common/format.mjs";
import { busyWords, TOO_OLD } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { allButTitle, allProtected } from "../protection/strings.mjs";
import { beforeOption, isKept, proposedKind } from "./before.mjs";
import { questionView, showBackupChoice } from "./question.mjs";
import * as words from "./strings.mjs";

/** @import { HiddenSelection } from "../../../types/list" */
/** @import { BackupKind, DeletePreview, Preview } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Frame } from "../common/dialogs.mjs" */
/** @import { DeletionRequest, Previewed, Steps } from "./confirm.mjs" */
/** @import { Thumbnails, WorkflowName } from "./question.mjs" */

/**
 * @typedef {object} Parts
 * @property {HistoryApi} api
 * @property {Thumbnails} thumbnails
 * @property {WorkflowName} workflowName
 * @property {() => number | null} finishedHere how many finished jobs the list has; null if it is not loaded
 * @property {(run: () => void, milliseconds: number) => void} schedule
 */

const WIDTH = 448;
/** Reading the jobs counts as long after this many seconds. */
const LONG_SECONDS = 8;

/** Returns the choice of what is kept first. It stays when the preview is repeated. @param {DeletionRequest} request @param {(kind: BackupKind) => void} [onChoice] @returns {HTMLElement | null} */
export function beforeChoice(request, onChoice) {
  const { backup: preset } = request.preview;
  // A server without backups does not send this field.
  if (preset === undefined) return null;
  const settings = request.status?.settings;
  request.backup ??= proposedKind(preset, settings);
  const chosen = (/** @type {BackupKind} */ kind) => {
    request.backup = kind;
    onChoice?.(kind);
  };
  return beforeOption(request.preview, request.backup, chosen, settings, request.status?.outputs);
}

/** Says that the counts have changed since the last confirmation. */
function grewHint() {
  const again = hint("warning", text("deletion.grew"), "cch-msg warn");
  again.setAttribute("role", "alert");
  return again;
}

/** Says that the list hides selected jobs, and offers to leave those out. @param {Frame} frame @param {HiddenSelection} [hidden] */
function hiddenPart(frame, hidden) {
  if (!hidden) return [];
  const leaveOut = hidden.shown > 0 && linkButton(words.deselectHidden(hidden.selected - hidden.shown), () => frame.answer("deselect"));
  return [hint("warning", words.hiddenSelection(hidden), "cch-msg warn"), leaveOut];
}

/** @param {boolean} isClear @param {Preview | DeletePreview} preview */
function titleOf(isClear, preview) {
  if (!isClear) return words.deleteTitle(preview.removable);
  return preview.skipped.protected ? allButTitle(preview.skipped.protected) : text("deletion.clear_title");
}

/** @param {boolean} isClear @param {Preview | DeletePreview} preview */
function nothingText(isClear, preview) {
  if (preview.kind === "clear") return words.nothingToClear(preview.counts);
  if (!isClear) return words.nothingToDelete(preview.skipped);
  return preview.skipped.protected ? allProtected(preview.skipped) : words.nothingToClear({ ...preview.by_status, active: preview.skipped.active });
}

/**
 * @param {Parts} parts
 * @param {Frame} frame
 * @param {Previewed} request
 * @param {boolean} grew
 */
function confirmStep({ api, thumbnails, workflowName, finishedHere }, frame, request, grew) {
  const { preview, status, selection, hidden } = request;
  const isClear = "clear" in selection;
  const { hold_seconds: seconds = 0 } = preview;
  const undo = (/** @type {boolean} */ backsUp) =>
    preview.kind === "clear" && !backsUp ? words.clearHint(seconds) : sentences([!isClear && text("deletion.untouched"), words.undoHint(seconds, backsUp), isClear && text("deletion.late")]);
  // Jobs are backed up one by one, so a clear with a backup needs the exact jobs, which is another preview.
  const backup = beforeChoice(request, (kind) => {
    if (preview.kind === "clear" && isKept(kind)) frame.answer("again");
    else showBackupChoice(frame, view, preview, kind, undo(isKept(kind)), status);
  });
  const view = questionView(preview, {
    thumbnails,
    workflowName,
    backup,
    readFacts: (signal) => api.outputFacts({ token: preview.token }, signal),
    say: (said) => frame.say(said),
    note: isClear && hint("info", text("deletion.cleared_assets", { n: preview.removable })),
    undo,
    backsUp: isKept(request.backup),
    atOnce: !seconds,
    finishedHere: finishedHere(),
    ...(hidden?.shown && { isShown: hidden.isShown }),
  });
  const label = (isClear && !preview.skipped.protected ? words.clearButton : words.deleteButton)(preview.removable);
  return frame.show({
    title: titleOf(isClear, preview),
    width: WIDTH,
    body: [...banners(status, api, { lost: false }), grew && grewHint(), ...hiddenPart(frame, hidden), ...view.body],
    pinned: view.pinned,
    agreement: view.agreement,
    buttons: [{ label: text("common.cancel") }, { label, kind: "danger", icon: "trash", answer: "yes" }],
  }).finally(view.letGo);
}

/** Says how long the jobs have been read, once that takes long. @param {Frame} frame @param {Parts["schedule"]} schedule */
function readingTime(frame, schedule) {
  const element = el("p", { class: "cch-2", hidden: true });
  let seconds = LONG_SECONDS;
  const tick = () => {
    if (!element.isConnected || !frame.isOpen()) return;
    element.textContent = words.readingLong(seconds);
    element.hidden = false;
    if (seconds === LONG_SECONDS) frame.say(element.textContent);
    seconds += 1;
    schedule(tick, 1000);
  };
  schedule(tick, LONG_SECONDS * 1000);
  return element;
}

/** @param {Parts} parts @returns {Steps} */
export const createSteps = (parts) => ({
  counting(frame, { selection }) {
    const isClear = "clear" in selection;
    const waiting = el("button", { type: "button", class: "cch-btn cch-confirm", "aria-disabled": "true" }, text("common.loading"));
    const box = tiles(tile(skeleton("64px"), text("deletion.will_go"), skeleton("120px")), tile(skeleton("32px"), text("deletion.will_stay"), skeleton("64px")));
    box.setAttribute("aria-busy", "true");
    return frame.show({
      title: isClear ? text("deletion.clear_title") : "ids" in selection ? words.deleteTitle(selection.ids.length) : text("deletion.counting_title"),
      width: WIDTH,
      body: [box, readingTime(frame, parts.schedule)],
      // A disabled button takes the place of the red one, so that Cancel does not move when that appears.
      buttons: [{ label: text("common.cancel") }, { label: "", element: waiting }],
    });
  },

  confirm: (frame, request, grew) => confirmStep(parts, frame, request, grew),

  nothing(frame, { selection, preview, status }) {
    const isClear = "clear" in selection;
    return notice(frame, { title: isClear ? text("deletion.clear_nothing") : text("deletion.nothing"), text: nothingText(isClear, preview) }, banners(status, parts.api));
  },

  // `why` is the server's reason: a preview may be refused for other reasons than its age.
  tooOld: (frame, why = "") =>
    frame.show({
      title: TOO_OLD.title,
      body: [el("p", {}, clean(why) || TOO_OLD.text)],
      buttons: [{ label: text("common.cancel"), kind: "ghost" }, { label: text("common.look_again"), answer: "again" }],
    }),
  busy: (frame, origin) => notice(frame, busyWords(origin)),
  failed: errorStep,
});
