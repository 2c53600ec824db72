/** The seams of the panel: what its parts give each other. */

import type { HistoryApi } from "../js/ui-1.2.0/api.mjs";
import type { Dialogs } from "../js/ui-1.2.0/common/dialogs.mjs";
import type { GROUPS } from "../js/ui-1.2.0/common/status.mjs";
import type { IconName } from "../js/ui-1.2.0/common/icons.mjs";
import type { Toasts } from "../js/ui-1.2.0/common/toasts.mjs";
import type { Details } from "../js/ui-1.2.0/details/view.mjs";
import type { Workflows } from "../js/ui-1.2.0/details/workflows.mjs";
import type { Store } from "../js/ui-1.2.0/list/store.mjs";
import type { Thumbnails } from "../js/ui-1.2.0/list/thumbnails.mjs";
import type { Protection } from "../js/ui-1.2.0/protection/model.mjs";
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

/** rows: what is listed · choice · selection · focus: the focused row · load: reading began, went on or ended · status. */
export type Happening = "rows" | "choice" | "selection" | "focus" | "load" | "status";

export type { Store };

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
  protectWorkflow(row: Row): void;
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

export type PageName = "clean_up" | "audit";

/** What a page is given by the panel it is shown in. */
export interface PageHost {
  back(): void;
  close(): void;
  say: Say;
}

/** What a page of one subject gets to work with, in the panel it is shown in. */
export interface PageParts extends PageHost {
  api: HistoryApi;
  store: Store;
  actions: Actions;
  thumbnails: Thumbnails;
  workflows: Workflows;
  dialogs: Dialogs;
  toasts: Toasts;
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
  createDetails(view: PageHost): Details;
  createPage(name: PageName, view: PageHost): Page;
  thumbnails: Thumbnails;
  /** "sidebar" has a way to the large window; "large" is that window. */
  place: "sidebar" | "large";
  close(): void;
}

export type Say = (text: string, urgent?: boolean) => void;
