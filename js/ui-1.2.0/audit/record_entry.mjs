// @ts-check
/** One deletion of the record, and its jobs when they are asked for. */

import { el, hint } from "../common/dom.mjs";
import { clean } from "../common/format.mjs";
import { icon, setIcon } from "../common/icons.mjs";
import { errorLine } from "../common/strings.mjs";
import { iconButton } from "../list/toolbar.mjs";
import { cut } from "../list/row.mjs";
import { backupDamaged, entryAbout, entryKept, entryTitle, outcomeWords, RECORD, showAll } from "./strings.mjs";

/** @typedef {import("../../../types/record").RecordEntry} RecordEntry */
/** @typedef {import("./model.mjs").KeptJob} KeptJob */
/** @typedef {import("./model.mjs").KeptJobs} KeptJobs */
/** What is known of an entry beyond its line; lives as long as the page. @typedef {{open: boolean, all: boolean, kept: KeptJobs | null}} Unfolded */
/**
 * @typedef {object} EntryActions
 * @property {() => void} toggle
 * @property {() => void} all
 * @property {(job: KeptJob) => void} open
 * @property {(job: KeptJob) => void} download
 * @property {() => void} deleteBackup
 */

/** Jobs shown at first, and those added at a time afterwards. */
const FIRST = 3;
const BATCH = 200;

let made = 0;

/** @param {RecordEntry} entry @returns {[import("../common/icons.mjs").IconName, string]} */
function look({ state, backup }) {
  if (state === "running") return ["running", "spin i-link"];
  if (state === "unknown") return ["unknown", "i-warn"];
  return [backup ? "box" : "trash", ""];
}

/** @param {string} label @param {() => void} press @param {string} [className] */
const link = (label, press, className = "cch-link") => el("button", { type: "button", class: className, onclick: press }, label);

/** @param {KeptJob} job @param {EntryActions} actions */
function jobLine(job, { open, download }) {
  const [name = "", tail = ""] = cut(clean(job.name));
  const title = clean(job.id);
  const named = name || tail;
  const told = outcomeWords(job);
  return el(
    "li",
    { class: "cch-kept" },
    el("span", { class: "cch-thumb" }, icon("flow")),
    el(
      "span",
      { class: "cch-grow cch-t12" },
      named ? el("span", { class: "cch-name", title }, el("span", { dir: "auto" }, name), el("span", {}, tail)) : el("code", { class: "cch-cut", title }, title),
      told && el("span", { class: "cch-2 cch-cut", dir: "auto", title: told }, told),
    ),
    job.workflow && link(RECORD.open, () => open(job)),
    job.workflow && iconButton("down", RECORD.download, () => download(job), "cch-ib s"),
  );
}

/** A list that grows as it is scrolled, for a deletion may have had many thousands. @param {KeptJob[]} jobs @param {EntryActions} actions @param {(() => void)[]} leaving */
function jobList(jobs, actions, leaving) {
  const list = el("ul");
  const end = el("li", { "aria-hidden": "true" });
  let shown = 0;
  const more = () => {
    const next = jobs.slice(shown, shown + BATCH);
    shown += next.length;
    end.before(...next.map((job) => jobLine(job, actions)));
    if (shown >= jobs.length) end.remove();
  };
  list.append(end);
  more();
  if (end.parentNode) {
    const observer = new window.IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && more());
    observer.observe(end);
    leaving.push(() => observer.disconnect());
  }
  return list;
}

/** @param {RecordEntry} entry @param {Unfolded} state @param {EntryActions} actions @param {(() => void)[]} leaving */
function unfolded(entry, { kept, all }, actions, leaving) {
  if (!kept) return [el("p", { class: "cch-2 cch-t12" }, RECORD.loading)];
  const { jobs, damaged, error } = kept;
  const { title, text } = backupDamaged(entry.operation);
  const rest = jobs.length > FIRST && !all && link(showAll(jobs.length), actions.all);
  const foot = el("div", { class: "cch-kept-foot" }, rest, entry.backup && link(RECORD.deleteBackup, actions.deleteBackup, "cch-link push"));
  return [
    damaged && hint("warning", `${title}. ${text}`, "cch-msg warn"),
    error && hint("warning", errorLine(error), "cch-msg warn"),
    !jobs.length && !damaged && !error && el("p", { class: "cch-2 cch-t12" }, RECORD.noJobs),
    jobList(all ? jobs : jobs.slice(0, FIRST), actions, leaving),
    foot.firstChild && foot,
  ];
}

/**
 * @param {RecordEntry} entry
 * @param {number} now
 * @param {Unfolded} state
 * @param {EntryActions} actions
 */
export function createEntry(entry, now, state, actions) {
  const title = el("div", { class: "ttl", id: `cch-entry-${++made}` }, entryTitle(entry));
  const [name, colour] = look(entry);
  const lines = [entryAbout(entry, now), ...entryKept(entry)].map((line) => el("div", { dir: "auto" }, line));
  const arrow = icon("right", "s14");
  const toggle = el("button", { type: "button", class: "cch-ib s", "aria-describedby": title.id, onclick: actions.toggle }, arrow);
  const box = el("div", { class: "cch-unfolded" });
  /** @type {(() => void)[]} */
  let leaving = [];
  const letGo = () => {
    for (const leave of leaving) leave();
    leaving = [];
  };
  const told = el("div", { class: "cch-grow cch-any" }, title, el("div", { class: "cch-t12 cch-2" }, ...lines));
  return {
    element: el("li", { class: "cch-entry" }, el("div", { class: "hd" }, icon(name, colour), told, toggle), box),
    toggle,
    destroy: letGo,
    draw() {
      const label = state.open ? RECORD.hideJobs : RECORD.showJobs;
      toggle.setAttribute("aria-label", label);
      toggle.setAttribute("aria-expanded", String(state.open));
      toggle.title = label;
      setIcon(arrow, state.open ? "dn" : "right");
      letGo();
      box.hidden = !state.open;
      const children = state.open ? unfolded(entry, state, actions, leaving) : [];
      box.replaceChildren(...children.filter((child) => child instanceof window.Node));
    },
  };
}
