// @ts-check
/** Filters and sorts jobs. Must agree with the server, which applies the filter again before a deletion. */

import { searcher } from "../common/search.mjs";
import { groupOf } from "../common/status.mjs";
import { hasOutputs } from "../outputs/saved.mjs";

/** @import { Choice, Filter, Row } from "../../../types/list" */
/** @import { SavedState } from "../outputs/saved.mjs" */

/**
 * What only this server knows of jobs.
 * @typedef {{protection: {covers(row: Row): boolean}, saved: {of(id: string): SavedState | undefined}}} Known
 */

const DAY = 86_400_000;

/** @type {Choice} */
export const EVERYTHING = { tab: "all", search: "", time: "", from: "", to: "", workflow: "", output: "", protection: "", saved: "", only: null, onlyWord: "", sort: "recent" };

/** Local midnight, `days` days after a date like 2026-11-23. @param {string} date @param {number} [days] */
function midnight(date, days = 0) {
  const [year, month, day] = date.split("-").map(Number);
  return new Date(year ?? 0, (month ?? 1) - 1, (day ?? 1) + days).getTime();
}

/** @param {Choice} choice @param {number} now @returns {Pick<Filter, "after" | "before">} */
function bounds({ time, from, to }, now) {
  if (time === "between") return { ...(from && { after: midnight(from) }), ...(to && { before: midnight(to, 1) }) };
  const [, way, days] = time.match(/^(last|older)(\d+)$/) ?? [];
  const at = now - Number(days) * DAY;
  if (way === "last") return { after: at };
  return way ? { before: at } : {};
}

/** @param {Choice} choice @param {number} now @returns {Filter} */
export function filterOf(choice, now) {
  const { tab, search, workflow, output, protection, saved } = choice;
  return {
    ...(tab !== "all" && { statuses: [tab] }),
    ...(search && { search }),
    ...bounds(choice, now),
    ...(workflow && { workflow_id: workflow }),
    ...(output && { output_type: output }),
    ...(protection && { protected: protection === "protected" }),
    ...(saved && { saved }),
  };
}

/** @type {Known} */
const NOTHING_KNOWN = { protection: { covers: () => false }, saved: { of: () => undefined } };

/** Whether a job belongs to a choice of saved outputs. A job of which nothing is known belongs to none. @param {Row} row @param {SavedState | undefined} state @param {"yes" | "no"} wanted */
const isSavedAs = (row, state, wanted) => hasOutputs(row) && state !== undefined && (state === "all") === (wanted === "yes");

/**
 * @param {Filter} filter
 * @param {Known} [known]
 * @param {((workflow: string) => string) | null} [nameOf] the name of a workflow, which the search also finds; null: as the server searches
 * @returns {(row: Row) => boolean}
 */
export function matcher({ statuses = [], search = "", after, before, workflow_id, output_type, protected: kept, saved }, known = NOTHING_KNOWN, nameOf = null) {
  const finds = search.trim() ? searcher(search, nameOf) : () => true;
  return (row) =>
    (!statuses.length || statuses.some((status) => status === row.status || status === groupOf(row.status))) &&
    (after === undefined || (row.created !== null && row.created >= after)) &&
    (before === undefined || (row.created !== null && row.created < before)) &&
    (!workflow_id || row.workflow_id === workflow_id) &&
    (!output_type || row.output_type === output_type) &&
    (kept === undefined || known.protection.covers(row) === kept) &&
    (saved === undefined || isSavedAs(row, known.saved.of(row.id), saved)) &&
    finds(row);
}

/** Rows without the sorted value come last in both directions. Equal rows keep their order. @param {Row[]} rows @param {Choice["sort"]} sort */
export function sorted(rows, sort) {
  const key = sort === "recent" || sort === "oldest" ? "created" : "took";
  const sign = sort === "recent" || sort === "longest" ? -1 : 1;
  const order = (/** @type {Row} */ a, /** @type {Row} */ b) => {
    const [x, y] = [a[key], b[key]];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  };
  return rows.sort(order);
}

/** The number of active filters, not counting tab and search. @param {Choice} choice */
export const inForce = ({ time, workflow, output, protection, saved, only }) => [time, workflow, output, protection, saved, only].filter(Boolean).length;
