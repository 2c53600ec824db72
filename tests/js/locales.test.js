import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { directionOf } from "#ui/common/message_format.mjs";
import { LANGUAGES } from "#ui/common/messages.mjs";
import { importMain } from "./comfyui.js";
import { englishIn, flat, read, TRANSLATIONS } from "./languages.js";

const { MENU, SETTINGS } = await importMain();

const FILES = ["commands", "main", "nodeDefs", "settings"];
const locale = (language, file) => JSON.parse(read(`locales/${language}/${file}.json`));
const texts = (language) => flat(Object.fromEntries(FILES.map((file) => [file, locale(language, file)])));
const english = texts("en");

/** Words that are the same in English and in another language. */
const SAME = { fr: ["Cloud"], it: ["Cloud"], "pt-BR": ["status"] };

test("the languages are those of ComfyUI, each with every file", () => {
  const languages = readdirSync(new URL("../../locales/", import.meta.url));
  assert.deepEqual(languages.sort(), [...LANGUAGES].sort());
  for (const language of languages) assert.deepEqual(readdirSync(new URL(`../../locales/${language}/`, import.meta.url)).sort(), FILES.map((file) => `${file}.json`), language);
});

test("every menu entry and command is translated where ComfyUI looks for it, and no removed one", () => {
  const { menuLabels, contextMenu, nodeCategories, settingsCategories, ...sidebar } = locale("en", "main");
  assert.deepEqual(Object.keys(menuLabels), [MENU.group, MENU.open, MENU.clear, MENU.connect]);
  assert.deepEqual(Object.keys(contextMenu), Object.keys(menuLabels));
  assert.deepEqual(Object.keys(settingsCategories), [MENU.group]);
  assert.deepEqual(Object.keys(nodeCategories), ["cloud history"]);
  assert.deepEqual(Object.keys(sidebar), [MENU.tab, MENU.group]);
  assert.deepEqual(Object.keys(locale("en", "commands")), ["CloudHistory_Open", "CloudHistory_Clear", "CloudHistory_Connect"]);
});

test("every setting is translated, and the English names match the code", () => {
  const ids = [...read("js/main.js").matchAll(/onServer\("(\w+)"/g)].map(([, name]) => `CloudHistory_${name}`);
  assert.ok(ids.length >= 5);
  assert.deepEqual(Object.keys(locale("en", "settings")), [...ids, "CloudHistory_ShowActionBarButton"]);
  assert.deepEqual(Object.values(locale("en", "settings")).map(({ name }) => name), Object.values(SETTINGS));
});

for (const language of TRANSLATIONS) {
  test(`${language} has the keys of English in its order, and leaves no text in English`, () => {
    const own = texts(language);
    assert.deepEqual(Object.keys(own), Object.keys(english));
    const left = Object.entries(own).filter(([key, text]) => text === english[key] && !SAME[language]?.includes(text));
    assert.deepEqual(left, []);
    assert.deepEqual(Object.values(own).map((text) => englishIn(text, language)).filter(Boolean), []);
  });

  test(`${language} names each thing once: menus, commands and labels of nodes`, () => {
    const { menuLabels, contextMenu, settingsCategories, ...main } = locale(language, "main");
    assert.deepEqual(contextMenu, menuLabels);
    assert.deepEqual([main[MENU.group], settingsCategories[MENU.group]], [menuLabels[MENU.group], menuLabels[MENU.group]]);
    assert.deepEqual(Object.values(locale(language, "commands")).map(({ label }) => label), [menuLabels[MENU.open], menuLabels[MENU.clear], menuLabels[MENU.connect]]);
    const names = {};
    for (const { inputs, outputs } of Object.values(locale(language, "nodeDefs"))) {
      const english = Object.values(locale("en", "nodeDefs")).find((node) => Object.keys(node.inputs).join() === Object.keys(inputs).join());
      for (const [id, { name }] of Object.entries(inputs)) assert.equal(names[id] ??= name, name, id);
      for (const [at, { name }] of Object.entries(outputs)) assert.equal(names[english.outputs[at].name] ??= name, name, name);
    }
  });

  test(`${language} names inputs and outputs in tooltips as on the nodes, and the settings as in the menu`, () => {
    const [own, from] = [locale(language, "nodeDefs"), locale("en", "nodeDefs")];
    for (const [id, node] of Object.entries(from)) {
      for (const [input, { tooltip }] of Object.entries(node.inputs)) {
        if (tooltip.includes(`Settings > ${MENU.group}`)) assert.ok(own[id].inputs[input].tooltip.includes(` > ${locale(language, "main")[MENU.group]}`), input);
      }
      for (const [at, { tooltip }] of Object.entries(node.outputs)) {
        if (tooltip.includes("“after”")) assert.ok(own[id].outputs[at].tooltip.includes(own[id].inputs.after.name), at);
      }
    }
  });
}

test("a menu entry that opens a dialog ends in … in every language", () => {
  for (const language of LANGUAGES) {
    const { CloudHistory_Open: open, ...others } = locale(language, "commands");
    assert.doesNotMatch(open.label, /…$/, language);
    for (const { label } of Object.values(others)) assert.match(label, /…$/, `${language}: ${label}`);
  }
});

test("sentences and mixed labels on nodes keep their word order in a language that is written from right to left", () => {
  // ComfyUI shows them without a direction.
  for (const language of TRANSLATIONS) {
    for (const [key, text] of Object.entries(flat(locale(language, "nodeDefs")))) {
      const isolated = /^\u2067[^\u2067\u2069]+\u2069$/.test(text);
      const mixed = /description$|tooltip$/.test(key) || /[A-Za-z]/.test(text);
      assert.equal(isolated, directionOf(language) === "rtl" && mixed, `${language} ${key}`);
    }
  }
});

test("no text has a character with a meaning in ComfyUI's messages", () => {
  for (const language of LANGUAGES) {
    for (const [key, text] of Object.entries(texts(language))) assert.doesNotMatch(text, /[@{}|]/, `${language} ${key}`);
  }
});
