import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import english from "#ui/words/en.mjs";

const root = new URL("../../js/ui-1.2.0/", import.meta.url);
const sources = readdirSync(root, { recursive: true })
  .filter((path) => path.endsWith(".mjs") && !path.startsWith("words"))
  .map((path) => ({ path, source: readFileSync(new URL(path.replaceAll("\\", "/"), root), "utf8").replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "") }));
const all = sources.map(({ source }) => source).join("\n");
const ROOMS = new Set(Object.keys(english).map((key) => key.split(".")[0]));

/** Keys as they are written, and patterns of those that are put together. */
const written = [...all.matchAll(/"([a-z]+(?:\.[a-z0-9_]+)+)"/g)].map(([, key]) => key).filter((key) => ROOMS.has(key.split(".")[0]));
const patterns = [...all.matchAll(/`([a-z]+\.[a-z0-9_.]*\$\{[^`]*)`/g)].map(([, key]) => new RegExp(`^${key.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(".", "\\.")).join("[a-z0-9_]+")}$`));

test("each of the words in English is used", () => {
  const used = new Set(written);
  assert.deepEqual(Object.keys(english).filter((key) => !used.has(key) && !patterns.some((pattern) => pattern.test(key))), []);
});

test("each key of words that is used is in English", () => {
  assert.deepEqual(written.filter((key) => !Object.hasOwn(english, key) && !/\.(mjs|css|js)$/.test(key)), []);
  for (const pattern of patterns) assert.ok(Object.keys(english).some((key) => pattern.test(key)), String(pattern));
});

test("no sentence on screen is outside of the words", () => {
  for (const { path, source } of sources) {
    const said = source.replace(/new \w*Error\(.*|#fail\(.*/g, "").match(/["`>][A-Z][a-zé’]+(?: [a-z’]+)+[.?…,: ]*["`$<]/);
    assert.equal(said, null, `${path}: ${said?.[0]}`);
  }
});
