import assert from "node:assert/strict";
import { test } from "node:test";
import { approvalStep } from "#ui/approval/dialog.mjs";

/** A stub of the DOM elements that a question uses. */
function element(tag) {
  return {
    tag, children: [], attributes: {}, listeners: {},
    append(...children) { this.children.push(...children); },
    setAttribute(name, value) { this.attributes[name] = value; },
    toggleAttribute() {},
    addEventListener(type, listener) { this.listeners[type] = listener; },
    get firstChild() { return this.children[0]; },
  };
}
globalThis.document = { createElement: element, createElementNS: (space, tag) => element(tag), createTextNode: (data) => ({ data }) };

const all = (node, tag) => [...(node.tag === tag ? [node] : []), ...(node.children ?? []).flatMap((child) => all(child, tag))];

/** An open question about this many jobs, of which the history has 20,000. */
function asked(removable, backup) {
  const approval = {
    question: "q", token: "t", workflow: "", node: "5", title: "", removable, finished: 20_000, large_share: 0.8, many_jobs: 1000, many_final_jobs: 100,
    by_status: { completed: removable, failed: 0, cancelled: 0 }, skipped: { active: 0, unknown: 0, already_gone: 0, protected: 0 }, oldest: null, newest: null,
    outputs: null, took: null, timed: 0, last4: "a1b2", rows: [], backup,
  };
  const seen = { view: null, agreements: [], said: [] };
  const frame = { show: (view) => ((seen.view = view), new Promise(() => undefined)), setAgreement: (label) => seen.agreements.push(label), say: (text) => seen.said.push(text), isOpen: () => true };
  const thumbnails = { requestFor: () => undefined, release: () => undefined };
  void approvalStep(frame, approval, { thumbnails, canAlways: false, framed: false, left: () => 60_000, place: () => [1, 1], schedule: () => undefined });
  const [list] = seen.view.pinned.flatMap((part) => all(part, "select"));
  return { ...seen, keep: (value) => list.listeners.change({ target: { value } }) };
}

test("a workflow’s question about many jobs asks once more while nothing is kept, because it has no undo", () => {
  const label = "Yes, delete 261 jobs without undo and without a backup";
  assert.equal(asked(261, "off").view.agreement, label);
  assert.equal(asked(99, "off").view.agreement, "");
  const { view, agreements, said, keep } = asked(261, "workflows");
  assert.equal(view.agreement, "");
  for (const kind of ["off", "workflows", "outputs"]) keep(kind);
  assert.deepEqual(agreements, [label, "", ""]);
  assert.match(said[0], /^There will be no backup.* sent at once and can’t be undone\. To delete, also tick “Yes/);
});
