// @ts-check
/** The conversation before a deletion: look, show the numbers, ask. Knows the order of the steps, not how they look. */

import { ACCOUNT_CHANGED, asApiError, isDeletePreview, isPreview, noKey } from "../api.mjs";
import { createBackupChoice, createClearSteps, createDeleteSteps } from "./dialogs.mjs";

/** @import { DeletionAnswer, Selection, Status } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */
/** @import { Dialogs, Frame } from "../common/dialogs.mjs" */
/** @import { ConnectSteps } from "../connect/dialog.mjs" */

/** @typedef {{preview: any, status: Status}} Confirmed */
/**
 * What is asked: whether to delete some jobs, or to clear. `P` is its preview.
 * @typedef {object} Question
 * @property {"delete" | "clear"} kind what is asked; a preview of a clear may turn out to be a deletion by ids
 * @property {() => Promise<any>} preview
 * @property {(preview: any) => number} count jobs that would go
 * @property {(token: string, preview: any) => Promise<DeletionAnswer>} submit
 * @property {QuestionSteps} steps
 */
/**
 * @typedef {object} QuestionSteps
 * @property {(frame: Frame) => Promise<unknown>} counting
 * @property {(frame: Frame, preview: any, status: Status, rose: boolean) => Promise<string | null>} confirm resolves with "yes" to delete
 * @property {(frame: Frame, preview: any, status: Status) => Promise<unknown>} nothing
 */
/**
 * @typedef {object} CommonSteps
 * @property {(frame: Frame, why?: string) => Promise<string | null>} tooOld resolves with "again" to look again
 * @property {(frame: Frame, origin: "node" | "menu" | "ours" | undefined) => Promise<unknown>} busy
 * @property {(frame: Frame, error: HistoryApiError, status: Status | null) => Promise<string | null>} failed
 */

/** @param {unknown} origin @returns {"node" | "menu" | undefined} */
const originOf = (origin) => (origin === "node" || origin === "menu" ? origin : undefined);

/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status">} api
 * @property {Dialogs} dialogs
 * @property {CommonSteps} steps
 * @property {Pick<ConnectSteps, "askForKey">} connect
 * @property {() => number} now milliseconds of a clock that never goes back
 * @property {() => void} onAccountChanged what was chosen is not of the account in force: the list is another's
 */

export class Asking {
  /** @param {Parts} parts */
  constructor({ api, dialogs, steps, connect, now, onAccountChanged }) {
    this.api = api;
    this.dialogs = dialogs;
    this.steps = steps;
    this.connect = connect;
    this.now = now;
    this.onAccountChanged = onAccountChanged;
  }

  /**
   * Resolves with what was confirmed, null when the person left, undefined when another dialog of ours was open.
   * @param {Question} question
   * @param {boolean} [rose] whether it is asked again because more jobs have finished
   */
  ask(question, rose = false) {
    return this.dialogs.exclusive((frame) => this.#lookUntilAnswered(frame, question, rose));
  }

  /** @param {"node" | "menu" | "ours" | undefined} origin */
  tellBusy(origin) {
    return this.dialogs.exclusive((frame) => this.steps.busy(frame, origin));
  }

  /**
   * The conversation that a refusal to begin leads to; null if it leads to none.
   * @param {HistoryApiError} error
   * @param {Question} question
   * @param {Status} status
   * @returns {(() => Promise<Confirmed | null | undefined>) | null}
   */
  after(error, question, status) {
    const talk = this.#talkAfter(error, question, status);
    return talk && (() => this.dialogs.exclusive(talk));
  }

  /** @param {Frame} frame @param {Question} question @param {boolean} [rose] @returns {Promise<Confirmed | null>} */
  async #lookUntilAnswered(frame, question, rose = false) {
    for (;;) {
      const answer = await this.#look(frame, question, rose);
      if (answer !== "again") return answer;
    }
  }

