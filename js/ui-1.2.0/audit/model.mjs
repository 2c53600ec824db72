// @ts-check
/** The server's audit log of deletions from this ComfyUI. No DOM. */

import { asApiError } from "../api.mjs";
import { searcher } from "../common/search.mjs";

/** @import { AuditEntry, AuditJob, BackupJob, JobFacts } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */

/**
 * A job of a deletion, with its outcome and what is known of it.
 * @typedef {object} DeletedJob
 * @property {string} id
 * @property {JobFacts | null} facts from the audit log, else from the backup; null if only its id is known
 * @property {string} outcome "" if the audit log does not name it
 * @property {string} why
 * @property {boolean} workflow whether its workflow can be restored
 */
/** @typedef {{jobs: DeletedJob[], error: HistoryApiError | null}} DeletedJobs */
/** @typedef {Pick<HistoryApi, "auditLog" | "auditJobs" | "backupJobs">} Api */

/** @type {JobFacts} */
const NOTHING_KNOWN = { name: "", workflow_id: "", status: "unknown", raw: "", created: null, took: null, error: null };

/** What a backup knows of a job: not how long it ran, and no error. @param {BackupJob} job @returns {JobFacts} */
const backupFacts = ({ status, created, name, workflow_id }) => ({ status, raw: "", created, took: null, name, workflow_id, error: null });

/** Jobs of the audit log, then those that only the backup contains. @param {AuditJob[]} logged @param {BackupJob[]} stored @returns {DeletedJob[]} */
export function joinJobs(logged, stored) {
  const backups = new Map(stored.map((job) => [job.id, job]));
  const joined = logged.map(({ id, outcome, why, job }) => {
    const backup = backups.get(id);
    backups.delete(id);
    return { id, outcome, why, facts: job ?? (backup ? backupFacts(backup) : null), workflow: backup?.has_workflow ?? false };
  });
  const others = [...backups.values()].map((job) => ({ id: job.id, outcome: "", why: "", facts: backupFacts(job), workflow: job.has_workflow }));
  return [...joined, ...others];
}

/** The newest first, and last the jobs whose creation time is unknown. @param {DeletedJob[]} jobs */
const newestFirst = (jobs) => jobs.sort((a, b) => (b.facts?.created ?? -Infinity) - (a.facts?.created ?? -Infinity) || 0);

/**
 * The jobs that a search finds, by the same rule as in the list.
 * @param {DeletedJob[]} jobs
 * @param {string} text
 * @param {(id: string) => string} workflowName the name of a workflow, or ""
 */
export function matching(jobs, text, workflowName) {
  if (!text.trim()) return jobs;
  const finds = searcher(text, workflowName);
  return jobs.filter(({ id, facts }) => finds({ ...(facts ?? NOTHING_KNOWN), id }));
}

export class AuditLog {
  /** @type {AuditEntry[] | null} the newest first; null before the first answer */
  entries = null;
  /** Whether the server left out older deletions. */
  hasMore = false;
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

  /** Registers an open page and refreshes. @param {() => void} listener @returns {() => void} unregisters the page */
  shown(listener) {
    this.#views.add(listener);
    void this.refresh();
    return () => void this.#views.delete(listener);
  }

  /** Refreshes after a deletion, if a page is open. */
  changed() {
    if (this.#views.size) void this.refresh();
  }

  /** Ignores the answer if a later request has started. */
  async refresh() {
    const reading = (this.#reading += 1);
    const [answer, failure] = await this.api.auditLog().then((got) => [got, null], (error) => [null, error]);
    if (reading !== this.#reading) return;
    this.error = failure && asApiError(failure);
    if (answer) [this.entries, this.hasMore, this.removedInAll] = [answer.entries, answer.more === true, answer.removed_in_all];
    for (const listener of this.#views) listener();
  }

  /** The jobs of one deletion. If its backup is unreadable, returns the audit log's data with the error. @param {AuditEntry} entry @returns {Promise<DeletedJobs>} */
  async jobs({ operation, backup }) {
    const [logged, stored] = await Promise.allSettled([
      this.api.auditJobs(operation),
      backup ? this.api.backupJobs(operation) : Promise.resolve({ jobs: [] }),
    ]);
    const jobs = newestFirst(joinJobs(logged.status === "fulfilled" ? logged.value.jobs : [], stored.status === "fulfilled" ? stored.value.jobs : []));
    const error = logged.status === "rejected" ? asApiError(logged.reason) : stored.status === "rejected" ? asApiError(stored.reason) : null;
    return { jobs, error };
  }
}
