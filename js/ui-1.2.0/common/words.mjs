// @ts-check
/** The words on screen, in the language of ComfyUI. Read them when they are drawn: the language can change. */

import english from "../words/en.mjs";
import { loadWords, Messages } from "./messages.mjs";

/** @import { Values } from "./message_format.mjs" */

/** `use()` changes the language, `onChange()` tells of it, `mark()` sets the language and direction of an element. */
export const words = new Messages({ english, load: loadWords, preferred: globalThis.window?.navigator?.languages ?? ["en-GB"] });

/** The words for a key of `words/en.mjs`. @param {string} key @param {Values} [values] */
export const text = (key, values) => words.text(key, values);

/** Writes numbers, sizes, lists and dates as the language does. */
export const formatter = () => words.formatter;
