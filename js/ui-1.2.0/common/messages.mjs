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

/** The catalogue of one of LANGUAGES. @param {string} language @returns {Promise<Catalogue>} */
export const loadWords = async (language) => (await import(`../words/${language}.mjs`)).default;

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
  /** @type {Catalogue} */
  #catalogue;
  /** The last language that was asked for. */
  #wanted = "en";
  /** @type {Formatter} */
  #english;

  /**
   * @param {object} options
   * @param {Catalogue} options.english also the words for keys that another catalogue lacks
   * @param {(language: string) => Promise<Catalogue>} options.load the catalogue of one of LANGUAGES, but not of English
   * @param {readonly string[]} [options.preferred] `navigator.languages`
   */
  constructor({ english, load, preferred = [] }) {
    this.english = english;
    this.load = load;
    this.preferred = preferred;
    this.#catalogue = english;
    this.language = "en";
    this.formatter = new Formatter(regionOf("en", preferred));
    this.#english = this.formatter;
  }

  /**
   * Changes to the language of a locale, and loads its catalogue once. Resolves to whether that language is now shown: not if it
   * could not be loaded, which the next call tries again, or if a later call asked for another one meanwhile.
   * @param {unknown} locale
   */
  async use(locale) {
    const language = languageOf(locale);
    this.#wanted = language;
    if (language === this.language) return true;
    const catalogue = await this.#read(language);
    if (!catalogue || this.#wanted !== language) return false;
    this.#change(language, catalogue);
    return true;
  }

  /** Returns null if the catalogue could not be loaded. @param {string} language @returns {Promise<Catalogue | null>} */
  async #read(language) {
    if (language === "en") return this.english;
    const loading = this.#loading.get(language) ?? this.load(language);
    this.#loading.set(language, loading);
    try {
      return await loading;
    } catch {
      if (this.#loading.get(language) === loading) this.#loading.delete(language);
      return null;
    }
  }

  /** @param {string} language @param {Catalogue} catalogue */
  #change(language, catalogue) {
    if (language === this.language) return;
    this.language = language;
    this.#catalogue = catalogue;
    this.#parsed.clear();
    this.formatter = language === "en" ? this.#english : new Formatter(regionOf(language, this.preferred));
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
      if (own !== undefined) return this.formatter.format(this.#parse(own), values);
    } catch (error) {
      if (this.#catalogue === this.english) throw error;
    }
    const english = Object.hasOwn(this.english, key) ? this.english[key] : undefined;
    if (english === undefined) throw new ReferenceError(`No words for ${key}`);
    return this.#english.format(this.#parse(english), values);
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

  /** Sets the language and direction of an element, now and after each change. @param {HTMLElement} root */
  mark(root) {
    this.#roots.add(new WeakRef(root));
    this.#mark(root);
    return root;
  }

  /** @param {HTMLElement} root */
  #mark(root) {
    root.lang = this.language;
    root.dir = directionOf(this.language);
  }
}
