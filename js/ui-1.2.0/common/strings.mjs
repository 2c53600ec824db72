// @ts-check
/** Every word a person reads in the browser. Errors say what is the case, then what to do. */

import { NO_ANSWER, NO_ROUTES, STRANGE } from "../api.mjs";
import { clean, number, plural, tally } from "./format.mjs";
import { FINISHED, STATUSES } from "./status.mjs";

/** @import { ErrorBody, FinishedStatus } from "../../../types/wire" */
/** @import { HistoryApiError } from "../api.mjs" */

/** @typedef {{title: string, text: string}} Words */

export const COMMON = {
  cancel: "Cancel",
  close: "Close",
  dismiss: "Dismiss",
  tryAgain: "Try again",
  lookAgain: "Look again",
  loading: "Loading jobs…",
  openCloud: "Open Comfy Cloud",
  show: "Show",
  notCopied: "This browser does not let pages copy",
};

/** @param {number} n */
const jobs = (n) => plural(n, "{n} job", "{n} jobs");

/* Who */

/** @param {{last4: string, source: string | null}} key */
export const accountWords = ({ last4, source }) => {
  if (last4) return `Key ending in ${clean(last4, 8)}`;
  return source === "env" ? "Key from COMFY_CLOUD_API_KEY" : "Key saved on this server";
};

/** @param {{last4: string, source: string | null}} key */
export const keyWords = ({ last4, source }) => {
  const ending = last4 ? `Ending in ${clean(last4, 8)}, ` : "";
  const where =
    source === "env" ? "from COMFY_CLOUD_API_KEY. Change it there, then restart ComfyUI." : "saved on this server";
  return ending + (ending ? where : where[0]?.toUpperCase() + where.slice(1));
};

/* Clear */

/** @param {Record<FinishedStatus, number>} counts */
export const goingParts = (counts) => tally(FINISHED.map((name) => [counts[name], STATUSES[name].word.toLowerCase()]));

export const TOO_OLD = {
  title: "Look again before you delete",
  text: "This preview is more than 5 minutes old. Your history may have changed since then.",
};

/** @param {"node" | "menu" | "ours" | undefined} origin */
export const busyWords = (origin) => {
  const who = { node: "It was started by a workflow. ", menu: "It was started in another window. ", ours: "" };
  return { title: "Another deletion is running", text: `${who[origin ?? "ours"]}You can delete again when it has finished.` };
};

/* Results */

/** @param {number | null} asked @returns {Words} */
export const crashWords = (asked) => ({
  title: asked === null ? "Outcome unknown" : `Outcome unknown: ${jobs(asked)}`,
  text: "ComfyUI stopped while it was deleting.",
});

/* Connect */

export const CONNECT = {
  title: "Connect to Comfy Cloud",
  label: "API key",
  placeholder: "Paste your API key",
  getKey: "Get an API key",
  keysPage: "https://platform.comfy.org/profile/api-keys",
  cloudPage: "https://cloud.comfy.org",
  kept: "Kept in a file on this ComfyUI server that only its user can read. Never stored in workflows, images or the browser.",
  plan: "The Free plan has no API. If COMFY_CLOUD_API_KEY is set on the server, it is used instead of a saved key.",
  test: "Test and save",
  testing: "Testing…",
  testAgain: "Test again",
  saveUntested: "Save without testing",
  refused: "Comfy Cloud refused this key. Check that you copied all of it, or make a new one.",
  unreachable: "Can’t reach Comfy Cloud, so the key wasn’t tested.",
  untested: "The key wasn’t tested.",
  empty: "Paste a key first.",
  strangeCharacters: "The API key contains characters that are not allowed. Copy it again.",
  unusual: "Comfy Cloud keys begin with “comfyui-”. Check that this is the right one.",
  connected: "Connected to Comfy Cloud",
  savedUntested: "API key saved, not tested",
  notSaved: "The API key was not saved",
  outranked: "COMFY_CLOUD_API_KEY is set on the server and is used instead.",
};

/** Why something could not be done, to stand inside a sentence. @param {HistoryApiError} error */
export const reason = (error) => clean(error.message).replace(/[.\s]+$/, "") || "the folder is not writable";

/** @param {string} reason */
export const cannotSave = (reason) =>
  `The key can’t be saved: ${reason}. Make ComfyUI’s user folder writable, or set COMFY_CLOUD_API_KEY.`;

export const CONNECTION = {
  title: "Connection",
  status: "Status",
  key: "API key",
  server: "Server",
  version: "Version",
  connected: "Connected",
  testing: "Testing…",
  notTested: "Not tested",
  refused: "Refused",
  remove: "Remove key…",
  replace: "Replace key…",
  removed: "The key was removed from this server",
  removeTitle: "Remove the key from this server?",
  removeText: "Your jobs stay as they are. You can connect again at any time.",
  removeConfirm: "Remove key",
};

/* Errors */

const WRONG_SERVER = {
  title: "The answer did not come from Comfy Cloud",
  text: "A proxy, VPN or sign-in page may be in between. Check it, then try again.",
};

export const DAMAGED = {
  title: "Deletions are stopped",
  text: "The list of protected jobs can’t be read, so nothing is deleted. The damaged file was kept.",
  details: "Details",
  dialog: "The list of protected jobs is damaged",
  startEmpty: "Start with an empty list",
};

