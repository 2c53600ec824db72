// @ts-check
/** Follows deletions from the confirmation to the result: hold, sending, checking, result. The server decides each step. */

import { asApiError } from "../api.mjs";
import { crashWords, errorLine, lostHold } from "../common/strings.mjs";
import { advance, createRemovedJobs, follow, goneOf, isAboutToGo, isOpen, POLL_MS, markOf, findEntry, stateIn, shownPhase, update } from "./entries.mjs";
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
 * Returns a function that runs `work`. All calls during a run share one further run, so that no change is missed.
 * @param {() => Promise<unknown>} work
 * @returns {() => Promise<unknown>}
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

/** After this many unanswered status requests (two minutes), the outcome of a deletion counts as unknown. */
const MAX_FAILED_POLLS = 30;
const LAST_SECONDS = 5;

/** Counts down holds, and requests the status of deletions at intervals in case an event was missed. */
class Clock {
  #isRunning = false;

  /** @param {Deletions} flow */
  constructor(flow) {
    this.flow = flow;
  }

  /** Ticks while a deletion is open, in step with the seconds of the newest hold. */
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
      flow.notify.progress(entry);
    }
    if (entry.phase !== "holding") return void this.#poll(entry);
    if (seconds === 0) {
      advance(entry, "sending");
      entry.nextPoll = flow.parts.now() + POLL_MS;
      flow.notify.progress(entry);
      flow.change();
    } else if (!entry.warned && seconds <= LAST_SECONDS) {
      entry.warned = true;
      flow.notify.hold(entry, seconds, false);
      flow.say(words.HOLD.soon);
    }
  }

  /** @param {Entry} entry */
  async #poll(entry) {
    const { api, now } = this.flow.parts;
    if (now() < entry.nextPoll) return;
    entry.nextPoll = now() + POLL_MS;
    const status = await api.status().catch(() => null);
    entry.failedPolls = status ? 0 : entry.failedPolls + 1;
    if (status) this.flow.adopt(status);
    else if (entry.failedPolls >= MAX_FAILED_POLLS && isOpen(entry)) this.flow.giveUp(entry, words.LOST);
  }
}

/** The server's error code when there is nothing left to stop. */
const ENDED = "invalid_request";

/** After this many statuses without a trace of a deletion, its outcome counts as unknown. */
const MAX_MISSES = 3;
const SUCCESS_SHOWN_MS = 10_000;

/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "progress" | "submit" | "undo" | "stop">} api
 * @property {Pick<Confirmation, "ask" | "after" | "tellBusy">} confirmation
 * @property {Pick<Toasts, "tell" | "canAct" | "create">} toasts
 * @property {() => number} now milliseconds of a monotonic clock
 * @property {(run: () => void, milliseconds: number) => void} schedule
 * @property {() => void} openPanel
 * @property {(run: () => void) => void} whenVisible calls back as soon as the page is visible
 * @property {() => void} onResult a result came without an event, so the list must be read again
 */

