// @ts-check
/** Requests to the routes of this pack, the shapes their answers must have, and the errors they end in. */

/** @import { Answer, AuditAnswer, Cancelled, CleanUpPreview, DeletePreview, DeletionAnswer, ErrorBody, Filter, JobDetails, ListLine, OpenApproval, Policy, Preview, ProtectionLists, SavedKey, Selection, Settings, Status } from "../../types/wire" */
/** @import { DeletionRequest } from "./deletion/confirm.mjs" */

/** A request that did not give what was asked for. `code` tells which words to show. */
export class HistoryApiError extends Error {
  name = "HistoryApiError";

  /** @param {Partial<ErrorBody> & {code: string}} error @param {Record<string, unknown>} [extras] what the answer carried besides the error */
  constructor(error, extras = {}) {
    super(error.message ?? "");
    this.code = error.code;
    this.hint = error.hint ?? "";
    this.status = error.status ?? null;
    this.retryAfter = error.retry_after ?? null;
    this.cloudSays = error.cloud_says ?? "";
    this.extras = extras;
  }
}

/** ComfyUI itself gave no answer, or was lost before it ended: what came of the request is not known. */
export const NO_ANSWER = "comfyui_away";
/** ComfyUI answered, but this pack's routes are not there. */
export const NO_ROUTES = "routes_missing";
/** Something answered in a way this pack's routes never do. */
export const STRANGE = "strange_answer";

/** What was chosen was listed with another key, or by another server. */
export const ACCOUNT_CHANGED = "account_changed";

/** The state folder is not there any more, or not the same. */
export const STATE_LOST = "state_lost";

/** Why there is no key: nobody gave one, or what keeps any from being used or found. @param {Status} status */
export const noKey = ({ can_connect: canConnect, problem }) =>
  new HistoryApiError(problem && (canConnect === false || problem.code === STATE_LOST) ? problem : { code: "missing_key" });

/** @param {unknown} value @returns {value is Record<string, any>} */
export const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether it can be confirmed, and its outcome known again. @param {Record<string, unknown>} value */
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

/** @param {unknown} value @returns {value is Preview | DeletePreview} a clear becomes a deletion by ids where anything is protected or backed up */
const isClearPreview = (value) => (isObject(value) && value.kind === "delete" ? isDeletePreview(value) : isPreview(value));

/** @param {unknown} value @returns {value is ProtectionLists} */
const isProtection = (value) => isObject(value) && Array.isArray(value.jobs) && Array.isArray(value.workflows);

/** @param {unknown} value @returns {value is {kept_as: string}} */
const isKept = (value) => isObject(value) && typeof value.kept_as === "string";

/** @param {unknown} value @returns {value is Hold} */
const isHold = (value) =>
  isObject(value) && typeof value.id === "string" && Array.isArray(value.ids) && Number.isFinite(value.seconds_left);

/** @param {unknown} value @returns {value is {hold: Hold}} */
const holdsHold = (value) => isObject(value) && isHold(value.hold);

/** @param {unknown} value @returns {value is DeletionAnswer} */
const isDeletionAnswer = (value) =>
  holdsHold(value) ||
  (isObject(value) && typeof value.operation === "string" && (value.state === "running" || (value.state === "done" && isObject(value.result))));

/** @param {unknown} value @returns {value is JobDetails} */
const isDetails = (value) => isObject(value) && isObject(value.job) && typeof value.job.id === "string" && Array.isArray(value.outputs);

/** @param {unknown} value @returns {value is Cancelled} */
const isCancelled = (value) => isObject(value) && Array.isArray(value.cancelled) && Array.isArray(value.finished_already);

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

/** The answer, or the error that it is. @param {Response} response */
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
 * What went wrong on the way. A request that its asker took back stays an AbortError; ComfyUI also aborts, after a minute.
 * @param {unknown} error
 * @param {AbortSignal} [signal]
 */
const lost = (error, signal) => {
  if (error instanceof HistoryApiError || signal?.aborted) return error;
  return new HistoryApiError({ code: error instanceof SyntaxError ? STRANGE : NO_ANSWER });
};

