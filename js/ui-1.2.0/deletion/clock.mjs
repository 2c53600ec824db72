// @ts-check
/** Counts down holds, and requests the status of deletions: one request at a time, and at intervals in case an event was missed. */

import { HistoryApiError } from "../api.mjs";
import { canBeSilent, isEnding, isOpen, POLL_MS } from "./entries.mjs";
import * as words from "./strings.mjs";

/** @import { Entry } from "../../../types/deletion" */
/** @import { Deletions } from "./controller.mjs" */

/** ComfyUI counts as not answering once a request has waited this long. */
const PATIENCE_MS = 5_000;
/** After this many unanswered requests (two minutes), ComfyUI is asked less often. */
const MANY_FAILURES = 30;
const SLOW_POLL_MS = 30_000;
/** Milliseconds after the end of a hold for the event that says so. */
const EVENT_MS = 1_000;
/** The page says that it asks ComfyUI once the answer takes longer than this after the end of a hold. */
const ASKING_MS = 1_500;
export const LAST_SECONDS = 5;
/** If the clock moves this much more than expected between two ticks, the computer was asleep. */
const SLEEP_MS = 3_000;

export class Clock {
  #isRunning = false;
  #failures = 0;
  #nextProgress = 0;
  /** When the request that is not answered yet was sent; null without one. @type {number | null} */
  #asked = null;

  /** @param {Deletions} flow */
  constructor(flow) {
    this.flow = flow;
  }

  /** Ticks while a deletion is open, in step with the seconds of the newest hold. */
  run() {
    const { flow } = this;
    const { now, today, schedule } = flow.parts;
    const open = flow.entries.find(isOpen);
    if (this.#isRunning || !open) return;
    this.#isRunning = true;
    const rest = open.phase === "holding" ? (open.deadline - now()) % 1000 : 0;
    const pause = rest > 0 ? rest : 1000;
    const expected = today() + pause;
    schedule(() => {
      this.#isRunning = false;
      if (today() - expected > SLEEP_MS) void flow.refresh();
      for (const entry of flow.entries) if (isOpen(entry) && !entry.answering) this.#tick(entry);
      this.#poll();
      this.#readProgress();
      flow.render();
      this.run();
    }, pause);
  }

  /** @param {Entry} entry */
  #tick(entry) {
    const { flow } = this;
    const seconds = flow.secondsLeft(entry);
    if (entry.waitsUntil && !flow.secondsToWait(entry)) {
      entry.waitsUntil = 0;
      flow.notify.progress(entry);
    }
    if (entry.phase !== "holding") return;
    flow.notify.tick(entry);
    if (seconds === 0) {
      // The server's clock decides: until it says so, nobody knows that anything was sent.
      Object.assign(entry, { phase: "due", asking: false, nextPoll: flow.parts.now() + EVENT_MS });
      flow.parts.schedule(() => this.#asksNow(entry), ASKING_MS);
      flow.change();
    } else if (!entry.warned && seconds <= LAST_SECONDS) {
      entry.warned = true;
      flow.sayOf(entry, words.leftToUndo(seconds));
    }
  }

  /** Says that ComfyUI is asked what became of a hold, unless it has answered. @param {Entry} entry */
  #asksNow(entry) {
    const isQuiet = this.flow.entries.includes(entry) && isEnding(entry);
    entry.asking = true;
    if (!isQuiet) return;
    this.flow.notify.progress(entry);
    this.flow.change();
  }

  /** Requests the status for all deletions past their hold, one request at a time. */
  #poll() {
    const { flow } = this;
    const now = flow.parts.now();
    if (this.#asked !== null) {
      if (now - this.#asked >= PATIENCE_MS) flow.lostTouch();
      return;
    }
    const isDue = (/** @type {Entry} */ entry) => isOpen(entry) && !entry.answering && (entry.phase !== "holding" || entry.away) && entry.nextPoll <= now;
    if (flow.entries.some(isDue)) void this.#ask(now);
  }

  /** Requests the progress at intervals, because no event says that Comfy Cloud is silent. */
  #readProgress() {
    const { flow } = this;
    const now = flow.parts.now();
    if (now < this.#nextProgress || !flow.entries.some(canBeSilent)) return;
    this.#nextProgress = now + POLL_MS;
    void flow.readProgress();
  }

  /** Requests the status at once, if a deletion is open. */
  check() {
    const { flow } = this;
    if (this.#asked === null && flow.entries.some((entry) => isOpen(entry) && !entry.answering)) void this.#ask(flow.parts.now());
  }

  /** @param {number} asked */
  async #ask(asked) {
    const { flow } = this;
    const { api, now } = flow.parts;
    this.#asked = asked;
    /** @type {HistoryApiError | undefined} */
    let failed;
    const status = await api.status().catch((error) => void (error instanceof HistoryApiError && (failed = error)));
    this.#asked = null;
    this.#failures = status ? 0 : this.#failures + 1;
    const pause = this.#failures > MANY_FAILURES ? SLOW_POLL_MS : POLL_MS;
    for (const entry of flow.entries) entry.nextPoll = now() + pause;
    if (status) flow.adopt(status, asked);
    else flow.lostTouch(failed);
  }
}
