// @ts-check
/** The places of the cards below the list: a card that goes leaves its place empty for a while. */

import { el } from "./dom.mjs";

/** @typedef {{element: HTMLElement, focus(): void, render(): void}} Card */
/** @typedef {{now: () => number, schedule: (run: () => void, milliseconds: number) => void}} Clock `now`: milliseconds of a monotonic clock */

/** For this long, a card that goes leaves its place empty: a click that was meant for its button must not reach what moves there. */
const CALM_MS = 700;

/** What a card is about: the first word of its key. @param {string} key */
const subjectOf = (key) => key.split(" ")[0];

/** Shows the cards, and keeps the places of those that have gone for a while. */
class Places {
  #settleAt = 0;

  /** @param {HTMLElement} element @param {Clock} parts */
  constructor(element, parts) {
    this.element = element;
    this.parts = parts;
  }

  /**
   * Shows, in the place of each old card, the next card of the same subject, at least as high, or else nothing. Cards of
   * further subjects follow.
   * @param {[string, Card][]} old
   * @param {[string, Card][]} next
   */
  change(old, next) {
    const places = old.map(([key, { element }]) => {
      const height = element.offsetHeight;
      const card = next.find(([other]) => subjectOf(other) === subjectOf(key))?.[1].element;
      const kept = card ?? el("div", { class: "cch-gone", "aria-hidden": "true" });
      if (kept !== element && height) kept.style.minBlockSize = `${height}px`;
      return kept;
    });
    const cards = next.map(([, { element }]) => element);
    this.#show([...places, ...cards.filter((element) => !places.includes(element))]);
    this.#settleAt = this.parts.now() + CALM_MS;
    this.parts.schedule(() => this.#settle(cards), CALM_MS);
  }

  /** Gives up the places of the cards that have gone, unless more cards have gone since. @param {HTMLElement[]} cards */
  #settle(cards) {
    if (this.parts.now() < this.#settleAt) return;
    for (const card of cards) card.style.minBlockSize = "";
    if (this.element.children.length === cards.length && cards.every((card, at) => this.element.children[at] === card)) return;
    const focused = this.element.contains(document.activeElement) ? document.activeElement : null;
    this.#show(cards);
    if (focused instanceof window.HTMLElement) focused.focus({ preventScroll: true });
  }

  /** @param {HTMLElement[]} elements */
  #show(elements) {
    this.element.replaceChildren(...elements);
    this.element.hidden = elements.length === 0;
  }
}

/** The cards below a list, each of which is made once and shown as long as its key is given. */
export class CardStack {
  element = el("div", { class: "cch-cards", hidden: true });
  /** @type {Map<string, Card>} */
  #shown = new Map();

  /** @param {Clock} clock @param {(() => void) | undefined} focusList called when the card with the focus is removed */
  constructor(clock, focusList) {
    this.places = new Places(this.element, clock);
    this.focusList = focusList;
  }

  /** Shows these cards, and draws all of them anew. @param {(readonly [key: string, make: () => Card])[]} cards */
  render(cards) {
    const { element } = this;
    const same = cards.length === this.#shown.size && cards.every(([key]) => this.#shown.has(key));
    if (!same) {
      const before = element.contains(document.activeElement) ? document.activeElement : null;
      const old = this.#shown;
      this.#shown = new Map(cards.map(([key, make]) => [key, old.get(key) ?? make()]));
      this.places.change([...old], [...this.#shown]);
      if (before instanceof window.HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      else if (before) this.focusList?.();
    }
    for (const card of this.#shown.values()) card.render();
  }

  /** Moves the focus into a card. @param {string} key */
  focus(key) {
    this.#shown.get(key)?.focus();
  }
}
