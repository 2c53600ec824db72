// @ts-check
/**
 * Parses and formats messages: the part of ICU MessageFormat that the catalogues need. No DOM.
 *
 * `{name}`  a text, or a number as the language writes it
 * `{n, plural, =0 {none} one {# job} other {# jobs}}`  `#` is the number; an exact number precedes a category
 * `{kind, select, a {…} other {…}}`  by a word
 * `{names, list}`, `{names, list, or}`, `{names, list, narrow}`  "a, b and c", "a, b or c", "a, b, c"
 * `{at, date}`, `{at, time, medium}`, `{at, datetime}`  milliseconds since 1970; styles: short, medium, long, full
 * `{n, relative, day}`  "yesterday", "in 2 days"; negative numbers are in the past
 * `{n, unit, minute}`, `{n, size}`  "12 min"; bytes as "2.1 MB"
 *
 * An apostrophe is a letter, except before a brace or `#`, which it quotes up to the next one, as in `'{'`; `''` is one apostrophe.
 */

/** @typedef {Readonly<Record<string, string | number | readonly string[]>>} Values */
/** @typedef {{name: string, kind: string, style: string, cases: Record<string, Part[]>}} Argument */
/** A text, the number of the plural around it, or an argument. @typedef {string | typeof HASH | Argument} Part */

const HASH = Symbol("#");
const LENGTHS = ["short", "medium", "long", "full"];
/** The kinds of arguments and their styles. The first style is the default. @type {Record<string, string[]>} */
const STYLES = {
  plural: [""], select: [""], size: [""],
  list: ["and", "or", "narrow"],
  date: ["long", ...LENGTHS], time: LENGTHS, datetime: ["long", ...LENGTHS],
  relative: ["day", "second", "minute", "hour", "week", "month", "year"],
  unit: ["second", "minute", "hour", "day", "megabyte"],
};

