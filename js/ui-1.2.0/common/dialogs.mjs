// @ts-check
/**
 * Our dialogs, drawn inside ComfyUI's dialogs, which provide the layer, the focus trap and Escape. One frame is open at a time;
 * each step replaces its content.
 */

import { button, checkOption, scrolledByKeys } from "./components.mjs";
import { el, hostComponent, isComposing } from "./dom.mjs";
import { icon } from "./icons.mjs";
import { Presses } from "./presses.mjs";
import { withTooltips } from "./tooltips.mjs";
import { text, words } from "./words.mjs";

/** @import { HostDialogs } from "../../../types/comfyui" */
/** @import { Child } from "./dom.mjs" */
/** @import { IconName } from "./icons.mjs" */

/**
 * @typedef {object} View
 * @property {string} title
 * @property {number} [width] CSS pixels at the usual text size
 * @property {Child[]} body the part that scrolls
 * @property {Child[]} [pinned] shown between the body and the buttons, always visible
 * @property {string} [agreement] the label of a checkbox that the person must tick before the danger button works; "" for none yet
 * @property {ViewButton[]} buttons Cancel or Close first
 * @property {HTMLElement} [focus] takes the focus instead of the first button
 * @property {boolean} [unasked] the dialog appears by itself, while the person does something else
 * @property {{beside: HTMLElement, side: "left" | "right"}} [halves] the buttons take one half of the foot, and `beside` the other
 */
/**
 * @typedef {object} ViewButton
 * @property {string} label
 * @property {string} [answer] what `show` resolves with; if absent, the button closes the dialog
 * @property {"ghost" | "primary" | "danger" | ""} [kind]
 * @property {IconName} [icon]
 * @property {HTMLElement} [element] shown instead of a button
 */
/** @typedef {Pick<DialogFrame, "show" | "close" | "focus" | "isOpen" | "say" | "answer" | "setAgreement">} Frame */
/** @typedef {{exclusive<T>(talk: (frame: Frame) => Promise<T>): Promise<T | undefined>}} Dialogs */

const WIDTH = 416;
/** ComfyUI closes the dialog and moves the focus with these keys. All other keys stay in the dialog. */
const PASSED_ON = new Set(["Escape", "Tab"]);
const STOPPED = ["keydown", "keyup", "keypress", "copy", "cut", "paste"];
/** The first option is for frontends with PrimeVue, the second for those with Reka. */
const NOT_LEFT_BY_A_CLICK = { dismissableMask: false, dismissOnPointerDownOutside: false };

let opened = 0;

/** @param {Child[]} children @returns {(Node | string)[]} */
const present = (children) => /** @type {(Node | string)[]} */ (children.filter((child) => child !== null && child !== undefined && child !== false));

/** Resolves with whether the person confirmed. @param {Dialogs} dialogs @param {Omit<View, "buttons">} view @param {ViewButton} yes @param {string} [no] */
export async function confirmed(dialogs, view, yes, no = text("common.cancel")) {
  return (await dialogs.exclusive((frame) => frame.show({ ...view, buttons: [{ label: no }, { ...yes, answer: "yes" }] }))) === "yes";
}

/** @param {HTMLElement} root */
function stopKeys(root) {
  for (const type of STOPPED) {
    root.addEventListener(type, (event) => {
      if (!(event instanceof KeyboardEvent && PASSED_ON.has(event.key) && !isComposing(event))) event.stopPropagation();
    });
  }
}

/**
 * Removes `autofocus` at the first press. PrimeVue focuses the marked element only after the dialog has opened, and would then
 * move the focus away from where the person already is.
 * @param {HTMLElement} root
 */
function unmarkWhenUsed(root) {
  for (const type of ["keydown", "pointerdown"]) {
    root.addEventListener(type, () => root.querySelector("[autofocus]")?.removeAttribute("autofocus"));
  }
}

/** The checkbox that the person must tick before the danger buttons work. */
class Agreement {
  // The text node and the element stay: some frontends move the focus when nodes are added or removed.
  #label = document.createTextNode("");
  element;
  #box;

