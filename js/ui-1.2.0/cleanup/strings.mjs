// @ts-check
/** Texts of Clean up. */

import { clean, number, plural } from "../common/format.mjs";
import { isRule, ruleOf } from "./rules.mjs";

/** @import { KeepReason, Policy } from "../../../types/wire" */
/** @import { RuleKey } from "./rules.mjs" */

export const CLEAN_UP = {
  title: "Clean up",
  keep: "Always keep",
  which: "Which jobs",
  apply: "Apply the rules to",
  workflow: "Workflow",
  together: "All jobs together",
  apart: "Each workflow apart",
  why: "Kept, and why",
  columns: ["Job", "Created", "What happens"],
  goes: "Would go",
  stays: "Kept",
  working: "Working out…",
  noRule: "Set at least one rule. Without one, nothing would be kept.",
  show: "Show",
  setFirst: "Set at least one rule first.",
  correctFirst: "Correct the number first.",
  nothing: "No job would go.",
};

/** @param {string} text @param {RuleKey} rule */
export const unreadable = (text, rule) => `“${clean(text, 40)}” is not a number of ${ruleOf(rule).unit}. Nothing is deleted until it is.`;

/** @param {number} go @param {number} all */
export const wouldGo = (go, all) => plural(all, `${number(go)} of {n} job would go`, `${number(go)} of {n} jobs would go`);

/** @param {number} all */
export const nothingWouldGo = (all) => `Nothing would go. ${plural(all, "These rules keep the only job.", "These rules keep all {n} jobs.")}`;

/** @param {number} kept */
export const countedOnce = (kept) => `Each of the ${number(kept)} kept jobs is counted once, under one reason. Others may keep it too.`;

/** @param {number} go @param {number} kept */
export const splitSpoken = (go, kept) => `${number(go)} would go, ${number(kept)} would be kept`;

/** @type {Record<Exclude<KeepReason, RuleKey>, string>} */
const NO_RULE = {
  protected: "Protected", active: "Active", no_time: "No usable time", not_chosen: "Not chosen", unknown: "Unknown status",
};

/** @param {KeepReason} reason @param {Policy} policy that keeps the job */
export function reasonWord(reason, policy) {
  if (!isRule(reason)) return NO_RULE[reason] ?? NO_RULE.unknown;
  const { field, kept } = ruleOf(reason);
  return kept(Number.parseInt(String(policy[field]), 10) || 0);
}

/** @param {KeepReason | null} reason null: the job would be deleted @param {Policy} policy */
export function outcomeWord(reason, policy) {
  if (reason === null) return CLEAN_UP.goes;
  const word = reasonWord(reason, policy);
  return `Kept: ${word[0]?.toLowerCase()}${word.slice(1)}`;
}

/** @type {[("all" | "go" | "kept"), string][]} */
export const SHOWN = [["all", "All"], ["go", CLEAN_UP.goes], ["kept", CLEAN_UP.stays]];
