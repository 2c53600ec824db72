// @ts-check
/** Runs the steps before a deletion: get a preview, show it, ask for confirmation. dialogs.mjs draws the steps. */

import { ACCOUNT_CHANGED, asApiError, isDeletePreview, isPreview, noKey } from "../api.mjs";
import { serverMessage } from "../common/strings.mjs";
import { isKept } from "./before.mjs";

/** @import { HiddenSelection } from "../../../types/list" */
/** @import { BackupKind, Selection, Status } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */
/** @import { Dialogs, Frame } from "../common/dialogs.mjs" */
/** @import { ConnectSteps } from "../connect/dialog.mjs" */

/**
 * The selected jobs. Once confirmed, also the preview that the person confirmed.
 * @typedef {object} DeletionRequest
 * @property {Selection | {clear: true, backup?: boolean}} selection
 * @property {HiddenSelection} [hidden] the part of the selection that the list does not show
 * @property {BackupKind} [backup] what is kept first; absent: use the setting
 * @property {any} [preview] that was shown; a clear may be previewed as a deletion by ids
 * @property {Status} [status] of the server at the time of the preview
 */
/** @typedef {DeletionRequest & {status: Status}} Previewed */
/** @typedef {"node" | "menu" | "ours" | undefined} Origin of the running deletion */
/**
 * @typedef {object} Steps
 * @property {(frame: Frame, request: DeletionRequest) => Promise<unknown>} counting
 * @property {(frame: Frame, request: Previewed, grew: boolean) => Promise<string | null>} confirm resolves with "yes" to delete, "again" for another preview, "deselect" to leave out the jobs that the list hides
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
 * @property {() => number} now milliseconds of a monotonic clock
 * @property {() => void} onAccountChanged the selected jobs belong to another account than the current API key
 */

/** @param {unknown} origin @returns {Origin} */
const originOf = (origin) => (origin === "node" || origin === "menu" ? origin : undefined);

export class Confirmation {
  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * Resolves with the confirmed request, null if the person cancelled, undefined if another dialog of this pack was open.
   * @param {DeletionRequest} request
   * @param {boolean} [grew] whether this repeats a confirmation because more jobs have finished
   */
  ask(request, grew = false) {
    return this.parts.dialogs.exclusive((frame) => this.#converse(frame, request, grew));
  }

  /** @param {Origin} origin */
  tellBusy(origin) {
    return this.parts.dialogs.exclusive((frame) => this.parts.steps.busy(frame, origin));
  }

  /**
   * Returns a function that shows the dialogs for a refused deletion; null if there are none.
   * @param {HistoryApiError} error
   * @param {Previewed} request
   * @returns {(() => Promise<Previewed | null | undefined>) | null}
   */
  after(error, request) {
    const dialog = this.#dialogAfter(error, request);
    return dialog && (() => this.parts.dialogs.exclusive(dialog));
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
        // With a hold, the deletion waits for the running one; without a hold, the server would refuse it.
        if (status.running && !status.hold_seconds) return steps.busy(frame, originOf(status.running.origin)).then(() => null);
        if (!status.configured) throw noKey(status);
        const receivedAt = now();
        const { selection, backup } = request;
        // Whether a clear is previewed by ids depends on what is kept, which the person may have chosen in the dialog before.
        const preview = await api.preview("clear" in selection && backup !== undefined ? { ...selection, backup: isKept(backup) } : selection);
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
    const answer = await steps.confirm(frame, request, grew);
    if (answer === "deselect") return this.#deselectHidden(request);
    if (answer === "again") return "again";
    if (answer !== "yes") return null;
    if (now() - receivedAt < preview.expires_in * 1000) return request;
    return (await steps.tooOld(frame)) === "again" ? "again" : null;
  }

  /** @param {Previewed} request @returns {"again" | null} */
  #deselectHidden(request) {
    const target = request.hidden?.deselectHidden();
    if (!target) return null;
    const { account } = /** @type {Selection} */ (request.selection);
    request.selection = { ...target, ...(account && { account }) };
    delete request.hidden;
    return "again";
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
  #dialogAfter(error, request) {
    const { steps, now } = this.parts;
    const { preview, origin } = error.extras;
    if (error.code === "busy") return (frame) => steps.busy(frame, originOf(origin)).then(() => null);
    if (error.code === "preview_expired") {
      return async (frame) => ((await steps.tooOld(frame, serverMessage(error))) === "again" ? this.#converse(frame, request) : null);
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
