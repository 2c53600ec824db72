// @ts-check
/** Elements shared by dialogs and pages. */

import { ACCOUNT_CHANGED } from "../api.mjs";
import { el } from "./dom.mjs";
import { number } from "./format.mjs";
import { icon } from "./icons.mjs";
import * as words from "./strings.mjs";
import { lostHold } from "./strings.mjs";
import { text } from "./words.mjs";

/** @import { Status } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */
/** @import { ViewButton } from "./dialogs.mjs" */
/** @import { Child } from "./dom.mjs" */
/** @import { IconName } from "./icons.mjs" */
/** @import { Words } from "./strings.mjs" */

const MAX_BANNERS = 2;

/** @param {Child} count @param {string} what @param {...Child} details */
export const tile = (count, what, ...details) => el("div", {}, el("b", {}, count), el("em", {}, what), ...details);

export const skeleton = (/** @type {string} */ width) => el("span", { class: "cch-skel", style: `width: ${width}` });

/** @param {HTMLElement} going @param {HTMLElement} staying */
export const tiles = (going, staying) => el("div", { class: "cch-nums" }, going, staying);

const RTL = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const LAST_LETTER = /\p{L}(?=\P{L}*$)/u;
/** The counter and extension of a file name, which always stay visible. */
const TAIL = /[_-]*\d*[_-]*\.\w{1,5}$/;

/** Keeps the white space where a name is cut: at an end of its box, a space is not drawn. @param {[string, string]} parts @returns {[string, string]} */
export const keepSpace = ([head, tail]) => (tail ? [head.replace(/\s+$/, "\u00a0"), tail.replace(/^\s+/, "\u00a0")] : [head, tail]);

/** Splits a file name into a part that may be shortened on screen and an end that may not. @param {string} name @returns {[string, string]} */
export function cut(name) {
  const tail = name.match(TAIL)?.[0] || "";
  return tail.length < 20 ? keepSpace([name.slice(0, name.length - tail.length), tail]) : [name, ""];
}

/**
 * The writing direction of a name that is cut between its two parts: that of the letters before the cut, so that they stand beside it.
 * Browsers would take the direction of the first letters, which may be those of a workflow's name.
 * @param {string} head the first part
 */
export const directionOf = (head) => (RTL.test(head) && RTL.test(head.match(LAST_LETTER)?.[0] ?? "") ? "rtl" : "ltr");

/** Whether a text has letters that are written from right to left. @param {string} text */
export const isRightToLeft = (text) => RTL.test(text);

/** A name whose end stays visible when the rest is cut. @param {[string, string]} parts @param {string} [title] */
export function nameElement([head, tail], title = head + tail) {
  const attributes = { class: "cch-name", dir: directionOf(head), "data-tip": title };
  if (!tail) return el("span", attributes, el("span", {}, head));
  // A screen reader would read a space between the parts, because each is a box of its own.
  const parts = [el("span", { "aria-hidden": "true" }, head), el("span", { "aria-hidden": "true", dir: "auto" }, tail)];
  return el("span", attributes, ...parts, el("span", { class: "cch-unseen" }, head + tail));
}

/** @param {string} label @param {() => void} press @param {string} [className] */
export const linkButton = (label, press, className = "cch-link") => el("button", { type: "button", class: className, onclick: press }, label);

/** A checkbox drawn by us. @param {string} label @param {() => void} press */
export const tick = (label, press) =>
  el("button", { type: "button", class: "cch-check", role: "checkbox", "aria-label": label, onclick: press }, icon("check"));

/** A checkbox with its label. @param {import("./dom.mjs").Child[]} words @param {boolean} checked @param {(checked: boolean) => void} choose @param {string} [className] */
export function checkOption(words, checked, choose, className = "cch-opt") {
  const box = el("input", { type: "checkbox", checked, onchange: ({ target }) => choose(target.checked) });
  return el("label", { class: className }, box, el("span", { class: "cch-check", "aria-hidden": "true" }, icon("check")), el("span", { class: "cch-grow" }, ...words));
}

