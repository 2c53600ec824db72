// @ts-check
/** The words of cleaning up. */

import { clean, number, plural } from "../common/format.mjs";

/** @import { KeepReason, Policy } from "../../../types/wire" */
/** @import { RuleKey } from "./model.mjs" */

export const CLEAN_UP = {
  title: "Clean up",
  keep: "Always keep",
  which: "Which jobs",
  apply: "Apply the rules to",
  workflow: "Workflow",
  together: "All jobs together",
  apart: "Each workflow apart",
  why: "Kept, and why",
  columns: ["Job", "Finished", "What happens"],
  goes: "Would go",
  working: "Working out…",
  noRule: "Set at least one rule. Without one, nothing would be kept.",
  show: "Show",
};

/** @type {Record<RuleKey, {label: string, unit: string, spoken: string}>} */
export const RULE_WORDS = {
  last: { label: "The last", unit: "jobs", spoken: "Jobs to keep" },
  within: { label: "Everything from the last", unit: "days", spoken: "Days to keep" },
  daily: { label: "One job a day, for", unit: "days", spoken: "Daily jobs to keep" },
  weekly: { label: "One job a week, for", unit: "weeks", spoken: "Weekly jobs to keep" },
};

/** @param {string} text @param {RuleKey} rule */
export const unreadable = (text, rule) => `“${clean(text, 40)}” is not a number of ${RULE_WORDS[rule].unit}. Nothing is deleted until it is.`;

/** @param {number} go @param {number} all */
export const wouldGo = (go, all) => plural(all, `${number(go)} of {n} job would go`, `${number(go)} of {n} jobs would go`);

/** @param {number} all */
export const nothingWouldGo = (all) => `Nothing would go. ${plural(all, "These rules keep the only job.", "These rules keep all {n} jobs.")}`;

/** @param {number} go @param {number} kept */
export const splitSpoken = (go, kept) => `${number(go)} would go, ${number(kept)} would be kept`;

/** Why a job stays. @param {KeepReason} reason @param {Policy} policy whose rule it was */
export function reasonWord(reason, policy) {
  switch (reason) {
    case "last":
      return `Last ${number(policy.keep_last ?? 0)}`;
    case "within":
      return plural(Number.parseInt(policy.keep_within ?? "", 10) || 0, "Within {n} day", "Within {n} days");
    case "daily":
      return "One a day";
    case "weekly":
      return "One a week";
    case "protected":
      return "Protected";
    case "active":
      return "Active";
    case "no_time":
      return "No usable time";
    case "not_chosen":
      return "Not chosen";
    default:
      return "Unknown status";
  }
}

/** @param {KeepReason | null} reason null: it would go @param {Policy} policy */
export function outcomeWord(reason, policy) {
  if (reason === null) return CLEAN_UP.goes;
  const word = reasonWord(reason, policy);
  return `Kept: ${word[0]?.toLowerCase()}${word.slice(1)}`;
}

/**
 * What the person must say yes to, once more; "" for nothing.
 * @param {{go: number, share: number, all: boolean, large: boolean, finished: number}} preview
 */
export function agreeWord({ go, share, all, large, finished }) {
  const about = Math.round(go / share);
  // The rules may be about some of the finished jobs alone: failed ones, or those of a workflow.
  const narrowed = about < finished;
  if (all && narrowed) return plural(go, "Yes, delete the only job these rules are about", "Yes, delete all {n} jobs these rules are about");
  if (all) return plural(go, "Yes, delete the only finished job", "Yes, delete all {n} finished jobs");
  if (!large) return "";
  // Not all of them, so never told as 100%.
  const part = `Yes, delete ${Math.min(99, Math.round(share * 100))}% of`;
  return narrowed ? `${part} the ${plural(about, "{n} job", "{n} jobs")} these rules are about` : `${part} my finished jobs`;
}

/** @type {[("all" | "go" | "kept"), string][]} */
export const SHOWN = [["all", "All"], ["go", CLEAN_UP.goes], ["kept", "Kept"]];
