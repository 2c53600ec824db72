// @ts-check
/** A menu or a box of fields over the panel, one at a time. Escape, a press elsewhere, or moving the focus out closes it. */

import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { text } from "../common/words.mjs";
import { step } from "./keys.mjs";

/** @import { IconName } from "../common/icons.mjs" */

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {() => void} press
 * @property {IconName} [icon]
 * @property {string} [small] a second line
 * @property {string} [key] the shortcut, shown beside the label
 * @property {boolean} [checked] whether this choice is the current one
 * @property {boolean} [danger]
 */
/** @typedef {{anchor: HTMLElement, at?: [number, number], label: string}} Where `at`: the pointer's position in the window */

const MARGIN = 8;

export class Popups {
  /** @type {(() => void) | null} */
  #close = null;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    root.addEventListener("pointerdown", ({ target }) => {
      const inside = /** @type {Element} */ (target).closest(".cch-menu, [aria-expanded=true]");
      if (!inside) this.close();
    });
  }

  /** @returns {boolean} whether a popup was open */
  close() {
    const close = this.#close;
    this.#close = null;
    close?.();
    return close !== null;
  }

  /** @param {HTMLElement} box @param {Where} where @param {HTMLElement | undefined} first */
  open(box, { anchor, at, label }, first) {
    const again = anchor.getAttribute("aria-expanded") === "true";
    this.close();
    if (again && !at) return;
    box.classList.add("cch-menu");
    box.setAttribute("aria-label", label);
    // Focusable, so that a press on plain text in the box keeps the focus inside the box.
    box.tabIndex = -1;
    this.root.append(box);
    this.#place(box, anchor, at);
    const observer = new window.ResizeObserver(() => this.#place(box, anchor, at));
    observer.observe(this.root);
    observer.observe(box);
    if (!at) anchor.setAttribute("aria-expanded", "true");
    first?.focus();
    const leave = (/** @type {FocusEvent} */ event) => event.relatedTarget && !box.contains(/** @type {Node} */ (event.relatedTarget)) && this.close();
    box.addEventListener("focusout", leave);
    box.addEventListener("keydown", (event) => this.#leaveByTab(box, event));
    this.#close = () => {
      observer.disconnect();
      box.removeEventListener("focusout", leave);
      anchor.removeAttribute("aria-expanded");
      const back = box.contains(document.activeElement);
      box.remove();
      if (back) anchor.focus({ preventScroll: true });
    };
  }

  /** Places a box below its anchor or at the pointer, within the panel. @param {HTMLElement} box @param {HTMLElement} anchor @param {[number, number] | undefined} at */
  #place(box, anchor, at) {
    const frame = this.root.getBoundingClientRect();
    const from = anchor.getBoundingClientRect();
    const [x, y] = at ?? [from.right - box.offsetWidth, from.bottom + 4];
    const within = (/** @type {number} */ wanted, /** @type {number} */ most) => `${Math.max(MARGIN, Math.min(wanted, most - MARGIN))}px`;
    box.style.left = within(x - frame.left, frame.width - box.offsetWidth);
    box.style.top = within(y - frame.top, frame.height - box.offsetHeight);
  }

  /**
   * Closes the box before Tab leaves it, and gives the focus to the anchor. Shift+Tab stops there; Tab goes on from there, because
   * the box is the last element of the panel, and what follows it is not ours.
   * @param {HTMLElement} box @param {KeyboardEvent} event
   */
  #leaveByTab(box, event) {
    const { key, shiftKey } = event;
    if (key !== "Tab") return;
    const fields = [...box.querySelectorAll("a[href], button, input, select")].filter((each) => /** @type {HTMLElement} */ (each).offsetParent && !each.matches("[tabindex='-1'], :disabled"));
    // All radio buttons of a group are one stop.
    const stops = fields.filter((each) => !each.matches("[type=radio]:not(:checked)"));
    const edge = shiftKey ? stops[0] : stops.at(-1);
    if (edge && edge !== document.activeElement && document.activeElement !== box) return;
    if (shiftKey) event.preventDefault();
    this.close();
  }

  /** @param {(Item | null)[]} items null: a separator @param {Where} where */
  menu(items, where) {
    const entries = items.map((item) => (item ? this.#entry(item) : el("hr")));
    const buttons = entries.filter((entry) => entry instanceof window.HTMLButtonElement);
    const move = (/** @type {KeyboardEvent} */ event) => {
      const to = step(event.key, buttons.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement)), buttons.length, ["ArrowUp", "ArrowDown"]);
      if (to < 0) return;
      event.preventDefault();
      buttons[to]?.focus();
    };
    const first = buttons.find((each) => each.getAttribute("aria-checked") === "true") ?? buttons[0];
    this.open(el("div", { role: "menu", onkeydown: move }, ...entries), where, first);
  }

  /** @param {Item} item */
  #entry({ label, press, icon: name, small, key, checked, danger }) {
    const choose = () => {
      this.close();
      press();
    };
    const role = checked === undefined ? "menuitem" : "menuitemradio";
    const attributes = { type: "button", tabindex: "-1", class: `cch-mi${danger ? " danger" : ""}`, role, onclick: choose };
    return el(
      "button",
      { ...attributes, ...(checked !== undefined && { "aria-checked": String(checked) }), ...(key && { "aria-keyshortcuts": key }) },
      name && icon(name),
      el("span", { class: "cch-grow" }, label, small && el("small", {}, small)),
      key && el("kbd", { "aria-hidden": "true" }, key === "Delete" ? text("list.keys.delete") : key.replace("Control", text("list.keys.control"))),
      checked && icon("check"),
    );
  }
}
