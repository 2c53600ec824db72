// @ts-check
/** What is being sent, or looked for afterwards. */

import { button, el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { shownPhase } from "./entries.mjs";
import { BACKUP } from "../protection/strings.mjs";
import { asksToWait, DELETE, progressTitle } from "./strings.mjs";

/** @typedef {import("../../../types/deletions").Entry} Entry */

/** @param {Entry} entry @param {{stop(entry: Entry): unknown, secondsToWait(entry: Entry): number}} deletions */
export function createProgressCard(entry, deletions) {
  const title = el("div", { class: "ttl" });
  const fill = el("i");
  const bar = el("div", { class: "cch-prog", role: "progressbar", "aria-label": DELETE.progress, "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const stop = button({ label: DELETE.stop, icon: "stop", press: () => deletions.stop(entry) });
  stop.title = DELETE.stopTip;
  const head = el("div", { class: "hd mid" }, icon("running", "spin i-link"), el("div", { class: "cch-grow" }, title), stop);
  return {
    element: el("div", { class: "cch-card" }, head, bar, el("p", { class: "cch-2" }, DELETE.closeable)),
    focus: () => undefined,
    render() {
      const { kind, done, total } = entry;
      const phase = shownPhase(entry);
      const waits = deletions.secondsToWait(entry);
      title.textContent = waits ? asksToWait(waits) : progressTitle(kind, phase, done, total);
      bar.setAttribute("aria-label", phase === "backing_up" ? BACKUP.progress : DELETE.progress);
      // Where all was sent there is nothing to stop.
      stop.hidden = !entry.hold || phase === "checking";
      stop.setAttribute("aria-disabled", String(entry.stopping));
      const known = total > 0 && (phase === "checking" || done > 0);
      const percent = phase === "checking" ? 100 : Math.round((100 * Math.min(done, total)) / Math.max(total, 1));
      fill.style.width = `${percent}%`;
      if (known) bar.setAttribute("aria-valuenow", String(percent));
      else bar.removeAttribute("aria-valuenow");
    },
  };
}
