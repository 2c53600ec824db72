// @ts-check
/**
 * Asks the person whether a workflow may delete. The server sends the id of an open approval every two seconds, so
 * that a reloaded page shows it too. This module fetches the details and shows one approval at a time.
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
 * @property {OpenApproval | null} details fetched last
 * @property {number} deadline on this page's clock, computed from the server's seconds_left
 * @property {boolean} confirming whether a request that reports the approval as seen is under way
 * @property {Frame | null} frame of the open dialog
 * @property {boolean} over the server has closed the approval
 */
/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "openApproval" | "approvalSeen" | "answerApproval" | "outputFacts">} api
 * @property {Dialogs} dialogs for approvals alone, so that they can open above another dialog
 * @property {Pick<Toasts, "tell">} toasts
 * @property {typeof import("./dialog.mjs").approvalStep} step
 * @property {import("../deletion/question.mjs").Thumbnails} thumbnails
 * @property {boolean} [framed] whether another page shows this page in a frame: then a person can only skip
 * @property {(id: string) => string} workflowName "" for a workflow that is not open in this page
 * @property {() => number} now milliseconds of a monotonic clock
 * @property {(run: () => void, milliseconds: number) => void} schedule
 */

/** Smaller changes of a deadline are ignored: the server rounds seconds, and the countdown must not jump back. */
const ROUNDING_MS = 1_500;
/** If the server does not close an approval this long after its deadline, ComfyUI is away: close the dialog. */
const GRACE_MS = 5_000;
/** The longest time between two checks of a deadline, because the server may move it forward. */
const MAX_WAIT_MS = 120_000;
/** An approval within this time after the last one counts as part of the same series. */
const SERIES_GAP_MS = 15_000;

export class Approvals {
  /** @type {Map<string, Approval>} in the order they came */
  #open = new Map();
  /** Ids of approvals that were answered in this page. */
  #answered = new Set();
  #showing = false;
  /** Number of approvals of this series that are over. */
  #past = 0;
  #lastEnded = -Infinity;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** Handles an event of the server, which holds only the id and state of an approval. @param {any} event */
  handleEvent(event) {
    if (typeof event?.question !== "string") return;
    if (event.state === "closed") this.#close(event);
    else if (event.state === "open" && !this.#answered.has(event.question)) this.#opened(event.question);
  }

  /** @param {string} name */
  #opened(name) {
    const approval = this.#open.get(name);
    if (!approval) this.#add(name);
    else if (approval.frame || approval !== this.#first()) void this.#reportSeen(approval);
  }

  /** @param {string} name */
  #add(name) {
    if (!this.#open.size && this.parts.now() - this.#lastEnded > SERIES_GAP_MS) this.#past = 0;
    /** @type {Approval} */
    const approval = { name, details: null, deadline: Infinity, confirming: false, frame: null, over: false };
    this.#open.set(name, approval);
    // Report a waiting approval as seen: the person is looking at the one before it.
    if (approval !== this.#first()) void this.#reportSeen(approval);
    void this.#showAll();
  }

  /** Fetches the details and a new token; null if the request fails. @param {Approval} approval */
  async #fetch(approval) {
    try {
      const details = await this.parts.api.openApproval(approval.name);
      const workflow = details.workflow || this.parts.workflowName(details.workflow_id ?? "");
      if (!approval.details) this.#watch(approval);
      approval.details = { ...details, workflow };
      this.#setDeadline(approval, details.seconds_left);
      return approval.details;
    } catch {
      // The approval may be over. If not, the next event tries again.
      return null;
    }
  }

  /** @param {Approval} approval @param {number} secondsLeft by the server, rounded */
  #setDeadline(approval, secondsLeft) {
    const deadline = this.parts.now() + secondsLeft * 1000;
    if (!(Math.abs(approval.deadline - deadline) <= ROUNDING_MS)) approval.deadline = deadline;
  }

  /** @param {Approval} approval */
  #watch(approval) {
    const { now, schedule } = this.parts;
    const rest = approval.deadline + GRACE_MS - now();
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
    const { api, now, schedule, step, thumbnails, framed = false } = this.parts;
    const readFacts = (/** @type {AbortSignal} */ signal) => api.outputFacts({ question: details.question, token: details.token }, signal);
    approval.frame = frame;
    void this.#reportSeen(approval);
    const answer = await step(frame, details, { thumbnails, readFacts, canAlways, framed, left: () => approval.deadline - now(), place: () => this.#place(), schedule });
    approval.frame = null;
    this.#past += 1;
    this.#lastEnded = now();
    return answer;
  }

  /** The number of the shown approval in its series, and the length of the series. @returns {[number, number]} */
  #place() {
    return [this.#past + 1, this.#past + Math.max(1, this.#open.size)];
  }

  /** "Always" is not offered if the environment fixes the setting, or if several users share this ComfyUI. */
  async #canAlways() {
    try {
      const { settings, problem } = await this.parts.api.status();
      return settings?.nodes_fixed === false && problem?.code !== "many_users";
    } catch {
      return false;
    }
  }

  /** Tells the server that a person sees the approval, and updates the deadline. @param {Approval} approval */
  async #reportSeen(approval) {
    if (approval.confirming) return;
    approval.confirming = true;
    try {
      const details = approval.details ?? (await this.#fetch(approval));
      if (details) this.#setDeadline(approval, (await this.parts.api.approvalSeen(approval.name, details.token)).seconds_left);
    } catch {
      // The next event tries again.
    } finally {
      approval.confirming = false;
    }
  }

  /** @param {OpenApproval} approval @param {number} deadline @param {Answer} answer */
  async #send({ question, token }, deadline, answer) {
    const { api, toasts, now } = this.parts;
    this.#answered.add(question);
    try {
      await api.answerApproval(question, token, answer);
      if (answer.answer === "skip") toasts.tell("info", words.skipped());
    } catch (error) {
      if (!(error instanceof HistoryApiError)) throw error;
      if (error.code === "question_closed") {
        if (now() >= deadline) toasts.tell("warning", words.notAnswered());
        else if (answer.answer === "delete") toasts.tell("warning", words.tooLate());
        return;
      }
      // The answer may not have arrived. If the approval is still open, the next event shows it again.
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
    const late = this.parts.now() >= approval.deadline - ROUNDING_MS;
    const ended = how ?? (late ? "no_answer" : "answered");
    if (ended === "no_answer") this.parts.toasts.tell("warning", words.notAnswered());
    if (ended === "answered") this.parts.toasts.tell("info", words.answeredElsewhere());
  }
}
