// @ts-check
/**
 * Tooltips, after a delay under the pointer and for an element to which a person moves the focus by keyboard. An element that gets the
 * focus otherwise, for instance in a page that opens, has none, because Escape would then need two presses. The text is in `data-tip`. One bubble and the listeners of the root element serve all of them, so rows that are reused need no listeners.
 * As WCAG 2.2 asks in 1.4.13, a tooltip stays while the pointer is on it, and Escape closes it and nothing else.
 */

import { el, isComposing, writeText } from "./dom.mjs";
import { words } from "./words.mjs";

/** As in ComfyUI, like the bubble's measures in common.css. */
const DELAY_MS = 300;
const GAP_PX = 4;
const MARGIN_PX = 8;
/** How often an open tooltip follows its element, which may change or disappear. */
const LOOK_MS = 250;

/** @param {Element} element @param {string} text "" for none */
export const setTip = (element, text) => element.setAttribute("data-tip", text);

/** @param {string | null | undefined} text */
const oneLine = (text) => (text ?? "").replace(/\s+/g, " ").trim();

/** Whether a part of an element's text is not visible because it does not fit. @param {Element} element */
const isCut = (element) => [element, ...element.querySelectorAll(":not(.cch-unseen, svg *)")].some((each) => each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1);

/** The text of an element's tooltip; "" if the element shows all of it. @param {Element} element */
function tipOf(element) {
  const text = element.getAttribute("data-tip") ?? "";
  return oneLine(element.textContent).includes(oneLine(text)) && !isCut(element) ? "" : text;
}

let bubbles = 0;

class Tooltips {
  #bubble = el("div", { class: "cch cch-tip", dir: "auto", id: `cch-tip-${++bubbles}`, "aria-hidden": "true", hidden: true });
  /** @type {Element | null} */
  #target = null;
  /** The target's descriptions without the tooltip. @type {string | null} */
  #described = null;
  /** Its tooltip was closed by Escape, and stays closed until the pointer or the focus is elsewhere. @type {Element | null} */
  #dismissed = null;
  /** The element to which a key moved the focus. @type {Element | null} */
  #focused = null;
  #timer = 0;
  #looking = 0;
  #shown = new AbortController();

  constructor() {
    this.#bubble.addEventListener("pointerleave", ({ relatedTarget }) => this.leave(relatedTarget));
  }

