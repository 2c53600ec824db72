// @ts-check
/** Follows deletions from the confirmation to the result: hold, sending, checking, result. The server decides each step. */

import { NO_ANSWER } from "../api.mjs";
import { coalesce } from "../common/coalesce.mjs";
import { sentence, sentences } from "../common/format.mjs";
import { crashWords, errorWords, lostHold } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { Clock, LAST_SECONDS } from "./clock.mjs";
import { advance, createRemovedJobs, doingOf, endOf, entriesToShow, findEntry, follow, goneOf, holderOf, isBegun, isOpen, isOutdated, isSilent, markOf, POLL_MS, shownPhase, spokenProgress, stateIn, update } from "./entries.mjs";
import { byWorkflow, endedBy, labelOf, named } from "./label.mjs";
import { isStoppedUnsent, messageWords, ofWorkflow, recordedWords, resultWords, undoneWords } from "./result_strings.mjs";
import { stop, undo } from "./stop.mjs";
import * as words from "./strings.mjs";
import { askAgain, start } from "./submit.mjs";
import { createDeletionToasts, quarters, showAction } from "./toasts.mjs";

/** @import { DeletionEnd, DeletionState, DeletionView, Entry } from "../../../types/deletion" */
/** @import { DeletionAnswer, Hold, LostHold, Progress, Result, Row, Status } from "../../../types/wire" */
/** @import { HistoryApi, HistoryApiError } from "../api.mjs" */
/** @import { Words } from "../common/strings.mjs" */
/** @import { ResultWords } from "./result_strings.mjs" */
/** @import { Message, Toasts } from "../common/toasts.mjs" */
/** @import { About } from "./label.mjs" */
/** @import { Memory } from "./memory.mjs" */
/** @import { Confirmation, DeletionRequest } from "./confirm.mjs" */

/** After this many statuses without a trace of a deletion, its outcome counts as unknown. */
const MAX_MISSES = 3;
const SUCCESS_SHOWN_MS = 10_000;
const UNDONE_SHOWN_MS = 3_000;

