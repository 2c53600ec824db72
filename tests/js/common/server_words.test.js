import assert from "node:assert/strict";
import { test } from "node:test";
import { reasonText } from "#ui/common/server_words.mjs";
import { errorWords } from "#ui/common/strings.mjs";
import { words } from "#ui/common/words.mjs";

const FRENCH = {
  "error.not_reached.message": "{host} est injoignable.",
  "error.unreachable.hint": "Vérifiez la connexion.",
  "reason.backup_failed": "workflow non sauvegardé : {reason}",
  "reason.backup_too_large": "il est trop grand",
};

/** Shows the words in French until the test ends. */
async function french(t) {
  const load = words.load;
  words.load = async () => FRENCH;
  await words.use("fr");
  t.after(async () => {
    await words.use("en");
    words.load = load;
  });
}

const error = (rest = {}) => ({ code: "unreachable", sentence: "not_reached", values: { host: "cloud.comfy.org" }, message: "Can’t reach cloud.comfy.org.", hint: "Check your internet connection or proxy.", ...rest });
const reason = { code: "backup_failed", values: { reason: { code: "backup_too_large", values: {}, text: "it is too large" } }, text: "its workflow couldn’t be backed up: it is too large" };

test("an error of the server is said in the language of the panel, with its values and the hint of its kind", async (t) => {
  assert.deepEqual(errorWords(error()), { title: "Can’t reach cloud.comfy.org", text: "Check your internet connection or proxy." });
  await french(t);
  assert.deepEqual(errorWords(error()), { title: "cloud.comfy.org est injoignable", text: "Vérifiez la connexion." });
});

test("a text that the server words otherwise, or that has no translation, stays in English", async (t) => {
  await french(t);
  const other = error({ message: "Can’t reach cloud.comfy.org at all.", hint: "No space left (settings.json)." });
  assert.deepEqual(errorWords(other), { title: "Can’t reach cloud.comfy.org at all", text: "No space left (settings.json)." });
  for (const sentence of ["constructor", "of_tomorrow", "", undefined]) assert.equal(errorWords(error({ sentence })).title, "Can’t reach cloud.comfy.org", sentence);
  assert.equal(reasonText({ code: "timeout", values: {}, text: "Comfy Cloud took too long to answer" }), "Comfy Cloud took too long to answer");
});

test("a reason is said in the language of the panel, and so is the reason in it", async (t) => {
  assert.equal(reasonText(reason), reason.text);
  await french(t);
  assert.equal(reasonText(reason), "workflow non sauvegardé : il est trop grand");
  assert.equal(words.inEnglish("reason.constructor", {}), null);
});
