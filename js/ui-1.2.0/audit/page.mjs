// @ts-check
/** The page "Recently deleted": deletions by time, their jobs, and what their backups can give back. */

import { button, el, hint } from "../common/dom.mjs";
import { skeleton } from "../common/components.mjs";
import { errorLine, errorWords } from "../common/strings.mjs";
import { asApiError } from "../deletion/confirm.mjs";
import { pageHead } from "../list/pages.mjs";
import { createEntry } from "./record_entry.mjs";
import { saveFile } from "../common/save_file.mjs";
import { state as whole } from "../list/states.mjs";
import { COMMON, DETAILS } from "../deletion/strings.mjs";
import { backupDamaged, backupGoes, RECORD, removedInAll } from "./strings.mjs";

/** @typedef {import("../../../types/record").RecordEntry} RecordEntry */
/** @typedef {import("./record_entry.mjs").Unfolded} Unfolded */
/**
 * @typedef {object} Parts
 * @property {import("./model.mjs").DeletionRecord} record
 * @property {Pick<import("../api.mjs").HistoryApi, "backupJob" | "backupWorkflowFile" | "deleteBackup" | "recordCsv">} api
 * @property {import("../details/workflows.mjs").Workflows} workflows
 * @property {import("../common/dialogs.mjs").Dialogs} dialogs
 * @property {Pick<import("../common/toasts.mjs").Toasts, "tell">} toasts
 * @property {() => number} now
 */

const WAITING = 3;

export class RecordPage {
  #count = el("span", { class: "cch-t12 cch-2 cch-grow" });
  #list = el("ul", { class: "cch-entries" });
  #body = el("div", { class: "cch-scroll cch-record" }, hint("info", RECORD.about), this.#list);
  #whole = el("div", { class: "cch-whole" });
  #tail = el("div", { class: "cch-tail" }, this.#count, button({ label: RECORD.export, icon: "file", press: () => void this.#export() }));
  /** @type {Map<string, Unfolded>} by operation */
  #unfolded = new Map();
  /** @type {Map<string, ReturnType<typeof createEntry>>} by all that is known of an entry */
  #shown = new Map();
  #leave;

  /** @param {Parts & import("../../../types/panel").PageHost} parts */
  constructor(parts) {
    this.parts = parts;
    this.element = el("section", { class: "cch-page", "aria-label": RECORD.title }, pageHead(RECORD.title, parts), this.#body, this.#whole, this.#tail);
    this.#leave = parts.record.shown(() => this.#draw());
    this.#draw();
  }

  leave() {
    this.#leave();
    for (const entry of this.#shown.values()) entry.destroy();
  }

  #draw() {
    const { record } = this.parts;
    const { entries, error } = record;
    const state = this.#state(entries, error);
    this.#whole.replaceChildren(...(state ? [state] : []));
    this.#body.hidden = state !== null;
    this.#tail.hidden = !entries?.length;
    this.#body.setAttribute("aria-busy", String(!entries));
    this.#count.textContent = removedInAll(record.removedInAll);
    if (!state && !entries) this.#list.replaceChildren(...Array.from({ length: WAITING }, () => el("li", { class: "cch-entry" }, skeleton("56%"), skeleton("32%"))));
    else this.#drawEntries(entries ?? []);
  }

  /** What stands in place of the list. @param {RecordEntry[] | null} entries @param {import("../api.mjs").HistoryApiError | null} error */
  #state(entries, error) {
    if (error) return whole("warning", errorWords(error), [button({ label: COMMON.tryAgain, press: () => void this.parts.record.refresh() })]);
    return entries?.length === 0 ? whole("history", RECORD.empty, []) : null;
  }

  /** What has not changed keeps its element, and with it the focus. @param {RecordEntry[]} entries */
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
    const { operation } = /** @type {RecordEntry} */ (JSON.parse(focused));
    const same = this.#shown.get(focused) ?? [...this.#shown].find(([key]) => JSON.parse(key).operation === operation)?.[1];
    (same?.toggle ?? this.element.querySelector("button"))?.focus({ preventScroll: true });
  }

  /** @param {RecordEntry} entry */
  #make(entry) {
    const { operation } = entry;
    const state = this.#unfolded.get(operation) ?? { open: false, all: false, kept: null };
    this.#unfolded.set(operation, state);
    const shown = createEntry(entry, this.parts.now(), state, {
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
      deleteBackup: () => void this.#deleteBackup(entry),
    });
    // It was made anew, so what was read of its jobs is old.
    this.#load(entry, state, shown.draw);
    return shown;
  }

  /** @param {RecordEntry} entry @param {Unfolded} state @param {() => void} draw */
  #load(entry, state, draw) {
    state.kept = null;
    draw();
    if (!state.open) return;
    void this.parts.record.jobs(entry).then((kept) => {
      state.kept = kept;
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
      // What was opened is behind the large window.
      if (done && how === "open" && this.element.closest("[role=dialog]")) close();
    } catch (error) {
      const refused = asApiError(error);
      const { title, text } = backupDamaged(operation);
      const damaged = refused.code === "backup_damaged";
      toasts.tell("error", damaged ? { title, detail: text } : { title: DETAILS.notOpened, detail: errorLine(refused) });
    }
  }

  /** @param {RecordEntry} entry */
  async #deleteBackup({ operation, backup }) {
    const { api, dialogs, record, toasts } = this.parts;
    const answer = await dialogs.exclusive((frame) =>
      frame.show({
        title: RECORD.ask,
        body: [el("p", {}, backupGoes(backup?.jobs ?? null))],
        buttons: [{ label: COMMON.cancel }, { label: RECORD.confirm, kind: "danger", icon: "trash", answer: "yes" }],
      }),
    );
    if (answer !== "yes") return;
    try {
      await api.deleteBackup(operation);
    } catch (error) {
      toasts.tell("error", { title: RECORD.notDeleted, detail: errorLine(asApiError(error)) });
    }
    await record.refresh();
  }

  async #export() {
    try {
      saveFile(await this.parts.api.recordCsv(), RECORD.file);
    } catch (error) {
      this.parts.toasts.tell("error", { title: RECORD.notExported, detail: errorLine(asApiError(error)) });
    }
  }
}