/** The lines of a streamed answer, each as soon as it is whole. @param {ReadableStream<Uint8Array>} stream @returns {AsyncGenerator<unknown>} */
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
      throw lost(error, signal);
    }
    if (!isExpected(answer)) throw new HistoryApiError({ code: STRANGE });
    return answer;
  }

  /** What is no JSON. @param {string} route @param {AbortSignal} [signal] @returns {Promise<Blob>} */
  async function blob(route, signal) {
    try {
      const response = await request(route, "GET", undefined, signal);
      if (!response.ok) await decode(response);
      return await response.blob();
    } catch (error) {
      throw lost(error, signal);
    }
  }
  return { request, call, blob };
}

/**
 * Fails as any call, also between two lines.
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
    throw lost(error, signal);
  }
}

/** @typedef {ReturnType<typeof createCaller>["call"]} Call */

/** @param {(route: string, init?: RequestInit) => Promise<Response>} fetchApi */
export function createHistoryApi(fetchApi) {
  const { request, call, blob } = createCaller(fetchApi);
  return {
    ...createAuditApi({ call, blob, isDetails }),
    status: () => call(isStatus, "status", "GET"),
    /** How far the running deletions of the browsers have come. */
    progress: () => call(isProgress, "progress", "GET"),
    /** What a node has told that was stopped. @param {string} name of the report */
    nodeReport: (name) => call(isNodeReport, `node_reports/${encodeURIComponent(name)}`, "GET"),
    /** @param {string} apiKey @param {boolean} [unchecked] whether to save it without a test */
    saveKey: (apiKey, unchecked = false) => call(isSavedKey, "key", "POST", { api_key: apiKey, ...(unchecked && { unchecked }) }),
    removeKey: () => call(isStatus, "key", "DELETE", {}),
    /** @param {string} operation */
    dismiss: (operation) => call(isStatus, "unresolved/dismiss", "POST", { operation }),
    /** @param {string} hold one that was lost */
    dismissHold: (hold) => call(isStatus, "holds/dismiss", "POST", { hold }),
    /** @param {Partial<Settings>} settings those to change */
    saveSettings: (settings) => call(isStatus, "settings", "POST", settings),
    /** What is asked, with a new token. @param {string} question */
    openApproval: (question) => call(isOpenApproval, "ask/question", "POST", { question }),
    /** Somebody is there. @param {string} question @param {string} token */
    approvalSeen: (question, token) => call(hasSecondsLeft, "ask/seen", "POST", { question, token }),
    /** @param {string} question @param {string} token @param {Answer} answer */
    answerApproval: (question, token, answer) => call(isObject, "ask/answer", "POST", { question, token, ...answer }),
    /** What a deletion of these jobs, or of all, would do. @param {Selection | {clear: true}} selection */
    preview: (selection) => call("clear" in selection ? isClearPreview : isDeletePreview, "preview", "POST", selection),
    /** Begins what was confirmed. @param {DeletionRequest} request */
    submit({ preview: { kind, token }, backup }) {
      if (kind === "clear") return call(isDeletionAnswer, "clear", "POST", { token });
      return call(isDeletionAnswer, "delete", "POST", { token, ...(backup !== undefined && { backup }) });
    },
    /** What deletions leave out. */
    protection: () => call(isProtection, "protection", "GET"),
    /** @param {boolean} protect @param {Partial<ProtectionLists>} which */
    protect: (protect, { jobs, workflows }) => call(isProtection, "protection", "POST", { protect, ...(jobs && { ids: jobs }), ...(workflows && { workflows }) }),
    /** Puts a list that can't be read aside: nothing is protected then. */
    startEmpty: () => call(isKept, "protection/start_empty", "POST", {}),
    /** Takes the state folder as it is now: what is missing in it counts as empty. */
    startAnew: () => call(isStatus, "state/start_anew", "POST", {}),
    /** @param {string} hold */
    undo: (hold) => call(holdsHold, "undo", "POST", { hold }),
    /** What was sent stays sent; the result follows. @param {string} operation one that was held */
    stop: (operation) => call(isObject, "stop", "POST", { operation }),
    /** @param {string} id @param {AbortSignal} [signal] */
    job: (id, signal) => call(isDetails, `jobs/${encodeURIComponent(id)}`, "GET", undefined, signal),
    /** Its workflow as a file, made by the server: numbers of JavaScript would round a large seed. @param {string} id */
    workflowFile: (id) => blob(`jobs/${encodeURIComponent(id)}/workflow`),
    /** @param {string[]} ids 1 to 100 @param {string} account whose they are */
    cancel: (ids, account) => call(isCancelled, "cancel", "POST", { ids, account }),

    /** The list, piece by piece. @param {Filter} filter @param {AbortSignal} [signal] when aborted: an AbortError */
    list: (filter, signal) => listLines(() => request("jobs", "POST", { filter }, signal), signal),
    /** @param {string} job @param {string} filename one the job owns @param {AbortSignal} [signal] */
    thumbnail: (job, filename, signal) => blob(`thumbnail?job=${encodeURIComponent(job)}&file=${encodeURIComponent(filename)}`, signal),
  };
}

