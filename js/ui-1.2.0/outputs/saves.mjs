// @ts-check
/** Follows the runs that save outputs. The server does the work, also while no page is open. No DOM. */

import { asApiError, HistoryApiError } from "../api.mjs";
import { coalesce } from "../common/coalesce.mjs";
import { sentence, sentences } from "../common/format.mjs";
import { errorLine } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { resultWords, savingSpoken } from "./strings.mjs";

/** @import { Save } from "../../../types/wire" */
/** @import { Say } from "../../../types/list" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */
/** @import { Memory } from "../deletion/memory.mjs" */

/** @typedef {{render(): void, say: Say}} SaveView */
/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "saves" | "startSave" | "stopSave" | "continueSave" | "dismissSave" | "retrySave">} api
 * @property {Pick<Toasts, "tell">} toasts
 * @property {(run: () => void, milliseconds: number) => void} schedule
 * @property {Pick<Memory, "add" | "forget" | "saves">} memory of the runs that this browser has started
 * @property {() => void} openPanel
 * @property {() => void} onSaved files were saved, so what is known of them is outdated
 */

/** Milliseconds between two requests while a run goes on, in case an event was missed. */
export const POLL_MS = 4_000;
/** A run that this browser has started is remembered for this long after each answer. */
const REMEMBERED_SECONDS = 300;
/** After this many requests have failed, ComfyUI counts as not answering. */
const MAX_MISSES = 2;
const QUARTER = 25;

/** @param {Save} save */
export const isGoingOn = ({ state }) => state === "running" || state === "stopping";
/** @param {Save} save */
export const hasEnded = ({ state }) => state === "done" || state === "stopped";

/** How much of a run is done, in quarters. @param {Save} save */
const quarters = ({ files, files_done: done }) => (files ? Math.floor((4 * done) / files) : 0);

export class Saves {
  /** The runs as the server told last, the newest first. @type {Save[]} */
  all = [];
  /** Whether ComfyUI does not answer while a run should go on. */
  away = false;
  /** Operations for which an action of the person is under way. @type {Set<string>} */
  busy = new Set();
  #misses = 0;
  #polling = false;
  /** @type {Set<string>} dismissed in this page: an older answer may still have them */
  #dismissed = new Set();
  /** @type {SaveView[]} the newest last: it alone speaks */
  #views = [];

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** @param {SaveView} view @returns {() => void} */
  follow(view) {
    this.#views.push(view);
    void this.refresh();
    return () => {
      this.#views = this.#views.filter((other) => other !== view);
      this.#render();
    };
  }

  /** Whether a view is the one that shows the cards. @param {SaveView} view */
  isSpeaker = (view) => this.#views.at(-1) === view;

