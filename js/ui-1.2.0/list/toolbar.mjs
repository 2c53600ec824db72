// @ts-check
/** Around the list: title and buttons above it, tabs, and below it the count and what can be done to the selection. */

import { button, iconButton, once } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { number } from "../common/format.mjs";
import { icon, setIcon } from "../common/icons.mjs";
import { isActive } from "../common/status.mjs";
import { accountWords } from "../common/strings.mjs";
import { PROTECT } from "../protection/strings.mjs";
import { step } from "./keys.mjs";
import { cancelWord, countWords, deleteWord, lastRead, matchingWord, PANEL, TABS, tabSpoken } from "./strings.mjs";

/** @import { PageName, Store, ViewParts } from "../../../types/list" */
/** @import { Popups } from "./menu.mjs" */

/** @param {ViewParts} parts @param {Popups} popups @param {(name: PageName) => void} openPage */
export function createHeader({ store, actions, place, close }, popups, openPage) {
  const refresh = iconButton("refresh", PANEL.refresh, () => void store.refresh());
  const large = place === "sidebar" && iconButton("expand", PANEL.large, actions.openLarge);
  const more = iconButton("more", PANEL.more, () => {
    const small = store.status?.configured ? accountWords(store.status) : PANEL.notConnected;
    const clear = store.protection.any ? PANEL.clearOthers : PANEL.clear;
    popups.menu(
      [
        { label: PANEL.cleanUp, icon: "clean", press: () => openPage("clean_up") },
        { label: PANEL.audit, icon: "history", press: () => openPage("audit") },
        null,
        { label: PANEL.connection, icon: "key", small, press: actions.manageKey },
        null,
        { label: clear, icon: "trash", danger: true, small: PANEL.assetsStay, press: actions.clear },
      ],
      { anchor: more, label: PANEL.more },
    );
  });
  more.setAttribute("aria-haspopup", "menu");
  const title = el("h2", { class: "cch-title" }, PANEL.title);
  const element = el("header", { class: "cch-head" }, title, refresh, large, more, iconButton("close", PANEL.close, close));
  return {
    element,
    draw() {
      refresh.title = store.readAt === null ? PANEL.refresh : lastRead(store.readAt);
      refresh.classList.toggle("turning", store.loading);
    },
  };
}

/** @param {Store} store @param {string} controls the id of the list */
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

/** The selected jobs, as far as they are loaded. @param {Store} store */
export const selectedRows = (store) => store.selection.ids().map((id) => store.get(id)).filter((row) => !!row);

/** @param {ViewParts} parts @param {() => void} focusList */
export function createFooter({ store, actions }, focusList) {
  const { selection } = store;
  const tickIcon = icon("check");
  const tick = el("button", { type: "button", class: "cch-check", role: "checkbox", "aria-label": PANEL.selectShown }, tickIcon);
  const [strong, rest] = [el("b"), el("span")];
  const link = (/** @type {string} */ label, /** @type {() => void} */ press) => el("button", { type: "button", class: "cch-link", onclick: press }, label);
  const allShown = () => store.rows.every(({ id }) => selection.has(id));
  const deselect = () => store.select((each) => each.clear());
  tick.addEventListener("click", () => (allShown() ? deselect() : store.select((each) => each.add(store.rows.map(({ id }) => id)))));
  const matching = link("", () => store.selectMatching());
  const usable = (/** @type {Element} */ each) => each.getAttribute("aria-disabled") !== "true";
  const remove = button({
    label: PANEL.delete,
    icon: "trash",
    kind: "danger-quiet",
    press: () => {
      const target = selection.target();
      if (target && usable(remove)) actions.remove(target);
    },
  });
  /** Whether all that is selected is protected, as the button says. */
  let kept = false;
  const protect = button({ label: PROTECT.protect, icon: "lock", press: once(() => actions.protect(selectedRows(store), !kept)) });
  const cancel = button({ label: PANEL.cancelAsk, icon: "stop", press: () => actions.cancel(selectedRows(store)) });
  const bar = el("div", { class: "cch-actions" }, matching, link(PANEL.deselect, deselect), el("span", { class: "push" }, protect, remove, cancel));

  return {
    element: el("footer", { class: "cch-foot" }, el("div", { class: "cch-count" }, tick, el("span", { class: "cch-grow" }, strong, rest)), bar),
    text: () => countWords(store).join(""),
    draw() {
      const { rows } = store;
      const size = selection.size;
      [strong.textContent, rest.textContent] = countWords(store);
      const some = rows.some(({ id }) => selection.has(id));
      const all = some && allShown();
      tick.setAttribute("aria-checked", all ? "true" : some ? "mixed" : "false");
      tick.disabled = !rows.length;
      setIcon(tickIcon, all ? "check" : "minus");
      const focused = bar.contains(document.activeElement);
      bar.hidden = !size;
      matching.textContent = matchingWord(rows.length);
      matching.hidden = all;
      const chosen = selectedRows(store);
      const onlyActive = size > 0 && chosen.every((row) => isActive(row.status));
      kept = chosen.length > 0 && chosen.every(store.protection.covers);
      cancel.hidden = !onlyActive || !store.canCancel();
      remove.hidden = protect.hidden = !cancel.hidden;
      protect.lastChild?.replaceWith(kept ? PROTECT.unprotect : PROTECT.protect);
      if (protect.firstElementChild) setIcon(protect.firstElementChild, kept ? "unlock" : "lock");
      cancel.lastChild?.replaceWith(cancelWord(size));
      remove.lastChild?.replaceWith(deleteWord(size));
      const why = onlyActive ? PANEL.activeStay : store.blocked();
      remove.title = why;
      remove.setAttribute("aria-disabled", String(!!why));
      if (focused && (bar.hidden || !bar.contains(document.activeElement))) focusList();
    },
  };
}
