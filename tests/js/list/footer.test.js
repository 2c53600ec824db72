import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING } from "#ui/list/filter.mjs";
import { Selection } from "#ui/list/selection.mjs";
import { nothingMatches } from "#ui/list/strings.mjs";
import { Footer } from "#ui/list/toolbar.mjs";
import { createPage } from "../viewer/page.js";

const row = (id, status, outputs = 1) => ({ id, status, outputs, took: null });

/** A footer for a list of these rows, of which `selected` are selected. */
function footer(rows, selected, listed = rows) {
  createPage();
  const selection = new Selection();
  selection.add(selected);
  const chosen = rows.filter(({ id }) => selected.includes(id));
  const removable = (all) => all.filter(({ status }) => ["completed", "failed"].includes(status));
  const store = {
    rows: listed, selection, counts: { all: rows.length }, held: { all: 0, matching: 0, groups: [] }, protection: { covers: () => false }, readAt: 1, error: null,
    selectedRows: () => chosen, shownSelected: () => listed.filter(({ id }) => selection.has(id)).length, selectsByIds: () => true,
    canCancel: () => true, removable, whyNotRemovable: (all) => (removable(all).length ? "" : "Active jobs can’t be deleted."), selectOnlyShown: () => undefined,
  };
  const asked = [];
  const actions = { cancel: (jobs) => asked.push(["cancel", jobs.map(({ id }) => id)]), remove: (target, confirmed, hidden) => asked.push(["delete", target, hidden]), save: (target) => asked.push(["save", target]) };
  const made = new Footer({ store, actions }, () => undefined, () => false);
  made.draw();
  const shown = [...made.element.all()].filter(({ tag, hidden }) => tag === "button" && !hidden);
  const button = (text) => shown.find(({ textContent }) => textContent.startsWith(text));
  return { made, asked, button, labels: shown.map(({ textContent }) => textContent).filter(Boolean) };
}

test("Delete keeps its place while only active jobs are selected, off with a reason, and Cancel has a place of its own", () => {
  const { made, asked, button, labels } = footer([row("a", "in_progress"), row("b", "pending"), row("c", "failed")], ["a", "b"]);
  assert.deepEqual(labels, ["Select all 3 matching", "Deselect all", "Cancel 2 active jobs…", "Protect", "Save outputs…", "Delete…"]);
  const remove = button("Delete");
  assert.equal(remove.attributes["aria-disabled"], "true");
  const why = [...made.element.all()].find(({ attributes }) => attributes.id === remove.attributes["aria-describedby"]);
  assert.deepEqual([why.textContent, why.hidden, remove.attributes["data-tip"]], ["Active jobs can’t be deleted.", false, ""], "on the screen, not in a tooltip");
  remove.fire("click");
  const buttons = [...made.element.all()].find(({ attributes }) => attributes.class === "push");
  assert.ok(!buttons.contains(button("Cancel")), "not among the buttons, where Delete was a moment ago");
  assert.deepEqual(asked, []);
  button("Cancel").fire("click");
  assert.deepEqual(asked, [["cancel", ["a", "b"]]]);
});

test("Cancel is not offered beside a deletion that is possible", () => {
  const { labels } = footer([row("a", "in_progress"), row("c", "failed")], ["a", "c"]);
  assert.ok(!labels.some((label) => label.startsWith("Cancel")));
});

test("the link that leaves out hidden jobs says which jobs it deselects", () => {
  const all = [row("a", "failed"), row("b", "failed"), row("c", "failed")];
  assert.ok(footer(all, ["a", "b", "c"], all.slice(0, 1)).labels.includes("Deselect the 2 hidden jobs"));
  const { made, asked, labels } = footer(all, ["a", "b"], all.slice(0, 1));
  assert.ok(labels.includes("Deselect the hidden job"));
  made.removeSelected();
  const { selected, shown, isShown } = asked[0][2];
  assert.deepEqual([selected, shown, isShown("a"), isShown("b")], [2, 1, true, false]);
});

test("the outputs of the selected jobs can be saved, and the button says why if there are none", () => {
  const { asked, button } = footer([row("a", "failed"), row("b", "failed", 0)], ["a", "b"]);
  button("Save outputs…").fire("click");
  assert.deepEqual(asked, [["save", { ids: ["a", "b"] }]]);
  const none = footer([row("b", "failed", 0)], ["b"]);
  const save = none.button("Save outputs…");
  assert.deepEqual([save.attributes["aria-disabled"], save.attributes["data-tip"]], ["true", "This job has no outputs."]);
  save.fire("click");
  assert.deepEqual(none.asked, []);
});

test("an empty list offers nothing to select", () => {
  assert.deepEqual(footer([row("a", "failed")], ["a"], []).labels, ["Deselect all", "Protect", "Save outputs…", "Delete 1…"]);
});

test("an empty list names what no job matches by the words on the screen, and never builds a sentence from them", () => {
  const says = (choice) => nothingMatches({ ...EVERYTHING, ...choice }, "w-1", (id) => (id === "w-2" ? "Coast study" : ""));
  assert.equal(says({ search: "mira" }), "No job matches: “mira”");
  assert.equal(says({ tab: "cancelled", output: "video", workflow: "w-2", search: "mira" }), "No job matches all of these: Cancelled · Coast study · Video · “mira”");
  assert.equal(says({ only: ["a", "b"], onlyWord: "Unconfirmed" }), "No job matches: Unconfirmed (2)");
});
