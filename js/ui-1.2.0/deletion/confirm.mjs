// @ts-check
/** The conversation before a deletion: look, show the numbers, ask. Knows the order of the steps, not how they look. */

import { ACCOUNT_CHANGED, asApiError, isDeletePreview, isPreview, noKey } from "../api.mjs";

/** @import { Selection, Status } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */
/** @import { Dialogs, Frame } from "../common/dialogs.mjs" */
/** @import { ConnectSteps } from "../connect/dialog.mjs" */

/**
 * What a person wants to delete; once they have said yes, also what the yes was about.
 * @typedef {object} DeletionRequest
 * @property {Selection | {clear: true}} selection
 * @property {boolean} [backup] whether workflows are saved first; absent: as it is set for all deletions
 * @property {any} [preview] what was shown; that of a clear may turn out to be of a deletion by ids
 * @property {Status} [status] of the server, when it was shown
 */
/** @typedef {DeletionRequest & {status: Status}} Previewed with its preview */
/** @typedef {"node" | "menu" | "ours" | undefined} Origin of the deletion that runs */
/**
 * @typedef {object} Steps
 * @property {(frame: Frame, request: DeletionRequest) => Promise<unknown>} counting
 * @property {(frame: Frame, request: Previewed, grew: boolean) => Promise<string | null>} confirm resolves with "yes" to delete
 * @property {(frame: Frame, request: Previewed) => Promise<unknown>} nothing
 * @property {(frame: Frame, why?: string) => Promise<string | null>} tooOld resolves with "again" to look again
 * @property {(frame: Frame, origin: Origin) => Promise<unknown>} busy
 * @property {(frame: Frame, error: HistoryApiError, status: Status | null) => Promise<string | null>} failed
 */
/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "preview">} api
 * @property {Dialogs} dialogs
 * @property {Steps} steps
 * @property {Pick<ConnectSteps, "askForKey">} connect
 * @property {() => number} now milliseconds of a clock that never goes back
 * @property {() => void} onAccountChanged what was chosen is not of the account in force: the list is another's
 */

/** @param {unknown} origin @returns {Origin} */
const originOf = (origin) => (origin === "node" || origin === "menu" ? origin : undefined);

export class Confirmation {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * Resolves with the request once it is confirmed, null when the person left, undefined when another dialog of ours was open.
   * @param {DeletionRequest} request
   * @param {boolean} [grew] whether it is asked again because more jobs have finished
   */
  ask(request, grew = false) {
    return this.parts.dialogs.exclusive((frame) => this.#converse(frame, request, grew));
  }

  /** @param {Origin} origin */
  tellBusy(origin) {
    return this.parts.dialogs.exclusive((frame) => this.parts.steps.busy(frame, origin));
  }

  /**
   * The conversation that a refusal to begin leads to; null if it leads to none.
   * @param {HistoryApiError} error
   * @param {Previewed} request
   * @returns {(() => Promise<Previewed | null | undefined>) | null}
   */
  after(error, request) {
    const talk = this.#talkAfter(error, request);
    return talk && (() => this.parts.dialogs.exclusive(talk));
  }

  /** @param {Frame} frame @param {DeletionRequest} request @param {boolean} [grew] @returns {Promise<Previewed | null>} */
  async #converse(frame, request, grew = false) {
    const { api, steps, now } = this.parts;
    for (;;) {
      /** @type {Status | null} */
      let status = null;
      /** @type {Previewed | "again" | null} */
      let answer;
      void steps.counting(frame, request);
      try {
        status = await api.status();
        if (!frame.isOpen()) return null;
        // What is held waits its turn; what is not would be refused.
        if (status.running && !status.hold_seconds) return steps.busy(frame, originOf(status.running.origin)).then(() => null);
        if (!status.configured) throw noKey(status);
        const receivedAt = now();
        const preview = await api.preview(request.selection);
        if (!frame.isOpen()) return null;
        answer = await this.#confirm(frame, Object.assign(request, { preview, status }), receivedAt, grew);
      } catch (error) {
        answer = await this.#afterFailure(frame, asApiError(error), status);
      }
      if (answer !== "again") return answer;
    }
  }

  /** @param {Frame} frame @param {Previewed} request @param {number} receivedAt @param {boolean} grew @returns {Promise<Previewed | "again" | null>} */
  async #confirm(frame, request, receivedAt, grew) {
    const { steps, now } = this.parts;
    const { preview } = request;
    if ((preview.removable ?? preview.finished) === 0) return steps.nothing(frame, request).then(() => null);
    if ((await steps.confirm(frame, request, grew)) !== "yes") return null;
    if (now() - receivedAt < preview.expires_in * 1000) return request;
    return (await steps.tooOld(frame)) === "again" ? "again" : null;
  }

  /** @param {Frame} frame @param {HistoryApiError} error @param {Status | null} status @returns {Promise<"again" | null>} */
  async #afterFailure(frame, error, status) {
    const { steps, connect, onAccountChanged } = this.parts;
    if (!frame.isOpen()) return null;
    if (error.code === ACCOUNT_CHANGED) onAccountChanged();
    const answer = error.code === "missing_key" && status ? "replace" : await steps.failed(frame, error, status);
    if (answer === "replace" && status) return (await connect.askForKey(frame, status)) ? "again" : null;
    return answer === "retry" ? "again" : null;
  }

  /** @param {HistoryApiError} error @param {Previewed} request @returns {((frame: Frame) => Promise<Previewed | null>) | null} */
  #talkAfter(error, request) {
    const { steps, now } = this.parts;
    const { preview, origin } = error.extras;
    if (error.code === "busy") return (frame) => steps.busy(frame, originOf(origin)).then(() => null);
    if (error.code === "preview_expired") {
      return async (frame) => ((await steps.tooOld(frame, error.message)) === "again" ? this.#converse(frame, request) : null);
    }
    const isNew = isDeletePreview(preview) || ("clear" in request.selection && isPreview(preview));
    if (error.code !== "count_rose" || !isNew) return null;
    const receivedAt = now();
    return async (frame) => {
      const answer = await this.#confirm(frame, Object.assign(request, { preview }), receivedAt, true);
      return answer === "again" ? this.#converse(frame, request) : answer;
    };
  }
}
