// @ts-check
/** An open panel: creates its parts and redraws them when the store changes. */

import { el } from "../common/dom.mjs";
import { isActive } from "../common/status.mjs";
import { withTooltips } from "../common/tooltips.mjs";
import { text, words } from "../common/words.mjs";
import { leftBehind } from "../deletion/result_strings.mjs";
import { Finder } from "./filter_popover.mjs";
import { hideUndo, panelKey, passes } from "./keys.mjs";
import { Popups } from "./menu.mjs";
import { Pages } from "./pages.mjs";
import { rowMenu } from "./row.mjs";
import { banners, nothingTitle, wholeState } from "./states.mjs";
import { columns, EMPTY, loadedWord } from "./strings.mjs";
import { ListView } from "./table.mjs";
import { Footer, createHeader, createTabs } from "./toolbar.mjs";

/** @import { PageName, Row, Say, ViewParts } from "../../../types/list" */

/** Pause after a change before a screen reader reads the count. */
const QUIET_MS = 500;

function createLive() {
  const polite = el("div", { class: "cch-unseen", role: "status" });
  const urgent = el("div", { class: "cch-unseen", role: "alert" });
  let waiting = 0;
  return {
    elements: [polite, urgent],
    /** @type {Say} */
    say(text, now = false) {
      clearTimeout(waiting);
      (now ? urgent : polite).textContent = text;
    },
    /** Says a text if no other follows within `QUIET_MS`. @param {string} text */
    sayLater(text) {
      clearTimeout(waiting);
      waiting = setTimeout(() => (polite.textContent = text), QUIET_MS);
    },
    destroy: () => clearTimeout(waiting),
  };
}

/** Delay after which the details beside the list show a newly focused row. */
const REST_MS = 150;

let views = 0;

export class PanelView {
  root = withTooltips(el("section", { class: "cch cch-panel", "aria-label": text("list.title"), tabindex: "-1" }));
  #number = ++views;
  #wide = false;
  #loading = false;
  #account = "";
  #frame = 0;
  #resting = 0;
  /** Whether the next frame redraws everything, or only the rows and the footer. */
  #all = true;
  #drawnState = "";
  #top = el("div", { class: "cch-zone top" });
  #state = el("div", { class: "cch-whole" });
  #side = el("aside", { class: "cch-side", "aria-label": text("list.details") });
  /** In place of the details, until the person chooses a job. */
  #none = el("p", { class: "cch-hint cch-none", hidden: true }, text("list.choose_job"));
  #under = el("div", { class: "cch-under" });
  #pages = new Pages(this.root, this.#under);
  /** The page that was opened last. @type {PageName | null} */
  #page = null;
  #popups = new Popups(this.root);
  #live = createLive();
  /** @type {(() => void)[]} */
  #leave;

