// @ts-check
/** Texts on screen of the list of jobs and its pages. */

import { clean, dateTime, number, plural, shortId } from "../common/format.mjs";
import { GROUPS } from "../common/status.mjs";
import { PROTECTIONS } from "../protection/strings.mjs";

/** @import { Choice, Store } from "../../../types/list" */

export const PANEL = {
  title: "Cloud history",
  refresh: "Refresh",
  large: "Open in a large window",
  more: "More",
  close: "Close",
  back: "Back to the list",
  cleanUp: "Clean up…",
  audit: "Recently deleted",
  connection: "Connection…",
  notConnected: "Not connected",
  clear: "Clear cloud history…",
  clearOthers: "Delete all but protected…",
  assetsStay: "Media assets won’t be deleted.",
  status: "Status",
  jobs: "Jobs",
  search: "Search Jobs...",
  searchBy: "Search by name, job ID, workflow ID or error",
  clearSearch: "Clear search",
  filter: "Filter",
  sort: "Sort",
  clearFilters: "Clear filters",
  done: "Done",
  selectShown: "Select all shown",
  deselect: "Deselect all",
  details: "Details",
  view: "View outputs",
  openWorkflow: "Open workflow",
  downloadWorkflow: "Download workflow",
  copyId: "Copy job ID",
  cancelJob: "Cancel job",
  cancelAsk: "Cancel job…",
  delete: "Delete…",
  cantDelete: "You can delete again when Comfy Cloud answers.",
  activeStay: "Active jobs can’t be deleted.",
  busy: "Another deletion is running.",
  stopped: "Deletions are stopped.",
  nothingFound: "No Results Found",
  readAgain: "Read again",
};

export const COLUMNS = ["Name", "Status", "Took", "Outputs", "When", "Job ID"];

/** @type {[Choice["tab"], string][]} */
export const TABS = [["all", "All"], ...GROUPS];

/** @type {[Choice["sort"], string][]} */
export const SORTS = [
  ["recent", "Most recent"],
  ["oldest", "Oldest"],
  ["longest", "Longest generation time"],
  ["shortest", "Shortest generation time"],
];

/** @type {[Choice["time"], string][]} */
export const TIMES = [
  ["", "Any time"],
  ["last1", "Last 24 hours"],
  ["last7", "Last 7 days"],
  ["last30", "Last 30 days"],
  ["older7", "Older than 7 days"],
  ["older30", "Older than 30 days"],
  ["older90", "Older than 90 days"],
  ["between", "Between two dates…"],
];

/** @type {[Choice["output"], string][]} */
export const OUTPUTS = [["", "Any"], ["image", "Image"], ["video", "Video"], ["audio", "Audio"], ["3d", "3D"]];

export const FIELDS = {
  time: "Time",
  from: "From",
  to: "To",
  workflow: "Workflow",
  allWorkflows: "All workflows",
  currentWorkflow: "Current workflow",
  output: "Output type",
};

/** @param {number} n */
export const outputsWord = (n) => plural(n, "{n} output", "{n} outputs");

/** @param {string} tab @param {string} count the number as it is shown @param {number} n */
export const tabSpoken = (tab, count, n) => `${tab}, ${count} ${n === 1 ? "job" : "jobs"}`;

/** @param {number} n */
export const filterSpoken = (n) => (n ? `${PANEL.filter}, ${number(n)} in force` : PANEL.filter);

/** @param {string} filter */
export const removeFilter = (filter) => `Remove filter: ${filter}`;

/** @param {number} n */
export const matchingWord = (n) => `Select all ${number(n)} matching`;

/** @param {number} n */
export const deleteWord = (n) => `Delete ${number(n)}…`;

/** @param {number} n */
export const cancelWord = (n) => plural(n, "Cancel {n} job…", "Cancel {n} jobs…");

/** @param {number} n */
export const idsCopied = (n) => (n === 1 ? "Job ID copied" : `${number(n)} job IDs copied`);

/** @param {number} n */
export const loadedWord = (n) => plural(n, "{n} job loaded", "{n} jobs loaded");

/** @param {number} at */
export const lastRead = (at) => `Last read at ${dateTime(at)}`;

const date = (/** @type {string} */ text) => (text ? dateTime(new Date(`${text}T12:00`).getTime()).split(",")[0] : "");

/** The label of each active filter, with the change that removes the filter. @param {Choice} choice @param {string} current @returns {[string, Partial<Choice>][]} */
export function chips(choice, current) {
  const { time, from, to, workflow, output, protection, only } = choice;
  const named = (/** @type {[string, string][]} */ list, /** @type {string} */ value) => list.find(([key]) => key === value)?.[1] ?? value;
  const range = from && to ? `${date(from)} to ${date(to)}` : from ? `From ${date(from)}` : `To ${date(to)}`;
  /** @type {[string, Partial<Choice>][]} */
  const all = [
    [time === "between" ? range : named(TIMES, time), time ? { time: "", from: "", to: "" } : {}],
    [workflow === current ? FIELDS.currentWorkflow : shortId(workflow), workflow ? { workflow: "" } : {}],
    [named(OUTPUTS, output), output ? { output: "" } : {}],
    [named(PROTECTIONS, protection), protection ? { protection: "" } : {}],
    [`Not removed (${number(only?.length ?? 0)})`, only ? { only: null } : {}],
  ];
  return all.filter(([, without]) => Object.keys(without).length);
}

/** @param {Store} store @returns {[string, string]} the emphasised text, and the rest */
export function countWords(store) {
  const { rows, counts, loading, loaded, total, readAt, error, incomplete, selection } = store;
  if (loading && readAt === null) return ["", total ? `Loading jobs… ${number(loaded)} of ${number(total)}` : "Loading jobs…"];
  const old = error && readAt !== null ? ` at ${dateTime(readAt)}` : "";
  const all = `${incomplete && !old ? "at least " : ""}${number(counts.all)} in all${old}`;
  return [`${number(selection.size)} selected`, ` of ${number(rows.length)} shown, ${all}`];
}

export const EMPTY = { title: "No jobs in your cloud history", text: "Jobs you run on Comfy Cloud show up here." };

/** @param {Choice} choice @param {string} current */
export function nothingMatches(choice, current) {
  const tab = choice.tab === "all" ? "" : ` ${(TABS.find(([key]) => key === choice.tab)?.[1] ?? "").toLowerCase()}`;
  const filters = chips(choice, current).map(([word]) => ` ${word[0]?.toLowerCase()}${word.slice(1)}`).join(",");
  return `No${tab} job${filters}${choice.search ? ` matches “${clean(choice.search)}”` : ""}.`;
}

/** @param {number} at */
export const OLD_LIST = (at) => `This list is from ${dateTime(at)}. You can look, but not delete.`;

/** @param {number} n @param {string} doubt why the list is unreliable; "" if it broke off */
export const incompleteWords = (n, doubt = "") => ({
  title: "This list is not complete",
  text: doubt ? `${sentence(doubt)} It shows ${plural(n, "{n} job", "{n} jobs")}.` : `Comfy Cloud stopped answering after ${plural(n, "{n} job", "{n} jobs")}.`,
});

/** @param {number} n */
export const unreadableWords = (n) => ({
  title: plural(n, "{n} job could not be read", "{n} jobs could not be read"),
  text: "Comfy Cloud wrote them in a way that this pack does not know. They are not shown here, and nothing here deletes them.",
});

/** @param {string} words */
const sentence = (words) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
