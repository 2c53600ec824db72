// @ts-check
/** One past deletion on the page "Recently deleted", and its jobs. */

import { hint, iconButton, linkButton, nameElement } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean } from "../common/format.mjs";
import { icon, setIcon } from "../common/icons.mjs";
import { statusOf } from "../common/status.mjs";
import { errorLine } from "../common/strings.mjs";
import { setTip } from "../common/tooltips.mjs";
import { text } from "../common/words.mjs";
import { matching } from "./model.mjs";
import { entryAbout, entryKept, entryRunTime, entryTitle, jobAbout, jobError, outcomeWords } from "./strings.mjs";

/** @import { AuditEntry } from "../../../types/wire" */
/** @import { IconName } from "../common/icons.mjs" */
/** @import { DeletedJob, DeletedJobs } from "./model.mjs" */

/**
 * Whether an entry is open, and shows all its jobs or those with a text.
 * `found`: whether the text is that of the search through all deletions.
 * @typedef {{open: boolean, all: boolean, search: string, found: boolean, loaded: DeletedJobs | null}} EntryState
 */
/**
 * @typedef {object} EntryActions
 * @property {(job: DeletedJob) => [string, string] | null} nameOf a job's name in two parts, of which only the first may be shortened;
 *   null if only its id is known
 * @property {(id: string) => string} workflowName
 * @property {() => void} toggle
 * @property {() => void} all
 * @property {(job: DeletedJob) => void} open
 * @property {(job: DeletedJob) => void} download
 * @property {(jobs: DeletedJob[]) => void} copy
 * @property {(job: DeletedJob) => boolean} isSaved whether outputs of a job are saved, as far as it is known
 * @property {(listener: () => void) => () => void} onSaved calls a listener when more is known; returns what ends this
 * @property {(job: DeletedJob) => HTMLElement} files the saved outputs of a job
 * @property {() => void} deleteBackup
 */

/** Number of jobs shown at first, and added at a time while scrolling. */
const FIRST = 3;
const BATCH = 200;
/** An entry with more jobs can be searched, and so can all entries if they have more jobs together. */
export const SEARCHED_FROM = 10;

/** What has to end when a part of the page is redrawn or leaves the screen. */
class Cleanups {
  /** @type {(() => void)[]} */
  #all = [];

  /** @param {() => void} cleanUp */
  add(cleanUp) {
    this.#all.push(cleanUp);
  }

  run = () => {
    for (const cleanUp of this.#all.splice(0)) cleanUp();
  };
}

let made = 0;

/** @param {AuditEntry} entry @returns {[IconName, string]} */
function entryIcon({ state, removed, counts, backup }) {
  if (state === "running") return ["running", "spin i-link"];
  if (state === "unknown" || removed === null || (!removed && counts?.unconfirmed)) return ["unknown", "i-warn"];
  if (!removed) return ["info", ""];
  return [backup ? "box" : "trash", ""];
}

/** @param {string} label @param {string} value @param {(text: string) => void} typed */
export function searchField(label, value, typed) {
  const input = el("input", { type: "search", "aria-label": label, placeholder: label, value, oninput: ({ target }) => typed(target.value) });
  return { input, element: el("div", { class: "cch-search" }, icon("search"), input) };
}

/** A button that shows and hides the saved outputs of a job below its line. @param {DeletedJob} job @param {EntryActions["files"]} files */
function savedFold(job, files) {
  /** @type {HTMLElement | null} */
  let list = null;
  const toggle = linkButton(text("outputs.show_files"), () => {
    const line = toggle.closest("li");
    if (list?.isConnected) list.remove();
    else line?.append((list ??= files(job)));
    toggle.setAttribute("aria-expanded", String(Boolean(list?.isConnected)));
    toggle.textContent = list?.isConnected ? text("outputs.hide_files") : text("outputs.show_files");
  });
  toggle.setAttribute("aria-expanded", "false");
  return toggle;
}

/** @param {DeletedJob} job @param {number} now @param {boolean} hasBackup @param {EntryActions} actions @param {Cleanups} cleanups */
function jobLine(job, now, hasBackup, { nameOf, open, download, copy, isSaved, onSaved, files }, cleanups) {
  const { facts } = job;
  const saved = el("span", { hidden: true }, savedFold(job, files));
  // The line itself stays, because its buttons may have the focus.
  const showSaved = () => {
    saved.hidden = !isSaved(job);
  };
  showSaved();
  cleanups.add(onSaved(showSaved));
  const name = nameOf(job);
  const title = clean(job.id);
  const status = facts && statusOf(facts.status);
  const removed = job.outcome === "deleted";
  const lines = [facts && jobAbout(facts, now), facts && jobError(facts), outcomeWords(job), removed && hasBackup && !job.workflow && text("audit.no_workflow")].filter(Boolean);
  return el(
    "li",
    { class: "cch-kept" },
    el("span", { class: "cch-thumb" }, status ? icon(status.icon, status.look === "failed" ? "i-danger" : "") : icon("flow")),
    el(
      "span",
      { class: "cch-grow cch-t12" },
      name ? nameElement(name, title) : el("code", { class: "cch-cut", "data-tip": title }, title),
      ...lines.map((line) => el("span", { class: "cch-2", dir: "auto" }, line)),
    ),
    el(
      "span",
      { class: "cch-kept-acts" },
      saved,
      job.workflow && linkButton(text("audit.open"), () => open(job)),
      job.workflow && iconButton("down", text("audit.download"), () => download(job), "cch-ib s"),
      iconButton("copy", text("list.copy_id"), () => copy([job]), "cch-ib s", "s14"),
    ),
  );
}

/** A list that grows while it is scrolled, because a deletion may have thousands of jobs. @param {DeletedJob[]} jobs @param {number} now @param {boolean} hasBackup @param {EntryActions} actions @param {Cleanups} cleanups */
function jobList(jobs, now, hasBackup, actions, cleanups) {
  const list = el("ul");
  const end = el("li", { "aria-hidden": "true" });
  let shown = 0;
  const more = () => {
    const next = jobs.slice(shown, shown + BATCH);
    shown += next.length;
    end.before(...next.map((job) => jobLine(job, now, hasBackup, actions, cleanups)));
    if (shown >= jobs.length) end.remove();
  };
  list.append(end);
  more();
  if (end.parentNode) {
    const observer = new window.IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && more());
    observer.observe(end);
    cleanups.add(() => observer.disconnect());
  }
  return list;
}

