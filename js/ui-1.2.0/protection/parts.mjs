// @ts-check
/** What a job's details say and offer about its protection. */

import { button, el, hint } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { PROTECT } from "./strings.mjs";

/** @typedef {import("../../../types/wire").Row} Row */

/**
 * @param {Row} job
 * @param {Pick<import("./model.mjs").Protection, "covers" | "byWorkflow">} protection
 * @param {(job: Row) => void} protectWorkflow
 * @returns {HTMLElement[]} none where the job is not protected
 */
export function protectionPart(job, protection, protectWorkflow) {
  if (!protection.covers(job)) return [];
  const sentence = hint("lock", PROTECT.sentence);
  if (protection.byWorkflow(job)) return [sentence, hint("flow", PROTECT.byWorkflow)];
  const all = el("button", { type: "button", class: "cch-link", onclick: () => protectWorkflow(job) }, PROTECT.workflow);
  return job.workflow_id ? [sentence, el("div", { class: "cch-under-icon" }, all)] : [sentence];
}

/** The second half of a double click was meant for what the button said before. @param {() => void} press */
export const once = (press) => (/** @type {any} */ click) => {
  if (click.detail <= 1) press();
};

/** The picture tells the state, the words tell what a press does. @param {boolean} kept @param {() => void} act */
export function guardButton(kept, act) {
  const press = once(act);
  if (kept) {
    const unprotect = button({ label: PROTECT.unprotect, icon: "lock", press });
    unprotect.setAttribute("data-guard", "");
    return unprotect;
  }
  const attributes = { type: "button", class: "cch-ib field", "aria-label": PROTECT.protect, title: PROTECT.protect, "data-guard": true, onclick: press };
  return el("button", attributes, icon("unlock"));
}
