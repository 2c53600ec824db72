// @ts-check
/** Where the panel is shown: ComfyUI's sidebar, and a large window of its own. */

import { BARE } from "../common/dialogs.mjs";
import { PANEL } from "./strings.mjs";
import { PanelView } from "./view.mjs";

/** @import { ExtensionManager } from "../../../types/comfyui" */
/** @import { ViewParts } from "../../../types/list" */

/** @typedef {Omit<ViewParts, "place" | "close">} Parts */

/** The host closes only windows whose key begins so. */
const WINDOW = "extension-cch-panel";
/**
 * A component that needs no Vue of ours: it leaves one comment node, before which the panel is put.
 * @param {() => Parts & Pick<ViewParts, "place" | "close">} parts made when it is shown
 */
function component(parts) {
  /** @type {PanelView | null} */
  let view = null;
  return {
    name: "CloudHistoryPanel",
    inheritAttrs: false,
    render: () => null,
    /** @this {{$el: Node}} */
    mounted() {
      view = new PanelView(parts());
      view.root.classList.add(view.parts.place);
      this.$el.parentNode?.insertBefore(view.root, this.$el);
      const dialog = view.root.closest("[role=dialog]");
      if (view.parts.place === "large" && dialog) {
        dialog.removeAttribute("aria-labelledby");
        dialog.setAttribute("aria-label", PANEL.title);
      }
      const { focusList } = view;
      setTimeout(() => view && focusList.call(view));
    },
    beforeUnmount() {
      view?.destroy();
      view = null;
    },
  };
}

/** @param {() => ExtensionManager} getHost @param {() => Parts} parts */
export function createPlaces(getHost, parts) {
  /** @type {{closeDialog(): void} | null} */
  let large = null;
  const closeTab = () => {
    getHost().sidebarTab.activeSidebarTabId = null;
  };
  const closeLarge = () => {
    const handle = large;
    large = null;
    handle?.closeDialog();
  };
  return {
    /** Shows the panel in the sidebar, before the node that ComfyUI gave us. @param {Node} anchor */
    mountInTab(anchor) {
      const shown = component(() => ({ ...parts(), place: "sidebar", close: closeTab }));
      shown.mounted.call({ $el: anchor });
      return { unmount: shown.beforeUnmount };
    },

    openLarge() {
      if (large) return;
      const shown = component(() => ({ ...parts(), place: "large", close: closeLarge }));
      const gone = () => (large = null);
      large = getHost().dialog.showExtensionDialog({
        key: WINDOW,
        title: PANEL.title,
        component: { ...shown, beforeUnmount: () => (gone(), shown.beforeUnmount()) },
        dialogComponentProps: { ...BARE, onClose: gone },
      });
    },
  };
}
