// @ts-check
/**
 * When a dialog that deletes takes an answer: not before the person can have read it. A press that began earlier, the second
 * half of a double click, or a held key was meant for what stood there before. No elements here.
 */

/** Milliseconds for which a question that appears by itself takes no answer. */
export const UNASKED_DEAF_MS = 1_000;
/** The same for a dialog that the person has opened: as long as the slowest double click. */
export const OPENED_DEAF_MS = 500;

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

  /**
   * Whether a click is an answer. The moment of the press counts: a busy page may hand the click on much later.
   * @param {Press} click
   */
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
