/** The seams of the panel: what its parts give each other. */

import type { HistoryApiError } from "../js/ui-1.2.0/api.mjs";
import type { GROUPS } from "../js/ui-1.2.0/common/status.mjs";
import type { IconName } from "../js/ui-1.2.0/common/icons.mjs";
import type { Filter, ListLine, OutputType, Row, Selection as Target, Status } from "./wire";

export type { Filter, Row, Status, Target };
export type Tab = "all" | (typeof GROUPS)[number][0];
export type Sort = "recent" | "oldest" | "longest" | "shortest";
export type Time = "" | "last1" | "last7" | "last30" | "older7" | "older30" | "older90" | "between";

/** What the person chose to see. */
export interface Choice {
  tab: Tab;
  search: string;
  time: Time;
  /** For "between": two local dates, 2026-11-23, both included; "" is open. */
  from: string;
  to: string;
  workflow: string;
  output: OutputType | "";
  /** Those that deletions leave out, or the others. */
  protection: "" | "protected" | "open";
  /** These jobs alone, those a result did not remove; null: all. */
  only: string[] | null;
  sort: Sort;
}

export interface SelectionModel {
  readonly size: number;
  /** The filter taken as a whole by "Select all matching" as long as the list is not whole; null when jobs are chosen. */
  readonly matching: Filter | null;
  has(id: string): boolean;
  ids(): string[];
  /** What to ask a deletion for; null when nothing is selected. */
  target(): Target | null;
  toggle(id: string): void;
  /** From the anchor to the id, in the order given; adds, never drops. */
  range(id: string, order: string[]): void;
  add(ids: Iterable<string>): void;
  /** These and no others; with a filter also those that it matches and that are not known yet. */
  selectMatching(ids: Iterable<string>, filter?: Filter | null): void;
  clear(): void;
  /** Forgets ids of which `exists` is false. */
  keep(exists: (id: string) => boolean): void;
}

/** rows: what is listed · choice · selection · focus: the focused row · load: reading began, went on or ended · status. */
export type Happening = "rows" | "choice" | "selection" | "focus" | "load" | "status";

export interface Store {
  /** Calls back after any of these; returns the way to stop. */
  on(happenings: Happening[], listener: () => void): () => void;

  /** Filtered and sorted; jobs that are about to be deleted have left. */
  readonly rows: Row[];
  /** Of the whole history, whatever the filter. */
  readonly counts: Record<Tab, number>;
  get(id: string): Row | undefined;
  /** Every job that is known, whatever the filter. */
  all(): Iterable<Row>;
  /** Workflow ids, the most recently used first. */
  workflows(): string[];
  readonly choice: Choice;
  choose(change: Partial<Choice>): void;
  /** The filter in force, as the server takes it. */
  filter(): Filter;

  readonly selection: SelectionModel;
  /** Changes the selection and tells about it. */
  select(change: (selection: SelectionModel) => void): void;
  /** Selects all that is listed and, as long as the list is not whole, what else the filter matches. */
  selectMatching(): void;
  readonly focused: string;
  /** Makes a row the focused one. */
  focus(id: string): void;

  /** Which jobs deletions leave out. */
  readonly protection: ProtectionModel;
  /** The server says that other jobs are protected now. */
  protectionChanged(): void;

  readonly status: Status | null;
  /** What else is known of the status, from any answer that carries one. */
  setStatus(status: Status): void;
  readonly loading: boolean;
  readonly loaded: number;
  readonly total: number | null;
  /** Milliseconds since 1970, of the list shown; null before the first. */
  readonly readAt: number | null;
  /** Whose jobs are listed: the server's name for its address and the key; "" before the first list. */
  readonly account: string;
  /** Why the last reading failed. With a list still there it is old: look, but don't delete. */
  readonly error: HistoryApiError | null;
  /** The list is not all there is. */
  readonly incomplete: boolean;
  readonly unreadable: number;
  readonly doubt: string;
  /** Why deleting must wait, in words; "" if it need not. */
  blocked(): string;
  now(): number;

  /** Reads the status and then the list again. Jobs may have changed in the cloud. */
  refresh(): Promise<void>;
  /** Something was changed by us or a node: reads again now, or when a view is shown. */
  changed(): void;
  /** A view is shown: reads again; returns what to call when it is gone. */
  shown(): () => void;
}

export interface ProtectionModel {
  covers(row: Row): boolean;
  /** Whether the job's workflow is protected, and the job by it. */
  byWorkflow(row: Row): boolean;
  /** Whether anything is protected. */
  readonly any: boolean;
  /** The name of the list that can't be read, "" if only that is known; null: all is well. Nothing is deleted meanwhile. */
  readonly damaged: string | null;
  subscribe(listener: () => void): () => void;
  adopt(status: Status): void;
  read(): Promise<void>;
}

export interface StoreParts {
  protection: ProtectionModel;
  api: { status(): Promise<Status>; list(filter: Filter, signal?: AbortSignal): AsyncIterable<ListLine> };
  deletions: {
    hides(row: Row): boolean;
    subscribe(listener: () => void): () => void;
    adopt(status: Status): void;
    /** A reading begins; the answer is called with its list, if that is whole. */
    reading(): (listed: { has(id: string): boolean }) => void;
  };
  /** Milliseconds since 1970. */
  now(): number;
}

/** How an outcome looks on a row. */
export interface Mark {
  kind: "failed" | "warn" | "";
  icon: IconName;
  word: string;
  why: string;
}

/** What the person can do to jobs from the list; the list knows no more about it. */
export interface Actions {
  /** `confirmed` is called once the person has said yes. */
  remove(target: Target, confirmed?: () => void): void;
  cancel(rows: Row[]): void;
  /** `wish`: whether they are to be protected; absent: whether any of them is not yet. */
  protect(rows: Row[], wish?: boolean): void;
  /** The newest hold; where there is none, it says so. */
  undo(say: Say): void;
  openWorkflow(id: string): void;
  downloadWorkflow(id: string): void;
  copyIds(ids: string[]): void;
  clear(): void;
  manageKey(): void;
  openLarge(): void;
  /** The id of the workflow on the canvas, "" if it has none. */
  currentWorkflow(): string;
}

/** What is pushed over the list. */
export interface Page {
  element: HTMLElement;
  /** It is no longer shown. */
  leave(): void;
}

export type PageName = "clean_up" | "record";

/** What a page is given by the panel it is shown in. */
export interface PageHost {
  back(): void;
  close(): void;
  say: Say;
}

export interface DetailsView {
  element: HTMLElement;
  show(row: Row, options: { pane: boolean }): void;
  close(): void;
  destroy(): void;
}

/** The pieces made anew for each shown panel. */
export interface ViewParts {
  store: Store;
  actions: Actions;
  /** Of the server's status. */
  banners(view: { show(ids: string[]): void }): HTMLElement[];
  /** How a job's outcome looks on its row, if a result tells one. */
  markOf(id: string): Mark | undefined;
  /** Calls back when marks or banners may have changed. */
  subscribe(listener: () => void): () => void;
  createCards(view: { show(ids: string[]): void; focusList(): void; say: Say }): { element: HTMLElement; destroy(): void };
  createDetails(view: PageHost): DetailsView;
  createPage(name: PageName, view: PageHost): Page;
  thumbnails: { requestFor(row: Row, image: HTMLImageElement): void; release(image: HTMLImageElement): void };
  /** "sidebar" has a way to the large window; "large" is that window. */
  place: "sidebar" | "large";
  close(): void;
}

export type Say = (text: string, urgent?: boolean) => void;
