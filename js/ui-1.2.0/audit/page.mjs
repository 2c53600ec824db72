// @ts-check
/** The page "Recently deleted": past deletions, their jobs, and workflows from their backups. */

import { asApiError } from "../api.mjs";
import { saveFile } from "../common/browser.mjs";
import { button, hint, iconButton, linkButton, nameElement, skeleton } from "../common/components.mjs";
import { confirmed } from "../common/dialogs.mjs";
import { el } from "../common/dom.mjs";
import { clean } from "../common/format.mjs";
import { icon, setIcon } from "../common/icons.mjs";
import { jobNameParts } from "../common/names.mjs";
import { statusOf } from "../common/status.mjs";
import { COMMON, errorLine, errorWords } from "../common/strings.mjs";
import { attempt } from "../common/toasts.mjs";
import { setTip } from "../common/tooltips.mjs";
import { DETAILS } from "../details/strings.mjs";
import { pageHead } from "../list/pages.mjs";
import { state as whole } from "../list/states.mjs";
import { backupsKept } from "../protection/strings.mjs";
import { matching } from "./model.mjs";
import {
  AUDIT, backupGoes, copyIds, entryAbout, entryKept, entryRunTime, entryTitle, foundInAll, foundWord, inOrder, jobAbout, jobError, outcomeWords, removedInAll, showAll,
} from "./strings.mjs";

/** @import { PageParts } from "../../../types/list" */
/** @import { AuditEntry } from "../../../types/wire" */
/** @import { HistoryApiError } from "../api.mjs" */
/** @import { IconName } from "../common/icons.mjs" */
/** @import { AuditLog, DeletedJob, DeletedJobs } from "./model.mjs" */

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
 * @property {() => void} deleteBackup
 */

/** Number of jobs shown at first, and added at a time while scrolling. */
const FIRST = 3;
const BATCH = 200;
/** An entry with more jobs can be searched, and so can all entries if they have more jobs together. */
const SEARCHED_FROM = 10;
const SEARCH_DELAY_MS = 200;

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
function searchField(label, value, typed) {
  const input = el("input", { type: "search", "aria-label": label, placeholder: label, value, oninput: ({ target }) => typed(target.value) });
  return { input, element: el("div", { class: "cch-search" }, icon("search"), input) };
}

/** @param {DeletedJob} job @param {number} now @param {boolean} hasBackup @param {EntryActions} actions */
function jobLine(job, now, hasBackup, { nameOf, open, download, copy }) {
  const { facts } = job;
  const name = nameOf(job);
  const title = clean(job.id);
  const status = facts && statusOf(facts.status);
  const removed = job.outcome === "deleted";
  const lines = [facts && jobAbout(facts, now), facts && jobError(facts), outcomeWords(job), removed && hasBackup && !job.workflow && AUDIT.noWorkflow].filter(Boolean);
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
      job.workflow && linkButton(AUDIT.open, () => open(job)),
      job.workflow && iconButton("down", AUDIT.download, () => download(job), "cch-ib s"),
      iconButton("copy", DETAILS.copyJobId, () => copy([job]), "cch-ib s", "s14"),
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
    end.before(...next.map((job) => jobLine(job, now, hasBackup, actions)));
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
    const rest = found.length > shown.length && linkButton(showAll(jobs.length), actions.all);
    const copy = linkButton(copyIds(found.length), () => actions.copy(found));
    ofList.run();
    count.textContent = !searched ? inOrder(jobs.length) : found.length ? foundWord(found.length, jobs.length) : AUDIT.noMatch;
    box.replaceChildren(jobList(shown, now, hasBackup, actions, ofList), el("div", { class: "cch-kept-foot" }, rest, found.length > 1 && copy));
  };
  cleanups.add(ofList.run);
  draw();
  if (jobs.length === 1) return [box];
  if (state.found || jobs.length <= SEARCHED_FROM) return [count, box];
  const { element } = searchField(AUDIT.search, state.search, (text) => {
    state.search = text;
    draw();
  });
  return [element, count, box];
}

/** @param {AuditEntry} entry @param {number} now @param {EntryState} state @param {EntryActions} actions @param {Cleanups} cleanups */
function entryBody(entry, now, state, actions, cleanups) {
  const { loaded } = state;
  if (!loaded) return [el("p", { class: "cch-2 cch-t12" }, AUDIT.loading)];
  const { jobs, error } = loaded;
  return [
    error && hint("warning", errorLine(error), "cch-msg warn"),
    !jobs.length && !error && el("p", { class: "cch-2 cch-t12" }, AUDIT.noJobs),
    ...(jobs.length ? jobsPart(jobs, now, entry.backup !== null, state, actions, cleanups) : []),
    entry.backup && el("div", { class: "cch-kept-foot" }, linkButton(AUDIT.deleteBackup, actions.deleteBackup, "cch-link push")),
  ];
}

