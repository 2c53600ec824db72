// @ts-check
/** Loads thumbnails with our header, at most six at once and the newest request first, and caches them. */

import { HistoryApiError } from "../api.mjs";

/** @import { Row } from "../../../types/wire" */

/** @typedef {Pick<HTMLImageElement, "src">} Image */
/** @typedef {{job: string, file: string, images: Set<Image>, abort: AbortController | null}} Wanted */

const MAX_AT_ONCE = 6;
const MAX_CACHED = 400;
/** A thumbnail may be an original of 20 MB, which the browser keeps in memory until its blob URL is revoked. */
const MAX_CACHED_BYTES = 64 * 2 ** 20;
/** A longer file name does not fit into a URL. */
const MAX_NAME_CHARACTERS = 1_000;

/** @param {string} filename */
export const isPicture = (filename) => /\.(png|jpe?g|webp|gif)$/i.test(filename);

export class Thumbnails {
  /** @type {Map<string, {url: string, size: number}>} the least recently used first; `url` "": the job has no thumbnail */
  #pictures = new Map();
  #bytes = 0;
  /** @type {Map<string, Wanted>} */
  #wanted = new Map();
  /** @type {Map<Image, string>} the key that each img element waits for or shows */
  #users = new Map();
  #running = 0;

  /**
   * @param {object} options
   * @param {{thumbnail(job: string, file: string, signal?: AbortSignal): Promise<Blob>}} options.api
   * @param {(blob: Blob) => string} [options.toUrl]
   * @param {(url: string) => void} [options.revoke]
   * @param {number} [options.maxCached] maximum number of cached thumbnails
   * @param {number} [options.maxBytes]
   */
  constructor({ api, toUrl = (blob) => URL.createObjectURL(blob), revoke = (url) => URL.revokeObjectURL(url), maxCached = MAX_CACHED, maxBytes = MAX_CACHED_BYTES }) {
    this.api = api;
    this.toUrl = toUrl;
    this.revoke = revoke;
    this.maxCached = maxCached;
    this.maxBytes = maxBytes;
  }

  /** Sets the `src` of the image once the thumbnail is loaded; never if the job has none. @param {string} job @param {string} file @param {Image} image */
  request(job, file, image) {
    this.#detach(image);
    if (file.length > MAX_NAME_CHARACTERS) return;
    const key = `${job}/${file}`;
    this.#users.set(image, key);
    const picture = this.#pictures.get(key);
    if (picture) {
      this.#pictures.delete(key);
      this.#pictures.set(key, picture);
      if (picture.url) image.src = picture.url;
      return;
    }
    const want = this.#wanted.get(key) ?? { job, file, images: new Set(), abort: null };
    want.images.add(image);
    this.#wanted.delete(key);
    this.#wanted.set(key, want);
    this.#next();
  }

  /** Requests the thumbnail only if a browser can show its type. @param {Row} row @param {Image} image */
  requestFor({ id, preview, output_type: type }, image) {
    if (preview && (type === "image" || type === "") && isPicture(preview.filename)) this.request(id, preview.filename, image);
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
      const waiting = [...this.#wanted].reverse().find(([, { abort }]) => !abort);
      if (!waiting) return;
      void this.#load(...waiting);
    }
  }

  /** @param {string} key @param {Wanted} want */
  async #load(key, want) {
    this.#running += 1;
    want.abort = new AbortController();
    try {
      const blob = await this.api.thumbnail(want.job, want.file, want.abort.signal);
      const url = this.toUrl(blob);
      this.#cache(key, url, blob.size);
      for (const image of want.images) image.src = url;
    } catch (error) {
      // Only "not found" is cached: other errors may pass, so the next request tries again.
      if (error instanceof HistoryApiError && error.code === "not_found") this.#cache(key, "", 0);
    } finally {
      this.#running -= 1;
      if (this.#wanted.get(key) === want) this.#wanted.delete(key);
      this.#next();
    }
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
