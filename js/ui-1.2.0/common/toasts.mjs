// @ts-check
/** Shows toasts in every frontend version. Never calls `remove`, which new versions lack. */

import { asApiError } from "../api.mjs";
import { errorLine } from "./strings.mjs";

/** @import { ToastManager } from "../../../types/comfyui" */

/**
 * @typedef {object} Message
 * @property {string} title
 * @property {string} [detail]
 * @property {{label: string, press: () => void}} [action] shown from frontend 1.57 on
 * @property {number} [life] milliseconds, instead of the kind's default
 */
/** @typedef {"loading" | "success" | "info" | "warning" | "error"} Kind */

const SHORT = 4_000;
const LONG = 10_000;
/** Milliseconds until a toast closes by itself. Warnings and errors stay until dismissed. */
const LIFE = { success: LONG, info: LONG };
const OLD_SEVERITY = { loading: "info", success: "success", info: "info", warning: "warn", error: "error" };

let made = 0;

/** @param {() => ToastManager} getHost */
export function createToasts(getHost) {
  /** @param {Kind} kind @param {Message} message */
  function addOld(kind, { title, detail, life: own }) {
    const life = own ?? (kind === "loading" ? SHORT : LIFE[/** @type {"info"} */ (kind)]);
    getHost().add({ severity: OLD_SEVERITY[kind], summary: title, ...(detail && { detail }), ...(life && { life }) });
  }

  /** @param {Kind} kind @param {Message} message @param {string} id */
  function show(kind, message, id) {
    const host = getHost();
    const add = host[kind];
    if (typeof add !== "function") return addOld(kind, message);
    const { title, detail, action } = message;
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
  }

  return {
    /** @param {Exclude<Kind, "loading">} kind @param {Message} message */
    tell(kind, message) {
      show(kind, message, `cch-${++made}`);
    },

    /** Whether a toast can carry a button. */
    canAct: () => typeof getHost().success === "function",

    /** One toast whose text changes: from the start of an action to its result. */
    create() {
      const id = `cch-${++made}`;
      return {
        /** Shows the toast, also after the person closed it. @param {Kind} kind @param {Message} message */
        show: (kind, message) => show(kind, message, id),
        /** Changes the toast only if the person has not closed it. @param {Kind} kind @param {Message} message */
        update(kind, message) {
          if (getHost().dismiss?.(id)) show(kind, message, id);
        },
        dismiss: () => void getHost().dismiss?.(id),
      };
    },
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
