// @ts-check
/** The status tabs with their counts. */

import { el } from "../common/dom.mjs";
import { number } from "../common/format.mjs";
import { step } from "./keys.mjs";
import { PANEL, TABS, tabSpoken } from "./strings.mjs";

/** @param {import("../../../types/panel").Store} store @param {string} controls the id of the list */
export function createTabs(store, controls) {
  const tabs = TABS.map(([key, label]) => {
    const count = el("span");
    const choose = () => store.choose({ tab: key });
    const attributes = { type: "button", class: "cch-tab", role: "tab", "aria-controls": controls, onclick: choose };
    return { key, label, count, button: el("button", attributes, el("b", {}, label), count) };
  });
  const move = (/** @type {KeyboardEvent} */ event) => {
    const at = tabs.findIndex(({ key }) => key === store.choice.tab);
    const tab = tabs[step(event.key, at, tabs.length, ["ArrowLeft", "ArrowRight"])];
    if (!tab) return;
    event.preventDefault();
    store.choose({ tab: tab.key });
    tab.button.focus();
  };
  return {
    element: el("div", { class: "cch-tabs", role: "tablist", "aria-label": PANEL.status, onkeydown: move }, ...tabs.map(({ button }) => button)),
    draw() {
      const { counts, choice, readAt, incomplete } = store;
      for (const { key, label, count, button } of tabs) {
        const n = counts[key];
        count.textContent = readAt === null ? "–" : `${number(n)}${incomplete ? "+" : ""}`;
        button.setAttribute("aria-selected", String(choice.tab === key));
        button.tabIndex = choice.tab === key ? 0 : -1;
        button.setAttribute("aria-label", readAt === null ? label : tabSpoken(label, count.textContent, n));
      }
    },
  };
}
