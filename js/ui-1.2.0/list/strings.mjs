// @ts-check
/** Texts on screen of the list of jobs and its pages. */

import { clean, dateOnly, dateTime, enumeration, roughDuration, sentence, sentences, shortId } from "../common/format.mjs";
import { groupOf, GROUPS, statusName } from "../common/status.mjs";
import { text } from "../common/words.mjs";
import { savedChoices } from "../outputs/strings.mjs";
import { protections } from "../protection/strings.mjs";

/** @import { Doing, Held } from "../../../types/deletion" */
/** @import { Choice, Row, Store } from "../../../types/list" */
/** @import { Words } from "../common/strings.mjs" */

export const columns = () => [
  text("list.column.name"), text("list.column.status"), text("list.column.took"), text("list.column.outputs"), text("list.column.when"), text("list.column.id"),
];

/** Values that a person chooses among, with their labels. @template {string} T @typedef {[T, string][]} Options */

/** @type {Choice["tab"][]} */
export const TABS = ["all", ...GROUPS];

/** @param {Choice["tab"]} tab */
export const tabName = (tab) => (tab === "all" ? text("list.tab.all") : statusName(tab));

/** @returns {Options<Choice["sort"]>} */
export const sorts = () => [
  ["recent", text("list.sort.recent")],
  ["oldest", text("list.sort.oldest")],
  ["longest", text("list.sort.longest")],
  ["shortest", text("list.sort.shortest")],
];

/** @returns {Options<Choice["time"]>} */
export const times = () => [
  ["", text("list.time.any")],
  ["last1", text("list.time.last1")],
  ["last7", text("list.time.last7")],
  ["last30", text("list.time.last30")],
  ["older7", text("list.time.older7")],
  ["older30", text("list.time.older30")],
  ["older90", text("list.time.older90")],
  ["between", text("list.time.between")],
];

/** @returns {Options<Choice["output"]>} */
export const outputTypes = () => [
  ["", text("list.output.any")],
  ["image", text("list.output.image")],
  ["video", text("list.output.video")],
  ["audio", text("list.output.audio")],
  ["3d", text("list.output.model")],
];

/** @param {number} n */
export const outputsWord = (n) => text("list.outputs", { n });

/** @param {string} tab @param {number} n @param {boolean} orMore whether there may be more jobs than were read */
export const tabSpoken = (tab, n, orMore) => (orMore ? text("list.tab.jobs_or_more", { tab, n }) : text("list.tab.jobs", { tab, n }));

/** @param {number} n */
export const filterSpoken = (n) => (n ? text("list.filter_in_force", { n }) : text("list.filter"));

/** @param {string} name @param {number} jobs */
export const workflowOption = (name, jobs) => text("list.named_count", { name, n: jobs });

/** @param {string} filter */
export const removeFilter = (filter) => text("list.remove_filter", { filter });

/** @param {number} n @param {boolean} exact whether these jobs are all that would be selected */
export const matchingWord = (n, exact) => text(exact ? "list.select_matching" : "list.select_matching_loaded", { n });

/** @param {number} n */
export const deleteWord = (n) => text("list.delete_jobs", { n });

/** The jobs of the list, for an action on all of them. @param {number} n */
export const ofShown = (n) => text("list.of_shown", { n });

/** Says "active", because beside a deletion "Cancel 2 jobs" could mean to cancel that deletion. @param {number} n */
export const cancelWord = (n) => text("list.cancel_jobs", { n });

/** @param {number} n */
export const idsCopied = (n) => text("list.ids_copied", { n });

/** @param {number} n */
export const loadedWord = (n) => text("list.loaded", { n });

/** @param {number} at */
export const lastRead = (at) => text("list.last_read", { at: dateTime(at) });

/** @param {string} day such as 2026-11-23 @returns {string} */
const date = (day) => dateOnly(new Date(`${day}T12:00`).getTime());

