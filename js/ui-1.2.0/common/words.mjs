// @ts-check
/** The words on screen, in the language of ComfyUI. Read them when they are drawn: the language can change. */

import { loadWords, Messages } from "./messages.mjs";

/** @import { ComfyApi, ComfyApp } from "../../../types/comfyui" */
/** @import { Values } from "./message_format.mjs" */
/** @import { Read } from "./messages.mjs" */

const LOCALE = "Comfy.Locale";

/** @type {Read | null} */
let read = null;

/** `use()` changes the language, `onChange()` tells of it, `mark()` sets the language and direction of an element. */
export const words = new Messages({
  load: (language) => (read ? loadWords(language, read) : Promise.reject(new Error("startWords was not called"))),
  preferred: globalThis.window?.navigator?.languages ?? ["en-GB"],
});

/** Loads the words of a language. Nothing can be said before. Rejects if there is no English. @param {Read} reader @param {unknown} [locale] */
export function startWords(reader, locale = "en") {
  read = reader;
  return words.use(locale);
}

/** The hosts whose language is followed. @type {WeakSet<ComfyApp>} */
const followed = new WeakSet();

/**
 * Loads the words of ComfyUI's language, now and after each change of that setting. Rejects if there is no English. May be called again,
 * which tries a language again that could not be loaded.
 * @param {ComfyApp} host @param {ComfyApi} api
 */
export function followLanguage(host, api) {
  const locale = () => host.extensionManager.setting.get(LOCALE);
  if (!followed.has(host)) {
    followed.add(host);
    // Without English, the panel is not there yet, and says so when it is opened.
    host.ui?.settings.addEventListener(`${LOCALE}.change`, ({ detail }) => void words.use(detail.value).catch(() => undefined));
  }
  return startWords((address, init) => (typeof address === "string" ? api.fetchApi(address, init) : window.fetch(address, init)), locale());
}

/** The words for a key of `words/en.json`. @param {string} key @param {Values} [values] */
export const text = (key, values) => words.text(key, values);

/** Writes numbers, sizes, lists and dates as the language does. */
export const formatter = () => words.formatter;
