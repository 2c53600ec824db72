// @ts-check
/**
 * Our dialogs, drawn inside ComfyUI's own: it gives the layer, the focus trap and Escape. One frame is open at a time; what
 * it shows changes from step to step.
 */

import { button } from "./components.mjs";
import { el, hostComponent } from "./dom.mjs";
import { icon } from "./icons.mjs";
import { Presses } from "./presses.mjs";
import { COMMON } from "./strings.mjs";

/** @import { HostDialogs } from "../../../types/comfyui" */
/** @import { Child } from "./dom.mjs" */
/** @import { IconName } from "./icons.mjs" */

/**
 * @typedef {object} View
 * @property {string} title
 * @property {number} [width] pixels
 * @property {Child[]} body
 * @property {ViewButton[]} buttons the way out first
 * @property {HTMLElement} [focus] what takes the focus, if not the first button
 * @property {boolean} [unasked] it appears by itself, while the person does something else
 * @property {{beside: HTMLElement, side: "left" | "right"}} [halves] the buttons keep to one half of the dialog; `beside` takes the other
 */
/**
 * @typedef {object} ViewButton
 * @property {string} label
 * @property {string} [answer] what `show` then resolves with; nothing: as closing
 * @property {"ghost" | "primary" | "danger" | ""} [kind]
 * @property {IconName} [icon]
 * @property {HTMLElement} [element] drawn as it is, instead
 */
/** @typedef {Pick<DialogFrame, "show" | "close" | "focus" | "isOpen" | "say">} Frame */
/** @typedef {{exclusive<T>(talk: (frame: Frame) => Promise<T>): Promise<T | undefined>}} Dialogs */

const WIDTH = 416;
/** What the host needs for leaving and for moving the focus. All other keys stay in the dialog. */
const PASSED_ON = new Set(["Escape", "Tab"]);
const KEPT = ["keydown", "keyup", "keypress", "copy", "cut", "paste"];
/** In frontends with PrimeVue, and in those with reka. */
const NOT_LEFT_BY_A_CLICK = { dismissableMask: false, dismissOnPointerDownOutside: false };

let opened = 0;

/** Asks for a yes. @param {Dialogs} dialogs @param {Omit<View, "buttons">} view @param {ViewButton} yes @param {string} [no] */
export async function confirmed(dialogs, view, yes, no = COMMON.cancel) {
  return (await dialogs.exclusive((frame) => frame.show({ ...view, buttons: [{ label: no }, { ...yes, answer: "yes" }] }))) === "yes";
}

/** @param {HTMLElement} root */
function keepKeys(root) {
  for (const type of KEPT) {
    root.addEventListener(type, (event) => {
      if (!(event instanceof KeyboardEvent && PASSED_ON.has(event.key))) event.stopPropagation();
    });
  }
}

/**
 * What is marked `autofocus` takes the focus in every frontend. PrimeVue looks for the mark only once a dialog has come up: by
 * then the person may have gone on, and stays where they are.
 * @param {HTMLElement} root
 */
function unmarkWhenUsed(root) {
  for (const type of ["keydown", "pointerdown"]) {
    root.addEventListener(type, () => root.querySelector("[autofocus]")?.removeAttribute("autofocus"));
  }
}

class DialogFrame {
  #number = ++opened;
  #open = true;
  #before = document.activeElement;
  #title = el("h2");
  #body = el("div", { class: "cch-db" });
  #foot = el("div", { class: "cch-df" });
  // One text node that is written to: where nodes come and go, some frontends look after the focus, and take it.
  #spoken = document.createTextNode("");
  #live = el("div", { class: "cch-unseen", role: "status" }, this.#spoken);
  #presses = new Presses(this.#foot);
  #leave = el("button", { type: "button", class: "cch-ib", "aria-label": COMMON.close, onclick: this.#presses.accept(false, () => this.close()) }, icon("close"));
  #root = el(
    "div",
    { class: "cch cch-dialog", tabindex: "-1" },
    el("div", { class: "cch-dh" }, this.#title, this.#leave),
    this.#body,
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
    keepKeys(this.#root);
    unmarkWhenUsed(this.#root);
  }

  isOpen() {
    return this.#open;
  }

  focus() {
    this.#target.focus({ preventScroll: true });
  }

  /** Reads a text aloud. @param {string} text */
  say(text) {
    this.#spoken.data = text;
  }

  close() {
    this.#handle?.closeDialog();
    this.#gone();
  }

  /**
   * Shows one step; resolves with the answer of the button pressed, or null when the frame was closed or the step replaced.
   * @param {View} view
   * @returns {Promise<string | null>}
   */
  show(view) {
    this.#settle(null);
    if (!this.#open) return Promise.resolve(null);
    const { unasked = false } = view;
    this.#presses.begin(unasked);
    const buttons = view.buttons.map((options, index) => this.#button(options, index === 0 && !view.focus));
    this.#root.style.setProperty("--cch-width", `${view.width ?? WIDTH}px`);
    this.#title.textContent = view.title;
    this.#body.replaceChildren(...view.body.filter((child) => child !== null && child !== undefined && child !== false));
    this.#body.scrollTop = 0;
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
      // Not at once: a focus trap that has not begun to listen takes the focus to its own box at the next change in the dialog.
      setTimeout(() => this.#open && this.focus());
    };
    const unmount = () => {
      this.#gone();
      this.#root.remove();
    };
    return this.host.showExtensionDialog({
      // The host closes only dialogs whose key begins so.
      key: `extension-cch-${this.#number}`,
      title,
      component: hostComponent("CloudHistoryDialog", mount, unmount),
      dialogComponentProps: { ...BARE, onClose: () => this.#gone(), ...(unasked && NOT_LEFT_BY_A_CLICK) },
    });
  }

  /** The host's dialog names a title and a description by id; ours take those ids. @param {Element | null} dialog */
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
    const press = this.#presses.accept(kind === "danger", () => (answer ? this.#settle(answer) : this.close()));
    return button({ label, kind, first, press, ...(name && { icon: name }) });
  }

  /** @param {View} view @param {HTMLElement[]} buttons */
  #fillFoot({ halves }, buttons) {
    this.#foot.className = halves ? `cch-df halves ${halves.side}` : "cch-df";
    if (halves) this.#foot.replaceChildren(halves.beside, el("div", { class: "cch-answers" }, ...buttons));
    else this.#foot.replaceChildren(...buttons);
  }

  /** @param {string | null} value */
  #settle(value) {
    const resolve = this.#answer;
    this.#answer = null;
    resolve?.(value);
  }

  #gone() {
    if (!this.#open) return;
    this.#open = false;
    this.#presses.end();
    for (const input of this.#root.querySelectorAll("input")) input.value = "";
    this.#settle(null);
    setTimeout(() => this.#giveFocusBack());
  }

  #giveFocusBack() {
    const lost = !document.activeElement || document.activeElement === document.body;
    const before = this.#before;
    if (lost && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  }
}

/** @param {() => HostDialogs} getHost @returns {Dialogs} */
export function createDialogs(getHost) {
  /** @type {Frame | null} */
  let current = null;

  return {
    /** Runs one conversation in a frame and closes it at the end. While one is open no second begins: the first gets the focus. */
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

/** How ComfyUI is asked for a dialog without a head. What its frontends draw around one all the same, style.css takes away. */
export const BARE = { headless: true, closable: true, showHeader: false };
