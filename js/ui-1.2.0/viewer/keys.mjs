// @ts-check
/** Maps keys to actions of the viewer. */

/** @typedef {Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey" | "isComposing"> & {target: EventTarget | null}} Press */
/** @typedef {"close" | "previous" | "next" | "download" | "select" | "play"} ViewerKey */

/** @type {Record<string, ViewerKey>} */
const KEYS = { Escape: "close", ArrowLeft: "previous", ArrowRight: "next", d: "download", x: "select", " ": "play" };

/** @param {EventTarget | null} target @param {string} selector */
const isOne = (target, selector) => target !== null && "matches" in target && /** @type {Element} */ (target).matches(selector);

/** Returns null for keys that are left to the browser, such as every key with Control, Alt or Command. @param {Press} press @returns {ViewerKey | null} */
export function viewerKey({ key, ctrlKey, metaKey, altKey, shiftKey, isComposing, target }) {
  if (ctrlKey || metaKey || altKey || isComposing) return null;
  // With Caps Lock a letter is a capital; with Shift and Caps Lock it is small again.
  const name = key.length === 1 ? key.toLowerCase() : key;
  const found = Object.hasOwn(KEYS, name) ? (KEYS[name] ?? null) : null;
  if (shiftKey && found !== "close") return null;
  // The browser's media controls seek with the arrow keys and play with Space, and Space clicks a button.
  if ((found === "previous" || found === "next") && isOne(target, "video, audio")) return null;
  if (found === "play" && isOne(target, "video, audio, button, pre")) return null;
  return found;
}
