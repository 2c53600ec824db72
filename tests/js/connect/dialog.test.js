import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { keyFault, looksUnusual, refusalWords, savedWords } from "#ui/connect/dialog.mjs";

test("a key is looked at before anything is sent", () => {
  assert.equal(keyFault(""), "Paste a key first.");
  assert.equal(keyFault(' " " '), "Paste a key first.");
  for (const key of ["comfyui-ab cd", "comfyui-abcdé", "comfyui-\u200bab", "comfyui-a\nb"]) assert.match(keyFault(key), /characters that are not allowed/, key);
  for (const key of ["comfyui-0123456789", '  "comfyui-0123" ', "“comfyui-0123”", "other-key"]) assert.equal(keyFault(key), "", key);
});

test("what the server takes off the ends of a key is no fault, and inside it is one", () => {
  const around = ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u0000", "\u0007", "\u001f", "\u007f", "\u0085", "\u00a0", "\u2028", "\u3000", "\u200e", "\ue000", "\ud800", "\u{e0001}", "\n", "\t", "\"", "'", "`", "“", "”", "‘", "’", "«", "»"];
  for (const each of around) {
    const name = each.codePointAt(0).toString(16);
    for (const pasted of [`${each}comfyui-0123`, `comfyui-0123${each}`, `« ${each}${each}comfyui-0123${each} »`]) {
      assert.equal(keyFault(pasted), "", name);
      assert.equal(looksUnusual(pasted), false, name);
    }
    assert.equal(keyFault(each), "Paste a key first.", name);
    if (!"\"'`".includes(each)) assert.match(keyFault(`comfyui-01${each}23`), /characters that are not allowed/, name);
  }
  assert.match(keyFault("écomfyui-0123"), /characters that are not allowed/);
});

test("a long text with spaces inside is looked at without a stall", () => {
  const began = performance.now();
  keyFault(`a${" ".repeat(200_000)}b`);
  assert.ok(performance.now() - began < 1000);
});

test("a key of another service is remarked on, not refused", () => {
  assert.equal(looksUnusual("sk-123456789"), true);
  assert.equal(looksUnusual('"comfyui-0123456789'), false);
  assert.equal(looksUnusual("com"), false);
});

test("a refusal says what is the case, and saving untested is never silent", () => {
  assert.match(refusalWords(new HistoryApiError({ code: "unauthorized", status: 401 })), /^Comfy Cloud refused this key/);
  assert.equal(
    refusalWords(new HistoryApiError({ code: "state_unwritable", message: "Permission denied." })),
    "The key can’t be saved: Permission denied. Make ComfyUI’s user folder writable, or set COMFY_CLOUD_API_KEY.",
  );
  const fault = new HistoryApiError({ code: "server_fault", status: 500 }, { can_save_unchecked: true });
  assert.match(refusalWords(fault), /The key wasn’t tested\.$/);
  assert.equal(savedWords({ checked: false, outranked: false, unusual: false }).kind, "warning");
  assert.equal(savedWords({ checked: true, outranked: true, unusual: false }).kind, "warning");
  assert.equal(savedWords({ checked: true, outranked: false, unusual: false }).kind, "success");
});
