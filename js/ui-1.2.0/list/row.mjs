// @ts-check
/** A row element, which is reused for other jobs while the list scrolls. */

import { directionOf } from "../common/components.mjs";
import { el, writeAttribute, writeText } from "../common/dom.mjs";
import { ago, clean, clockTime, dateOnly, dateTime, duration, enumeration, number, shortId } from "../common/format.mjs";
import { icon, setIcon } from "../common/icons.mjs";
import { typeIcon } from "../common/kinds.mjs";
import { tellsTime } from "../common/names.mjs";
import { isActive, statusOf, statusWord } from "../common/status.mjs";
import { text } from "../common/words.mjs";
import { hasOutputs } from "../outputs/saved.mjs";
import { outputsWord } from "./strings.mjs";

/** @import { Mark, Row, ViewParts } from "../../../types/list" */
/** @import { Item } from "./menu.mjs" */

/** @param {Row} row @param {number} now */
export const took = ({ status, took, started }, now) => took ?? (status === "in_progress" && started ? Math.max(0, now - started) : null);

/**
 * @typedef {object} Shown
 * @property {Row} row
 * @property {[string, string]} name of which only the first part may be shortened
 * @property {boolean} isDescribed whether the name tells the status and the time
 * @property {number} index
 * @property {number} top
 * @property {number} count
 * @property {boolean} selected
 * @property {boolean} focused
 * @property {string} joined classes that join a selected row to selected neighbours
 * @property {boolean} relative "5 min ago" instead of the clock time
 * @property {number} now
 * @property {boolean} cancel whether jobs can be cancelled
 * @property {string} id
 * @property {boolean} isProtected
 * @property {boolean} isSaved whether all its outputs are saved here
 * @property {Mark | undefined} mark
 */

/** A number that changes when times must be redrawn: each minute, or each second for active jobs. @param {Shown} shown */
const clockOf = ({ row, now }) => Math.floor(now / (isActive(row.status) ? 1000 : 60_000));

/**
 * What a screen reader reads: all that the row shows, each thing once, and the date.
 * @param {Shown} shown @param {{word: string, error: string, time: number | null}} texts
 */
function spokenWords({ row, name, isDescribed, relative, now, isProtected, isSaved, mark }, { word, error, time }) {
  const { created } = row;
  return enumeration([
    name.join(""),
    (!isDescribed || mark) && word,
    error,
    time !== null && duration(time),
    row.outputs && outputsWord(row.outputs),
    isSaved && text("outputs.saved_spoken"),
    created !== null && relative && ago(created, now),
    created !== null && (tellsTime(row) ? dateOnly(created) : dateTime(created)),
    isProtected && text("protection.spoken"),
    !(tellsTime(row) && created === null) && shortId(row.id),
  ]);
}

