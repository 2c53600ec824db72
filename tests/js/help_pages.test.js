import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { directionOf } from "#ui/common/message_format.mjs";
import { englishIn, read, TRANSLATIONS, wordsOf } from "./languages.js";

const docs = new URL("../../js/docs/", import.meta.url);
const NODES = Object.keys(JSON.parse(read("locales/en/nodeDefs.json")));
/** The names on screen that the English pages give, and the keys of their words. */
const ON_SCREEN = {
  Delete: "deletion.delete", Skip: "approval.skip", "Recently deleted": "audit.title",
  "Ask first": "settings.nodes.ask", Always: "settings.nodes.allow", Never: "settings.nodes.never",
};

/** A page in a language that is written from right to left is wrapped in an element that says so: ComfyUI does not. */
const pageIn = (language, node) => {
  const page = read(`js/docs/${node}/${language}.md`);
  if (directionOf(language) === "ltr") return page;
  const [, content] = /^<div dir="rtl">\n\n(.*\n)\n<\/div>\n$/s.exec(page) ?? assert.fail(`${language}: ${node}`);
  return content;
};
const code = (page) => [...page.matchAll(/`[^`]+`/g)].map(([span]) => span).sort();
/** The kind of each block: headings, table rows, list items, paragraphs. */
const shape = (page) =>
  page.trim().split(/\n(?=\n|[|#-])/).map((block) => /^\n?(#+|\||-|)/.exec(block)[1]).filter((kind, at, all) => kind || all[at - 1] !== undefined);
const rows = (page) => [...page.matchAll(/^\| `(\w+)`(?: \((.+?)\))? \|/gm)].map(([, id, label]) => [id, label]);
const marked = (page) => [...page.matchAll(/\*\*(.+?)\*\*|\*([^*]+)\*/g)].map(([, bold, italic]) => bold ?? italic);

test("every node has an English page, which ComfyUI shows where a language has none, and a page in each other language", () => {
  for (const node of NODES) {
    assert.ok(existsSync(new URL(`${node}.md`, docs)), node);
    assert.deepEqual(readdirSync(new URL(`${node}/`, docs)).sort(), TRANSLATIONS.map((language) => `${language}.md`).sort(), node);
  }
});

for (const language of TRANSLATIONS) {
  test(`the help pages in ${language} say all that the English ones say, with the labels of the nodes`, () => {
    const nodes = JSON.parse(read(`locales/${language}/nodeDefs.json`).replace(/\\u206[79]/g, ""));
    for (const node of NODES) {
      const [page, english] = [pageIn(language, node), read(`js/docs/${node}.md`)];
      assert.deepEqual(code(page), code(english), node);
      assert.deepEqual(shape(page), shape(english), node);
      assert.ok(page.startsWith(`# ${nodes[node].display_name}\n`), node);
      const labels = [...Object.entries(nodes[node].inputs).map(([id, { name }]) => [id, name]), ...Object.values(nodes[node].outputs).map(({ name }, at) => [rows(english).at(at - Object.keys(nodes[node].outputs).length)[0], name])];
      assert.deepEqual(rows(page), labels.map(([id, name]) => [id, name === id ? undefined : name]), node);
      assert.deepEqual(page.split("\n").map((line) => englishIn(line, language)).filter(Boolean), [], node);
    }
  });

  test(`the help pages in ${language} name buttons, pages and settings as the screen does`, async () => {
    const words = await wordsOf(language);
    const { CloudHistory_WorkflowsMayDelete: mayDelete } = JSON.parse(read(`locales/${language}/settings.json`));
    const { "Cloud history": group } = JSON.parse(read(`locales/${language}/main.json`));
    for (const node of NODES) {
      const [page, english] = [marked(read(`js/docs/${node}/${language}.md`)), marked(read(`js/docs/${node}.md`))];
      assert.equal(page.length, english.length, node);
      for (const text of english) {
        if (text in ON_SCREEN) assert.ok(page.includes(words[ON_SCREEN[text]]), `${node}: ${text}`);
        if (text.endsWith("> Workflows may delete")) assert.ok(page.some((each) => each.endsWith(`> ${group} > ${mayDelete.name}`)), node);
        if (text === "More > Clean up…") assert.ok(page.includes(`${words["list.more"]} > ${words["list.clean_up"]}`), node);
        if (/^[a-z ]+$/.test(text)) assert.ok(page.includes(text), `${node}: the option ${text} stays in English on the node`);
      }
    }
  });
}