  /** @param {Frame} frame @param {Question} question @param {boolean} rose @returns {Promise<Confirmed | "again" | null>} */
  async #look(frame, question, rose) {
    /** @type {Status | null} */
    let status = null;
    void question.steps.counting(frame);
    try {
      status = await this.api.status();
      if (!frame.isOpen()) return null;
      // What is held waits its turn; what is not would be refused.
      if (status.running && !status.hold_seconds) return this.steps.busy(frame, originOf(status.running.origin)).then(() => null);
      if (!status.configured) throw noKey(status);
      const receivedAt = this.now();
      const preview = await question.preview();
      if (!frame.isOpen()) return null;
      return await this.#confirm(frame, question, preview, receivedAt, status, rose);
    } catch (error) {
      return this.#afterFailedLook(frame, asApiError(error), status);
    }
  }

  /**
   * @param {Frame} frame
   * @param {Question} question
   * @param {any} preview
   * @param {number} receivedAt
   * @param {Status} status
   * @param {boolean} rose
   * @returns {Promise<Confirmed | "again" | null>}
   */
  async #confirm(frame, question, preview, receivedAt, status, rose) {
    if (question.count(preview) === 0) return question.steps.nothing(frame, preview, status).then(() => null);
    if ((await question.steps.confirm(frame, preview, status, rose)) !== "yes") return null;
    if (this.now() - receivedAt < preview.expires_in * 1000) return { preview, status };
    return (await this.steps.tooOld(frame)) === "again" ? "again" : null;
  }

  /** @param {Frame} frame @param {HistoryApiError} error @param {Status | null} status */
  async #afterFailedLook(frame, error, status) {
    if (!frame.isOpen()) return null;
    if (error.code === ACCOUNT_CHANGED) this.onAccountChanged();
    if (error.code === "missing_key" && status) return (await this.connect.askForKey(frame, status)) ? "again" : null;
    const answer = await this.steps.failed(frame, error, status);
    if (answer === "replace" && status) return (await this.connect.askForKey(frame, status)) ? "again" : null;
    return answer === "retry" ? "again" : null;
  }

  /**
   * @param {HistoryApiError} error
   * @param {Question} question
   * @param {Status} status
   * @returns {((frame: Frame) => Promise<Confirmed | null>) | null}
   */
  #talkAfter(error, question, status) {
    const { preview, origin } = error.extras;
    if (error.code === "busy") return (frame) => this.steps.busy(frame, originOf(origin)).then(() => null);
    if (error.code === "preview_expired") {
      return async (frame) => ((await this.steps.tooOld(frame, error.message)) === "again" ? this.#lookUntilAnswered(frame, question) : null);
    }
    if (error.code !== "count_rose" || !(question.kind === "clear" && isPreview(preview) || isDeletePreview(preview))) return null;
    const receivedAt = this.now();
    return async (frame) => {
      const answer = await this.#confirm(frame, question, preview, receivedAt, status, true);
      return answer === "again" ? this.#lookUntilAnswered(frame, question) : answer;
    };
  }
}

/** Where anything is protected or backed up, the server answers with a deletion by ids instead. @param {HistoryApi} api @returns {Question} */
function clear(api) {
  const backup = createBackupChoice();
  return {
    kind: "clear",
    preview: api.preview,
    count: (preview) => (preview.kind === "delete" ? preview.removable : preview.finished),
    submit: (token, preview) => (preview.kind === "delete" ? api.remove(token, backup.answer()) : api.clear(token)),
    steps: createClearSteps(api, backup),
  };
}

/** @param {HistoryApi} api @param {Selection} target @returns {Question} */
function remove(api, target) {
  const backup = createBackupChoice();
  return {
    kind: "delete",
    preview: () => api.previewOf(target),
    count: ({ removable }) => removable,
    submit: (token) => api.remove(token, backup.answer()),
    steps: createDeleteSteps(api, "ids" in target ? target.ids.length : null, backup),
  };
}

/** @param {HistoryApi} api */
export const createQuestions = (api) => ({
  /** A new one each time: what was ticked once is not ticked for ever. */
  get clear() {
    return clear(api);
  },
  /** @param {Selection} target */
  remove: (target) => remove(api, target),
});
