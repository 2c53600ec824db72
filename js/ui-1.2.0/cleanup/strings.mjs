// @ts-check
/** Texts of Clean up. */

import { clean } from "../common/format.mjs";
import { text } from "../common/words.mjs";
import { isRule, ruleOf } from "./rules.mjs";

/** @import { KeepReason, Policy } from "../../../types/wire" */
/** @import { RuleKey } from "./rules.mjs" */

/** @param {string} typed @param {RuleKey} rule */
export const unreadable = (typed, rule) => text("cleanup.unreadable", { text: clean(typed, 40), unit: ruleOf(rule).unit });

/** @param {number} go @param {number} all */
export const wouldGo = (go, all) => text("cleanup.would_go", { go, n: all });

/** @param {number} all */
export const nothingWouldGo = (all) => text("cleanup.nothing_would_go", { n: all });

/** Reasons that are no rules. */
const NO_RULE = new Set(["protected", "active", "no_time", "not_chosen", "unknown"]);

/** A reason as the end of a key, and its number. @param {KeepReason} reason @param {Policy} policy that keeps the job @returns {[string, {n: number}]} */
function keyOf(reason, policy) {
  if (!isRule(reason)) return [NO_RULE.has(reason) ? reason : "unknown", { n: 0 }];
  return [reason, { n: Number.parseInt(String(policy[ruleOf(reason).field]), 10) || 0 }];
}

/** @param {KeepReason} reason @param {Policy} policy that keeps the job */
export function reasonWord(reason, policy) {
  const [key, values] = keyOf(reason, policy);
  return text(`cleanup.reason_${key}`, values);
}

/** @param {KeepReason | null} reason null: the job would be deleted @param {Policy} policy */
export function outcomeWord(reason, policy) {
  if (reason === null) return text("cleanup.goes");
  const [key, values] = keyOf(reason, policy);
  return text(`cleanup.kept_${key}`, values);
}
