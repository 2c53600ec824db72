import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, number, plural, tally } from "#ui/common/format.mjs";

test("numbers are grouped as English does", () => {
  assert.equal(number(1284), "1,284");
  assert.equal(number(20108), "20,108");
});

test("plural() uses the singular for one and the plural for none and many", () => {
  const jobs = (n) => plural(n, "{n} job", "{n} jobs");
  assert.deepEqual([0, 1, 2, 1001].map(jobs), ["0 jobs", "1 job", "2 jobs", "1,001 jobs"]);
});

test("a tally leaves out zero counts and has no line break between a number and its word", () => {
  assert.equal(tally([[18402, "completed"], [0, "failed"], [2, "cancelled"]]), "18,402\u00a0completed, 2\u00a0cancelled");
  assert.equal(tally([[0, "active"]]), "");
});

test("clean() returns one line and replaces control characters and marks that change the writing direction", () => {
  assert.equal(clean(" a\n\tb\u0000c\u202ed\u2066e "), "a b\ufffdc\ufffdd\ufffde");
  assert.equal(clean("<b>x</b>"), "<b>x</b>");
  assert.equal(clean(null), "");
});

test("clean() returns an empty string for text without visible characters", () => {
  for (const text of ["\u200b\u200d", "\u3164", "\u115f\uffa0", "\u2800", "\u202e\u2066", "\u00ad", "\u{e0041}", "\ufe0f\u0301", "\u0000"]) assert.equal(clean(text), "", JSON.stringify(text));
  for (const text of ["0", "…", "a\u200b", "😀", "ש", "\u3164a"]) assert.notEqual(clean(text), "", text);
});

test("clean() cuts long text between characters, never in the middle of one", () => {
  const cut = clean("😀".repeat(300), 10);
  assert.equal([...cut].length, 10);
  assert.equal(cut, `${"😀".repeat(9)}…`);
});
