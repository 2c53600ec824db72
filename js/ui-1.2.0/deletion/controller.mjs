// @ts-check
/** Deletions from the confirmation to the result: held, sent, looked at, told. The server's word decides at every step. */

import { asApiError } from "../api.mjs";
import { crashWords, errorLine, lostHold } from "../common/strings.mjs";
import { advance, createGone, follow, goneOf, isAboutToGo, isOpen, POLL_MS, markOf, named, seenIn, shownPhase, update } from "./entries.mjs";
import { resultWords } from "./result_strings.mjs";
import * as words from "./strings.mjs";
import { askAgain, start } from "./submit.mjs";
import { createDeletionToasts, quarters } from "./toasts.mjs";

/** @import { DeletionState, DeletionView, Entry } from "../../../types/deletion" */
/** @import { DeletionAnswer, LostHold, Progress, Result, Row, Status } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Words } from "../common/strings.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */
/** @import { Confirmation, DeletionRequest } from "./confirm.mjs" */

/**
 * Does it now; asked for while it is done, it is done once more afterwards, so that nothing that has changed meanwhile is missed.
 * @param {() => Promise<unknown>} work
 * @returns {() => Promise<unknown>} settles when what was asked for has been done
 */
function coalesce(work) {
  /** @type {Promise<unknown> | null} */
  let running = null;
  /** @type {Promise<unknown> | null} */
  let next = null;

  function run() {
    running = work().finally(() => (running = null));
    return running;
  }
  return () => {
    if (!running) return run();
    next ??= running.then(() => undefined, () => undefined).then(() => {
      next = null;
      return run();
    });
    return next;
  };
}

/** Looks that ComfyUI leaves unanswered before a deletion is given up: two minutes. */
const MAX_SILENCES = 30;
const LAST_SECONDS = 5;

/** The seconds of a hold, and looking now and then at what a deletion has come to in case an event was missed. */
class Clock {
  #isRunning = false;

  /** @param {Deletions} flow */
  constructor(flow) {
    this.flow = flow;
  }

  /** Goes on as long as something is open, on the seconds of the newest hold. */
  run() {
    const { flow } = this;
    const { now, schedule } = flow.parts;
    const open = flow.entries.find(isOpen);
    if (this.#isRunning || !open) return;
    this.#isRunning = true;
    const rest = open.phase === "holding" ? (open.deadline - now()) % 1000 : 0;
    schedule(() => {
      this.#isRunning = false;
      for (const entry of flow.entries) if (isOpen(entry) && !entry.answering) this.#tick(entry);
      flow.render();
      this.run();
    }, rest > 0 ? rest : 1000);
  }

  /** @param {Entry} entry */
  #tick(entry) {
    const { flow } = this;
    const seconds = flow.secondsLeft(entry);
    if (entry.waitsUntil && !flow.secondsToWait(entry)) {
      entry.waitsUntil = 0;
      flow.tell.progress(entry);
    }
    if (entry.phase !== "holding") return void this.#poll(entry);
    if (seconds === 0) {
      advance(entry, "sending");
      entry.nextPoll = flow.parts.now() + POLL_MS;
      flow.tell.progress(entry);
      flow.change();
    } else if (!entry.warned && seconds <= LAST_SECONDS) {
      entry.warned = true;
      flow.tell.hold(entry, seconds, false);
      flow.say(words.HOLD.soon);
    }
  }

  /** @param {Entry} entry */
  async #poll(entry) {
    const { api, now } = this.flow.parts;
    if (now() < entry.nextPoll) return;
    entry.nextPoll = now() + POLL_MS;
    const status = await api.status().catch(() => null);
    entry.silences = status ? 0 : entry.silences + 1;
    if (status) this.flow.adopt(status);
    else if (entry.silences >= MAX_SILENCES && isOpen(entry)) this.flow.giveUp(entry, words.LOST);
  }
}

/** What the server answers when there is nothing left to stop. */
const ENDED = "invalid_request";

/** Looks that find no trace of a deletion before it is given up. */
const MAX_MISSES = 3;
/** Milliseconds for which a full success is shown. */
const SUCCESS_SHOWN = 10_000;

/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "progress" | "submit" | "undo" | "stop">} api
 * @property {Pick<Confirmation, "ask" | "after" | "tellBusy">} confirmation
 * @property {Pick<Toasts, "tell" | "canAct" | "create">} toasts
 * @property {() => number} now milliseconds of a clock that never goes back
 * @property {(run: () => void, milliseconds: number) => void} schedule
 * @property {() => void} openPanel
 * @property {(run: () => void) => void} whenSeen calls back as soon as the person sees the page
 * @property {() => void} onResult a result came without its event: the list is old
 */

