import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { jobName } from "#ui/common/names.mjs";
import { searcher, searchesOnlyHere } from "#ui/common/search.mjs";
import { words } from "#ui/common/words.mjs";

const AT = new Date(2026, 10, 28, 18, 37).getTime();
const job = (rest = {}) => ({ id: "7f3a9c21-aaaa", status: "failed", raw: "", created: AT, name: "", workflow_id: "wf-1", error: null, ...rest });
const nameOf = (id) => (id === "wf-1" ? "Portrait of Mira" : "");

test("a search finds each word by the same rule as the server", () => {
  // tests/jobs/test_filters.py reads the same cases.
  const groups = JSON.parse(readFileSync(new URL("../../jobs/search_cases.json", import.meta.url), "utf8"));
  for (const { job: row, cases } of groups) {
    for (const [search, found] of cases) assert.equal(searcher(search, null)({ ...row, created: AT }), found, `${row.status}: ${JSON.stringify(search)}`);
  }
});

test("every word in the name of a job on screen finds the job", () => {
  const error = { message: "no memory", type: "", node_type: "KSampler", node_id: "3" };
  const jobs = [job(), job({ error }), job({ status: "cancelled", created: null }), job({ status: "in_progress" }), job({ status: "unknown", raw: "paused" }), job({ name: "mira_cover_0001.png" })];
  for (const each of jobs) {
    for (const workflow of ["", "Portrait of Mira"]) {
      const name = jobName(each, workflow);
      for (const text of [name, ...name.split(/\s+/)]) assert.ok(searcher(text, () => workflow)(each), text);
    }
  }
});

test("a time finds the jobs of that time, and a number that is no time finds none by its time", () => {
  const clock = jobName(job()).split(",")[1].trim();
  assert.ok(searcher(clock, nameOf)(job({ name: "a.png" })));
  assert.ok(!searcher(clock, nameOf)(job({ created: AT + 1_000 })));
  const minute = clock.replace(/:\d\d$/, "");
  assert.ok(searcher(minute, nameOf)(job({ created: AT + 1_000 })));
  assert.ok(!searcher(minute, nameOf)(job({ created: AT + 60_000 })));
  assert.ok(!searcher(clock, nameOf)(job({ created: null })));
  for (const part of ["37", "18", "8:3"]) assert.ok(!searcher(part, nameOf)(job({ id: "x" })), part);
  assert.ok(!searcher(clock, null)(job()), "the server does not know the browser’s times");
});

test("a search that only this browser can answer is known as such", () => {
  const names = ["Portrait of Mira"];
  const only = (search) => searchesOnlyHere(search, names);
  assert.deepEqual(["mira", "cat MIRA", "18:37", "cat 18:37", "18:37:05", "·"].map(only), [true, true, true, true, true, true]);
  assert.deepEqual(["", "  ", "cat", "failed", "18", "99:99"].map(only), [false, false, false, false, false, false]);
});

test("in another language, a search finds a status by its word there and in English, and the server can answer only the English one", async (t) => {
  const { load } = words;
  t.after(() => ((words.load = load), words.use("en")));
  words.load = async () => ({ "common.status.failed": "Échouée" });
  assert.ok(!searchesOnlyHere("échouée", []));
  await words.use("fr");
  const finds = (search, name) => searcher(search, name)(job());
  assert.deepEqual([finds("échouée", nameOf), finds("failed", nameOf), finds("échouée", null), finds("failed", null)], [true, true, false, true]);
  assert.ok(searchesOnlyHere("Échou", []));
  assert.ok(!searchesOnlyHere("mira", []));
});
