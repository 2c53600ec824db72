// @ts-check
/** The panel's title and its four buttons. */

import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { accountWords } from "../common/strings.mjs";
import { lastRead, PANEL } from "./strings.mjs";

/**
 * A button that is only an icon.
 * @param {import("../common/icons.mjs").IconName} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} press
 * @param {string} [className]
 */
export const iconButton = (name, label, press, className = "cch-ib") =>
  el("button", { type: "button", class: className, "aria-label": label, title: label, onclick: press }, icon(name));

/**
 * @param {import("../../../types/panel").ViewParts} parts
 * @param {import("./menu.mjs").Popups} popups
 * @param {(name: import("../../../types/panel").PageName) => void} openPage
 */
export function createHeader({ store, actions, place, close }, popups, openPage) {
  const refresh = iconButton("refresh", PANEL.refresh, () => void store.refresh());
  const large = place === "sidebar" && iconButton("expand", PANEL.large, actions.openLarge);
  const more = iconButton("more", PANEL.more, () => {
    const small = store.status?.configured ? accountWords(store.status) : PANEL.notConnected;
    const clear = store.protection.any ? PANEL.clearOthers : PANEL.clear;
    popups.menu(
      [
        { label: PANEL.cleanUp, icon: "clean", press: () => openPage("clean_up") },
        { label: PANEL.record, icon: "history", press: () => openPage("record") },
        null,
        { label: PANEL.connection, icon: "key", small, press: actions.manageKey },
        null,
        { label: clear, icon: "trash", danger: true, small: PANEL.assetsStay, press: actions.clear },
      ],
      { anchor: more, label: PANEL.more },
    );
  });
  more.setAttribute("aria-haspopup", "menu");
  const title = el("h2", { class: "cch-title" }, PANEL.title);
  const element = el("header", { class: "cch-head" }, title, refresh, large, more, iconButton("close", PANEL.close, close));
  return {
    element,
    draw() {
      refresh.title = store.readAt === null ? PANEL.refresh : lastRead(store.readAt);
      refresh.classList.toggle("turning", store.loading);
    },
  };
}