  /** Begins to wait. @param {Element} target */
  begin(target) {
    if (target === this.#target || target === this.#dismissed) return;
    this.#forgive();
    this.end();
    const text = tipOf(target);
    if (!text) return;
    this.#target = target;
    this.#describe(target, text);
    this.#timer = window.setTimeout(() => this.#show(), DELAY_MS);
  }

  /** The pointer is no longer on the element, nor on the tooltip. @param {EventTarget | null} to what it is on */
  leave(to) {
    if (to instanceof window.Node && (this.#bubble.contains(to) || this.#target?.contains(to))) return;
    if (to instanceof window.Node && this.#dismissed?.contains(to)) return;
    this.#forgive();
    // The tooltip of a focused element stays until the focus moves, and returns after that of an element under the pointer.
    if (this.#focused) this.begin(this.#focused);
    else this.end();
  }

  /** A tooltip that Escape closed may return once neither the pointer nor the focus is on its element. */
  #forgive() {
    if (!this.#dismissed?.matches(":focus-visible")) this.#dismissed = null;
  }

  /** A key has moved the focus to this element. @param {Element} target */
  focus(target) {
    this.#focused = target;
    this.begin(target);
  }

  /** The focus has left. */
  blur() {
    this.#focused = this.#dismissed = null;
    this.end();
  }

  end() {
    clearTimeout(this.#timer);
    window.clearInterval(this.#looking);
    this.#shown.abort();
    if (this.#target && this.#bubble.parentNode) {
      if (this.#described) this.#target.setAttribute("aria-describedby", this.#described);
      else this.#target.removeAttribute("aria-describedby");
    }
    this.#target = null;
    this.#bubble.hidden = true;
    this.#bubble.remove();
  }

  /** Tells screen readers what the element's own name does not say. @param {Element} target @param {string} text */
  #describe(target, text) {
    writeText(this.#bubble, text);
    this.#bubble.lang = words.language;
    this.#described = target.getAttribute("aria-describedby");
    if (oneLine(target.getAttribute("aria-label") ?? target.textContent).includes(oneLine(text))) return;
    this.#attach(target);
    target.setAttribute("aria-describedby", [this.#described, this.#bubble.id].filter(Boolean).join(" "));
  }

  /** @param {Element} target */
  #attach(target) {
    // Nothing outside a modal dialog is above it.
    (target.closest("dialog[open]") ?? document.body).append(this.#bubble);
  }

  #show() {
    const target = this.#target;
    if (!target?.isConnected) return this.end();
    if (!this.#bubble.parentNode) this.#attach(target);
    this.#bubble.hidden = false;
    this.#place(target);
    this.#shown = new AbortController();
    const options = { capture: true, passive: true, signal: this.#shown.signal };
    const end = () => this.end();
    for (const type of ["wheel", "scroll", "pointerdown", "blur"]) window.addEventListener(type, end, options);
    window.addEventListener("keydown", (event) => event.key === "Escape" && !isComposing(event) && this.#dismiss(event), { ...options, passive: false });
    this.#looking = window.setInterval(() => this.#look(), LOOK_MS);
  }

  /** Escape closes the tooltip, and not what is around it. @param {KeyboardEvent} event */
  #dismiss(event) {
    event.preventDefault();
    event.stopPropagation();
    this.#dismissed = this.#target;
    this.end();
  }

  #look() {
    const target = this.#target;
    const text = target?.isConnected && target.getClientRects().length ? tipOf(target) : "";
    if (!target || !text) return this.end();
    if (text === this.#bubble.textContent) return;
    writeText(this.#bubble, text);
    this.#place(target);
  }

  /** @param {Element} target */
  #place(target) {
    const { style } = this.#bubble;
    const box = target.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.#bubble;
    const left = Math.min(box.left + (box.width - width) / 2, window.innerWidth - width - MARGIN_PX);
    const isBelow = box.bottom + GAP_PX + height + MARGIN_PX <= window.innerHeight;
    style.left = `${Math.max(MARGIN_PX, left)}px`;
    style.top = `${isBelow ? box.bottom + GAP_PX : Math.max(MARGIN_PX, box.top - GAP_PX - height)}px`;
  }
}

/** @type {Tooltips | null} */
let tooltips = null;
const MOVES = new Set(["Tab", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End"]);
/** Whether the last key that was pressed moves the focus. */
let hasMoved = false;
/** @param {KeyboardEvent} event */
const notice = ({ key }) => (hasMoved = MOVES.has(key));

/** Shows the tooltips of an element's descendants. @template {HTMLElement} T @param {T} root @returns {T} */
export function withTooltips(root) {
  const begin = (/** @type {Element} */ target) => (tooltips ??= new Tooltips()).begin(target);
  const end = () => tooltips?.end();
  const leave = (/** @type {EventTarget | null} */ to) => tooltips?.leave(to);
  // The key may have been pressed outside the root element. The same listener is added once.
  window.addEventListener("keydown", notice, { capture: true, passive: true });
  const found = (/** @type {Event} */ { target }) => (target instanceof window.Element ? target.closest("[data-tip]") : null);
  /** The element with a tooltip that has come under the pointer. @type {Element | null} */
  let entered = null;
  root.addEventListener("pointerover", (event) => {
    // A finger has no tooltips, and a pressed button drags.
    if (event.pointerType !== "mouse" || event.buttons) return;
    entered = found(event);
    if (!entered) leave(event.target);
  });
  // Only a pointer that moves asks for a tooltip, and not an element that appears under a pointer at rest.
  root.addEventListener("pointermove", () => {
    if (entered) begin(entered);
    entered = null;
  });
  root.addEventListener("pointerleave", ({ relatedTarget }) => leave(relatedTarget));
  root.addEventListener("focusin", (event) => {
    const { target } = event;
    if (hasMoved && target instanceof window.Element && target.matches("[data-tip]:focus-visible")) (tooltips ??= new Tooltips()).focus(target);
  });
  root.addEventListener("focusout", () => tooltips?.blur());
  root.addEventListener("pointerdown", end, true);
  return root;
}