  /** @param {(agreed: boolean) => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.element = checkOption([this.#label], false, onChange, "cch-opt cch-agree");
    this.#box = /** @type {HTMLInputElement} */ (this.element.querySelector("input"));
  }

  isGiven = () => this.#label.data === "" || this.#box.checked;

  focus = () => this.#box.focus();

  /** Begins a step, whose checkbox is not ticked yet. @param {string} label "" for no checkbox */
  begin(label) {
    this.#label.data = label;
    this.element.hidden = !label;
    this.#box.checked = false;
    this.onChange(!label);
  }

  /** A tick counts only for the words that were shown with it. @param {string} label */
  change(label) {
    if (label !== this.#label.data) this.begin(label);
  }
}

class DialogFrame {
  #number = ++opened;
  #open = true;
  #focusedBefore = document.activeElement;
  #panelBefore = this.#focusedBefore?.closest(".cch-panel");
  #title = el("h2");
  #body = scrolledByKeys(el("div", { class: "cch-db" }));
  #pinned = el("div", { class: "cch-dp" });
  #foot = el("div", { class: "cch-df" });
  #agreement = new Agreement((agreed) => this.#dangerous.forEach((each) => this.#presses.allow(each, agreed)));
  /** @type {HTMLElement[]} the danger buttons of the step */
  #dangerous = [];
  // One text node whose text changes, because some frontends move the focus when nodes are added or removed.
  #spoken = document.createTextNode("");
  #live = el("div", { class: "cch-unseen", role: "status" }, this.#spoken);
  #presses = new Presses(this.#foot);
  #leave = el("button", { type: "button", class: "cch-ib", "aria-label": text("common.close"), onclick: this.#presses.accept(false, () => this.close()) }, icon("close"));
  #root = el(
    "div",
    { class: "cch cch-dialog", tabindex: "-1" },
    el("div", { class: "cch-dh" }, this.#title, this.#leave),
    this.#body,
    this.#pinned,
    this.#foot,
    this.#live,
  );
  /** @type {((answer: string | null) => void) | null} */
  #answer = null;
  /** @type {HTMLElement} */
  #target = this.#leave;
  /** @type {{closeDialog(): void} | null} */
  #handle = null;

