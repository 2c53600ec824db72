// @ts-check
/** Loads thumbnails with our header, at most six at once and the newest request first, and caches them. Videos show their first frame. */

import { HistoryApiError } from "../api.mjs";
import { el } from "../common/dom.mjs";
import { kindOf, kindOfContent } from "../common/kinds.mjs";

/** @import { Row } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */

/** @typedef {Pick<HTMLImageElement, "src">} Image */
/** @typedef {{job: string, file: string, number: number | undefined, images: Set<Image>, abort: AbortController | null}} Wanted */

const MAX_AT_ONCE = 6;
const MAX_VIDEOS_AT_ONCE = 2;
/** A larger video keeps its icon, because much of the file may be downloaded for one frame. */
const MAX_VIDEO_BYTES = 8 * 2 ** 20;
const MAX_FRAME_PIXELS = 512;
/** Time limit in milliseconds for the browser to decode the first frame. */
const FRAME_TIMEOUT = 10_000;
const MAX_CACHED = 400;
/** A thumbnail may be an original of 20 MB, which the browser keeps in memory until its blob URL is revoked. */
const MAX_CACHED_BYTES = 64 * 2 ** 20;
/** A longer file name does not fit into a URL. */
const MAX_NAME_CHARACTERS = 1_000;

/** Whether a file of this name can have a thumbnail. @param {string} filename */
export const hasThumbnail = (filename) => ["image", "video"].includes(kindOf(filename));

/** @param {string} filename */
const isVideo = (filename) => kindOf(filename) === "video";

/** Returns the first frame of a video as a picture, or null if the browser can't play the video. @param {string} url @returns {Promise<Blob | null>} */
async function firstFrame(url) {
  const video = el("video", { playsinline: true, preload: "auto" });
  video.muted = true;
  try {
    await new Promise((resolve, reject) => {
      for (const type of ["error", "abort"]) video.addEventListener(type, reject);
      video.addEventListener("loadeddata", resolve);
      setTimeout(reject, FRAME_TIMEOUT);
      video.src = url;
    });
    const scale = Math.min(1, MAX_FRAME_PIXELS / Math.max(video.videoWidth, video.videoHeight, 1));
    const canvas = el("canvas", { width: String(Math.round(video.videoWidth * scale)), height: String(Math.round(video.videoHeight * scale)) });
    canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  } catch {
    return null;
  } finally {
    video.removeAttribute("src");
    video.load();
  }
}

export class Thumbnails {
  /** @type {Map<string, {url: string, size: number}>} the least recently used first; `url` "": the job has no thumbnail */
  #pictures = new Map();
  #bytes = 0;
  /** @type {Map<string, Wanted>} */
  #wanted = new Map();
  /** @type {Map<Image, string>} the key that each img element waits for or shows */
  #users = new Map();
  #running = 0;
  #videos = 0;

  /**
   * @param {object} options
   * @param {Pick<HistoryApi, "thumbnail" | "media">} options.api
   * @param {(url: string) => Promise<Blob | null>} [options.frame] returns the first frame, or null
   * @param {(blob: Blob) => string} [options.toUrl]
   * @param {(url: string) => void} [options.revoke]
   * @param {number} [options.maxCached] maximum number of cached thumbnails
   * @param {number} [options.maxBytes]
   */
  constructor({ api, frame = firstFrame, toUrl = (blob) => URL.createObjectURL(blob), revoke = (url) => URL.revokeObjectURL(url), maxCached = MAX_CACHED, maxBytes = MAX_CACHED_BYTES }) {
    this.api = api;
    this.frame = frame;
    this.toUrl = toUrl;
    this.revoke = revoke;
    this.maxCached = maxCached;
    this.maxBytes = maxBytes;
  }

  /** Sets the `src` of the image once the thumbnail is loaded; never if the job has none. @param {string} job @param {string} file @param {Image} image @param {number} [number] the file's place among the job's outputs, from 0 */
  request(job, file, image, number) {
    this.#detach(image);
    if (file.length > MAX_NAME_CHARACTERS) return;
    const key = `${job}/${number ?? ""}/${file}`;
    this.#users.set(image, key);
    const picture = this.#pictures.get(key);
    if (picture) {
      this.#pictures.delete(key);
      this.#pictures.set(key, picture);
      if (picture.url) image.src = picture.url;
      return;
    }
    const want = this.#wanted.get(key) ?? { job, file, number, images: new Set(), abort: null };
    want.images.add(image);
    this.#wanted.delete(key);
    this.#wanted.set(key, want);
    this.#next();
  }

  /** Requests the thumbnail only if a browser can show its type. @param {Row} row @param {Image} image */
  requestFor({ id, preview, output_type: type }, image) {
    if (preview && hasThumbnail(preview.filename) && ["", kindOf(preview.filename)].includes(type)) this.request(id, preview.filename, image);
  }

  /** Drops the request of an image whose row has left the view. @param {Image} image */
  release(image) {
    this.#detach(image);
    this.#evict();
  }

  /** @param {Image} image */
  #detach(image) {
    const key = this.#users.get(image) ?? "";
    this.#users.delete(image);
    const want = this.#wanted.get(key);
    want?.images.delete(image);
    if (!want || want.images.size) return;
    this.#wanted.delete(key);
    want.abort?.abort();
  }

  #next() {
    while (this.#running < MAX_AT_ONCE) {
      const waiting = [...this.#wanted].reverse().find(([, { abort, file }]) => !abort && (this.#videos < MAX_VIDEOS_AT_ONCE || !isVideo(file)));
      if (!waiting) return;
      void this.#load(...waiting);
    }
  }

  /** @param {string} key @param {Wanted} want */
  async #load(key, want) {
    this.#running += 1;
    if (isVideo(want.file)) this.#videos += 1;
    want.abort = new AbortController();
    try {
      const blob = await this.#fetch(want, want.abort.signal);
      if (!blob) return this.#cache(key, "", 0);
      const url = this.toUrl(blob);
      this.#cache(key, url, blob.size);
      for (const image of want.images) image.src = url;
    } catch (error) {
      // Other errors may pass, so the next request tries again.
      if (error instanceof HistoryApiError && ["not_found", "file_too_large"].includes(error.code)) this.#cache(key, "", 0);
    } finally {
      this.#running -= 1;
      if (isVideo(want.file)) this.#videos -= 1;
      if (this.#wanted.get(key) === want) this.#wanted.delete(key);
      this.#next();
    }
  }

  /** @param {Wanted} want @param {AbortSignal} signal @returns {Promise<Blob | null>} */
  async #fetch({ job, file, number }, signal) {
    if (!isVideo(file)) return this.api.thumbnail(job, file, number, signal);
    const { type, url } = await this.api.media(job, file, { most: MAX_VIDEO_BYTES, ...(number !== undefined && { number }) }, signal);
    return kindOfContent(type) === "video" && url ? this.frame(url) : null;
  }

  /** @param {string} key @param {string} url @param {number} size */
  #cache(key, url, size) {
    this.#pictures.set(key, { url, size });
    this.#bytes += size;
    this.#evict();
  }

  /** Removes the least recently used thumbnails, but none that is on screen. */
  #evict() {
    const tooMuch = () => this.#pictures.size > this.maxCached || this.#bytes > this.maxBytes;
    if (!tooMuch()) return;
    const shown = new Set(this.#users.values());
    for (const [key, { url, size }] of this.#pictures) {
      if (!tooMuch()) return;
      if (shown.has(key)) continue;
      this.#pictures.delete(key);
      this.#bytes -= size;
      if (url) this.revoke(url);
    }
  }
}
