import assert from "node:assert/strict";
import { test } from "node:test";
import { clean, number, plural, tally } from "#ui/common/format.mjs";

test("numbers are grouped as English does", () => {
  assert.equal(number(1284), "1,284");
  assert.equal(number(20108), "20,108");
});

test("one job is told apart from none and many", () => {
  const jobs = (n) => plural(n, "{n} job", "{n} jobs");
  assert.deepEqual([0, 1, 2, 1001].map(jobs), ["0 jobs", "1 job", "2 jobs", "1,001 jobs"]);
});

test("a tally leaves out zeros and does not break inside a pair", () => {
  assert.equal(tally([[18402, "completed"], [0, "failed"], [2, "cancelled"]]), "18,402\u00a0completed, 2\u00a0cancelled");
  assert.equal(tally([[0, "active"]]), "");
});

test("foreign text becomes one line without control characters or turned writing direction", () => {
  assert.equal(clean(" a\n\tb\u0000c\u202ed\u2066e "), "a b\ufffdc\ufffdd\ufffde");
  assert.equal(clean("<b>x</b>"), "<b>x</b>");
  assert.equal(clean(null), "");
});

test("a text of which nothing can be seen is none, so that something else stands for it", () => {
  for (const text of ["\u200b\u200d", "\u3164", "\u115f\uffa0", "\u2800", "\u202e\u2066", "\u00ad", "\u{e0041}", "\ufe0f\u0301", "\u0000"]) assert.equal(clean(text), "", JSON.stringify(text));
  for (const text of ["0", "…", "a\u200b", "😀", "ש", "\u3164a"]) assert.notEqual(clean(text), "", text);
});

test("foreign text is cut by characters, not in the middle of one", () => {
  const cut = clean("😀".repeat(300), 10);
  assert.equal([...cut].length, 10);
  assert.equal(cut, `${"😀".repeat(9)}…`);
});
