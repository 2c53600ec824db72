import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryApiError } from "#ui/api.mjs";
import { Thumbnails } from "#ui/list/thumbnails.mjs";

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

function stage(options = {}) {
  const asked = [];
  const revoked = [];
  const api = {
    thumbnail: (job, file, number, signal) =>
      new Promise((resolve, reject) => {
        asked.push({ job, file, number, signal, give: (size = 1) => resolve({ size, toString: () => job }), refuse: (code) => reject(new HistoryApiError({ code })) });
        signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
      }),
  };
  api.media = async (job, file, { most, number }, signal) => ({ type: "video/mp4", size: 1, url: `/media/${await api.thumbnail(job, `${file} up to ${most}`, number, signal)}` });
  const thumbnails = new Thumbnails({ api, toUrl: (blob) => `blob:${blob}`, revoke: (url) => revoked.push(url), ...options });
  const ask = (job) => {
    const image = { src: "" };
    thumbnails.requestFor({ id: job, output_type: "image", preview: { filename: "f.png" } }, image);
    return image;
  };
  return { thumbnails, asked, revoked, ask };
}

test("at most six thumbnails load at once, and the newest waiting request is next", async () => {
  const { asked, ask } = stage();
  for (let n = 0; n < 10; n += 1) ask(`j${n}`);
  assert.deepEqual(asked.map(({ job }) => job), ["j0", "j1", "j2", "j3", "j4", "j5"]);
  asked[0].give();
  await nextTurn();
  assert.equal(asked.at(-1).job, "j9");
  assert.equal(asked.length, 7);
});

test("a loaded thumbnail is set on every img element that waits for it, and later ones get it from the cache", async () => {
  const { asked, ask } = stage();
  const [one, two] = [ask("a"), ask("a")];
  assert.equal(asked.length, 1);
  asked[0].give();
  await nextTurn();
  assert.deepEqual([one.src, two.src, ask("a").src], ["blob:a", "blob:a", "blob:a"]);
  assert.equal(asked.length, 1);
});

test("a thumbnail whose row leaves the view is not requested, or its request is aborted", async () => {
  const { thumbnails, asked, ask } = stage();
  const images = Array.from({ length: 8 }, (_, n) => ask(`j${n}`));
  thumbnails.release(images[7]);
  thumbnails.release(images[0]);
  assert.equal(asked[0].signal.aborted, true);
  await nextTurn();
  assert.deepEqual(asked.map(({ job }) => job).slice(6), ["j6"]);
  asked[6].give();
  await nextTurn();
  assert.equal(images[0].src, "");
});

test("an img element reused for another row never gets the first row’s thumbnail", async () => {
  const { thumbnails, asked } = stage();
  const image = { src: "" };
  thumbnails.request("a", "f.png", image);
  thumbnails.request("b", "f.png", image);
  asked[0].give();
  asked[1].give();
  await nextTurn();
  assert.equal(image.src, "blob:b");
});

test("a missing thumbnail is not requested again, but one that failed to load is", async () => {
  const { asked, ask } = stage();
  ask("a");
  asked[0].refuse("not_found");
  await nextTurn();
  ask("a");
  assert.equal(asked.length, 1);
  ask("b");
  asked[1].refuse("unreachable");
  await nextTurn();
  ask("b");
  assert.equal(asked.length, 3);
});

test("the least recently used thumbnail leaves the cache first, but never one that is on screen", async () => {
  const { thumbnails, asked, revoked, ask } = stage({ maxCached: 2 });
  const shown = ask("a");
  for (const [index, job] of ["b", "c", "d"].entries()) {
    const image = ask(job);
    if (index === 0) asked[0].give();
    asked[index + 1].give();
    await nextTurn();
    thumbnails.release(image);
  }
  assert.equal(shown.src, "blob:a");
  assert.deepEqual(revoked, ["blob:b", "blob:c"]);
});

test("the cache stays within its byte limit, and thumbnails above the limit leave it when they leave the view", async () => {
  const { thumbnails, asked, revoked, ask } = stage({ maxBytes: 100 });
  const images = [];
  for (const [index, size] of [40, 50, 60].entries()) {
    images.push(ask(`j${index}`));
    asked[index].give(size);
    await nextTurn();
  }
  assert.deepEqual(revoked, [], "all thumbnails are on screen");
  thumbnails.release(images[1]);
  assert.deepEqual(revoked, ["blob:j1"]);
  thumbnails.release(images[0]);
  thumbnails.release(images[2]);
  assert.deepEqual(revoked, ["blob:j1"], "100 bytes may stay");
  ask("j0");
  ask("j3");
  asked[3].give(30);
  await nextTurn();
  assert.deepEqual(revoked, ["blob:j1", "blob:j2"], "the first thumbnail was requested again");
});

