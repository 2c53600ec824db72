// @ts-check
/** Texts on screen of the list of jobs and its pages. */

import { clean, dateTime, number, plural, roughDuration, shortId } from "../common/format.mjs";
import { groupOf, GROUPS } from "../common/status.mjs";
import { SAVED_CHOICES } from "../outputs/strings.mjs";
import { PROTECTIONS } from "../protection/strings.mjs";

/** @import { Doing, Held } from "../../../types/deletion" */
/** @import { Choice, Row, Store } from "../../../types/list" */

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
  searchBy: "Search by name, workflow, status, time, job ID or error",
  clearSearch: "Clear search",
  filter: "Filter",
  sort: "Sort",
  clearFilters: "Clear filters",
  showAll: "Show all jobs",
  done: "Done",
  selectShown: "Select all shown",
  deselect: "Deselect all",
  details: "Details",
  chooseJob: "Choose a job to see its details.",
  view: "View outputs",
  openWorkflow: "Open workflow",
  downloadWorkflow: "Download workflow",
  copyId: "Copy job ID",
  cancelJob: "Cancel job",
  cancelAsk: "Cancel job…",
  delete: "Delete…",
  cantDelete: "You can delete again when Comfy Cloud answers.",
  cantSave: "You can save outputs when Comfy Cloud answers.",
  noOutput: "This job has no outputs.",
  noOutputs: "These jobs have no outputs.",
  deleteMatching: "Delete all matching…",
  deleteThis: "Delete this job…",
  activeStay: "Active jobs can’t be deleted.",
  protectedStay: "Protected jobs can’t be deleted.",
  noneRemovable: "None of these jobs can be deleted: they are active, protected or of an unknown status.",
  scrolledOut: "This job is outside the visible part of the list.",
  showInList: "Show in the list",
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

/** @param {string} name @param {number} jobs */
export const workflowOption = (name, jobs) => `${name} (${number(jobs)})`;

/** @param {string} filter */
export const removeFilter = (filter) => `Remove filter: ${filter}`;

/** @param {number} n @param {boolean} exact whether these jobs are all that would be selected */
export const matchingWord = (n, exact) => (exact ? `Select all ${number(n)} matching` : `Select all matching (${number(n)} loaded)`);

/** @param {number} n */
export const deleteWord = (n) => `Delete ${number(n)}…`;

/** The jobs of the list, for an action on all of them. @param {number} n */
export const ofShown = (n) => plural(n, "Of the job in the list", "Of the {n} jobs in the list");

/** Says "active", because beside a deletion "Cancel 2 jobs" could mean to cancel that deletion. @param {number} n */
export const cancelWord = (n) => plural(n, "Cancel {n} active job…", "Cancel {n} active jobs…");

/** @param {number} n */
export const idsCopied = (n) => (n === 1 ? "Job ID copied" : `${number(n)} job IDs copied`);

/** @param {number} n */
export const loadedWord = (n) => plural(n, "{n} job loaded", "{n} jobs loaded");

/** @param {number} at */
export const lastRead = (at) => `Last read at ${dateTime(at)}`;

const date = (/** @type {string} */ text) => (text ? dateTime(new Date(`${text}T12:00`).getTime()).split(",")[0] : "");

/**
 * The label of each active filter, with the change that removes the filter.
 * @param {Choice} choice
 * @param {string} current the workflow on the canvas
 * @param {(workflow: string) => string} nameOf
 * @returns {[string, Partial<Choice>][]}
 */
export function chips(choice, current, nameOf) {
  const { time, from, to, workflow, output, protection, saved, only, onlyWord } = choice;
  const named = (/** @type {[string, string][]} */ list, /** @type {string} */ value) => list.find(([key]) => key === value)?.[1] ?? value;
  const range = from && to ? `${date(from)} to ${date(to)}` : from ? `From ${date(from)}` : `To ${date(to)}`;
  /** @type {[string, Partial<Choice>][]} */
  const all = [
    [time === "between" ? range : named(TIMES, time), time ? { time: "", from: "", to: "" } : {}],
    [nameOf(workflow) || (workflow === current ? FIELDS.currentWorkflow : shortId(workflow)), workflow ? { workflow: "" } : {}],
    [named(OUTPUTS, output), output ? { output: "" } : {}],
    [named(PROTECTIONS, protection), protection ? { protection: "" } : {}],
    [named(SAVED_CHOICES, saved), saved ? { saved: "" } : {}],
    [`${onlyWord} (${number(only?.length ?? 0)})`, only ? { only: null } : {}],
  ];
  return all.filter(([, without]) => Object.keys(without).length);
}

/** "12 min of run time", with "at least" if the time of some jobs is unknown; "" if that of all is. @param {Pick<Row, "status" | "took">[]} rows */
export function runTime(rows) {
  const known = rows.filter(({ took }) => took !== null);
  if (!known.length) return "";
  const unknown = rows.some(({ status, took }) => took === null && status !== "pending");
  const sum = known.reduce((all, { took }) => all + (took ?? 0), 0);
  return `${unknown ? "at least " : ""}${roughDuration(sum)} of run time`;
}

/** @param {number} selected @param {number} shown how many of them the list shows */
const selectedWords = (selected, shown) => (shown === selected ? "" : shown ? `, ${number(shown)} shown here` : ", none shown here");

