// @ts-check
/** The count line, always there, and what can be done to the selection. */

import { button, el } from "../common/dom.mjs";
import { icon, setIcon } from "../common/icons.mjs";
import { isActive } from "./filter.mjs";
import { PROTECT } from "../protection/strings.mjs";
import { once } from "../protection/parts.mjs";
import { cancelWord, countWords, deleteWord, matchingWord, PANEL } from "./strings.mjs";

/** @typedef {import("../../../types/panel").Row} Row */

/** The selected jobs, as far as they are loaded. @param {import("../../../types/panel").Store} store */
export const selectedRows = (store) => store.selection.ids().map((id) => store.get(id)).filter((row) => !!row);

/** @param {import("../../../types/panel").ViewParts} parts @param {() => void} focusList */
export function createFooter({ store, actions }, focusList) {
  const { selection } = store;
  const tickIcon = icon("check");
  const tick = el("button", { type: "button", class: "cch-check", role: "checkbox", "aria-label": PANEL.selectShown }, tickIcon);
  const [strong, rest] = [el("b"), el("span")];
  const link = (/** @type {string} */ label, /** @type {() => void} */ press) => el("button", { type: "button", class: "cch-link", onclick: press }, label);
  const allShown = () => store.rows.every(({ id }) => selection.has(id));
  const deselect = () => store.select((each) => each.clear());
  tick.addEventListener("click", () => (allShown() ? deselect() : store.select((each) => each.add(store.rows.map(({ id }) => id)))));
  const matching = link("", () => store.selectMatching());
  const usable = (/** @type {Element} */ each) => each.getAttribute("aria-disabled") !== "true";
  const remove = button({
    label: PANEL.delete,
    icon: "trash",
    kind: "danger-quiet",
    press: () => {
      const target = selection.target();
      if (target && usable(remove)) actions.remove(target);
    },
  });
  /** Whether all that is selected is protected, as the button says. */
  let kept = false;
  const protect = button({ label: PROTECT.protect, icon: "lock", press: once(() => actions.protect(selectedRows(store), !kept)) });
  const cancel = button({ label: PANEL.cancelAsk, icon: "stop", press: () => actions.cancel(selectedRows(store)) });
  const bar = el("div", { class: "cch-actions" }, matching, link(PANEL.deselect, deselect), el("span", { class: "push" }, protect, remove, cancel));

  return {
    element: el("footer", { class: "cch-foot" }, el("div", { class: "cch-count" }, tick, el("span", { class: "cch-grow" }, strong, rest)), bar),
    text: () => countWords(store).join(""),
    draw() {
      const { rows, status } = store;
      const size = selection.size;
      [strong.textContent, rest.textContent] = countWords(store);
      const some = rows.some(({ id }) => selection.has(id));
      const all = some && allShown();
      tick.setAttribute("aria-checked", all ? "true" : some ? "mixed" : "false");
      tick.disabled = !rows.length;
      setIcon(tickIcon, all ? "check" : "minus");
      const focused = bar.contains(document.activeElement);
      bar.hidden = !size;
      matching.textContent = matchingWord(rows.length);
      matching.hidden = all;
      const chosen = selectedRows(store);
      const onlyActive = size > 0 && chosen.every((row) => isActive(row.status));
      kept = chosen.length > 0 && chosen.every(store.protection.covers);
      cancel.hidden = !onlyActive || status?.can_cancel === false;
      remove.hidden = protect.hidden = !cancel.hidden;
      protect.lastChild?.replaceWith(kept ? PROTECT.unprotect : PROTECT.protect);
      if (protect.firstElementChild) setIcon(protect.firstElementChild, kept ? "unlock" : "lock");
      cancel.lastChild?.replaceWith(cancelWord(size));
      remove.lastChild?.replaceWith(deleteWord(size));
      const why = onlyActive ? PANEL.activeStay : store.blocked();
      remove.title = why;
      remove.setAttribute("aria-disabled", String(!!why));
      if (focused && (bar.hidden || !bar.contains(document.activeElement))) focusList();
    },
  };
}
