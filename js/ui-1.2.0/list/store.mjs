// @ts-check
/** The jobs, filters and selection, also while no panel is open. No DOM. */

import { HistoryApiError, noKey, STRANGE } from "../api.mjs";
import { isDescribed, jobNameParts, WorkflowNames } from "../common/names.mjs";
import { searchesOnlyHere } from "../common/search.mjs";
import { groupOf, GROUPS, statusOf } from "../common/status.mjs";
import { text, words } from "../common/words.mjs";
import { HeldJobs } from "../deletion/entries.mjs";
import { hasOutputs } from "../outputs/saved.mjs";
import { EVERYTHING, filterOf, matcher, sorted } from "./filter.mjs";
import { Selection } from "./selection.mjs";
import { whyNoneRemovable } from "./strings.mjs";

/** @import { DeletionEnd } from "../../../types/deletion" */
/** @import { Choice, Filter, Happening, Row, Status, Tab, Target } from "../../../types/list" */
/** @import { ListLine } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { DeletionRequest } from "../deletion/confirm.mjs" */
/** @import { Deletions } from "../deletion/controller.mjs" */
/** @import { SavedMarks } from "../outputs/saved.mjs" */
/** @import { Protection } from "../protection/model.mjs" */

/** Minimum time between two redraws of a loading list. */
const DRAW_EVERY_MS = 250;
const MAX_WORKFLOWS = 50;
/** Maximum number of ids that the server accepts in one request. */
const MAX_IDS = 200_000;
/** Codes after which the list on screen may belong to another account. */
const ABOUT_KEY = new Set(["missing_key", "unauthorized", "forbidden", "invalid_key"]);

/** For a list without workflow names. */
const NOT_STORED = { getItem: () => null, setItem: () => undefined };
/** For a list that does not know what is saved. */
const NONE_SAVED = { of: () => undefined, want: () => undefined, learn: async () => undefined, subscribe: () => () => undefined };

const noCounts = () => /** @type {Record<Tab | "unknown", number>} */ (Object.fromEntries(["all", "unknown", ...GROUPS].map((key) => [key, 0])));

export class Store {
  /** @type {Map<Happening, Set<() => void>>} */
  #listeners = new Map();
  /** @type {Map<string, Row>} */
  #all = new Map();
  #views = 0;
  #dirty = true;
  /** @type {Promise<void> | null} */
  #reading = null;
  #again = false;
  /** Names that were made before, because each redraw of the list needs them. @type {WeakMap<Row, {workflow: string, language: string, parts: [string, string]}>} */
  #nameParts = new WeakMap();
  /** Selected jobs that an open deletion hides. @type {Set<string>} */
  #heldSelection = new Set();
  /** The focused row that an open deletion hides, and the row that took its place. @type {{id: string, next: string} | null} */
  #heldFocus = null;
  /** The time from which "older than" filters count: the last refresh or filter change. */
  #at = 0;
  /** The listed jobs, filtered and sorted, without those on hold. @type {Row[]} */
  rows = [];
  /** Counts by status of the whole history, ignoring the filter. Jobs on hold count until they are removed. */
  counts = noCounts();
  /** Jobs that an open deletion hides: in the whole history, of those that match the filter, and what is done with them. */
  held = new HeldJobs().sum();
  choice = EVERYTHING;
  selection = new Selection();
  focused = "";
  /** False while the focused row only took the place of one that a deletion removed, so that the details don't show it. */
  chosen = true;
  /** @type {Status | null} */
  status = null;
  loading = false;
  loaded = 0;
  /** @type {number | null} */
  total = null;
  /** When the list on screen was loaded, in milliseconds since 1970; null before the first. @type {number | null} */
  readAt = null;
  /** The server's identifier for the account (its address and key) of the listed jobs; "" before the first list. */
  account = "";
  /** Why the last refresh failed. The old list stays, but deletion is blocked. @type {HistoryApiError | null} */
  error = null;
  incomplete = false;
  /** Number of rows from Comfy Cloud that the server can't read. */
  unreadable = 0;
  /** Why the list is unreliable, as a text; "" if it is reliable. */
  doubt = "";
  /** Called when the filter for saved outputs can't be used. @type {(error: HistoryApiError) => void} */
  onSavedUnknown = () => undefined;

