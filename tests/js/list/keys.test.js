import assert from "node:assert/strict";
import { test } from "node:test";
import { hideUndo, listKey, panelKey, passes, step } from "#ui/list/keys.mjs";

const press = (key, held = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });
const ctrl = { ctrlKey: true };

test("each key of the list has its action", () => {
  const does = [
    ["ArrowUp", {}, { do: "move", by: "row", way: -1, extend: false }],
    ["PageDown", { shiftKey: true }, { do: "move", by: "page", way: 1, extend: true }],
    ["End", {}, { do: "move", by: "end", way: 1, extend: false }],
    [" ", {}, { do: "toggle" }],
    ["a", ctrl, { do: "all" }],
    ["A", { metaKey: true }, { do: "all" }],
    ["Enter", {}, { do: "details" }],
    ["Delete", {}, { do: "delete" }],
    ["Backspace", {}, { do: "delete" }],
    ["p", {}, { do: "protect" }],
    ["P", {}, { do: "protect" }],
    ["v", {}, { do: "view" }],
    ["V", {}, { do: "view" }],
    ["c", ctrl, { do: "copy" }],
    ["F10", { shiftKey: true }, { do: "menu" }],
    ["ContextMenu", {}, { do: "menu" }],
  ];
  for (const [key, held, expected] of does) assert.deepEqual(listKey(press(key, held)), expected, key);
});

test("Delete and the arrow keys do nothing while Ctrl, Alt or Meta is held", () => {
  for (const held of [ctrl, { altKey: true }, { metaKey: true }]) {
    for (const key of ["Delete", "Backspace", "ArrowDown", "Enter", " ", "p", "v"]) assert.equal(listKey(press(key, held)), null, key);
  }
  assert.equal(listKey(press("Delete", { shiftKey: true })), null);
  assert.equal(listKey(press("a", { ctrlKey: true, shiftKey: true })), null);
  assert.equal(listKey(press("constructor")), null);
});

test("the panel handles Escape everywhere, and no other key inside a field", () => {
  assert.equal(panelKey(press("z", ctrl), true), null);
  assert.equal(panelKey(press("/"), true), null);
  assert.equal(panelKey(press("Escape"), true), "escape");
  assert.equal(panelKey(press("z", ctrl), false), "undo");
  assert.equal(panelKey(press("/"), false), "search");
  assert.equal(panelKey(press("z", { ctrlKey: true, shiftKey: true }), false), null);
});

test("keys of an input method that is composing text do nothing, and do not reach ComfyUI", () => {
  for (const composing of [{ isComposing: true }, { keyCode: 229 }]) {
    for (const key of ["Escape", "Enter", "Delete", "/"]) {
      assert.deepEqual([listKey(press(key, composing)), panelKey(press(key, composing), key === "Enter"), passes(press(key, composing))], [null, null, false], key);
    }
  }
  assert.equal(panelKey(press("Escape", { isComposing: false, keyCode: 27 }), true), "escape");
});

test("keys without a modifier do not reach ComfyUI, but combinations, Tab and Escape do", () => {
  for (const key of ["w", "q", "Delete", " ", "."]) assert.ok(!passes(press(key)), key);
  assert.ok(!passes(press("A", { shiftKey: true })));
  assert.ok(passes(press("s", ctrl)) && passes(press("Tab")) && passes(press("Escape")));
});

test("hideUndo() hides undo and redo keys from ComfyUI, and leaves every other key unchanged", () => {
  const after = (key, held) => {
    const event = press(key, held);
    hideUndo(event);
    return event.key;
  };
  for (const held of [ctrl, { metaKey: true }, { ctrlKey: true, shiftKey: true }]) {
    for (const key of ["z", "Z", "y", "Y"]) assert.equal(after(key, held), "Unidentified", key);
  }
  assert.deepEqual([after("z"), after("c", ctrl), after("z", { ctrlKey: true, altKey: true })], ["z", "c", "z"]);
});

test("arrow keys wrap around, and Home and End go to the first and last item", () => {
  const arrows = ["ArrowLeft", "ArrowRight"];
  assert.equal(step("ArrowLeft", 0, 5, arrows), 4);
  assert.equal(step("ArrowRight", 4, 5, arrows), 0);
  assert.equal(step("End", 1, 5, arrows), 4);
  assert.equal(step("Home", 3, 5, arrows), 0);
  assert.equal(step("ArrowDown", 3, 5, arrows), -1);
});
