// @ts-check
/** The sidebar tab. The panel itself is loaded when the tab is first opened. */

import { MENU } from "./start_words.js";

export const TAB = "comfy-cloud-history";

/**
 * @param {() => Promise<{mountInTab(anchor: Node): {unmount(): void}}>} load
 * @returns {import("../types/comfyui").SidebarTab}
 */
export function createTab(load) {
  /** @type {{closed: boolean, panel?: {unmount(): void}} | null} */
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
        /** @type {NonNullable<typeof shown>} */
        const mine = { closed: false };
        shown = mine;
        void load().then((ui) => {
          if (!mine.closed) mine.panel = ui.mountInTab(this.$el);
        });
      },
      beforeUnmount() {
        if (!shown) return;
        shown.closed = true;
        shown.panel?.unmount();
        shown = null;
      },
    },
  };
}
