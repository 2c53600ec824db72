// @ts-check
/** The one place that knows the server routes of this pack. */

/** @typedef {import("../types/wire").Status} Status */
/** @typedef {import("../types/wire").SavedKey} SavedKey */
/** @typedef {import("../types/wire").Preview} Preview */
/** @typedef {import("../types/wire").ClearAnswer} ClearAnswer */

/** A request that did not give what was asked for. `code` tells which words to show. */
export class HistoryApiError extends Error {
  name = "HistoryApiError";

  /**
   * @param {Partial<import("../types/wire").ErrorBody> & {code: string}} error
   * @param {Record<string, unknown>} [extras] what the answer carried besides the error
   */
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

/** @param {unknown} value @returns {value is Record<string, any>} */
const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {unknown} value @returns {value is Preview} */
export const isPreview = (value) =>
  isRecord(value) && typeof value.token === "string" && typeof value.finished === "number" && isRecord(value.counts);

/** @param {unknown} value @returns {value is Status} */
const isStatus = (value) =>
  isRecord(value) && typeof value.configured === "boolean" && Array.isArray(value.finished) && Array.isArray(value.unresolved);

/** @param {unknown} value @returns {value is SavedKey} */
const isSavedKey = (value) => isStatus(value) && "checked" in value;

/** @param {unknown} value @returns {value is ClearAnswer} */
const isClearAnswer = (value) =>
  isRecord(value) && typeof value.operation === "string" && (value.state === "running" || (value.state === "done" && isRecord(value.result)));

/** @param {Response} response @returns {Promise<unknown>} */
async function readJson(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** @param {Response} response */
async function decode(response) {
  const body = await readJson(response);
  if (response.ok && isRecord(body)) return body;
  if (isRecord(body) && isRecord(body.error) && typeof body.error.code === "string") {
    const { error, ...extras } = body;
    throw new HistoryApiError({ .../** @type {{code: string}} */ (error) }, extras);
  }
  throw new HistoryApiError({ code: response.status === 404 || response.status === 405 ? NO_ROUTES : STRANGE });
}

/** Faults of the set-up that no key can mend. */
const BLOCKING = new Set(["unsafe_base_url", "missing_dependency", "state_unwritable"]);

/** Throws what stands in the way of everything else. @param {Status} status */
export function throwIfBlocked({ problem }) {
  if (problem && BLOCKING.has(problem.code)) throw new HistoryApiError(problem);
}

/** @param {(route: string, init?: RequestInit) => Promise<Response>} fetchApi */
export function createHistoryApi(fetchApi) {
  /**
   * @template T
   * @param {(value: unknown) => value is T} isExpected
   * @param {string} route
   * @param {string} method
   * @param {object} [body]
   * @returns {Promise<T>}
   */
  async function call(isExpected, route, method, body) {
    /** @type {Record<string, string>} */
    const headers = { "X-Cloud-History": "1", Accept: "application/json" };
    /** @type {RequestInit} */
    const init = { method, headers, cache: "no-store", redirect: "error" };
    if (body) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    /** @type {unknown} */
    let answer;
    try {
      answer = await decode(await fetchApi(`/cloud_history/${route}`, init));
    } catch (error) {
      if (error instanceof HistoryApiError) throw error;
      throw new HistoryApiError({ code: NO_ANSWER });
    }
    if (!isExpected(answer)) throw new HistoryApiError({ code: STRANGE });
    return answer;
  }

  return {
    status: () => call(isStatus, "status", "GET"),
    /** @param {string} apiKey @param {boolean} [unchecked] whether to save it without a test */
    saveKey: (apiKey, unchecked = false) => call(isSavedKey, "key", "POST", { api_key: apiKey, ...(unchecked && { unchecked }) }),
    removeKey: () => call(isStatus, "key", "DELETE", {}),
    /** @param {string} operation */
    dismiss: (operation) => call(isStatus, "unresolved/dismiss", "POST", { operation }),
    preview: () => call(isPreview, "preview", "POST", { clear: true }),
    /** @param {string} token */
    clear: (token) => call(isClearAnswer, "clear", "POST", { token }),
  };
}

/** @typedef {ReturnType<typeof createHistoryApi>} HistoryApi */
