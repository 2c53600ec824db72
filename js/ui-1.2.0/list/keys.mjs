// @ts-check
/** Maps keys to actions of the panel. */

import { isComposing } from "../common/dom.mjs";

/** @typedef {Partial<Pick<KeyboardEvent, "isComposing" | "keyCode">> & Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">} Press */
/** @typedef {{do: "move", by: "row" | "page" | "end", way: 1 | -1, extend: boolean}} Move */
/** @typedef {Move | {do: "toggle" | "all" | "details" | "view" | "delete" | "protect" | "copy" | "menu"}} ListKey */

/** @type {Record<string, [Move["by"], Move["way"]]>} */
const MOVES = {
  ArrowUp: ["row", -1],
  ArrowDown: ["row", 1],
  PageUp: ["page", -1],
  PageDown: ["page", 1],
  Home: ["end", -1],
  End: ["end", 1],
};
/** @type {Record<string, Exclude<ListKey, Move>["do"]>} */
const BARE = { " ": "toggle", Enter: "details", Delete: "delete", Backspace: "delete", p: "protect", v: "view", ContextMenu: "menu" };
/** @type {Record<string, Exclude<ListKey, Move>["do"]>} */
const WITH_CONTROL = { a: "all", c: "copy" };

/** @param {Press} press */
const withControl = ({ ctrlKey, metaKey, altKey, shiftKey }) => (ctrlKey || metaKey) && !altKey && !shiftKey;

/** @param {Press} press @returns {ListKey | null} */
export function listKey(press) {
  const { key, shiftKey, altKey, ctrlKey, metaKey } = press;
  if (isComposing(press)) return null;
  const control = withControl(press) && WITH_CONTROL[key.toLowerCase()];
  if (control) return { do: control };
  if (altKey || ctrlKey || metaKey) return null;
  if (key === "F10" && shiftKey) return { do: "menu" };
  const move = Object.hasOwn(MOVES, key) && MOVES[key];
  if (move) return { do: "move", by: move[0], way: move[1], extend: shiftKey };
  // Caps Lock makes letters upper case.
  const name = key.length === 1 ? key.toLowerCase() : key;
  const bare = Object.hasOwn(BARE, name) && !shiftKey && BARE[name];
  return bare ? { do: bare } : null;
}

/** Keys that work anywhere in the panel; text fields keep all but Escape. @param {Press} press @param {boolean} inField @returns {"search" | "undo" | "escape" | null} */
export function panelKey(press, inField) {
  if (isComposing(press)) return null;
  if (press.key === "Escape") return "escape";
  if (inField) return null;
  if (withControl(press) && press.key.toLowerCase() === "z") return "undo";
  return press.key === "/" && !press.ctrlKey && !press.metaKey && !press.altKey ? "search" : null;
}

/** The index to which an arrow key, Home or End moves; -1 for other keys. @param {string} key @param {number} at @param {number} count @param {[string, string]} arrows */
export function step(key, at, count, [back, on]) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key !== back && key !== on) return -1;
  return (at + (key === on ? 1 : -1) + count) % count;
}

/**
 * ComfyUI's listener on the window reads the event's key one frame later, so the key is replaced before that: otherwise ComfyUI
 * would undo or redo a change of the graph. The browser's own reaction to the key does not change.
 * @param {Press} press an event that the panel has handled
 */
export function hideUndo(press) {
  const { key, ctrlKey, metaKey, altKey } = press;
  if ((ctrlKey || metaKey) && !altKey && /^[yz]$/i.test(key)) Object.defineProperty(press, "key", { value: "Unidentified" });
}

/** Whether ComfyUI may receive the key. Its shortcuts without a modifier must not run inside the panel. @param {Press} press */
export const passes = (press) => !isComposing(press) && (press.ctrlKey || press.metaKey || press.altKey || press.key === "Escape" || press.key === "Tab");
