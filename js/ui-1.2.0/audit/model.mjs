// @ts-check
/** What was deleted from this ComfyUI, as the server's audit log has it. No DOM. */

import { asApiError } from "../api.mjs";

/** @import { AuditEntry, AuditJob, BackupJob } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */

/**
 * A job of a deletion: what became of it, and what its backup knows.
 * @typedef {object} KeptJob
 * @property {string} id
 * @property {string} name "" where nothing is kept of it
 * @property {string} outcome "" where it is not told
 * @property {string} why
 * @property {boolean} workflow whether its workflow can be restored
 */
/** @typedef {{jobs: KeptJob[], error: HistoryApiError | null}} KeptJobs */
/** @typedef {Pick<HistoryApi, "auditLog" | "auditJobs" | "backupJobs">} Api */

/** The audit log's order; what only the backup knows comes last. @param {AuditJob[]} told @param {BackupJob[]} kept @returns {KeptJob[]} */
export function joinJobs(told, kept) {
  const backups = new Map(kept.map((job) => [job.id, job]));
  const joined = told.map(({ id, outcome, why }) => {
    const backup = backups.get(id);
    backups.delete(id);
    return { id, outcome, why, name: backup?.name ?? "", workflow: backup?.has_workflow ?? false };
  });
  const others = [...backups.values()].map(({ id, name, has_workflow: workflow }) => ({ id, outcome: "", why: "", name, workflow }));
  return [...joined, ...others];
}

export class AuditLog {
  /** @type {AuditEntry[] | null} the newest first; null before the first answer */
  entries = null;
  removedInAll = 0;
  /** @type {HistoryApiError | null} */
  error = null;
  /** @type {Set<() => void>} */
  #views = new Set();
  #reading = 0;

  /** @param {{api: Api}} parts */
  constructor({ api }) {
    this.api = api;
  }

  /** A view is shown: reads it anew. @param {() => void} listener @returns {() => void} what to call when it is gone */
  shown(listener) {
    this.#views.add(listener);
    void this.refresh();
    return () => void this.#views.delete(listener);
  }

  /** Something was deleted: reads again if anybody looks. */
  changed() {
    if (this.#views.size) void this.refresh();
  }

  /** An answer that a later request has overtaken is dropped. */
  async refresh() {
    const reading = (this.#reading += 1);
    const [answer, failure] = await this.api.auditLog().then((got) => [got, null], (error) => [null, error]);
    if (reading !== this.#reading) return;
    this.error = failure && asApiError(failure);
    if (answer) [this.entries, this.removedInAll] = [answer.entries, answer.removed_in_all];
    for (const listener of this.#views) listener();
  }

  /** The jobs of one deletion. A backup that can't be read takes nothing from what the audit log tells. @param {AuditEntry} entry @returns {Promise<KeptJobs>} */
  async jobs({ operation, backup }) {
    const [told, kept] = await Promise.allSettled([
      this.api.auditJobs(operation),
      backup ? this.api.backupJobs(operation) : Promise.resolve({ jobs: [] }),
    ]);
    const jobs = joinJobs(told.status === "fulfilled" ? told.value.jobs : [], kept.status === "fulfilled" ? kept.value.jobs : []);
    const error = told.status === "rejected" ? asApiError(told.reason) : kept.status === "rejected" ? asApiError(kept.reason) : null;
    return { jobs, error };
  }
}