/** The jobs of an entry, with a search if there are many. @param {DeletedJob[]} jobs @param {number} now @param {boolean} hasBackup @param {EntryState} state @param {EntryActions} actions @param {Cleanups} cleanups */
function jobsPart(jobs, now, hasBackup, state, actions, cleanups) {
  const box = el("div", { class: "cch-stack" });
  // The search through all deletions has a status of its own.
  const count = el("span", { class: "cch-2 cch-t12", ...(!state.found && { role: "status" }) });
  const ofList = new Cleanups();
  const draw = () => {
    const found = matching(jobs, state.search, actions.workflowName);
    const searched = state.search.trim() !== "";
    const shown = state.all || searched ? found : found.slice(0, FIRST);
    const rest = found.length > shown.length && linkButton(text("audit.show_all", { n: jobs.length }), actions.all);
    const copy = linkButton(text("audit.copy_ids", { n: found.length }), () => actions.copy(found));
    ofList.run();
    count.textContent = !searched ? text("audit.in_order", { n: jobs.length }) : found.length ? text("audit.found", { found: found.length, n: jobs.length }) : text("audit.no_match");
    box.replaceChildren(jobList(shown, now, hasBackup, actions, ofList), el("div", { class: "cch-kept-foot" }, rest, found.length > 1 && copy));
  };
  cleanups.add(ofList.run);
  draw();
  if (jobs.length === 1) return [box];
  if (state.found || jobs.length <= SEARCHED_FROM) return [count, box];
  const { element } = searchField(text("audit.search"), state.search, (typed) => {
    state.search = typed;
    draw();
  });
  return [element, count, box];
}

/** @param {AuditEntry} entry @param {number} now @param {EntryState} state @param {EntryActions} actions @param {Cleanups} cleanups */
function entryBody(entry, now, state, actions, cleanups) {
  const { loaded } = state;
  if (!loaded) return [el("p", { class: "cch-2 cch-t12" }, text("audit.loading"))];
  const { jobs, error } = loaded;
  return [
    error && hint("warning", errorLine(error), "cch-msg warn"),
    !jobs.length && !error && el("p", { class: "cch-2 cch-t12" }, text("audit.no_jobs")),
    ...(jobs.length ? jobsPart(jobs, now, entry.backup !== null, state, actions, cleanups) : []),
    entry.backup && el("div", { class: "cch-kept-foot" }, linkButton(text("audit.delete_backup"), actions.deleteBackup, "cch-link push")),
  ];
}

/** @param {AuditEntry} entry @param {number} now @param {EntryState} state @param {EntryActions} actions */
export function createEntry(entry, now, state, actions) {
  const title = el("div", { class: "ttl", id: `cch-entry-${++made}` }, entryTitle(entry));
  const [name, colour] = entryIcon(entry);
  const lines = [entryAbout(entry, now), entryRunTime(entry), ...entryKept(entry)].filter(Boolean).map((line) => el("div", { dir: "auto" }, line));
  const arrow = icon("right", "s14");
  // A press of the button reaches the whole head, which opens the entry wherever it is clicked.
  const toggle = el("button", { type: "button", class: "cch-ib s", "aria-describedby": title.id }, arrow);
  const box = el("div", { class: "cch-unfolded" });
  const cleanups = new Cleanups();
  const about = el("div", { class: "cch-grow cch-any" }, title, el("div", { class: "cch-t12 cch-2" }, ...lines));
  return {
    element: el("li", { class: "cch-entry" }, el("div", { class: "hd", onclick: actions.toggle }, icon(name, colour), about, toggle), box),
    toggle,
    destroy: cleanups.run,
    draw() {
      const label = state.open ? text("audit.hide_jobs") : text("audit.show_jobs");
      toggle.setAttribute("aria-label", label);
      toggle.setAttribute("aria-expanded", String(state.open));
      setTip(toggle, label);
      setIcon(arrow, state.open ? "dn" : "right");
      cleanups.run();
      box.hidden = !state.open;
      const children = state.open ? entryBody(entry, now, state, actions, cleanups) : [];
      box.replaceChildren(...children.filter((child) => child instanceof window.Node));
    },
  };
}