/** @typedef {ReturnType<typeof createHistoryApi>} HistoryApi */

/** @param {unknown} value @param {string} key whether every one in a list has this as text */
const eachHas = (value, key) => Array.isArray(value) && value.every((each) => isObject(each) && typeof each[key] === "string");

/** @param {unknown} value @returns {value is CleanUpPreview} */
const isCleanUp = (value) =>
  isObject(value) && Number.isFinite(value.total) && Number.isFinite(value.go) && Number.isFinite(value.share) &&
  eachHas(value.kept, "reason") && Array.isArray(value.rows) && value.rows.every((each) => isObject(each) && isObject(each.job));

/** @param {unknown} value @returns {value is AuditAnswer} */
const isAuditAnswer = (value) => isObject(value) && eachHas(value.entries, "operation") && Number.isFinite(value.removed_in_all);

/** @param {unknown} value @returns {value is {jobs: AuditJob[]}} */
const holdsOutcomes = (value) => isObject(value) && eachHas(value.jobs, "id") && eachHas(value.jobs, "outcome");

/** @param {unknown} value @returns {value is {jobs: BackupJob[]}} */
const holdsBackups = (value) => isObject(value) && eachHas(value.jobs, "id");

/**
 * @param {object} caller
 * @param {Call} caller.call
 * @param {(route: string, signal?: AbortSignal) => Promise<Blob>} caller.blob
 * @param {(value: unknown) => value is JobDetails} caller.isDetails
 */
const createAuditApi = ({ call, blob, isDetails }) => ({
  /** What a policy would do. Sends nothing to the cloud that changes it. @param {Policy} policy @param {AbortSignal} [signal] */
  cleanUp: (policy, signal) => call(isCleanUp, "clean_up", "POST", { policy }, signal),
  auditLog: () => call(isAuditAnswer, "record", "GET"),
  /** @param {string} operation */
  auditJobs: (operation) => call(holdsOutcomes, `record/${encodeURIComponent(operation)}`, "GET"),
  auditCsv: () => blob("record.csv"),
  /** @param {string} operation */
  backupJobs: (operation) => call(holdsBackups, `backups/${encodeURIComponent(operation)}`, "GET"),
  /** @param {string} operation @param {string} id */
  backupJob: (operation, id) => call(isDetails, `backups/${encodeURIComponent(operation)}/${encodeURIComponent(id)}`, "GET"),
  /** @param {string} operation @param {string} id */
  backupWorkflowFile: (operation, id) => blob(`backups/${encodeURIComponent(operation)}/${encodeURIComponent(id)}/workflow`),
  /** The audit log stays. @param {string} operation */
  deleteBackup: (operation) => call(isObject, `backups/${encodeURIComponent(operation)}`, "DELETE", {}),
});

export const FRAMED = "framed";

/** All that deletes, cancels, or makes deleting easier. Reading, undoing and stopping stay. @type {readonly (keyof HistoryApi)[]} */
const REFUSED = [
  "preview", "submit", "cancel", "protect", "startEmpty", "startAnew", "saveSettings", "saveKey", "removeKey",
  "dismiss", "dismissHold", "deleteBackup",
];

/** Whether another page shows this one. @param {{top: unknown}} [page] */
export const isFramed = (page = window) => page.top !== page;

/** @param {HistoryApi} api @returns {HistoryApi} refuses what a page in a frame may not do */
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
