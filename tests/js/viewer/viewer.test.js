import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { jobNameParts } from "#ui/common/names.mjs";
import { Viewer } from "#ui/viewer/viewer.mjs";
import { createPage } from "./page.js";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const row = (id, more = {}) => ({ id, status: "completed", name: `${id}1.png`, preview: { filename: `${id}1.png` }, outputs: 2, output_type: "image", created: 0, error: null, ...more });
const outputsOf = (id) => [`${id}1.png`, `${id}2.png`].map((filename) => ({ filename, output_type: "image", media_type: "images", node_id: "9" }));

function stage(rows = [row("a"), row("b")]) {
  const page = createPage();
  const asked = [];
  const jobs = [];
  const saved = [];
  const chosen = new Set();
  const selection = { has: (id) => chosen.has(id), toggle: (id) => chosen.delete(id) || chosen.add(id), get size() { return chosen.size; } };
  const store = { rows, selection, get: (id) => rows.find((each) => each.id === id), select: (change) => change(selection), names: { of: () => "Coast studies" }, nameParts: (job) => jobNameParts(job), on: () => () => undefined };
  const api = {
    job: async (id) => (jobs.push(id), { outputs: outputsOf(id) }),
    output: (job, filename, options, signal) =>
      new Promise((resolve, reject) => {
        const give = (type = "image/png") => resolve(Object.assign(new Blob(["xxxx"], { type })));
        asked.push({ job, filename, ...options, signal, give, refuse: (error) => reject(new HistoryApiError(error)) });
        signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      }),
  };
  const addressed = [];
  api.media = (job, filename, options, signal) =>
    new Promise((resolve, reject) => {
      const give = (type = "video/mp4", size = 4) => resolve({ type, size, url: type.startsWith("application/") ? "" : `/media/${addressed.length}` });
      addressed.push({ job, filename, ...options, signal, give, refuse: (error) => reject(new HistoryApiError(error)) });
    });
  const closed = [];
  const viewer = new Viewer({ api, store, save: (blob, name) => saved.push([blob.size, name]) });
  const open = (id, more = {}) => viewer.open({ id, root: page.root, closed: (last) => closed.push(last), ...more });
  const shown = (tag) => page.root.querySelector(tag);
  const said = () => [...page.root.all()].find(({ attributes }) => attributes.role === "status").textContent;
  return { ...page, viewer, asked, addressed, jobs, saved, chosen, closed, open, shown, said };
}

test("the file that the list shows is asked for at once, and once only", async () => {
  const { asked, jobs, open, shown } = stage();
  open("a");
  assert.deepEqual([asked.map(({ filename }) => filename), jobs], [["a1.png"], ["a"]]);
  asked[0].give();
  await settled();
  assert.deepEqual([asked.length, shown("img").src, shown("h2").textContent], [1, "blob:1", "a1.png"]);
});

test("no address of a file is left over, however one leaves it", async () => {
  const { asked, addresses, open, press, viewer } = stage();
  open("a", { number: 0, outputs: outputsOf("a") });
  for (let n = 0; n < 2; n += 1) {
    asked[n].give();
    await settled();
    assert.equal(addresses.inUse.size, 1);
    press("ArrowRight");
    assert.equal(addresses.inUse.size, 0);
  }
  await settled();
  asked.at(-1).give();
  await settled();
  assert.equal(addresses.inUse.size, 1);
  viewer.close();
  assert.deepEqual([addresses.inUse.size, addresses.made], [0, 3]);
});

test("a file that comes after one has gone on is not shown, and was taken back", async () => {
  const { asked, addresses, open, press, shown } = stage();
  open("a", { number: 0, outputs: outputsOf("a") });
  press("ArrowRight");
  assert.equal(asked[0].signal.aborted, true);
  asked[0].give();
  await settled();
  assert.deepEqual([shown("img"), addresses.made, shown("h2").textContent], [null, 0, "a2.png"]);
});