/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "progress" | "submit" | "undo" | "stop" | "auditLog">} api
 * @property {Pick<Confirmation, "ask" | "after" | "tellBusy">} confirmation
 * @property {Pick<Toasts, "tell" | "canAct" | "create">} toasts
 * @property {() => number} now milliseconds of a monotonic clock
 * @property {() => number} today milliseconds since 1970
 * @property {(run: () => void, milliseconds: number) => void} schedule
 * @property {Memory} memory of the deletions that this browser has started
 * @property {(selection: DeletionRequest["selection"]) => string[]} [going] the listed jobs that a deletion would remove
 * @property {(id: string) => string} [workflowName] the name of a workflow, or ""
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
  /** @type {Set<(end: DeletionEnd) => void>} */
  #endListeners = new Set();
  /** @type {DeletionView[]} the newest last: it alone shows cards and speaks */
  #views = [];
  /** @type {Set<string>} ids of undone holds: an older status may still contain them */
  #undoneHolds = new Set();
  /** The account whose jobs the list has; "" without a list, null if nothing is known. @type {string | null} */
  #listed = null;
  #clock;
  #removed;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
    this.notify = createDeletionToasts(this);
    this.#removed = createRemovedJobs(parts.now);
    this.#clock = new Clock(this);
  }

  /** Calls back when hidden rows, marks or lost holds may have changed. @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Calls back when a deletion has ended and its jobs are no longer hidden. @param {(end: DeletionEnd) => void} listener */
  onEnd(listener) {
    this.#endListeners.add(listener);
  }

  /** @param {DeletionView} view @returns {() => void} */
  follow(view) {
    this.#views.push(view);
    this.render();
    this.notify.settle();
    return () => {
      this.#views = this.#views.filter((other) => other !== view);
      this.render();
      if (!this.isPanelOpen) this.notify.resume();
    };
  }

  /** Whether a view is the one that shows the cards. @param {DeletionView} view */
  isSpeaker = (view) => this.#views.at(-1) === view;

  /** Whether a card in an open panel shows a deletion, so that no toast does. @param {Entry} entry */
  isOnCard = (entry) => this.isPanelOpen && entriesToShow(this.state()).includes(entry);

  /**
   * Call this before reading the list. Call the returned function with the complete list and its account.
   * @returns {(listed: {has(id: string): boolean}, account: string) => void}
   */
  reading() {
    const report = this.#removed.reading();
    return (listed, account) => {
      report(listed);
      this.#listed = account || null;
      const kept = this.entries.filter((each) => !isOutdated(each, listed, account));
      if (kept.length === this.entries.length) return;
      this.entries = kept;
      this.change();
    };
  }

  /** Shows a warning or an error in the panel, if a toast would cover it. Returns whether it did. @param {"warning" | "error"} kind @param {Message} message */
  notice(kind, message) {
    const view = this.#views.at(-1);
    view?.notice?.(kind, message);
    return Boolean(view?.notice);
  }

  /** Whether a panel is open. */
  get isPanelOpen() {
    return this.#views.length > 0;
  }

  /** @returns {DeletionState} */
  state() {
    const of = (/** @type {string[]} */ phases) => this.entries.filter((entry) => phases.includes(entry.phase));
    return { holding: of(["holding"]), running: of(["due", "waiting", "sending", "checking"]), results: of(["done"]), lost: this.#lost };
  }

  /** Whole seconds until the deletion is sent. @param {Entry} entry */
  secondsLeft = (entry) => Math.max(0, Math.ceil((entry.deadline - this.parts.now()) / 1000));
  /** Whole seconds for which Comfy Cloud still asks to wait. @param {Entry} entry */
  secondsToWait = (entry) => Math.max(0, Math.ceil((entry.waitsUntil - this.parts.now()) / 1000));

  /** Whether a result has reported a job as removed. @param {Row} row */
  isGone = (row) => this.#removed.has(row.id);

  /** The open deletion for which the list leaves out a job. @param {Row} row */
  holderOf = (row) => holderOf(this.entries, row);

  /** Whether the list leaves out a job: it is gone, or an open deletion will remove it. @param {Row} row */
  hides = (row) => this.isGone(row) || Boolean(this.holderOf(row));

  /** Whether the jobs of a deletion are in the list on screen if they are still there. @param {Entry} entry */
  isListed = ({ account }) => this.#listed === null || (this.#listed !== "" && (!account || account === this.#listed));

  /** @param {string} id */
  markOf = (id) => markOf(this.entries, id);

  /** Whether an operation is shown here. @param {string | null} operation */
  follows = (operation) => Boolean(findEntry(this.entries, operation));

  /* Actions of the person */

  /** Undoes a hold. Returns false if there is none. @param {Entry} [entry] default: the newest hold */
  undo = (entry = this.state().holding[0]) => {
    if (!entry?.hold || entry.undoing) return false;
    void undo(this, entry, entry.hold);
    return true;
  };

  /** @param {Entry} entry */
  stop = (entry) => stop(this, entry);

  /** Another key is saved or removed in this page, which undoes and stops the open deletions. */
  keyChanges() {
    for (const entry of this.entries) if (isOpen(entry)) entry.mayEndHere = true;
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
    const entry = findEntry(this.entries, detail.operation) ?? this.#ofWorkflow(detail);
    if (!entry) return void (detail.hold && this.refresh());
    if (!isOpen(entry)) return;
    if (entry.workflow) entry.misses = 0;
    const [before, wasAway] = [this.#stateOf(entry), entry.away !== ""];
    entry.away = "";
    follow(entry, detail, this.parts.now());
    const now = this.#stateOf(entry);
    // A warning that ComfyUI does not answer is no longer true, and it has no Stop.
    if (wasAway) this.#answersAgain(entry);
    else if (now.phase !== before.phase || now.quarter !== before.quarter || now.wait > before.wait || now.flags !== before.flags) this.notify.progress(entry);
    else this.notify.tick(entry);
    if (now.wait && !before.wait) this.sayOf(entry, words.asksToWait(now.wait, now.phase));
    if (now.isSilent && !before.isSilent) this.sayOf(entry, spokenProgress(entry, now.wait));
    if (entry.sent && now.quarter > before.quarter && now.quarter < 4) this.sayOf(entry, words.progressSpoken(now.quarter * 25));
    // The list says what happens to the jobs that it leaves out.
    if (now.held === before.held) this.render();
    else this.change();
  }

  /** What the toast of a deletion, and the list, depend on. @param {Entry} entry */
  #stateOf(entry) {
    const silent = isSilent(entry);
    return { phase: shownPhase(entry), quarter: quarters(entry), wait: this.secondsToWait(entry), isSilent: silent, flags: `${entry.backupLeft !== null} ${silent}`, held: `${doingOf(entry)} ${entry.sending}` };
  }

  /** Shows a deletion by a workflow, which this page hears of first by its progress. @param {Progress} detail */
  #ofWorkflow({ operation, kind, workflow_jobs: jobs = null }) {
    return jobs === null ? undefined : Object.assign(this.add({ kind, jobs }, false), { operation, workflow: true, label: byWorkflow(), phase: /** @type {const} */ ("waiting") });
  }

  refresh = coalesce(() => {
    const asked = this.parts.now();
    return this.parts.api.status().then((status) => this.adopt(status, asked), () => undefined);
  });

  /** ComfyUI's page has lost its connection to the server. */
  reconnecting() {
    this.#clock.check();
  }

  /** ComfyUI does not answer, or not as expected: says so once for each open deletion. @param {HistoryApiError} [error] */
  lostTouch = (error) => {
    const why = error && error.code !== NO_ANSWER ? errorWords(error).title : text("deletion.away");
    for (const entry of this.entries) {
      if (!isOpen(entry) || entry.answering || entry.away) continue;
      entry.away = why;
      this.notify.progress(entry);
      this.sayOf(entry, sentences([sentence(why), words.awayText(entry, this.secondsLeft(entry))]), true);
    }
    this.change();
  };

  /** After a reload of the page, shows the deletions that this browser has started. */
  async resume() {
    const resumed = this.parts.memory.all().filter(({ operation }) => !this.follows(operation)).map((each) => {
      const about = { operation: each.operation, resumed: true, answering: false, phase: /** @type {Entry["phase"]} */ ("due"), misses: MAX_MISSES - 1 };
      return Object.assign(this.add(each, true), about);
    });
    await this.refresh();
    // Until then it is not known whether anything was sent, and an old toast keeps its first text.
    if (resumed.some(isBegun)) await this.readProgress();
    for (const entry of resumed) {
      if (entry.phase === "holding") this.#held(entry);
      else if (isOpen(entry) && !entry.away && this.entries.includes(entry)) this.notify.progress(entry, true);
    }
  }

  /** @param {Status} status @param {number} [asked] when it was requested, on the clock of `now` */
  adopt = (status, asked) => {
    const away = this.entries.filter((entry) => entry.away);
    for (const entry of away) entry.away = "";
    this.#adopt(status, asked);
    for (const entry of away) if (isOpen(entry) && this.entries.includes(entry)) this.#answersAgain(entry);
    this.change();
  };

  /** @param {Status} status @param {number} [asked] */
  #adopt(status, asked) {
    this.#lost = status.lost_holds ?? [];
    if (!status.configured) this.#listed = "";
    for (const hold of status.holds ?? []) {
      const entry = findEntry(this.entries, hold.id);
      if (entry && hold.state === "undone") this.undone(entry);
      else if (entry && isOpen(entry)) this.#update(entry, hold, asked);
      else if (!entry && !this.#undoneHolds.has(hold.id) && hold.state !== "undone" && hold.state !== "done") this.#update(this.add(hold, false), hold);
    }
    for (const operation of status.undone ?? []) this.undone(findEntry(this.entries, operation));
    for (const entry of this.entries) if (isOpen(entry) && !entry.answering) this.#applyStatus(entry, status);
    // The status does not say whether a deletion is still being backed up.
    const isNew = status.running && !this.follows(status.running.operation);
    if (isNew || this.entries.some(isBegun)) void this.readProgress();
  }

  /** @param {Entry} entry @param {Hold} hold @param {number} [asked] when the answer was requested, on the clock of `now` */
  #update(entry, hold, asked) {
    this.label(entry, hold);
    if (update(entry, hold, this.parts.now(), asked)) this.notify.progress(entry);
  }

  /** @param {Entry} entry @param {About} about */
  label(entry, about) {
    if (!entry.label) Object.assign(entry, { about, label: labelOf({ about }, this.parts.workflowName) });
  }

  /** Says what ComfyUI does with a deletion, after it did not answer for a while. @param {Entry} entry */
  #answersAgain(entry) {
    if (entry.phase === "holding") this.notify.hold(entry);
    else this.notify.progress(entry);
    const doing = entry.phase === "holding" ? text("deletion.hold_text") : words.progressTitle(entry.kind, shownPhase(entry), entry.done, entry.total);
    this.sayOf(entry, sentences([sentence(text("deletion.answers_again")), doing]));
  }

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
    this.#update(entry, answer.hold);
    this.parts.memory.add({ operation: answer.hold.id, kind: entry.kind, jobs: entry.jobs }, answer.hold.seconds_left);
    this.change();
    this.#held(entry);
  }

  /** @param {Entry} entry */
  #held(entry) {
    if (entry.phase !== "holding") return;
    this.notify.hold(entry);
    const seconds = this.secondsLeft(entry);
    this.sayOf(entry, named(entry, words.holdSpoken(entry, seconds)));
    entry.warned = seconds <= LAST_SECONDS;
    this.#views.at(-1)?.held(entry);
    // Without buttons in toasts, only the panel can undo.
    if (!this.isPanelOpen && !this.parts.toasts.canAct()) this.parts.openPanel();
  }

  /** @param {Entry} [entry] */
  undone(entry) {
    if (!entry || !isOpen(entry)) return;
    if (entry.hold) this.#undoneHolds.add(entry.hold);
    if (entry.mine || entry.endedHere) {
      this.conclude(entry, () => undoneWords(entry.jobs, endedBy(entry)), true);
      this.parts.schedule(() => this.drop(entry), UNDONE_SHOWN_MS);
      return;
    }
    this.drop(entry);
    this.#tellEnd(entry, true);
  }

  /** @param {Entry} entry @param {boolean} isBack */
  #tellEnd(entry, isBack) {
    for (const listener of this.#endListeners) listener(endOf(entry, isBack));
  }

  /** @param {Entry} entry @param {Status} status */
  #applyStatus(entry, status) {
    const state = stateIn(entry, status);
    if (state === "open") this.#goesOn(entry);
    else if (state === "missing") this.#missed(entry);
    else if ("result" in state) {
      this.#finish(entry, state.result);
      this.parts.onResult();
    } else this.#interrupted(entry, "crashed" in state ? crashWords(state.crashed.asked, state.crashed.may_have_sent) : lostHold(entry.jobs));
  }

  /** A long deletion is remembered until its end, so that a reloaded page still knows it as its own. @param {Entry} entry */
  #goesOn(entry) {
    entry.misses = 0;
    if (entry.mine && entry.hold) this.parts.memory.add({ operation: entry.hold, kind: entry.kind, jobs: entry.jobs }, this.secondsLeft(entry));
  }

  /** ComfyUI stopped during a deletion. In the panel, the banner of the status says so. @param {Entry} entry @param {Words} message */
  #interrupted(entry, { title, text: detail }) {
    if (!this.isPanelOpen) this.notify.tell(entry, "warning", { title, detail, action: showAction(this) });
    this.say(sentences([sentence(title), detail]), true);
    this.#forget(entry);
    this.drop(entry);
    this.#tellEnd(entry, false);
    this.parts.onResult();
  }

  /** @param {Entry} entry */
  #missed(entry) {
    if (entry.phase === "holding" && this.secondsLeft(entry) > 0) return;
    entry.misses += 1;
    if (entry.misses === MAX_MISSES) void this.readRecord(entry);
  }

  /** ComfyUI has no trace of a deletion, as after a restart: shows what the audit log says. @param {Entry} entry */
  async readRecord(entry) {
    const log = await this.parts.api.auditLog().catch(() => null);
    if (!isOpen(entry)) return;
    const recorded = log?.entries.find(({ operation, state }) => operation === entry.operation && state === "done");
    this.conclude(entry, () => (recorded ? recordedWords(recorded, entry.jobs) : messageWords("warning", words.lostWords())));
    this.parts.onResult();
  }

  /** Ends a deletion with a message instead of a result. @param {Entry} entry @param {() => ResultWords} word @param {boolean} [isBack] whether the selection is as before the confirmation */
  conclude(entry, word, isBack = false) {
    const message = this.#end(entry, word);
    this.announce(entry, message);
    this.change();
    this.#tellEnd(entry, isBack);
  }

  /** @param {Entry} entry @param {() => ResultWords} word words the end, also later in another language */
  #end(entry, word) {
    const message = word();
    Object.assign(entry, { phase: "done", words: message, word, refusal: "", away: "", undoing: false, endedAt: this.parts.today() });
    this.#outdateResults(entry);
    this.#forget(entry);
    return message;
  }

  /** Words the names and the ends of all deletions anew, in another language. */
  reword() {
    for (const entry of this.entries) Object.assign(entry, { label: labelOf(entry, this.parts.workflowName), ...(entry.word && { words: entry.word() }) });
  }

  /**
   * Ends the cards of the results before a newer deletion, so that they are not taken for its result. Those that the person may still
   * have to act on stay, and are marked as earlier ones.
   * @param {Entry} newer
   */
  #outdateResults(newer) {
    this.entries = this.entries.filter((entry) => entry === newer || isOpen(entry) || (entry.words?.kind !== "info" && entry.words?.kind !== "success"));
    for (const entry of this.entries) if (entry !== newer && !isOpen(entry)) entry.earlier = true;
  }

  /** The end of a deletion is shown, so a reloaded page need not show it. @param {Entry} entry */
  #forget = ({ operation, mine }) => void (operation && mine && this.parts.memory.forget(operation));

  /** Shows the end of a deletion on its card, or in a toast. @param {Entry} entry @param {ResultWords} message */
  announce(entry, message) {
    const isGood = message.kind === "success" || message.kind === "info";
    const toast = this.isListed(entry) ? message.toast : (message.unlisted ?? message.toast);
    if (entry.mine || entry.endedHere || (!isGood && !entry.workflow)) this.notify.result(entry, { ...message, toast });
    this.sayOf(entry, named(entry, sentences([sentence(message.title), toast])), !isGood);
  }

  /** @param {Entry} entry @param {Result} result */
  #finish(entry, result) {
    if (!isOpen(entry)) return;
    const about = { ...entry, ...(!entry.workflow && { by: endedBy(entry) }) };
    const word = () => (entry.workflow ? ofWorkflow(resultWords(result, about), result) : resultWords(result, about));
    entry.result = result;
    const message = this.#end(entry, word);
    this.#removed.add(goneOf(entry));
    if (message.kind === "success" && !message.lines.length) this.parts.schedule(() => this.drop(entry), SUCCESS_SHOWN_MS);
    if (entry.mine && !entry.resumed && result.error?.code === "count_rose") this.parts.whenVisible(() => void askAgain(this, entry));
    else this.announce(entry, message);
    this.change();
    this.#tellEnd(entry, isStoppedUnsent(result));
  }

  /** @param {{kind: string, jobs?: number}} about @param {boolean} mine @returns {Entry} */
  add({ kind, jobs = 0 }, mine) {
    /** @type {Entry} */
    const entry = {
      kind: kind === "clear" ? "clear" : "delete", jobs, mine, workflow: false, resumed: false, toast: this.parts.toasts.create(), ids: new Set(), account: "",
      asked: {}, hold: null, operation: null, phase: "submitting", deadline: 0, waitsUntil: 0, done: 0, total: jobs, result: null, words: null,
      undoing: false, endedHere: false, answering: mine, sent: false, backingUp: false, savingOutputs: false, preparing: false, backup: false, backupLeft: null, label: "", stopping: false, warned: false, nextPoll: 0, misses: 0,
      away: "", refusal: "", sending: null, silence: 0, endedAt: 0, earlier: false, mayEndHere: false, asking: true,
    };
    this.#outdateResults(entry);
    this.entries.unshift(entry);
    this.#clock.run();
    return entry;
  }

  /** @param {Entry} entry @param {boolean} [isBack] whether the selection is as before the confirmation */
  drop(entry, isBack = false) {
    if (!this.entries.includes(entry)) return;
    if (isOpen(entry)) this.#outdateResults(entry);
    this.entries = this.entries.filter((other) => other !== entry);
    this.change();
    if (isBack) this.#tellEnd(entry, true);
  }

  change() {
    for (const listener of this.#listeners) listener();
    this.render();
    this.notify.settle();
  }

  render() {
    for (const view of this.#views) view.render();
  }

  /** @param {string} said @param {boolean} [urgent] */
  say(said, urgent = false) {
    this.#views.at(-1)?.say(said, urgent);
  }

  /** Speaks about a deletion, unless its toast does. @param {Entry} entry @param {string} said @param {boolean} [urgent] */
  sayOf(entry, said, urgent) {
    if (this.isOnCard(entry) || !this.notify.isShown(entry)) this.say(said, urgent);
  }
}
