// @ts-check
/** One way to show a toast, whatever the frontend's version. Never takes a toast away by `remove`, which new versions lack. */

/** @typedef {import("../types/comfyui").ToastManager} ToastManager */
/**
 * @typedef {object} Message
 * @property {string} title
 * @property {string} [detail]
 * @property {{label: string, press: () => void}} [action] shown from frontend 1.57 on
 */
/** @typedef {"loading" | "success" | "info" | "warning" | "error"} Kind */

const SHORT = 4_000;
const LONG = 10_000;
/** Success leaves by itself; what went wrong stays until it is dismissed. Milliseconds. */
const LIFE = { success: LONG, info: LONG };
const OLD_SEVERITY = { loading: "info", success: "success", info: "info", warning: "warn", error: "error" };

let made = 0;

/** @param {() => ToastManager} getHost */
export function createToasts(getHost) {
  /** @param {Kind} kind @param {Message} message */
  function addOld(kind, { title, detail }) {
    const life = kind === "loading" ? SHORT : LIFE[/** @type {"info"} */ (kind)];
    getHost().add({ severity: OLD_SEVERITY[kind], summary: title, ...(detail && { detail }), ...(life && { life }) });
  }

  /** @param {Kind} kind @param {Message} message @param {string} id */
  function show(kind, message, id) {
    const host = getHost();
    const add = host[kind];
    if (typeof add !== "function") return addOld(kind, message);
    const { title, detail, action } = message;
    const duration = LIFE[/** @type {"info"} */ (kind)];
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

    /**
     * A toast that says what is going on, and becomes what came of it.
     * @param {Message} message
     */
    progress(message) {
      const id = `cch-${++made}`;
      show("loading", message, id);
      return {
        /** @param {Exclude<Kind, "loading">} kind @param {Message} result */
        become: (kind, result) => show(kind, result, id),
        dismiss: () => void getHost().dismiss?.(id),
      };
    },
  };
}

/** @typedef {ReturnType<typeof createToasts>} Toasts */
