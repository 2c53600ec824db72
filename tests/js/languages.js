import { readFileSync } from "node:fs";
import { LANGUAGES, loadWords } from "#ui/common/messages.mjs";

const root = new URL("../../", import.meta.url);

/** Text of a file of this checkout. */
export const read = (path) => readFileSync(new URL(path, root), "utf8");

/** Reads the files of the panel, where a browser would ask ComfyUI, which has no routes of this pack here. @type {import("#ui/common/messages.mjs").Read} */
export const readFile = async (address) =>
  address instanceof URL ? { ok: true, json: async () => JSON.parse(readFileSync(address, "utf8")) } : { ok: false, json: async () => null };

/** The catalogue of a language. */
export const wordsOf = (language) => loadWords(language, readFile);

/** The languages into which English is translated. */
export const TRANSLATIONS = LANGUAGES.filter((language) => language !== "en");

/** All texts of nested objects, by their path: `{"a.b": "text"}`. */
export const flat = (value, path = "") =>
  typeof value === "string" ? { [path]: value } : Object.assign({}, ...Object.entries(value).map(([key, each]) => flat(each, path ? `${path}.${key}` : key)));

const ENGLISH_WORDS = /(?<!\p{L})(the|and|of|with|that|this|is|are|not|your|which|from|jobs|deleted?|keep|kept|nothing|what|would|says?|each|only|when|will|if|than|were|have|its?|value|how|many)(?!\p{L})/iu;
/** What is written alike in all languages: options, paths, identifiers, abbreviations, names, and terms that other scripts write in Latin letters too. */
const ALIKE = [
  /--[a-z-]+/, /(?<!\w)[~/$.][\w./]+/, /\w+_[\w.=]+/, /(?<![A-Za-z])([A-Z]{2,}\d*s?|[kMG]B)(?![A-Za-z])/,
  /\b(ComfyUI|Comfy Cloud History|Comfy Cloud|Cloud|Python|pip install|jsonschema|nginx|Windows|Host|localhost|https?|Control Z|Ctrl|Free|true|backups|hash|finished|setting)\b/,
];
const LATIN = new RegExp(ALIKE.map(({ source }) => source).join("|"), "g");
const OWN = { fa: /(workflow|node)(?=ها|ی|\s|[.،؛:»…)\u2069]|$)/g };
const LATIN_LANGUAGES = ["fr", "es", "tr", "pt-BR", "it"];

/** English that was left in a translated text, or "". Code, options in `*…*` and placeholders are no English. */
export function englishIn(text, language) {
  const own = text.replace(/`[^`]*`|\*[a-z ]+\*|"false"|\{[^{}]*[},]/g, " ").replace(LATIN, " ").replace(OWN[language] ?? /$^/, " ");
  const found = own.match(LATIN_LANGUAGES.includes(language) ? ENGLISH_WORDS : /[A-Za-z]{2,}/);
  return found ? `${found[0]} in: ${text}` : "";
}