/** @param {string} from @param {string} to days, of which one may be "" */
function rangeWords(from, to) {
  if (from && to) return text("list.range.between", { from: date(from), to: date(to) });
  if (from) return text("list.range.from", { date: date(from) });
  return text("list.range.to", { date: to && date(to) });
}

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
  /** @type {[string, Partial<Choice>][]} */
  const all = [
    [time === "between" ? rangeWords(from, to) : named(times(), time), time ? { time: "", from: "", to: "" } : {}],
    [nameOf(workflow) || (workflow === current ? text("list.field.current_workflow") : shortId(workflow)), workflow ? { workflow: "" } : {}],
    [named(outputTypes(), output), output ? { output: "" } : {}],
    [named(protections(), protection), protection ? { protection: "" } : {}],
    [named(savedChoices(), saved), saved ? { saved: "" } : {}],
    [text("list.named_count", { name: onlyWord, n: only?.length ?? 0 }), only ? { only: null } : {}],
  ];
  return all.filter(([, without]) => Object.keys(without).length);
}

/** "12 min of run time", with "at least" if the time of some jobs is unknown; "" if that of all is. @param {Pick<Row, "status" | "took">[]} rows */
export function runTime(rows) {
  const known = rows.filter(({ took }) => took !== null);
  if (!known.length) return "";
  const unknown = rows.some(({ status, took }) => took === null && status !== "pending");
  const sum = known.reduce((all, { took }) => all + (took ?? 0), 0);
  return text(unknown ? "list.run_time_at_least" : "list.run_time", { duration: roughDuration(sum) });
}

/** How many of the selected jobs the list shows; "" for all. @param {number} selected @param {number} shown */
const shownWords = (selected, shown) => (shown === selected ? "" : shown ? text("list.selected_shown", { n: shown }) : text("list.selected_none_shown"));

/** @param {Store} store @returns {[string, string]} the emphasised text, and the rest */
function selectedWords(store) {
  const { selection } = store;
  const n = selection.size;
  const held = heldWords(store);
  const time = held.length ? "" : runTime(store.selectedRows());
  const rest = [shownWords(n, store.shownSelected()) || time, ...held].filter(Boolean);
  return [text(selection.matching ? "list.selected_at_least" : "list.selected", { n }), rest.map((each) => text("common.comma") + each).join("")];
}

/** The count line: how many jobs are listed, or how many are selected. @param {Store} store @returns {[string, string]} the emphasised text, and the rest */
export function countWords(store) {
  const { rows, counts, held, loading, loaded, total, readAt, error, incomplete, selection } = store;
  if (selection.size) return selectedWords(store);
  if (readAt === null) return ["", !loading ? "" : total ? text("list.count.loading", { n: loaded, total }) : text("common.loading")];
  // Only a filter makes it "9 of 20,000": jobs that are about to go are still there.
  const isFiltered = rows.length + held.matching < counts.all;
  const values = { n: counts.all, shown: rows.length, at: dateTime(readAt) };
  const [whole, some] = error ? ["all_at", "some_at"] : incomplete ? ["at_least", "some_at_least"] : ["all", "some"];
  return ["", enumeration([text(`list.count.${isFiltered ? some : whole}`, values), ...heldWords(store)])];
}

/** Why none of these jobs can be deleted. @param {Row[]} rows not empty */
export function whyNoneRemovable(rows) {
  const groups = new Set(rows.map(({ status }) => groupOf(status)));
  if (groups.size === 1 && groups.has("active")) return text("list.active_stay");
  return groups.has("active") || groups.has("unknown") ? text("list.none_removable") : text("list.protected_stay");
}

/** Why a deletion leaves out some of the selected jobs; "" if it leaves out none. @param {number} selected @param {number} removable */
export const someStay = (selected, removable) =>
  removable && removable < selected ? text("list.some_stay", { removable, selected, rest: selected - removable }) : "";

/** Why the details beside the list can't delete or protect their job. @param {number} n selected jobs */
export const selectionActs = (n) => text("list.selection_acts", { n });

