// @ts-check
/** The presses that a dialog takes for an answer: it is deaf at first, and its buttons show that. */

import { Deafness, OPENED_DEAF_MS, UNASKED_DEAF_MS } from "./deafness.mjs";

const PRESSES = new Set(["Enter", " "]);

/** Calls back once what was drawn has been shown; in a hidden tab that is when it is looked at. @param {() => void} run */
const whenPainted = (run) => void window.requestAnimationFrame(() => window.requestAnimationFrame(run));

export class Presses {
  /** @type {HTMLElement[]} */
  #guarded = [];
  #unasked = false;
  #listening = new AbortController();
  #deafness = new Deafness({
    now: () => performance.now(),
    schedule: (run, milliseconds) => void setTimeout(run, milliseconds),
    whenPainted,
    onChange: (deaf) => this.#show(deaf),
  });

  /** @param {HTMLElement} answers holds the buttons that answer */
  constructor(answers) {
    this.answers = answers;
    this.#listen();
  }

  /** Another step is about to be shown. @param {boolean} unasked whether it appears by itself: then all of it is deaf */
  begin(unasked) {
    this.#unasked = unasked;
    this.#guarded = [];
  }

  /** What a button does, unless it is pressed too early. @param {boolean} deletes @param {() => void} press */
  guard(deletes, press) {
    return (/** @type {any} */ click) => {
      const isGuarded = deletes || this.#unasked;
      if (!isGuarded || this.#deafness.hears(click)) press();
    };
  }

  /** The step is there now, or again. @param {HTMLElement[]} [deaf] buttons that are guarded */
  shown(deaf = this.#guarded) {
    this.#guarded = deaf;
    if (deaf.length) this.#deafness.begin(this.#unasked ? UNASKED_DEAF_MS : OPENED_DEAF_MS);
    else this.#deafness.end();
  }

  end() {
    this.#listening.abort();
    this.#deafness.end();
  }

  /** @param {boolean} deaf */
  #show(deaf) {
    for (const element of this.#guarded) {
      if (deaf) element.setAttribute("aria-disabled", "true");
      else element.removeAttribute("aria-disabled");
    }
  }

  /** Anywhere on the page, as the person may be doing something else; taken before ComfyUI sees them. */
  #listen() {
    const options = { capture: true, signal: this.#listening.signal };
    window.addEventListener("pointerdown", (event) => this.#deafness.pressed(event), options);
    window.addEventListener("keydown", (event) => this.#keyDown(event), options);
    // A click that brings the window to the front may land on a button.
    window.addEventListener("focus", (event) => event.target === window && this.#seenAgain(), options);
    document.addEventListener("visibilitychange", () => this.#seenAgain(), options);
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const { key, repeat } = event;
    const isAnswer = PRESSES.has(key) && this.answers.contains(/** @type {Node} */ (event.target));
    const isLeaving = key === "Escape" && this.#unasked;
    if ((isAnswer && repeat) || (isLeaving && (repeat || this.#deafness.isDeaf()))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (!repeat && (PRESSES.has(key) || key.length === 1)) {
      this.#deafness.pressed(event);
    }
  }

  #seenAgain() {
    if (!document.hidden) this.shown();
  }
}