  /** @param {ViewParts} parts */
  constructor(parts) {
    this.parts = parts;
    const { store } = parts;
    const { say } = this.#live;
    this.store = store;
    this.pageHost = { back: () => void this.back(), close: parts.close, reveal: (/** @type {string} */ id) => this.#reveal(id), say };
    this.details = parts.createDetails(this.pageHost);
    this.detailsPage = { element: this.details.element, leave: () => this.details.close() };
    this.list = new ListView(this);
    this.list.element.id = `cch-list-${this.#number}`;
    this.header = createHeader(parts, this.#popups, (name) => this.openPage(name));
    this.tabs = createTabs(store, this.list.element.id);
    this.finder = new Finder(store, this.#popups, parts.actions.currentWorkflow);
    this.footer = new Footer(parts, () => this.focusList(), (event) => this.list.isSecondClick(event));
    this.cards = parts.createCards({ show: (ids, outcome) => this.show(ids, outcome), focusList: () => this.focusList(), say, blocked: () => this.store.blocked(), notices: parts.place === "large" ? parts.notices : null });
    this.#build();
    const observer = new window.ResizeObserver(() => this.#measure());
    // With another text size the panel keeps its width. Its header does not keep its height.
    for (const each of [this.root, this.header.element]) observer.observe(each);
    this.#leave = [
      store.on(["rows", "choice", "load", "status"], () => this.#redrawLater(true)),
      store.on(["choice"], () => (this.list.element.scrollTop = 0)),
      store.on(["held"], () => this.list.saveScroll()),
      store.on(["undone"], () => this.list.undone()),
      store.on(["selection", "focus", "saved"], () => this.#redrawLater(false)),
      parts.subscribe(() => this.#redrawLater(true)),
      store.shown(),
      () => observer.disconnect(),
      () => this.#pages.close(),
      () => this.list.destroy(),
      () => this.details.destroy(),
      () => this.cards.destroy(),
      () => this.#live.destroy(),
    ];
    this.draw();
  }

  #build() {
    const root = words.mark(this.root);
    const head = el("div", { class: "cch-thead", "aria-hidden": "true" }, el("i"), el("i"), ...columns().map((word) => el("span", {}, word)));
    const bar = el("div", { class: "cch-bar" }, this.tabs.element, this.finder.element, this.finder.chips);
    const pane = el("div", { class: "cch-pane" }, head, this.list.element, this.#state, this.cards.element, this.footer.element);
    this.#under.append(this.header.element, this.#top, bar, el("div", { class: "cch-cols" }, pane, this.#side));
    root.append(this.#under, ...this.#live.elements);
    root.addEventListener("keydown", (event) => this.#key(event));
    for (const type of ["keyup", "keypress", "copy", "cut", "paste", "contextmenu"]) root.addEventListener(type, (event) => event.stopPropagation());
  }

  destroy() {
    this.parts.actions.leaveViewer(this.root);
    this.#popups.close();
    window.cancelAnimationFrame(this.#frame);
    clearTimeout(this.#resting);
    for (const leave of this.#leave) leave();
    this.root.remove();
  }

  /** What another view of the same store shows to look like this one. */
  place() {
    const { shown } = this.#pages;
    return { top: this.list.element.scrollTop, page: shown && shown !== this.detailsPage ? this.#page : null, details: shown === this.detailsPage };
  }

  /** @param {ReturnType<PanelView["place"]>} place */
  goTo({ top, page, details }) {
    this.list.layOut();
    this.list.element.scrollTop = top;
    this.list.draw();
    if (page) this.#showPage(page);
    else if (details && this.store.focused) this.open(this.store.focused);
  }

  /** Focuses the open page, else the list. */
  focus() {
    if (this.#pages.shown) this.#pages.shown.element.querySelector("button")?.focus({ preventScroll: true });
    else this.focusList();
  }

  /** Focuses the list, or the panel while the list is hidden. */
  focusList() {
    const { element } = this.list;
    (element.hidden ? this.root : element).focus({ preventScroll: true });
  }

  /** Lists only these jobs. @param {string[]} ids @param {string} [outcome] what became of them, in words */
  show(ids, outcome = leftBehind()) {
    this.back();
    this.store.choose({ tab: "all", search: "", only: ids, onlyWord: outcome });
    this.focusList();
  }

  #measure() {
    // The style sheet decides, in units of the text size.
    const wide = window.getComputedStyle(this.#side).display !== "none";
    if (wide === this.#wide) return;
    this.#wide = wide;
    if (this.#pages.shown === this.detailsPage) this.back();
    this.details.close();
    this.#follow();
  }

  /** @param {boolean} all */
  #redrawLater(all) {
    this.#all ||= all;
    this.#frame ||= window.requestAnimationFrame(() => this.draw());
  }

  /** Closes popups, the viewer and details of the previous account's jobs after a change of account. */
  #leaveAccount() {
    const [before, hadFocus] = [this.#account, this.root.contains(document.activeElement)];
    this.#account = this.store.account;
    if (!before || before === this.#account) return;
    this.#popups.close();
    this.parts.actions.leaveViewer(this.root);
    if (this.#pages.shown === this.detailsPage && this.#pages.close() && hadFocus) this.focusList();
  }

  draw() {
    const { store } = this;
    this.#frame = 0;
    this.#leaveAccount();
    if (this.#all) {
      this.#all = false;
      for (const part of [this.header, this.tabs, this.finder]) part.draw();
      this.#drawStates();
      this.list.layOut();
      const ended = this.#loading && !store.loading;
      this.#loading = store.loading;
      if (ended && store.readAt !== null) this.#live.say(loadedWord(store.counts.all));
      else if (!store.loading && store.readAt !== null) this.#live.sayLater(this.#listWords());
    } else {
      this.list.draw();
      this.#live.sayLater(this.footer.text());
    }
    this.cards.render();
    this.footer.draw();
    this.#follow();
  }

  #listWords() {
    const { rows, counts } = this.store;
    return rows.length ? this.footer.text() : counts.all ? nothingTitle(this.store) : EMPTY.title;
  }

  #drawStates() {
    const { store, parts } = this;
    const { rows, loading, readAt, error, choice, counts, status } = store;
    const banner = banners(store, parts.banners({ show: (ids) => this.show(ids) }));
    const same = banner.length === this.#top.children.length && banner.every((each, at) => each.textContent === this.#top.children[at]?.textContent);
    if (!same) this.#top.replaceChildren(...banner);
    const now = rows.length ? "" : JSON.stringify([loading, readAt, error?.code, error?.cloudSays, choice, counts.all, store.held, status?.source]);
    this.list.element.setAttribute("aria-busy", String(loading));
    const hadFocus = [this.root, this.list.element].some((each) => each === document.activeElement);
    this.list.element.hidden = !rows.length;
    if (hadFocus) this.focusList();
    if (now === this.#drawnState) return;
    this.#drawnState = now;
    const state = wholeState(store, parts.actions);
    this.#state.replaceChildren(...(state ? [state] : []));
    // Without a list the fields for search and order and the count are hidden.
    this.root.classList.toggle("no-list", !rows.length && readAt === null && !loading);
    if (error && !loading && !rows.length) this.#live.say(state?.querySelector("h3")?.textContent ?? "", true);
  }

  /** Shows the focused row in the details beside the list. */
  #follow() {
    clearTimeout(this.#resting);
    if (!this.#wide) return;
    this.#resting = setTimeout(() => {
      const focused = this.store.get(this.store.focused);
      const row = this.store.chosen && focused;
      if (this.details.element.parentNode !== this.#side) this.#side.append(this.#none, this.details.element);
      if (row) this.details.show(row, { pane: true });
      else this.details.close();
      this.details.element.hidden = !row;
      this.#none.hidden = !focused || Boolean(row);
      this.scrolled();
    }, REST_MS);
  }

  /** @param {string} id */
  open(id) {
    const row = this.store.get(id);
    if (!row) return;
    this.list.goTo(id);
    if (this.#wide) return;
    this.#pages.open(this.detailsPage);
    this.details.show(row, { pane: false });
  }

  /** Opens the viewer at a job. @param {string} id */
  view(id) {
    if (!this.store.get(id)) return;
    this.list.goTo(id);
    const closed = (/** @type {string} */ last) => {
      this.list.goTo(last);
      this.focusList();
    };
    this.parts.actions.view({ id, root: this.root, closed });
  }

  /** @param {string} id */
  #reveal(id) {
    this.list.goTo(id);
    this.focusList();
  }

  /** @param {PageName} name */
  openPage(name) {
    this.#showPage(name);
    this.focus();
  }

  /** @param {PageName} name */
  #showPage(name) {
    this.#page = name;
    this.#pages.open(this.parts.createPage(name, this.pageHost));
  }

  /** Returns from a page to the list. */
  back() {
    if (!this.#pages.close()) return false;
    this.list.draw();
    this.focusList();
    return true;
  }

  /* Keys that act: on the focused row alone unless it is selected, else on all selected jobs */

  copy() {
    const row = this.store.keyRow();
    const ids = row ? [row.id] : this.store.selection.ids();
    if (ids.length) this.parts.actions.copyIds(ids);
  }

  protect() {
    const row = this.store.keyRow();
    this.parts.actions.protect(row ? [row] : this.store.selectedRows());
  }

  remove() {
    const { store, parts } = this;
    const row = store.keyRow();
    const rows = row ? [row] : store.selectedRows();
    // The dialog explains why protected jobs stay.
    const why = rows.every(({ status }) => isActive(status)) ? text("list.active_stay") : store.blocked();
    if (why) this.#live.say(why, true);
    else if (row) parts.actions.remove({ ids: [row.id] });
    else this.footer.removeSelected();
  }

  /** @param {Row} row @param {[number, number]} at */
  openMenu(row, at) {
    const items = rowMenu(row, this.parts, { open: () => this.open(row.id), view: () => this.view(row.id) });
    this.#popups.menu(items, { anchor: this.list.element, at, label: text("list.more") });
  }

  /** @returns {boolean} whether Escape had an effect */
  #escape() {
    const { selection } = this.store;
    if (this.#popups.close()) return true;
    if (document.activeElement === this.finder.search && this.finder.escape()) return true;
    if (this.back()) return true;
    if (!selection.size) return false;
    this.store.select((each) => each.clear());
    return true;
  }

  /** @param {KeyboardEvent} event */
  #handled(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented) return true;
    if (target === this.list.element && this.list.key(event)) return true;
    switch (panelKey(event, target.matches("input:not([type=radio]), select, textarea"))) {
      case "escape":
        return this.#escape();
      case "undo":
        if (!event.repeat) this.parts.actions.undo(this.#live.say);
        return true;
      case "search":
        this.finder.search.focus();
        return !this.#pages.shown;
      default:
        return false;
    }
  }

  /** Called after the list was scrolled or redrawn. */
  scrolled() {
    if (this.#wide) this.details.setInView(this.list.shows(this.store.focused));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const handled = this.#handled(event);
    if (handled) event.preventDefault();
    if (handled || !passes(event)) event.stopPropagation();
    hideUndo(event);
  }
}
