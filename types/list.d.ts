/** The interfaces between the parts of the panel. */

import type { HistoryApi } from "../js/ui-1.2.0/api.mjs";
import type { Dialogs } from "../js/ui-1.2.0/common/dialogs.mjs";
import type { Notice } from "../js/ui-1.2.0/deletion/cards.mjs";
import type { GROUPS } from "../js/ui-1.2.0/common/status.mjs";
import type { IconName } from "../js/ui-1.2.0/common/icons.mjs";
import type { Toasts } from "../js/ui-1.2.0/common/toasts.mjs";
import type { Details } from "../js/ui-1.2.0/details/view.mjs";
import type { Workflows } from "../js/ui-1.2.0/details/workflows.mjs";
import type { Store } from "../js/ui-1.2.0/list/store.mjs";
import type { SavedRequest } from "../js/ui-1.2.0/outputs/viewer.mjs";
import type { Thumbnails } from "../js/ui-1.2.0/list/thumbnails.mjs";
import type { Protection } from "../js/ui-1.2.0/protection/model.mjs";
import type { Filter, JobOutput, ListLine, OutputType, Row, Selection as Target, Status } from "./wire";

export type { Filter, Row, Status, Target };
export type Tab = "all" | (typeof GROUPS)[number];
export type Sort = "recent" | "oldest" | "longest" | "shortest";
export type Time = "" | "last1" | "last7" | "last30" | "older7" | "older30" | "older90" | "between";

/** The filters, search and order that the person chose. */
export interface Choice {
  tab: Tab;
  search: string;
  time: Time;
  /** For "between": the first and last local date, such as 2026-11-23; "": no limit. */
  from: string;
  to: string;
  workflow: string;
  output: OutputType | "";
  /** "open": jobs that are not protected. */
  protection: "" | "protected" | "open";
  /** "yes": jobs whose outputs are all saved; "no": jobs with outputs that are not. */
  saved: "" | "yes" | "no";
  /** Ids of the jobs that a deletion did not remove for certain; null: all jobs. */
  only: string[] | null;
  /** The outcome of the jobs in `only`, in words. */
  onlyWord: string;
  sort: Sort;
}

/**
 * What has changed. "rows": the listed jobs; "focus": the focused row; "load": reading has begun, advanced or ended; "held": a deletion is about to
 * hide the focused row; "undone": an undo has brought that row and the focus back; "saved": which outputs are saved.
 */
export type Happening = "rows" | "choice" | "selection" | "focus" | "load" | "status" | "held" | "undone" | "saved";

/** The selected jobs that the list does not show, for the dialog before a deletion. */
export interface HiddenSelection {
  selected: number;
  shown: number;
  /** Whether the list shows a job. */
  isShown(id: string): boolean;
  /** Deselects the jobs that are not shown. Returns the rest, null if none is left. */
  deselectHidden(): Target | null;
}

export type { Store };

export interface Mark {
  kind: "failed" | "warn" | "";
  icon: IconName;
  word: string;
  why: string;
}

/** The actions of the list. */
export interface Actions {
  /** Opens the viewer. */
  view(request: ViewRequest): void;
  /** Closes the viewer if it is open in this panel. */
  leaveViewer(root: HTMLElement): void;
  /** `confirmed` is called once the person confirms; `hidden`: the part of the selection that the list does not show. */
  remove(target: Target, confirmed?: () => void, hidden?: HiddenSelection): void;
  cancel(rows: Row[]): void;
  /** Asks before the outputs of these jobs are saved. */
  save(target: Target): void;
  /** Opens the viewer with saved outputs. */
  viewSaved(request: SavedRequest): void;
  /** `wish`: whether to protect or unprotect; default: protect if any row is unprotected. */
  protect(rows: Row[], wish?: boolean): void;
  protectWorkflow(row: Row): void;
  /** Undoes the newest hold, or says that there is none. */
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

/** Which output the viewer shows first. */
export interface ViewRequest {
  /** The job's id. */
  id: string;
  /** The output's place among the job's outputs, from 0; default: the output that the list shows. */
  number?: number;
  /** The job's outputs, if they are already loaded. */
  outputs?: JobOutput[];
  /** The root element of the panel. */
  root: HTMLElement;
  /** Called when the viewer closes, with the id of the job that was shown last. Has to set the focus. */
  closed(id: string): void;
}

export interface Page {
  element: HTMLElement;
  leave(): void;
}

export type PageName = "clean_up" | "audit";

/** What the panel gives to a page or to the details. */
export interface PageHost {
  back(): void;
  close(): void;
  /** Scrolls the list to a row and focuses it. */
  reveal(id: string): void;
  say: Say;
}

/** What the constructor of a page gets. */
export interface PageParts extends PageHost {
  api: HistoryApi;
  store: Store;
  actions: Actions;
  thumbnails: Thumbnails;
  workflows: Workflows;
  dialogs: Dialogs;
  toasts: Toasts;
}

/** What the constructor of a panel gets. */
export interface ViewParts {
  store: Store;
  actions: Actions;
  /** Creates banners from the server's status. */
  banners(view: { show(ids: string[]): void }): HTMLElement[];
  /** Returns the mark of a job that a result names. */
  markOf(id: string): Mark | undefined;
  /** Calls back when marks or banners may have changed. */
  subscribe(listener: () => void): () => void;
  createCards(view: { show(ids: string[], outcome: string): void; focusList(): void; say: Say; blocked(): string; notices: Notice[] | null }): { element: HTMLElement; render(): void; destroy(): void };
  createDetails(view: PageHost): Details;
  createPage(name: PageName, view: PageHost): Page;
  thumbnails: Thumbnails;
  /** "sidebar" has a button that opens the large window; "large" is that window. */
  place: "sidebar" | "large";
  close(): void;
  /** The warnings and errors on the cards of the large window. */
  notices: Notice[];
}

export type Say = (text: string, urgent?: boolean) => void;