export class Deletions {
  /** @type {Entry[]} the newest first; only this class changes it */
  entries = [];
  /** @type {LostHold[]} */
  #lost = [];
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {Set<(ids: string[]) => void>} */
  #undoneListeners = new Set();
  /** @type {Set<DeletionView>} */
  #views = new Set();
  /** @type {Set<string>} ids of undone holds: an older status may still contain them */
  #undoneHolds = new Set();
  #clock;
  #removed;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.notify = createDeletionToasts(this);
    this.#removed = createRemovedJobs(parts.now);
    this.reading = this.#removed.reading;
    this.#clock = new Clock(this);
  }

  /** Calls back when hidden rows, marks or lost holds may have changed. @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls back with the ids of jobs whose deletion was undone. @param {(ids: string[]) => void} listener */
  onUndone(listener) {
    this.#undoneListeners.add(listener);
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

  /** Whole seconds until the deletion is sent. @param {Entry} entry */
  secondsLeft = (entry) => Math.max(0, Math.ceil((entry.deadline - this.parts.now()) / 1000));
  /** Whole seconds for which Comfy Cloud still asks to wait. @param {Entry} entry */
  secondsToWait = (entry) => Math.max(0, Math.ceil((entry.waitsUntil - this.parts.now()) / 1000));

  /** @param {Row} row */
  hides = (row) => this.#removed.has(row.id) || isAboutToGo(this.entries, row);

  /** @param {string} id */
  markOf = (id) => markOf(this.entries, id);

  /** Whether an operation is shown here. @param {string | null} operation */
  follows = (operation) => Boolean(findEntry(this.entries, operation));

  /* Actions of the person */

  /** Undoes a hold. Returns false if there is none. @param {Entry} [entry] default: the newest hold */
  undo = (entry = this.state().holding[0]) => {
    if (!entry?.hold || entry.undoing) return false;
    void this.#undo(entry, entry.hold);
    return true;
  };

  /** Stops sending. The result says which jobs were sent. Only a deletion that had a hold can be stopped. @param {Entry} entry */
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

  /** Previews and confirms the remaining jobs again. @param {Entry} entry dropped once the new deletion is confirmed */
  tryAgain(entry) {
    /** @type {DeletionRequest["selection"]} */
    const selection = entry.kind === "clear" ? { clear: true } : { ids: entry.words?.again ?? [], account: entry.account };
    return start(this, selection, () => this.drop(entry));
  }

  /* Answers and events of the server */

  readProgress = coalesce(() =>
    this.parts.api.progress().then(({ operations }) => operations.forEach((each) => this.applyProgress(each)), () => undefined),
  );

  /** @param {Progress} detail */
  applyProgress(detail) {
    const entry = findEntry(this.entries, detail.operation);
    if (!entry) return void (detail.hold && this.refresh());
    if (!isOpen(entry)) return;
    const before = { phase: shownPhase(entry), quarter: quarters(entry), wait: this.secondsToWait(entry) };
    follow(entry, detail, this.parts.now());
    const [quarter, wait] = [quarters(entry), this.secondsToWait(entry)];
    if (shownPhase(entry) !== before.phase || quarter !== before.quarter || wait > before.wait) this.notify.progress(entry);
    if (wait && !before.wait) this.say(words.asksToWait(wait));
    if (entry.sent && quarter > before.quarter && quarter < 4) this.say(words.progressSpoken(quarter * 25));
    this.render();
  }

  refresh = coalesce(() => this.parts.api.status().then(this.adopt, () => undefined));

  /** @param {Status} status */
  adopt = (status) => {
    this.#lost = status.lost_holds ?? [];
    for (const hold of status.holds ?? []) {
      const entry = findEntry(this.entries, hold.id);
      if (entry && hold.state === "undone") this.#undone(entry);
      else if (entry && isOpen(entry)) update(entry, hold, this.parts.now());
      else if (!entry && !this.#undoneHolds.has(hold.id) && hold.state !== "undone" && hold.state !== "done") update(this.add(hold, false), hold, this.parts.now());
    }
    for (const operation of status.undone ?? []) this.#undone(findEntry(this.entries, operation));
    for (const entry of this.entries) if (isOpen(entry) && !entry.answering) this.#applyStatus(entry, status);
    this.change();
  };

  /* From the confirmation to the answer: see submit.mjs */

  /** @param {Entry} entry @param {DeletionAnswer} answer */
  handleAnswer(entry, answer) {
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
    this.notify.hold(entry, this.secondsLeft(entry), true);
    this.say(words.holdSpoken(entry.jobs, this.secondsLeft(entry)));
    for (const view of this.#views) view.held(entry);
    // Without buttons in toasts, only the panel can undo.
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

  /** @param {Entry} [entry] */
  #undone(entry) {
    if (!entry || !this.entries.includes(entry)) return;
    if (entry.hold) this.#undoneHolds.add(entry.hold);
    this.drop(entry);
    for (const listener of this.#undoneListeners) listener([...entry.ids]);
    const message = { title: words.NOT_DELETED, detail: words.backInList(entry.jobs) };
    if (entry.mine) entry.toast.show("info", message);
    this.say(`${message.title}. ${message.detail}`);
  }

  /** @param {Entry} entry @param {Status} status */
  #applyStatus(entry, status) {
    const state = stateIn(entry, status);
    if (state === "open") entry.misses = 0;
    else if (state === "missing") this.#missed(entry);
    else if ("result" in state) {
      this.#finish(entry, state.result);
      this.parts.onResult();
    } else if ("crashed" in state) this.giveUp(entry, crashWords(state.crashed));
    else this.giveUp(entry, lostHold(entry.jobs));
  }

  /** @param {Entry} entry */
  #missed(entry) {
    if (entry.phase === "holding" && this.secondsLeft(entry) > 0) return;
    entry.misses += 1;
    if (entry.misses >= MAX_MISSES) this.giveUp(entry, words.LOST);
  }

  /** @param {Entry} entry @param {Words} message */
  giveUp(entry, { title, text }) {
    this.drop(entry);
    entry.toast.show("warning", { title, detail: text });
    this.say(`${title}. ${text}`, true);
  }

  /** @param {Entry} entry @param {Result} result */
  #finish(entry, result) {
    if (!isOpen(entry)) return;
    const message = resultWords(result, entry);
    Object.assign(entry, { phase: "done", result, words: message });
    this.#removed.add(goneOf(entry));
    const success = message.kind === "success";
    if (success) this.parts.schedule(() => this.drop(entry), SUCCESS_SHOWN_MS);
    this.say(`${message.title}. ${message.toast}`, !success);
    if (entry.mine && result.error?.code === "count_rose") this.parts.whenVisible(() => void askAgain(this, entry));
    else if (entry.mine || !success) this.notify.result(entry, message);
    this.change();
  }

  /** @param {{kind: string, jobs?: number}} about @param {boolean} mine @returns {Entry} */
  add({ kind, jobs = 0 }, mine) {
    /** @type {Entry} */
    const entry = {
      kind: kind === "clear" ? "clear" : "delete", jobs, mine, toast: this.parts.toasts.create(), ids: new Set(), account: "",
      hold: null, operation: null, phase: "submitting", deadline: 0, waitsUntil: 0, done: 0, total: jobs, result: null, words: null,
      undoing: false, answering: mine, sent: false, backingUp: false, stopping: false, warned: false, nextPoll: 0, misses: 0, failedPolls: 0,
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