/**
 * A button that shows only an icon.
 * @param {IconName} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} press
 * @param {string} [className]
 * @param {string} [iconClass]
 */
export const iconButton = (name, label, press, className = "cch-ib", iconClass = "") =>
  el("button", { type: "button", class: className, "aria-label": label, "data-tip": label, onclick: press }, icon(name, iconClass));

/** @param {(() => void) | undefined} dismiss */
export const cross = (dismiss) =>
  dismiss && iconButton("close", text("common.dismiss"), dismiss, "cch-ib s", "s14");

/** The icon of a message, and its colour. */
export const LOOK = /** @type {const} */ ({ success: ["ok", "i-ok"], info: ["info", "i-link"], warning: ["warning", "i-warn"], error: ["failed", "i-danger"] });

/** Counts what was left, by the reason. @param {{n: number, word: string, why: string}[]} lines */
export const tallyTable = (lines) =>
  el(
    "div",
    { class: "cch-tally" },
    ...lines.flatMap(({ n, word, why }) => [
      el("b", {}, number(n)),
      el("span", {}, el("em", {}, word), why && text("common.colon"), why && el("bdi", { class: "cch-any" }, why)),
    ]),
  );

/** A list of choices, drawn by the browser. @param {[string, string][]} options keys and labels @param {string} value @param {(value: string) => void} choose */
export function select(options, value, choose) {
  const list = options.map(([key, label]) => el("option", { value: key, selected: key === value }, label));
  return el("select", { class: "cch-select", onchange: ({ target }) => choose(target.value) }, ...list);
}

/** @param {IconName} name @param {string} className @param {Words} content @param {(() => void)} [dismiss] @param {HTMLElement[]} [buttons] */
export function card(name, className, { title, text: told }, dismiss, buttons = []) {
  const body = el("div", { class: "cch-grow", dir: "auto" }, el("div", { class: "ttl" }, title), told && el("div", { class: "cch-2" }, told));
  const foot = buttons.length > 0 && el("div", { class: "ft" }, el("span", { class: "push" }), ...buttons);
  return el("div", { class: "cch-card", role: "status" }, el("div", { class: "hd" }, icon(name, className), body, cross(dismiss)), foot);
}

/**
 * The most urgent messages: a problem of the set-up, and deletions that were interrupted when ComfyUI stopped.
 * @param {Status} status
 * @param {Pick<HistoryApi, "dismiss" | "dismissHold">} api
 * @param {{show?: (ids: string[]) => void, onStatus?: (status: Status) => void, first?: HTMLElement[], besides?: string, lost?: boolean}} [options] `show`: lists
 *   the jobs of these ids; `besides`: the code of a problem that is already shown elsewhere; `lost`: whether to name
 *   the deletions of which ComfyUI has sent nothing, which would be taken for the one that a dialog asks about
 */
export function banners(status, api, { show, onStatus, first = [], besides, lost = true } = {}) {
  const cards = [...first];
  if (status.problem && !first.length && status.problem.code !== besides) cards.push(card("failed", "i-danger", words.errorWords(status.problem)));
  if (status.clock) cards.push(card("warning", "i-warn", { title: status.clock, text: "" }));
  /** @param {Words} content @param {() => Promise<Status>} dismiss @param {HTMLElement[]} [buttons] */
  const add = (content, dismiss, buttons) => {
    const shown = card("warning", "i-warn", content, () => {
      // If the server refuses to dismiss the message, the next status shows it again.
      dismiss().then(onStatus, () => undefined);
      shown.closest(".cch")?.querySelector("button")?.focus();
      shown.remove();
    }, buttons);
    cards.push(shown);
  };
  for (const { operation, asked, may_have_sent: maySend } of status.unresolved) add(words.crashWords(asked, maySend), () => api.dismiss(operation));
  for (const { id, jobs, ids } of (lost && status.lost_holds) || []) {
    const buttons = show && ids.length ? [button({ label: text("common.show"), press: () => show(ids) })] : [];
    add(lostHold(jobs), () => api.dismissHold(id), buttons);
  }
  return cards.slice(0, MAX_BANNERS);
}

