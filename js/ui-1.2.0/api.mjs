// @ts-check
/** Sends requests to this pack's routes and checks the answers. Failed requests throw HistoryApiError. */

import { eachHas, isObject } from "./api/checks.mjs";
import { createOutputsApi, WRITING } from "./api/saving.mjs";

/** @import { Answer, AuditAnswer, Cancelled, CleanUpPreview, DeletePreview, DeletionAnswer, ErrorBody, Filter, JobDetails, ListLine, OpenApproval, Policy, Preview, Progress, ProtectionLists, SavedKey, Selection, Settings, Status } from "../../types/wire" */
/** @import { DeletionRequest } from "./deletion/confirm.mjs" */

/** A request failed. `code` selects the message on screen. */
export class HistoryApiError extends Error {
  name = "HistoryApiError";

  /** @param {Partial<ErrorBody> & {code: string}} error @param {Record<string, unknown>} [extras] other fields of the error answer */
  constructor(error, extras = {}) {
    super(error.message ?? "");
    this.code = error.code;
    this.sentence = error.sentence ?? "";
    this.values = error.values ?? {};
    this.hint = error.hint ?? "";
    this.status = error.status ?? null;
    this.retryAfter = error.retry_after ?? null;
    this.cloudSays = error.cloud_says ?? "";
    this.extras = extras;
  }
}

/** ComfyUI did not answer, or the connection broke: the outcome of the request is unknown. */
export const NO_ANSWER = "comfyui_away";
/** ComfyUI answered, but does not have this pack's routes. */
export const NO_ROUTES = "routes_missing";
/** The answer has a form that this pack's routes never send. */
export const STRANGE = "strange_answer";
/** The connection broke while a file was being received. */
export const BROKE_OFF = "broke_off";

/** The selected jobs were listed with another API key or from another server. */
export const ACCOUNT_CHANGED = "account_changed";

/** The state folder is missing or was replaced. */
export const STATE_LOST = "state_lost";

/** Returns the error for a missing API key: the server's `problem` if it explains why, else "missing_key". @param {Status} status */
export const noKey = ({ can_connect: canConnect, problem }) =>
  new HistoryApiError(problem && (canConnect === false || problem.code === STATE_LOST) ? problem : { code: "missing_key" });

/** Whether a preview has the token to confirm it, and the id of its operation. @param {Record<string, unknown>} value */
const isConfirmable = ({ token, operation }) => typeof token === "string" && typeof operation === "string";

/** @param {unknown} value @returns {value is Preview} */
export const isPreview = (value) =>
  isObject(value) && isConfirmable(value) && typeof value.finished === "number" && isObject(value.counts);

/** @param {unknown} value @returns {value is Status} */
const isStatus = (value) =>
  isObject(value) && typeof value.configured === "boolean" && Array.isArray(value.finished) && Array.isArray(value.unresolved);

/** @param {unknown} value @returns {value is {operations: Progress[]}} */
const isProgress = (value) => isObject(value) && Array.isArray(value.operations) && value.operations.every(isObject);

/** @param {unknown} value @returns {value is {node: string, report: string}} */
const isNodeReport = (value) => isObject(value) && typeof value.node === "string" && typeof value.report === "string";

/** @param {unknown} value @returns {value is SavedKey} */
const isSavedKey = (value) => isStatus(value) && "checked" in value;

/** @param {unknown} value @returns {value is DeletePreview} */
export const isDeletePreview = (value) =>
  isObject(value) && isConfirmable(value) && typeof value.removable === "number" &&
  isObject(value.by_status) && isObject(value.skipped) && Array.isArray(value.rows);

/** @param {unknown} value @returns {value is Preview | DeletePreview} DeletePreview for a clear if jobs are protected or backups are on */
const isClearPreview = (value) => (isObject(value) && value.kind === "delete" ? isDeletePreview(value) : isPreview(value));

/** @param {unknown} value @returns {value is ProtectionLists} */
const isProtection = (value) => isObject(value) && Array.isArray(value.jobs) && Array.isArray(value.workflows);

