// @ts-check
/** Clearing the history, from the click to the result. Knows the order of the steps, not how they look. */

import { HistoryApiError, isPreview, NO_ANSWER, STRANGE, throwIfBlocked } from "./history_api.js";
import * as words from "./words.js";

/** @typedef {import("../types/wire").Status} Status */
/** @typedef {import("../types/wire").Preview} Preview */
/** @typedef {import("./dialogs.js").Frame} Frame */
/** @typedef {{preview: Preview, status: Status}} Confirmed */
/** @typedef {ReturnType<import("./toasts.js").Toasts["progress"]>} Progress */

/** After these nobody can say whether the deletion had begun. */
const NOT_KNOWN = new Set([NO_ANSWER, STRANGE, "internal"]);

/** @param {unknown} error @returns {HistoryApiError} */
function asApiError(error) {
  if (error instanceof HistoryApiError) return error;
  throw error;
}

/**
 * @typedef {object} Parts
 * @property {import("./history_api.js").HistoryApi} api
 * @property {import("./dialogs.js").Dialogs} dialogs
 * @property {import("./clear_steps.js").ClearSteps} steps
 * @property {Pick<import("./connect_dialog.js").ConnectSteps, "askForKey">} connect
 * @property {import("./toasts.js").Toasts} toasts
 * @property {import("./operations.js").Operations} operations
 * @property {() => number} now milliseconds of a clock that never goes back
 */

export class ClearFlow {
  #sending = false;

  /** @param {Parts} parts */
  constructor({ api, dialogs, steps, connect, toasts, operations, now }) {
    this.api = api;
    this.dialogs = dialogs;
    this.steps = steps;
    this.connect = connect;
    this.toasts = toasts;
    this.operations = operations;
    this.now = now;
  }

