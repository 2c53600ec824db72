// @ts-check
/** Shows the panel in ComfyUI's sidebar or in a large window. */

import { BARE } from "../common/dialogs.mjs";
import { hostComponent } from "../common/dom.mjs";
import { text, words } from "../common/words.mjs";
import { PanelView } from "./view.mjs";

/** @import { ExtensionManager } from "../../../types/comfyui" */
/** @import { ViewParts } from "../../../types/list" */

/** @typedef {Omit<ViewParts, "place" | "close" | "notices">} Parts */

/** ComfyUI closes only dialogs whose key begins with "extension-". */
const WINDOW = "extension-cch-panel";
/** ComfyUI's button of our tab. The second selector is for frontends up to 1.45. */
const TAB_BUTTON = '[data-testid="comfy-cloud-history-tab-button"], .comfy-cloud-history-tab-button';

/** @param {ViewParts} parts @param {Node} anchor */
function insert(parts, anchor) {
  const view = new PanelView(parts);
  view.root.classList.add(parts.place);
  anchor.parentNode?.insertBefore(view.root, anchor);
  const dialog = view.root.closest("[role=dialog]");
  if (parts.place === "large" && dialog) {
    dialog.removeAttribute("aria-labelledby");
    dialog.setAttribute("aria-label", text("list.title"));
  }
  return view;
}

/** @param {ViewParts} parts @param {Node} anchor the panel is inserted before this node @returns {() => void} removes the panel */
function mount(parts, anchor) {
  let view = insert(parts, anchor);
  let isThere = true;
  setTimeout(() => isThere && view.focusList());
  /** Draws the panel anew in another language. What the person chose is in the store, and a running deletion in `Deletions`. */
  const leave = words.onChange(() => {
    const [before, focused] = [view, document.activeElement];
    const hadFocus = before.root.contains(focused);
    // Before the other one goes, because a store that nobody shows reads its list again.
    view = insert(parts, anchor);
    view.goTo(before.place());
    before.destroy();
    if (hadFocus) view.focus();
    else if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  });
  return () => {
    isThere = false;
    leave();
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
      return { unmount: mount({ ...parts(), notices: [], place: "sidebar", close: closeTab }, anchor) };
    },

    openLarge() {
      if (large) return;
      /** @type {() => void} */
      let unmount = () => undefined;
      const gone = () => (large = null);
      const show = (/** @type {Node} */ anchor) => void (unmount = mount({ ...parts(), notices: [], place: "large", close: closeLarge }, anchor));
      large = getHost().dialog.showExtensionDialog({
        key: WINDOW,
        title: text("list.title"),
        component: hostComponent("CloudHistoryPanel", show, () => (gone(), unmount())),
        dialogComponentProps: { ...BARE, onClose: gone },
      });
    },
  };
}