export class RowView {
  #check = el("span", { class: "cch-pick", "data-do": "select" }, el("span", { class: "cch-check" }, icon("check")));
  #kind = icon("flow");
  image = el("img", { alt: "", hidden: true, draggable: "false" });
  #thumb = el("span", { class: "cch-thumb" }, this.#kind, this.image);
  #head = el("span");
  #tail = el("span", { dir: "auto" });
  #name = el("span", { class: "cch-name" }, this.#head, this.#tail);
  #when = el("time", { class: "cch-when" });
  #icon = icon("ok");
  #word = el("span", { dir: "auto" });
  #status = el("span", {}, this.#icon, this.#word);
  #took = el("span", { class: "cch-took" });
  #outsIcon = icon("image");
  #outsCount = el("span");
  #outs = el("span", { class: "cch-outs" }, this.#outsIcon, this.#outsCount);
  #error = el("span", { class: "cch-err", dir: "auto" });
  #code = el("code", { dir: "ltr" });
  #cancel = el("span", { class: "cch-link", "data-do": "cancel" }, text("list.cancel_job"));
  /** What a screen reader reads instead of the visible text, which is cut and repeats itself. */
  #spoken = el("span", { class: "cch-unseen" });
  #lock = icon("lock", "lock");
  #protectIcon = icon("unlock", "s14");
  #protect = el("span", { class: "cch-ib s", "data-do": "protect" }, this.#protectIcon);
  #acts = el("span", { class: "cch-acts", "aria-hidden": "true" }, this.#cancel, this.#protect, el("span", { class: "cch-ib s", "data-tip": text("list.details"), "data-do": "details" }, icon("right", "s14")));
  element = el(
    "div",
    { class: "cch-row", role: "option" },
    this.#check,
    this.#thumb,
    el(
      "span",
      { class: "cch-main", "aria-hidden": "true" },
      el("span", { class: "cch-l1" }, this.#name, this.#when),
      el("span", { class: "cch-l2" }, this.#status, this.#took, this.#outs, this.#error, el("span", { class: "cch-end" }, this.#lock, this.#code)),
    ),
    this.#spoken,
    this.#acts,
  );
  key = "";
  /** The id of the job whose thumbnail was requested. */
  asked = "";

  constructor() {
    this.image.addEventListener("load", () => (this.image.hidden = false));
    this.image.addEventListener("error", () => (this.image.hidden = true));
  }

  /** @type {unknown[]} */
  #filled = [];

  /** @param {Shown} shown */
  fill(shown) {
    const { row, name: [head, tail], isDescribed, index, top, count, selected, focused, joined, relative, now, cancel, id, isProtected, isSaved, mark } = shown;
    const { element } = this;
    const all = [row, head, tail, isDescribed, index, top, count, selected, focused, joined, relative, clockOf(shown), cancel, isProtected, isSaved, mark?.word, mark?.why];
    if (all.every((each, at) => each === this.#filled[at])) return;
    this.#filled = all;
    const [look, className] = mark ? [mark.icon, mark.kind] : [statusOf(row.status).icon, statusOf(row.status).look];
    const word = mark?.word ?? statusWord(row);
    const error = clean(mark ? mark.why : row.error?.message);
    const time = took(row, now);
    const cancelled = cancel && isActive(row.status);
    const when = row.created === null ? "" : relative ? ago(row.created, now) : clockTime(row.created);
    const outputs = row.outputs && !error ? row.outputs : 0;

    this.key = row.id;
    writeText(this.#head, head);
    writeText(this.#tail, tail);
    writeAttribute(this.#name, "dir", directionOf(head));
    writeAttribute(this.#name, "data-tip", head + tail);
    writeText(this.#when, when);
    writeAttribute(this.#when, "data-tip", row.created === null ? "" : dateTime(row.created, true));
    writeAttribute(this.#status, "class", `cch-st ${className}`);
    writeText(this.#word, word);
    setIcon(this.#icon, look);
    writeText(this.#took, time === null ? "" : duration(time));
    this.#drawOutputs(row, outputs, isSaved);
    writeText(this.#error, error);
    writeText(this.#code, shortId(row.id));
    this.#cancel.hidden = !cancelled;
    this.#protect.hidden = cancelled;
    this.#drawProtection(isProtected);
    // Without columns, the row does not repeat what its name tells.
    const told = `${isDescribed && !mark ? " tells-status" : ""}${tellsTime(row) && !relative ? " tells-time" : ""}`;
    writeAttribute(element, "class", `cch-row${told}${error ? " has-err" : ""}${cancelled ? " is-active" : ""}${focused ? " is-focus" : ""}${joined}`);
    element.style.transform = `translateY(${top}px)`;
    element.id = id;
    writeText(this.#spoken, spokenWords(shown, { word, error, time }));
    writeAttribute(element, "aria-selected", String(selected));
    writeAttribute(element, "aria-current", String(focused));
    writeAttribute(element, "aria-setsize", String(count));
    writeAttribute(element, "aria-posinset", String(index + 1));
  }

  /** @param {Row} row @param {number} outputs @param {boolean} isSaved */
  #drawOutputs(row, outputs, isSaved) {
    this.#outs.classList.toggle("saved", isSaved);
    writeAttribute(this.#outs, "data-tip", isSaved ? text("outputs.saved_tip") : "");
    writeText(this.#outsCount, outputs ? number(outputs) : "");
    this.#outs.classList.toggle("none", !outputs);
    // The thumbnail shows the type too, and a narrow row has no room for one more icon.
    setIcon(this.#outsIcon, isSaved ? "down" : typeIcon(row.output_type, "image"));
    writeAttribute(this.#thumb, "data-do", row.preview ? "view" : "details");
    setIcon(this.#kind, row.preview ? typeIcon(row.output_type, "flow") : "flow");
  }

  /** @param {boolean} isProtected */
  #drawProtection(isProtected) {
    this.#lock.classList.toggle("none", !isProtected);
    writeAttribute(this.#protect, "data-tip", isProtected ? text("protection.unprotect") : text("protection.protect"));
    this.#protect.classList.toggle("is-on", isProtected);
    setIcon(this.#protectIcon, isProtected ? "lock" : "unlock");
  }
}

/** @param {Row} row @param {Pick<ViewParts, "store" | "actions">} parts @param {{open(): void, view(): void}} to `open` opens the job's details, `view` the viewer @returns {(Item | null)[]} */
export function rowMenu(row, { store, actions }, { open, view }) {
  const active = isActive(row.status);
  const isProtected = store.protection.covers(row);
  // The menu acts on its row alone, the keys on all selected jobs if the row is one of them.
  const { size } = store.selection;
  const key = (/** @type {string} */ name) => (size > 1 && store.selection.has(row.id) ? {} : { key: name });
  /** @type {Item} */
  const protect = { label: isProtected ? text("protection.unprotect") : text("protection.protect"), icon: isProtected ? "unlock" : "lock", ...key("P"), press: () => actions.protect([row], !isProtected) };
  /** @type {Item} */
  const last = active
    ? { label: text("list.cancel_ask"), icon: "stop", press: () => actions.cancel([row]) }
    : { label: size ? text("list.delete_this") : text("list.delete"), icon: "trash", ...key("Delete"), danger: true, press: () => actions.remove({ ids: [row.id] }) };
  const offered = active ? store.canCancel() : !store.whyNotRemovable([row]);
  return [
    { label: text("list.details"), icon: "info", key: "Enter", press: open },
    { label: text("list.view"), icon: "image", key: "V", press: view },
    { label: text("list.open_workflow"), icon: "flow", press: () => actions.openWorkflow(row.id) },
    { label: text("list.download_workflow"), icon: "down", press: () => actions.downloadWorkflow(row.id) },
    { label: text("list.copy_id"), icon: "copy", ...key("Control+C"), press: () => actions.copyIds([row.id]) },
    ...(hasOutputs(row) ? [{ label: size ? text("outputs.ask_this") : text("outputs.ask"), icon: /** @type {const} */ ("save"), press: () => actions.save({ ids: [row.id] }) }] : []),
    protect,
    ...(offered ? [null, last] : []),
  ];
}
