// @ts-check
/** The rules of a clean-up. To add a rule, add an entry to RULES, and its words to words/en.mjs. */

const MAX_DAYS = 36_500;

/**
 * `field`: the field of the policy. `suffix`: text after the number in that field. `max`: the server's maximum. `on`, `first`:
 * whether the rule is on at first, and its first number. `unit`: what is counted.
 * @typedef {{field: string, suffix?: string, max: number, on: boolean, first: string, unit: "jobs" | "days" | "weeks"}} Rule
 */

/** @satisfies {Record<string, Rule>} */
export const RULES = /** @type {const} */ ({
  last: { field: "keep_last", max: 1_000_000, on: true, first: "20", unit: "jobs" },
  within: { field: "keep_within", suffix: "d", max: MAX_DAYS, on: true, first: "30", unit: "days" },
  daily: { field: "keep_daily", max: MAX_DAYS, on: false, first: "7", unit: "days" },
  weekly: { field: "keep_weekly", max: MAX_DAYS, on: true, first: "8", unit: "weeks" },
});

/** @typedef {keyof typeof RULES} RuleKey */

export const RULE_KEYS = /** @type {RuleKey[]} */ (Object.keys(RULES));

/** @param {string} reason @returns {reason is RuleKey} */
export const isRule = (reason) => reason in RULES;

/** @param {RuleKey} key @returns {Rule & {field: (typeof RULES)[RuleKey]["field"]}} */
export const ruleOf = (key) => RULES[key];