/** @param {unknown} value @returns {value is {kept_as: string}} */
const hasNewName = (value) => isObject(value) && typeof value.kept_as === "string";

/** @param {unknown} value @returns {value is Hold} */
const isHold = (value) =>
  isObject(value) && typeof value.id === "string" && Array.isArray(value.ids) && Number.isFinite(value.seconds_left);

/** @param {unknown} value @returns {value is {hold: Hold}} */
const hasHold = (value) => isObject(value) && isHold(value.hold);

/** @param {unknown} value @returns {value is DeletionAnswer} */
const isDeletionAnswer = (value) =>
  hasHold(value) ||
  (isObject(value) && typeof value.operation === "string" && (value.state === "running" || (value.state === "done" && isObject(value.result))));

/** @param {unknown} value @returns {value is JobDetails} */
const isDetails = (value) => isObject(value) && isObject(value.job) && typeof value.job.id === "string" && Array.isArray(value.outputs);

/** @param {unknown} value @returns {value is Cancelled} */
const isCancelled = (value) => isObject(value) && Array.isArray(value.cancelled) && Array.isArray(value.finished_already);

/** @param {unknown} value @returns {value is {type: string, size: number | null, ticket: string | null}} */
const isMedia = (value) =>
  isObject(value) && typeof value.type === "string" && (value.size === null || Number.isFinite(value.size)) &&
  (value.ticket === null || (typeof value.ticket === "string" && /^[\w-]+$/.test(value.ticket)));

/** @param {unknown} line @returns {line is ListLine} */
const isListLine = (line) =>
  isObject(line) && (line.type === "start" || line.type === "end" || (line.type === "jobs" && Array.isArray(line.jobs)));

/** @param {unknown} value @returns {value is OpenApproval} */
const isOpenApproval = (value) =>
  isObject(value) && value.state === "open" && typeof value.question === "string" && typeof value.token === "string" &&
  typeof value.removable === "number" && Number.isFinite(value.seconds_left) && isObject(value.by_status) && isObject(value.skipped);

/** @param {unknown} value @returns {value is {seconds_left: number}} */
const hasSecondsLeft = (value) => isObject(value) && Number.isFinite(value.seconds_left);

