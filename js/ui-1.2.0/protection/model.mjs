// @ts-check
/** Which jobs deletions leave out: the server's lists, as far as this page knows them. No DOM. */

import { HistoryApiError } from "../api.mjs";

/** @import { ProtectionLists as Lists, Status } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */

/** @typedef {{id: string, workflow_id: string}} Job */
/** @typedef {Pick<HistoryApi, "protection" | "protect" | "startEmpty">} Api */

const IS_DAMAGED = "protection_damaged";

export class Protection {
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** Answers may overtake each other: the one asked for last counts. */
  #asked = 0;
  #taken = 0;
  /** What the status says, until the lists are here. */
  #counted = 0;
  /** @type {ReadonlySet<string>} */
  jobs = new Set();
  /** @type {ReadonlySet<string>} */
  workflows = new Set();
  /** The name of the file that can't be read, "" if only that is known; null: all is well. @type {string | null} */
  damaged = null;

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /** Calls back when other jobs are protected, or the list was damaged or mended. @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param {Job} job */
  byWorkflow = ({ workflow_id: id }) => id !== "" && this.workflows.has(id);

  /** @param {Job} job */
  covers = (job) => this.jobs.has(job.id) || this.byWorkflow(job);

  /** Whether anything is protected. */
  get any() {
    return (this.#taken ? this.jobs.size + this.workflows.size : this.#counted) > 0;
  }

  /** The status counts what is protected: other numbers mean other lists. @param {Status} status */
  adopt({ protection }) {
    if (!protection) return;
    const { jobs, workflows, damaged } = protection;
    const before = this.damaged;
    this.#counted = jobs + workflows;
    this.damaged = damaged;
    if (damaged === null && this.#taken && (jobs !== this.jobs.size || workflows !== this.workflows.size)) void this.read();
    if (before !== damaged) this.#tell();
  }

  /** Reads the lists. When they can't be had, what was known stays. */
  async read() {
    await this.#ask(() => this.api.protection()).catch(() => undefined);
  }

  /** @param {boolean} protect @param {Partial<Lists>} which */
  change(protect, which) {
    return this.#ask(() => this.api.protect(protect, which));
  }

  /** In place of a list that can't be read. */
  async startEmpty() {
    await this.api.startEmpty();
    this.damaged = null;
    await this.read();
    this.#tell();
  }

  /** @param {() => Promise<Lists>} request */
  async #ask(request) {
    const at = (this.#asked += 1);
    try {
      const lists = await request();
      if (at > this.#taken) this.#take(lists, at);
    } catch (error) {
      if (error instanceof HistoryApiError && error.code === IS_DAMAGED && this.damaged === null) {
        this.damaged = "";
        this.#tell();
      }
      throw error;
    }
  }

  /** @param {Lists} lists @param {number} at */
  #take({ jobs, workflows }, at) {
    const same = (/** @type {string[]} */ list, /** @type {ReadonlySet<string>} */ set) => list.length === set.size && list.every((id) => set.has(id));
    const unchanged = same(jobs, this.jobs) && same(workflows, this.workflows) && this.damaged === null;
    this.#taken = at;
    [this.jobs, this.workflows, this.damaged] = [new Set(jobs), new Set(workflows), null];
    if (!unchanged) this.#tell();
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}
