import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { LONG_PRESS_MS, onLongPress } from "#ui/list/long_press.mjs";

let element;
let menus;
let clicks;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  element = new globalThis.EventTarget();
  [menus, clicks] = [[], []];
  onLongPress(element, ({ clientX }) => menus.push(clientX));
  for (const type of ["click", "dblclick", "contextmenu"]) element.addEventListener(type, () => clicks.push(type));
});

function send(type, more = {}) {
  const event = Object.assign(new Event(type, { cancelable: true }), { pointerType: "touch", isPrimary: true, button: 0, clientX: 5, clientY: 5, ...more });
  element.dispatchEvent(event);
  return event;
}
const wait = (milliseconds) => mock.timers.tick(milliseconds);

test("a finger that rests on a row opens its menu, and the click that follows does nothing", () => {
  send("pointerdown");
  wait(LONG_PRESS_MS - 1);
  assert.deepEqual(menus, []);
  wait(1);
  assert.deepEqual(menus, [5]);
  send("pointerup");
  assert.ok(send("mousedown").defaultPrevented, "the list does not take the focus from the menu");
  send("click");
  assert.deepEqual([menus, clicks], [[5], []]);
  send("pointerdown");
  send("pointerup");
  send("click");
  assert.deepEqual([menus, clicks], [[5], ["click"]], "the next tap counts");
});

test("a tap, a scroll, a second finger and a mouse open no menu", () => {
  const starts = [
    () => (send("pointerdown"), send("pointerup")),
    () => (send("pointerdown"), send("pointermove", { clientY: 20 })),
    () => (send("pointerdown"), send("pointercancel")),
    () => (send("pointerdown"), send("pointerdown", { isPrimary: false })),
    () => send("pointerdown", { pointerType: "mouse" }),
    () => send("pointerdown", { pointerType: "pen", button: 2 }),
  ];
  for (const start of starts) {
    start();
    wait(2 * LONG_PRESS_MS);
    assert.deepEqual(menus, [], String(start));
  }
  send("pointerdown");
  send("pointermove", { clientX: 9 });
  wait(LONG_PRESS_MS);
  assert.deepEqual(menus, [5], "a finger is never quite still");
});

test("a browser that reports the long press itself opens one menu, and not its own", () => {
  send("pointerdown");
  wait(400);
  assert.ok(send("contextmenu").defaultPrevented);
  wait(LONG_PRESS_MS);
  assert.ok(send("contextmenu").defaultPrevented);
  assert.deepEqual([menus, clicks], [[5], []]);
  send("pointerdown", { pointerType: "mouse", button: 2 });
  send("contextmenu", { button: 2 });
  assert.deepEqual([menus, clicks], [[5], ["contextmenu"]], "the right button of a mouse is for the list");
});