/** @type {Record<Doing, (group: Held) => string>} */
const HELD = {
  waiting: ({ all }) => text("list.held.waiting", { n: all }),
  sending: ({ all, jobs, sending }) => (sending < jobs ? text("list.held.sending_some", { sending, n: jobs }) : text("list.held.sending", { n: all })),
  checking: ({ all }) => text("list.held.checking", { n: all }),
  stopping: ({ all }) => text("list.held.stopping", { n: all }),
  stopped: ({ all }) => text("list.held.checking", { n: all }),
  unknown: ({ all }) => text("list.held.unknown", { n: all }),
};

/** What open deletions do with their jobs, which the list leaves out but the history may still have. @param {Store} store */
const heldWords = ({ held }) => held.groups.map((group) => HELD[group.doing](group));

/** @type {Record<Doing, (group: Held) => Words>} */
const ALL_HELD = {
  waiting: ({ matching: n }) => ({ title: text("list.all_held.waiting", { n }), text: text("list.all_held.waiting_text", { n }) }),
  sending: ({ matching: n, jobs, sending }) =>
    sending < jobs
      ? { title: text("list.all_held.sending_some", { jobs, sending }), text: text("list.all_held.rest", { n: jobs - sending }) }
      : { title: text("list.all_held.sending", { n }), text: "" },
  checking: ({ sending: n }) => ({ title: text("list.all_held.checking", { n }), text: "" }),
  stopping: ({ matching: n }) => ({ title: text("list.all_held.stopping", { n }), text: text("list.all_held.stopping_text") }),
  stopped: ({ sending: n }) => ({ title: text("list.all_held.stopped", { n }), text: "" }),
  unknown: ({ matching: n, why }) => ({ title: text("list.all_held.unknown", { n }), text: why && sentence(why) }),
};

/** In place of a list whose jobs are all in open deletions. @param {Held[]} groups @returns {Words} */
export function allHeld(groups) {
  const [first, ...others] = groups.filter(({ matching }) => matching > 0).map((group) => ALL_HELD[group.doing](group));
  if (!first) return EMPTY;
  return others.length ? { title: first.title, text: sentences([first.text, ...others.map(({ title }) => sentence(title))]) } : first;
}

export const EMPTY = {
  get title() {
    return text("list.empty.title");
  },
  get text() {
    return text("list.empty.text");
  },
};

/** The title of a tab without jobs. @param {Choice["tab"]} tab @param {boolean} isComplete whether all jobs were read */
export const noneInTab = (tab, isComplete) => text(isComplete ? "list.none_in_tab" : "list.none_in_tab_read", { tab });

/** Names everything that a job would have to match, by the words that the screen uses. @param {Choice} choice @param {string} current @param {(workflow: string) => string} nameOf */
export function nothingMatches(choice, current, nameOf) {
  const tab = choice.tab === "all" ? [] : [tabName(choice.tab)];
  const search = choice.search ? [text("list.searched", { search: clean(choice.search) })] : [];
  const all = [...tab, ...chips(choice, current, nameOf).map(([word]) => word), ...search];
  return all.length === 1 ? text("list.no_match", { filter: all[0] ?? "" }) : text("list.no_match_all", { filters: all.join(" · ") });
}

/** @param {number} at */
export const oldList = (at) => text("list.old", { at: dateTime(at) });

/** @param {number} n @param {string} doubt why the list is unreliable; "" if it broke off @returns {Words} */
export const incompleteWords = (n, doubt = "") => ({
  title: text("list.incomplete.title"),
  text: doubt ? sentences([sentence(`${doubt.charAt(0).toUpperCase()}${doubt.slice(1)}`), text("list.incomplete.shows", { n })]) : text("list.incomplete.stopped", { n }),
});

/** @param {number} n @returns {Words} */
export const unreadableWords = (n) => ({ title: text("list.unreadable.title", { n }), text: text("list.unreadable.text") });
