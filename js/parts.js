// @ts-check
/** Pieces that more than one dialog shows. */

import { el, externalLink, hint } from "./dom.js";
import { icon } from "./icons.js";
import * as words from "./words.js";

/** @typedef {import("../types/wire").Status} Status */
/** @typedef {import("./history_api.js").HistoryApi} HistoryApi */

const MOST_BANNERS = 2;

/**
 * @param {import("./icons.js").IconName} name
 * @param {string} className
 * @param {import("./words.js").Words} content
 * @param {(() => void)} [dismiss]
 */
function card(name, className, { title, text }, dismiss) {
  const told = el("div", { class: "cch-grow", dir: "auto" }, el("b", {}, title), el("div", { class: "cch-2" }, text));
  const cross =
    dismiss && el("button", { type: "button", class: "cch-ib s", "aria-label": words.COMMON.dismiss, onclick: dismiss }, icon("close", "s14"));
  return el("div", { class: "cch-card", role: "status" }, icon(name, className), told, cross);
}

/**
 * What the person must know before anything else: a fault of the set-up, and deletions that a stop of ComfyUI cut short.
 * @param {Status} status
 * @param {HistoryApi} api
 */
export function banners(status, api) {
  const cards = status.problem ? [card("failed", "i-danger", words.errorWords(status.problem))] : [];
  for (const { operation, asked } of status.unresolved) {
    const shown = card("warning", "i-warn", words.crashWords(asked), () => {
      // A refusal leaves it on record: it is told again the next time.
      api.dismiss(operation).catch(() => undefined);
      shown.closest(".cch")?.querySelector("button")?.focus();
      shown.remove();
    });
    cards.push(shown);
  }
  return cards.slice(0, MOST_BANNERS);
}

/**
 * @typedef {import("./dialogs.js").Frame} Frame
 * @param {Frame} frame
 * @param {import("./words.js").Words} content
 * @param {HTMLElement[]} [extras]
 */
export const notice = (frame, { title, text }, extras = []) =>
  frame.show({ title, body: [...extras, el("p", { dir: "auto" }, text)], buttons: [{ label: words.COMMON.close }] });

/**
 * An error with what can be done about it. Resolves with "retry", "replace" or null.
 * @param {Frame} frame
 * @param {import("./history_api.js").HistoryApiError} error
 * @param {Status | null} status
 */
export function errorStep(frame, error, status) {
  const { title, text } = words.errorWords(error);
  const says = words.cloudWords(error);
  const aboutKey = ["unauthorized", "forbidden", "invalid_key"].includes(error.code);
  const fixedKey = aboutKey && status?.source === "env";
  const body = [
    el("p", { dir: "auto" }, text),
    fixedKey && hint("key", words.keyWords(status)),
    says && hint("info", says),
  ];
  /** @type {import("./dialogs.js").ViewButton[]} */
  const buttons = [{ label: words.COMMON.close, kind: "ghost" }];
  if (error.code === "subscription_inactive") {
    const site = externalLink(words.CONNECT.cloudPage, words.COMMON.openCloud, "cch-btn");
    buttons.push({ label: "", element: site });
  }
  if (aboutKey && !fixedKey) buttons.push({ label: words.CONNECTION.replace, answer: "replace" });
  buttons.push({ label: words.COMMON.tryAgain, answer: "retry" });
  return frame.show({ title, body, buttons });
}
