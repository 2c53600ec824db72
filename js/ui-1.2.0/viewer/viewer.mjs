// @ts-check
/** Shows one output in full size above everything else, and steps through the outputs and the jobs of the list. */

import { asApiError, BROKE_OFF, HistoryApiError } from "../api.mjs";
import { saveFile } from "../common/browser.mjs";
import { button, iconButton } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, enumeration, fileSize, shortId } from "../common/format.mjs";
import { extensionOf, KIND_ICONS, kindOf, kindOfContent } from "../common/kinds.mjs";
import { isActive, statusWord } from "../common/status.mjs";
import { errorWords } from "../common/strings.mjs";
import { setTip } from "../common/tooltips.mjs";
import { text } from "../common/words.mjs";
import { hideUndo } from "../list/keys.mjs";
import { mediaElement, messageElement, stopMedia, textElement } from "./content.mjs";
import { viewerKey } from "./keys.mjs";
import { indexOf, isDrawn, neighbour, savedName } from "./outputs.mjs";
import * as words from "./strings.mjs";

/** @import { Row, Store, ViewRequest } from "../../../types/list" */
/** @import { HistoryApi, Media } from "../api.mjs" */
/** @import { FileKind } from "../common/kinds.mjs" */
/** @import { Output, Place } from "./outputs.mjs" */

/** Milliseconds before “Loading…” is shown. Most files arrive earlier. */
const LOADING_DELAY = 150;
let viewers = 0;

/** @param {HTMLElement} element @param {string} label @param {string} key */
function setShortcut(element, label, key) {
  element.setAttribute("aria-keyshortcuts", key);
  setTip(element, words.withKey(label, { ArrowLeft: "←", ArrowRight: "→" }[key] ?? key));
}

export class Viewer {
  #number = ++viewers;
  #title = el("h2", { id: `cch-viewer-title-${this.#number}` });
  #meta = el("p", { class: "cch-2", id: `cch-viewer-meta-${this.#number}` });
  #stage = el("div", { class: "cch-viewer-stage" });
  #live = el("div", { class: "cch-unseen", role: "status" });
  #tick = button({ label: text("viewer.select"), icon: "check", press: () => this.#toggle() });
  #save = button({ label: text("viewer.download"), icon: "down", press: () => void this.#download() });
  #previous = iconButton("left", text("viewer.previous"), () => this.#move(-1), "cch-ib cch-viewer-side");
  #next = iconButton("right", text("viewer.next"), () => this.#move(1), "cch-ib cch-viewer-side");
  #dialog = this.#build();
  /** @type {ViewRequest | null} */
  #request = null;
  /** The outputs of the jobs visited since the viewer was opened. @type {Map<string, Output[]>} */
  #known = new Map();
  #id = "";
  /** The job's place in the list when it was first shown. */
  #rowAt = 0;
  /** The index of the current output; -1 while the outputs load, or if there are none. */
  #at = -1;
  /** @type {Output[]} */
  #outputs = [];
  /** @type {Blob | null} */
  #blob = null;
  #url = "";
  #size = "";
  #abort = new AbortController();