export class Deletions {
  /** @type {Entry[]} the newest first; read only from outside */
  entries = [];
  /** @type {LostHold[]} */
  #lost = [];
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {Set<DeletionView>} */
  #views = new Set();
  /** @type {Set<string>} holds that are no more: a status that was asked for before may still name them */
  #over = new Set();
  #clock;
  #gone;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.tell = createDeletionToasts(this);
    this.#gone = createGone(parts.now);
    this.reading = this.#gone.reading;
    this.#clock = new Clock(this);
  }

  /* What is shown */

  /** Calls back when other rows are hidden, or marks or lost holds have changed. @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param {DeletionView} view @returns {() => void} */
  follow(view) {
    this.#views.add(view);
    return () => void this.#views.delete(view);
  }

  /** @returns {DeletionState} */
  state() {
    const of = (/** @type {string[]} */ phases) => this.entries.filter((entry) => phases.includes(entry.phase));
    return { holding: of(["holding"]), running: of(["waiting", "sending", "checking"]), results: of(["done"]), lost: this.#lost };
  }

  /** @param {Entry} entry whole seconds until it is sent */
  secondsLeft = (entry) => Math.max(0, Math.ceil((entry.deadline - this.parts.now()) / 1000));
  /** @param {Entry} entry whole seconds for which Comfy Cloud still asks to wait */
  secondsToWait = (entry) => Math.max(0, Math.ceil((entry.waitsUntil - this.parts.now()) / 1000));

  /** @param {Row} row */
  hides = (row) => this.#gone.has(row.id) || isAboutToGo(this.entries, row);

  /** @param {string} id */
  markOf = (id) => markOf(this.entries, id);

  /** Whether an operation is shown here. @param {string | null} operation */
  follows = (operation) => Boolean(named(this.entries, operation));

  /* What the person does */

  /** Whether there was something to undo. @param {Entry} [entry] the newest hold if absent */
  undo = (entry = this.state().holding[0]) => {
    if (!entry?.hold || entry.undoing) return false;
    void this.#undo(entry, entry.hold);
    return true;
  };

  /** Sends no more; its result says how far it came. Only what was held can be stopped. @param {Entry} entry */
  async stop(entry) {
    if (!entry.hold || entry.stopping) return;
    entry.stopping = true;
    this.render();
    try {
      await this.parts.api.stop(entry.hold);
    } catch (error) {
      entry.stopping = false;
      const refused = asApiError(error);
      if (refused.code !== ENDED) this.parts.toasts.tell("error", { title: words.NOT_STOPPED, detail: errorLine(refused) });
      this.render();
      void this.refresh();
    }
  }

  /** With a new look, at what may still go. @param {Entry} entry one with a result: it goes when the new one is confirmed */
  tryAgain(entry) {
    /** @type {DeletionRequest["selection"]} */
    const selection = entry.kind === "clear" ? { clear: true } : { ids: entry.words?.again ?? [], account: entry.account };
    return start(this, selection, () => this.drop(entry));
  }

  /* What the server says */

  /** An event says that a deletion has come further: asks how far. */
  readProgress = coalesce(() =>
    this.parts.api.progress().then(({ operations }) => operations.forEach((each) => this.progressed(each)), () => undefined),
  );

  /** @param {Progress} detail */
  progressed(detail) {
    const entry = named(this.entries, detail.operation);
    if (!entry) return void (detail.hold && this.refresh());
    if (!isOpen(entry)) return;
    const before = { phase: shownPhase(entry), quarter: quarters(entry), wait: this.secondsToWait(entry) };
    follow(entry, detail, this.parts.now());
    const [quarter, wait] = [quarters(entry), this.secondsToWait(entry)];
    if (shownPhase(entry) !== before.phase || quarter !== before.quarter || wait > before.wait) this.tell.progress(entry);
    if (wait && !before.wait) this.say(words.asksToWait(wait));
    if (entry.sent && quarter > before.quarter && quarter < 4) this.say(words.progressSpoken(quarter * 25));
    this.render();
  }

  /** Asks the server what is held, what was undone and what has ended. */
  refresh = coalesce(() => this.parts.api.status().then(this.adopt, () => undefined));

  /** @param {Status} status */
  adopt = (status) => {
    this.#lost = status.lost_holds ?? [];
    for (const hold of status.holds ?? []) {
      const entry = named(this.entries, hold.id);
      if (entry && hold.state === "undone") this.#undone(entry);
      else if (entry && isOpen(entry)) update(entry, hold, this.parts.now());
      else if (!entry && !this.#over.has(hold.id) && hold.state !== "undone" && hold.state !== "done") update(this.add(hold, false), hold, this.parts.now());
    }
    for (const operation of status.undone ?? []) this.#undone(named(this.entries, operation));
    for (const entry of this.entries) if (isOpen(entry) && !entry.answering) this.#settle(entry, status);
    this.change();
  };

  /* From the confirmation to the answer: see submit.mjs */

  /** @param {Entry} entry @param {DeletionAnswer} answer */
  begun(entry, answer) {
    entry.answering = false;
    entry.nextPoll = this.parts.now() + POLL_MS;
    if (!("hold" in answer)) {
      advance(entry, "sending");
      if (answer.state !== "done") return this.change();
      this.#finish(entry, answer.result);
      return this.parts.onResult();
    }
    update(entry, answer.hold, this.parts.now());
    this.change();
    this.#held(entry);
  }

  /** @param {Entry} entry */
  #held(entry) {
    if (entry.phase !== "holding") return;
    this.tell.hold(entry, this.secondsLeft(entry), true);
    this.say(words.holdSpoken(entry.jobs, this.secondsLeft(entry)));
    for (const view of this.#views) view.held(entry);
    // Where toasts have no buttons the panel is the only place to undo.
    if (!this.#views.size && !this.parts.toasts.canAct()) this.parts.openPanel();
  }

  /** @param {Entry} entry @param {string} hold */
  async #undo(entry, hold) {
    entry.undoing = true;
    this.render();
    try {
      await this.parts.api.undo(hold);
      this.#undone(entry);
    } catch (error) {
      entry.undoing = false;
      const refused = asApiError(error);
      const late = refused.code === "too_late";
      const { title, text } = late ? words.HOLD.tooLate : { title: words.HOLD.notUndone, text: errorLine(refused) };
      if (late) advance(entry, "sending");
      entry.toast.show("error", { title, detail: text });
      this.say(title, true);
      this.change();
      void this.refresh();
    }
  }

  /* What came of it */

  /** @param {Entry} [entry] */
  #undone(entry) {
    if (!entry || !this.entries.includes(entry)) return;
    if (entry.hold) this.#over.add(entry.hold);
    this.drop(entry);
    const message = { title: words.NOT_DELETED, detail: words.backInList(entry.jobs) };
    if (entry.mine) entry.toast.show("info", message);
    this.say(`${message.title}. ${message.detail}`);
  }

  /** @param {Entry} entry @param {Status} status */
  #settle(entry, status) {
    const seen = seenIn(entry, status);
    if (seen === "open") entry.misses = 0;
    else if (seen === "missing") this.#missed(entry);
    else if ("result" in seen) {
      this.#finish(entry, seen.result);
      this.parts.onResult();
    } else if ("crashed" in seen) this.giveUp(entry, crashWords(seen.crashed));
    else this.giveUp(entry, lostHold(entry.jobs));
  }

  /** @param {Entry} entry */
  #missed(entry) {
    if (entry.phase === "holding" && this.secondsLeft(entry) > 0) return;
    entry.misses += 1;
    if (entry.misses >= MAX_MISSES) this.giveUp(entry, words.LOST);
  }

  /** @param {Entry} entry @param {Words} told */
  giveUp(entry, { title, text }) {
    this.drop(entry);
    entry.toast.show("warning", { title, detail: text });
    this.say(`${title}. ${text}`, true);
  }

  /** @param {Entry} entry @param {Result} result */
  #finish(entry, result) {
    if (!isOpen(entry)) return;
    const told = resultWords(result, entry);
    Object.assign(entry, { phase: "done", result, words: told });
    this.#gone.add(goneOf(entry));
    const success = told.kind === "success";
    if (success) this.parts.schedule(() => this.drop(entry), SUCCESS_SHOWN);
    this.say(`${told.title}. ${told.toast}`, !success);
    if (entry.mine && result.error?.code === "count_rose") this.parts.whenSeen(() => void askAgain(this, entry));
    else if (entry.mine || !success) this.tell.result(entry, told);
    this.change();
  }

  /* The entries */

  /** @param {{kind: string, jobs?: number}} about @param {boolean} mine @returns {Entry} */
  add({ kind, jobs = 0 }, mine) {
    /** @type {Entry} */
    const entry = {
      kind: kind === "clear" ? "clear" : "delete", jobs, mine, toast: this.parts.toasts.create(), ids: new Set(), account: "",
      hold: null, operation: null, phase: "submitting", deadline: 0, waitsUntil: 0, done: 0, total: jobs, result: null, words: null,
      undoing: false, answering: mine, sent: false, backingUp: false, stopping: false, warned: false, nextPoll: 0, misses: 0, silences: 0,
    };
    this.entries.unshift(entry);
    this.#clock.run();
    return entry;
  }

  /** @param {Entry} entry */
  drop(entry) {
    if (!this.entries.includes(entry)) return;
    this.entries = this.entries.filter((other) => other !== entry);
    this.change();
  }

  change() {
    for (const listener of this.#listeners) listener();
    this.render();
  }

  render() {
    for (const view of this.#views) view.render();
  }

  /** @param {string} text @param {boolean} [urgent] */
  say(text, urgent = false) {
    for (const view of this.#views) view.say(text, urgent);
  }
}
