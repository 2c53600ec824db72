// @ts-check
/** Which jobs have their outputs on this server's disk, as far as the page has asked. No DOM. */

import { HistoryApiError } from "../api.mjs";

/** @import { Row } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */

/** "all": every output is saved; "some": only some; "none": no output. @typedef {"all" | "some" | "none"} SavedState */

/** Maximum number of ids in one request. */
export const MAX_IDS = 1_000;
/** Milliseconds after which rows that came into view are asked about, so that one request covers them. */
const REST_MS = 150;
/** After a failed request, rows are not asked about for this long. */
const PAUSE_MS = 30_000;

/** Whether a job has outputs that can be saved, as far as the list tells. @param {Pick<Row, "outputs">} row */
export const hasOutputs = ({ outputs }) => (outputs ?? 0) > 0;

export class SavedMarks {
  /** @type {Map<string, SavedState>} */
  #known = new Map();
  /** Jobs whose state may have changed since it was read. @type {Set<string>} */
  #stale = new Set();
  /** Jobs in view that are not known. @type {Set<string>} */
  #wanted = new Set();
  #waiting = false;
  #quietUntil = -Infinity;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {object} parts
   * @param {Pick<HistoryApi, "savedJobs">} parts.api
   * @param {() => number} parts.now milliseconds of a monotonic clock
   * @param {(run: () => void, milliseconds: number) => void} parts.schedule
   */
  constructor(parts) {
    this.parts = parts;
  }

  /** Calls back when more is known. @param {() => void} listener @returns {() => void} unsubscribes */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What is known of a job; undefined if nothing is. @param {string} id @returns {SavedState | undefined} */
  of = (id) => this.#known.get(id);

  /** Asks soon about the jobs in view that are not known. @param {Iterable<string>} ids */
  want(ids) {
    this.#wanted = new Set([...ids].filter((id) => this.#isUnknown(id)));
    if (this.#waiting || !this.#wanted.size || this.parts.now() < this.#quietUntil) return;
    this.#waiting = true;
    this.parts.schedule(() => void this.#askWanted(), REST_MS);
  }

  async #askWanted() {
    this.#waiting = false;
    try {
      await this.learn([...this.#wanted]);
    } catch (error) {
      if (!(error instanceof HistoryApiError)) throw error;
      // The marks are left out. Nothing else depends on them.
      this.#quietUntil = this.parts.now() + PAUSE_MS;
    }
  }

  /** Reads what is not known of these jobs. Rejects if the server does not answer. @param {string[]} ids */
  async learn(ids) {
    const unknown = ids.filter((id) => this.#isUnknown(id));
    for (let at = 0; at < unknown.length; at += MAX_IDS) {
      const part = unknown.slice(at, at + MAX_IDS);
      const { jobs } = await this.parts.api.savedJobs(part);
      for (const id of part) {
        const state = Object.hasOwn(jobs, id) ? jobs[id] : undefined;
        this.#known.set(id, state === "all" || state === "some" ? state : "none");
        this.#stale.delete(id);
      }
    }
    if (unknown.length) this.#tell();
  }

  /** Files were saved or have gone: what is known is read again where it is shown. */
  changed() {
    this.#stale = new Set(this.#known.keys());
    this.#quietUntil = -Infinity;
    this.#tell();
  }

  /** @param {string} id */
  #isUnknown = (id) => !this.#known.has(id) || this.#stale.has(id);

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}
