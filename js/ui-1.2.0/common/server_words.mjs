// @ts-check
/** The server's texts in the language of the panel. The server sends them in English, with their codes and values. */

import { words } from "./words.mjs";

/** @import { Reason } from "../../../types/wire" */
/** @import { Values } from "./message_format.mjs" */

/** @typedef {Readonly<Record<string, unknown>>} Sent values as the server sends them */

/** @param {unknown} value @returns {value is Reason} */
const isReason = (value) => typeof value === "object" && value !== null && "code" in value && "text" in value;

/** @param {Sent} values @param {(reason: Reason) => string} say @returns {Values} */
const usable = (values, say) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, isReason(value) ? say(value) : typeof value === "number" ? value : String(value ?? "")]));

/**
 * A text of the server in the language of the panel. A key is taken only if it says in English just what the server says: texts of
 * another version, or with details of its own, stay in English.
 * @param {string} english
 * @param {readonly string[]} keys that may stand for the text
 * @param {Sent} [values]
 */
export function serverText(english, keys, values = {}) {
  if (words.language === "en" || !english) return english;
  const plain = usable(values, (reason) => reason.text);
  const key = keys.find((each) => words.inEnglish(each, plain) === english);
  return key === undefined ? english : words.text(key, usable(values, reasonText));
}

/** A reason in a few words, such as "it took too long". @param {Reason} reason @returns {string} */
export function reasonText({ code, values, text: english }) {
  const said = serverText(english, [`reason.${code}`], values);
  if (said !== english) return said;
  // The message of an error, without the full stop, and the status of its answer.
  const [, message = english, status = ""] = english.match(/^(.*?)( \(\d{3}\))?$/s) ?? [];
  return serverText(`${message}.`, [`error.${code}.message`], values).replace(/[.。]$/, "") + status;
}