  /**
   * Shows the numbers and asks. Resolves with what was confirmed, or null.
   * @param {Frame} frame
   * @param {{preview: Preview, receivedAt: number}} seen
   * @param {Status} status
   * @param {boolean} rose
   * @returns {Promise<Confirmed | "again" | null>}
   */
  async #ask(frame, { preview, receivedAt }, status, rose) {
    if (preview.finished === 0) return this.steps.nothing(frame, preview, status).then(() => null);
    if ((await this.steps.confirm(frame, preview, status, rose)) !== "clear") return null;
    if (this.now() - receivedAt < preview.expires_in * 1000) return { preview, status };
    return (await this.steps.tooOld(frame)) === "again" ? "again" : null;
  }

  /** @param {Frame} frame @returns {Promise<Confirmed | "again" | null>} */
  async #look(frame) {
    /** @type {Status | null} */
    let status = null;
    void this.steps.counting(frame);
    try {
      status = await this.api.status();
      if (!frame.isOpen()) return null;
      throwIfBlocked(status);
      if (status.running) return this.steps.busy(frame, originOf(status.running.origin)).then(() => null);
      if (!status.configured) return (await this.connect.askForKey(frame, status)) ? "again" : null;
      const receivedAt = this.now();
      const preview = await this.api.preview();
      if (!frame.isOpen()) return null;
      return await this.#ask(frame, { preview, receivedAt }, status, false);
    } catch (error) {
      return this.#afterFailedLook(frame, asApiError(error), status);
    }
  }

  /** @param {Frame} frame @param {HistoryApiError} error @param {Status | null} status */
  async #afterFailedLook(frame, error, status) {
    if (!frame.isOpen()) return null;
    if (error.code === "missing_key" && status) return (await this.connect.askForKey(frame, status)) ? "again" : null;
    const answer = await this.steps.failed(frame, error, status);
    if (answer === "replace" && status) return (await this.connect.askForKey(frame, status)) ? "again" : null;
    return answer === "retry" ? "again" : null;
  }

  /** @param {Frame} frame @returns {Promise<Confirmed | null>} */
  async #lookUntilAnswered(frame) {
    for (;;) {
      const answer = await this.#look(frame);
      if (answer !== "again") return answer;
    }
  }

  /** @param {Progress} progress @param {import("../types/wire").ClearResult} result */
  #tellResult(progress, result) {
    const { kind, title, text } = words.clearResultWords(result);
    const action = { label: words.COMMON.lookAgain, press: () => void this.clear() };
    progress.become(kind, { title, detail: text, ...(kind === "warning" && { action }) });
  }

  /** @param {Progress} progress @param {import("./operations.js").Settled} settled */
  #tellSettled(progress, settled) {
    if ("result" in settled) return this.#tellResult(progress, settled.result);
    const told = "unresolved" in settled ? words.crashWords(settled.unresolved.asked) : words.LOST;
    progress.become("warning", { title: told.title, detail: told.text });
  }

  /**
   * The request to clear was lost on its way to ComfyUI or back: look whether it runs, or has run.
   * @param {Progress} progress
   * @param {Status} before
   */
  async #findOut(progress, before) {
    const known = new Set([...before.finished, ...before.unresolved].map((entry) => entry.operation));
    const status = await this.api.status().catch(() => null);
    const running = status?.running?.kind === "clear" && status.running.origin === "menu" ? status.running.operation : null;
    const finished = status?.finished.find((entry) => entry.result.kind === "clear" && !known.has(entry.operation));
    const unresolved = status?.unresolved.find((entry) => entry.kind === "clear" && !known.has(entry.operation));
    if (finished) return this.#tellResult(progress, finished.result);
    if (unresolved) return this.#tellSettled(progress, { unresolved });
    this.#tellSettled(progress, running ? await this.operations.settled(running) : { lost: true });
  }

  /**
   * What follows an answer that refused to begin.
   * @param {Progress} progress
   * @param {HistoryApiError} error
   * @param {Status} status
   * @returns {Promise<Confirmed | null | undefined>} what was confirmed after all
   */
  async #afterRefusal(progress, error, status) {
    if (NOT_KNOWN.has(error.code)) return this.#findOut(progress, status).then(() => null);
    const talk = this.#talkAfter(error, status);
    if (!talk) {
      progress.become("error", { title: words.NOT_REMOVED, detail: words.errorLine(error) });
      return null;
    }
    progress.dismiss();
    const answer = await this.dialogs.exclusive(talk);
    // Another dialog of ours was open: what would have been asked there is told here.
    if (answer === undefined) this.toasts.tell("warning", { title: words.NOT_DELETED, detail: words.errorLine(error) });
    return answer;
  }

  /**
   * The conversation that a refusal leads to, if it leads to one.
   * @param {HistoryApiError} error
   * @param {Status} status
   * @returns {((frame: Frame) => Promise<Confirmed | null>) | null}
   */
  #talkAfter(error, status) {
    const { preview, origin } = error.extras;
    if (error.code === "busy") return (frame) => this.steps.busy(frame, originOf(origin)).then(() => null);
    if (error.code === "preview_expired") {
      return async (frame) => ((await this.steps.tooOld(frame)) === "again" ? this.#lookUntilAnswered(frame) : null);
    }
    if (error.code !== "count_rose" || !isPreview(preview)) return null;
    const seen = { preview, receivedAt: this.now() };
    return async (frame) => {
      const answer = await this.#ask(frame, seen, status, true);
      return answer === "again" ? this.#lookUntilAnswered(frame) : answer;
    };
  }

  /** @param {Confirmed} confirmed @returns {Promise<Confirmed | null | undefined>} */
  async #send({ preview, status }) {
    const progress = this.toasts.progress({ title: words.CLEAR.progress, detail: words.CLEAR.keepWorking });
    this.#sending = true;
    try {
      const answer = await this.api.clear(preview.token);
      const settled = answer.state === "done" ? { result: answer.result } : await this.operations.settled(answer.operation);
      this.#tellSettled(progress, settled);
      return null;
    } catch (error) {
      return await this.#afterRefusal(progress, asApiError(error), status);
    } finally {
      this.#sending = false;
    }
  }

  /** Resolves when all is said; what came of it is told in a toast. */
  async clear() {
    if (this.#sending) return void (await this.dialogs.exclusive((frame) => this.steps.busy(frame, "ours")));
    let confirmed = await this.dialogs.exclusive((frame) => this.#lookUntilAnswered(frame));
    while (confirmed) confirmed = await this.#send(confirmed);
  }
}

/** Who started a deletion: the menu, or else a node. @param {unknown} origin @returns {"node" | "menu" | undefined} */
function originOf(origin) {
  if (!origin) return undefined;
  return origin === "menu" ? "menu" : "node";
}