/** The count line: how many jobs are listed, or how many are selected. @param {Store} store @returns {[string, string]} the emphasised text, and the rest */
export function countWords(store) {
  const { rows, counts, held, loading, loaded, total, readAt, error, incomplete, selection } = store;
  if (selection.size) {
    const least = selection.matching ? `At least ${number(selection.size)}` : number(selection.size);
    const held = heldWords(store);
    const time = held ? "" : runTime(store.selectedRows());
    return [`${least} selected`, `${selectedWords(selection.size, store.shownSelected()) || (time && `, ${time}`)}${held}`];
  }
  if (readAt === null) return ["", !loading ? "" : total ? `Loading jobs… ${number(loaded)} of ${number(total)}` : "Loading jobs…"];
  const old = error ? ` at ${dateTime(readAt)}` : "";
  const atLeast = incomplete && !old ? "at least " : "";
  const all = `${plural(counts.all, "{n} job", "{n} jobs")}${old}${heldWords(store)}`;
  // Only a filter makes it "9 of 20,000": jobs that are about to go are still there.
  if (rows.length + held.matching < counts.all) return ["", `${number(rows.length)} of ${atLeast}${all}`];
  return ["", atLeast ? `At least ${all}` : all];
}

/** Why none of these jobs can be deleted. @param {Row[]} rows not empty */
export function whyNoneRemovable(rows) {
  const groups = new Set(rows.map(({ status }) => groupOf(status)));
  if (groups.size === 1 && groups.has("active")) return PANEL.activeStay;
  return groups.has("active") || groups.has("unknown") ? PANEL.noneRemovable : PANEL.protectedStay;
}

/** Why a deletion leaves out some of the selected jobs; "" if it leaves out none. @param {number} selected @param {number} removable */
export const someStay = (selected, removable) =>
  removable && removable < selected ? `${number(removable)} of ${number(selected)} selected jobs can be deleted. ${plural(selected - removable, "The other one is", "The others are")} active, protected or of an unknown status.` : "";

/** Why the details beside the list can't delete or protect their job. @param {number} selected */
export const selectionActs = (selected) =>
  plural(selected, "{n} job is selected. Use the buttons below the list, or deselect it.", "{n} jobs are selected. Use the buttons below the list, or deselect them.");

/** @type {Record<Doing, (group: Held) => string>} */
const HELD = {
  waiting: ({ all }) => `${number(all)} about to be removed`,
  sending: ({ all, jobs, sending }) => `${sending < jobs ? `${number(sending)} of ${number(jobs)}` : number(all)} being removed`,
  checking: ({ all }) => `${number(all)} being checked`,
  stopping: ({ all }) => `deletion of ${number(all)} being stopped`,
  stopped: ({ all }) => `${number(all)} being checked`,
  unknown: ({ all }) => `${number(all)} perhaps removed`,
};

/** What open deletions do with their jobs, which the list leaves out but the history may still have. @param {Store} store */
const heldWords = ({ held }) => held.groups.map((group) => `, ${HELD[group.doing](group)}`).join("");

/** @param {number} n */
const whichAreGone = (n) => plural(n, "checking whether {n} job is gone", "checking which of {n} jobs are gone");

/** @type {Record<Doing, (group: Held) => {title: string, text: string}>} */
const ALL_HELD = {
  waiting: ({ matching: n }) => ({
    title: plural(n, "{n} job is about to be removed", "{n} jobs are about to be removed"),
    text: plural(n, "It is still in your history.", "They are still in your history."),
  }),
  sending: ({ matching: n, jobs, sending }) =>
    sending < jobs
      ? { title: `${number(sending)} of ${plural(jobs, "{n} job", "{n} jobs")} ${sending === 1 ? "is" : "are"} being removed`, text: plural(jobs - sending, "The other one is not sent. The result says why.", "The other {n} are not sent. The result says why.") }
      : { title: plural(n, "{n} job is being removed", "{n} jobs are being removed"), text: "" },
  checking: ({ sending: n }) => ({ title: capital(whichAreGone(n)), text: "" }),
  stopping: ({ matching: n }) => ({ title: plural(n, "Stopping the deletion of {n} job", "Stopping the deletion of {n} jobs"), text: "Nothing has been deleted yet." }),
  stopped: ({ sending: n }) => ({ title: `Stopping: ${whichAreGone(n)}`, text: "" }),
  unknown: ({ matching: n, why }) => ({ title: plural(n, "It is not known whether {n} job is gone", "It is not known which of {n} jobs are gone"), text: why && `${why}.` }),
};

/** In place of a list whose jobs are all in open deletions. @param {Held[]} groups @returns {{title: string, text: string}} */
export function allHeld(groups) {
  const [first, ...others] = groups.filter(({ matching }) => matching > 0).map((group) => ALL_HELD[group.doing](group));
  if (!first) return EMPTY;
  return others.length ? { title: first.title, text: [first.text, ...others.map(({ title }) => `${title}.`)].filter(Boolean).join(" ") } : first;
}

export const EMPTY = { title: "No jobs in your cloud history", text: "Jobs you run on Comfy Cloud show up here." };

/** The title of a tab without jobs. @param {Choice["tab"]} tab @param {boolean} isComplete whether all jobs were read */
export const noneInTab = (tab, isComplete) => `No ${TABS.find(([key]) => key === tab)?.[1].toLowerCase()} jobs${isComplete ? "" : " among those read"}`;

/** Names everything that a job would have to match, by the words that the screen uses. @param {Choice} choice @param {string} current @param {(workflow: string) => string} nameOf */
export function nothingMatches(choice, current, nameOf) {
  const tab = choice.tab === "all" ? [] : TABS.filter(([key]) => key === choice.tab).map(([, label]) => label);
  const search = choice.search ? [`“${clean(choice.search)}”`] : [];
  const all = [...tab, ...chips(choice, current, nameOf).map(([word]) => word), ...search];
  return all.length === 1 ? `No job matches: ${all[0]}` : `No job matches all of these: ${all.join(" · ")}`;
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
const capital = (words) => `${words.charAt(0).toUpperCase()}${words.slice(1)}`;

/** @param {string} words */
const sentence = (words) => `${capital(words).replace(/\.$/, "")}.`;
