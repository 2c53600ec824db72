// @ts-check
/** What is known of the jobs and what the person chose, whether a panel is shown or not. No DOM. */

import { HistoryApiError, noKey, STRANGE } from "../api.mjs";
import { groupOf, GROUPS } from "../common/status.mjs";
import { EVERYTHING, filterOf, matcher, sorted } from "./filter.mjs";
import { PANEL } from "./strings.mjs";

/** @import { Choice, Filter, Happening, Row, Status, Tab, Target } from "../../../types/list" */
/** @import { ListLine } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Deletions } from "../deletion/controller.mjs" */
/** @import { Protection } from "../protection/model.mjs" */

/** A list that grows is drawn no more often; milliseconds. */
const DRAW_EVERY = 250;
const MAX_WORKFLOWS = 50;
/** What the server takes in one request. */
const MAX_IDS = 200_000;
/** After these the list at hand may be another account's. */
const ABOUT_KEY = new Set(["missing_key", "unauthorized", "forbidden", "invalid_key"]);

/** Which jobs are selected. Knows ids, not rows: what a filter hides stays selected. */
export class Selection {
  /** @type {Set<string>} */
  #chosen = new Set();
  #anchor = "";
  /** The filter taken as a whole by "Select all matching" as long as the list is not whole; null when jobs are chosen. @type {Filter | null} */
  matching = null;

  get size() {
    return this.#chosen.size;
  }

