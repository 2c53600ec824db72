// @ts-check
/**
 * A workflow wants to delete, and asks the person who queued it. The server tells an open question again every two
 * seconds, so that a page that was loaded anew shows it too. One is shown at a time; the others wait.
 */

import { HistoryApiError, isOpenQuestion } from "./history_api.mjs";
import { errorWords } from "./words.mjs";
import * as words from "./words_ask.mjs";

/** @typedef {import("../../types/asking").OpenQuestion} OpenQuestion */
/** @typedef {import("../../types/asking").Answer} Answer */
/**
 * @typedef {object} Asked
 * @property {OpenQuestion} question
 * @property {number} deadline on this page's clock; told by the server's seconds
 * @property {boolean} seen the server knows that somebody is there
 * @property {import("./dialogs.mjs").Frame | null} frame while it is shown
 * @property {boolean} over the server has ended it
 */
/**
 * @typedef {object} Parts
 * @property {Pick<import("./history_api.mjs").HistoryApi, "status" | "askSeen" | "askAnswer">} api
 * @property {import("./dialogs.mjs").Dialogs} dialogs its own, so that a question can stand above any other dialog
 * @property {Pick<import("./toasts.mjs").Toasts, "tell">} toasts
 * @property {import("../../types/asking").AskStep} step
 * @property {(id: string) => string} workflowName "" where it is not open here
 * @property {() => number} now milliseconds of a clock that never goes back
 * @property {(run: () => void, milliseconds: number) => void} schedule
 */

/** The server's seconds are rounded: a clock that is off by less is left alone, so that it never jumps back. */
const LEEWAY = 1_500;
/** A question whose end is not told this long after it is over: ComfyUI is away, and has asked in vain. */
const PATIENCE = 5_000;

export class AskFirst {
  /** @type {Map<string, Asked>} in the order they came */
  #open = new Map();
  /** Names of questions answered here. */
  #answered = new Set();
  #showing = false;

  /** @param {Parts} parts */
  constructor(parts) {
    this.parts = parts;
  }

  /** An event of the server. @param {any} event */
  told(event) {
    if (event?.state === "closed") this.#close(event);
    else if (isOpenQuestion(event) && !this.#answered.has(event.question)) this.#hear(event);
  }

  /** @param {OpenQuestion} question */
  #hear(question) {
    const deadline = this.parts.now() + question.seconds_left * 1000;
    const known = this.#open.get(question.question);
    if (!known) return this.#add(question, deadline);
    if (Math.abs(known.deadline - deadline) > LEEWAY) known.deadline = deadline;
    if (known.frame || known !== this.#first()) void this.#see(known);
  }

  /** @param {OpenQuestion} question @param {number} deadline */
  #add(question, deadline) {
    const workflow = question.workflow || this.parts.workflowName(question.workflow_id ?? "");
    /** @type {Asked} */
    const asked = { question: { ...question, workflow }, deadline, seen: false, frame: null, over: false };
    this.#open.set(question.question, asked);
    this.#watch(asked);
    // One that waits its turn is as good as seen: the person has the one before it before their eyes.
    if (asked !== this.#first()) void this.#see(asked);
    void this.#showAll();
  }

  /** @param {Asked} asked */
  #watch(asked) {
    const { now, schedule } = this.parts;
    const rest = asked.deadline + PATIENCE - now();
    if (asked.over || this.#open.get(asked.question.question) !== asked) return;
    if (rest > 0) schedule(() => this.#watch(asked), rest);
    else this.#close({ question: asked.question.question, state: "closed", how: "no_answer" });
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
    const { question } = asked;
    const canAlways = await this.#canAlways();
    const answer = asked.over ? undefined : await this.parts.dialogs.exclusive((frame) => this.#show(frame, asked, canAlways));
    this.#open.delete(question.question);
    if (answer && !asked.over) await this.#send(asked, answer);
  }

  /** @param {import("./dialogs.mjs").Frame} frame @param {Asked} asked @param {boolean} canAlways @returns {Promise<Answer | undefined>} */
  async #show(frame, asked, canAlways) {
    if (asked.over) return undefined;
    const { now, schedule, step } = this.parts;
    asked.frame = frame;
    void this.#see(asked);
    const answer = await step(frame, asked.question, { canAlways, left: () => asked.deadline - now(), schedule });
    asked.frame = null;
    return answer;
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

  /** @param {Asked} asked */
  async #see(asked) {
    if (asked.seen) return;
    asked.seen = true;
    const { question, token } = asked.question;
    try {
      await this.parts.api.askSeen(question, token);
    } catch {
      // Told again with the next event.
      asked.seen = false;
    }
  }

  /** @param {Asked} asked @param {Answer} answer */
  async #send({ question: { question, token }, deadline }, answer) {
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

  /** @param {import("../../types/asking").ClosedQuestion} event */
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
