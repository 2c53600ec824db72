// @ts-check
/**
 * A workflow wants to delete, and asks the person who queued it. The server names an open question again every two
 * seconds, so that a page that was loaded anew shows it too; what is asked is fetched. One is shown at a time; the others wait.
 */

import { HistoryApiError } from "../api.mjs";
import { errorWords } from "../common/strings.mjs";
import * as words from "./strings.mjs";

/** @import { Answer, AskStep, ClosedQuestion, OpenQuestion } from "../../../types/asking" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Dialogs, Frame } from "../common/dialogs.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */

/**
 * @typedef {object} Asked
 * @property {string} name
 * @property {OpenQuestion | null} question as it was fetched last
 * @property {number} deadline on this page's clock; told by the server's seconds
 * @property {boolean} seeing the server is being told that somebody is there
 * @property {Frame | null} frame while it is shown
 * @property {boolean} over the server has ended it
 */
/**
 * @typedef {object} Parts
 * @property {Pick<HistoryApi, "status" | "askQuestion" | "askSeen" | "askAnswer">} api
 * @property {Dialogs} dialogs its own, so that a question can stand above any other dialog
 * @property {Pick<Toasts, "tell">} toasts
 * @property {AskStep} step
 * @property {boolean} [framed] this page stands in a frame: it can skip, and not delete
 * @property {(id: string) => string} workflowName "" where it is not open here
 * @property {() => number} now milliseconds of a clock that never goes back
 * @property {(run: () => void, milliseconds: number) => void} schedule
 */

/** The server's seconds are rounded: a clock that is off by less is left alone, so that it never jumps back. */
const LEEWAY = 1_500;
/** A question whose end is not told this long after it is over: ComfyUI is away, and has asked in vain. */
const PATIENCE = 5_000;
/** Milliseconds until its end is looked at anew: it may have come nearer. */
const MAX_WAIT_MS = 120_000;
/** Milliseconds within which a question that comes after another follows it. */
const IN_A_ROW = 15_000;

export class AskFirst {
  /** @type {Map<string, Asked>} in the order they came */
  #open = new Map();
  /** Names of questions answered here. */
  #answered = new Set();
  #showing = false;
  /** Questions in a row that have been shown and are over. */
  #past = 0;
  #lastEnded = -Infinity;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** An event of the server: a question is open or over, and no more than its name. @param {any} event */
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
    /** @type {Asked} */
    const asked = { name, question: null, deadline: Infinity, seeing: false, frame: null, over: false };
    this.#open.set(name, asked);
    // One that waits its turn is as good as seen: the person has the one before it before their eyes.
    if (asked !== this.#first()) void this.#see(asked);
    void this.#showAll();
  }

  /** What is asked, with a token of this moment; null where it can't be had. @param {Asked} asked */
  async #fetch(asked) {
    try {
      const question = await this.parts.api.askQuestion(asked.name);
      const workflow = question.workflow || this.parts.workflowName(question.workflow_id ?? "");
      if (!asked.question) this.#watch(asked);
      asked.question = { ...question, workflow };
      this.#setDeadline(asked, question.seconds_left);
      return asked.question;
    } catch {
      // It may be over. If it is not, the next event says so.
      return null;
    }
  }

  /** @param {Asked} asked @param {number} secondsLeft by the server, rounded */
  #setDeadline(asked, secondsLeft) {
    const deadline = this.parts.now() + secondsLeft * 1000;
    if (!(Math.abs(asked.deadline - deadline) <= LEEWAY)) asked.deadline = deadline;
  }

  /** @param {Asked} asked */
  #watch(asked) {
    const { now, schedule } = this.parts;
    const rest = asked.deadline + PATIENCE - now();
    if (asked.over || this.#open.get(asked.name) !== asked) return;
    if (rest > 0) schedule(() => this.#watch(asked), Math.min(rest, MAX_WAIT_MS));
    else this.#close({ question: asked.name, state: "closed", how: "no_answer" });
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

  /** @param {Asked} asked */
  async #ask(asked) {
    const [canAlways, question] = await Promise.all([this.#canAlways(), this.#fetch(asked)]);
    const answer = asked.over || !question ? undefined : await this.parts.dialogs.exclusive((frame) => this.#show(frame, asked, question, canAlways));
    this.#open.delete(asked.name);
    if (answer && question && !asked.over) await this.#send(question, asked.deadline, answer);
  }

  /** @param {Frame} frame @param {Asked} asked @param {OpenQuestion} question @param {boolean} canAlways @returns {Promise<Answer | undefined>} */
  async #show(frame, asked, question, canAlways) {
    if (asked.over) return undefined;
    const { now, schedule, step, framed = false } = this.parts;
    asked.frame = frame;
    void this.#see(asked);
    const answer = await step(frame, question, { canAlways, framed, left: () => asked.deadline - now(), place: () => this.#place(), schedule });
    asked.frame = null;
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

  /** Tells the server that somebody is there, and hears how long the question still stands. @param {Asked} asked */
  async #see(asked) {
    if (asked.seeing) return;
    asked.seeing = true;
    try {
      const question = asked.question ?? (await this.#fetch(asked));
      if (question) this.#setDeadline(asked, (await this.parts.api.askSeen(asked.name, question.token)).seconds_left);
    } catch {
      // Told again with the next event.
    } finally {
      asked.seeing = false;
    }
  }

  /** @param {OpenQuestion} asked @param {number} deadline @param {Answer} answer */
  async #send({ question, token }, deadline, answer) {
    const { api, toasts, now } = this.parts;
    this.#answered.add(question);
    try {
      await api.askAnswer(question, token, answer);
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

  /** @param {ClosedQuestion} event */
  #close({ question, how }) {
    const asked = this.#open.get(question);
    if (!asked) return;
    this.#open.delete(question);
    asked.over = true;
    asked.frame?.close();
    const late = this.parts.now() >= asked.deadline - LEEWAY;
    const ended = how ?? (late ? "no_answer" : "answered");
    if (ended === "no_answer") this.parts.toasts.tell("warning", words.NO_ANSWER);
    if (ended === "answered") this.parts.toasts.tell("info", words.ELSEWHERE);
  }
}