/** @param {Response} response @returns {Promise<unknown>} */
async function readJson(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Returns the body of a successful answer, or throws HistoryApiError. @param {Response} response */
async function decode(response) {
  const body = await readJson(response);
  if (response.ok && isObject(body)) return body;
  if (isObject(body) && isObject(body.error) && typeof body.error.code === "string") {
    const { error, ...extras } = body;
    throw new HistoryApiError({ .../** @type {{code: string}} */ (error) }, extras);
  }
  throw new HistoryApiError({ code: response.status === 404 || response.status === 405 ? NO_ROUTES : STRANGE });
}

/**
 * Converts an error to HistoryApiError, but keeps the AbortError if the caller aborted. ComfyUI aborts too, after a minute.
 * @param {unknown} error
 * @param {AbortSignal} [signal]
 */
const asRequestError = (error, signal) => {
  if (error instanceof HistoryApiError || signal?.aborted) return error;
  return new HistoryApiError({ code: error instanceof SyntaxError ? STRANGE : NO_ANSWER });
};

/** Yields each line of a streamed answer as soon as it is complete, parsed as JSON. @param {ReadableStream<Uint8Array>} stream @returns {AsyncGenerator<unknown>} */
async function* readLines(stream) {
  const reader = stream.getReader();
  const decoder = new globalThis.TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) if (line.trim()) yield JSON.parse(line);
      if (done) return;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

/** A file that the browser can show at an address of this ComfyUI. `url`: "" for a type that can't be shown; `size`: null if unknown. @typedef {{type: string, size: number | null, url: string}} Media */

/** @param {(route: string, init?: RequestInit) => Promise<Response>} fetchApi */
function createCaller(fetchApi) {
  /** @param {string} route @param {string} method @param {object} [body] @param {AbortSignal} [signal] */
  const request = (route, method, body, signal) =>
    fetchApi(`/cloud_history/${route}`, {
      method,
      headers: { "X-Cloud-History": "1", Accept: "application/json", ...(body && { "Content-Type": "application/json" }) },
      cache: "no-store",
      redirect: "error",
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });

  /**
   * @template T
   * @param {(value: unknown) => value is T} isExpected
   * @param {string} route
   * @param {string} method
   * @param {object} [body]
   * @param {AbortSignal} [signal]
   * @returns {Promise<T>}
   */
  async function call(isExpected, route, method, body, signal) {
    /** @type {unknown} */
    let answer;
    try {
      answer = await decode(await request(route, method, body, signal));
    } catch (error) {
      throw asRequestError(error, signal);
    }
    if (!isExpected(answer)) throw new HistoryApiError({ code: STRANGE });
    return answer;
  }

  /** @param {string} route @param {AbortSignal} [signal] @returns {Promise<Blob>} */
  async function blob(route, signal) {
    /** @type {Response} */
    let response;
    try {
      response = await request(route, "GET", undefined, signal);
      if (!response.ok) await decode(response);
    } catch (error) {
      throw asRequestError(error, signal);
    }
    return response.blob().catch((error) => {
      throw signal?.aborted ? error : new HistoryApiError({ code: BROKE_OFF });
    });
  }
  return { request, call, blob };
}

/**
 * Yields the lines of a list. Throws like `call`, also between two lines.
 * @param {() => Promise<Response>} request
 * @param {AbortSignal} [signal]
 * @returns {AsyncGenerator<ListLine, void, undefined>}
 */
async function* listLines(request, signal) {
  try {
    const response = await request();
    if (!response.ok || !response.body) return void (await decode(response));
    for await (const line of readLines(response.body)) {
      if (!isListLine(line)) throw new HistoryApiError({ code: STRANGE });
      yield line;
    }
  } catch (error) {
    throw asRequestError(error, signal);
  }
}

/** @typedef {ReturnType<typeof createCaller>["call"]} Call */

/** @param {(route: string, init?: RequestInit) => Promise<Response>} fetchApi */
export function createHistoryApi(fetchApi) {
  const { request, call, blob } = createCaller(fetchApi);
  return {
    ...createAuditApi({ call, blob, isDetails }),
    ...createFileApi({ request, blob }),
    ...createOutputsApi({ call, blob }),
    status: () => call(isStatus, "status", "GET"),
    /** Returns the progress of the running deletions that were started in browsers. */
    progress: () => call(isProgress, "progress", "GET"),
    /** Returns the report of a stopped node. @param {string} name of the report */
    nodeReport: (name) => call(isNodeReport, `node_reports/${encodeURIComponent(name)}`, "GET"),
    /** @param {string} apiKey @param {boolean} [unchecked] whether to save the key without a test */
    saveKey: (apiKey, unchecked = false) => call(isSavedKey, "key", "POST", { api_key: apiKey, ...(unchecked && { unchecked }) }),
    removeKey: () => call(isStatus, "key", "DELETE", {}),
    /** @param {string} operation */
    dismiss: (operation) => call(isStatus, "unresolved/dismiss", "POST", { operation }),
    /** @param {string} hold id of a hold that ended because ComfyUI stopped */
    dismissHold: (hold) => call(isStatus, "holds/dismiss", "POST", { hold }),
    /** @param {Partial<Settings>} settings only those to change */
    saveSettings: (settings) => call(isStatus, "settings", "POST", settings),
    /** Returns an open approval, with a new token. @param {string} question id of the approval */
    openApproval: (question) => call(isOpenApproval, "ask/question", "POST", { question }),
    /** Tells the server that a person sees the approval. @param {string} question @param {string} token */
    approvalSeen: (question, token) => call(hasSecondsLeft, "ask/seen", "POST", { question, token }),
    /** @param {string} question @param {string} token @param {Answer} answer */
    answerApproval: (question, token, answer) => call(isObject, "ask/answer", "POST", { question, token, ...answer }),
    /** Returns what a deletion of these jobs, or of all jobs, would do. @param {Selection | {clear: true, backup?: boolean}} selection */
    preview: (selection) => call("clear" in selection ? isClearPreview : isDeletePreview, "preview", "POST", selection),
    /** @param {DeletionRequest} request */
    submit({ preview: { kind, token }, backup }) {
      if (kind === "clear") return call(isDeletionAnswer, "clear", "POST", { token });
      return call(isDeletionAnswer, "delete", "POST", { token, ...(backup !== undefined && { backup }) });
    },
    protection: () => call(isProtection, "protection", "GET"),
    /** @param {boolean} protect @param {Partial<ProtectionLists>} which */
    protect: (protect, { jobs, workflows }) => call(isProtection, "protection", "POST", { protect, ...(jobs && { ids: jobs }), ...(workflows && { workflows }) }),
    /** Renames an unreadable protection list and starts with an empty one, so nothing is protected. */
    startEmpty: () => call(hasNewName, "protection/start_empty", "POST", {}),
    /** Accepts the state folder as it is: missing files count as empty. */
    startAnew: () => call(isStatus, "state/start_anew", "POST", {}),
    /** @param {string} hold */
    undo: (hold) => call(hasHold, "undo", "POST", { hold }),
    /** Sends no further jobs of a deletion. Its result follows. @param {string} operation id of a deletion that had a hold */
    stop: (operation) => call(isObject, "stop", "POST", { operation }),
    /** @param {string} id @param {AbortSignal} [signal] */
    job: (id, signal) => call(isDetails, `jobs/${encodeURIComponent(id)}`, "GET", undefined, signal),
    /** Returns a job's workflow as a file from the server, because JavaScript would round large seeds. @param {string} id */
    workflowFile: (id) => blob(`jobs/${encodeURIComponent(id)}/workflow`),
    /** @param {string[]} ids 1 to 100 @param {string} account that owns the jobs */
    cancel: (ids, account) => call(isCancelled, "cancel", "POST", { ids, account }),

    /** Yields the parts of the list. Throws AbortError when aborted. @param {Filter} filter @param {AbortSignal} [signal] */
    list: (filter, signal) => listLines(() => request("jobs", "POST", { filter }, signal), signal),
  };
}

/** @typedef {ReturnType<typeof createHistoryApi>} HistoryApi */

/**
 * @param {object} caller
 * @param {(route: string, method: string, body?: object, signal?: AbortSignal) => Promise<Response>} caller.request
 * @param {(route: string, signal?: AbortSignal) => Promise<Blob>} caller.blob
 */
const createFileApi = ({ request, blob }) => ({
  /**
   * Returns one output in full size.
   * @param {string} job
   * @param {string} filename of an output of the job
   * @param {{number?: number, most?: number}} [options] `number`: its place among the outputs, from 0; `most`: the size limit in bytes
   * @param {AbortSignal} [signal]
   */
  output: (job, filename, { number, most } = {}, signal) => {
    const query = `file=${encodeURIComponent(filename)}${number === undefined ? "" : `&number=${number}`}${most === undefined ? "" : `&most=${most}`}`;
    return blob(`jobs/${encodeURIComponent(job)}/output?${query}`, signal);
  },
  /** @param {string} job @param {string} filename of an output of the job @param {number} [number] its place among the outputs, from 0 @param {AbortSignal} [signal] */
  thumbnail: (job, filename, number, signal) => {
    const query = `job=${encodeURIComponent(job)}&file=${encodeURIComponent(filename)}${number === undefined ? "" : `&number=${number}`}`;
    return blob(`thumbnail?${query}`, signal);
  },
  /**
   * Returns an address for one output, because ComfyUI's content security policy may refuse videos and sounds at `blob:`.
   * @param {string} job
   * @param {string} file name of an output of the job
   * @param {{number?: number, most?: number}} [options] as for `output`
   * @param {AbortSignal} [signal]
   * @returns {Promise<Media>}
   */
  async media(job, file, { number, most } = {}, signal) {
    let address = "";
    /** @type {unknown} */
    let answer;
    try {
      const body = { job, file, ...(number !== undefined && { number }), ...(most !== undefined && { most }) };
      const response = await request("media", "POST", body, signal);
      // ComfyUI may be served below a path, which only its own function for requests knows.
      address = response.url;
      answer = await decode(response);
    } catch (error) {
      throw asRequestError(error, signal);
    }
    if (!isMedia(answer)) throw new HistoryApiError({ code: STRANGE });
    return { type: answer.type, size: answer.size, url: answer.ticket === null ? "" : `${address}/${answer.ticket}` };
  },
});

/** @param {unknown} value @returns {value is CleanUpPreview} */
const isCleanUp = (value) =>
  isObject(value) && Number.isFinite(value.total) && Number.isFinite(value.go) && Number.isFinite(value.share) &&
  eachHas(value.kept, "reason") && Array.isArray(value.rows) && value.rows.every((each) => isObject(each) && isObject(each.job));

/** @param {unknown} value @returns {value is AuditAnswer} */
const isAuditAnswer = (value) => isObject(value) && eachHas(value.entries, "operation") && Number.isFinite(value.removed_in_all);

/** @param {unknown} value @returns {value is {jobs: AuditJob[]}} */
const hasOutcomes = (value) => isObject(value) && eachHas(value.jobs, "id") && eachHas(value.jobs, "outcome");

/** @param {unknown} value @returns {value is {jobs: BackupJob[]}} */
const hasBackups = (value) => isObject(value) && eachHas(value.jobs, "id");

/**
 * @param {object} caller
 * @param {Call} caller.call
 * @param {(route: string, signal?: AbortSignal) => Promise<Blob>} caller.blob
 * @param {(value: unknown) => value is JobDetails} caller.isDetails
 */
const createAuditApi = ({ call, blob, isDetails }) => ({
  /** Returns what a policy would delete. Changes nothing in the cloud. @param {Policy} policy @param {AbortSignal} [signal] */
  cleanUp: (policy, signal) => call(isCleanUp, "clean_up", "POST", { policy }, signal),
  auditLog: () => call(isAuditAnswer, "record", "GET"),
  /** @param {string} operation */
  auditJobs: (operation) => call(hasOutcomes, `record/${encodeURIComponent(operation)}`, "GET"),
  auditCsv: () => blob("record.csv"),
  /** @param {string} operation */
  backupJobs: (operation) => call(hasBackups, `backups/${encodeURIComponent(operation)}`, "GET"),
  /** @param {string} operation @param {string} id */
  backupJob: (operation, id) => call(isDetails, `backups/${encodeURIComponent(operation)}/${encodeURIComponent(id)}`, "GET"),
  /** @param {string} operation @param {string} id */
  backupWorkflowFile: (operation, id) => blob(`backups/${encodeURIComponent(operation)}/${encodeURIComponent(id)}/workflow`),
  /** Deletes a backup but keeps its entry in the audit log. @param {string} operation */
  deleteBackup: (operation) => call(isObject, `backups/${encodeURIComponent(operation)}`, "DELETE", {}),
});

export const FRAMED = "framed";

/** Calls that delete, cancel, write files, or remove a safeguard. Reading, undoing and stopping stay allowed. @type {readonly (keyof HistoryApi)[]} */
const REFUSED = [
  "preview", "submit", "cancel", "protect", "startEmpty", "startAnew", "saveSettings", "saveKey", "removeKey",
  "dismiss", "dismissHold", "deleteBackup", ...WRITING,
];

/** Whether another page shows this page in a frame. @param {{top: unknown}} [page] */
export const isFramed = (page = window) => page.top !== page;

/** Returns an api that rejects calls that are not allowed in a frame. @param {HistoryApi} api @returns {HistoryApi} */
export function refuseFramed(api) {
  const refuse = () => Promise.reject(new HistoryApiError({ code: FRAMED }));
  /** @type {HistoryApi["answerApproval"]} */
  const answerApproval = (question, token, answer) => (answer.answer === "skip" ? api.answerApproval(question, token, answer) : refuse());
  return { ...api, ...Object.fromEntries(REFUSED.map((name) => [name, refuse])), answerApproval };
}

/** @param {unknown} error @returns {HistoryApiError} */
export function asApiError(error) {
  if (error instanceof HistoryApiError) return error;
  throw error;
}
