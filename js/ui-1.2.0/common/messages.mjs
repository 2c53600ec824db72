// @ts-check
/** The words of the interface in the language of ComfyUI (`Comfy.Locale`): one catalogue a language, loaded at its first use. */

import { directionOf, Formatter, parse } from "./message_format.mjs";

/** @import { Part, Values } from "./message_format.mjs" */

/** A message for each key. @typedef {Readonly<Record<string, string>>} Catalogue */

/** The languages of ComfyUI, by its names. */
export const LANGUAGES = ["en", "zh", "zh-TW", "ru", "ja", "ko", "fr", "es", "ar", "tr", "pt-BR", "fa", "he", "it"];

/** The language for a locale, found as ComfyUI finds it: the same, else the one without a region, else English. @param {unknown} locale */
export function languageOf(locale) {
  const wanted = String(locale ?? "").toLowerCase();
  const named = (/** @type {string | undefined} */ name) => LANGUAGES.find((each) => each.toLowerCase() === name);
  return named(wanted) ?? named(wanted.split("-")[0]) ?? "en";
}

/**
 * The locale for numbers and dates: the browser's, if it only adds a region to the language, in the same script.
 * @param {string} language @param {readonly string[]} preferred `navigator.languages`
 */
export function regionOf(language, preferred) {
  const { language: base, script } = new Intl.Locale(language).maximize();
  const found = preferred.find((each) => {
    try {
      const locale = new Intl.Locale(each).maximize();
      return locale.language === base && locale.script === script && languageOf(each) === language;
    } catch {
      return false; // WebKitGTK gives "c" where the system has no language, and Intl throws for it.
    }
  });
  return found ?? language;
}

/**
 * The locale for dates and times. With words in English, which stand for those of all languages that ComfyUI lacks, it is the
 * browser's own, whatever its language.
 * @param {string} language @param {readonly string[]} preferred `navigator.languages`
 */
export function datesOf(language, preferred) {
  if (language !== "en") return regionOf(language, preferred);
  const [own = "en-GB"] = preferred;
  try {
    return Intl.getCanonicalLocales(own)[0] ?? "en-GB";
  } catch {
    return "en-GB"; // As in `regionOf`.
  }
}