test("each output is asked for by its place, and the arrows go on to the next job and back", async () => {
  const { asked, open, press, said, shown } = stage();
  open("a", { number: 1, outputs: outputsOf("a") });
  assert.deepEqual([asked[0].filename, asked[0].number], ["a2.png", 1]);
  press("ArrowRight");
  await settled();
  assert.deepEqual([asked.at(-1).job, asked.at(-1).filename, asked.at(-1).number], ["b", "b1.png", 0]);
  press("ArrowRight");
  press("ArrowRight");
  assert.equal(said(), "This is the last output in the list.");
  press("ArrowLeft");
  press("ArrowLeft");
  await settled();
  assert.equal(shown("h2").textContent, "a2.png");
});

test("the button that selects the job says whether it is selected, by its words alone", () => {
  const { open, press, root } = stage();
  open("a");
  const tick = [...root.all()].find(({ tag, textContent }) => tag === "button" && textContent === "Select job");
  const says = () => [tick.textContent, tick.attributes["data-tip"], tick.attributes["aria-pressed"], tick.classes.has("is-on")];
  assert.deepEqual(says(), ["Select job", "Select job (X)", undefined, false]);
  press("x");
  assert.deepEqual(says(), ["Selected", "Deselect job (X)", undefined, true]);
  press("x");
  assert.deepEqual(says(), ["Select job", "Select job (X)", undefined, false]);
});

test("ticking says so, and how many are selected", () => {
  const { chosen, open, press, said } = stage();
  open("a");
  press("x");
  assert.deepEqual([[...chosen], said()], [["a"], "Job selected. 1 selected."]);
  press("X", { repeat: true });
  assert.equal(chosen.size, 1, "a key that is held down ticks once");
  press("X");
  assert.deepEqual([[...chosen], said()], [[], "Job no longer selected. 0 selected."]);
});

test("a download takes the file that is there, and asks for one that is not shown", async () => {
  const { asked, open, press, saved } = stage();
  const outputs = [{ filename: "a1.png", output_type: "image" }, { filename: "pot.glb", output_type: "3d" }];
  open("a", { number: 0, outputs });
  asked[0].give();
  await settled();
  press("d");
  await settled();
  press("ArrowRight");
  assert.equal(asked.length, 1, "a 3D model is not fetched to say what it is");
  press("d");
  asked[1].give("model/gltf-binary");
  await settled();
  assert.deepEqual(saved, [[4, "a1.png"], [4, "pot.glb"]]);
});

test("a type that could run in the page is never given an address", async () => {
  for (const type of ["text/html", "image/svg+xml", "application/octet-stream"]) {
    const { addresses, asked, open, shown } = stage();
    open("a", { number: 0, outputs: outputsOf("a") });
    asked[0].give(type);
    await settled();
    assert.deepEqual([addresses.made, shown("h3").textContent], [0, "This file is not the picture that its name says"], type);
  }
});

test("an error is told in the server’s words, and can be tried again", async () => {
  const { asked, open, shown, said } = stage();
  open("a", { number: 0, outputs: outputsOf("a") });
  asked[0].refuse({ code: "file_too_large", message: "The file is larger than 64 MB.", hint: "Download it elsewhere." });
  await settled();
  assert.equal(shown("h3").textContent, "The file is larger than 64 MB");
  assert.match(said(), /The file is larger than 64 MB$/);
});

test("a failed job says that it has no outputs, and why it failed, without a request", () => {
  const { asked, jobs, open, shown } = stage([row("a", { status: "failed", name: "", preview: null, outputs: 0, error: { message: "Out of memory", node_type: "KSampler" } })]);
  open("a");
  assert.deepEqual([asked.length, jobs.length, shown("h3").textContent], [0, 0, "This job has no outputs"]);
  assert.match(shown("dialog").textContent, /Failed.*Out of memory/);
  assert.match(shown("h2").textContent, /^Failed KSampler,/);
});

