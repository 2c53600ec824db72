// @ts-check
/** Which jobs a search finds: those that have each of its words on screen. No DOM. */

import { clockTime, exactClock } from "./format.mjs";
import { STATUSES, statusWord } from "./status.mjs";

/** @import { Row } from "../../../types/wire" */

/** @typedef {Pick<Row, "id" | "status" | "raw" | "created" | "name" | "workflow_id" | "error">} Searched */

/** The words of a search, in lower case. @param {string} search */
const wordsOf = (search) => search.toLowerCase().split(/\s+/).filter(Boolean);

/** @type {Set<string> | null} */
let clockWords = null;

/** Whether a word is a time of day such as "18:37" or "18:37:05", or a part of one such as "PM", as this browser writes it. @param {string} word */
function isClockWord(word) {
  clockWords ??= new Set(Array.from({ length: 1_440 }, (_, minute) => wordsOf(clockTime(new Date(2026, 0, 1, 0, minute).getTime()))).flat());
  return clockWords.has(word) || clockWords.has(word.replace(/[:.]\d\d$/, ""));
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
  return words.some(isClockWord) || (words.length > 0 && [...names].some((name) => words.some((word) => named(name, "").includes(word))));
}

/** The texts that the server searches too (`Job.mentions`). @param {Searched} job */
function texts({ id, status, raw, name, workflow_id: workflow, error }) {
  const state = status === "unknown" ? `${STATUSES.unknown.word} (${raw})` : statusWord({ status, raw });
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
    const clock = times.size && job.created !== null ? wordsOf(`${clockTime(job.created)} ${exactClock(job.created)}`) : [];
    return words.every((word) => searched.some((text) => text.includes(word)) || (times.has(word) && clock.includes(word)));
  };
}
