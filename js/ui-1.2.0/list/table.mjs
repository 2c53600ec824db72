// @ts-check
/** The list of jobs, with elements only for the rows in view. */

import { once } from "../common/components.mjs";
import { el, textScale } from "../common/dom.mjs";
import { dayHeading } from "../common/format.mjs";
import { text } from "../common/words.mjs";
import { hasOutputs } from "../outputs/saved.mjs";
import { listKey } from "./keys.mjs";
import { onLongPress } from "./long_press.mjs";
import { RowView } from "./row.mjs";
import { byDay, HEADING, indexAt, inView, place, ROW, SPARE, topOf } from "./virtual.mjs";

/** @import { Row } from "../../../types/list" */
/** @import { ListKey } from "./keys.mjs" */
/** @import { PanelView } from "./view.mjs" */

const MINUTE = 60_000;
/** Pause in scrolling before thumbnails are requested. */
const REST_MS = 120;
/** The longest time between the clicks of a double click, on any system. */
const DOUBLE_CLICK_MS = 700;
/** The longest distance between the clicks of a double click. */
const DOUBLE_CLICK_PX = 8;

let lists = 0;

export class ListView {
  #prefix = `cch-${++lists}-`;
  #space = el("div", { class: "cch-space", role: "presentation" });
  element = el("div", { class: "cch-list", role: "listbox", "aria-multiselectable": "true", tabindex: "0", "aria-label": text("list.jobs") }, this.#space);
  /** @type {Map<string, RowView>} */
  #shown = new Map();
  /** A box for each day in view. Its heading stays at the top of the list while the day's rows scroll. @type {Map<string, HTMLElement>} */
  #headings = new Map();
  /** @type {ReturnType<typeof place>} */
  #placed = { groups: [], height: 0 };
  #grouped = true;
  #scale = 1;
  #frame = 0;
  #resting = 0;
  /** The scroll position of the last drawing. */
  #scrolled = 0;
  #jumped = false;
  /** The id of the job under the pointer when it went down; "" for none. */
  #pressed = "";
  /** The id of the job that the first of several quick clicks hit. */
  #clicked = "";
  /** The scroll position before a deletion hid the focused row, and the position to restore; null: none. @type {number | null} */
  #scrollBefore = null;
  /** @type {number | null} */
  #scrollTo = null;
  #down = false;
  /** The time and place of the last press. */
  #press = { at: -Infinity, x: 0, y: 0 };
  #observer = new window.ResizeObserver(() => (textScale() === this.#scale ? this.#redrawLater() : this.layOut()));
  /** Redraws day headings and relative times. */
  #clock = window.setInterval(() => this.layOut(), MINUTE);

  /** @param {PanelView} panel */
  constructor(panel) {
    this.panel = panel;
    this.store = panel.parts.store;
    const { element } = this;
    onLongPress(element, (event) => this.#at(event, (row) => {
      // Some browsers take a tap soon after the long press for the second one of a double tap.
      this.#clicked = row.id;
      this.#menu(row, event.clientX, event.clientY);
    }));
    element.addEventListener("scroll", () => this.#redrawLater(), { passive: true });
    element.addEventListener("pointerdown", (event) => {
      this.#pressed = "";
      this.#down = true;
      this.#press = { at: performance.now(), x: event.clientX, y: event.clientY };
      this.#at(event, (row) => (this.#pressed = row.id));
    });
    element.addEventListener("pointerleave", () => (this.#pressed = ""));
    for (const type of ["pointerup", "pointercancel", "pointerleave"]) element.addEventListener(type, () => (this.#down = false));
    element.addEventListener("click", (event) => (this.#click(event), (this.#pressed = "")));
    element.addEventListener("dblclick", (event) => this.#at(event, (row, target) => target.closest("[data-do]") || row.id !== this.#clicked || panel.open(row.id)));
    element.addEventListener("mousedown", (event) => event.shiftKey && event.preventDefault());
    element.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      if (event.button === 2) this.#at(event, (row) => this.#menu(row, event.clientX, event.clientY));
    });
    this.#observer.observe(element);
  }

  destroy() {
    this.#observer.disconnect();
    window.clearInterval(this.#clock);
    window.cancelAnimationFrame(this.#frame);
    clearTimeout(this.#resting);
    for (const view of this.#shown.values()) this.panel.parts.thumbnails.release(view.image);
  }

  /** Redraws after the listed jobs have changed. */
  layOut() {
    const { rows, choice } = this.store;
    this.#grouped = choice.sort === "recent" || choice.sort === "oldest";
    const groups = this.#grouped ? byDay(rows) : [{ start: 0, count: rows.length, at: null }];
    this.#scale = textScale();
    this.#placed = place(groups, this.#grouped, this.#scale);
    this.#space.style.height = `${this.#placed.height}px`;
    if (this.#scrollTo !== null) this.#restoreScroll(this.#scrollTo);
    this.draw();
  }

  /** Remembers the scroll position, because a deletion is about to hide the focused row. */
  saveScroll() {
    this.#scrollBefore = this.element.scrollTop;
  }

  /** Returns to the saved scroll position at the next redraw. */
  undone() {
    [this.#scrollTo, this.#scrollBefore] = [this.#scrollBefore, null];
  }

  /** @param {number} top */
  #restoreScroll(top) {
    this.#scrollTo = null;
    this.element.scrollTop = top;
    const index = this.store.rows.findIndex(({ id }) => id === this.store.focused);
    if (index >= 0) this.#reveal(index);
  }

  /** Whether a row is in the visible part of the list, at least in part. @param {string} id */
  shows(id) {
    const { scrollTop, clientHeight } = this.element;
    const index = this.store.rows.findIndex((row) => row.id === id);
    const top = topOf(this.#placed.groups, index);
    return index >= 0 && top + ROW * this.#scale > scrollTop + this.#heading() && top < scrollTop + clientHeight;
  }

  #redrawLater() {
    this.#frame ||= window.requestAnimationFrame(() => this.draw());
  }

  draw() {
    window.cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const { scrollTop, clientHeight } = this.element;
    // After a jump only visible rows are filled, because the next jump may follow at once.
    this.#jumped = Math.abs(scrollTop - this.#scrolled) > clientHeight;
    this.#scrolled = scrollTop;
    this.#fill(this.#jumped ? 0 : SPARE);
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#afterScroll(), REST_MS);
    this.panel.scrolled();
  }

  /** @param {number} spare extra rows above and below those in view */
  #fill(spare) {
    const { store, element } = this;
    const { groups } = this.#placed;
    const { first, last } = inView(groups, store.rows.length, element.scrollTop, element.clientHeight, spare);
    const focused = store.focused ? store.rows.findIndex(({ id }) => id === store.focused) : -1;
    const wanted = store.rows.slice(first, last).map((row, at) => ({ row, index: first + at }));
    const row = store.rows[focused];
    if (row && (focused < first || focused >= last)) wanted[focused < first ? "unshift" : "push"]({ row, index: focused });
    this.#drawRows(wanted);
    this.#drawHeadings(first, last);
    if (row) element.setAttribute("aria-activedescendant", this.#prefix + focused);
    else element.removeAttribute("aria-activedescendant");
  }

  /** @param {{row: Row, index: number}[]} wanted */
  #drawRows(wanted) {
    const { store } = this;
    const { groups } = this.#placed;
    const now = store.now();
    const midnight = new Date(now).setHours(0, 0, 0, 0);
    const keys = new Set(wanted.map(({ row }) => row.id));
    const spare = [...this.#shown.values()].filter((view) => !keys.has(view.key));
    /** @type {Map<string, RowView>} */
    const shown = new Map();
    for (const { row, index } of wanted) {
      let view = this.#shown.get(row.id);
      if (!view) {
        view = spare.shift() ?? new RowView();
        this.#release(view);
      }
      const [selected, focused] = [store.selection.has(row.id), row.id === store.focused];
      const relative = !this.#grouped || (row.created ?? 0) >= midnight;
      const mark = this.panel.parts.markOf(row.id);
      const cancel = store.canCancel();
      const top = topOf(groups, index);
      const joins = (/** @type {number} */ other) =>
        selected && Math.abs(topOf(groups, other) - top) < ROW * this.#scale + 1 && store.selection.has(store.rows[other]?.id ?? "");
      const joined = `${joins(index - 1) ? " joins-up" : ""}${joins(index + 1) ? " joins-down" : ""}`;
      const isProtected = store.protection.covers(row);
      const isSaved = store.saved.of(row.id) === "all";
      const name = store.nameParts(row);
      const isDescribed = store.isDescribed(row);
      view.fill({ row, name, isDescribed, index, top, count: store.rows.length, selected, focused, joined, relative, now, cancel, id: this.#prefix + index, isProtected, isSaved, mark });
      if (!view.element.isConnected) this.#space.append(view.element);
      shown.set(row.id, view);
    }
    for (const view of spare) {
      this.#release(view);
      view.element.remove();
    }
    this.#shown = shown;
  }

  /** @param {RowView} view */
  #release(view) {
    if (view.key) this.panel.parts.thumbnails.release(view.image);
    view.image.hidden = true;
    view.image.removeAttribute("src");
    view.asked = "";
  }

  #afterScroll() {
    // Moving an element in the page would cancel a click or double click in progress on it.
    if (this.#down || performance.now() - this.#press.at < DOUBLE_CLICK_MS) {
      this.#resting = setTimeout(() => this.#afterScroll(), DOUBLE_CLICK_MS);
      return;
    }
    if (this.#jumped) this.#fill(SPARE);
    this.#jumped = false;
    // Screen readers read elements in page order, so that order must match the list.
    /** @type {Element | null} */
    let next = this.#space.firstElementChild;
    for (const { element } of this.#shown.values()) {
      if (element === next) next = next.nextElementSibling;
      else this.#space.insertBefore(element, next);
    }
    this.store.saved.want([...this.#shown.keys()].filter((id) => hasOutputs(this.store.get(id) ?? { outputs: 0 })));
    for (const view of this.#shown.values()) {
      const row = this.store.get(view.key);
      if (!row?.preview || view.asked === row.id) continue;
      view.asked = row.id;
      this.panel.parts.thumbnails.requestFor(row, view.image);
    }
  }

  /** @param {number} first @param {number} last */
  #drawHeadings(first, last) {
    /** @type {Map<string, HTMLElement>} */
    const headings = new Map();
    const now = this.store.now();
    for (const group of this.#placed.groups) {
      if (!this.#grouped || group.start >= last) break;
      if (group.start + group.count <= first) continue;
      const key = `${group.top} ${dayHeading(group.at, now)}`;
      const day = this.#headings.get(key) ?? el("div", { class: "cch-day", "aria-hidden": "true" }, el("div", {}, dayHeading(group.at, now)));
      day.style.top = `${group.top}px`;
      day.style.height = `${group.height + group.count * group.row}px`;
      if (!day.isConnected) this.#space.append(day);
      headings.set(key, day);
    }
    for (const [key, heading] of this.#headings) if (!headings.has(key)) heading.remove();
    this.#headings = headings;
  }

  /** The height of a day heading in pixels; 0 in lists without them. */
  #heading() {
    return this.#grouped ? HEADING * this.#scale : 0;
  }

  /** Scrolls just far enough to show a row. @param {number} index */
  #reveal(index) {
    const { element } = this;
    const { groups } = this.#placed;
    const top = topOf(groups, index);
    // The heading of the day stays at the top of the list.
    const above = this.#heading();
    const bottom = top + ROW * this.#scale;
    if (top - above < element.scrollTop) element.scrollTop = top - above;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
  }

  /** Scrolls to a row and focuses it. @param {string} id */
  goTo(id) {
    const index = this.store.rows.findIndex((row) => row.id === id);
    if (index < 0) return;
    this.store.focus(id);
    this.#reveal(index);
    this.draw();
  }

  /**
   * Calls `what` with the job that is drawn at the event's position. Ignores a click if another job has moved under the pointer
   * since the pointer went down.
   * @param {MouseEvent} event @param {(row: Row, target: Element) => void} what
   */
  #at(event, what) {
    const target = /** @type {Element} */ (event.target);
    const element = target.closest(".cch-row");
    const id = [...this.#shown.values()].find((view) => view.element === element)?.key ?? "";
    const row = this.store.get(id);
    if (row && (!this.#pressed || this.#pressed === id)) what(row, target);
  }

  /** Whether a click is the second one of a double click that began in the list, also if it no longer hits the list. @param {MouseEvent} event */
  isSecondClick({ timeStamp, clientX, clientY }) {
    const { at, x, y } = this.#press;
    return timeStamp - at < DOUBLE_CLICK_MS && Math.hypot(clientX - x, clientY - y) < DOUBLE_CLICK_PX;
  }

  /** @param {MouseEvent} event */
  #click(event) {
    this.#at(event, (row, target) => {
      const pressed = target.closest("[data-do]");
      const button = pressed?.getAttribute("data-do");
      // The list may have moved between two quick clicks: the second one was meant for the first one's row.
      if (event.detail <= 1) this.#clicked = row.id;
      else if (row.id !== this.#clicked) return;
      this.store.focus(row.id);
      if (button === "cancel") return this.panel.parts.actions.cancel([row]);
      if (button === "protect") return once(() => this.panel.parts.actions.protect([row], !pressed?.classList.contains("is-on")))(event);
      if (button === "details") return this.panel.open(row.id);
      if (button === "view") return this.panel.view(row.id);
      if (event.shiftKey) {
        const order = this.store.rows.map(({ id }) => id);
        this.store.select((selection) => selection.range(row.id, order));
      } else if (button === "select" || event.ctrlKey || event.metaKey) {
        this.store.select((selection) => selection.toggle(row.id));
      }
    });
  }

  /** @param {Row} row @param {number} x @param {number} y */
  #menu(row, x, y) {
    this.store.focus(row.id);
    this.panel.openMenu(row, [x, y]);
  }

  /** @param {Extract<ListKey, {do: "move"}>} move */
  #move({ by, way, extend }) {
    const { rows, focused } = this.store;
    if (!rows.length) return;
    const at = rows.findIndex(({ id }) => id === focused);
    const { groups } = this.#placed;
    const page = () => indexAt(groups, topOf(groups, at) + way * (this.element.clientHeight - this.#heading() - ROW * this.#scale));
    const to = by === "end" ? (way < 0 ? 0 : rows.length - 1) : by === "page" ? page() : at + way;
    const row = rows[Math.max(0, Math.min(to, rows.length - 1))];
    if (!row) return;
    if (extend) {
      const order = rows.map(({ id }) => id);
      this.store.select((selection) => {
        if (!selection.has(focused)) selection.range(focused, order);
        selection.range(row.id, order);
      });
    }
    this.goTo(row.id);
  }

  /** Shows the focused row before a key acts on it alone. */
  #revealTarget() {
    if (this.store.keyRow()) this.goTo(this.store.focused);
  }

  /** @param {KeyboardEvent} event @returns {boolean} whether the key was ours */
  key(event) {
    const key = listKey(event);
    if (!key) return false;
    const { store, panel } = this;
    const row = store.rows.find(({ id }) => id === store.focused);
    if (key.do === "move") this.#move(key);
    else if (key.do === "all") store.select((selection) => selection.add(store.rows.map(({ id }) => id)));
    else if (key.do === "copy") (this.#revealTarget(), panel.copy());
    else if (key.do === "delete") (this.#revealTarget(), panel.remove());
    else if (key.do === "protect") event.repeat || (this.#revealTarget(), panel.protect());
    else if (!row) return true;
    else if (key.do === "toggle") (this.goTo(row.id), store.select((selection) => selection.toggle(row.id)));
    else if (key.do === "details") panel.open(row.id);
    else if (key.do === "view") event.repeat || panel.view(row.id);
    else {
      this.goTo(row.id);
      const box = this.#shown.get(row.id)?.element.getBoundingClientRect();
      if (box) this.#menu(row, box.left + 56, box.bottom - 8);
    }
    return true;
  }
}