  /**
   * @param {object} parts
   * @param {Pick<HistoryApi, "status" | "list">} parts.api
   * @param {Pick<Deletions, "hides" | "holderOf" | "isGone" | "subscribe" | "onEnd" | "adopt" | "reading">} parts.deletions
   * @param {Protection} parts.protection
   * @param {Pick<SavedMarks, "of" | "want" | "learn" | "subscribe">} [parts.saved] which outputs are saved
   * @param {WorkflowNames} [parts.names]
   * @param {() => number} parts.now milliseconds since 1970
   */
  constructor({ api, deletions, protection, saved = NONE_SAVED, names = new WorkflowNames(NOT_STORED), now }) {
    this.api = api;
    this.deletions = deletions;
    this.protection = protection;
    this.saved = saved;
    this.names = names;
    this.now = now;
    this.#at = now();
    deletions.subscribe(() => this.#updateRows());
    deletions.onEnd((end) => (end.isBack ? this.#restore(end.ids) : this.#deselect(end)));
    names.subscribe(() => this.#updateRows());
    saved.subscribe(() => this.#savedChanged());
    protection.subscribe(() => {
      this.#updateRows();
      this.#notify("status");
    });
  }

  /** Calls `listener` after any of these changes; returns a function that unsubscribes. @param {Happening[]} happenings @param {() => void} listener */
  on(happenings, listener) {
    for (const each of happenings) this.#listeners.set(each, (this.#listeners.get(each) ?? new Set()).add(listener));
    return () => happenings.forEach((each) => this.#listeners.get(each)?.delete(listener));
  }

  /** @param {...Happening} happenings */
  #notify(...happenings) {
    const listeners = new Set(happenings.flatMap((each) => [...(this.#listeners.get(each) ?? [])]));
    for (const listener of listeners) listener();
  }

  /** The current filter in the server's format. */
  filter() {
    return filterOf(this.choice, this.#at);
  }

  #updateRows() {
    const counts = noCounts();
    const waiting = new HeldJobs();
    const matches = matcher(this.filter(), this, this.names.of);
    const only = this.choice.only && new Set(this.choice.only);
    const at = this.rows.findIndex(({ id }) => id === this.focused);
    /** @type {Row[]} */
    const rows = [];
    for (const row of this.#all.values()) {
      if (this.deletions.isGone(row)) continue;
      counts.all += 1;
      counts[groupOf(row.status)] += 1;
      const holder = this.deletions.holderOf(row);
      const isShown = matches(row) && (!only || only.has(row.id));
      if (holder) waiting.add(holder, isShown);
      else if (isShown) rows.push(row);
    }
    const held = this.#hidden(this.focused) ? this.focused : "";
    if (held || (this.focused && !this.loading && !this.#all.has(this.focused))) this.chosen = false;
    if (held) this.#notify("held");
    this.held = waiting.sum();
    this.rows = sorted(rows, this.choice.sort);
    this.counts = counts;
    this.selection.keep((id) => this.loading || this.incomplete || this.#all.has(id));
    for (const id of this.selection.ids()) if (this.#hidden(id)) this.#heldSelection.add(id);
    this.selection.keep((id) => !this.#hidden(id));
    this.#joinMatching();
    // If the focused row has gone, the row that took its place gets the focus.
    if (!this.rows.some(({ id }) => id === this.focused)) this.focused = this.rows[Math.min(Math.max(at, 0), rows.length - 1)]?.id ?? "";
    if (held) this.#heldFocus = { id: held, next: this.focused };
    this.#notify("rows", "selection", "focus");
  }

  /** Restores the selection, and the focus unless it was moved meanwhile, after a deletion was undone. @param {string[]} ids the jobs that are back */
  #restore(ids) {
    const back = new Set(ids);
    const selected = ids.filter((id) => this.#heldSelection.delete(id) && this.#all.has(id));
    if (selected.length) this.selection.add(selected);
    const focus = this.#heldFocus;
    if (focus && back.has(focus.id)) {
      this.#heldFocus = null;
      if (this.focused === focus.next && this.rows.some(({ id }) => id === focus.id)) {
        [this.focused, this.chosen] = [focus.id, true];
        this.#notify("undone");
      }
    }
    this.#notify("selection", "focus");
  }

  /** Deselects the jobs that a deletion was asked for, also those that it left alone: the next key or button must not act on them. @param {DeletionEnd} end */
  #deselect({ ids, filter }) {
    const asked = new Set(ids);
    for (const id of ids) this.#heldSelection.delete(id);
    if (this.#heldFocus && asked.has(this.#heldFocus.id)) this.#heldFocus = null;
    if (filter && JSON.stringify(filter) === JSON.stringify(this.selection.matching)) this.selection.clear();
    this.selection.keep((id) => !asked.has(id));
    this.#notify("selection");
  }

  /** The listed row on which a key acts alone: the focused one, unless it is selected. Null if a key acts on the selection. */
  keyRow() {
    return this.rows.find(({ id }) => id === this.focused && !this.selection.has(id)) ?? null;
  }

  /** Selects newly loaded jobs that match the selected filter, because a deletion would cover them. */
  #joinMatching() {
    const filter = this.selection.matching;
    if (!filter) return;
    // Without the names of workflows and the times on screen, as the server applies the filter.
    const matches = matcher(filter, this);
    this.#selectMatching([...this.#all.values()].filter((row) => matches(row) && !this.deletions.hides(row)), filter);
  }

  /**
   * Whether matching jobs are selected by their ids, so that jobs that arrive later are not deleted: on a complete list, and if a name or
   * a time that only this browser knows decides what is found, because for the server the filter would mean other jobs.
   */
  selectsByIds(rows = this.rows, filter = this.filter()) {
    if (this.choice.only) return true;
    const whole = this.readAt !== null && !this.incomplete && rows.length <= MAX_IDS;
    return whole || searchesOnlyHere(filter.search ?? "", this.names.all());
  }

  /** @param {Row[]} rows @param {Filter} filter */
  #selectMatching(rows, filter) {
    this.selection.selectMatching(rows.map(({ id }) => id), this.selectsByIds(rows, filter) ? null : filter);
  }

  /** Selects all listed jobs and, while the list is incomplete, all other jobs that the filter matches. */
  selectMatching() {
    if (this.choice.only) this.selection.add(this.rows.map(({ id }) => id));
    else this.#selectMatching(this.rows, this.filter());
    this.#notify("selection");
  }

  /** The listed jobs, and those that the filter matches and that are not loaded yet. @returns {Target} */
  shownTarget() {
    return this.selectsByIds() ? { ids: this.rows.map(({ id }) => id) } : { filter: this.filter() };
  }

  /** A job's name in two parts, of which only the first may be shortened on screen. @param {Row} row */
  nameParts(row) {
    const workflow = this.names.of(row.workflow_id);
    const known = this.#nameParts.get(row);
    const { language } = words;
    if (known?.workflow === workflow && known.language === language) return known.parts;
    const parts = jobNameParts(row, workflow);
    this.#nameParts.set(row, { workflow, language, parts });
    return parts;
  }

  /** Whether a job's name tells its status and time. @param {Row} row */
  isDescribed(row) {
    return isDescribed(row, this.names.of(row.workflow_id));
  }

  /** The selected jobs that are loaded. @returns {Row[]} */
  selectedRows() {
    return this.selection.ids().map((id) => this.get(id)).filter((row) => !!row);
  }

  /** How many selected jobs the list shows. */
  shownSelected() {
    const { selection } = this;
    return selection.size ? this.rows.filter(({ id }) => selection.has(id)).length : 0;
  }

  /** Deselects all jobs that the list does not show. */
  selectOnlyShown() {
    this.select((selection) => selection.selectMatching(this.rows.filter(({ id }) => selection.has(id)).map(({ id }) => id)));
  }

  /** Those of the jobs that a deletion would remove. @param {Row[]} rows */
  removable(rows) {
    return rows.filter((row) => statusOf(row.status).finished && !this.protection.covers(row));
  }

  /** The listed jobs that a deletion would remove; none if the page can't know. @param {DeletionRequest["selection"]} selection */
  going(selection) {
    const asked = "ids" in selection && new Set(selection.ids);
    const matches = "filter" in selection && selection.filter && matcher(selection.filter, this);
    const rows = [...this.#all.values()].filter((row) => "clear" in selection || (asked && asked.has(row.id)) || (matches && matches(row)));
    return this.removable(rows).map(({ id }) => id);
  }

  /** Why none of the jobs can be deleted now, as a text; "" if a deletion is possible. @param {Row[]} rows */
  whyNotRemovable(rows) {
    return this.blocked() || (rows.length && !this.removable(rows).length ? whyNoneRemovable(rows) : "");
  }

  /** @param {string} id */
  #hidden(id) {
    const row = this.#all.get(id);
    return !!row && this.deletions.hides(row);
  }

  /** @param {string} id */
  get(id) {
    return this.#all.get(id);
  }

  /** How many finished jobs the history has; null if the list is not complete. */
  finishedCount() {
    if (this.readAt === null || this.incomplete) return null;
    return [...this.all()].filter(({ status }) => statusOf(status).finished).length;
  }

  all() {
    return this.#all.values();
  }

  /** The workflows with the most jobs, and the number of their jobs. @returns {[string, number][]} */
  workflows() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const row of this.#all.values()) {
      const { workflow_id: id } = row;
      if (id && !this.deletions.hides(row)) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a).slice(0, MAX_WORKFLOWS);
  }

  /** @param {Partial<Choice>} change */
  choose(change) {
    this.choice = { ...this.choice, ...change };
    this.#at = this.now();
    this.#updateRows();
    this.#notify("choice");
    if (change.saved) this.#learnSaved();
  }

  /** Reads which outputs are saved, because the filter needs to know it of all jobs. */
  #learnSaved() {
    const asked = this.choice.saved;
    const ids = [...this.#all.values()].filter(hasOutputs).map(({ id }) => id);
    this.saved.learn(ids).catch((error) => {
      if (!(error instanceof HistoryApiError)) throw error;
      // A list that only looks empty would mislead.
      if (this.choice.saved === asked) this.choose({ saved: "" });
      this.onSavedUnknown(error);
    });
  }

  #savedChanged() {
    if (!this.choice.saved) return this.#notify("saved");
    this.#learnSaved();
    this.#updateRows();
  }

  /** @param {(selection: Selection) => void} change */
  select(change) {
    change(this.selection);
    this.#notify("selection");
  }

  /** @param {string} id */
  focus(id) {
    if (id === this.focused && this.chosen) return;
    [this.focused, this.chosen] = [id, true];
    this.#notify("focus");
  }

  /** Whether the server can cancel jobs; true while unknown. */
  canCancel() {
    return this.status?.can_cancel !== false;
  }

  /** Why nothing can be deleted now, as a text; "" if deletion is possible. */
  blocked() {
    if (this.error) return text("list.cant_delete");
    const { problem, running, hold_seconds: hold } = this.status ?? {};
    if (problem || this.protection.damaged !== null) return text("list.stopped");
    return running && !hold ? text("list.busy") : "";
  }

  #reset() {
    this.#all = new Map();
    this.selection.clear();
    this.#heldSelection.clear();
    this.#heldFocus = null;
    this.readAt = null;
    this.account = "";
    this.incomplete = false;
    this.#updateRows();
  }

  /** @param {Status} status from any answer that contains one */
  setStatus(status) {
    const before = this.status;
    this.status = status;
    this.deletions.adopt(status);
    this.protection.adopt(status);
    const another = before && ["configured", "source", "last4", "host"].some((key) => before[/** @type {"last4"} */ (key)] !== status[/** @type {"last4"} */ (key)]);
    if (another) {
      this.#reset();
      this.error = null;
      this.changed();
    }
    this.#notify("status");
  }

  /** Loads all jobs. An old list stays on screen until the new one is complete. */
  async #readJobs() {
    /** @type {Map<string, Row>} */
    const fresh = new Map();
    let first = this.readAt === null;
    let [at, drawn] = [this.now(), 0];
    /** @type {Extract<ListLine, {type: "end"}> | null} */
    let end = null;
    const reportList = this.deletions.reading();
    for await (const line of this.api.list({})) {
      if (line.type === "start") {
        [at, this.total] = [Date.parse(line.read_at) || at, line.total];
        if (this.account && line.account !== this.account) this.#reset();
        this.account = line.account;
        if (this.readAt === null) [first, this.#all] = [true, fresh];
      }
      if (line.type === "end") end = line;
      if (line.type !== "jobs") continue;
      for (const row of line.jobs) fresh.set(row.id, row);
      this.loaded = fresh.size;
      if (first && this.now() - drawn > DRAW_EVERY_MS) {
        this.#updateRows();
        drawn = this.now();
      }
      this.#notify("load");
    }
    if (!end) throw new HistoryApiError({ code: STRANGE });
    // An old complete list is more useful than a new one that breaks off.
    if (end.error && !first && !this.incomplete) throw new HistoryApiError(end.error);
    this.#all = fresh;
    if (end.complete) reportList(fresh, this.account);
    [this.readAt, this.#at, this.incomplete] = [at, this.now(), !end.complete];
    [this.unreadable, this.doubt] = [end.unreadable ?? 0, end.doubt ?? ""];
  }

  async #read() {
    [this.loading, this.loaded, this.total, this.#dirty] = [true, 0, null, false];
    this.#notify("load");
    try {
      this.setStatus(await this.api.status());
      void this.protection.read();
      if (this.status && !this.status.configured) throw noKey(this.status);
      await this.#readJobs();
      this.error = null;
    } catch (error) {
      this.error = error instanceof HistoryApiError ? error : new HistoryApiError({ code: STRANGE });
      if (ABOUT_KEY.has(this.error.code)) this.#reset();
      else if (this.readAt === null && this.#all.size) [this.readAt, this.incomplete] = [this.now(), true];
    }
    this.loading = false;
    this.#updateRows();
    this.#notify("load", "status");
    if (this.choice.saved) this.#learnSaved();
  }

  /** @returns {Promise<void>} */
  async refresh() {
    this.#again = this.#reading !== null;
    this.#reading ??= (async () => {
      do {
        this.#again = false;
        await this.#read();
      } while (this.#again);
      this.#reading = null;
    })();
    return this.#reading;
  }

  /** Refreshes after the panel or a node has changed jobs: now, or when a panel opens. */
  changed() {
    this.#dirty = true;
    if (this.#views) void this.refresh();
  }

  protectionChanged() {
    if (this.#views) void this.protection.read();
  }

  /** Registers an open panel and refreshes; returns a function that unregisters the panel. */
  shown() {
    this.#views += 1;
    if (this.#views === 1 || this.#dirty) void this.refresh();
    return () => void (this.#views -= 1);
  }
}
