// @ts-check
/** Shows toasts in every frontend version. */

import { asApiError } from "../api.mjs";
import { errorLine } from "./strings.mjs";
import { formatter } from "./words.mjs";

/** @import { ToastManager } from "../../../types/comfyui" */

/**
 * @typedef {object} Message
 * @property {string} title
 * @property {string} [detail]
 * @property {{label: string, press: () => void, elsewhere: string}} [action] a button, or, before frontend 1.57, the sentence
 *   that says where else the person can do it
 * @property {number} [life] milliseconds, instead of the kind's default
 */
/** @typedef {"loading" | "success" | "info" | "warning" | "error"} Kind */

const LOADING_LIFE = 4_000;
/** Milliseconds until a toast closes by itself. Warnings and errors stay until dismissed. */
const LIFE = { success: 3_000, info: 10_000 };
/** @param {string} [text] */
const withStop = (text = "") => text.replace(/[^.…]$/, "$&.");

const OLD_SEVERITY = { loading: "info", success: "success", info: "info", warning: "warn", error: "error" };

/** Without its last full stop: ComfyUI puts one between title, text and button when it reads a toast aloud. @param {string} [text] */
const withoutStop = (text = "") => text.replace(/(?<!\.)\.$/, "");

/** The node of a text in a toast on screen. @param {string} text */
function textNode(text) {
  for (const toast of document.querySelectorAll('[data-testid="toast"]')) {
    const nodes = document.createTreeWalker(toast, window.NodeFilter.SHOW_TEXT);
    while (nodes.nextNode()) if (/** @type {Text} */ (nodes.currentNode).data === text) return /** @type {Text} */ (nodes.currentNode);
  }
  return null;
}

/** ComfyUI shows toasts from left to right in every language. @param {string} text */
const directed = (text) => (text && formatter().isRightToLeft ? `\u2067${text}\u2069` : text);

/** What ComfyUI shows of a message. @param {Message} message */
const textsOf = ({ title, detail = "", action }) => [withoutStop(title), action ? withoutStop(detail) : detail].map(directed);

let made = 0;

/** @param {ToastManager} host @param {Kind} kind @param {Message} message */
function addOld(host, kind, { title, detail: text, action, life: own }) {
  // A toast that names the way to an action stays as long as one that is read.
  const life = own ?? (kind === "loading" ? (action ? LIFE.info : LOADING_LIFE) : LIFE[/** @type {"info"} */ (kind)]);
  const detail = action ? [withStop(text), action.elsewhere].filter(Boolean).join(" ") : text;
  const message = { severity: OLD_SEVERITY[kind], summary: directed(title), ...(detail && { detail: directed(detail) }), ...(life && { life }) };
  host.add(message);
  return message;
}

/** @param {() => ToastManager} getHost @param {(kind: Kind, message: Message, id: string) => {life?: number} | null} show returns the toast in an old frontend */
function createLasting(getHost, show) {
  const id = `cch-${++made}`;
  /** @type {{life?: number} | null} */
  let old = null;
  /** The title and the detail on screen. */
  let texts = ["", ""];
  /** @param {Kind} kind @param {Message} message */
  function display(kind, message) {
    old = show(kind, message, id);
    texts = textsOf(message);
  }
  function dismiss() {
    getHost().dismiss?.(id);
    if (old) getHost().remove?.(old);
    old = null;
  }
  return {
    /** Shows the toast, also after the person closed it. @param {Kind} kind @param {Message} message */
    show(kind, message) {
      if (old) dismiss();
      display(kind, message);
    },
    /**
     * Changes the toast only if the person has not closed it. An old frontend does not tell. There, only a toast that would
     * stay is replaced, because its text is no longer true.
     * @param {Kind} kind
     * @param {Message} message
     */
    update(kind, message) {
      if (getHost().dismiss?.(id)) display(kind, message);
      else if (old && !old.life) this.show(kind, message);
    },
    /**
     * Writes another text into the toast on screen. ComfyUI does not notice, so that no screen reader reads it aloud and
     * the focus stays. Where the toast is not found, it keeps its text.
     * @param {Message} message
     */
    rewrite(message) {
      const next = textsOf(message);
      texts = texts.map((text, at) => {
        const node = text && next[at] ? textNode(text) : null;
        return node ? (node.data = next[at] ?? "") : text;
      });
    },
    dismiss,
  };
}

/**
 * @param {() => ToastManager} getHost
 * @param {(kind: "warning" | "error", message: Message) => boolean} [takes] shows a message that does not close by itself where
 *   a toast would cover what the person uses; returns false to have a toast
 */
export function createToasts(getHost, takes = () => false) {
  /** Shows a toast, and returns it in an old frontend. @param {Kind} kind @param {Message} message @param {string} id */
  function show(kind, message, id) {
    const host = getHost();
    const add = host[kind];
    if (typeof add !== "function") return addOld(host, kind, message);
    const { action } = message;
    const [title = "", detail] = textsOf(message);
    const duration = message.life ?? LIFE[/** @type {"info"} */ (kind)];
    const press = () => {
      host.dismiss?.(id);
      action?.press();
    };
    add.call(host, title, {
      id,
      ...(detail && { description: detail }),
      ...(duration && { duration }),
      ...(action && { action: { label: action.label, onClick: press } }),
    });
    return null;
  }

  return {
    /** @param {Exclude<Kind, "loading">} kind @param {Message} message */
    tell(kind, message) {
      if ((kind === "warning" || kind === "error") && takes(kind, message)) return;
      show(kind, message, `cch-${++made}`);
    },

    /** Whether a toast can carry a button. */
    canAct: () => typeof getHost().success === "function",

    /** One toast whose text changes: from the start of an action to its result. */
    create: () => createLasting(getHost, show),
  };
}

/** @typedef {ReturnType<typeof createToasts>} Toasts */

/** Runs `work` and shows an error as a toast. Resolves with whether `work` succeeded. @param {Pick<Toasts, "tell">} toasts @param {string} title @param {() => unknown} work */
export async function attempt(toasts, title, work) {
  try {
    await work();
    return true;
  } catch (error) {
    toasts.tell("error", { title, detail: errorLine(asApiError(error)) });
    return false;
  }
}
