// @ts-check
/** Texts on screen that several parts of the interface share. */

import { BROKE_OFF, NO_ANSWER, NO_ROUTES, STRANGE } from "../api.mjs";
import { clean, enumeration, sentence, sentences } from "./format.mjs";
import { serverText } from "./server_words.mjs";
import { FINISHED } from "./status.mjs";
import { text } from "./words.mjs";

/** @import { ErrorBody, FinishedStatus } from "../../../types/wire" */
/** @import { HistoryApiError } from "../api.mjs" */

/** @typedef {{title: string, text: string}} Words */

/** The variable that sets the API key outside this pack. */
export const KEY_VARIABLE = "COMFY_CLOUD_API_KEY";
/** How the keys of Comfy Cloud begin. */
export const KEY_PREFIX = "comfyui-";
export const KEYS_PAGE = "https://platform.comfy.org/profile/api-keys";
export const CLOUD_PAGE = "https://cloud.comfy.org";

/** @param {{last4: string, source: string | null}} key */
export const accountWords = ({ last4, source }) => {
  if (last4) return text("common.account.ending", { ending: clean(last4, 8) });
  return source === "env" ? text("common.account.environment", { variable: KEY_VARIABLE }) : text("common.account.saved");
};

/** @param {{last4: string, source: string | null}} key */
export const keyWords = ({ last4, source }) => {
  const [ending, variable] = [clean(last4, 8), KEY_VARIABLE];
  if (source === "env") return ending ? text("common.key.environment_ending", { ending, variable }) : text("common.key.environment", { variable });
  return ending ? text("common.key.saved_ending", { ending }) : text("common.key.saved");
};

/** "Delete Cloud Jobs, node 14": never "(14)", which reads as a number of jobs. @param {string} title @param {string} node its id */
export function nodeName(title, node) {
  const [named, id] = [clean(title, 80), clean(node, 40)];
  if (!id) return named || text("common.node.unnamed");
  return named ? text("common.node.titled", { title: named, id }) : text("common.node.number", { id });
}

/** @param {Record<FinishedStatus, number>} counts */
export const goingParts = (counts) => enumeration(FINISHED.map((name) => counts[name] > 0 && text(`common.count.${name}`, { n: counts[name] })));

export const TOO_OLD = {
  get title() {
    return text("common.too_old.title");
  },
  get text() {
    return text("common.too_old.text");
  },
};

/** @param {"node" | "menu" | "ours" | undefined} origin @returns {Words} */
export const busyWords = (origin) => ({ title: text("common.busy.title"), text: text(`common.busy.${origin ?? "ours"}`) });

/** @param {number | null} asked @param {boolean} [maySend] whether a request may have been sent @returns {Words} */
export const crashWords = (asked, maySend = true) =>
  maySend
    ? { title: asked === null ? text("common.crash.unknown") : text("common.crash.unknown_jobs", { n: asked }), text: text("common.crash.while_deleting") }
    : { title: text("common.crash.nothing"), text: asked === null ? text("common.crash.unsent") : text("common.crash.unsent_jobs", { n: asked }) };

/** What a change of the key does to deletions that have not begun. @param {number} n jobs */
export const willBeUndone = (n) => text("connect.will_be_undone", { n });
/** @param {number} n jobs */
export const wasUndone = (n) => text("connect.was_undone", { n });

/** @param {number} n @returns {Words} */
export const lostHold = (n) => ({ title: text("common.lost_hold.title"), text: text("common.lost_hold.text", { n }) });

/** @param {number} n */
export const andMore = (n) => text("common.and_more", { n });

/** Codes of errors without a message from the server. */
const BROWSER_ERRORS = new Set(["missing_key", "framed", NO_ANSWER, NO_ROUTES, BROKE_OFF, STRANGE]);

const MAX_ERROR_CHARACTERS = 600;

/** @typedef {Partial<ErrorBody> | HistoryApiError} AnyError */

/** The server's message, in the language of the panel. @param {AnyError} error */
export const serverMessage = ({ sentence: key = "", message = "", values }) => clean(serverText(message, [`error.${key}.message`], values), MAX_ERROR_CHARACTERS);

/** The server's hint. Errors without one of their own have that of their code. @param {AnyError} error */
const serverHint = ({ code = "", sentence: key = "", hint = "", values }) =>
  clean(serverText(hint, [`error.${key}.hint`, `error.${code}.hint`], values), MAX_ERROR_CHARACTERS);

/** The server's message and hint, or else the browser's text for the code. @param {AnyError} error @returns {Words} */
export function errorWords(error) {
  const { code = "" } = error;
  const title = serverMessage(error).replace(/[.。]$/, "");
  if (title) return { title, text: serverHint(error) };
  if (!BROWSER_ERRORS.has(code)) return { title: text("common.error.other"), text: "" };
  return { title: text(`common.error.${code}.title`), text: text(`common.error.${code}.text`) };
}

/** Codes after which a person may fear that jobs were deleted. */
const MAY_WORRY = new Set(["unauthorized", "subscription_inactive", "unreachable", "untrusted_certificate", "not_http", "timeout"]);

/** The error of a request that only reads. @param {AnyError} error @returns {Words} */
export function readingErrorWords(error) {
  const { title, text: what } = errorWords(error);
  return { title, text: sentences([what, MAY_WORRY.has(error.code ?? "") && text("common.reading_changes_nothing")]) };
}

/** Quotes Comfy Cloud's message, or "". @param {AnyError} error */
export function cloudWords(error) {
  const says = clean("cloudSays" in error ? error.cloudSays : /** @type {ErrorBody} */ (error).cloud_says);
  if (!says) return "";
  return error.status ? text("common.cloud_says_status", { says, status: String(error.status) }) : text("common.cloud_says", { says });
}

/** @param {AnyError} error */
export function errorLine(error) {
  const { title, text: what } = errorWords(error);
  return sentences([sentence(title), what, cloudWords(error)]);
}
