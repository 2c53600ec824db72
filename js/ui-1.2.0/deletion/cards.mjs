// @ts-check
/** The place below the list: what is held, what goes on, or what came of it. What matters most is on top of the others. */

import { el } from "../common/dom.mjs";
import { copyText } from "../common/browser.mjs";
import { createHoldCard } from "./hold_card.mjs";
import { createProgressCard } from "./progress_card.mjs";
import { createResultCard } from "./result_card.mjs";
import { DELETE, DETAILS } from "./strings.mjs";

/** @typedef {import("../../../types/deletions").Entry} Entry */
/** @typedef {{element: HTMLElement, focus(): void, render(): void}} Card */

/** Holds shown at once: each can be undone. */
const MAX_HOLDS = 3;

/** @param {import("../../../types/deletions").DeletionState} state */
function chosen({ holding, running, results }) {
  if (holding.length) return holding.slice(0, MAX_HOLDS).reverse();
  return running[0] ? [running[0]] : results.slice(0, 1);
}

/**
 * @param {object} options
 * @param {import("./controller.mjs").Deletions} options.deletions
 * @param {(ids: string[]) => void} options.show narrows the list to these
 * @param {import("../../../types/panel").Say} options.say
 * @param {() => void} [options.focusList] where the focus goes when what had it is gone
 */
export function createCards({ deletions, show, say, focusList }) {
  const element = el("div", { class: "cch-cards", hidden: true });
  /** @type {Map<string, Card>} */
  let shown = new Map();
  /** @type {WeakMap<Entry, number>} */
  const numbers = new WeakMap();
  let made = 0;

  const copy = async (/** @type {string} */ text) => say((await copyText(text)) ? DELETE.reportCopied : DETAILS.notCopied);
  const on = { show, copy, again: (/** @type {Entry} */ entry) => void deletions.tryAgain(entry), dismiss: (/** @type {Entry} */ entry) => deletions.drop(entry) };

  /** @param {Entry} entry */
  const look = (entry) => (entry.phase === "done" ? "result" : entry.phase === "holding" ? "hold" : "progress");

  /** @param {Entry} entry @returns {Card} */
  function make(entry) {
    const kind = look(entry);
    if (kind === "hold") return createHoldCard(entry, deletions);
    return kind === "progress" ? createProgressCard(entry, deletions) : createResultCard(entry, on);
  }

  /** @param {Entry} entry */
  function keyOf(entry) {
    const known = numbers.get(entry) ?? ++made;
    numbers.set(entry, known);
    return `${known} ${look(entry)}`;
  }

  function render() {
    const entries = chosen(deletions.state());
    const cards = new Map(entries.map((entry) => [keyOf(entry), entry]));
    const same = cards.size === shown.size && [...cards.keys()].every((key) => shown.has(key));
    if (!same) {
      const before = element.contains(document.activeElement) ? document.activeElement : null;
      shown = new Map([...cards].map(([key, entry]) => [key, shown.get(key) ?? make(entry)]));
      element.replaceChildren(...[...shown.values()].map((card) => card.element));
      element.hidden = shown.size === 0;
      if (before instanceof window.HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      else if (before) focusList?.();
    }
    for (const card of shown.values()) card.render();
  }

  const leave = deletions.follow({
    render,
    say,
    held(entry) {
      render();
      shown.get(keyOf(entry))?.focus();
    },
  });
  render();
  return { element, destroy: leave };
}