/** @param {AuditEntry} entry @param {number} now @param {EntryState} state @param {EntryActions} actions */
function createEntry(entry, now, state, actions) {
  const title = el("div", { class: "ttl", id: `cch-entry-${++made}` }, entryTitle(entry));
  const [name, colour] = entryIcon(entry);
  const lines = [entryAbout(entry, now), entryRunTime(entry), ...entryKept(entry)].filter(Boolean).map((line) => el("div", { dir: "auto" }, line));
  const arrow = icon("right", "s14");
  // A press of the button reaches the whole head, which opens the entry wherever it is clicked.
  const toggle = el("button", { type: "button", class: "cch-ib s", "aria-describedby": title.id }, arrow);
  const box = el("div", { class: "cch-unfolded" });
  const cleanups = new Cleanups();
  const text = el("div", { class: "cch-grow cch-any" }, title, el("div", { class: "cch-t12 cch-2" }, ...lines));
  return {
    element: el("li", { class: "cch-entry" }, el("div", { class: "hd", onclick: actions.toggle }, icon(name, colour), text, toggle), box),
    toggle,
    destroy: cleanups.run,
    draw() {
      const label = state.open ? AUDIT.hideJobs : AUDIT.showJobs;
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

const SKELETONS = 3;

export class AuditPage {
  #count = el("span", { class: "cch-t12 cch-2 cch-grow" });
  #list = el("ul", { class: "cch-entries" });
  #older = el("p", { class: "cch-2 cch-t12" });
  #searching = 0;
  #timer = 0;
  #search = searchField(AUDIT.searchAll, "", () => {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#searchAll(), SEARCH_DELAY_MS);
  });
  #found = el("p", { class: "cch-2 cch-t12", role: "status" });
  #about = el("span", { dir: "auto" });
  /** How long backups are kept, as shown. */
  #kept = "";
  #body = el("div", { class: "cch-scroll cch-record" }, el("p", { class: "cch-hint" }, icon("info"), this.#about), this.#search.element, this.#found, this.#list, this.#older);
  #whole = el("div", { class: "cch-whole" });
  #tail = el("div", { class: "cch-tail" }, this.#count, button({ label: AUDIT.export, icon: "file", press: () => void this.#export() }));
  /** @type {Map<string, EntryState>} by operation */
  #states = new Map();
  /** @type {Map<string, ReturnType<typeof createEntry>>} by the entry as JSON */
  #shown = new Map();
  /** @type {(() => void)[]} */
  #leave;

  /** @param {PageParts & {auditLog: AuditLog}} parts */
  constructor(parts) {
    this.parts = parts;
    this.element = el("section", { class: "cch-page", "aria-label": AUDIT.title }, pageHead(AUDIT.title, parts), this.#body, this.#whole, this.#tail);
    this.#leave = [parts.auditLog.shown(() => this.#draw()), parts.store.on(["status"], () => this.#keptNow() === this.#kept || this.#draw())];
    this.#draw();
  }

  leave() {
    for (const leave of this.#leave) leave();
    clearTimeout(this.#timer);
    this.#searching += 1;
    for (const entry of this.#shown.values()) entry.destroy();
  }

  #draw() {
    const { auditLog } = this.parts;
    const { entries, error } = auditLog;
    this.#kept = this.#keptNow();
    const state = this.#state(entries, error);
    this.#about.textContent = [AUDIT.about, this.#kept].filter(Boolean).join(" ");
    this.#whole.replaceChildren(...(state ? [state] : []));
    this.#body.hidden = state !== null;
    this.#tail.hidden = !entries?.length;
    this.#body.setAttribute("aria-busy", String(!entries));
    this.#count.textContent = removedInAll(auditLog.removedInAll);
    this.#older.textContent = auditLog.hasMore ? AUDIT.older : "";
    if (!state && !entries) this.#list.replaceChildren(...Array.from({ length: SKELETONS }, () => el("li", { class: "cch-entry" }, skeleton("56%"), skeleton("32%"))));
    else this.#drawEntries(entries ?? []);
    this.#search.element.hidden = (entries ?? []).reduce((sum, { asked, removed }) => sum + (asked ?? removed ?? 0), 0) <= SEARCHED_FROM;
    if (this.#search.input.value) void this.#searchAll();
  }

  /** Opens the entries in which the search finds jobs, and hides the others. Reads the jobs of one entry at a time. */
  async #searchAll() {
    const text = this.#search.input.value.trim();
    const turn = (this.#searching += 1);
    this.#found.textContent = text ? AUDIT.searching : "";
    const total = { jobs: 0, deletions: 0, unread: 0 };
    for (const [key, { element, draw }] of this.#shown) {
      const entry = /** @type {AuditEntry} */ (JSON.parse(key));
      const state = /** @type {EntryState} */ (this.#states.get(entry.operation));
      if (text) state.loaded ??= await this.parts.auditLog.jobs(entry);
      if (turn !== this.#searching) return;
      const found = text && state.loaded ? matching(state.loaded.jobs, text, this.parts.store.names.of).length : 0;
      if (text || state.found) Object.assign(state, { search: text, found: text !== "", open: found > 0 });
      element.hidden = text !== "" && !found;
      total.jobs += found;
      total.deletions += Number(found > 0);
      total.unread += Number(text !== "" && state.loaded?.error !== null);
      draw();
    }
    if (text) this.#found.textContent = foundInAll(total.jobs, total.deletions, total.unread);
  }

  /** The message in place of the list; null if there is a list. @param {AuditEntry[] | null} entries @param {HistoryApiError | null} error */
  #state(entries, error) {
    if (error) return whole("warning", errorWords(error), [button({ label: COMMON.tryAgain, press: () => void this.parts.auditLog.refresh() })]);
    const { title, text } = AUDIT.empty;
    return entries?.length === 0 ? whole("history", { title, text: [text, this.#kept].filter(Boolean).join(" ") }, []) : null;
  }

  /** How long backups are kept; "" while the settings are unknown. */
  #keptNow() {
    const settings = this.parts.store.status?.settings;
    return settings ? backupsKept(settings) : "";
  }

  /** Keeps the elements of unchanged entries, so that they keep the focus. @param {AuditEntry[]} entries */
  #drawEntries(entries) {
    const focused = [...this.#shown].find(([, { element }]) => element.contains(document.activeElement))?.[0];
    const before = this.#shown;
    this.#shown = new Map();
    for (const entry of entries) {
      const key = JSON.stringify(entry);
      this.#shown.set(key, before.get(key) ?? this.#make(entry));
    }
    for (const [key, entry] of before) if (!this.#shown.has(key)) entry.destroy();
    this.#list.replaceChildren(...[...this.#shown.values()].map(({ element }) => element));
    if (focused === undefined || this.#list.contains(document.activeElement)) return;
    const { operation } = /** @type {AuditEntry} */ (JSON.parse(focused));
    const same = this.#shown.get(focused) ?? [...this.#shown].find(([key]) => JSON.parse(key).operation === operation)?.[1];
    (same?.toggle ?? this.element.querySelector("button"))?.focus({ preventScroll: true });
  }

  /** @param {AuditEntry} entry */
  #make(entry) {
    const { operation } = entry;
    const { names } = this.parts.store;
    const state = this.#states.get(operation) ?? { open: false, all: false, search: "", found: false, loaded: null };
    this.#states.set(operation, state);
    const shown = createEntry(entry, this.parts.store.now(), state, {
      nameOf: ({ id, facts }) => facts && jobNameParts({ id, ...facts }, names.of(facts.workflow_id)),
      workflowName: names.of,
      toggle: () => {
        state.open = !state.open;
        this.#load(entry, state, shown.draw);
      },
      all: () => {
        state.all = true;
        shown.draw();
        shown.toggle.focus({ preventScroll: true });
      },
      open: ({ id }) => void this.#restore(operation, id, "open"),
      download: ({ id }) => void this.#restore(operation, id, "download"),
      copy: (jobs) => void this.parts.actions.copyIds(jobs.map(({ id }) => id)),
      deleteBackup: () => void this.#deleteBackup(entry),
    });
    // The entry has changed, so its jobs are requested again.
    this.#load(entry, state, shown.draw);
    return shown;
  }

  /** @param {AuditEntry} entry @param {EntryState} state @param {() => void} draw */
  #load(entry, state, draw) {
    state.loaded = null;
    draw();
    if (!state.open) return;
    void this.parts.auditLog.jobs(entry).then((loaded) => {
      state.loaded = loaded;
      draw();
    });
  }

  /** @param {string} operation @param {string} id @param {"open" | "download"} how */
  async #restore(operation, id, how) {
    const { api, workflows, toasts, close } = this.parts;
    try {
      const details = await api.backupJob(operation, id);
      const fetchFile = () => api.backupWorkflowFile(operation, id);
      const done = await (how === "open" ? workflows.open(id, details) : workflows.download(id, details, fetchFile));
      // The large window would cover the opened workflow.
      if (done && how === "open" && this.element.closest("[role=dialog]")) close();
    } catch (error) {
      toasts.tell("error", { title: DETAILS.notOpened, detail: errorLine(asApiError(error)) });
    }
  }

  /** @param {AuditEntry} entry */
  async #deleteBackup({ operation, backup }) {
    const { api, dialogs, auditLog, toasts } = this.parts;
    const view = { title: AUDIT.ask, body: [el("p", {}, backupGoes(backup?.jobs ?? null))] };
    if (!(await confirmed(dialogs, view, { label: AUDIT.confirm, kind: "danger", icon: "trash" }))) return;
    await attempt(toasts, AUDIT.notDeleted, () => api.deleteBackup(operation));
    await auditLog.refresh();
  }

  #export() {
    const { api, toasts } = this.parts;
    return attempt(toasts, AUDIT.notExported, async () => saveFile(await api.auditCsv(), AUDIT.file));
  }
}
