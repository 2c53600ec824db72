// @ts-check
/** What is pushed over the list, one page at a time. The list below keeps its scroll, its selection and its focused row. */

import { iconButton } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { PANEL } from "./strings.mjs";

/** @import { Page } from "../../../types/list" */

export class Pages {
  /** @type {Page | null} what is shown over the list */
  shown = null;

  /** @param {HTMLElement} root the panel @param {HTMLElement} under all that a page covers */
  constructor(root, under) {
    this.root = root;
    this.under = under;
  }

  /** In place of the one before, if there is one. @param {Page} page */
  open(page) {
    if (this.shown !== page) this.close();
    this.shown = page;
    page.element.classList.add("cch-over");
    this.root.append(page.element);
    this.under.setAttribute("inert", "");
  }

  /** @returns {boolean} whether there was one */
  close() {
    const page = this.shown;
    this.shown = null;
    page?.leave();
    page?.element.classList.remove("cch-over");
    page?.element.remove();
    this.under.removeAttribute("inert");
    return page !== null;
  }
}

/** A page's header: the way back, its title, the way out. @param {string} title @param {{back(): void, close(): void}} view */
export const pageHead = (title, { back, close }) =>
  el(
    "header",
    { class: "cch-head back" },
    iconButton("left", PANEL.back, back),
    el("h2", { class: "cch-title" }, title),
    iconButton("close", PANEL.close, close),
  );
