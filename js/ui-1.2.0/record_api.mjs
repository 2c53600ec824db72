// @ts-check
/** The routes of Clean up, of the record of deletions and of the backups. */

/** @typedef {import("../../types/record").CleanUpPreview} CleanUpPreview */
/** @typedef {import("../../types/record").RecordAnswer} RecordAnswer */
/** @typedef {import("../../types/record").RecordJob} RecordJob */
/** @typedef {import("../../types/record").BackupJob} BackupJob */
/** @typedef {import("../../types/wire").JobDetails} JobDetails */

/** @param {unknown} value @returns {value is Record<string, any>} */
const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {unknown} value @param {string} key whether every one in a list has this as text */
const eachHas = (value, key) => Array.isArray(value) && value.every((each) => isRecord(each) && typeof each[key] === "string");

/** @param {unknown} value @returns {value is CleanUpPreview} */
const isCleanUp = (value) =>
  isRecord(value) && Number.isFinite(value.total) && Number.isFinite(value.go) && Number.isFinite(value.share) &&
  eachHas(value.kept, "reason") && Array.isArray(value.rows) && value.rows.every((each) => isRecord(each) && isRecord(each.job));

/** @param {unknown} value @returns {value is RecordAnswer} */
const isRecordAnswer = (value) => isRecord(value) && eachHas(value.entries, "operation") && Number.isFinite(value.removed_in_all);

/** @param {unknown} value @returns {value is {jobs: RecordJob[]}} */
const holdsOutcomes = (value) => isRecord(value) && eachHas(value.jobs, "id") && eachHas(value.jobs, "outcome");

/** @param {unknown} value @returns {value is {jobs: BackupJob[]}} */
const holdsBackups = (value) => isRecord(value) && eachHas(value.jobs, "id");

/**
 * @param {object} caller
 * @param {import("./api.mjs").Call} caller.call
 * @param {(route: string, signal?: AbortSignal) => Promise<Blob>} caller.blob
 * @param {(value: unknown) => value is JobDetails} caller.isDetails
 */
export const createRecordApi = ({ call, blob, isDetails }) => ({
  /** What a policy would do. Sends nothing to the cloud but questions. @param {import("../../types/record").Policy} policy @param {AbortSignal} [signal] */
  cleanUp: (policy, signal) => call(isCleanUp, "clean_up", "POST", { policy }, signal),
  record: () => call(isRecordAnswer, "record", "GET"),
  /** @param {string} operation */
  recordJobs: (operation) => call(holdsOutcomes, `record/${encodeURIComponent(operation)}`, "GET"),
  recordCsv: () => blob("record.csv"),
  /** @param {string} operation */
  backupJobs: (operation) => call(holdsBackups, `backups/${encodeURIComponent(operation)}`, "GET"),
  /** @param {string} operation @param {string} id */
  backupJob: (operation, id) => call(isDetails, `backups/${encodeURIComponent(operation)}/${encodeURIComponent(id)}`, "GET"),
  /** @param {string} operation @param {string} id */
  backupWorkflowFile: (operation, id) => blob(`backups/${encodeURIComponent(operation)}/${encodeURIComponent(id)}/workflow`),
  /** The record of the deletion stays. @param {string} operation */
  deleteBackup: (operation) => call(isRecord, `backups/${encodeURIComponent(operation)}`, "DELETE", {}),
});
