import assert from "node:assert/strict";
import { test } from "node:test";
import { ago, clean, clockTime, dateTime, dayAndTime, dayHeading, duration, enumeration, number, roughDuration, roughRange, sentence, sentences } from "#ui/common/format.mjs";
import { Formatter } from "#ui/common/message_format.mjs";
import { words } from "#ui/common/words.mjs";

test("a sum of run times is rounded to what people say", () => {
  const sums = [400, 45_000, 99_400, 100_000, 721_000, 5_940_000, 6_000_000, 12_000_000, 7_200_000, 400 * 3_600_000 + 60_000];
  assert.deepEqual(sums.map(roughDuration), ["0 s", "45 s", "99 s", "2 min", "12 min", "99 min", "1 h 40 min", "3 h 20 min", "2 h", "400 h"]);
});

test("numbers are grouped as English does", () => {
  assert.equal(number(1284), "1,284");
  assert.equal(number(20108), "20,108");
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

const AT = new Date(2026, 10, 15, 18, 5, 9).getTime();
const LATER = new Date(2026, 10, 28, 12).getTime();
const NEXT_YEAR = new Date(2027, 0, 28, 12).getTime();
/** Without commas and narrow spaces, which differ between versions of the Unicode data. */
const times = () => [dateTime(AT), dateTime(AT, true), clockTime(AT), dayAndTime(AT, LATER), dayHeading(AT, LATER), dayHeading(AT, NEXT_YEAR)].map((text) => text.replaceAll("\u202f", " ").replaceAll(",", ""));

test("times are written as the language writes them in the region of the browser", (t) => {
  const before = words.formatter;
  t.after(() => (words.formatter = before));
  words.formatter = new Formatter("en-GB");
  const british = ["15 November 2026 18:05", "15 November 2026 18:05:09", "18:05", "15 November 18:05", "Sunday 15 November", "Sunday 15 November 2026"];
  assert.deepEqual(times(), british);
  words.formatter = new Formatter("en-US");
  const american = ["November 15 2026 6:05 PM", "November 15 2026 6:05:09 PM", "6:05 PM", "November 15 6:05 PM", "Sunday November 15", "Sunday November 15 2026"];
  assert.deepEqual(times(), american);
  words.formatter = new Formatter("de");
  assert.equal(dayHeading(AT, LATER), "Sonntag, 15. November");
});

test("a range of time names its unit once, and is not exact for a few seconds", () => {
  assert.equal(roughRange(1_000, 9_000), "a few seconds");
  assert.equal(roughRange(20_000, 20_000), "about 20 s");
  assert.equal(roughRange(420_000, 1_800_000), "7 to 30 min");
  assert.equal(roughRange(50_000, 240_000), "50 s to 4 min");
  assert.equal(roughRange(3_600_000 * 2, 3_600_000 * 3.5), "2 h to 3 h 30 min");
});

test("an age and a duration are said in few letters", () => {
  const MINUTE = 60_000;
  assert.deepEqual([0, 12 * MINUTE, 180 * MINUTE, 1_440 * MINUTE, 2_880 * MINUTE].map((past) => ago(AT - past, AT)), ["just now", "12 min ago", "3 h ago", "1 day ago", "2 days ago"]);
  assert.deepEqual([9_000, 192_000, 3_730_000].map(duration), ["9.0 s", "3:12", "1:02:10"]);
});

test("a duration has the digits of the language, and keeps the order of its parts", (t) => {
  const before = words.formatter;
  t.after(() => (words.formatter = before));
  words.formatter = new Formatter("fa");
  assert.equal(duration(3_730_000), "۱:۰۲:۱۰");
});

test("short texts are joined by a comma and sentences by a space, but for languages that write none", () => {
  assert.equal(enumeration(["a", "", null, "b"]), "a, b");
  assert.equal(sentences(["It failed.", "", false, "Try again."]), "It failed. Try again.");
  assert.equal(sentences(["失败。", "请重试。"]), "失败。请重试。");
  assert.deepEqual(["It failed", "It failed.", "Why?", "失败。"].map(sentence), ["It failed.", "It failed.", "Why?", "失败。"]);
});
