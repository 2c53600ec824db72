// @ts-check
/** Ignores presses on a dialog that has just appeared, because they may have been meant for something else. */

/** How long a dialog that appears by itself ignores presses. */
export const UNASKED_DELAY_MS = 1_000;
/** The same for a dialog that the person opened: as long as the slowest double click. */
const OPENED_DELAY_MS = 500;

/** @typedef {{detail: number, timeStamp: number}} Press */
/**
 * @typedef {object} Parts
 * @property {() => number} now milliseconds, on the clock of `Event.timeStamp`
 * @property {(run: () => void, milliseconds: number) => void} schedule
 * @property {(run: () => void) => void} whenPainted calls `run` once the dialog is on screen: never in a hidden tab
 * @property {(delayed: boolean) => void} onChange
 */

export class PressDelay {
  #until = -Infinity;
  #milliseconds = 0;
  /** Counts calls of `begin`, so that timers of an earlier call are ignored. */
  #times = 0;
  /** The start of a press that has not become a click yet. @type {number | null} */
  #pressed = null;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  isRunning() {
    return this.parts.now() < this.#until;
  }

  /** Ignores presses until the dialog has been visible for this long. @param {number} milliseconds */
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

  /** Accepts presses at once, without calling `onChange`. */
  end() {
    this.#times += 1;
    this.#until = -Infinity;
  }

  /** Restarts the delay: a person who presses something has not read the dialog yet. @param {Pick<Press, "timeStamp">} event */
  pressed({ timeStamp }) {
    this.#pressed = timeStamp;
    if (timeStamp < this.#until) this.#until = Math.max(this.#until, timeStamp + this.#milliseconds);
  }

  /** Whether a click counts, by the time of its press: a busy page may deliver the click much later. @param {Press} click */
  accepts({ detail, timeStamp }) {
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

/** The class of a button that stays disabled after the delay, because the person has to agree first. */
const NOT_YET = "not-yet";

const PRESSES = new Set(["Enter", " "]);

/** A hidden tab has no animation frames, so `run` waits until the tab is visible. @param {() => void} run */
const whenPainted = (run) => void window.requestAnimationFrame(() => window.requestAnimationFrame(run));

export class Presses {
  /** @type {HTMLElement[]} */
  #buttons = [];
  #unasked = false;
  #delayed = false;
  #listening = new AbortController();
  #delay = new PressDelay({
    now: () => performance.now(),
    schedule: (run, milliseconds) => void setTimeout(run, milliseconds),
    whenPainted,
    onChange: (delayed) => this.#show(delayed),
  });

  /** @param {HTMLElement} answers the element that contains the answer buttons */
  constructor(answers) {
    this.answers = answers;
    this.#listen();
  }

  /** Prepares the next step. @param {boolean} unasked the dialog appeared by itself: delay all of its buttons */
  begin(unasked) {
    this.#unasked = unasked;
    this.#buttons = [];
  }

  /** Returns a click listener that ignores early clicks. @param {boolean} deletes @param {() => void} press */
  accept(deletes, press) {
    return (/** @type {any} */ click) => {
      const isCareful = deletes || this.#unasked;
      if (!isCareful || this.#delay.accepts(click)) press();
    };
  }

  /** Starts the delay of a step that is now visible. @param {HTMLElement[]} [delayed] the buttons to delay */
  shown(delayed = this.#buttons) {
    this.#buttons = delayed;
    if (delayed.length) this.#delay.begin(this.#unasked ? UNASKED_DELAY_MS : OPENED_DELAY_MS);
    else this.#delay.end();
  }

  end() {
    this.#listening.abort();
    this.#delay.end();
  }

  /** Disables a button until the person has agreed. @param {HTMLElement} element @param {boolean} agreed */
  allow(element, agreed) {
    element.classList.toggle(NOT_YET, !agreed);
    this.#disable(element, this.#delayed && this.#buttons.includes(element));
  }

  /** @param {boolean} delayed */
  #show(delayed) {
    this.#delayed = delayed;
    for (const element of this.#buttons) this.#disable(element, delayed);
  }

  /** @param {HTMLElement} element @param {boolean} delayed */
  #disable(element, delayed) {
    if (delayed || element.classList.contains(NOT_YET)) element.setAttribute("aria-disabled", "true");
    else element.removeAttribute("aria-disabled");
  }

  /** Listens on the whole page, before ComfyUI: a press anywhere shows that the person is busy elsewhere. */
  #listen() {
    const options = { capture: true, signal: this.#listening.signal };
    window.addEventListener("pointerdown", (event) => this.#delay.pressed(event), options);
    window.addEventListener("keydown", (event) => this.#keyDown(event), options);
    // The click that brings the window to the front may hit a button.
    window.addEventListener("focus", (event) => event.target === window && this.#restart(), options);
    document.addEventListener("visibilitychange", () => this.#restart(), options);
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const { key, repeat } = event;
    const isAnswer = PRESSES.has(key) && this.answers.contains(/** @type {Node} */ (event.target));
    const isLeaving = key === "Escape" && this.#unasked;
    if ((isAnswer && repeat) || (isLeaving && (repeat || this.#delay.isRunning()))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (!repeat && (PRESSES.has(key) || key.length === 1)) {
      this.#delay.pressed(event);
    }
  }

  #restart() {
    if (!document.hidden) this.shown();
  }
}
