import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/history_api.mjs";
import { createCancelling } from "#ui/panel/cancel_dialog.mjs";

globalThis.document = { createElement: () => ({ append() {}, setAttribute() {} }) };

test("a cancelling whose answer is lost does not say that nothing was changed", async () => {
  const told = [];
  const cancelling = createCancelling({
    api: { cancel: async () => Promise.reject(new HistoryApiError({ code: "timeout" })) },
    dialogs: { exclusive: async () => "yes" },
    toasts: { tell: (kind, message) => told.push([kind, message.detail]) },
    onChange: () => undefined,
  });
  await cancelling.ask([{ id: "a" }]);
  assert.equal(told[0][0], "error");
  assert.match(told[0][1], /Comfy Cloud took too long to answer\. Try again in a minute\.$/);
});