class Parser {
  #at = 0;
  #text;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  /** @param {string} what @returns {never} */
  #fail(what) {
    throw new SyntaxError(`${what} at ${this.#at} in: ${this.#text}`);
  }

  /** Moves behind what a sticky pattern matches, and returns its first group. @param {RegExp} pattern @param {string} what it stands for */
  #take(pattern, what) {
    pattern.lastIndex = this.#at;
    const found = this.#text.match(pattern) ?? this.#fail(`No ${what}`);
    this.#at += found[0].length;
    return found[1] ?? "";
  }

  /** @param {string} character */
  #has(character) {
    const found = this.#text[this.#at] === character;
    if (found) this.#at += 1;
    return found;
  }

  /** @param {boolean} nested @param {boolean} inPlural @returns {Part[]} */
  message(nested, inPlural) {
    /** @type {Part[]} */
    const parts = [];
    while (this.#at < this.#text.length && !(nested && this.#text[this.#at] === "}")) {
      if (this.#has("}")) this.#fail("Unexpected }");
      else if (this.#has("{")) parts.push(this.#argument(inPlural));
      else if (inPlural && this.#has("#")) parts.push(HASH);
      else if (this.#has("'")) parts.push(this.#quoted(inPlural));
      else parts.push(this.#take(inPlural ? /([^{}'#]+)/y : /([^{}']+)/y, "text"));
    }
    return parts;
  }

  /** @param {boolean} inPlural */
  #quoted(inPlural) {
    if (this.#has("'") || !(inPlural ? /[{}#]/ : /[{}]/).test(this.#text[this.#at] ?? "")) return "'";
    return this.#take(/((?:[^']|'')*)(?:'|$)/y, "quoted text").replaceAll("''", "'");
  }

  /** @param {boolean} inPlural @returns {Argument} */
  #argument(inPlural) {
    const name = this.#take(/\s*([a-z]\w*)\s*/y, "name");
    const kind = this.#has(",") ? this.#take(/\s*([a-z]+)\s*/y, "kind") : "";
    const styles = kind ? Object.hasOwn(STYLES, kind) && STYLES[kind] || this.#fail(`Unknown kind ${kind}`) : [""];
    const choosing = kind === "plural" || kind === "select";
    const style = !choosing && this.#has(",") ? this.#take(/\s*([a-z]+)\s*/y, "style") : styles[0] ?? "";
    if (!styles.includes(style)) this.#fail(`Unknown style ${style}`);
    const cases = choosing ? this.#cases(kind === "plural", inPlural) : {};
    if (!this.#has("}")) this.#fail("No }");
    return { name, kind, style, cases };
  }

  /** @param {boolean} plural @param {boolean} inPlural @returns {Record<string, Part[]>} */
  #cases(plural, inPlural) {
    /** @type {Record<string, Part[]>} */
    const cases = Object.create(null);
    if (!this.#has(",")) this.#fail("No ,");
    do {
      const name = this.#take(plural ? /\s*(=\d+|zero|one|two|few|many|other)\s*\{/y : /\s*(\w+)\s*\{/y, "case");
      if (cases[name]) this.#fail(`A second case ${name}`);
      cases[name] = this.message(true, plural || inPlural);
      this.#take(/\}\s*/y, "}");
    } while (this.#text[this.#at] !== "}");
    return cases.other ? cases : this.#fail("No case other");
  }
}

/** Parses a message. Throws SyntaxError, which names the place, if it is malformed. @param {string} text */
export const parse = (text) => new Parser(text).message(false, false);

/** The arguments of a parsed message, also of its cases. @param {Part[]} parts @returns {Argument[]} */
export const argumentsOf = (parts) =>
  parts.flatMap((part) => (typeof part === "object" ? [part, ...argumentsOf(Object.values(part.cases).flat())] : []));

/** The direction in which a language is written. @param {string} locale */
export const directionOf = (locale) => (/^(ar|fa|he)\b/.test(locale) ? "rtl" : "ltr");

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const FIRST_LETTER = /\p{L}/u;
/** A value between marks that keep it from moving the words around it. */
const ISOLATED = /\u2068[^\u2068\u2069]*\u2069/g;
const LISTS = /** @type {const} */ ({ and: { type: "conjunction" }, or: { type: "disjunction" }, narrow: { type: "conjunction", style: "narrow" } });
const SIZES = ["kilobyte", "megabyte", "gigabyte", "terabyte"];

/** Formats values and parsed messages as one language does. */
export class Formatter {
  /** @type {Map<string, any>} */
  #made = new Map();

  /**
   * @param {string} locale a language with or without a region; RangeError if it is no language tag
   * @param {string} [dates] the locale that writes dates and times
   */
  constructor(locale, dates = locale) {
    this.locale = locale;
    this.dates = dates;
    this.isRightToLeft = directionOf(locale) === "rtl";
    this.plurals = new Intl.PluralRules(locale);
  }

  /** Creates each object of Intl once: that is slow. @template T @template O @param {new (locale: string, options: O) => T} type @param {O} options @param {string} [locale] @returns {T} */
  #intl(type, options, locale = this.locale) {
    const key = type.name + JSON.stringify(options);
    if (!this.#made.has(key)) this.#made.set(key, new type(locale, options));
    return this.#made.get(key);
  }

  /** Keeps a text that may run in another direction from moving the words around it. @param {string} text */
  isolate = (text) => (text && (this.isRightToLeft || RIGHT_TO_LEFT.test(text)) ? `\u2068${text}\u2069` : text);

  /**
   * Lets words run in the direction of their language if they begin with letters of the other direction, such as the name of a product or
   * of a file. For `dir="auto"`, browsers find the direction of a text by its first letter, even if that is isolated.
   * @param {string} words
   */
  directed(words) {
    if (!this.isRightToLeft) return words;
    if (!RIGHT_TO_LEFT.test(words)) return words;
    // CSS looks for the first letter that is not isolated.
    let own = words;
    for (let before = ""; before !== own; ) [before, own] = [own, own.replace(ISOLATED, "")];
    const begins = RIGHT_TO_LEFT.test(words.match(FIRST_LETTER)?.[0] ?? "") && FIRST_LETTER.test(own);
    return begins ? words : `\u200f${words}`;
  }

  /** @param {number} n @param {Intl.NumberFormatOptions} [options] */
  number = (n, options = {}) => this.#intl(Intl.NumberFormat, options).format(n);

  /** "12 min", "4.5 MB". @param {number} n @param {string} unit as Intl names it */
  unit = (n, unit) => this.number(n, { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: n < 9.95 ? 1 : 0 });

  /** "812 KB", "2.1 MB", with 1 KB = 1000 bytes. Intl writes "kB", ComfyUI "KB". @param {number} bytes */
  size(bytes) {
    let [size, at] = [bytes > 0 ? Math.max(0.1, bytes / 1000) : 0, 0];
    while (size >= 999.5 && at < SIZES.length - 1) [size, at] = [size / 1000, at + 1];
    return this.unit(size, SIZES[at] ?? "").replace("kB", "KB");
  }

  /** "a, b and c"; with "narrow", "a, b, c". @param {readonly string[]} items @param {keyof typeof LISTS} [style] */
  list = (items, style = "and") => this.#intl(Intl.ListFormat, LISTS[style]).format(items.map(this.isolate));

  /** @param {number} at milliseconds since 1970 @param {Intl.DateTimeFormatOptions} options */
  date = (at, options) => this.#intl(Intl.DateTimeFormat, options, this.dates).format(at);

  /** "yesterday", "12 minutes ago". @param {number} n @param {Intl.RelativeTimeFormatUnit} unit */
  relative = (n, unit) => this.#intl(Intl.RelativeTimeFormat, { numeric: "auto" }).format(n, unit);

  /** Throws TypeError if a value is missing or is none of its kind. @param {Part[]} parts @param {Values} values @param {number} [hash] @returns {string} */
  format(parts, values, hash = 0) {
    return parts.map((part) => {
      if (typeof part === "string") return part;
      return part === HASH ? this.number(hash) : this.#argument(part, values, hash);
    }).join("");
  }

  /** @param {Argument} argument @param {Values} values @param {number} hash */
  #argument({ name, kind, style, cases }, values, hash) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    const given = /** @type {any} */ (style);
    if (typeof value === "string") {
      if (kind === "") return this.isolate(value);
      if (kind === "select") return this.format(cases[value] ?? cases.other ?? [], values, hash);
    } else if (typeof value === "number") {
      switch (kind) {
        case "": return this.number(value);
        case "plural": return this.format(cases[`=${value}`] ?? cases[this.plurals.select(value)] ?? cases.other ?? [], values, value);
        case "unit": return this.unit(value, style);
        case "size": return this.size(value);
        case "date": return this.date(value, { dateStyle: given });
        case "time": return this.date(value, { timeStyle: given });
        case "datetime": return this.date(value, { dateStyle: given, timeStyle: "short" });
        case "relative": return this.relative(value, given);
      }
    } else if (value && kind === "list") return this.list(value, given);
    throw new TypeError(`No usable value for ${name}`);
  }
}
