// @ts-check
/** The page "Recently deleted": past deletions, their jobs, and workflows from their backups. */

import { asApiError } from "../api.mjs";
import { copyText, saveFile } from "../common/browser.mjs";
import { button, skeleton } from "../common/components.mjs";
import { confirmed } from "../common/dialogs.mjs";
import { el } from "../common/dom.mjs";
import { sentences } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { jobNameParts } from "../common/names.mjs";
import { errorLine, errorWords } from "../common/strings.mjs";
import { attempt } from "../common/toasts.mjs";
import { text } from "../common/words.mjs";
import { pageHead } from "../list/pages.mjs";
import { state as whole } from "../list/states.mjs";
import { savedFiles } from "../outputs/files.mjs";
import { backupsKept } from "../protection/strings.mjs";
import { savedName } from "../viewer/outputs.mjs";
import { createEntry, searchField, SEARCHED_FROM } from "./entry.mjs";
import { matching } from "./model.mjs";
import { backupGoes, foundInAll } from "./strings.mjs";

/** @import { PageParts } from "../../../types/list" */
/** @import { AuditEntry, Row } from "../../../types/wire" */
/** @import { HistoryApiError } from "../api.mjs" */
/** @import { EntryState } from "./entry.mjs" */
/** @import { AuditLog, DeletedJob } from "./model.mjs" */

/** @type {Row} */
const NO_ROW = { id: "", status: "unknown", raw: "", created: null, started: null, finished: null, took: null, name: "", workflow_id: "", outputs: null, output_type: "", error: null, preview: null };

const SEARCH_DELAY_MS = 200;
const SKELETONS = 3;
const FILE = "comfy-cloud-deletions.csv";

