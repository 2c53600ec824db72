// @ts-check
/** The presses that a dialog takes for an answer: it is deaf at first, and its buttons show that. */

/** Milliseconds for which a dialog that appears by itself takes no answer. */
export const UNASKED_DEAF_MS = 1_000;
/** The same for a dialog that the person has opened: as long as the slowest double click. */
const OPENED_DEAF_MS = 500;

/** @typedef {{detail: number, timeStamp: number}} Press */
/**
 * @typedef {object} Parts
 * @property {() => number} now milliseconds, on the clock of `Event.timeStamp`
 * @property {(run: () => void, milliseconds: number) => void} schedule
 * @property {(run: () => void) => void} whenPainted calls back once the person can see what was drawn: never in a hidden tab
 * @property {(deaf: boolean) => void} onChange
 */

export class Deafness {
  #until = -Infinity;
  #milliseconds = 0;
  /** Counts the times it began: a call back for an earlier one is ignored. */
  #times = 0;
  /** When the press began that has not ended in a click yet. @type {number | null} */
  #pressed = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  isDeaf() {
    return this.parts.now() < this.#until;
  }

  /** Takes no answer from now on, until it has been seen for so long. @param {number} milliseconds */
  begin(milliseconds) {
    const time = ++this.#times;
    this.#milliseconds = milliseconds;
    this.#until = Infinity;
    this.parts.onChange(true);
    this.parts.whenPainted(() => {
      if (time !== this.#times) return;
      this.#until = this.parts.now() + milliseconds;
      this.#wait(time);
    });
  }

  /** Takes every answer again, and calls nobody back. */
  end() {
    this.#times += 1;
    this.#until = -Infinity;
  }

  /** A pointer or a key goes down, anywhere. Somebody who presses has not read yet, so it starts anew. @param {Pick<Press, "timeStamp">} event */
  pressed({ timeStamp }) {
    this.#pressed = timeStamp;
    if (timeStamp < this.#until) this.#until = Math.max(this.#until, timeStamp + this.#milliseconds);
  }

  /** Whether a click is an answer. The moment of the press counts: a busy page may hand the click on much later. @param {Press} click */
  hears({ detail, timeStamp }) {
    const began = this.#pressed ?? timeStamp;
    this.#pressed = null;
    return detail <= 1 && began >= this.#until;
  }

  /** @param {number} time */
  #wait(time) {
    const rest = this.#until - this.parts.now();
    if (time !== this.#times) return;
    if (rest > 0) this.parts.schedule(() => this.#wait(time), rest);
    else this.parts.onChange(false);
  }
}

const PRESSES = new Set(["Enter", " "]);

/** Calls back once what was drawn has been shown; in a hidden tab that is when it is looked at. @param {() => void} run */
const whenPainted = (run) => void window.requestAnimationFrame(() => window.requestAnimationFrame(run));

export class Presses {
  /** @type {HTMLElement[]} */
  #isProtected = [];
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
    this.#isProtected = [];
  }

  /** What a button does, unless it is pressed too early. @param {boolean} deletes @param {() => void} press */
  accept(deletes, press) {
    return (/** @type {any} */ click) => {
      const isCareful = deletes || this.#unasked;
      if (!isCareful || this.#deafness.hears(click)) press();
    };
  }

  /** The step is there now, or again. @param {HTMLElement[]} [deaf] buttons that are isProtected */
  shown(deaf = this.#isProtected) {
    this.#isProtected = deaf;
    if (deaf.length) this.#deafness.begin(this.#unasked ? UNASKED_DEAF_MS : OPENED_DEAF_MS);
    else this.#deafness.end();
  }

  end() {
    this.#listening.abort();
    this.#deafness.end();
  }

  /** @param {boolean} deaf */
  #show(deaf) {
    for (const element of this.#isProtected) {
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
