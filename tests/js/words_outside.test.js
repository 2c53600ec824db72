import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../js/ui-1.2.0/", import.meta.url);
const sources = readdirSync(root, { recursive: true })
  .filter((path) => path.endsWith(".mjs") && !path.startsWith("words"))
  .map((path) => ({ path, source: readFileSync(new URL(path.replaceAll("\\", "/"), root), "utf8").replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, "") }));

test("no sentence on screen is outside of the words", () => {
  for (const { path, source } of sources) {
    const said = source.replace(/new \w*Error\(.*|#fail\(.*/g, "").match(/["`>][A-Z][a-zé’]+(?: [a-z’]+)+[.?…,: ]*["`$<]/);
    assert.equal(said, null, `${path}: ${said?.[0]}`);
  }
});
