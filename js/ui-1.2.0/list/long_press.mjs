// @ts-check
/** Tells a long press of a finger or a pen from a tap and from a scroll. */

export const LONG_PRESS_MS = 500;
/** A finger that moves farther scrolls. */
const MAX_MOVE_PX = 10;

/**
 * Calls `act` for each long press in an element, and swallows the click that may follow it. Not all browsers send a "contextmenu" event
 * for a long press, so its time is measured here.
 * @param {EventTarget} element
 * @param {(press: PointerEvent) => void} act receives the event with which the press began
 */
export function onLongPress(element, act) {
  /** @type {PointerEvent | null} */
  let press = null;
  let timer = 0;
  let wasLong = false;
  const on = (/** @type {string} */ type, /** @type {(event: any) => void} */ listener) => element.addEventListener(type, listener, true);
  const end = () => {
    clearTimeout(timer);
    press = null;
  };
  const fire = () => {
    const began = press;
    end();
    if (!began) return;
    wasLong = true;
    act(began);
  };
  on("pointerdown", (/** @type {PointerEvent} */ event) => {
    end();
    wasLong = false;
    // A second finger zooms.
    if (event.pointerType === "mouse" || !event.isPrimary || event.button !== 0) return;
    press = event;
    timer = Number(setTimeout(fire, LONG_PRESS_MS));
  });
  on("pointermove", (/** @type {PointerEvent} */ { clientX, clientY }) => press && Math.hypot(clientX - press.clientX, clientY - press.clientY) > MAX_MOVE_PX && end());
  for (const type of ["pointerup", "pointercancel", "pointerleave"]) on(type, end);
  on("contextmenu", (event) => {
    if (!press && !wasLong) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    // This browser has its own time for a long press, which is shorter.
    fire();
  });
  // A browser without that event sends the events of a mouse when the finger leaves: they would close the menu again.
  for (const type of ["mousedown", "click", "dblclick"]) {
    on(type, (event) => {
      if (!wasLong) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    });
  }
}
