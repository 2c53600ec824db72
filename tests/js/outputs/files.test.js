import assert from "node:assert/strict";
import { test } from "node:test";
import { savedFiles, savedPart } from "#ui/outputs/files.mjs";
import { savedView } from "#ui/outputs/viewer.mjs";
import { createSettings } from "#ui/settings.mjs";
import { createPage } from "../viewer/page.js";
import { fail, settled } from "./stage.js";

const ROW = { id: "job-1", name: "mira.png", outputs: 3 };
const file = (name, here = true) => ({ name, path: `output/comfy-cloud/${name}`, size: 2_100_000, here });
const SAVED = { folder: "output/comfy-cloud/2026-11-23/mira 1a2b3c4d", files: [file("a.png"), file("b.mp4", false), file("c\u202e.png")] };
const words = (elements) => elements.map((each) => each.textContent).join(" | ");
const buttons = (element) => [...element.all()].filter(({ tag }) => tag === "button");

test("the details say how many outputs are here and where, and offer to save the rest", () => {
  createPage();
  const told = [];
  const part = savedPart(ROW, SAVED, () => told.push("ask"), (folder) => told.push(folder));
  assert.equal(words(part), `2 of 3 outputs are saved here. | ${SAVED.folder} | Save outputs…`);
  for (const each of part.flatMap(buttons)) each.fire("click");
  assert.deepEqual(told, [SAVED.folder, "ask"]);
  const whole = { ...SAVED, files: SAVED.files.map((each) => ({ ...each, here: true })) };
  assert.equal(words(savedPart(ROW, whole, () => undefined, () => undefined)), `All 3 outputs are saved here. | ${SAVED.folder}`);
  for (const nothing of [null, { folder: null, files: [] }]) assert.equal(words(savedPart(ROW, nothing, () => undefined, () => undefined)), "Save outputs…");
  assert.deepEqual(savedPart({ ...ROW, outputs: 0 }, null, () => undefined, () => undefined), []);
});

test("the files of a deleted job are listed with those that are no longer here, which can’t be opened", async () => {
  createPage();
  const told = [];
  const actions = { view: (saved, number) => told.push(["view", number]), download: (saved, number) => told.push(["download", number]), copy: () => undefined };
  const list = savedFiles("job-1", { savedOutputs: async () => SAVED }, actions);
  assert.equal(list.textContent, "Looking for saved outputs…");
  await settled();
  assert.match(list.textContent, /^Saved: 2 of 3 outputs/);
  const lines = [...list.all()].filter(({ tag }) => tag === "li");
  assert.deepEqual(lines.map((line) => buttons(line).length), [2, 0, 2]);
  assert.match(lines[1].textContent, /b\.mp4.*no longer here/);
  assert.ok(lines[2].textContent.includes("c\ufffd.png"), "a name can’t turn the line around");
  for (const each of buttons(lines[2])) each.fire("click");
  assert.deepEqual(told, [["view", 2], ["download", 2]], "by the number of the file on the server");
});

test("a list of files that can’t be read says why", async () => {
  createPage();
  const list = savedFiles("job-1", { savedOutputs: async () => { throw fail("setup"); } }, {});
  await settled();
  assert.match(list.textContent, /setup/);
});

test("the viewer of saved outputs shows the files that are here, by their numbers on the server", async () => {
  const asked = [];
  const api = { savedFile: async (id, number) => (asked.push([id, number]), new Blob(["x"], { type: "image/png" })) };
  const { request, parts } = savedView({ row: ROW, saved: SAVED, number: 2, root: {}, closed: () => undefined }, api, { names: {}, nameParts: () => ["", ""] });
  assert.deepEqual([request.number, request.outputs.map(({ filename }) => filename)], [1, ["a.png", "c\u202e.png"]]);
  await parts.api.output("job-1", "", { number: request.number });
  assert.deepEqual(asked, [["job-1", 2]]);
  assert.equal(parts.canSelect, false, "its job may be gone");
});

/** Our field for a setting, with the server's settings. */
async function field(name, settings) {
  createPage();
  globalThis.window.ResizeObserver = class { observe() {} };
  globalThis.document.addEventListener = () => undefined;
  const saved = [];
  const api = { status: async () => ({ settings }), saveSettings: async (change) => (saved.push(change), { settings: { ...settings, ...change } }) };
  const box = createSettings({ api }).field(name, "Label");
  await settled();
  const input = [...box.all()].find(({ tag }) => tag === "input" || tag === "select");
  const type = async (value) => {
    input.value = value;
    input.fire("change", { target: input });
    await settled();
  };
  return { input, saved, type };
}

test("the folder of outputs may be empty, and is saved as typed, without spaces around it", async () => {
  const { input, saved, type } = await field("outputs_folder", { outputs_folder: "" });
  assert.deepEqual([input.value, input.disabled, input.attributes.placeholder], ["", false, "comfy-cloud"]);
  await type(" my cloud ");
  await type("");
  assert.deepEqual(saved, [{ outputs_folder: "my cloud" }, { outputs_folder: "" }]);
});

test("a server without the setting keeps its field off", async () => {
  assert.equal((await field("outputs_folder", {})).input.disabled, true);
});
