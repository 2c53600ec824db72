// @ts-check
/** A list of protected jobs that can't be read stops all deletions: what is told of it, and the ways out. */

import { button, el } from "../common/dom.mjs";
import { card } from "../common/components.mjs";
import { COMMON, errorLine } from "../common/strings.mjs";
import { asApiError } from "../deletion/confirm.mjs";
import { DAMAGED, damagedText, PROTECT } from "./strings.mjs";

/**
 * @param {object} parts
 * @param {Pick<import("./model.mjs").Protection, "damaged" | "startEmpty">} parts.protection
 * @param {import("../common/dialogs.mjs").Dialogs} parts.dialogs
 * @param {Pick<import("../common/toasts.mjs").Toasts, "tell">} parts.toasts
 * @param {() => void} parts.onMended
 */
export function createDamagedList({ protection, dialogs, toasts, onMended }) {
  async function startEmpty() {
    try {
      await protection.startEmpty();
      onMended();
    } catch (error) {
      toasts.tell("error", { title: PROTECT.notChanged, detail: errorLine(asApiError(error)) });
    }
  }

  async function explain() {
    const answer = await dialogs.exclusive((frame) =>
      frame.show({
        title: DAMAGED.dialog,
        body: [el("p", { dir: "auto" }, damagedText(protection.damaged ?? ""))],
        buttons: [{ label: COMMON.cancel }, { label: DAMAGED.startEmpty, answer: "empty" }],
      }),
    );
    if (answer === "empty") await startEmpty();
  }

  return {
    /** @returns {HTMLElement[]} none where the list can be read */
    banners() {
      if (protection.damaged === null) return [];
      return [card("failed", "i-danger", DAMAGED, undefined, [button({ label: DAMAGED.details, press: () => void explain() })])];
    },
  };
}
