import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { FINISHED, GROUPS, groupOf, isActive, STATUSES, statusWord } from "#ui/common/status.mjs";

const js = new URL("../../js/", import.meta.url);

test("no browser module imports itself through other modules", () => {
  const files = readdirSync(js, { recursive: true }).filter((name) => name.endsWith(".mjs"));
  const imports = new Map(files.map((name) => {
    const text = readFileSync(new URL(name, js), "utf8");
    return [name, [...text.matchAll(/^(?:import|export) .* from "(\..+)";$/gm)].map(([, path]) => new URL(path, new URL(name, js)).href.slice(js.href.length))];
  }));
  assert.ok(files.length > 40);
  const done = new Set();
  const walk = (name, path) => {
    assert.ok(!path.includes(name), [...path, name].join(" → "));
    if (done.has(name)) return;
    for (const next of imports.get(name)) walk(next, [...path, name]);
    done.add(name);
  };
  for (const name of files) walk(name, []);
});

test("ComfyUI loads less than 15,000 bytes of scripts at its start", () => {
  const atStart = readdirSync(js, { recursive: true }).filter((name) => name.endsWith(".js"));
  assert.deepEqual(atStart.sort(), ["main.js", "node_report.js"]);
  const size = atStart.reduce((sum, name) => sum + readFileSync(new URL(name, js)).length, 0);
  assert.ok(size < 15_000, `${size} bytes: move what is not needed at the start into an .mjs file`);
});

test("every status is finished, active or unknown, and a status from a newer server is shown as unknown", () => {
  for (const [name, { finished }] of Object.entries(STATUSES)) assert.equal(finished, !isActive(name) && name !== "unknown", name);
  assert.deepEqual(GROUPS, [...FINISHED, "active"]);
  assert.deepEqual([groupOf("enchanted"), statusWord({ status: "unknown", raw: "ENCHANTED" })], ["unknown", "Unknown (ENCHANTED)"]);
});
