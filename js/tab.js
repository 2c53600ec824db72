// @ts-check
/** The sidebar tab. The panel itself is loaded when the tab is first opened; until it has come, a line of text says so. */

import { LOADING, MENU } from "./start_words.js";

export const TAB = "comfy-cloud-history";

/** The style sheet comes with the panel, or has not come. */
const STYLE = {
  boxSizing: "border-box", display: "flex", flexDirection: "column", alignItems: "flex-start", gap: "8px", padding: "16px",
  font: "14px/20px Inter, Arial, sans-serif", color: "var(--foreground, var(--fg-color, #fff))",
};
const BUTTON_STYLE = {
  height: "32px", padding: "0 12px", border: "0", borderRadius: "8px", font: "500 12px/16px Inter, Arial, sans-serif", color: "inherit",
  background: "color-mix(in srgb, currentColor 12%, transparent)", cursor: "pointer",
};

/**
 * Puts the panel before a node as soon as it is loaded; until then, or when it can't be, words.
 * @param {Node} anchor
 * @param {() => Promise<{mountInTab(anchor: Node): {unmount(): void}}>} load
 */
function mountWhenLoaded(anchor, load) {
  const words = document.createElement("div");
  Object.assign(words.style, STYLE);
  anchor.parentNode?.insertBefore(words, anchor);
  let closed = false;
  /** @type {{unmount(): void} | null} */
  let panel = null;

  /** @param {"status" | "alert"} role @param {...Node} parts */
  const tell = (role, ...parts) => {
    words.setAttribute("role", role);
    words.replaceChildren(...parts);
  };
  async function attempt() {
    tell("status", line(LOADING.wait));
    try {
      const ui = await load();
      if (closed) return;
      panel = ui.mountInTab(anchor);
      words.remove();
    } catch {
      if (!closed) tell("alert", line(LOADING.failed, "600"), line(LOADING.remedy), tryAgain(() => void attempt()));
    }
  }
  void attempt();
  return {
    unmount() {
      closed = true;
      words.remove();
      panel?.unmount();
    },
  };
}

/** @param {string} text @param {string} [weight] */
function line(text, weight = "400") {
  const element = document.createElement("div");
  element.style.fontWeight = weight;
  element.textContent = text;
  return element;
}

/** @param {() => void} press */
function tryAgain(press) {
  const button = document.createElement("button");
  Object.assign(button.style, BUTTON_STYLE);
  button.type = "button";
  button.textContent = LOADING.again;
  button.addEventListener("click", press);
  return button;
}

/**
 * @param {() => Promise<{mountInTab(anchor: Node): {unmount(): void}}>} load
 * @returns {import("../types/comfyui").SidebarTab}
 */
export function createTab(load) {
  /** @type {{unmount(): void} | null} */
  let shown = null;
  return {
    id: TAB,
    type: /** @type {const} */ ("vue"),
    icon: "pi pi-history",
    title: MENU.group,
    tooltip: MENU.group,
    // A component that needs no Vue of ours: it leaves one comment node, before which the panel is put.
    component: {
      name: "CloudHistoryTab",
      inheritAttrs: false,
      render: () => null,
      /** @this {{$el: Node}} */
      mounted() {
        shown = mountWhenLoaded(this.$el, load);
      },
      beforeUnmount() {
        shown?.unmount();
        shown = null;
      },
    },
  };
}

/** Its first place is deprecated in every frontend that has the second. @param {import("../types/comfyui").ExtensionManager} manager @param {import("../types/comfyui").SidebarTab} tab */
export function registerTab(manager, tab) {
  const place = manager.sidebarTab.registerSidebarTab ? manager.sidebarTab : manager;
  place.registerSidebarTab?.(tab);
}
