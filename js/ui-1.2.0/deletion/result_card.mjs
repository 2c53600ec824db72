// @ts-check
/** What came of a deletion, counted by outcome. Stays until it is dismissed, unless all is well. */

import { button, el } from "../common/dom.mjs";
import { number } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { cross } from "../common/components.mjs";
import { COMMON, DELETE } from "./strings.mjs";
import { showLabel, tryAgainLabel } from "./result_strings.mjs";

/** @typedef {import("../../../types/deletions").Entry} Entry */

const LOOK = /** @type {const} */ ({ success: ["ok", "i-ok"], warning: ["warning", "i-warn"], error: ["failed", "i-danger"] });

/** @param {import("./result_strings.mjs").TallyLine[]} lines */
const tallyTable = (lines) =>
  el(
    "div",
    { class: "cch-tally" },
    ...lines.flatMap(({ n, word, why }) => [
      el("b", {}, number(n)),
      el("span", {}, el("em", {}, word), why && ": ", why && el("bdi", { class: "cch-any" }, why)),
    ]),
  );

/**
 * @param {Entry} entry with a result
 * @param {object} on
 * @param {(ids: string[]) => void} on.show
 * @param {(text: string) => void} on.copy
 * @param {(entry: Entry) => void} on.again
 * @param {(entry: Entry) => void} on.dismiss
 */
export function createResultCard(entry, { show, copy, again, dismiss }) {
  const { words, result, kind } = entry;
  if (!words || !result) throw new Error("no result");
  const [name, colour] = LOOK[words.kind];
  const n = words.again.length;
  const told = el("div", { class: "cch-grow" }, el("div", { class: "ttl" }, words.title), words.text && el("div", { class: "cch-2 cch-any", dir: "auto" }, words.text));
  const report = el(
    "button",
    { type: "button", class: "cch-ib", "aria-label": DELETE.copyReport, title: DELETE.copyReport, onclick: () => copy(result.report) },
    icon("copy"),
  );
  const retry = kind === "clear" ? COMMON.lookAgain : n > 0 && tryAgainLabel(n);
  const foot = el(
    "div",
    { class: "ft" },
    n > 0 && button({ label: showLabel(n), kind: "ghost", press: () => show(words.again) }),
    report,
    el("span", { class: "push" }),
    retry && button({ label: retry, icon: "refresh", press: () => again(entry) }),
  );
  return {
    element: el(
      "div",
      { class: "cch-card" },
      el("div", { class: "hd" }, icon(name, colour), told, cross(() => dismiss(entry))),
      words.lines.length > 0 && tallyTable(words.lines),
      words.kind !== "success" && foot,
    ),
    focus: () => undefined,
    render: () => undefined,
  };
}
