import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { ConnectSteps, looksUnusual, refusalWords, removalWords, savedWords } from "#ui/connect/dialog.mjs";
import { createPage } from "../viewer/page.js";

test("characters that the server strips from a key do not make it look unusual", () => {
  const around = ["\u200b", "\u2060", "\ufeff", "\u00ad", "\u0000", "\u007f", "\u0085", "\u00a0", "\u2028", "\u200e", "\ue000", "\ud800", "\u{e0001}", "\n", "\"", "'", "`", "“", "”", "‘", "’", "«", "»"];
  for (const each of around) {
    for (const pasted of [`${each}comfyui-0123`, `comfyui-0123${each}`, `« ${each}${each}comfyui-0123${each} »`]) {
      assert.equal(looksUnusual(pasted), false, each.codePointAt(0).toString(16));
    }
  }
});

test("a long text with many spaces is checked quickly", () => {
  const began = performance.now();
  looksUnusual(`a${" ".repeat(200_000)}b`);
  assert.ok(performance.now() - began < 1000);
});

test("a key of another service looks unusual, and a quoted Comfy Cloud key does not", () => {
  assert.equal(looksUnusual("sk-123456789"), true);
  assert.equal(looksUnusual('"comfyui-0123456789'), false);
  assert.equal(looksUnusual("com"), false);
});

test("a refused key shows the server's message, and saving a key without a test shows a warning", () => {
  const refused = { code: "state_unwritable", message: "The key can’t be saved: Permission denied.", hint: "Set COMFY_CLOUD_API_KEY." };
  assert.equal(refusalWords(new HistoryApiError(refused)), `${refused.message} ${refused.hint}`);
  const fault = new HistoryApiError({ code: "server_fault", message: "No.", status: 500 }, { can_save_unchecked: true });
  assert.equal(refusalWords(fault), "No. The key wasn’t tested.");
  assert.equal(savedWords({ checked: false, outranked: false, unusual: false }).kind, "warning");
  assert.equal(savedWords({ checked: true, outranked: true, unusual: false }).kind, "warning");
  assert.equal(savedWords({ checked: true, outranked: false, unusual: false }).kind, "success");
});

const HOLD = { id: "h1", jobs: 28, state: "holding" };
const CONNECTED = { configured: true, source: "saved", last4: "a1b2", host: "x", version: "1", running: null, unresolved: [], holds: [] };

test("the question that removes the key says what becomes of the deletions", () => {
  const again = "You can connect again at any time.";
  assert.equal(removalWords(CONNECTED), `Your jobs stay as they are. ${again}`);
  assert.equal(removalWords({ ...CONNECTED, holds: [HOLD] }), `The deletion of 28 jobs will be undone, or only its rest if it is already being sent. ${again}`);
  assert.equal(removalWords({ ...CONNECTED, running: { operation: "h1" }, holds: [{ ...HOLD, state: "sending" }] }), `The deletion that is running is stopped. ${again}`);
  assert.equal(removalWords({ ...CONNECTED, running: { operation: "other" } }), `The deletion that is running goes on. ${again}`);
});

test("after the key is removed, the message says which deletion was undone with it", async () => {
  createPage();
  globalThis.window.Node = globalThis.document.createElement("p").constructor;
  const told = [];
  const after = { ...CONNECTED, configured: false };
  const api = { status: async () => ({ ...CONNECTED, holds: [HOLD] }), preview: async () => ({}), removeKey: async () => ({ ...after, undone: ["h0", "h1"] }) };
  const steps = new ConnectSteps({ api, toasts: { tell: (kind, { title, detail }) => told.push([kind, title, detail]) } });
  await steps.manage({ show: async () => "remove", close: () => undefined });
  api.removeKey = async () => ({ ...after, undone: [] });
  await steps.manage({ show: async () => "remove", close: () => undefined });
  const removed = "The key was removed from this server";
  assert.deepEqual(told, [["success", removed, "The deletion of 28 jobs was undone. Nothing was deleted."], ["success", removed, undefined]]);
});

test("the question that removes the key follows the deletions while it is open", async (context) => {
  createPage();
  globalThis.window.Node = globalThis.document.createElement("p").constructor;
  context.mock.timers.enable({ apis: ["setTimeout"] });
  let status = { ...CONNECTED };
  let [asked, answer] = [null, () => undefined];
  const told = [];
  const api = { status: async () => status, preview: async () => ({}), removeKey: async () => ({ ...status, undone: ["h1"] }) };
  const steps = new ConnectSteps({ api, toasts: { tell: (kind, { detail }) => told.push(detail) } });
  const settled = async () => {
    for (let turn = 0; turn < 9; turn += 1) await null;
  };
  const managing = steps.manage({
    show: async ({ title, body }) => {
      if (title === "Connection") {
        // A deletion begins while the connection is shown.
        status = { ...CONNECTED, holds: [HOLD] };
        return "remove";
      }
      [asked] = body;
      return new Promise((resolve) => (answer = resolve));
    },
    close: () => undefined,
  });
  await settled();
  assert.match(asked.textContent, /^The deletion of 28 jobs will be undone/);
  status = { ...CONNECTED };
  context.mock.timers.tick(1000);
  await settled();
  assert.match(asked.textContent, /^Your jobs stay as they are/);
  status = { ...CONNECTED, holds: [{ ...HOLD, jobs: 3 }] };
  context.mock.timers.tick(1000);
  await settled();
  assert.match(asked.textContent, /^The deletion of 3 jobs will be undone/);
  answer("remove");
  await managing;
  assert.deepEqual(told, ["The deletion of 3 jobs was undone. Nothing was deleted."]);
});
