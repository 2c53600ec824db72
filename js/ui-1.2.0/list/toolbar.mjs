// @ts-check
/** The header and tabs above the list, and the footer with the count and the buttons for the selection. */

import { button, iconButton, linkButton, once, tick } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { number } from "../common/format.mjs";
import { setIcon } from "../common/icons.mjs";
import { isActive } from "../common/status.mjs";
import { accountWords } from "../common/strings.mjs";
import { setTip } from "../common/tooltips.mjs";
import { text } from "../common/words.mjs";
import { hasOutputs } from "../outputs/saved.mjs";
import { step } from "./keys.mjs";
import { deselectHidden } from "../deletion/strings.mjs";
import { cancelWord, countWords, deleteWord, lastRead, matchingWord, ofShown, someStay, tabName, TABS, tabSpoken } from "./strings.mjs";

/** @import { PageName, Row, Store, ViewParts } from "../../../types/list" */
/** @import { Popups } from "./menu.mjs" */

/** @param {ViewParts} parts @param {Popups} popups @param {(name: PageName) => void} openPage */
export function createHeader({ store, actions, place, close }, popups, openPage) {
  const refresh = iconButton("refresh", text("list.refresh"), () => void store.refresh());
  const large = place === "sidebar" && iconButton("expand", text("list.large"), actions.openLarge);
  const more = iconButton("more", text("list.more"), () => {
    const small = store.status?.configured ? accountWords(store.status) : text("list.not_connected");
    const shown = store.rows.length;
    const clear = store.protection.any ? text("list.clear_others") : text("list.clear");
    popups.menu(
      [
        { label: text("list.clean_up"), icon: "clean", press: () => openPage("clean_up") },
        { label: text("audit.title"), icon: "history", press: () => openPage("audit") },
        ...(shown ? [{ label: text("outputs.ask"), icon: /** @type {const} */ ("save"), small: ofShown(shown), press: () => actions.save(store.shownTarget()) }] : []),
        null,
        { label: text("list.connection"), icon: "key", small, press: actions.manageKey },
        null,
        { label: clear, icon: "trash", danger: true, small: text("list.assets_stay"), press: actions.clear },
      ],
      { anchor: more, label: text("list.more") },
    );
  });
  more.setAttribute("aria-haspopup", "menu");
  const title = el("h2", { class: "cch-title" }, text("list.title"));
  const element = el("header", { class: "cch-head" }, title, refresh, large, more, iconButton("close", text("common.close"), close));
  return {
    element,
    draw() {
      setTip(refresh, store.readAt === null ? text("list.refresh") : lastRead(store.readAt));
      refresh.classList.toggle("turning", store.loading);
    },
  };
}