test("it closes once, tells the job shown last, and hears no key any more", async () => {
  const { closed, keys, open, press, root, shown } = stage();
  open("a", { number: 1, outputs: outputsOf("a") });
  press("ArrowRight");
  const dialog = shown("dialog");
  press("Escape");
  dialog.fire("close");
  assert.deepEqual([closed, keys.size, root.children.length], [["b"], 0, 0]);
});

test("closing the viewer of another panel leaves it open", () => {
  const { closed, open, root, viewer } = stage();
  open("a");
  viewer.close(/** another */ {});
  assert.deepEqual([closed.length, root.children.length], [0, 1]);
  viewer.close(root);
  assert.equal(closed.length, 1);
});

test("in a page that is read from right to left the next output is at the left", async () => {
  const { asked, open, press, shown } = stage();
  globalThis.document.direction = "rtl";
  open("a", { number: 0, outputs: outputsOf("a") });
  press("ArrowLeft");
  assert.equal(asked.at(-1).number, 1);
  press("ArrowRight");
  assert.equal(asked.at(-1).number, 0);
  assert.deepEqual([...shown("dialog").all()].filter(({ attributes }) => attributes["aria-keyshortcuts"]?.startsWith("Arrow")).map(({ attributes }) => attributes["data-tip"]), ["Previous output (→)", "Next output (←)"]);
});

test("the name of the job’s workflow is told beside its output", () => {
  const { open, shown } = stage();
  open("a", { number: 0, outputs: outputsOf("a") });
  assert.match(shown("p").textContent, /Job Coast studies, /);
});

const clip = [{ filename: "clip.mp4", output_type: "video" }];

test("a video gets an address of ComfyUI, because its policy may refuse blob: for videos, and is not fetched whole", async () => {
  const { addressed, addresses, asked, open, shown } = stage();
  open("a", { number: 0, outputs: clip });
  assert.deepEqual(addressed.map(({ filename, number }) => [filename, number]), [["clip.mp4", 0]]);
  addressed[0].give();
  await settled();
  assert.deepEqual([shown("video").src, asked.length, addresses.made], ["/media/1", 0, 0]);
});

test("a video that one leaves is downloaded no further", async () => {
  const { addressed, open, shown, viewer } = stage();
  open("a", { number: 0, outputs: clip });
  addressed[0].give();
  await settled();
  const video = shown("video");
  viewer.close();
  assert.deepEqual([video.src, video.unloaded], [undefined, true]);
});

test("a video with the name of a picture gets an address too", async () => {
  const { addressed, addresses, asked, open, shown } = stage();
  open("a", { number: 0, outputs: outputsOf("a") });
  asked[0].give("video/mp4");
  await settled();
  addressed[0].give();
  await settled();
  assert.deepEqual([shown("video").src, addresses.made], ["/media/1", 0]);
});

test("a video that the browser can’t play says so once it is known that its file can be had, and can be downloaded", async () => {
  const { addressed, asked, open, press, saved, shown } = stage();
  open("a", { number: 0, outputs: clip });
  addressed[0].give();
  await settled();
  shown("video").fire("error");
  addressed[1].give();
  await settled();
  assert.equal(shown("h3").textContent, "This browser can’t play this video");
  assert.equal(addressed.length, 2, "there is no further try");
  press("d");
  asked[0].give("video/mp4");
  await settled();
  assert.deepEqual(saved, [[4, "clip.mp4"]]);
});

test("a video whose file can’t be had any more is not called unplayable", async () => {
  const { addressed, open, shown } = stage();
  open("a", { number: 0, outputs: clip });
  addressed[0].give();
  await settled();
  shown("video").fire("error");
  addressed[1].refuse({ code: "file_too_large", message: "The file is larger than 64 MB.", hint: "" });
  await settled();
  assert.equal(shown("h3").textContent, "The file is larger than 64 MB");
});

test("a file without an address is said not to be the video that its name says", async () => {
  const { addressed, open, shown } = stage();
  open("a", { number: 0, outputs: clip });
  addressed[0].give("application/octet-stream");
  await settled();
  assert.equal(shown("h3").textContent, "This file is not the video that its name says");
});
