// @ts-check
/** What can be done to one job, from its row's menu. */

import { isActive } from "./filter.mjs";
import { PROTECT } from "../protection/strings.mjs";
import { PANEL } from "./strings.mjs";

/** @typedef {import("./menu.mjs").Item} Item */

/**
 * @param {import("../../../types/panel").Row} row
 * @param {Pick<import("../../../types/panel").ViewParts, "store" | "actions">} parts
 * @param {() => void} open its details
 * @returns {(Item | null)[]}
 */
export function rowMenu(row, { store, actions }, open) {
  const active = isActive(row.status);
  const kept = store.protection.covers(row);
  /** @type {Item} */
  const protect = { label: kept ? PROTECT.unprotect : PROTECT.protect, icon: kept ? "unlock" : "lock", key: "P", press: () => actions.protect([row], !kept) };
  /** @type {Item} */
  const last = active
    ? { label: PANEL.cancelAsk, icon: "stop", press: () => actions.cancel([row]) }
    : { label: PANEL.delete, icon: "trash", key: "Delete", danger: true, press: () => actions.remove({ ids: [row.id] }) };
  const offered = active ? store.status?.can_cancel !== false : !store.blocked();
  return [
    { label: PANEL.details, icon: "info", key: "Enter", press: open },
    { label: PANEL.openWorkflow, icon: "flow", press: () => actions.openWorkflow(row.id) },
    { label: PANEL.downloadWorkflow, icon: "down", press: () => actions.downloadWorkflow(row.id) },
    { label: PANEL.copyId, icon: "copy", key: "Control+C", press: () => actions.copyIds([row.id]) },
    protect,
    ...(offered ? [null, last] : []),
  ];
}
