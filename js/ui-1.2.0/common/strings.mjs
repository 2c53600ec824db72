// @ts-check
/** Texts on screen that several parts of the interface share. */

import { BROKE_OFF, NO_ANSWER, NO_ROUTES, STRANGE } from "../api.mjs";
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
  notLoaded: "A part of the panel can’t be loaded",
  reload: "Check that ComfyUI is running, then reload the page.",
  notCopied: "This browser does not let pages copy",
};

/** @param {number} n */
const jobs = (n) => plural(n, "{n} job", "{n} jobs");

/** @param {{last4: string, source: string | null}} key */
export const accountWords = ({ last4, source }) => {
  if (last4) return `Key ending in ${clean(last4, 8)}`;
  return source === "env" ? "Key from COMFY_CLOUD_API_KEY" : "Key saved on this server";
};

/** @param {{last4: string, source: string | null}} key */
export const keyWords = ({ last4, source }) => {
  const ending = clean(last4, 8);
  if (source === "env") {
    const change = "Change it there, then restart ComfyUI.";
    return ending ? `Ending in ${ending}, from COMFY_CLOUD_API_KEY. ${change}` : `From COMFY_CLOUD_API_KEY. ${change}`;
  }
  return ending ? `Ending in ${ending}, saved on this server` : "Saved on this server";
};

/** "Delete Cloud Jobs, node 14": never "(14)", which reads as a number of jobs. @param {string} title @param {string} id */
export function nodeName(title, id) {
  const [named, number] = [clean(title, 80), clean(id, 40)];
  if (!number) return named || "Node";
  return named ? `${named}, node ${number}` : `Node ${number}`;
}

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

/** @param {number | null} asked @param {boolean} [maySend] whether a request may have been sent @returns {Words} */
export const crashWords = (asked, maySend = true) => ({
  title: maySend ? (asked === null ? "Outcome unknown" : `Outcome unknown: ${jobs(asked)}`) : "Nothing was deleted",
  text: maySend ? "ComfyUI stopped while it was deleting." : `ComfyUI stopped before anything was sent${asked === null ? "" : `, so ${plural(asked, "{n} job was not removed", "{n} jobs were not removed")}`}.`,
});

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
  untested: "The key wasn’t tested.",
  unusual: "Comfy Cloud keys begin with “comfyui-”. Check that this is the right one.",
  connected: "Connected to Comfy Cloud",
  savedUntested: "API key saved, not tested",
  notSaved: "The API key was not saved",
  outranked: "COMFY_CLOUD_API_KEY is set on the server and is used instead.",
};

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
  connectAgain: "You can connect again at any time.",
  unchanged: "Your jobs stay as they are.",
  goesOn: "The deletion that is running goes on.",
  stops: "The deletion that is running is stopped.",
  removeConfirm: "Remove key",
};

/** What a change of the key does to deletions that have not begun. @param {number} n jobs */
export const willBeUndone = (n) => plural(n, "The deletion of {n} job will be undone, unless it is already being sent.", "The deletion of {n} jobs will be undone, or only its rest if it is already being sent.");
/** @param {number} n jobs */
export const wasUndone = (n) => plural(n, "The deletion of {n} job was undone. Nothing was deleted.", "The deletion of {n} jobs was undone. Nothing was deleted.");

/** @param {number} n */
export const lostHold = (n) => ({
  title: "An earlier deletion was not sent",
  text: plural(n, "ComfyUI stopped in the time to undo it, so {n} job was not removed then.", "ComfyUI stopped in the time to undo it, so {n} jobs were not removed then."),
});

/** @param {number} n */
export const andMore = (n) => `and ${number(n)} more`;

/* Texts for errors without a message from the server. */

/** @type {Record<string, Words>} */
const BROWSER_ERRORS = {
  missing_key: { title: "Connect to Comfy Cloud", text: "Add your API key once to see and tidy the jobs you ran on Comfy Cloud." },
  framed: { title: "Not from inside another page", text: "Another page shows ComfyUI here, and could lead a click astray. Open ComfyUI in a tab of its own to delete." },
  [NO_ANSWER]: { title: "ComfyUI doesn’t answer", text: "Check that it is running, then try again." },
  [NO_ROUTES]: {
    title: "Comfy Cloud History is not running",
    text: "Its server part did not load. Restart ComfyUI and look at its log.",
  },
  [BROKE_OFF]: { title: "The file did not arrive whole", text: "The connection broke off, or the file is larger than 64 MB. Try again, or download it from your assets on Comfy Cloud." },
  [STRANGE]: {
    title: "ComfyUI’s answer can’t be read",
    text: "A proxy or sign-in page may be in between. Check it, then try again.",
  },
};

const MAX_ERROR_CHARACTERS = 600;

/** @typedef {Partial<ErrorBody> | HistoryApiError} AnyError */

/** The server's message and hint, or else the browser's text for the code. @param {AnyError} error @returns {Words} */
export function errorWords({ code = "", message, hint }) {
  const title = clean(message, MAX_ERROR_CHARACTERS).replace(/\.$/, "");
  if (title) return { title, text: clean(hint, MAX_ERROR_CHARACTERS) };
  return Object.hasOwn(BROWSER_ERRORS, code) && BROWSER_ERRORS[code] || { title: "Something went wrong", text: "" };
}

/** Codes after which a person may fear that jobs were deleted. */
const MAY_WORRY = new Set(["unauthorized", "subscription_inactive", "unreachable", "untrusted_certificate", "not_http", "timeout"]);

/** The error of a request that only reads. @param {AnyError} error @returns {Words} */
export function readingErrorWords(error) {
  const { title, text } = errorWords(error);
  return { title, text: MAY_WORRY.has(error.code ?? "") ? `${text} Reading changes no job.`.trim() : text };
}

/** Quotes Comfy Cloud's message, or "". @param {AnyError} error */
export function cloudWords(error) {
  const says = clean("cloudSays" in error ? error.cloudSays : /** @type {ErrorBody} */ (error).cloud_says);
  if (!says) return "";
  return `Comfy Cloud says: “${says}”${error.status ? ` (${error.status})` : ""}`;
}

/** @param {AnyError} error */
export function errorLine(error) {
  const { title, text } = errorWords(error);
  const sentence = /[!?…]$/.test(title) ? title : `${title}.`;
  return [sentence, text, cloudWords(error)].filter(Boolean).join(" ");
}