/** @type {Record<string, Words>} */
const ERRORS = {
  missing_key: { title: "Connect to Comfy Cloud", text: "Add your API key once to see and tidy the jobs you ran on Comfy Cloud." },
  framed: { title: "Not from inside another page", text: "Another page shows ComfyUI here, and could lead a click astray. Open ComfyUI in a tab of its own to delete." },
  unauthorized: {
    title: "Your API key was refused",
    text: "It may have been revoked, or not copied whole. Your jobs are untouched.",
  },
  forbidden: {
    title: "This key can’t manage your history",
    text: "Use a key of the account or workspace these jobs belong to.",
  },
  subscription_inactive: {
    title: "Your Comfy Cloud plan doesn’t cover this",
    text: "Look at your plan on Comfy Cloud. Your jobs are still there.",
  },
  unreachable: {
    title: "Can’t reach Comfy Cloud",
    text: "Check your internet connection or proxy. Nothing was changed.",
  },
  timeout: { title: "Comfy Cloud took too long to answer", text: "Nothing was changed. Try again in a minute." },
  server_fault: { title: "Comfy Cloud has a problem", text: "It is not your key. Try again in a few minutes." },
  not_comfy_cloud: WRONG_SERVER,
  api_moved_on: { title: "This API of Comfy Cloud has moved on", text: "Look for a newer version of Comfy Cloud History." },
  unreadable_answer: {
    title: "This answer can’t be read",
    text: "Comfy Cloud may have changed. Look for a newer version of Comfy Cloud History.",
  },
  state_unwritable: { title: DAMAGED.title, text: "Free some disk space, or make ComfyUI’s user folder writable." },
  protection_damaged: { title: DAMAGED.title, text: DAMAGED.text },
  many_users: { title: "This ComfyUI has several users", text: "It was started with --multi-user and signs nobody in, so a key saved here would be everybody’s. It is not used. To share one key and one state, start ComfyUI with COMFY_CLOUD_HISTORY_SHARED=1. Without that, only nodes work: with the key of whoever is signed in to ComfyUI." },
  unsafe_base_url: {
    title: "The server address is not safe",
    text: "COMFY_CLOUD_BASE_URL must begin with https. Change it, then restart ComfyUI.",
  },
  missing_dependency: {
    title: "A Python package is missing",
    text: "Run “pip install jsonschema” in ComfyUI’s Python, then restart ComfyUI.",
  },
  preview_expired: TOO_OLD,
  count_rose: { title: "More jobs have finished since you looked", text: "Nothing was sent. Look again, then decide." },
  busy: busyWords("ours"),
  [NO_ANSWER]: { title: "ComfyUI doesn’t answer", text: "Check that it is running, then try again." },
  [NO_ROUTES]: {
    title: "Comfy Cloud History is not running",
    text: "Its server part did not load. Restart ComfyUI and look at its log.",
  },
  [STRANGE]: {
    title: "ComfyUI’s answer can’t be read",
    text: "A proxy or sign-in page may be in between. Check it, then try again.",
  },
};

/** What to do, of errors that else say that nothing happened: after something was sent, nobody knows that. @type {Record<string, string>} */
const AFTER_SENDING = {
  unauthorized: "It may have been revoked, or not copied whole.",
  subscription_inactive: "Look at your plan on Comfy Cloud.",
  unreachable: "Check your internet connection or proxy.",
  timeout: "Try again in a minute.",
};

/** @param {Partial<ErrorBody> | HistoryApiError} error @returns {Words} */
export function errorWords(error) {
  const retryAfter = "retryAfter" in error ? error.retryAfter : /** @type {ErrorBody} */ (error).retry_after;
  if (error.code === "rate_limited") {
    const wait = retryAfter ? `Try again in ${number(Math.ceil(retryAfter))} s.` : "Try again in a minute.";
    return { title: "Too many requests", text: `Comfy Cloud asks to wait. ${wait}` };
  }
  const known = Object.hasOwn(ERRORS, error.code ?? "") && ERRORS[error.code ?? ""];
  const onlyServerKnows = error.code === "state_unwritable" && error.message;
  if (known && !onlyServerKnows) return known;
  return { title: clean(error.message) || "Something went wrong", text: clean(error.hint, 400) };
}

/** The cloud's own words, if it had any. @param {Partial<ErrorBody> | HistoryApiError} error */
export function cloudWords(error) {
  const says = clean("cloudSays" in error ? error.cloudSays : /** @type {ErrorBody} */ (error).cloud_says);
  if (!says) return "";
  return `Comfy Cloud says: “${says}”${error.status ? ` (${error.status})` : ""}`;
}

/** @param {Words} told @param {string} quote */
function inOneLine({ title, text }, quote) {
  const sentence = /[.!?…]$/.test(title) ? title : `${title}.`;
  return [sentence, text, quote].filter(Boolean).join(" ");
}

/** An error in one line. @param {Partial<ErrorBody> | HistoryApiError} error */
export const errorLine = (error) => inOneLine(errorWords(error), cloudWords(error));

/** An error that came when something had been sent, in one line. @param {Partial<ErrorBody> | HistoryApiError} error */
export function sentErrorLine(error) {
  const { title, text } = errorWords(error);
  const code = error.code ?? "";
  const careful = Object.hasOwn(AFTER_SENDING, code) ? AFTER_SENDING[code] : undefined;
  return inOneLine({ title, text: careful ?? text }, cloudWords(error));
}

/** @param {number} n */
export const lostHold = (n) => ({
  title: "A deletion was not sent",
  text: plural(
    n,
    "ComfyUI stopped before {n} job was deleted. It is still in the list.",
    "ComfyUI stopped before {n} jobs were deleted. They are still in the list.",
  ),
});

/** @param {number} n */
export const andMore = (n) => `and ${number(n)} more`;