export class AuditPage {
  #count = el("span", { class: "cch-t12 cch-2 cch-grow" });
  #list = el("ul", { class: "cch-entries" });
  #older = el("p", { class: "cch-2 cch-t12" });
  #searching = 0;
  #timer = 0;
  #search = searchField(text("audit.search_all"), "", () => {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#searchAll(), SEARCH_DELAY_MS);
  });
  #found = el("p", { class: "cch-2 cch-t12", role: "status" });
  #about = el("span", { dir: "auto" });
  /** How long backups are kept, as shown. */
  #kept = "";
  #body = el("div", { class: "cch-scroll cch-record" }, el("p", { class: "cch-hint" }, icon("info"), this.#about), this.#search.element, this.#found, this.#list, this.#older);
  #whole = el("div", { class: "cch-whole" });
  #tail = el("div", { class: "cch-tail" }, this.#count, button({ label: text("audit.export"), icon: "file", press: () => void this.#export() }));
  /** @type {Map<string, EntryState>} by operation */
  #states = new Map();
  /** @type {Map<string, ReturnType<typeof createEntry>>} by the entry as JSON */
  #shown = new Map();
  /** @type {(() => void)[]} */
  #leave;

  /** @param {PageParts & {auditLog: AuditLog}} parts */
  constructor(parts) {
    this.parts = parts;
    this.element = el("section", { class: "cch-page", "aria-label": text("audit.title") }, pageHead(text("audit.title"), parts), this.#body, this.#whole, this.#tail);
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
    this.#about.textContent = sentences([text("audit.about"), this.#kept]);
    this.#whole.replaceChildren(...(state ? [state] : []));
    this.#body.hidden = state !== null;
    this.#tail.hidden = !entries?.length;
    this.#body.setAttribute("aria-busy", String(!entries));
    this.#count.textContent = text("audit.removed_in_all", { n: auditLog.removedInAll });
    this.#older.textContent = auditLog.hasMore ? text("audit.older") : "";
    if (!state && !entries) this.#list.replaceChildren(...Array.from({ length: SKELETONS }, () => el("li", { class: "cch-entry" }, skeleton("56%"), skeleton("32%"))));
    else this.#drawEntries(entries ?? []);
    this.#search.element.hidden = (entries ?? []).reduce((sum, { asked, removed }) => sum + (asked ?? removed ?? 0), 0) <= SEARCHED_FROM;
    if (this.#search.input.value) void this.#searchAll();
  }

  /** Opens the entries in which the search finds jobs, and hides the others. Reads the jobs of one entry at a time. */
  async #searchAll() {
    const typed = this.#search.input.value.trim();
    const turn = (this.#searching += 1);
    this.#found.textContent = typed ? text("audit.searching") : "";
    const total = { jobs: 0, deletions: 0, unread: 0 };
    for (const [key, { element, draw }] of this.#shown) {
      const entry = /** @type {AuditEntry} */ (JSON.parse(key));
      const state = /** @type {EntryState} */ (this.#states.get(entry.operation));
      if (typed) state.loaded ??= await this.parts.auditLog.jobs(entry);
      if (turn !== this.#searching) return;
      const found = typed && state.loaded ? matching(state.loaded.jobs, typed, this.parts.store.names.of).length : 0;
      if (typed || state.found) Object.assign(state, { search: typed, found: typed !== "", open: found > 0 });
      element.hidden = typed !== "" && !found;
      total.jobs += found;
      total.deletions += Number(found > 0);
      total.unread += Number(typed !== "" && state.loaded?.error !== null);
      draw();
    }
    if (typed) this.#found.textContent = foundInAll(total.jobs, total.deletions, total.unread);
  }

  /** The message in place of the list; null if there is a list. @param {AuditEntry[] | null} entries @param {HistoryApiError | null} error */
  #state(entries, error) {
    if (error) return whole("warning", errorWords(error), [button({ label: text("common.try_again"), press: () => void this.parts.auditLog.refresh() })]);
    return entries?.length === 0 ? whole("history", { title: text("audit.empty_title"), text: sentences([text("audit.empty"), this.#kept]) }, []) : null;
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
      isSaved: ({ id }) => ["all", "some"].includes(this.parts.store.saved.of(id) ?? ""),
      onSaved: (listener) => this.parts.store.saved.subscribe(listener),
      files: (job) => this.#files(job),
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
    void this.parts.auditLog.jobs(entry).then(async (loaded) => {
      state.loaded = loaded;
      draw();
      // The marks come later. If they can't be read, they are left out.
      await this.parts.store.saved.learn(loaded.jobs.map(({ id }) => id)).catch(asApiError);
    });
  }

  /** The saved outputs of a job, with actions. @param {DeletedJob} job */
  #files({ id, facts }) {
    const { api, actions, toasts } = this.parts;
    const row = { ...NO_ROW, ...facts, id };
    return savedFiles(id, api, {
      view: (saved, number) => {
        const [root, from] = [/** @type {HTMLElement | null} */ (this.element.closest(".cch-panel")), document.activeElement];
        const closed = () => from instanceof window.HTMLElement && from.focus({ preventScroll: true });
        if (root) actions.viewSaved({ row, saved, number, root, closed });
      },
      download: (saved, number) => void attempt(toasts, text("audit.not_read"), async () => saveFile(await api.savedFile(id, number), savedName(saved.files[number]?.name ?? ""))),
      copy: (folder) => void copyText(folder).then((copied) => toasts.tell(copied ? "success" : "warning", { title: copied ? text("outputs.saved_folder_copied") : text("common.not_copied") })),
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
      toasts.tell("error", { title: text("details.not_opened"), detail: errorLine(asApiError(error)) });
    }
  }

  /** @param {AuditEntry} entry */
  async #deleteBackup({ operation, backup }) {
    const { api, dialogs, auditLog, toasts } = this.parts;
    const view = { title: text("audit.ask"), body: [el("p", {}, backupGoes(backup?.jobs ?? null))] };
    if (!(await confirmed(dialogs, view, { label: text("deletion.delete"), kind: "danger", icon: "trash" }))) return;
    await attempt(toasts, text("audit.not_deleted"), () => api.deleteBackup(operation));
    await auditLog.refresh();
  }

  #export() {
    const { api, toasts } = this.parts;
    return attempt(toasts, text("audit.not_exported"), async () => saveFile(await api.auditCsv(), FILE));
  }
}
