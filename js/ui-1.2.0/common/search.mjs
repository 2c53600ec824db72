// @ts-check
/** Which jobs a search finds: those that have each of its words on screen. No DOM. */

import { clockTime, exactClock } from "./format.mjs";
import { STATUSES, statusName } from "./status.mjs";
import { formatter, words as messages } from "./words.mjs";

/** @import { Row } from "../../../types/wire" */

/** @typedef {Pick<Row, "id" | "status" | "raw" | "created" | "name" | "workflow_id" | "error">} Searched */

/** The words of a search, in lower case. @param {string} search */
const wordsOf = (search) => search.toLowerCase().split(/\s+/).filter(Boolean);

/** The words of all times of day, as `formatter` writes them. @type {{formatter: unknown, words: Set<string>}} */
let clock = { formatter: null, words: new Set() };

/** Whether a word is a time of day such as "18:37" or "18:37:05", or a part of one such as "PM", as this browser writes it. @param {string} word */
function isClockWord(word) {
  if (clock.formatter !== formatter()) {
    const times = Array.from({ length: 1_440 }, (_, minute) => wordsOf(clockTime(new Date(2026, 0, 1, 0, minute).getTime())));
    clock = { formatter: formatter(), words: new Set(times.flat()) };
  }
  return clock.words.has(word) || clock.words.has(word.replace(/[:.]\d\d$/, ""));
}

/** @param {string} workflow a workflow's name @param {string} name as in the names of jobs */
const named = (workflow, name) => `${workflow} · ${name}`.toLowerCase();

/**
 * Whether a search may find other jobs here than on the server, which knows neither the names of workflows nor the browser's way of
 * writing times.
 * @param {string} search @param {Iterable<string>} names of workflows
 */
export function searchesOnlyHere(search, names) {
  const words = wordsOf(search);
  if (words.some((word) => isClockWord(word) || isTranslatedStatus(word))) return true;
  return words.length > 0 && [...names].some((name) => words.some((word) => named(name, "").includes(word)));
}

/** The server knows the statuses by their English words. @param {Searched["status"]} status */
const englishStatus = (status) => messages.english[`common.status.${Object.hasOwn(STATUSES, status) ? status : "unknown"}`] ?? "";

/** @param {string} word of a search */
const isTranslatedStatus = (word) =>
  messages.language !== "en" && Object.keys(STATUSES).some((status) => statusName(/** @type {Searched["status"]} */ (status)).toLowerCase().includes(word));

/** The texts that the server searches too (`Job.mentions`). @param {Searched} job */
function texts({ id, status, raw, name, workflow_id: workflow, error }) {
  const state = status === "unknown" ? `${englishStatus(status)} (${raw})` : englishStatus(status);
  // The end is as in the name of a job without outputs: "Failed KSampler, 18:37:05".
  const what = `${[state, error?.node_type].filter(Boolean).join(" ")},`;
  return [name, id, workflow, error?.message ?? "", what].map((text) => text.toLowerCase());
}

/**
 * Returns a test for jobs that have each word of the search in their name, id, workflow id, status or error.
 * @param {string} search
 * @param {((workflow: string) => string) | null} nameOf the name of a workflow, which is searched too, as is the time; null: as the server searches
 * @returns {(job: Searched) => boolean}
 */
export function searcher(search, nameOf) {
  const words = wordsOf(search);
  const times = new Set(nameOf ? words.filter(isClockWord) : []);
  return (job) => {
    const searched = texts(job);
    const workflow = nameOf?.(job.workflow_id);
    if (workflow) searched.push(named(workflow, job.name));
    if (nameOf) searched.push(statusName(job.status).toLowerCase());
    const shown = times.size && job.created !== null ? wordsOf(`${clockTime(job.created)} ${exactClock(job.created)}`) : [];
    return words.every((word) => searched.some((text) => text.includes(word)) || (times.has(word) && shown.includes(word)));
  };
}
