// @ts-check
/** Numbers, plurals and foreign text, made ready to be shown. The words are English, so the numbers are too. */

/**
 * Made at first use: the first one of a page takes many milliseconds, and this is loaded when ComfyUI starts.
 * @type {{numbers: Intl.NumberFormat, plurals: Intl.PluralRules} | null}
 */
let english = null;
const inEnglish = () => (english ??= { numbers: new Intl.NumberFormat("en"), plurals: new Intl.PluralRules("en") });

/** @param {number} n */
export const number = (n) => inEnglish().numbers.format(n);

/**
 * The form that goes with a count, with `{n}` replaced by it.
 * @param {number} n
 * @param {string} one
 * @param {string} other
 */
export const plural = (n, one, other) =>
  (inEnglish().plurals.select(n) === "one" ? one : other).replaceAll("{n}", number(n));

/**
 * "18,402 completed, 2 failed": counts with their words; zeros are left out. The space inside a pair does not break.
 * @param {[number, string][]} parts
 */
export const tally = (parts) =>
  parts.filter(([n]) => n > 0).map(([n, word]) => `${number(n)}\u00a0${word}`).join(", ");

/**
 * Text that came from elsewhere, on one line: control characters and marks that turn the direction of writing become �.
 * @param {unknown} text
 * @param {number} [most] characters kept
 */
export function clean(text, most = 200) {
  const line = String(text ?? "").trim().replace(/\s+/g, " ").replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");
  const characters = [...line];
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : line;
}