  /** Requests the runs. Calls during a request share one further request. */
  refresh = coalesce(() => this.parts.api.saves().then(({ saves }) => this.#adopt(saves), (error) => this.#missed(error)));

  /** An event says that a run has advanced. */
  progressed() {
    if (this.#views.length) void this.refresh();
  }

  /** Shows what this browser has started, after a reload of the page. */
  async resume() {
    if (this.parts.memory.saves().length) await this.refresh();
  }

  /** Starts the run of a preview. Rejects if the server refuses it. @param {string} token */
  async start(token) {
    const { save } = await this.parts.api.startSave(token);
    this.#started(save);
  }

  /** @param {Save} save */
  stop = (save) => this.#act(save, text("outputs.not_stopped"), () => this.parts.api.stopSave(save.operation));

  /** Goes on with an interrupted run. @param {Save} save */
  goOn = (save) =>
    this.#act(save, text("outputs.not_continued"), async () => {
      await this.parts.api.continueSave(save.operation);
      this.#remember(save);
    });

  /** Saves what a run that has ended did not save. @param {Save} save */
  tryAgain = (save) =>
    this.#act(save, text("outputs.not_started"), async () => {
      const { save: next } = await this.parts.api.retrySave(save.operation);
      this.#dismissed.add(save.operation);
      this.#started(next);
    });

  /** @param {Save} save */
  dismiss = (save) =>
    this.#act(save, text("outputs.not_dismissed"), async () => {
      await this.parts.api.dismissSave(save.operation);
      this.#dismissed.add(save.operation);
      this.parts.memory.forget(save.operation);
      this.#replace(this.all.filter(({ operation }) => operation !== save.operation));
    });

  /** @param {Save} save @param {string} failed @param {() => Promise<unknown>} work */
  async #act({ operation }, failed, work) {
    if (this.busy.has(operation)) return;
    this.busy.add(operation);
    this.#render();
    try {
      await work();
    } catch (error) {
      this.parts.toasts.tell("error", { title: failed, detail: errorLine(asApiError(error)) });
    } finally {
      this.busy.delete(operation);
      this.#render();
    }
    await this.refresh();
  }

  /** @param {Save} save */
  #started(save) {
    this.#remember(save);
    this.#replace([save, ...this.all.filter(({ operation }) => operation !== save.operation && !this.#dismissed.has(operation))]);
    this.#poll();
  }

  /** @param {Save} save */
  #remember = ({ operation, jobs }) => this.parts.memory.add({ operation, kind: "save", jobs }, REMEMBERED_SECONDS);

  /** @param {Save[]} saves */
  #adopt(saves) {
    const before = new Map(this.all.map((save) => [save.operation, save]));
    const mine = new Set(this.parts.memory.saves());
    [this.away, this.#misses] = [false, 0];
    // The server lists the oldest first.
    this.#replace(saves.filter(({ operation }) => !this.#dismissed.has(operation)).reverse());
    for (const save of this.all) {
      const known = before.get(save.operation);
      const isMine = mine.has(save.operation);
      if (isGoingOn(save) && isMine) this.#remember(save);
      if (known && isGoingOn(save) && quarters(save) > quarters(known)) this.#say(savingSpoken(quarters(save) * QUARTER));
      if (hasEnded(save) && (known ? !hasEnded(known) : isMine)) this.#ended(save, isMine);
      if (save.state === "interrupted" && known && isGoingOn(known)) this.#say(text("outputs.interrupted"), true);
    }
    this.#poll();
  }

  /** @param {Save} save @param {boolean} isMine */
  #ended(save, isMine) {
    this.parts.memory.forget(save.operation);
    const { title, text: detail } = resultWords(save);
    const isGood = save.state === "done" && !save.failed.length && !save.error;
    this.#say(detail ? sentences([sentence(title), detail]) : title, !isGood);
    if (isMine && !this.#views.length) this.parts.toasts.tell(isGood ? "success" : "warning", { title, ...(detail && { detail }), action: { label: text("outputs.show"), press: this.parts.openPanel, elsewhere: text("outputs.in_panel_show") } });
    this.parts.onSaved();
  }

  /** @param {unknown} error */
  #missed(error) {
    if (!(error instanceof HistoryApiError)) throw error;
    this.#misses += 1;
    if (this.#misses === MAX_MISSES && this.all.some(isGoingOn)) {
      this.away = true;
      this.#say(sentences([sentence(text("outputs.away")), text("outputs.away_text")]), true);
      this.#render();
    }
    this.#poll();
  }

  /** Asks again later while a run goes on and somebody wants to know its end. */
  #poll() {
    if (this.#polling || !this.all.some(isGoingOn)) return;
    this.#polling = true;
    this.parts.schedule(() => {
      this.#polling = false;
      if (this.#views.length || this.parts.memory.saves().length) void this.refresh();
    }, POLL_MS);
  }

  /** @param {Save[]} saves */
  #replace(saves) {
    this.all = saves;
    this.#render();
  }

  #render() {
    for (const view of this.#views) view.render();
  }

  /** @param {string} said @param {boolean} [urgent] */
  #say(said, urgent = false) {
    this.#views.at(-1)?.say(said, urgent);
  }
}
