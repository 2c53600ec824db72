import assert from "node:assert/strict";
import { test } from "node:test";
import { hideUndo, listKey, panelKey, passes, step } from "#ui/list/keys.mjs";

const press = (key, held = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held });
const ctrl = { ctrlKey: true };

test("the list knows its keys", () => {
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
    ["c", ctrl, { do: "copy" }],
    ["F10", { shiftKey: true }, { do: "menu" }],
    ["ContextMenu", {}, { do: "menu" }],
  ];
  for (const [key, held, expected] of does) assert.deepEqual(listKey(press(key, held)), expected, key);
});

test("nothing is deleted or moved by a key that is held with others", () => {
  for (const held of [ctrl, { altKey: true }, { metaKey: true }]) {
    for (const key of ["Delete", "Backspace", "ArrowDown", "Enter", " ", "p"]) assert.equal(listKey(press(key, held)), null, key);
  }
  assert.equal(listKey(press("Delete", { shiftKey: true })), null);
  assert.equal(listKey(press("a", { ctrlKey: true, shiftKey: true })), null);
  assert.equal(listKey(press("constructor")), null);
});

test("fields keep their own keys, but Escape is the panel’s everywhere", () => {
  assert.equal(panelKey(press("z", ctrl), true), null);
  assert.equal(panelKey(press("/"), true), null);
  assert.equal(panelKey(press("Escape"), true), "escape");
  assert.equal(panelKey(press("z", ctrl), false), "undo");
  assert.equal(panelKey(press("/"), false), "search");
  assert.equal(panelKey(press("z", { ctrlKey: true, shiftKey: true }), false), null);
});

test("bare keys stay in the panel, combinations and Tab go on", () => {
  for (const key of ["w", "q", "Delete", " ", "."]) assert.ok(!passes(press(key)), key);
  assert.ok(!passes(press("A", { shiftKey: true })));
  assert.ok(passes(press("s", ctrl)) && passes(press("Tab")) && passes(press("Escape")));
});

test("what would undo or redo in ComfyUI is no such key after we have read it, and every other key stays", () => {
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

test("arrows go round, Home and End to the ends", () => {
  const arrows = ["ArrowLeft", "ArrowRight"];
  assert.equal(step("ArrowLeft", 0, 5, arrows), 4);
  assert.equal(step("ArrowRight", 4, 5, arrows), 0);
  assert.equal(step("End", 1, 5, arrows), 4);
  assert.equal(step("Home", 3, 5, arrows), 0);
  assert.equal(step("ArrowDown", 3, 5, arrows), -1);
});
