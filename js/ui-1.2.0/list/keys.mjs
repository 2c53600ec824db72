// @ts-check
/** What a key means in the panel. Keys it does not name are not ours. */

/** @typedef {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">} Press */
/** @typedef {{do: "move", by: "row" | "page" | "end", way: 1 | -1, extend: boolean}} Move */
/** @typedef {Move | {do: "toggle" | "all" | "details" | "delete" | "protect" | "copy" | "menu"}} ListKey */

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
const BARE = { " ": "toggle", Enter: "details", Delete: "delete", Backspace: "delete", p: "protect", ContextMenu: "menu" };
/** @type {Record<string, Exclude<ListKey, Move>["do"]>} */
const WITH_CONTROL = { a: "all", c: "copy" };

/** @param {Press} press */
const withControl = ({ ctrlKey, metaKey, altKey, shiftKey }) => (ctrlKey || metaKey) && !altKey && !shiftKey;

/** @param {Press} press @returns {ListKey | null} */
export function listKey(press) {
  const { key, shiftKey, altKey, ctrlKey, metaKey } = press;
  const control = withControl(press) && WITH_CONTROL[key.toLowerCase()];
  if (control) return { do: control };
  if (altKey || ctrlKey || metaKey) return null;
  if (key === "F10" && shiftKey) return { do: "menu" };
  const move = Object.hasOwn(MOVES, key) && MOVES[key];
  if (move) return { do: "move", by: move[0], way: move[1], extend: shiftKey };
  // With Caps Lock a letter is a capital.
  const name = key.length === 1 ? key.toLowerCase() : key;
  const bare = Object.hasOwn(BARE, name) && !shiftKey && BARE[name];
  return bare ? { do: bare } : null;
}

/** Anywhere in the panel; fields keep their own. @param {Press} press @param {boolean} inField @returns {"search" | "undo" | "escape" | null} */
export function panelKey(press, inField) {
  if (press.key === "Escape") return "escape";
  if (inField) return null;
  if (withControl(press) && press.key.toLowerCase() === "z") return "undo";
  return press.key === "/" && !press.ctrlKey && !press.metaKey && !press.altKey ? "search" : null;
}

/** The next of a row of things, for an arrow, Home or End; -1 if the key is none of them. @param {string} key @param {number} at @param {number} count @param {[string, string]} arrows */
export function step(key, at, count, [back, on]) {
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  if (key !== back && key !== on) return -1;
  return (at + (key === on ? 1 : -1) + count) % count;
}

/**
 * ComfyUI listens at the window, before us, and reads the event in the next frame: by then it must not be a key that
 * undoes or redoes the person's last change of the graph. What the browser does with the key stays as it is.
 * @param {Press} press an event that we have read
 */
export function hideUndo(press) {
  const { key, ctrlKey, metaKey, altKey } = press;
  if ((ctrlKey || metaKey) && !altKey && /^[yz]$/i.test(key)) Object.defineProperty(press, "key", { value: "Unidentified" });
}

/** Whether ComfyUI may hear it too: its own shortcuts are bare keys. @param {Press} press */
export const passes = ({ key, ctrlKey, metaKey, altKey }) => ctrlKey || metaKey || altKey || key === "Escape" || key === "Tab";
