import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { test } from "node:test";
import { argumentsOf, Formatter, parse } from "#ui/common/message_format.mjs";
import { LANGUAGES, loadWords } from "#ui/common/messages.mjs";
import { englishIn, TRANSLATIONS } from "./languages.js";

const MAX_BYTES = 40_000;
const english = await loadWords("en");
const kinds = (text) => [...new Set(argumentsOf(parse(text)).map(({ name, kind, style }) => `${name} ${kind} ${style}`))].sort();
/** The texts of a message and of its cases, without arguments. */
const spoken = (parts) => parts.flatMap((part) => (typeof part === "string" ? [part] : Object.values(part.cases ?? {}).flatMap(spoken)));
/** A value for each argument of a message. */
const values = (text, n) =>
  Object.fromEntries(argumentsOf(parse(text)).map(({ name, kind }) => [name, kind === "list" ? ["a", "b"] : kind && kind !== "select" ? n : "x"]));

/** Words that are the same in English and in another language. */
const SAME = { fr: ["Workflows"] };

test("there is one catalogue for each language, small enough to load at its first use", () => {
  const folder = new URL("../../js/ui-1.2.0/words/", import.meta.url);
  const files = readdirSync(folder);
  assert.deepEqual(files.sort(), LANGUAGES.map((language) => `${language}.mjs`).sort());
  for (const file of files) assert.ok(statSync(new URL(file, folder)).size < MAX_BYTES, file);
});

for (const language of TRANSLATIONS) {
  test(`the words in ${language} have the keys of English, with the same values, and leave no text in English`, async () => {
    const own = await loadWords(language);
    assert.deepEqual(Object.keys(own), Object.keys(english));
    for (const [key, text] of Object.entries(own)) {
      assert.deepEqual(kinds(text), kinds(english[key]), key);
      assert.ok(text !== english[key] || SAME[language]?.includes(text), `${key}: ${text}`);
      for (const each of spoken(parse(text))) assert.ok(text === english[key] || !englishIn(each, language), `${key}: ${each}`);
    }
  });

  test(`the words in ${language} have every plural form of the language and no other one, and can all be said`, async () => {
    const formatter = new Formatter(language);
    const forms = formatter.plurals.resolvedOptions().pluralCategories.sort();
    for (const [key, text] of Object.entries(await loadWords(language))) {
      for (const { kind, cases } of argumentsOf(parse(text))) {
        if (kind === "plural") assert.deepEqual(Object.keys(cases).filter((name) => !name.startsWith("=")).sort(), forms, key);
      }
      for (const n of [0, 1, 2, 3, 11, 100, 1_000_000]) assert.ok(formatter.format(parse(text), values(text, n)), key);
    }
  });
}

test("a form of the plural that has no number stands for one number only", async () => {
  for (const language of LANGUAGES) {
    const formatter = new Formatter(language);
    for (const [key, text] of Object.entries(await loadWords(language))) {
      if (!argumentsOf(parse(text)).some(({ kind }) => kind === "plural")) continue;
      const said = Array.from({ length: 130 }, (_, n) => formatter.format(parse(text), { n }));
      assert.equal(new Set(said).size, said.length, `${language} ${key}`);
    }
  }
});

test("English can say all its words", () => {
  for (const [key, text] of Object.entries(english)) {
    for (const n of [0, 1, 2]) assert.ok(new Formatter("en").format(parse(text), values(text, n)), key);
  }
});
