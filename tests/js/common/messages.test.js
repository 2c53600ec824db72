import assert from "node:assert/strict";
import { test } from "node:test";
import { datesOf, LANGUAGES, languageOf, loadWords, Messages, regionOf } from "#ui/common/messages.mjs";

const ENGLISH = { on: "{at, date}", one: "One", jobs: "{n, plural, one {# job} other {# jobs}}", broken: "Whole {name}" };
const CATALOGUES = {
  en: ENGLISH,
  fr: { on: "le {at, date}", one: "Un", jobs: "{n, plural, one {# tâche} many {# de tâches} other {# tâches}}", broken: "Cassé {name" },
  ar: { one: "واحد" },
};

/** Messages whose catalogues come when the test says so, but for English, which is there. */
async function make(preferred = []) {
  const { messages, asked } = unread(preferred);
  const english = messages.use("en");
  asked.shift().come();
  await english;
  return { messages, asked };
}

/** Messages without a catalogue. */
function unread(preferred = []) {
  const asked = [];
  const load = (language) =>
    new Promise((resolve, reject) => asked.push({ language, come: () => resolve(CATALOGUES[language]), fail: () => reject(new Error("gone")) }));
  return { messages: new Messages({ preferred, load }), asked };
}

test("a locale finds the language that ComfyUI finds for it", () => {
  const found = ["zh-TW", "ZH-tw", "zh-HK", "pt-BR", "pt", "fr-CA", "de", "", null, "__proto__"].map(languageOf);
  assert.deepEqual(found, ["zh-TW", "zh-TW", "zh", "pt-BR", "en", "fr", "en", "en", "en", "en"]);
  assert.equal(LANGUAGES.length, 14);
});

test("the browser's region counts only for the language that is shown, in its script", async () => {
  assert.equal(regionOf("en", ["de-DE", "en-GB", "en-US"]), "en-GB");
  assert.equal(regionOf("fr", ["en-GB"]), "fr");
  assert.equal(regionOf("zh", ["zh-HK", "c"]), "zh");
  assert.equal(regionOf("pt-BR", ["pt-PT"]), "pt-BR");
  const { messages } = await make(["en-IN"]);
  assert.equal(messages.text("jobs", { n: 1_234_567 }), "12,34,567 jobs");
});

test("with English words the browser’s own locale writes dates and times, else the language of the words does", async () => {
  assert.deepEqual([["de-DE", "en-US"], ["en-US"], ["c"], []].map((preferred) => datesOf("en", preferred)), ["de-DE", "en-US", "en-GB", "en-GB"]);
  assert.deepEqual([["de-DE"], ["en-GB", "fr-CA"]].map((preferred) => datesOf("fr", preferred)), ["fr", "fr-CA"]);
  const { messages, asked } = await make(["de-DE"]);
  const at = new Date(2026, 10, 15, 18, 5).getTime();
  assert.deepEqual([messages.text("on", { at }), messages.text("jobs", { n: 1_001 })], ["15. November 2026", "1,001 jobs"]);
  const french = messages.use("fr");
  asked[0].come();
  await french;
  assert.equal(messages.text("on", { at }), "le 15 novembre 2026");
});

test("a language is loaded once", async () => {
  const { messages, asked } = await make();
  assert.equal(await messages.use("en"), true);
  assert.equal(asked.length, 0);
  const both = [messages.use("fr"), messages.use("fr-CA")];
  assert.equal(messages.text("one"), "One");
  asked[0].come();
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.equal(messages.text("one"), "Un");
  await messages.use("en");
  await messages.use("fr");
  assert.deepEqual(asked.map(({ language }) => language), ["fr"]);
});

test("a key that a language lacks or breaks is said in English, with English plurals and numbers", async () => {
  const { messages, asked } = await make();
  const done = messages.use("ar");
  asked[0].come();
  await done;
  assert.equal(messages.text("one"), "واحد");
  assert.equal(messages.text("jobs", { n: 1_001 }), "1,001 jobs");
  const french = messages.use("fr");
  asked[1].come();
  await french;
  assert.equal(messages.text("broken", { name: "x" }), "Whole x");
  assert.throws(() => messages.text("none"), /No words for none/);
  assert.throws(() => messages.text("toString"), ReferenceError);
});

