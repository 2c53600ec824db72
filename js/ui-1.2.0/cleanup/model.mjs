// @ts-check
/** The rules of a clean-up that the person has set, and the preview of their effect. No DOM. */

import { HistoryApiError } from "../api.mjs";
import { FINISHED } from "../common/status.mjs";
import { RULE_KEYS, ruleOf } from "./rules.mjs";

/** @import { CleanUpPreview, Policy } from "../../../types/wire" */

/** @import { RuleKey } from "./rules.mjs" */

/** @typedef {{on: boolean, text: string}} Rule */
/**
 * @typedef {object} Choice
 * @property {Record<RuleKey, Rule>} rules
 * @property {string[]} statuses
 * @property {string} workflow "" for all
 * @property {boolean} apart whether the rules apply to each workflow separately
 */
/**
 * What is wrong with a choice. "none": no rule is on; "nothing": no status is chosen.
 * @typedef {{kind: "none" | "nothing"} | {kind: "unreadable", rule: RuleKey, text: string}} Fault
 */

/** Milliseconds between the last change and the request. */
export const DEBOUNCE_MS = 250;

/** @returns {Choice} */
const firstChoice = () => ({
  rules: /** @type {Record<RuleKey, Rule>} */ (Object.fromEntries(RULE_KEYS.map((key) => [key, { on: ruleOf(key).on, text: ruleOf(key).first }]))),
  statuses: [...FINISHED],
  workflow: "",
  apart: false,
});

/** Returns a whole number from 1 to the rule's maximum, else null. @param {string} text @param {RuleKey} rule */
export function readNumber(text, rule) {
  const n = /^\s*\d+\s*$/.test(text) ? Number(text) : 0;
  return n > 0 && n <= ruleOf(rule).max ? n : null;
}

/** @param {Choice} choice @returns {{policy: Policy, fault: null} | {policy: null, fault: Fault}} */
export function readChoice({ rules, statuses, workflow, apart }) {
  const on = RULE_KEYS.filter((key) => rules[key].on);
  /** @type {Policy} */
  let policy = {};
  for (const rule of on) {
    const { text } = rules[rule];
    const n = readNumber(text, rule);
    if (n === null) return { policy: null, fault: { kind: "unreadable", rule, text } };
    const { field, suffix } = ruleOf(rule);
    policy = { ...policy, [field]: suffix ? `${n}${suffix}` : n };
  }
  if (!on.length) return { policy: null, fault: { kind: "none" } };
  // The server must not take an empty list for "all statuses", so it is never sent.
  const chosen = FINISHED.filter((each) => statuses.includes(each));
  if (!chosen.length) return { policy: null, fault: { kind: "nothing" } };
  return { policy: { ...policy, statuses: chosen, ...(workflow && { workflow_id: workflow }), per_workflow: apart }, fault: null };
}

/** Returns the preview when no status is chosen: nothing would be deleted. @param {CleanUpPreview | null} before @returns {CleanUpPreview | null} */
const emptyPreview = (before) => before && { ...before, go: 0, share: 0, all: false, large: false, kept: [], rows: [] };

/** The state of the page Clean up. An answer that arrives after a change is dropped. */
export class CleanUp {
  choice = firstChoice();
  /** @type {CleanUpPreview | null} the effect of `policy`; while `working`, the preview before the last change */
  preview = null;
  /** @type {Policy | null} the policy of the preview */
  policy = null;
  /** @type {HistoryApiError | null} */
  error = null;
  working = false;
  /** Whether the preview belongs to the current choice. */
  #isCurrent = false;
  /** @type {Set<() => void>} */
  #views = new Set();
  /** @type {AbortController | null} */
  #request = null;

  /**
   * @param {object} parts
   * @param {{cleanUp(policy: Policy, signal?: AbortSignal): Promise<CleanUpPreview>}} parts.api
   * @param {(run: () => void, milliseconds: number) => () => void} parts.after runs something later; returns a function that cancels it
   */
  constructor({ api, after }) {
    this.api = api;
    this.after = after;
  }

  /** Adds a view and requests a preview. @param {() => void} listener @returns {() => void} removes the view */
  shown(listener) {
    this.#views.add(listener);
    this.#work(0);
    return () => {
      this.#views.delete(listener);
      if (!this.#views.size) this.#stop();
    };
  }

  /** @param {Partial<Choice>} change */
  choose(change) {
    this.choice = { ...this.choice, ...change };
    this.#work(DEBOUNCE_MS);
  }

  /** @param {RuleKey} key @param {Partial<Rule>} change */
  setRule(key, change) {
    const { rules } = this.choice;
    this.choose({ rules: { ...rules, [key]: { ...rules[key], ...change } } });
  }

  /** Requests a new preview, because jobs have changed or the last request failed. */
  refresh() {
    if (this.#views.size) this.#work(0);
  }

  /** Returns what to delete; null without a current preview, or without jobs. The dialog asks once more if that is much. */
  target() {
    const { preview, policy } = this;
    return this.#isCurrent && preview && policy && preview.go > 0 ? { policy, allow_large: true, account: preview.account } : null;
  }

  #tell() {
    for (const listener of this.#views) listener();
  }

  #stop = () => {
    this.#request?.abort();
    this.#request = null;
    this.working = false;
  };

  /** @param {number} wait */
  #work(wait) {
    this.#stop();
    const { policy, fault } = readChoice(this.choice);
    this.error = null;
    this.#isCurrent = false;
    if (policy) {
      const request = (this.#request = new AbortController());
      this.working = true;
      const stop = this.after(() => void this.#ask(policy, request), wait);
      request.signal.addEventListener("abort", stop);
    } else if (fault.kind === "nothing") this.preview = emptyPreview(this.preview);
    this.#tell();
  }

  /** @param {Policy} policy @param {AbortController} request */
  async #ask(policy, request) {
    const [preview, error] = await this.api.cleanUp(policy, request.signal).then((got) => [got, null], (failure) => [null, failure]);
    if (request.signal.aborted) return;
    this.#request = null;
    this.working = false;
    if (error && !(error instanceof HistoryApiError)) throw error;
    [this.preview, this.policy, this.error] = [preview, preview && policy, error];
    this.#isCurrent = preview !== null;
    this.#tell();
  }
}
