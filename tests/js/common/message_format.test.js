import assert from "node:assert/strict";
import { test } from "node:test";
import { argumentsOf, directionOf, Formatter, parse } from "#ui/common/message_format.mjs";

const said = (locale, text, values = {}) => new Formatter(locale).format(parse(text), values);
const JOBS = "{n, plural, =0 {no jobs} one {# job} other {# jobs}}";
const plain = (text) => text.replace(/[\u2068\u2069]/g, "").replace(/[\u00a0\u202f]/g, " ");

test("a placeholder takes a text as it is and a number as the language writes it", () => {
  assert.equal(said("en", "Delete {name}?", { name: "<b>{x}" }), "Delete <b>{x}?");
  assert.deepEqual(["en", "it", "fr"].map((locale) => plain(said(locale, "{n}", { n: 20_108 }))), ["20,108", "20.108", "20 108"]);
});

test("an exact number precedes the plural category of the language", () => {
  assert.deepEqual([0, 1, 2, 1_001].map((n) => said("en", JOBS, { n })), ["no jobs", "1 job", "2 jobs", "1,001 jobs"]);
});

test("a language uses its own plural categories, and other where a message lacks one", () => {
  const text = "{n, plural, one {# задача} few {# задачи} many {# задач} other {# задачи}}";
  assert.deepEqual([1, 2, 5, 21, 1.5].map((n) => said("ru", text, { n })), ["1 задача", "2 задачи", "5 задач", "21 задача", "1,5 задачи"]);
  assert.equal(said("ru", "{n, plural, other {# шт.}}", { n: 1 }), "1 шт.");
  const arabic = "{n, plural, zero {0} one {1} two {2} few {3} many {11} other {100}}";
  assert.deepEqual([0, 1, 2, 3, 11, 100].map((n) => said("ar", arabic, { n })), ["0", "1", "2", "3", "11", "100"]);
});

test("a choice by a word takes other for a word that it does not know, also one of Object", () => {
  const text = "{origin, select, node {A workflow} other {Someone}} began it";
  assert.deepEqual(["node", "menu", "constructor"].map((origin) => said("en", text, { origin })), ["A workflow began it", "Someone began it", "Someone began it"]);
});

test("# is the number of the nearest plural, also inside a choice", () => {
  const text = "{a, plural, other {# of {b, plural, other {#}}: {k, select, other {#}}}} #";
  assert.equal(said("en", text, { a: 2, b: 5, k: "x" }), "2 of 5: 2 #");
});

test("lists are joined as the language joins them", () => {
  const names = ["a", "b", "c"];
  assert.equal(said("en", "{names, list}", { names }), "a, b, and c");
  assert.equal(said("es", "{names, list, or}", { names }), "a, b o c");
  assert.equal(said("ja", "{names, list}", { names }), "a、b、c");
});

test("dates, times, ages, durations and sizes are written as the language writes them", () => {
  const at = new Date(2026, 0, 31, 14, 2, 7).getTime();
  assert.equal(plain(said("en-GB", "{at, date}, {at, time}, {at, time, medium}", { at })), "31 January 2026, 14:02, 14:02:07");
  assert.match(said("zh", "{at, datetime}", { at }), /2026年1月31日.*14:02/);
  assert.deepEqual([-1, 0, 2].map((n) => said("en", "{n, relative, day}", { n })), ["yesterday", "today", "in 2 days"]);
  assert.equal(plain(said("fr", "{n, relative, minute}", { n: -12 })), "il y a 12 minutes");
  assert.equal(plain(said("ru", "{n, unit, minute}", { n: 12 })), "12 мин");
  const sizes = [0, 40, 812_000, 2_140_000, 999_600, 4_100_000_000, 7e15];
  assert.deepEqual(sizes.map((n) => plain(said("en", "{n, size}", { n }))), ["0 KB", "0.1 KB", "812 KB", "2.1 MB", "1 MB", "4.1 GB", "7,000 TB"]);
  assert.equal(plain(said("fr", "{n, size}", { n: 2_140_000 })), "2,1 Mo");
});

test("an apostrophe is a letter, and quotes a brace or the sign of a number", () => {
  assert.equal(said("fr", "l'historique d''un job"), "l'historique d'un job");
  assert.equal(said("en", "a '{'b'}' '{c}' it''s"), "a {b} {c} it's");
  assert.equal(said("en", "{n, plural, other {'#'# '}'}}", { n: 3 }), "#3 }");
});

test("a text in another direction keeps its place in a sentence", () => {
  assert.equal(said("ar", "حذف {name}", { name: "cat.png" }), "حذف \u2068cat.png\u2069");
  assert.equal(said("en", "Delete {name}", { name: "قطة" }), "Delete \u2068قطة\u2069");
  assert.equal(said("en", "{names, list}", { names: ["قطة", "b"] }), "\u2068قطة\u2069 and b");
  assert.equal(said("en", "Delete {name}", { name: "cat.png" }), "Delete cat.png");
  assert.deepEqual(["ar", "fa", "he", "fr", "ar-EG", "fa-IR"].map(directionOf), ["rtl", "rtl", "rtl", "ltr", "rtl", "rtl"]);
});

test("words run in the direction of their language whatever letters they begin with", () => {
  const directed = (/** @type {string} */ locale, /** @type {string} */ words) => new Formatter(locale).directed(words);
  assert.equal(directed("ar", "ComfyUI لا يستجيب"), "\u200fComfyUI لا يستجيب");
  assert.equal(directed("ar", "\u2068cat.png\u2069 حذف"), "\u200f\u2068cat.png\u2069 حذف");
  assert.equal(directed("ar", "\u2068\u2068حذف\u2069: 2\u2069."), "\u200f\u2068\u2068حذف\u2069: 2\u2069.");
  for (const [locale, words] of [["ar", "حذف ComfyUI"], ["ar", "\u2068cat.png\u2069 (3)"], ["ar", "3 حذف"], ["he", "Ctrl"], ["en", "Delete قطة"]]) assert.equal(directed(locale, words), words);
});

for (const [text, what] of [
  ["{", "name"], ["{}", "name"], ["{N}", "name"], ["a}", "Unexpected }"], ["{n", "No }"], ["{n, size", "No }"], ["{n, colour}", "Unknown kind"],
  ["{n, constructor}", "Unknown kind"], ["{at, date, huge}", "Unknown style"], ["{n, plural}", "No ,"], ["{n, plural, other {#}", "No case"],
  ["{n, plural, one {#}}", "No case other"], ["{n, plural, some {#} other {#}}", "No case"], ["{n, plural, other {#", "No }"],
  ["{k, select, a {1} a {2} other {3}}", "second case a"], ["{k, select, a 1}", "No case"],
]) {
  test(`the message ${text} is refused with its place`, () => {
    assert.throws(() => parse(text), (error) => error instanceof SyntaxError && error.message.includes(what) && error.message.endsWith(text));
  });
}

test("a value that is missing or of another kind is an error that names it", () => {
  for (const [text, values] of [["{n}", {}], [JOBS, { n: "1" }], ["{k, select, other {a}}", { k: 1 }], ["{n, list}", { n: "a" }], ["{n}", { n: ["a"] }], ["{toString}", {}]]) {
    assert.throws(() => said("en", text, values), TypeError, text);
  }
});

test("the arguments of a message include those of its cases", () => {
  const found = argumentsOf(parse("{a} {n, plural, one {{b}} other {{k, select, x {{c}} other {}}}}"));
  assert.deepEqual(found.map(({ name, kind }) => `${name} ${kind}`.trim()), ["a", "n plural", "b", "k select", "c"]);
});
