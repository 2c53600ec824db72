// @ts-check
/** A copy of the server's lists of protected jobs and workflows. No DOM. */

import { HistoryApiError } from "../api.mjs";

/** @import { ProtectionLists as Lists, Status } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */

/** @typedef {{id: string, workflow_id: string}} Job */
/** @typedef {Pick<HistoryApi, "protection" | "protect" | "startEmpty">} Api */

const IS_DAMAGED = "protection_damaged";

export class Protection {
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** Number of the last request. Answers may arrive out of order; the latest request's answer counts. */
  #sent = 0;
  #applied = 0;
  /** The number of protected jobs and workflows in the status, used until the lists are loaded. */
  #statusCount = 0;
  /** @type {ReadonlySet<string>} */
  jobs = new Set();
  /** @type {ReadonlySet<string>} */
  workflows = new Set();
  /** The name of the unreadable file, "" if its name is unknown; null if the lists are readable. @type {string | null} */
  damaged = null;

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
  }

  /** Calls `listener` when the protected jobs change, or when a list becomes damaged or readable. @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param {Job} job */
  byWorkflow = ({ workflow_id: id }) => id !== "" && this.workflows.has(id);

  /** @param {Job} job */
  covers = (job) => this.jobs.has(job.id) || this.byWorkflow(job);

  get any() {
    return (this.#applied ? this.jobs.size + this.workflows.size : this.#statusCount) > 0;
  }

  /** Loads the lists again if the status counts other numbers of protected jobs. @param {Status} status */
  adopt({ protection }) {
    if (!protection) return;
    const { jobs, workflows, damaged } = protection;
    const before = this.damaged;
    this.#statusCount = jobs + workflows;
    this.damaged = damaged;
    if (damaged === null && this.#applied && (jobs !== this.jobs.size || workflows !== this.workflows.size)) void this.read();
    if (before !== damaged) this.#notify();
  }

  /** Loads the lists. If that fails, keeps the current ones. */
  async read() {
    await this.#request(() => this.api.protection()).catch(() => undefined);
  }

  /** @param {boolean} protect @param {Partial<Lists>} which */
  change(protect, which) {
    return this.#request(() => this.api.protect(protect, which));
  }

  /** Replaces an unreadable list by an empty one. */
  async startEmpty() {
    await this.api.startEmpty();
    this.damaged = null;
    await this.read();
    this.#notify();
  }

  /** @param {() => Promise<Lists>} request */
  async #request(request) {
    const at = (this.#sent += 1);
    try {
      const lists = await request();
      if (at > this.#applied) this.#apply(lists, at);
    } catch (error) {
      if (error instanceof HistoryApiError && error.code === IS_DAMAGED && this.damaged === null) {
        this.damaged = "";
        this.#notify();
      }
      throw error;
    }
  }

  /** @param {Lists} lists @param {number} at */
  #apply({ jobs, workflows }, at) {
    const same = (/** @type {string[]} */ list, /** @type {ReadonlySet<string>} */ set) => list.length === set.size && list.every((id) => set.has(id));
    const unchanged = same(jobs, this.jobs) && same(workflows, this.workflows) && this.damaged === null;
    this.#applied = at;
    [this.jobs, this.workflows, this.damaged] = [new Set(jobs), new Set(workflows), null];
    if (!unchanged) this.#notify();
  }

  #notify() {
    for (const listener of this.#listeners) listener();
  }
}