  /** @param {HostDialogs} host */
  constructor(host) {
    this.host = host;
    stopKeys(this.#root);
    unmarkWhenUsed(this.#root);
    withTooltips(this.#root);
    // Not worded anew: a change of the language closes it, or leaves it as it is.
    words.mark(this.#root, { isLasting: false });
  }

  isOpen() {
    return this.#open;
  }

  focus() {
    this.#target.focus({ preventScroll: true });
  }

  /** Lets screen readers read a text aloud. @param {string} text */
  say(text) {
    this.#spoken.data = text;
  }

  close() {
    this.#handle?.closeDialog();
    this.#onClosed();
  }

  /**
   * Shows one step. Resolves with the pressed button's answer, or null if the frame was closed or the step replaced.
   * @param {View} view
   * @returns {Promise<string | null>}
   */
  show(view) {
    this.#resolve(null);
    if (!this.#open) return Promise.resolve(null);
    const { unasked = false } = view;
    this.#presses.begin(unasked);
    const buttons = view.buttons.map((options, index) => this.#button(options, index === 0 && !view.focus));
    this.#root.style.setProperty("--cch-width", `${(view.width ?? WIDTH) / 16}rem`);
    this.#title.textContent = view.title;
    this.#body.replaceChildren(...present(view.body));
    this.#body.scrollTop = 0;
    this.#fillPinned(view, buttons);
    this.#fillFoot(view, buttons);
    this.#target = view.focus ?? buttons[0] ?? this.#leave;
    if (this.#handle) {
      this.say(view.title);
      this.focus();
    } else {
      this.#handle = this.#mount(view.title, unasked);
    }
    this.#presses.shown(unasked ? [this.#leave, ...buttons] : buttons.filter((_, index) => view.buttons[index]?.kind === "danger"));
    return new Promise((resolve) => (this.#answer = resolve));
  }

  /** @param {string} title @param {boolean} unasked */
  #mount(title, unasked) {
    const mount = (/** @type {Node} */ anchor) => {
      anchor.parentNode?.insertBefore(this.#root, anchor);
      this.#describe(this.#root.closest("[role=dialog]"));
      this.#presses.shown();
      // Waits for ComfyUI's focus trap to start: before that, the next change in the dialog would move the focus to the trap.
      setTimeout(() => this.#open && this.focus());
    };
    const unmount = () => {
      this.#onClosed();
      this.#root.remove();
    };
    return this.host.showExtensionDialog({
      // ComfyUI closes only dialogs whose key begins with "extension-".
      key: `extension-cch-${this.#number}`,
      title,
      component: hostComponent("CloudHistoryDialog", mount, unmount),
      dialogComponentProps: { ...BARE, onClose: () => this.#onClosed(), ...(unasked && NOT_LEFT_BY_A_CLICK) },
    });
  }

  /** Gives our title and body the ids that ComfyUI's dialog refers to. @param {Element | null} dialog */
  #describe(dialog) {
    const named = /** @type {const} */ ([["aria-labelledby", this.#title], ["aria-describedby", this.#body]]);
    for (const [attribute, element] of named) {
      const id = dialog?.getAttribute(attribute);
      if (id && !document.getElementById(id)) element.id = id;
    }
    if (this.#title.id) return;
    this.#title.id = `cch-title-${this.#number}`;
    dialog?.setAttribute("aria-labelledby", this.#title.id);
  }

  /** @param {ViewButton} options @param {boolean} first */
  #button({ label, kind = "", icon: name, element, answer }, first) {
    if (element) return element;
    const press = this.#presses.accept(kind === "danger", () => {
      if (kind === "danger" && !this.#agreement.isGiven()) this.#agreement.focus();
      else if (answer) this.#resolve(answer);
      else this.close();
    });
    return button({ label, kind, first, press, ...(name && { icon: name }) });
  }

  /** @param {View} view @param {HTMLElement[]} buttons */
  #fillPinned({ pinned = [], agreement, buttons: options }, buttons) {
    this.#dangerous = buttons.filter((_, index) => options[index]?.kind === "danger");
    this.#agreement.begin(agreement ?? "");
    this.#pinned.replaceChildren(...present([...pinned, agreement !== undefined && this.#agreement.element]));
  }

  /** Changes what the person must tick in this step, because of another choice. @param {string} agreement */
  setAgreement(agreement) {
    this.#agreement.change(agreement);
  }

  /** @param {View} view @param {HTMLElement[]} buttons */
  #fillFoot({ halves }, buttons) {
    this.#foot.className = halves ? `cch-df halves ${halves.side}` : "cch-df";
    if (halves) this.#foot.replaceChildren(halves.beside, el("div", { class: "cch-answers" }, ...buttons));
    else this.#foot.replaceChildren(...buttons);
  }

  /** Ends the step with this answer, without a button. @param {string} value */
  answer(value) {
    this.#resolve(value);
  }

  /** @param {string | null} value */
  #resolve(value) {
    const resolve = this.#answer;
    this.#answer = null;
    resolve?.(value);
  }

  #onClosed() {
    if (!this.#open) return;
    this.#open = false;
    this.#presses.end();
    for (const input of this.#root.querySelectorAll("input")) input.value = "";
    this.#resolve(null);
    setTimeout(() => this.#giveFocusBack());
  }

  /** The element that had the focus may be gone or hidden: then the list takes it, or the panel while the list is hidden. */
  #giveFocusBack() {
    const panel = this.#panelBefore;
    for (const element of [this.#focusedBefore, panel?.querySelector(".cch-list:not([hidden])"), panel]) {
      const lost = !document.activeElement || document.activeElement === document.body;
      if (!lost) return;
      if (element instanceof HTMLElement && element.isConnected) element.focus({ preventScroll: true });
    }
  }
}

/** @param {() => HostDialogs} getHost @param {{stays?: boolean}} [options] `stays`: whether a dialog stays open when the language changes @returns {Dialogs} */
export function createDialogs(getHost, { stays = false } = {}) {
  /** @type {Frame | null} */
  let current = null;
  if (!stays) words.onChange(() => current?.close());

  return {
    /** Opens a frame for `talk` and closes it afterwards. If a frame is open, focuses that one and does not run `talk`. */
    async exclusive(talk) {
      if (current) {
        current.focus();
        return undefined;
      }
      const frame = (current = new DialogFrame(getHost()));
      try {
        return await talk(frame);
      } finally {
        frame.close();
        current = null;
      }
    },
  };
}

/** Options for a dialog without ComfyUI's header. style/common.css hides the borders that some frontends still draw. */
export const BARE = { headless: true, closable: true, showHeader: false };
