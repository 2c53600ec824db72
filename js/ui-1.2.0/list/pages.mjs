// @ts-check
/** Shows one page over the list, which keeps its scroll position, selection and focused row. */

import { iconButton } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { text } from "../common/words.mjs";

/** @import { Page } from "../../../types/list" */

export class Pages {
  /** @type {Page | null} */
  shown = null;

  /** @param {HTMLElement} root the panel @param {HTMLElement} under everything that a page covers */
  constructor(root, under) {
    this.root = root;
    this.under = under;
  }

  /** Replaces the current page. @param {Page} page */
  open(page) {
    if (this.shown !== page) this.close();
    this.shown = page;
    page.element.classList.add("cch-over");
    this.root.append(page.element);
    this.under.setAttribute("inert", "");
  }

  /** @returns {boolean} whether a page was open */
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

/** A page's header: back button, title, close button. @param {string} title @param {{back(): void, close(): void}} view */
export const pageHead = (title, { back, close }) =>
  el(
    "header",
    { class: "cch-head back" },
    iconButton("left", text("list.back"), back),
    el("h2", { class: "cch-title" }, title),
    iconButton("close", text("common.close"), close),
  );
