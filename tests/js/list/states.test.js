import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING } from "#ui/list/filter.mjs";
import { nothingTitle, wholeState } from "#ui/list/states.mjs";
import { createPage } from "../viewer/page.js";

/** The message in place of an empty list with this choice. @param {object} choice @param {object} more */
function empty(choice, more = {}) {
  createPage();
  const chosen = [];
  const store = {
    rows: [], loading: false, readAt: 1, error: null, counts: { all: 240 }, held: { matching: 0 }, incomplete: false, names: { of: () => "" },
    choice: { ...EVERYTHING, ...choice }, choose: (change) => chosen.push(change), ...more,
  };
  const shown = wholeState(store, { currentWorkflow: () => "" });
  const of = (tag) => [...shown.all()].find((each) => each.tag === tag);
  return { title: of("h3").textContent, text: of("p")?.textContent, button: of("button"), chosen, spoken: nothingTitle(store) };
}

test("a tab without jobs says so and offers all jobs, because no filter is set that one could clear", () => {
  const { title, text, button, chosen, spoken } = empty({ tab: "cancelled", sort: "oldest" });
  assert.deepEqual([title, text, button.textContent, spoken], ["No cancelled jobs", undefined, "Show all jobs", title]);
  button.fire("click");
  assert.deepEqual(chosen, [{ tab: "all" }]);
  assert.equal(empty({ tab: "active" }).title, "No active jobs");
});

test("a tab of a list that is not complete does not say that there are no such jobs", () => {
  assert.equal(empty({ tab: "failed" }, { incomplete: true }).title, "No failed jobs among those read");
});

test("a filter or a search that finds nothing is named, and can be cleared", () => {
  for (const choice of [{ search: "mira" }, { output: "video" }, { only: ["a"], onlyWord: "Unconfirmed" }]) {
    const { title, text, button, spoken } = empty({ tab: "cancelled", ...choice });
    assert.deepEqual([title, button.textContent, spoken], ["No Results Found", "Clear filters", title]);
    assert.match(text, /^No job matches all of these: Cancelled · /);
  }
});
