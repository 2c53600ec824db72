// @ts-check
/** A job's details, over or beside the list. Shows the row's data at once, and the rest when it has loaded. */

import { asApiError, HistoryApiError } from "../api.mjs";
import { copyText } from "../common/browser.mjs";
import { button, hint, iconButton, linkButton, nameElement } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { isActive } from "../common/status.mjs";
import { errorWords } from "../common/strings.mjs";
import { setTip } from "../common/tooltips.mjs";
import { text } from "../common/words.mjs";
import { selectionActs } from "../list/strings.mjs";
import { savedPart } from "../outputs/files.mjs";
import { errorBox, facts, outputsPart, protectionButton, protectionPart } from "./parts.mjs";
import { jobGone, notListed } from "./strings.mjs";

/** @import { PageParts } from "../../../types/list" */
/** @import { JobDetails, Row, SavedOutputs } from "../../../types/wire" */

/** Our code for a job that the list no longer has. */
const NOT_LISTED = "not_listed";
/** What is said about a job without details, by the code of the error. @type {Record<string, (() => import("../common/strings.mjs").Words) | undefined>} */
const GONE = { not_found: jobGone, [NOT_LISTED]: notListed };

/** @param {HTMLElement} element @param {string} why a tooltip; "" if the button works */
function disable(element, why) {
  if (!why) return;
  element.setAttribute("aria-disabled", "true");
  setTip(element, why);
}

