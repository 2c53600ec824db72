import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { argumentsOf, Formatter, parse } from "#ui/common/message_format.mjs";
import { LANGUAGES } from "#ui/common/messages.mjs";
import { englishIn, read, TRANSLATIONS, wordsOf } from "./languages.js";

/** As sent by a server that compresses. */
const MAX_BYTES = 40_000;
const english = await wordsOf("en");
const kinds = (text) => [...new Set(argumentsOf(parse(text)).map(({ name, kind, style }) => `${name} ${kind} ${style}`))].sort();
/** The texts of a message and of its cases, without arguments. */
const spoken = (parts) => parts.flatMap((part) => (typeof part === "string" ? [part] : Object.values(part.cases ?? {}).flatMap(spoken)));
/** A value for each argument of a message. */
const values = (text, n) =>
  Object.fromEntries(argumentsOf(parse(text)).map(({ name, kind }) => [name, kind === "list" ? ["a", "b"] : kind && kind !== "select" ? n : "x"]));

/** Texts that are the same in English and in all other languages, or in one of them. */
const SAME_IN_ALL = ["Ctrl", "Del", "3D"];
const UNITS = ["{n} s", "{n} min", "{n} h", "{hours} h {minutes} min", "{size}/s"];
const SAME = {
  fr: ["Workflow", "Workflows", "Menu", "Active", "Version", "Audio", "Image", "Protection", "{size}/s"],
  es: UNITS,
  tr: ["Panel", "Video"],
  "pt-BR": [...UNITS, "Status"],
  it: ["Workflow", "Menu", "Audio", "Video", "Backup, {size}", "Job", "Job {name}", "Server", "Account", "Traceback", "In {place}.", "{size}/s"],
};

test("there is one catalogue for each language, small enough to load at its first use", () => {
  const folder = new URL("../../js/ui-1.2.0/words/", import.meta.url);
  const files = readdirSync(folder);
  assert.deepEqual(files.sort(), LANGUAGES.map((language) => `${language}.json`).sort());
  for (const file of files) assert.ok(gzipSync(readFileSync(new URL(file, folder))).length < MAX_BYTES, file);
});

test("all catalogues are written alike: flat, and sorted by their keys", () => {
  for (const language of LANGUAGES) {
    const source = read(`js/ui-1.2.0/words/${language}.json`);
    const words = JSON.parse(source);
    const sorted = Object.fromEntries(Object.keys(words).sort().map((key) => [key, words[key]]));
    assert.equal(source, `${JSON.stringify(sorted, null, 2).replaceAll("\u00a0", "\\u00a0")}\n`, language);
    for (const text of Object.values(words)) assert.equal(typeof text, "string");
  }
});

for (const language of TRANSLATIONS) {
  test(`the words in ${language} have every key of English, with the same values, and leave no text in English`, async () => {
    const own = await wordsOf(language);
    assert.deepEqual(Object.keys(own), Object.keys(english));
    for (const [key, text] of Object.entries(own)) {
      assert.deepEqual(kinds(text), kinds(english[key]), key);
      assert.ok(text !== english[key] || !spoken(parse(text)).some((each) => /\p{L}/u.test(each)) || [...SAME_IN_ALL, ...(SAME[language] ?? [])].includes(text), `${key}: ${text}`);
      for (const each of spoken(parse(text))) assert.ok(text === english[key] || !englishIn(each, language), `${key}: ${each}`);
    }
  });

  test(`the words in ${language} have every plural form of the language and no other one, and can all be said`, async () => {
    const formatter = new Formatter(language);
    const forms = formatter.plurals.resolvedOptions().pluralCategories.sort();
    for (const [key, text] of Object.entries(await wordsOf(language))) {
      for (const { kind, cases } of argumentsOf(parse(text))) {
        const own = Object.keys(cases).filter((name) => !name.startsWith("=")).sort();
        // Where no form has a number, all but the exact ones may be alike.
        const areAlike = own.length === 1 && !Object.values(cases).flat().some((part) => typeof part === "symbol");
        if (kind === "plural" && !areAlike) assert.deepEqual(own, forms, key);
      }
      for (const n of [0, 1, 2, 3, 11, 100, 1_000_000]) assert.ok(formatter.format(parse(text), values(text, n)), key);
    }
  });
}

test("a form of the plural that has no number stands for one number only, unless English leaves the number out", async () => {
  const formatters = new Map(["en", ...TRANSLATIONS].map((language) => [language, new Formatter(language)]));
  /** What a message says for numbers up to 129. */
  const said = (language, text, name) => {
    const [message, others] = [parse(text), values(text, 1)];
    return Array.from({ length: 130 }, (_, n) => formatters.get(language).format(message, { ...others, [name]: n }));
  };
  const isNumbered = (language, text, name) => new Set(said(language, text, name)).size === 130;
  for (const [key, source] of Object.entries(english)) {
    for (const { name, kind } of argumentsOf(parse(source))) {
      if (kind !== "plural") continue;
      const numbered = isNumbered("en", source, name);
      for (const language of TRANSLATIONS) {
        const { [key]: text } = await wordsOf(language);
        if (numbered) assert.ok(isNumbered(language, text, name), `${language} ${key}`);
        // The words for one job must not be said of 21.
        else if (formatters.get(language).plurals.resolvedOptions().pluralCategories.length > 1) {
          const [, one, ...others] = said(language, text, name);
          assert.ok(!others.includes(one), `${language} ${key}`);
        }
      }
    }
  }
});

test("the keys name a room and a thing", () => {
  for (const key of Object.keys(english)) assert.match(key, /^[a-z]+(\.[a-z0-9_]+)+$/);
});

const ui = new URL("../../js/ui-1.2.0/", import.meta.url);
const code = readdirSync(ui, { recursive: true }).filter((name) => name.endsWith(".mjs") && !name.startsWith("words")).map((name) => readFileSync(new URL(name, ui), "utf8")).join("\n");
/** The texts in the code that look like keys. */
const named = new Set([...code.matchAll(/"([a-z]+(?:\.[a-z0-9_]+)+)"/g)].map(([, key]) => key));
/** The keys of which the code puts a part in: `list.count.${name}`. */
const composed = [...code.matchAll(/`([a-z]+\.[a-z0-9_.]*)\$\{[^}]*\}([a-z0-9_.]*)`/g)].map(([, head, tail]) => new RegExp(`^${head}[a-z0-9_]+${tail}$`));

test("the code names no words that English lacks", () => {
  const rooms = new Set(Object.keys(english).map((key) => key.split(".")[0]));
  assert.deepEqual([...named].filter((key) => rooms.has(key.split(".")[0]) && !Object.hasOwn(english, key)), []);
  for (const pattern of composed) assert.ok(Object.keys(english).some((key) => pattern.test(key)), pattern);
});

test("the code uses all words in English", () => {
  assert.deepEqual(Object.keys(english).filter((key) => !named.has(key) && !composed.some((pattern) => pattern.test(key))), []);
});

test("English can say all its words", () => {
  for (const [key, text] of Object.entries(english)) {
    for (const n of [0, 1, 2]) assert.ok(new Formatter("en").format(parse(text), values(text, n)), key);
  }
});
