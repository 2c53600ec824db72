// @ts-check
/** What is read aloud: one region that waits its turn, and one that does not. */

import { el } from "../common/dom.mjs";

/** A count is read when it has rested so long; milliseconds. */
const REST = 500;

export function createLive() {
  const polite = el("div", { class: "cch-unseen", role: "status" });
  const urgent = el("div", { class: "cch-unseen", role: "alert" });
  let waiting = 0;
  return {
    elements: [polite, urgent],
    /** @type {import("../../../types/panel").Say} */
    say(text, now = false) {
      clearTimeout(waiting);
      (now ? urgent : polite).textContent = text;
    },
    /** Said when no other has come for a while. @param {string} text */
    sayLater(text) {
      clearTimeout(waiting);
      waiting = setTimeout(() => (polite.textContent = text), REST);
    },
    destroy: () => clearTimeout(waiting),
  };
}
