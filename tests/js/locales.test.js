import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { MENU } from "../../js/start_words.js";

const root = new URL("../../locales/", import.meta.url);
const read = (language, file) => JSON.parse(readFileSync(new URL(`${language}/${file}.json`, root), "utf8"));
const languages = readdirSync(root);

test("every language translates every menu entry and command, and nothing that is gone", () => {
  assert.ok(languages.includes("en") && languages.length > 5);
  for (const language of languages) {
    assert.deepEqual(Object.keys(read(language, "main").menuLabels), [MENU.group, MENU.open, MENU.clear, MENU.connect], language);
    assert.deepEqual(Object.keys(read(language, "commands")), ["CloudHistory_Open", "CloudHistory_Clear", "CloudHistory_Connect"], language);
  }
});

test("an entry that opens a dialog ends in … in every language", () => {
  for (const language of languages) {
    const { CloudHistory_Open: open, ...others } = read(language, "commands");
    assert.doesNotMatch(open.label, /…$/, language);
    for (const { label } of Object.values(others)) assert.match(label, /…$/, `${language}: ${label}`);
  }
});