test("a thumbnail over the cache limit is shown, and is not requested again for the same img element", async () => {
  const { thumbnails, asked, revoked } = stage({ maxBytes: 100 });
  const image = { src: "" };
  thumbnails.request("a", "f.png", image);
  asked[0].give(101);
  await nextTurn();
  thumbnails.request("a", "f.png", image);
  assert.deepEqual([image.src, revoked.length, asked.length], ["blob:a", 0, 1]);
  thumbnails.release(image);
  assert.deepEqual(revoked, ["blob:a"]);
});

test("by default the cached thumbnails take at most 64 MB", async () => {
  const { thumbnails, asked, revoked, ask } = stage();
  for (let n = 0; n < 4; n += 1) {
    const image = ask(`j${n}`);
    asked[n].give(20 * 2 ** 20);
    await nextTurn();
    thumbnails.release(image);
  }
  assert.deepEqual(revoked, ["blob:j0"]);
});

test("no thumbnail is requested for a job without a preview, or with a file name too long for a URL", () => {
  const { thumbnails, asked } = stage();
  thumbnails.request("a", "Z".repeat(10_000), { src: "" });
  thumbnails.requestFor({ id: "a", preview: null }, { src: "" });
  assert.equal(asked.length, 0);
});

test("a thumbnail is requested only for file types that a browser can show", () => {
  const { thumbnails, asked } = stage();
  const of = (filename, output_type) => thumbnails.requestFor({ id: filename, output_type, preview: { filename } }, { src: "" });
  of("a.PNG", "image");
  of("b.jpeg", "");
  of("c.mp4", "video");
  of("h.avif", "image");
  of("d.webp", "video");
  of("e.mp3", "");
  of("f.glb", "3d");
  of("g", "image");
  assert.deepEqual(asked.map(({ job }) => job), ["a.PNG", "b.jpeg", "c.mp4", "h.avif"]);
});

const video = (thumbnails, job, type = "video") => {
  const image = { src: "" };
  thumbnails.requestFor({ id: job, output_type: type, preview: { filename: "Clip.MP4" } }, image);
  return image;
};

test("a video shows its first frame, of a file of at most 8 MB, and only the frame is kept", async () => {
  const seen = [];
  const frame = async (url) => (seen.push(url), { size: 3, toString: () => "frame" });
  const { thumbnails, asked, revoked } = stage({ frame, maxBytes: 10 });
  const image = video(thumbnails, "a");
  assert.equal(asked[0].file, "Clip.MP4 up to 8388608");
  asked[0].give(8_000_000);
  await nextTurn();
  assert.deepEqual([image.src, seen, revoked.length], ["blob:frame", ["/media/a"], 0]);
});

test("a video that is too large or that the browser can’t play keeps its icon and is not asked for again", async () => {
  const { thumbnails, asked } = stage({ frame: async () => null });
  const images = [video(thumbnails, "a"), video(thumbnails, "b")];
  asked[0].refuse("file_too_large");
  asked[1].give();
  await nextTurn();
  for (const job of ["a", "b"]) images.push(video(thumbnails, job));
  assert.deepEqual([asked.length, ...images.map(({ src }) => src)], [2, "", "", "", ""]);
});

test("at most two videos are fetched at once, and pictures do not wait for them", async () => {
  const { thumbnails, asked, ask } = stage({ frame: async (url) => ({ size: 1, toString: () => url }) });
  for (const job of ["a", "b", "c"]) video(thumbnails, job);
  ask("picture");
  assert.deepEqual(asked.map(({ job }) => job), ["a", "b", "picture"]);
  asked[0].give();
  await nextTurn();
  assert.deepEqual(asked.map(({ job }) => job).slice(3), ["c"]);
});

test("a job whose outputs are of another kind shows no frame of its preview", () => {
  const { thumbnails, asked } = stage();
  video(thumbnails, "a", "3d");
  assert.equal(asked.length, 0);
});

test("outputs of one name have a picture each", async () => {
  const { thumbnails, asked } = stage();
  const images = [0, 1].map((number) => {
    const image = { src: "" };
    thumbnails.request("a", "same.png", image, number);
    return image;
  });
  assert.deepEqual(asked.map(({ number }) => number), [0, 1]);
  asked[1].give();
  await nextTurn();
  assert.deepEqual(images.map(({ src }) => src), ["", "blob:a"]);
});