export class Details {
  #title = el("h2", { class: "cch-title", tabindex: "-1" });
  #head = el("header", { class: "cch-head back" });
  #scroll = el("div", { class: "cch-scroll" });
  #tail = el("div", { class: "cch-tail" });
  element = el("section", { class: "cch-details" }, this.#head, this.#scroll, this.#tail);
  /** @type {Row | null} */
  #row = null;
  /** @type {JobDetails | null} */
  #details = null;
  /** @type {HistoryApiError | null} */
  #error = null;
  /** @type {AbortController | null} */
  #request = null;
  #protection = el("div", { class: "cch-stack" });
  /** What is saved of the job's outputs; null: nothing, or it is not known. @type {SavedOutputs | null} */
  #savedOutputs = null;
  #saved = el("div", { class: "cch-stack cch-savedpart" });
  #pane = false;
  #outOfView = el("p", { class: "cch-hint cch-out", hidden: true }, el("span", {}, text("list.scrolled_out"), " ", linkButton(text("list.show_in_list"), () => this.#row && this.parts.reveal(this.#row.id))));
  /** @type {(() => void)[]} */
  #leave;
  /** @type {(() => void)[]} functions that release the pictures on screen */
  #releases = [];

  /** @param {PageParts} parts */
  constructor(parts) {
    this.parts = parts;
    const { store } = parts;
    this.#leave = [
      store.protection.subscribe(() => this.#drawProtection()),
      // Beside the list, the buttons depend on the selection.
      store.on(["selection"], () => this.#pane && this.#drawProtection()),
      store.on(["rows"], () => this.#noticeRemoval()),
      store.on(["saved"], () => this.#row && void this.#learnSaved(this.#row)),
      store.names.subscribe(() => this.#row && this.#drawHead(this.#row)),
    ];
  }

  /** @param {Row} row @param {{pane: boolean}} options `pane`: beside the list, not over it */
  show(row, { pane }) {
    const same = this.#row?.id === row.id;
    const fresh = same && this.#row?.status === row.status && (this.#details ?? this.#request ?? this.#error);
    this.#row = row;
    this.#pane = pane;
    this.#drawHead(row);
    if (fresh) return;
    if (!same) this.#details = this.#savedOutputs = null;
    void this.#load(row);
    this.#draw();
    if (!pane) this.#head.querySelector("button")?.focus({ preventScroll: true });
  }

  close() {
    this.#request?.abort();
    this.#request = this.#row = this.#details = this.#error = this.#savedOutputs = null;
    this.#release();
    this.#scroll.replaceChildren();
    this.#tail.replaceChildren();
  }

  /** @param {boolean} inView whether the list beside the details shows the row */
  setInView(inView) {
    this.#outOfView.hidden = inView;
  }

  destroy() {
    for (const leave of this.#leave) leave();
    this.close();
    this.element.remove();
  }

  /** @param {Row} row */
  async #load(row) {
    this.#request?.abort();
    const request = (this.#request = new AbortController());
    this.#error = null;
    void this.#learnSaved(row);
    const [details, error] = await this.parts.api.job(row.id, request.signal).then((got) => [got, null], (failure) => [null, failure]);
    if (request.signal.aborted) return;
    this.#request = null;
    this.#details = details ?? this.#details;
    this.#error = error && asApiError(error);
    this.#learnName(row);
    this.#draw();
  }

  /** Reads which outputs are saved. If that fails, nothing is said of it. @param {Row} row */
  async #learnSaved(row) {
    const saved = await this.parts.api.savedOutputs(row.id).catch((error) => void asApiError(error));
    if (this.#row?.id !== row.id) return;
    this.#savedOutputs = saved ?? null;
    this.#drawSaved();
  }

  #drawSaved() {
    const row = this.#row;
    if (!row) return;
    const job = this.#details?.job ?? row;
    const parts = savedPart(job, this.#savedOutputs, () => this.parts.actions.save({ ids: [job.id] }), (folder) => void this.#copy(folder, text("outputs.saved_folder_copied")));
    this.#saved.replaceChildren(...parts);
    this.#saved.hidden = !parts.length;
  }

  /** Says that the job is gone if the list, which is complete, no longer has it. */
  #noticeRemoval() {
    const { store } = this.parts;
    const listed = !store.loading && !store.incomplete && store.readAt !== null;
    if (!this.#row || this.#pane || this.#error?.code === NOT_LISTED || !listed || store.get(this.#row.id)) return;
    this.#request?.abort();
    this.#request = null;
    this.#error = new HistoryApiError({ code: NOT_LISTED });
    this.#draw();
  }

  /** Remembers the workflow's name, which only a job's details contain. @param {Row} row */
  #learnName({ workflow_id: id }) {
    const name = /** @type {{name?: unknown} | null | undefined} */ (this.#details?.workflow)?.name;
    if (typeof name === "string") this.parts.store.names.learn([[id, name]]);
  }

  #release() {
    for (const leave of this.#releases) leave();
    this.#releases = [];
  }

  /** @param {Row} row */
  #drawHead(row) {
    const pane = this.#pane;
    this.#title.replaceChildren(nameElement(this.parts.store.nameParts(row)));
    this.#head.className = pane ? "cch-sidehead" : "cch-head back";
    const { back, close } = this.parts;
    const children = pane ? [this.#title, this.#outOfView] : [iconButton("left", text("list.back"), back), this.#title, iconButton("close", text("common.close"), close)];
    if (this.#head.children.length !== children.length) this.#head.replaceChildren(...children);
  }

  #draw() {
    const row = this.#row;
    if (!row) return;
    this.#release();
    const { thumbnails, store } = this.parts;
    const job = this.#details?.job ?? row;
    const picture = (/** @type {string} */ file, /** @type {HTMLImageElement} */ image, /** @type {number | undefined} */ number) => {
      thumbnails.request(row.id, file, image, number);
      this.#releases.push(() => thumbnails.release(image));
    };
    const error = this.#details?.error ?? row.error;
    const waiting = !this.#details && !this.#error;
    this.#scroll.setAttribute("aria-busy", String(waiting));
    const body = [
      error && errorBox(error, (whole) => this.#copy(whole, text("details.error_copied"))),
      ...outputsPart(job, this.#details?.outputs ?? null, picture, (number) => this.#view(row.id, number)),
      this.#saved,
      this.#protection,
      this.#errorCard(),
      facts(job, store.now(), (id) => this.#copy(id, text("details.id_copied"))),
      isActive(job.status) && hint("info", text("details.active_stay")),
      this.#details && !this.#details.workflow && hint("flow", text("details.no_workflow")),
    ];
    this.#scroll.replaceChildren(...body.filter((child) => child instanceof window.Node));
    this.#drawSaved();
    this.#drawProtection();
  }

  /** Opens the viewer, which returns the focus to the picture even if it was redrawn meanwhile. @param {string} id @param {number} [number] */
  #view(id, number) {
    const root = /** @type {HTMLElement | null} */ (this.element.closest(".cch-panel"));
    if (!root) return;
    const from = document.activeElement;
    const closed = () => {
      const there = from instanceof HTMLElement && from.isConnected ? from : this.#scroll.querySelector(".cch-view");
      if (there instanceof HTMLElement) there.focus({ preventScroll: true });
      else this.#title.focus({ preventScroll: true });
    };
    this.parts.actions.view({ id, root, closed, ...(number !== undefined && this.#details && { number, outputs: this.#details.outputs }) });
  }

  /** Redraws everything that depends on the job's protection. */
  #drawProtection() {
    const row = this.#row;
    if (!row) return;
    const job = this.#details?.job ?? row;
    const parts = protectionPart(job, this.parts.store.protection, this.parts.actions.protectWorkflow);
    this.#protection.replaceChildren(...parts);
    this.#protection.hidden = !parts.length;
    this.#drawTail(job, !this.#details && !this.#error);
  }

  /** A card that says why details are missing; null without an error. */
  #errorCard() {
    if (!this.#error || !this.#row) return null;
    const row = this.#row;
    const gone = GONE[this.#error.code];
    const left = this.#error.code === NOT_LISTED;
    const { title, text: told } = gone ? gone() : errorWords(this.#error);
    const press = () => {
      if (left) return void this.parts.back();
      if (gone) return void this.parts.store.refresh();
      void this.#load(row);
      this.#draw();
    };
    const body = el("div", { class: "cch-grow", dir: "auto" }, el("div", { class: "ttl" }, title), el("div", { class: "cch-2" }, told));
    const retry = button({ label: left ? text("list.back") : gone ? text("list.refresh") : text("common.try_again"), press });
    return el("div", { class: "cch-card", role: "status" }, el("div", { class: "hd" }, icon("warning", "i-warn"), body, retry));
  }

  /** @param {Row} job @param {boolean} waiting */
  #drawTail(job, waiting) {
    const { workflows, store, actions, close, back } = this.parts;
    const known = this.#details ?? undefined;
    const active = isActive(job.status);
    const { size } = store.selection;
    const elsewhere = this.#pane && size ? selectionActs(size) : "";
    const why = elsewhere || store.blocked();
    const open = button({ label: text("list.open_workflow"), icon: "flow", press: () => void workflows.open(job.id, known).then((opened) => opened && this.element.closest("[role=dialog]") && close()) });
    const download = iconButton("down", text("list.download_workflow"), () => void workflows.download(job.id, known), "cch-ib field");
    const gone = button({ label: text("list.delete"), icon: "trash", kind: "danger-quiet", press: () => why || actions.remove({ ids: [job.id] }, this.#pane ? undefined : back) });
    disable(gone, why);
    const left = active && store.canCancel() && button({ label: text("list.cancel_ask"), icon: "stop", press: () => elsewhere || actions.cancel([job]) });
    if (left) disable(left, elsewhere);
    const has = waiting || Boolean(known?.workflow);
    const there = !GONE[this.#error?.code ?? ""];
    const isProtected = store.protection.covers(job);
    const protectionPress = there && protectionButton(isProtected, () => elsewhere || actions.protect([job], !isProtected));
    if (protectionPress) disable(protectionPress, elsewhere);
    const right = el("span", { class: "cch-right" }, protectionPress, there && !isProtected && !active && job.status !== "unknown" && gone);
    const reason = elsewhere && (there || left) && hint("info", elsewhere);
    const parts = active ? [reason, left, right] : [reason, has && open, has && download, right.firstChild && right];
    for (const each of waiting ? [open, download] : []) each.setAttribute("aria-disabled", "true");
    const focused = this.#tail.contains(document.activeElement) && document.activeElement;
    const again = focused && focused.hasAttribute("data-guard") ? "[data-guard]" : "button";
    this.#tail.replaceChildren(...parts.filter((child) => child instanceof window.Node));
    this.#tail.hidden = !this.#tail.firstChild;
    if (focused) /** @type {HTMLElement | null} */ (this.#tail.querySelector(again))?.focus();
  }

  /** @param {string} copied @param {string} success */
  async #copy(copied, success) {
    const done = await copyText(copied);
    this.parts.toasts.tell(done ? "success" : "warning", { title: done ? success : text("common.not_copied"), life: 4_000 });
  }
}