/** @param {Store} store @param {string} controls the id of the list */
export function createTabs(store, controls) {
  const tabs = TABS.map((key) => {
    const [label, count] = [tabName(key), el("span")];
    const choose = () => store.choose({ tab: key });
    const attributes = { type: "button", class: "cch-tab", role: "tab", "aria-controls": controls, onclick: choose };
    return { key, label, count, button: el("button", attributes, el("b", {}, label), " ", count) };
  });
  const move = (/** @type {KeyboardEvent} */ event) => {
    const at = tabs.findIndex(({ key }) => key === store.choice.tab);
    const isRightToLeft = tabs[0]?.button.closest('[dir="rtl"]');
    const tab = tabs[step(event.key, at, tabs.length, isRightToLeft ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"])];
    if (!tab) return;
    event.preventDefault();
    store.choose({ tab: tab.key });
    tab.button.focus();
  };
  return {
    element: el("div", { class: "cch-tabs", role: "tablist", "aria-label": text("list.status"), onkeydown: move }, ...tabs.map(({ button }) => button)),
    draw() {
      const { counts, choice, readAt, incomplete } = store;
      for (const { key, label, count, button } of tabs) {
        const n = counts[key];
        count.textContent = readAt === null ? "–" : `${number(n)}${incomplete ? "+" : ""}`;
        button.setAttribute("aria-selected", String(choice.tab === key));
        button.tabIndex = choice.tab === key ? 0 : -1;
        button.setAttribute("aria-label", readAt === null ? label : tabSpoken(label, n, incomplete));
      }
    },
  };
}

let made = 0;

export class Footer {
  #tick = tick(text("list.select_shown"), () => (this.#allShown() ? this.#deselect() : this.#selectShown()));
  #strong = el("b");
  #rest = el("span");
  #matching = linkButton("", () => this.store.selectMatching());
  #hidden = linkButton("", () => this.store.selectOnlyShown());
  #protect = button({ label: text("protection.protect"), icon: "lock", press: once(() => this.actions.protect(this.store.selectedRows(), !this.#allProtected)) });
  /** Among the links, because a button in the place of Delete would read as "cancel the deletion". */
  #cancel = linkButton("", () => this.actions.cancel(this.store.selectedRows()));
  #save = button({
    label: text("outputs.ask"),
    icon: "save",
    press: () => this.#save.getAttribute("aria-disabled") === "true" || this.saveSelected(),
  });
  #remove = button({
    label: text("list.delete"),
    icon: "trash",
    kind: "danger-quiet",
    press: () => this.#remove.getAttribute("aria-disabled") === "true" || this.removeSelected(),
  });
  /** Whether all selected jobs are protected, so that the button says Unprotect. */
  #allProtected = false;
  #whyId = `cch-foot-why-${++made}`;
  /** Why Delete is off. */
  #why = el("span", { class: "cch-why", id: this.#whyId });
  #bar = el("div", { class: "cch-actions" }, this.#matching, this.#hidden, linkButton(text("list.deselect"), () => this.#deselect()), this.#cancel, el("span", { class: "push" }, this.#why, this.#protect, this.#save, this.#remove));
  element = el("footer", { class: "cch-foot" }, el("div", { class: "cch-count" }, this.#tick, el("span", { class: "cch-grow" }, this.#strong, this.#rest)), this.#bar);

  /** @param {ViewParts} parts @param {() => void} focusList @param {(event: MouseEvent) => boolean} isSecondClick whether a click continues a double click in the list */
  constructor({ store, actions }, focusList, isSecondClick) {
    this.store = store;
    this.actions = actions;
    this.focusList = focusList;
    this.#remove.setAttribute("aria-describedby", this.#whyId);
    // The first click of a double click may show the bar, which then lies under the second one.
    this.#bar.addEventListener("click", (event) => isSecondClick(event) && event.stopPropagation(), { capture: true });
  }

  /** Asks for confirmation, then deletes the selected jobs. */
  removeSelected() {
    const { store } = this;
    const { selection } = store;
    const target = selection.target();
    const shownIds = new Set(store.rows.map(({ id }) => id));
    const hidden = {
      selected: selection.size,
      shown: store.shownSelected(),
      isShown: (/** @type {string} */ id) => shownIds.has(id),
      deselectHidden: () => (store.selectOnlyShown(), selection.target()),
    };
    if (target) this.actions.remove(target, undefined, hidden.shown < hidden.selected ? hidden : undefined);
  }

  /** Asks, then saves the outputs of the selected jobs. */
  saveSelected() {
    const target = this.store.selection.target();
    if (target) this.actions.save(target);
  }

  text() {
    return countWords(this.store).join("");
  }

  #allShown() {
    return this.store.rows.every(({ id }) => this.store.selection.has(id));
  }

  #selectShown() {
    this.store.select((each) => each.add(this.store.rows.map(({ id }) => id)));
  }

  #deselect() {
    this.store.select((each) => each.clear());
  }

  draw() {
    const { rows, selection } = this.store;
    [this.#strong.textContent, this.#rest.textContent] = countWords(this.store);
    const shown = this.store.shownSelected();
    const some = shown > 0;
    const all = some && shown === rows.length;
    this.#tick.setAttribute("aria-checked", all ? "true" : some ? "mixed" : "false");
    this.#tick.disabled = !rows.length;
    if (this.#tick.firstElementChild) setIcon(this.#tick.firstElementChild, all ? "check" : "minus");
    const focused = this.#bar.contains(document.activeElement);
    this.#bar.hidden = !selection.size;
    this.#hidden.textContent = deselectHidden(selection.size - shown);
    this.#hidden.hidden = !shown || shown === selection.size;
    this.#matching.textContent = matchingWord(rows.length, this.store.selectsByIds());
    this.#matching.hidden = all || !rows.length;
    this.#drawActions();
    if (focused && (this.#bar.hidden || !this.#bar.contains(document.activeElement))) this.focusList();
  }

  /** Names the number of jobs that would go, where it is known. @param {Row[]} chosen */
  #deleteWord(chosen) {
    const { selection } = this.store;
    if (selection.matching) return text("list.delete_matching");
    const removable = this.store.removable(chosen).length;
    return removable && chosen.length === selection.size ? deleteWord(removable) : text("list.delete");
  }

  #drawActions() {
    const { store } = this;
    const { size } = store.selection;
    const chosen = store.selectedRows();
    const onlyActive = size > 0 && chosen.every((row) => isActive(row.status));
    this.#allProtected = chosen.length > 0 && chosen.every(store.protection.covers);
    this.#cancel.hidden = !onlyActive || !store.canCancel();
    this.#protect.lastChild?.replaceWith(this.#allProtected ? text("protection.unprotect") : text("protection.protect"));
    if (this.#protect.firstElementChild) setIcon(this.#protect.firstElementChild, this.#allProtected ? "unlock" : "lock");
    this.#cancel.textContent = cancelWord(size);
    const whyNotSaved = store.error ? text("list.cant_save") : chosen.length === size && !chosen.some(hasOutputs) ? text("list.no_outputs", { n: size }) : "";
    setTip(this.#save, whyNotSaved);
    this.#save.setAttribute("aria-disabled", String(!!whyNotSaved));
    this.#remove.lastChild?.replaceWith(this.#deleteWord(chosen));
    const why = store.whyNotRemovable(chosen);
    this.#why.textContent = why;
    this.#why.hidden = !why;
    setTip(this.#remove, why ? "" : someStay(size, store.removable(chosen).length));
    this.#remove.setAttribute("aria-disabled", String(!!why));
  }
}
