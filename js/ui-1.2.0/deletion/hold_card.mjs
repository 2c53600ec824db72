// @ts-check
/** What is held: the seconds left and the way back. Steps by seconds; the ring is for the eye alone. */

import { button, el } from "../common/dom.mjs";
import { HOLD, holdTitle } from "./strings.mjs";

/** @typedef {import("../../../types/deletions").Entry} Entry */

const AROUND = 2 * Math.PI * 13;

/** @param {string} name @param {Record<string, string>} attributes */
function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}

export function createRing() {
  const circle = { cx: "16", cy: "16", r: "13" };
  const [back, front] = [svg("circle", circle), svg("circle", circle)];
  const picture = svg("svg", { viewBox: "0 0 32 32" });
  picture.append(back, front);
  const count = el("span");
  return {
    element: el("span", { class: "cch-ring", "aria-hidden": "true" }, picture, count),
    /** @param {number} seconds @param {number} of */
    set(seconds, of) {
      front.setAttribute("stroke-dasharray", `${((AROUND * seconds) / Math.max(of, 1)).toFixed(1)} ${AROUND.toFixed(1)}`);
      count.textContent = String(seconds);
    },
  };
}

/**
 * @param {Entry} entry
 * @param {{secondsLeft(entry: Entry): number, undo(entry: Entry): unknown}} deletions
 */
export function createHoldCard(entry, deletions) {
  const of = deletions.secondsLeft(entry);
  const ring = createRing();
  const title = el("div", { class: "ttl" });
  const undo = button({ label: HOLD.undo, icon: "undo", press: () => deletions.undo(entry) });
  const told = el("div", { class: "cch-grow" }, title, el("div", { class: "cch-2" }, HOLD.text));
  return {
    element: el("div", { class: "cch-card" }, el("div", { class: "hd mid" }, ring.element, told, undo)),
    focus: () => undo.focus({ preventScroll: true }),
    render() {
      const seconds = deletions.secondsLeft(entry);
      ring.set(seconds, of);
      title.textContent = holdTitle(entry.jobs, seconds);
      undo.setAttribute("aria-disabled", String(entry.undoing));
    },
  };
}