/** The version of this pack, in the name of the folder of the interface. */
const VERSION = import.meta.url.match(/\/ui-([^/]+)\//)?.[1] ?? "";

/**
 * Reads a route of this pack, given as a text, or a file beside this module, given as a URL.
 * @typedef {(address: string | URL, init?: RequestInit) => Promise<Pick<Response, "ok" | "json">>} Read
 */

/** @param {unknown} value @returns {value is Catalogue} */
const isCatalogue = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every((text) => typeof text === "string");

/** @param {() => ReturnType<Read>} read @returns {Promise<Catalogue | null>} null if there is no catalogue */
async function readCatalogue(read) {
  try {
    const answer = await read();
    const catalogue = answer.ok ? await answer.json() : null;
    return isCatalogue(catalogue) ? catalogue : null;
  } catch {
    return null;
  }
}

/**
 * The catalogue of one of LANGUAGES. The route compresses it, and answers only to pages of its own version. Where the server's part of
 * this pack is not running, the file is read as it is, because the page must be able to say so. Rejects if neither can be read.
 * @param {string} language @param {Read} read
 */
export async function loadWords(language, read) {
  const route = `/cloud_history/words/${language}?version=${VERSION}`;
  const catalogue =
    (await readCatalogue(() => read(route, { headers: { "X-Cloud-History": "1" } }))) ??
    (await readCatalogue(() => read(new URL(`../words/${language}.json`, import.meta.url))));
  if (!catalogue) throw new Error(`There are no words for ${language}`);
  return catalogue;
}

/** The words in one language at a time, with English where that language has none. */
export class Messages {
  /** @type {Map<string, Promise<Catalogue>>} */
  #loading = new Map();
  /** @type {Map<string, Part[]>} */
  #parsed = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {Set<WeakRef<HTMLElement>>} */
  #roots = new Set();
  /** The catalogue of English, whose words stand for those that another one lacks. Empty until it is loaded. @type {Catalogue} */
  english = {};
  #catalogue = this.english;
  /** The last language that was asked for. */
  #wanted = "en";
  /** @type {Formatter} */
  #english;

  /**
   * @param {object} options
   * @param {(language: string) => Promise<Catalogue>} options.load the catalogue of one of LANGUAGES
   * @param {readonly string[]} [options.preferred] `navigator.languages`
   */
  constructor({ load, preferred = [] }) {
    this.load = load;
    this.preferred = preferred;
    this.language = "en";
    this.formatter = this.#formatterOf("en");
    this.#english = this.formatter;
  }

  /**
   * Changes to the language of a locale. Its catalogue and that of English are loaded once. Resolves to whether that language is now
   * shown: not if it could not be loaded, which the next call tries again, or if a later call asked for another one meanwhile. Rejects
   * if there is no English, without which nothing can be said.
   * @param {unknown} locale
   */
  async use(locale) {
    const language = languageOf(locale);
    this.#wanted = language;
    const reading = language === "en" ? null : this.#read(language);
    // Its failure is the answer of this call, unless there is no English either.
    const [english, own] = await Promise.all([this.#read("en"), reading?.catch(() => null)]);
    this.#begin(english);
    if (this.#wanted !== language || own === null) return false;
    this.#change(language, own ?? english);
    return true;
  }

  /** @param {string} language */
  #formatterOf = (language) => new Formatter(regionOf(language, this.preferred), datesOf(language, this.preferred));

  /** Tries the language that was asked for last again, if it could not be loaded. Never rejects. */
  async again() {
    return this.use(this.#wanted).catch(() => false);
  }

  /** @param {string} language */
  async #read(language) {
    const loading = this.#loading.get(language) ?? this.load(language);
    this.#loading.set(language, loading);
    try {
      return await loading;
    } catch (error) {
      if (this.#loading.get(language) === loading) this.#loading.delete(language);
      throw error;
    }
  }

  /** @param {Catalogue} english */
  #begin(english) {
    if (this.language === "en") this.#catalogue = english;
    this.english = english;
  }

  /** @param {string} language @param {Catalogue} catalogue */
  #change(language, catalogue) {
    if (language === this.language) return;
    this.language = language;
    this.#catalogue = catalogue;
    this.#parsed.clear();
    this.formatter = language === "en" ? this.#english : this.#formatterOf(language);
    for (const held of this.#roots) {
      const root = held.deref();
      if (root) this.#mark(root);
      else this.#roots.delete(held);
    }
    for (const listener of this.#listeners) listener();
  }

  /** The words for a key, in English if the language lacks them or they cannot be formatted. @param {string} key @param {Values} [values] */
  text(key, values = {}) {
    const own = Object.hasOwn(this.#catalogue, key) ? this.#catalogue[key] : undefined;
    try {
      if (own !== undefined) return this.formatter.directed(this.formatter.format(this.#parse(own), values));
    } catch (error) {
      if (this.#catalogue === this.english) throw error;
    }
    const english = Object.hasOwn(this.english, key) ? this.english[key] : undefined;
    if (english === undefined) throw new ReferenceError(`No words for ${key}`);
    return this.#english.format(this.#parse(english), values);
  }

  /** The words for a key in English; null if there are none, or if they cannot be formatted. @param {string} key @param {Values} values */
  inEnglish(key, values) {
    const english = Object.hasOwn(this.english, key) ? this.english[key] : undefined;
    try {
      return english === undefined ? null : this.#english.format(this.#parse(english), values);
    } catch {
      return null;
    }
  }

  /** @param {string} text */
  #parse(text) {
    const parts = this.#parsed.get(text) ?? parse(text);
    this.#parsed.set(text, parts);
    return parts;
  }

  /** Calls `listener` after each change of the language. Returns a function that ends this. @param {() => void} listener */
  onChange(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Sets the language and direction of an element, now and after each change.
   * @param {HTMLElement} root @param {{isLasting?: boolean}} [options] `isLasting`: whether the element is worded anew after a change
   */
  mark(root, { isLasting = true } = {}) {
    if (isLasting) this.#roots.add(new WeakRef(root));
    this.#mark(root);
    return root;
  }

  /** @param {HTMLElement} root */
  #mark(root) {
    root.lang = this.language;
    root.dir = directionOf(this.language);
  }
}
