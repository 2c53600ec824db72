// @ts-check
/** Elements without markup strings: text stays text. */

import { icon } from "./icons.mjs";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} [attributes] `on…` names are listeners
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * @typedef {object} ButtonOptions
 * @property {string} label
 * @property {"ghost" | "primary" | "danger" | "danger-quiet" | ""} [kind]
 * @property {import("./icons.mjs").IconName} [icon]
 * @property {boolean} [first] whether it takes the focus when the dialog opens
 * @property {(event: Event) => void} press
 */

/** @param {ButtonOptions} options */
export function button({ label, kind = "", icon: name, first = false, press }) {
  const attributes = { type: "button", class: `cch-btn ${kind}`.trim(), autofocus: first, onclick: press };
  return el("button", attributes, name && icon(name, "s14"), label);
}

/**
 * @param {string} href
 * @param {string} label
 * @param {string} [className]
 */
export const externalLink = (href, label, className = "cch-link") =>
  el("a", { href, target: "_blank", rel: "noopener noreferrer", class: className }, label, icon("external", "s12"));

/**
 * A line with its icon.
 * @param {import("./icons.mjs").IconName} name
 * @param {string} text
 * @param {string} [className]
 */
export const hint = (name, text, className = "cch-hint") => el("p", { class: className }, icon(name), el("span", { dir: "auto" }, text));

/** How ComfyUI is asked for a dialog without a head. What its frontends draw around one all the same, style.css takes away. */
export const BARE = { headless: true, closable: true, showHeader: false };

/** @type {Promise<void> | null} */
let styled = null;

/** Loads the style sheet, once. Rejects if it can't be had; then it is asked for anew the next time. */
export function loadStyle() {
  styled ??= new Promise((resolve, reject) => {
    const href = new URL("../../style.css", import.meta.url).href;
    const failed = () => {
      styled = null;
      link.remove();
      reject(new Error(`${href} can’t be loaded.`));
    };
    const link = el("link", { rel: "stylesheet", href, onload: () => resolve(), onerror: failed });
    document.head.append(link);
  });
  return styled;
}
