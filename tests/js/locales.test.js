import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { importMain } from "./comfyui.js";

const { MENU, SETTINGS } = await importMain();

const root = new URL("../../locales/", import.meta.url);
const read = (language, file) => JSON.parse(readFileSync(new URL(`${language}/${file}.json`, root), "utf8"));
const languages = readdirSync(root);

test("every language translates every menu entry and command, and no removed one", () => {
  assert.ok(languages.includes("en") && languages.length > 5);
  for (const language of languages) {
    assert.deepEqual(Object.keys(read(language, "main").menuLabels), [MENU.group, MENU.open, MENU.clear, MENU.connect], language);
    assert.deepEqual(Object.keys(read(language, "commands")), ["CloudHistory_Open", "CloudHistory_Clear", "CloudHistory_Connect"], language);
  }
});

test("every language translates every setting, and the English names match the code", () => {
  const source = readFileSync(new URL("../../js/main.js", import.meta.url), "utf8");
  const ids = [...source.matchAll(/onServer\("(\w+)"/g)].map(([, name]) => `CloudHistory_${name}`);
  assert.ok(ids.length >= 5);
  for (const language of languages) {
    const settings = read(language, "settings");
    assert.deepEqual(Object.keys(settings), [...ids, "CloudHistory_ShowActionBarButton"], language);
    for (const { name } of Object.values(settings)) assert.ok(name, language);
    assert.deepEqual(Object.keys(read(language, "main").settingsCategories), [MENU.group], language);
  }
  assert.deepEqual(Object.values(read("en", "settings")).map(({ name }) => name), Object.values(SETTINGS));
});

test("a menu entry that opens a dialog ends in … in every language", () => {
  for (const language of languages) {
    const { CloudHistory_Open: open, ...others } = read(language, "commands");
    assert.doesNotMatch(open.label, /…$/, language);
    for (const { label } of Object.values(others)) assert.match(label, /…$/, `${language}: ${label}`);
  }
});
