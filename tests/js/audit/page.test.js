import assert from "node:assert/strict";
import { test } from "node:test";
import { AuditPage } from "#ui/audit/page.mjs";
import { createPage } from "../viewer/page.js";

const ENTRY = {
  operation: "op", kind: "delete", origin: "panel", node: "", title: "", at: "2026-11-23T14:02:00", seconds: 2, asked: 1, state: "done",
  counts: { deleted: 1 }, removed: 1, report: "", host: "x", last4: "a1b2", version: "1", backup: null, run_seconds: null, failed_run_seconds: null, timed_jobs: null,
};

/** The page with one entry. @param {Partial<typeof ENTRY>} [changes] */
function page(changes) {
  const { root } = createPage();
  globalThis.window.Node = root.constructor;
  const auditLog = {
    entries: [{ ...ENTRY, ...changes }], error: null, hasMore: false, removedInAll: 1, shown: () => () => undefined,
    jobs: async () => ({ jobs: [], error: null }),
  };
  const store = { now: () => Date.parse(ENTRY.at), names: { of: () => "" } };
  const { element } = new AuditPage({ auditLog, store, actions: {}, api: {}, dialogs: {}, toasts: {}, workflows: {}, back: () => undefined, close: () => undefined });
  const of = (name) => [...element.all()].find(({ attributes }) => (attributes.class ?? "").split(" ").includes(name));
  const toggle = [...of("hd").all()].find(({ tag }) => tag === "button");
  return { head: of("hd"), toggle, isOpen: () => toggle.attributes["aria-expanded"] === "true" };
}

test("a click anywhere on the head of an entry opens and closes it, and its button does so once", () => {
  const { head, toggle, isOpen } = page();
  assert.equal(isOpen(), false);
  head.fire("click");
  assert.equal(isOpen(), true);
  head.fire("click");
  assert.equal(isOpen(), false);
  // A press of the button bubbles to the head.
  toggle.fire("click");
  head.fire("click");
  assert.equal(isOpen(), true);
});

test("only an entry whose jobs went shows a bin or a backup, and one with an unknown outcome a question mark", () => {
  const drawing = (changes) => [...page(changes).head.all()].find(({ tag }) => tag === "path").attributes.d;
  const bin = drawing({}), unknown = drawing({ state: "unknown", removed: null, counts: null });
  const nothing = drawing({ removed: 0, counts: { failed: 1 } });
  assert.equal(new Set([bin, unknown, nothing]).size, 3);
  assert.equal(drawing({ removed: 0, counts: { unconfirmed: 1 } }), unknown);
  assert.equal(drawing({ removed: null, counts: null }), unknown);
});
