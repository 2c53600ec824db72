import assert from "node:assert/strict";
import { test } from "node:test";
import { extensionOf, kindOf, kindOfContent } from "#ui/common/kinds.mjs";
import { indexOf, isDrawn, neighbour, savedName } from "#ui/viewer/outputs.mjs";

test("an output’s kind is told by its extension, whatever else is in its name", () => {
  const kinds = { "a.PNG": "image", "b.tar.webp": "image", "c.mp4": "video", "d.webm": "video", "e.FLAC": "audio", "f.html": "text", "g.svg": "text", "h.glb": "3d", "i.psd": "other", "png": "other", "j.png ": "other", "k": "other" };
  for (const [name, kind] of Object.entries(kinds)) assert.equal(kindOf(name), kind, name);
  assert.deepEqual(["a.PNG", "c", "x.toolongtobeone", "é.ü"].map(extensionOf), ["png", "", "", ""]);
  assert.deepEqual(["image", "video", "audio", "text", "3d", "other"].filter(isDrawn), ["image", "video", "audio", "text"]);
});

test("only types that run nothing are shown", () => {
  assert.deepEqual(["image/png", "video/webm", "audio/mpeg", "text/plain;charset=utf-8"].map(kindOfContent), ["image", "video", "audio", "text"]);
  for (const type of ["text/html", "image/svg+xml", "application/octet-stream", "application/pdf", "text/xml", "", "model/gltf-binary", "ximage/png"]) {
    assert.equal(kindOfContent(type), "other", type);
  }
});

const ROWS = [{ id: "a" }, { id: "b" }, { id: "c" }];

test("the arrows go through the outputs of a job, then on to the next job’s first or the previous job’s last", () => {
  assert.deepEqual(neighbour({ id: "b", at: 0, count: 3 }, 1, ROWS, 1), { id: "b", number: 1 });
  assert.deepEqual(neighbour({ id: "b", at: 2, count: 3 }, 1, ROWS, 1), { id: "c", number: 0 });
  assert.deepEqual(neighbour({ id: "b", at: 0, count: 3 }, -1, ROWS, 1), { id: "a", number: "last" });
  assert.equal(neighbour({ id: "a", at: 0, count: 1 }, -1, ROWS, 0), null);
  assert.equal(neighbour({ id: "c", at: 0, count: 1 }, 1, ROWS, 2), null);
});

test("from a job that has left the list the arrows go on to the jobs that were around it", () => {
  const rows = [{ id: "a" }, { id: "c" }];
  assert.equal(neighbour({ id: "b", at: 0, count: 1 }, 1, rows, 1)?.id, "c");
  assert.equal(neighbour({ id: "b", at: 0, count: 1 }, -1, rows, 1)?.id, "a");
  assert.equal(neighbour({ id: "b", at: 0, count: 1 }, 1, [], 1), null);
});

test("the first output shown is the one that the list shows, wherever it is among the outputs", () => {
  const outputs = ["a", "b", "c"].map((filename) => ({ filename, output_type: "image" }));
  assert.deepEqual([indexOf(outputs, null, "b"), indexOf(outputs, null, "x"), indexOf(outputs, "last", ""), indexOf(outputs, 1, "")], [1, 0, 2, 1]);
  assert.deepEqual([indexOf([], null, "b"), indexOf([], "last", "b"), indexOf([], 0, "b")], [-1, -1, -1]);
});

test("a saved file has a name that every system allows, with its extension", () => {
  assert.equal(savedName('"><img src=x onerror=alert(1)>_00001_.png'), "___img src=x onerror=alert(1)__00001_.png");
  assert.equal(savedName("../../etc/passwd"), "__.._etc_passwd");
  assert.equal(savedName("invoice\u202egnp.exe"), "invoice_gnp.exe");
  assert.equal(savedName(`${"long ".repeat(100)}.mp4`).length, 124);
  assert.equal(savedName(""), "output");
});