  /**
   * @param {object} parts
   * @param {Pick<HistoryApi, "job" | "output" | "media">} parts.api
   * @param {Pick<Store, "rows" | "get" | "names" | "nameParts" | "selection" | "select" | "on">} parts.store
   * @param {(blob: Blob, name: string) => void} [parts.save]
   * @param {boolean} [parts.canSelect] whether its jobs can be selected
   */
  constructor({ api, store, save = saveFile, canSelect = true }) {
    this.api = api;
    this.store = store;
    this.save = save;
    this.#tick.hidden = !canSelect;
    /** To be called when it is no longer used. */
    this.leaveStore = store.on(["selection"], () => this.#drawTick());
  }

  #build() {
    const head = el("header", {}, el("div", {}, this.#title, this.#meta), el("div", { class: "cch-viewer-acts" }, this.#tick, this.#save), iconButton("close", text("common.close"), () => this.close()));
    const attributes = { class: "cch-viewer", role: "dialog", "aria-modal": "true", tabindex: "-1", "aria-labelledby": this.#title.id, "aria-describedby": this.#meta.id };
    const dialog = el("dialog", attributes, head, el("div", { class: "cch-viewer-body" }, this.#previous, this.#stage, this.#next), this.#live);
    setShortcut(this.#save, text("viewer.download"), "D");
    // The event is delayed, so the viewer may be open again.
    dialog.addEventListener("close", () => this.#dialog.open || this.#closed());
    for (const type of ["keyup", "keypress", "copy", "cut", "paste", "click", "dblclick", "contextmenu", "pointerdown", "wheel"]) dialog.addEventListener(type, (event) => event.stopPropagation());
    return dialog;
  }

  /** Opens the viewer inside the panel, because a focus trap around the panel would take the focus from outside it. @param {ViewRequest} request */
  open(request) {
    this.close();
    this.#request = request;
    if (request.outputs) this.#known.set(request.id, request.outputs);
    request.root.append(this.#dialog);
    this.#dialog.showModal();
    const [back, on] = this.#isRightToLeft() ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
    setShortcut(this.#previous, text("viewer.previous"), back);
    setShortcut(this.#next, text("viewer.next"), on);
    window.addEventListener("keydown", this.#key, true);
    this.#dialog.focus({ preventScroll: true });
    this.#show({ id: request.id, number: request.number ?? null });
  }

  /** Closes the viewer if it is open in this panel, or in any panel by default. @param {HTMLElement} [root] */
  close(root) {
    if (!this.#request || (root && this.#request.root !== root)) return;
    this.#dialog.close();
    this.#closed();
  }

  #closed() {
    const request = this.#request;
    if (!request) return;
    this.#request = null;
    window.removeEventListener("keydown", this.#key, true);
    this.#leave();
    this.#known.clear();
    this.#dialog.remove();
    request.closed(this.#id);
  }

  /** Cancels the requests for the current output and releases its file. */
  #leave() {
    this.#abort.abort();
    this.#abort = new AbortController();
    stopMedia(this.#stage);
    this.#stage.replaceChildren();
    if (this.#url.startsWith("blob:")) URL.revokeObjectURL(this.#url);
    this.#url = this.#size = "";
    this.#blob = null;
  }

  /** @param {Place} place */
  #show({ id, number }) {
    this.#leave();
    this.#id = id;
    this.#at = -1;
    const row = this.store.get(id);
    const known = this.#known.get(id);
    this.#outputs = known ?? [];
    this.#rowAt = Math.max(0, this.store.rows.findIndex((each) => each.id === id));
    this.#drawTick();
    if (!row) return this.#tell(words.jobGone());
    if (known) return this.#showOutput(row, indexOf(known, number, row.preview?.filename ?? ""));
    if (!row.preview && !row.outputs) return this.#showOutput(row, -1);
    this.#wait();
    void this.#learn(row, number);
  }

  /** Requests a job's outputs and, at the same time, the file that the list shows. @param {Row} row @param {Place["number"]} number */
  async #learn(row, number) {
    const { signal } = this.#abort;
    const guess = row.preview && (number === null || row.outputs === 1) ? row.preview.filename : "";
    if (guess) this.#outputs = [{ filename: guess, output_type: row.output_type }];
    this.#drawHead(row);
    const early = guess && isDrawn(kindOf(guess)) ? this.#fetchShown(guess, undefined, signal) : null;
    // It is awaited later. Without this handler, an earlier failure would be reported as unhandled.
    early?.catch(() => undefined);
    try {
      const { outputs } = await this.api.job(row.id, signal);
      if (signal.aborted) return;
      this.#known.set(row.id, outputs);
      this.#outputs = outputs;
      const at = indexOf(outputs, number, row.preview?.filename ?? "");
      this.#showOutput(row, at, outputs[at]?.filename === guess ? early : null);
    } catch (error) {
      if (!signal.aborted) this.#fail(error, () => this.#show({ id: row.id, number }));
    }
  }

  /** @param {Row} row @param {number} at -1 if the job has no outputs @param {Promise<Blob | Media> | null} [early] the file, if it was requested already */
  #showOutput(row, at, early = null) {
    this.#at = at;
    const output = this.#outputs[at];
    this.#drawHead(row);
    if (!output) return this.#tell(isActive(row.status) ? words.activeJob() : words.noOutputs(), null, clean(row.error?.message, 600));
    const kind = kindOf(output.filename);
    if (!isDrawn(kind)) return this.#tell(words.notDrawn(kind, extensionOf(output.filename)), this.#saving(), "", KIND_ICONS[kind]);
    this.#wait();
    void this.#load(row, output, kind, early);
  }

  /** @param {string} filename @param {number | undefined} number @param {AbortSignal} signal */
  #fetch = (filename, number, signal) => this.api.output(this.#id, filename, { ...(number !== undefined && { number }) }, signal);

  /** Returns a video or a sound as an address, from which the browser reads the parts that it needs. @param {string} filename @param {number | undefined} number @param {AbortSignal} signal @returns {Promise<Blob | Media>} */
  #fetchShown(filename, number, signal) {
    return ["video", "audio"].includes(kindOf(filename)) ? this.#address(filename, number, signal) : this.#fetch(filename, number, signal);
  }

  /** @param {string} filename @param {number | undefined} number @param {AbortSignal} signal */
  #address = (filename, number, signal) => this.api.media(this.#id, filename, { ...(number !== undefined && { number }) }, signal);

  /** @param {Row} row @param {Output} output @param {Exclude<FileKind, "3d" | "other">} kind @param {Promise<Blob | Media> | null} early */
  async #load(row, output, kind, early) {
    const { signal } = this.#abort;
    try {
      const file = await (early ?? this.#fetchShown(output.filename, this.#at, signal));
      if (signal.aborted) return;
      const blob = file instanceof Blob ? file : null;
      this.#blob = blob;
      this.#size = file.size === null ? "" : fileSize(file.size);
      const found = kindOfContent(file.type);
      const element = found === "text" && blob ? await textElement(blob, clean(output.filename)) : null;
      // A video or a sound with the name of a picture or a text.
      const shown = blob && (found === "video" || found === "audio") ? await this.#address(output.filename, this.#at, signal) : file;
      if (signal.aborted) return;
      this.#drawHead(row);
      if (element) this.#place(element);
      else if (found === "image" || found === "video" || found === "audio") this.#placeMedia(row, output, found, shown);
      else this.#tell(words.notItsKind(kind), this.#saving());
    } catch (error) {
      if (!signal.aborted) this.#fail(error, () => this.#showOutput(row, this.#at));
    }
  }

  /** @param {Row} row @param {Output} output @param {"image" | "video" | "audio"} kind @param {Blob | Media} file */
  #placeMedia(row, output, kind, file) {
    this.#url = file instanceof Blob ? URL.createObjectURL(file) : file.url;
    const url = this.#url;
    const size = this.#size;
    const onSize = (/** @type {number} */ width, /** @type {number} */ height) => {
      if (url !== this.#url) return;
      this.#size = enumeration([words.sizeWords(width, height), size]);
      this.#drawHead(row);
      this.#say();
    };
    const onFailure = () => {
      if (url === this.#url) void this.#explain(row, output, kind, file);
    };
    this.#place(mediaElement(kind, url, clean(output.filename), { onSize, onFailure }));
  }

  /** Says why a file can't be shown: it stopped arriving, it can't be had any more, or the browser can't show it. @param {Row} row @param {Output} output @param {FileKind} kind @param {Blob | Media} file */
  async #explain(row, output, kind, file) {
    const { signal } = this.#abort;
    const again = () => this.#showOutput(row, this.#at);
    const media = this.#stage.querySelector("video, audio");
    const brokeOff = media instanceof window.HTMLMediaElement && media.error?.code === 2; // MEDIA_ERR_NETWORK
    stopMedia(this.#stage);
    try {
      // The browser gives one reason for a type that it can't play and for an address without an answer.
      if (!(file instanceof Blob)) await this.#address(output.filename, this.#at, signal);
      if (signal.aborted) return;
      if (brokeOff) throw new HistoryApiError({ code: BROKE_OFF });
      this.#tell(words.notShown(kind), this.#saving(), "", KIND_ICONS[kind]);
    } catch (error) {
      if (!signal.aborted) this.#fail(error, again);
    }
  }

  /** @param {HTMLElement} element */
  #place(element) {
    this.#stage.setAttribute("aria-busy", "false");
    const held = this.#stage.contains(document.activeElement);
    this.#stage.replaceChildren(element);
    if (held) this.#dialog.focus({ preventScroll: true });
    this.#say();
  }

  #wait() {
    const { signal } = this.#abort;
    this.#stage.setAttribute("aria-busy", "true");
    setTimeout(() => {
      if (!signal.aborted && this.#stage.getAttribute("aria-busy") === "true") this.#stage.replaceChildren(messageElement("running", { title: text("viewer.loading"), text: "" }));
    }, LOADING_DELAY);
  }

  #saving = () => ({ label: text("viewer.download"), press: () => void this.#download() });

  /** @param {import("../common/strings.mjs").Words} told @param {{label: string, press: () => void} | null} [action] @param {string} [more] @param {import("../common/icons.mjs").IconName} [icon] */
  #tell(told, action = null, more = "", icon = "info") {
    this.#place(messageElement(icon, told, action, more));
  }

  /** @param {unknown} error @param {() => void} again */
  #fail(error, again) {
    this.#tell(errorWords(asApiError(error)), { label: text("common.try_again"), press: again }, "", "warning");
  }

  #name() {
    return clean(this.#outputs[Math.max(0, this.#at)]?.filename) || this.#jobName();
  }

  #jobName() {
    const row = this.store.get(this.#id);
    return row ? this.store.nameParts(row).join("") : shortId(this.#id);
  }

  /** @param {Row} row */
  #drawHead(row) {
    const all = Math.max(this.#outputs.length, row.outputs ?? 0);
    const name = this.#name();
    const status = row.status === "completed" ? "" : statusWord(row);
    const file = this.#outputs[Math.max(0, this.#at)]?.filename;
    // Without an output, the heading is the job's name; with the job's own output, it is a part of the name.
    const more = row.name === file ? this.store.names.of(row.workflow_id) : this.#jobName();
    const job = words.jobWords(file ? more : "", row.created, status);
    // Inside the heading, so that a name of another direction stays at the heading's start.
    this.#title.replaceChildren(el("bdi", {}, name));
    const parts = [this.#at >= 0 && words.positionWords(this.#at, all), this.#size, job].filter((part) => part);
    this.#meta.replaceChildren(...parts.map((part) => el("span", { dir: "auto" }, String(part))));
    this.#save.toggleAttribute("disabled", !this.#outputs[Math.max(0, this.#at)]);
    for (const [element, way] of /** @type {[HTMLElement, 1 | -1][]} */ ([[this.#previous, -1], [this.#next, 1]])) {
      element.setAttribute("aria-disabled", String(!this.#neighbour(way)));
    }
  }

  /** Announces the current output to screen readers. */
  #say() {
    const told = this.#stage.querySelector("h3")?.textContent ?? "";
    const meta = [...this.#meta.children].map((part) => part.textContent);
    this.#live.textContent = enumeration([this.#name(), ...meta, told]);
  }

  #drawTick() {
    const isSelected = this.store.selection.has(this.#id);
    this.#tick.classList.toggle("is-on", isSelected);
    // The words change with the state, so there is no aria-pressed, which would say it a second time.
    this.#tick.lastChild?.replaceWith(isSelected ? text("viewer.selected") : text("viewer.select"));
    setShortcut(this.#tick, isSelected ? text("viewer.deselect") : text("viewer.select"), "X");
  }

  #toggle() {
    if (this.#tick.hidden || !this.store.get(this.#id)) return;
    this.store.select((selection) => selection.toggle(this.#id));
    this.#drawTick();
    this.#live.textContent = words.selectedWords(this.store.selection.has(this.#id), this.store.selection.size);
  }

  /** @param {1 | -1} way */
  #neighbour(way) {
    // While the outputs load, only another job can come next.
    const count = Math.max(this.#outputs.length, 1);
    return neighbour({ id: this.#id, at: Math.max(this.#at, 0), count }, way, this.store.rows, this.#rowAt);
  }

  /** @param {1 | -1} way */
  #move(way) {
    const place = this.#neighbour(way);
    if (place) this.#show(place);
    else this.#live.textContent = way > 0 ? text("viewer.last_of_list") : text("viewer.first_of_list");
  }

  async #download() {
    const at = Math.max(0, this.#at);
    const output = this.#outputs[at];
    if (!output) return;
    const { signal } = this.#abort;
    const row = this.store.get(this.#id);
    try {
      if (!this.#blob) this.#live.textContent = text("viewer.downloading");
      const blob = this.#blob ?? (await this.#fetch(output.filename, this.#at < 0 ? undefined : at, signal));
      if (signal.aborted) return;
      this.#blob = blob;
      this.save(blob, savedName(output.filename));
    } catch (error) {
      if (!signal.aborted && row) this.#fail(error, () => this.#showOutput(row, this.#at));
    }
  }

  /** Handles keys in the capture phase, because ComfyUI's window around the panel would close on Escape too. @param {KeyboardEvent} event */
  #key = (event) => {
    const key = viewerKey(event);
    event.stopImmediatePropagation();
    hideUndo(event);
    if (!key) return;
    event.preventDefault();
    if (event.repeat && key !== "previous" && key !== "next") return;
    if (key === "close") this.close();
    else if (key === "select") this.#toggle();
    else if (key === "download") void this.#download();
    else if (key === "play") this.#play();
    else this.#move((key === "next") === this.#isRightToLeft() ? -1 : 1);
  };

  /** Whether the next output is at the left, as the buttons are. */
  #isRightToLeft() {
    return window.getComputedStyle(this.#dialog).direction === "rtl";
  }

  #play() {
    const media = this.#stage.querySelector("video, audio");
    if (!(media instanceof window.HTMLMediaElement)) return;
    if (media.paused) void media.play().catch(() => undefined);
    else media.pause();
  }
}
