import assert from "node:assert/strict";
import { test } from "node:test";
import { viewerKey } from "#ui/viewer/keys.mjs";

const on = (tag) => ({ matches: (selector) => selector.split(", ").includes(tag) });
const press = (key, held = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, isComposing: false, target: on("dialog"), ...held });

test("the viewer knows its keys, also with Caps Lock", () => {
  const does = { Escape: "close", ArrowLeft: "previous", ArrowRight: "next", d: "download", D: "download", x: "select", X: "select", " ": "play", Enter: null, Tab: null, constructor: null };
  for (const [key, expected] of Object.entries(does)) assert.equal(viewerKey(press(key)), expected, key);
});

test("keys that are held with others are left to the browser", () => {
  for (const held of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }]) {
    for (const key of ["Escape", "ArrowLeft", "d", "x"]) assert.equal(viewerKey(press(key, held)), null, key);
  }
  assert.equal(viewerKey(press("X", { shiftKey: true })), null);
  assert.equal(viewerKey(press("Escape", { shiftKey: true })), "close");
});

test("on the browser’s own controls the arrows seek, Space plays, and a button is pressed with Space", () => {
  for (const tag of ["video", "audio"]) {
    for (const key of ["ArrowLeft", "ArrowRight", " "]) assert.equal(viewerKey(press(key, { target: on(tag) })), null, `${tag} ${key}`);
    assert.equal(viewerKey(press("Escape", { target: on(tag) })), "close");
  }
  assert.equal(viewerKey(press(" ", { target: on("button") })), null);
  assert.equal(viewerKey(press("ArrowRight", { target: on("button") })), "next");
});