  has = (/** @type {string} */ id) => this.#chosen.has(id);
  ids = () => [...this.#chosen];

  /** What to ask a deletion for; null when nothing is selected. @returns {Target | null} */
  target() {
    if (this.matching) return { filter: this.matching };
    return this.size ? { ids: this.ids() } : null;
  }

  /** @param {string} id */
  toggle(id) {
    this.matching = null;
    this.#anchor = id;
    if (!this.#chosen.delete(id)) this.#chosen.add(id);
  }

  /** From the anchor to the id, in the order given; adds, never drops. @param {string} id @param {string[]} order */
  range(id, order) {
    const to = order.indexOf(id);
    const from = order.indexOf(this.#anchor);
    if (from < 0) this.#anchor = id;
    this.add(order.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1));
  }

  /** @param {Iterable<string>} ids */
  add(ids) {
    this.matching = null;
    for (const id of ids) this.#chosen.add(id);
  }

  /** These and no others; with a filter also those that it matches and that are not known yet. @param {Iterable<string>} ids @param {Filter | null} [filter] */
  selectMatching(ids, filter = null) {
    this.#chosen = new Set(ids);
    this.matching = filter;
  }

  clear() {
    this.selectMatching([]);
  }

  /** Forgets ids of which `exists` is false. @param {(id: string) => boolean} exists */
  keep(exists) {
    for (const id of this.#chosen) if (!exists(id)) this.#chosen.delete(id);
    if (!this.size) this.matching = null;
  }
}

const noCounts = () => /** @type {Record<Tab | "unknown", number>} */ (Object.fromEntries(["all", "unknown", ...GROUPS.map(([group]) => group)].map((key) => [key, 0])));

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
  /** The time that "older than" counts from: that of the last reading or choice. */
  #at = 0;
  /** Filtered and sorted; jobs that are about to be deleted have left. @type {Row[]} */
  rows = [];
  /** Of the whole history, whatever the filter. */
  counts = noCounts();
  choice = EVERYTHING;
  selection = new Selection();
  focused = "";
  /** @type {Status | null} */
  status = null;
  loading = false;
  loaded = 0;
  /** @type {number | null} */
  total = null;
  /** Milliseconds since 1970, of the list shown; null before the first. @type {number | null} */
  readAt = null;
  /** Whose jobs are listed: the server's name for its address and the key; "" before the first list. */
  account = "";
  /** Why the last reading failed. With a list still there it is old: look, but don't delete. @type {HistoryApiError | null} */
  error = null;
  /** The list is not all there is. */
  incomplete = false;
  /** Rows of the list that Comfy Cloud sent and nobody can read. */
  unreadable = 0;
  /** Why the list can't be trusted, in words; "" where nothing speaks against it. */
  doubt = "";

  /**
   * @param {object} parts
   * @param {Pick<HistoryApi, "status" | "list">} parts.api
   * @param {Pick<Deletions, "hides" | "subscribe" | "adopt" | "reading">} parts.deletions
   * @param {Protection} parts.protection
   * @param {() => number} parts.now milliseconds since 1970
   */
  constructor({ api, deletions, protection, now }) {
    this.api = api;
    this.deletions = deletions;
    this.protection = protection;
    this.now = now;
    this.#at = now();
    deletions.subscribe(() => this.#list());
    protection.subscribe(() => {
      this.#list();
      this.#tell("status");
    });
  }

  /** Calls back after any of these; returns the way to stop. @param {Happening[]} happenings @param {() => void} listener */
  on(happenings, listener) {
    for (const each of happenings) this.#listeners.set(each, (this.#listeners.get(each) ?? new Set()).add(listener));
    return () => happenings.forEach((each) => this.#listeners.get(each)?.delete(listener));
  }

  /** @param {...Happening} happenings */
  #tell(...happenings) {
    const told = new Set(happenings.flatMap((each) => [...(this.#listeners.get(each) ?? [])]));
    for (const listener of told) listener();
  }

  /** The filter in force, as the server takes it. */
  filter() {
    return filterOf(this.choice, this.#at);
  }

  /** Works out anew what is listed. */
  #list() {
    const counts = noCounts();
    const matches = matcher(this.filter(), this.protection.covers);
    const only = this.choice.only && new Set(this.choice.only);
    const at = this.rows.findIndex(({ id }) => id === this.focused);
    /** @type {Row[]} */
    const rows = [];
    for (const row of this.#all.values()) {
      if (this.deletions.hides(row)) continue;
      counts.all += 1;
      counts[groupOf(row.status)] += 1;
      if (matches(row) && (!only || only.has(row.id))) rows.push(row);
    }
    this.rows = sorted(rows, this.choice.sort);
    this.counts = counts;
    this.selection.keep((id) => this.loading || this.incomplete || this.#all.has(id));
    this.selection.keep((id) => !this.#hidden(id));
    this.#joinMatching();
    // The focused row has left: the one that took its place has the focus now.
    if (!this.rows.some(({ id }) => id === this.focused)) this.focused = this.rows[Math.min(Math.max(at, 0), rows.length - 1)]?.id ?? "";
    this.#tell("rows", "selection", "focus");
  }

  /** What has come of a filter that was taken as a whole is shown as selected, for it would go. */
  #joinMatching() {
    const filter = this.selection.matching;
    if (!filter) return;
    const matches = matcher(filter, this.protection.covers);
    this.#selectMatching([...this.#all.values()].filter((row) => matches(row) && !this.deletions.hides(row)), filter);
  }

  /** Of a whole list just these jobs: what comes later is not shown as selected, so it must not go. @param {Row[]} rows @param {Filter} filter */
  #selectMatching(rows, filter) {
    const whole = this.readAt !== null && !this.incomplete && rows.length <= MAX_IDS;
    this.selection.selectMatching(rows.map(({ id }) => id), whole ? null : filter);
  }

  /** Selects all that is listed and, as long as the list is not whole, what else the filter matches. */
  selectMatching() {
    if (this.choice.only) this.selection.add(this.rows.map(({ id }) => id));
    else this.#selectMatching(this.rows, this.filter());
    this.#tell("selection");
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

  all() {
    return this.#all.values();
  }

  workflows() {
    /** @type {Set<string>} */
    const ids = new Set();
    for (const { workflow_id: id } of this.#all.values()) if (id && ids.size < MAX_WORKFLOWS) ids.add(id);
    return [...ids];
  }

  /** @param {Partial<Choice>} change */
  choose(change) {
    this.choice = { ...this.choice, ...change };
    this.#at = this.now();
    this.#list();
    this.#tell("choice");
  }

  /** Changes the selection and tells about it. @param {(selection: Selection) => void} change */
  select(change) {
    change(this.selection);
    this.#tell("selection");
  }

  /** @param {string} id */
  focus(id) {
    if (id === this.focused) return;
    this.focused = id;
    this.#tell("focus");
  }

  /** Whether the server can cancel jobs, as far as is known. */
  canCancel() {
    return this.status?.can_cancel !== false;
  }

  /** Why deleting must wait, in words; "" if it need not. */
  blocked() {
    if (this.error) return PANEL.cantDelete;
    const { problem, running, hold_seconds: hold } = this.status ?? {};
    if (problem || this.protection.damaged !== null) return PANEL.stopped;
    return running && !hold ? PANEL.busy : "";
  }

  #forget() {
    this.#all = new Map();
    this.selection.clear();
    this.readAt = null;
    this.account = "";
    this.incomplete = false;
    this.#list();
  }

  /** Takes a status from any answer that carries one. @param {Status} status */
  setStatus(status) {
    const before = this.status;
    this.status = status;
    this.deletions.adopt(status);
    this.protection.adopt(status);
    const another = before && ["configured", "source", "last4", "host"].some((key) => before[/** @type {"last4"} */ (key)] !== status[/** @type {"last4"} */ (key)]);
    if (another) {
      this.#forget();
      this.error = null;
      this.changed();
    }
    this.#tell("status");
  }

  /** Reads all jobs. The old list stays until the new one has come, if there is one. */
  async #readJobs() {
    /** @type {Map<string, Row>} */
    const fresh = new Map();
    let first = this.readAt === null;
    let [at, drawn] = [this.now(), 0];
    /** @type {Extract<ListLine, {type: "end"}> | null} */
    let end = null;
    const seen = this.deletions.reading();
    for await (const line of this.api.list({})) {
      if (line.type === "start") {
        [at, this.total] = [Date.parse(line.read_at) || at, line.total];
        if (this.account && line.account !== this.account) this.#forget();
        this.account = line.account;
        if (this.readAt === null) [first, this.#all] = [true, fresh];
      }
      if (line.type === "end") end = line;
      if (line.type !== "jobs") continue;
      for (const row of line.jobs) fresh.set(row.id, row);
      this.loaded = fresh.size;
      if (first && this.now() - drawn > DRAW_EVERY) {
        this.#list();
        drawn = this.now();
      }
      this.#tell("load");
    }
    if (!end) throw new HistoryApiError({ code: STRANGE });
    // A whole list that is old says more than a new one that breaks off.
    if (end.error && !first && !this.incomplete) throw new HistoryApiError(end.error);
    this.#all = fresh;
    if (end.complete) seen(fresh);
    [this.readAt, this.#at, this.incomplete] = [at, this.now(), !end.complete];
    [this.unreadable, this.doubt] = [end.unreadable ?? 0, end.doubt ?? ""];
  }

  async #read() {
    [this.loading, this.loaded, this.total, this.#dirty] = [true, 0, null, false];
    this.#tell("load");
    try {
      this.setStatus(await this.api.status());
      void this.protection.read();
      if (this.status && !this.status.configured) throw noKey(this.status);
      await this.#readJobs();
      this.error = null;
    } catch (error) {
      this.error = error instanceof HistoryApiError ? error : new HistoryApiError({ code: STRANGE });
      if (ABOUT_KEY.has(this.error.code)) this.#forget();
      else if (this.readAt === null && this.#all.size) [this.readAt, this.incomplete] = [this.now(), true];
    }
    this.loading = false;
    this.#list();
    this.#tell("load", "status");
  }

  /** Reads the status and then the list again. Jobs may have changed in the cloud. @returns {Promise<void>} */
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

  /** Something was changed by us or a node: reads again now, or when a view is shown. */
  changed() {
    this.#dirty = true;
    if (this.#views) void this.refresh();
  }

  protectionChanged() {
    if (this.#views) void this.protection.read();
  }

  /** A view is shown: reads again; returns what to call when it is gone. */
  shown() {
    this.#views += 1;
    if (this.#views === 1 || this.#dirty) void this.refresh();
    return () => void (this.#views -= 1);
  }
}