/** @typedef {import("./dialogs.mjs").Frame} Frame @param {Frame} frame @param {Words} content @param {HTMLElement[]} [extras] */
export const notice = (frame, { title, text: told }, extras = []) =>
  frame.show({ title, body: [...extras, el("p", { dir: "auto" }, told)], buttons: [{ label: text("common.close") }] });

/**
 * Shows an error with the actions that may fix it. Resolves with "retry", "replace" or null.
 * @param {Frame} frame
 * @param {HistoryApiError} error
 * @param {Status | null} status
 */
export function errorStep(frame, error, status) {
  const { title, text: told } = words.readingErrorWords(error);
  const says = words.cloudWords(error);
  const aboutKey = ["unauthorized", "forbidden", "invalid_key"].includes(error.code);
  const fixedKey = aboutKey && status?.can_connect === false;
  const body = [
    el("p", { dir: "auto" }, told),
    fixedKey && status.source === "env" && hint("key", words.keyWords(status)),
    says && hint("info", says),
  ];
  /** @type {ViewButton[]} */
  const buttons = [{ label: text("common.close"), kind: "ghost" }];
  if (error.code === "subscription_inactive") {
    const site = externalLink(words.CLOUD_PAGE, text("common.open_cloud"), "cch-btn");
    buttons.push({ label: "", element: site });
  }
  if (aboutKey && !fixedKey) buttons.push({ label: text("connection.replace"), answer: "replace" });
  // A retry would send the same jobs, which this account does not have.
  if (error.code !== ACCOUNT_CHANGED) buttons.push({ label: text("common.try_again"), answer: "retry" });
  return frame.show({ title, body, buttons });
}

/** Ignores the second click of a double click, because the button may have changed after the first. @param {() => void} press */
export const once = (press) => (/** @type {any} */ click) => {
  if (click.detail <= 1) press();
};

/**
 * @typedef {object} ButtonOptions
 * @property {string} label
 * @property {"ghost" | "primary" | "danger" | "danger-quiet" | ""} [kind]
 * @property {IconName} [icon]
 * @property {boolean} [first] whether it takes the focus when the dialog opens
 * @property {(event: Event) => void} press
 */

/** @param {ButtonOptions} options */
export function button({ label, kind = "", icon: name, first = false, press }) {
  const attributes = { type: "button", class: `cch-btn ${kind}`.trim(), autofocus: first, onclick: press };
  return el("button", attributes, name && icon(name, "s14"), label);
}

/** @param {string} href @param {string} label @param {string} [className] */
export const externalLink = (href, label, className = "cch-link") =>
  el("a", { href, target: "_blank", rel: "noopener noreferrer", class: className }, label, icon("external", "s12"));

/** Lets the arrow keys scroll an element that has no control, while its content is longer than the element. @template {HTMLElement} T @param {T} element @param {string} [label] */
export function scrolledByKeys(element, label) {
  element.setAttribute("role", "group");
  if (label) element.setAttribute("aria-label", label);
  const observer = new window.ResizeObserver(() => {
    if (element.scrollHeight > element.clientHeight + 1) element.tabIndex = 0;
    // Without the attribute, an element that has the focus would lose it.
    else if (document.activeElement !== element) element.removeAttribute("tabindex");
  });
  observer.observe(element);
  return element;
}

/** @param {IconName} name @param {string} text @param {string} [className] */
export const hint = (name, text, className = "cch-hint") => el("p", { class: className }, icon(name), el("span", { dir: "auto" }, text));

/** A list of terms; a term without text is left out. @param {[string, string][]} rows */
export function facts(rows) {
  const list = el("dl", { class: "cch-dl" });
  for (const [term, text] of rows) if (text) list.append(el("dt", {}, term), el("dd", { dir: "auto" }, text));
  return list;
}
