// @ts-check
/** The routes that save outputs, and those that say what is saved. */

import { eachHas, isObject } from "./checks.mjs";

/** @import { OutputFacts, Save, SavedOutputs, SavePreview, Selection } from "../../../types/wire" */

/** Jobs that deletions, or a workflow's question, are about. @typedef {{token: string} | {question: string, token: string}} FactsOf */

const STATES = new Set(["running", "stopping", "interrupted", "done", "stopped"]);

/** @param {unknown} value @returns {value is SavePreview} */
const isSavePreview = (value) =>
  isObject(value) && typeof value.token === "string" && Number.isFinite(value.files) && Number.isFinite(value.saved_files) && Array.isArray(value.gone);

/** @param {unknown} value @returns {value is Save} */
const isSave = (value) =>
  isObject(value) && typeof value.operation === "string" && STATES.has(value.state) && (value.files === null || Number.isFinite(value.files)) && Array.isArray(value.failed);

/** @param {unknown} value @returns {value is {save: Save}} */
const hasSave = (value) => isObject(value) && isSave(value.save);

/** @param {unknown} value @returns {value is {saves: Save[]}} */
const hasSaves = (value) => isObject(value) && Array.isArray(value.saves) && value.saves.every(isSave);

/** @param {unknown} value @returns {value is OutputFacts} */
const isFacts = (value) => isObject(value) && Number.isFinite(value.files) && Number.isFinite(value.saved_files);

/** @param {unknown} value @returns {value is {jobs: Record<string, "all" | "some">}} */
const hasJobs = (value) => isObject(value) && isObject(value.jobs);

/** @param {unknown} value @returns {value is SavedOutputs} */
const isSavedOutputs = (value) => isObject(value) && (value.folder === null || typeof value.folder === "string") && eachHas(value.files, "name");

/**
 * @param {object} caller
 * @param {import("../api.mjs").Call} caller.call
 * @param {(route: string, signal?: AbortSignal) => Promise<Blob>} caller.blob
 */
export const createOutputsApi = ({ call, blob }) => ({
  /** Returns what saving the outputs of these jobs would do. @param {Selection} selection */
  savePreview: (selection) => call(isSavePreview, "outputs/preview", "POST", selection),
  /** @param {string} token of the preview */
  startSave: (token) => call(hasSave, "outputs/save", "POST", { token }),
  /** Returns the runs that go on, that were interrupted, and that have ended and were not dismissed. */
  saves: () => call(hasSaves, "outputs/saves", "GET"),
  /** @param {string} operation */
  stopSave: (operation) => call(isObject, "outputs/stop", "POST", { operation }),
  /** Goes on with an interrupted run. @param {string} operation */
  continueSave: (operation) => call(isObject, "outputs/continue", "POST", { operation }),
  /** Forgets a run that has ended, or that was interrupted. Saved files stay. @param {string} operation */
  dismissSave: (operation) => call(isObject, "outputs/dismiss", "POST", { operation }),
  /** Saves again what a run did not save. @param {string} operation */
  retrySave: (operation) => call(hasSave, "outputs/retry", "POST", { operation }),
  /** @param {FactsOf} of @param {AbortSignal} [signal] */
  outputFacts: (of, signal) => call(isFacts, "outputs/facts", "POST", of, signal),
  /** Returns which of these jobs have saved outputs. Asks only this server. @param {string[]} ids */
  savedJobs: (ids) => call(hasJobs, "outputs/saved", "POST", { ids }),
  /** @param {string} id of a job @param {AbortSignal} [signal] */
  savedOutputs: (id, signal) => call(isSavedOutputs, `outputs/of/${encodeURIComponent(id)}`, "GET", undefined, signal),
  /** Returns one saved output. @param {string} id of a job @param {number} number its place among the job's saved outputs, from 0 @param {AbortSignal} [signal] */
  savedFile: (id, number, signal) => blob(`outputs/of/${encodeURIComponent(id)}/${number}`, signal),
});

/** Calls that write or forget something, which no page may do in a frame. */
export const WRITING = /** @type {const} */ (["savePreview", "startSave", "continueSave", "retrySave", "dismissSave"]);
