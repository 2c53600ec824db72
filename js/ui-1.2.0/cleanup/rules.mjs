// @ts-check
/** The rules of a clean-up. To add a rule, add an entry to RULES. */

import { number, plural } from "../common/format.mjs";

const MAX_DAYS = 36_500;

/**
 * `field`: the field of the policy. `suffix`: text after the number in that field. `max`: the server's maximum. `on`, `first`:
 * whether the rule is on at first, and its first number. `kept`: the reason shown for a job that the rule keeps.
 * @typedef {{field: string, suffix?: string, max: number, on: boolean, first: string, label: string, unit: string, spoken: string, kept: (n: number) => string}} Rule
 */

/** @satisfies {Record<string, Rule>} */
export const RULES = /** @type {const} */ ({
  last: {
    field: "keep_last", max: 1_000_000, on: true, first: "20",
    label: "The last", unit: "jobs", spoken: "Jobs to keep", kept: (/** @type {number} */ n) => `Last ${number(n)}`,
  },
  within: {
    field: "keep_within", suffix: "d", max: MAX_DAYS, on: true, first: "30",
    label: "Everything from the last", unit: "days", spoken: "Days to keep", kept: (/** @type {number} */ n) => plural(n, "Within {n} day", "Within {n} days"),
  },
  daily: {
    field: "keep_daily", max: MAX_DAYS, on: false, first: "7",
    label: "One job a day, for", unit: "days", spoken: "Daily jobs to keep", kept: () => "One a day",
  },
  weekly: {
    field: "keep_weekly", max: MAX_DAYS, on: true, first: "8",
    label: "One job a week, for", unit: "weeks", spoken: "Weekly jobs to keep", kept: () => "One a week",
  },
});

/** @typedef {keyof typeof RULES} RuleKey */

export const RULE_KEYS = /** @type {RuleKey[]} */ (Object.keys(RULES));

/** @param {string} reason @returns {reason is RuleKey} */
export const isRule = (reason) => reason in RULES;

/** @param {RuleKey} key @returns {Rule & {field: (typeof RULES)[RuleKey]["field"]}} */
export const ruleOf = (key) => RULES[key];
