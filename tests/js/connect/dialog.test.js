import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { looksUnusual, refusalWords, savedWords } from "#ui/connect/dialog.mjs";

test("what the server takes off the ends of a key makes it no other key", () => {
  const around = ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u0000", "\u007f", "\u0085", "\u00a0", "\u2028", "\u200e", "\ue000", "\ud800", "\u{e0001}", "\n", "\"", "'", "`", "“", "”", "‘", "’", "«", "»"];
  for (const each of around) {
    for (const pasted of [`${each}comfyui-0123`, `comfyui-0123${each}`, `« ${each}${each}comfyui-0123${each} »`]) {
      assert.equal(looksUnusual(pasted), false, each.codePointAt(0).toString(16));
    }
  }
});

test("a long text with spaces inside is looked at without a stall", () => {
  const began = performance.now();
  looksUnusual(`a${" ".repeat(200_000)}b`);
  assert.ok(performance.now() - began < 1000);
});

test("a key of another service is remarked on, not refused", () => {
  assert.equal(looksUnusual("sk-123456789"), true);
  assert.equal(looksUnusual('"comfyui-0123456789'), false);
  assert.equal(looksUnusual("com"), false);
});

test("a refusal says what is the case, and saving untested is never silent", () => {
  const refused = { code: "state_unwritable", message: "The key can’t be saved: Permission denied.", hint: "Set COMFY_CLOUD_API_KEY." };
  assert.equal(refusalWords(new HistoryApiError(refused)), `${refused.message} ${refused.hint}`);
  const fault = new HistoryApiError({ code: "server_fault", message: "No.", status: 500 }, { can_save_unchecked: true });
  assert.equal(refusalWords(fault), "No. The key wasn’t tested.");
  assert.equal(savedWords({ checked: false, outranked: false, unusual: false }).kind, "warning");
  assert.equal(savedWords({ checked: true, outranked: true, unusual: false }).kind, "warning");
  assert.equal(savedWords({ checked: true, outranked: false, unusual: false }).kind, "success");
});
