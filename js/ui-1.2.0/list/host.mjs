// @ts-check
/** Shows the panel in ComfyUI's sidebar or in a large window. */

import { BARE } from "../common/dialogs.mjs";
import { hostComponent } from "../common/dom.mjs";
import { text } from "../common/words.mjs";
import { PanelView } from "./view.mjs";

/** @import { ExtensionManager } from "../../../types/comfyui" */
/** @import { ViewParts } from "../../../types/list" */

/** @typedef {Omit<ViewParts, "place" | "close">} Parts */

/** ComfyUI closes only dialogs whose key begins with "extension-". */
const WINDOW = "extension-cch-panel";
/** ComfyUI's button of our tab. The second selector is for frontends up to 1.45. */
const TAB_BUTTON = '[data-testid="comfy-cloud-history-tab-button"], .comfy-cloud-history-tab-button';

/** @param {ViewParts} parts @param {Node} anchor the panel is inserted before this node @returns {() => void} removes the panel */
function mount(parts, anchor) {
  const view = new PanelView(parts);
  let isThere = true;
  view.root.classList.add(parts.place);
  anchor.parentNode?.insertBefore(view.root, anchor);
  const dialog = view.root.closest("[role=dialog]");
  if (parts.place === "large" && dialog) {
    dialog.removeAttribute("aria-labelledby");
    dialog.setAttribute("aria-label", text("list.title"));
  }
  setTimeout(() => isThere && view.focusList());
  return () => {
    isThere = false;
    view.destroy();
  };
}

/** @param {() => ExtensionManager} getHost @param {() => Parts} parts */
export function createPlaces(getHost, parts) {
  /** @type {{closeDialog(): void} | null} */
  let large = null;
  const closeTab = () => {
    getHost().sidebarTab.activeSidebarTabId = null;
    // The button that closed the panel goes with the panel, and would take the focus along.
    const button = document.querySelector(TAB_BUTTON);
    if (button instanceof HTMLElement) button.focus({ preventScroll: true });
  };
  const closeLarge = () => {
    const handle = large;
    large = null;
    handle?.closeDialog();
  };
  return {
    /** @param {Node} anchor ComfyUI's node in the sidebar, before which the panel is inserted */
    mountInTab(anchor) {
      return { unmount: mount({ ...parts(), place: "sidebar", close: closeTab }, anchor) };
    },

    openLarge() {
      if (large) return;
      /** @type {() => void} */
      let unmount = () => undefined;
      const gone = () => (large = null);
      const show = (/** @type {Node} */ anchor) => void (unmount = mount({ ...parts(), place: "large", close: closeLarge }, anchor));
      large = getHost().dialog.showExtensionDialog({
        key: WINDOW,
        title: text("list.title"),
        component: hostComponent("CloudHistoryPanel", show, () => (gone(), unmount())),
        dialogComponentProps: { ...BARE, onClose: gone },
      });
    },
  };
}
