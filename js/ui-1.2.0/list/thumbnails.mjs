// @ts-check
/** Pictures of jobs: fetched with our header, at most six at once, the latest asked for first, kept while there is room. */

import { HistoryApiError } from "../api.mjs";

/** @import { Row } from "../../../types/wire" */

/** @typedef {Pick<HTMLImageElement, "src">} Image */
/** @typedef {{job: string, file: string, images: Set<Image>, abort: AbortController | null}} Wanted */

const AT_ONCE = 6;
const KEPT = 400;
/** An original may have 20 MB, and the browser keeps each one in memory as long as its address. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Characters; a longer name does not fit into an address. */
const MAX_NAME_CHARACTERS = 1_000;

/** @param {string} filename */
export const isPicture = (filename) => /\.(png|jpe?g|webp|gif)$/i.test(filename);

export class Thumbnails {
  /** @type {Map<string, {url: string, size: number}>} the least recently used first; "" where there is no picture */
  #pictures = new Map();
  /** Bytes of them all. */
  #size = 0;
  /** @type {Map<string, Wanted>} */
  #wanted = new Map();
  /** @type {Map<Image, string>} what each image asks for or shows */
  #users = new Map();
  #running = 0;

  /**
   * @param {object} options
   * @param {{thumbnail(job: string, file: string, signal?: AbortSignal): Promise<Blob>}} options.api
   * @param {(blob: Blob) => string} [options.toUrl]
   * @param {(url: string) => void} [options.forget]
   * @param {number} [options.kept] pictures kept
   * @param {number} [options.keptBytes]
   */
  constructor({ api, toUrl = (blob) => URL.createObjectURL(blob), forget = (url) => URL.revokeObjectURL(url), kept = KEPT, keptBytes = KEPT_BYTES }) {
    this.api = api;
    this.toUrl = toUrl;
    this.forget = forget;
    this.kept = kept;
    this.keptBytes = keptBytes;
  }

  /** Sets the `src` of the image as soon as there is a picture; never, if there is none. @param {string} job @param {string} file @param {Image} image */
  request(job, file, image) {
    this.#leave(image);
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

  /** Only what the browser can show. @param {Row} row @param {Image} image */
  requestFor({ id, preview, output_type: type }, image) {
    if (preview && (type === "image" || type === "") && isPicture(preview.filename)) this.request(id, preview.filename, image);
  }

  /** No more needed: its row has left the view. @param {Image} image */
  release(image) {
    this.#leave(image);
    this.#tidy();
  }

  /** @param {Image} image */
  #leave(image) {
    const key = this.#users.get(image) ?? "";
    this.#users.delete(image);
    const want = this.#wanted.get(key);
    want?.images.delete(image);
    if (!want || want.images.size) return;
    this.#wanted.delete(key);
    want.abort?.abort();
  }

  #next() {
    while (this.#running < AT_ONCE) {
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
      this.#keep(key, url, blob.size);
      for (const image of want.images) image.src = url;
    } catch (error) {
      // "There is none" is remembered; what may pass is asked again the next time.
      if (error instanceof HistoryApiError && error.code === "not_found") this.#keep(key, "", 0);
    } finally {
      this.#running -= 1;
      if (this.#wanted.get(key) === want) this.#wanted.delete(key);
      this.#next();
    }
  }

  /** @param {string} key @param {string} url @param {number} size */
  #keep(key, url, size) {
    this.#pictures.set(key, { url, size });
    this.#size += size;
    this.#tidy();
  }

  /** Lets go of what was not used for longest, but of none on show. */
  #tidy() {
    const tooMuch = () => this.#pictures.size > this.kept || this.#size > this.keptBytes;
    if (!tooMuch()) return;
    const shown = new Set(this.#users.values());
    for (const [key, { url, size }] of this.#pictures) {
      if (!tooMuch()) return;
      if (shown.has(key)) continue;
      this.#pictures.delete(key);
      this.#size -= size;
      if (url) this.forget(url);
    }
  }
}
