// @ts-check
/**
 * A workflow wants to delete, and asks the person who queued it. The server names an open approval again every two
 * seconds, so that a page that was loaded anew shows it too; what it is about is fetched. One is shown at a time; the others wait.
 */

import { HistoryApiError } from "../api.mjs";
import { errorWords } from "../common/strings.mjs";
import * as words from "./strings.mjs";

/** @import { Answer, ClosedApproval, OpenApproval } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Dialogs, Frame } from "../common/dialogs.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */

/**
 * @typedef {object} Approval
 * @property {string} name
 * @property {OpenApproval | null} details as it was fetched last
 * @property {number} deadline on this page's clock; told by the server's seconds
 * @property {boolean} seeing the server is being told that somebody is there
 * @property {Frame | null} frame while it is shown
 * @property {boolean} over the server has ended it
 */
/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "openApproval" | "approvalSeen" | "answerApproval">} api
 * @property {Dialogs} dialogs its own, so that it can stand above any other dialog
 * @property {Pick<Toasts, "tell">} toasts
 * @property {typeof import("./dialog.mjs").approvalStep} step
 * @property {boolean} [framed] this page stands in a frame: it can skip, and not delete
 * @property {(id: string) => string} workflowName "" where it is not open here
 * @property {() => number} now milliseconds of a clock that never goes back
 * @property {(run: () => void, milliseconds: number) => void} schedule
 */

/** The server's seconds are rounded: a clock that is off by less is left alone, so that it never jumps back. */
const LEEWAY = 1_500;
/** An approval whose end is not told this long after it is over: ComfyUI is away, and has asked in vain. */
const PATIENCE = 5_000;
/** Milliseconds until its end is looked at anew: it may have come nearer. */
const MAX_WAIT_MS = 120_000;
/** Milliseconds within which an approval that comes after another follows it. */
const IN_A_ROW = 15_000;

export class Approvals {
  /** @type {Map<string, Approval>} in the order they came */
  #open = new Map();
  /** Names of approvals answered here. */
  #answered = new Set();
  #showing = false;
  /** Approvals in a row that have been shown and are over. */
  #past = 0;
  #lastEnded = -Infinity;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** An event of the server: an approval is open or over, and no more than its name. @param {any} event */
  told(event) {
    if (typeof event?.question !== "string") return;
    if (event.state === "closed") this.#close(event);
    else if (event.state === "open" && !this.#answered.has(event.question)) this.#hear(event.question);
  }

  /** @param {string} name */
  #hear(name) {
    const known = this.#open.get(name);
    if (!known) this.#add(name);
    else if (known.frame || known !== this.#first()) void this.#see(known);
  }

  /** @param {string} name */
  #add(name) {
    if (!this.#open.size && this.parts.now() - this.#lastEnded > IN_A_ROW) this.#past = 0;
    /** @type {Approval} */
    const approval = { name, details: null, deadline: Infinity, seeing: false, frame: null, over: false };
    this.#open.set(name, approval);
    // One that waits its turn is as good as seen: the person has the one before it before their eyes.
    if (approval !== this.#first()) void this.#see(approval);
    void this.#showAll();
  }

  /** What it is about, with a token of this moment; null where it can't be had. @param {Approval} approval */
  async #fetch(approval) {
    try {
      const details = await this.parts.api.openApproval(approval.name);
      const workflow = details.workflow || this.parts.workflowName(details.workflow_id ?? "");
      if (!approval.details) this.#watch(approval);
      approval.details = { ...details, workflow };
      this.#setDeadline(approval, details.seconds_left);
      return approval.details;
    } catch {
      // It may be over. If it is not, the next event says so.
      return null;
    }
  }

  /** @param {Approval} approval @param {number} secondsLeft by the server, rounded */
  #setDeadline(approval, secondsLeft) {
    const deadline = this.parts.now() + secondsLeft * 1000;
    if (!(Math.abs(approval.deadline - deadline) <= LEEWAY)) approval.deadline = deadline;
  }