test("the language that was asked for last wins, whichever catalogue comes first", async () => {
  const { messages, asked } = await make();
  const [french, arabic] = [messages.use("fr"), messages.use("ar")];
  asked[1].come();
  assert.equal(await arabic, true);
  asked[0].come();
  assert.equal(await french, false);
  assert.equal(messages.language, "ar");
});

test("going back to the shown language while another one loads keeps it", async () => {
  const { messages, asked } = await make();
  const french = messages.use("fr");
  assert.equal(await messages.use("en"), true);
  asked[0].come();
  assert.equal(await french, false);
  assert.equal(messages.language, "en");
});

test("a catalogue that cannot be loaded leaves the language as it is, and is asked for again", async () => {
  const { messages, asked } = await make();
  const first = messages.use("fr");
  asked[0].fail();
  assert.equal(await first, false);
  assert.deepEqual([messages.language, messages.text("one")], ["en", "One"]);
  const second = messages.use("fr");
  asked[1].come();
  assert.equal(await second, true);
  assert.equal(messages.text("one"), "Un");
});

test("English is loaded with another language, and is what is said if that one cannot be loaded", async () => {
  const { messages, asked } = unread();
  const done = messages.use("fr");
  assert.deepEqual(asked.map(({ language }) => language), ["fr", "en"]);
  asked[0].fail();
  asked[1].come();
  assert.equal(await done, false);
  assert.deepEqual([messages.language, messages.text("one")], ["en", "One"]);
});

test("without English nothing can be said, and the next call asks for it again", async () => {
  const { messages, asked } = unread();
  const first = messages.use("fr");
  asked[0].come();
  asked[1].fail();
  await assert.rejects(first, /gone/);
  assert.throws(() => messages.text("one"), /No words for one/);
  const second = messages.use("fr");
  assert.deepEqual(asked.slice(2).map(({ language }) => language), ["en"]);
  asked[2].come();
  assert.equal(await second, true);
  assert.equal(messages.text("one"), "Un");
});

test("words come from the route for pages of this version, else from the file beside the code", async () => {
  const asked = [];
  /** @param {Record<string, unknown>} answers by the kind of address */
  const reader = (answers) => async (address, init) => {
    asked.push([String(address).replace(/^file:.*(?=\/ui-)/, ""), init?.headers?.["X-Cloud-History"]]);
    const answer = answers[address instanceof URL ? "file" : "route"];
    if (answer === undefined) throw new TypeError("no answer");
    return { ok: answer !== null, json: async () => answer };
  };
  const [route, file] = [["/cloud_history/words/fr?version=1.2.0", "1"], ["/ui-1.2.0/words/fr.json", undefined]];
  assert.deepEqual(await loadWords("fr", reader({ route: { one: "Un" } })), { one: "Un" });
  assert.deepEqual(asked.splice(0), [route]);
  for (const bad of [undefined, null, [], "text", { one: 1 }]) {
    assert.deepEqual(await loadWords("fr", reader({ route: bad, file: { one: "Un" } })), { one: "Un" });
    assert.deepEqual(asked.splice(0), [route, file]);
  }
  await assert.rejects(loadWords("fr", reader({ route: null, file: null })), /no words for fr/);
});

test("a change of the language is told once, after the words have changed, until it is no longer wanted", async () => {
  const { messages, asked } = await make();
  const told = [];
  const end = messages.onChange(() => told.push(messages.text("one")));
  const both = [messages.use("fr"), messages.use("fr")];
  asked[0].come();
  await Promise.all(both);
  assert.deepEqual(told, ["Un"]);
  end();
  await messages.use("en");
  assert.deepEqual(told, ["Un"]);
});

test("an error of a listener is not taken for a catalogue that could not be loaded", async () => {
  const { messages, asked } = await make();
  messages.onChange(() => {
    throw new Error("the panel could not be drawn");
  });
  const done = messages.use("fr");
  asked[0].come();
  await assert.rejects(done, /could not be drawn/);
  assert.equal(messages.language, "fr");
});

test("marked elements carry the language and its direction", async () => {
  const { messages, asked } = await make();
  const root = messages.mark({ lang: "", dir: "" });
  const worded = messages.mark({ lang: "", dir: "" }, { isLasting: false });
  assert.deepEqual(root, { lang: "en", dir: "ltr" });
  const done = messages.use("ar");
  asked[0].come();
  await done;
  assert.deepEqual(root, { lang: "ar", dir: "rtl" });
  assert.deepEqual(worded, { lang: "en", dir: "ltr" }, "its words stay as they are");
});