  /** @param {Approval} approval */
  #watch(approval) {
    const { now, schedule } = this.parts;
    const rest = approval.deadline + PATIENCE - now();
    if (approval.over || this.#open.get(approval.name) !== approval) return;
    if (rest > 0) schedule(() => this.#watch(approval), Math.min(rest, MAX_WAIT_MS));
    else this.#close({ question: approval.name, state: "closed", how: "no_answer" });
  }

  async #showAll() {
    if (this.#showing) return;
    this.#showing = true;
    try {
      for (let next = this.#first(); next; next = this.#first()) await this.#ask(next);
    } finally {
      this.#showing = false;
    }
  }

  #first() {
    return this.#open.values().next().value;
  }

  /** @param {Approval} approval */
  async #ask(approval) {
    const [canAlways, details] = await Promise.all([this.#canAlways(), this.#fetch(approval)]);
    const answer = approval.over || !details ? undefined : await this.parts.dialogs.exclusive((frame) => this.#show(frame, approval, details, canAlways));
    this.#open.delete(approval.name);
    if (answer && details && !approval.over) await this.#send(details, approval.deadline, answer);
  }

  /** @param {Frame} frame @param {Approval} approval @param {OpenApproval} details @param {boolean} canAlways @returns {Promise<Answer | undefined>} */
  async #show(frame, approval, details, canAlways) {
    if (approval.over) return undefined;
    const { now, schedule, step, framed = false } = this.parts;
    approval.frame = frame;
    void this.#see(approval);
    const answer = await step(frame, details, { canAlways, framed, left: () => approval.deadline - now(), place: () => this.#place(), schedule });
    approval.frame = null;
    this.#past += 1;
    this.#lastEnded = now();
    return answer;
  }

  /** The place of the one that is shown. @returns {[number, number]} */
  #place() {
    return [this.#past + 1, this.#past + Math.max(1, this.#open.size)];
  }

  /** What the environment has fixed, or what is not one person's to set, is not offered. */
  async #canAlways() {
    try {
      const { settings, problem } = await this.parts.api.status();
      return settings?.nodes_fixed === false && problem?.code !== "many_users";
    } catch {
      return false;
    }
  }

  /** Tells the server that somebody is there, and hears how long it still stands. @param {Approval} approval */
  async #see(approval) {
    if (approval.seeing) return;
    approval.seeing = true;
    try {
      const details = approval.details ?? (await this.#fetch(approval));
      if (details) this.#setDeadline(approval, (await this.parts.api.approvalSeen(approval.name, details.token)).seconds_left);
    } catch {
      // Told again with the next event.
    } finally {
      approval.seeing = false;
    }
  }

  /** @param {OpenApproval} approval @param {number} deadline @param {Answer} answer */
  async #send({ question, token }, deadline, answer) {
    const { api, toasts, now } = this.parts;
    this.#answered.add(question);
    try {
      await api.answerApproval(question, token, answer);
      if (answer.answer === "skip") toasts.tell("info", words.SKIPPED);
    } catch (error) {
      if (!(error instanceof HistoryApiError)) throw error;
      if (error.code === "question_closed") {
        if (now() >= deadline) toasts.tell("warning", words.NO_ANSWER);
        else if (answer.answer === "delete") toasts.tell("warning", words.TOO_LATE);
        return;
      }
      // It may not have arrived. If it is still open, the next event asks again.
      this.#answered.delete(question);
      const { title, text } = errorWords(error);
      toasts.tell("error", { title, ...(text && { detail: text }) });
    }
  }

  /** @param {ClosedApproval} event */
  #close({ question, how }) {
    const approval = this.#open.get(question);
    if (!approval) return;
    this.#open.delete(question);
    approval.over = true;
    approval.frame?.close();
    const late = this.parts.now() >= approval.deadline - LEEWAY;
    const ended = how ?? (late ? "no_answer" : "answered");
    if (ended === "no_answer") this.parts.toasts.tell("warning", words.NO_ANSWER);
    if (ended === "answered") this.parts.toasts.tell("info", words.ELSEWHERE);
  }
}
