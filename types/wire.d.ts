/** What the server side of this pack answers under /cloud_history/. */

import type { RULES } from "../js/ui-1.2.0/cleanup/rules.mjs";
import type { STATUSES } from "../js/ui-1.2.0/common/status.mjs";

type Rules = typeof RULES;
type Statuses = typeof STATUSES;

export interface ErrorBody {
  /** What programs tell errors apart by. */
  code: string;
  /** The code of what `message` and `hint` say, and the values in them: a translation needs no more. */
  sentence?: string;
  values?: Record<string, string | number | boolean | null>;
  message: string;
  hint: string;
  status: number | null;
  retry_after: number | null;
  cloud_says?: string;
}

export interface Unresolved {
  operation: string;
  kind: string;
  asked: number | null;
  origin: string;
  started_at: string;
}

export interface Status {
  version: string;
  configured: boolean;
  source: "env" | "saved" | null;
  last4: string;
  /** Whether a key that is given now would be used. */
  can_connect?: boolean;
  host: string;
  running: null | { operation: string; kind: string; origin: string; started_at: string };
  finished: { operation: string; result: Result }[];
  unresolved: Unresolved[];
  problem: null | Pick<ErrorBody, "code" | "message" | "hint">;
  /** What is wrong with the clock of this ComfyUI, in words; "" for nothing. */
  clock?: string;
  holds?: Hold[];
  /** Names of holds that were taken back. */
  undone?: string[];
  /** ComfyUI stopped while these were held; nothing was sent. */
  lost_holds?: LostHold[];
  hold_seconds?: number;
  settings?: Settings & {
    /** Whether the environment says if workflows may delete. */
    nodes_fixed: boolean;
  };
  /** Whether the server can cancel jobs; null: not known yet. */
  can_cancel?: boolean | null;
  /** How much is protected; `damaged`: the name of a list that can't be read. */
  protection?: { jobs: number; workflows: number; damaged: string | null };
}

/** What deletions leave out. */
export interface ProtectionLists {
  /** Ids of jobs. */
  jobs: string[];
  /** Ids of workflows: all their jobs. */
  workflows: string[];
}

/** What a person has set; kept on the server. */
export interface Settings {
  /** Seconds to undo a deletion: 0 to 60. */
  hold_seconds: number;
  /** What is backed up before a deletion. */
  backup: "off" | "workflows";
  /** Whether workflows may delete. */
  nodes: "ask" | "allow" | "never";
  backup_days: number;
  backup_megabytes: number;
}

export type Kind = "delete" | "clear";

export interface LostHold {
  id: string;
  kind: Kind;
  jobs: number;
  /** [] for a clear. */
  ids: string[];
}

export interface Hold extends LostHold {
  /** Of the server's clock, when it answered. */
  seconds_left: number;
  state: "holding" | "waiting" | "sending" | "undone" | "done";
  account: string;
}

export type JobStatus = keyof Statuses;
/** Of jobs that can be deleted. */
export type FinishedStatus = { [S in JobStatus]: Statuses[S]["finished"] extends true ? S : never }[JobStatus];
export type OutputType = "image" | "video" | "audio" | "3d";

/** Which jobs; an absent member leaves nothing out. */
export interface Filter {
  /** "active" stands for pending and in progress. */
  statuses?: string[];
  search?: string;
  /** Milliseconds since 1970: created at or after. */
  after?: number;
  /** Milliseconds since 1970: created before. */
  before?: number;
  workflow_id?: string;
  output_type?: OutputType;
  /** Protected jobs alone, or the others alone. */
  protected?: boolean;
}

/** What the person chose: given jobs, all that match, or what a policy does not keep. */
export type Selection = ({ ids: string[] } | { filter: Filter } | { policy: Policy; allow_large: boolean }) & {
  /** Whose jobs were shown: those of another account are not to be deleted, nor called gone. */
  account?: string;
};

export interface JobError {
  /** In a row at most 300 characters. */
  message: string;
  type: string;
  node_type: string;
  node_id: string;
}

/** A job as the list shows it. Times are milliseconds since 1970, `took` is milliseconds. */
export interface Row {
  id: string;
  status: JobStatus;
  /** The word of the server where the status is unknown, else "". */
  raw: string;
  created: number | null;
  started: number | null;
  finished: number | null;
  took: number | null;
  /** "" without a preview. */
  name: string;
  workflow_id: string;
  outputs: number | null;
  output_type: OutputType | "";
  error: JobError | null;
  preview: { filename: string } | null;
}

export type ListLine =
  | { type: "start"; read_at: string; total: number | null; account: string }
  | { type: "jobs"; jobs: Row[] }
  | {
      type: "end";
      complete: boolean;
      read: number;
      /** Rows without an id that can be read. */
      unreadable?: number;
      /** Why the list proves nothing, in words; "" where it does. */
      doubt?: string;
      error: ErrorBody | null;
    };

export interface JobOutput {
  filename: string;
  media_type: string;
  output_type: string;
  node_id: string;
}

export interface JobDetails {
  job: Row;
  updated: number | null;
  outputs: JobOutput[];
  /** What the canvas loads. */
  workflow: object | null;
  prompt: object | null;
  error: (JobError & { traceback: string[] }) | null;
}

export interface Cancelled {
  cancelled: string[];
  finished_already: string[];
}

export interface SavedKey extends Status {
  checked: boolean;
  account: "active" | "waitlisted" | null;
  outranked: boolean;
  unusual: boolean;
}

export interface Preview {
  kind: "clear";
  token: string;
  /** The name that the deletion will have. */
  operation: string;
  account: string;
  /** Seconds from the answer on in which the token can be used. */
  expires_in: number;
  taken_at: string;
  counts: Record<FinishedStatus | "active", number>;
  finished: number;
  /** Absent or 0: no undo. */
  hold_seconds?: number;
  last4: string;
  source: "env" | "saved" | null;
  host: string;
}

/** What a deletion of given or matching jobs would do, or of all: where anything is protected or backed up. */
export interface DeletePreview {
  kind: "delete";
  /** The answer to a clear. */
  everything?: boolean;
  /** Whether workflows are saved first, as it is set for all deletions. */
  backup?: boolean;
  token: string;
  /** The name that the deletion will have. */
  operation: string;
  account: string;
  expires_in: number;
  taken_at: string;
  removable: number;
  by_status: Record<FinishedStatus, number>;
  oldest: number | null;
  newest: number | null;
  outputs: number;
  skipped: { active: number; unknown: number; already_gone: number; protected: number };
  /** Of a clean-up: how many jobs its rules keep. */
  kept?: number | null;
  /** The first 200. */
  rows: Row[];
  hold_seconds: number;
  last4: string;
  source: "env" | "saved" | null;
  host: string;
}

/** Why something became of a job or of a clear: a code with its values, and the words for them. */
export interface Reason {
  code: string;
  values: Record<string, unknown>;
  text: string;
}

export interface ClearResult {
  kind: "clear";
  outcome: "deleted" | "partial" | "unconfirmed" | "unknown" | "failed" | "stopped";
  /** null where nothing was sent. */
  before: number | null;
  removed: number | null;
  listed: number | null;
  /** Why the count afterwards proves nothing; null where nothing speaks against it. */
  doubt?: Reason | null;
  active: number | null;
  report: string;
  error: ErrorBody | null;
}

export type OutcomeCode = "deleted" | "already_gone" | "active" | "protected" | "failed" | "unconfirmed" | "not_attempted";

export interface DeleteResult {
  kind: "delete";
  total: number;
  counts: Record<OutcomeCode, number>;
  /** Everything that is not deleted. */
  jobs: Record<string, { outcome: OutcomeCode; why: Reason | null }>;
  stopped: boolean;
  /** Workflows saved before. */
  backed_up?: number;
  report: string;
  error: ErrorBody | null;
}

/** A deletion of given jobs that ended before anything was sent. */
export interface UnsentResult {
  kind: "delete";
  outcome: "failed";
  report: string;
  error: ErrorBody;
}

export type Result = ClearResult | DeleteResult | UnsentResult;

export type DeletionAnswer =
  | { hold: Hold }
  | { operation: string; state: "done"; result: Result }
  | { operation: string; state: "running" };

/** An event: any page may hear it, so it says no more. */
export interface Changed {
  operation: string | null;
  /** "delete" or "clear" for a deletion, of a node as well; otherwise what has changed. */
  kind: string;
  /** Whether a deletion has ended. */
  ended: boolean;
}

/** How far a deletion has come that was confirmed in a browser. */
export interface Progress {
  operation: string;
  hold: string | null;
  kind: string;
  /** "asked_to_wait": Comfy Cloud asks to wait, for `total` seconds from now. */
  phase: "waiting" | "backing_up" | "sending" | "checking" | "asked_to_wait";
  done: number;
  total: number;
}

/** Which jobs to keep; an absent rule keeps nothing. A length of time is a text: "30d". */
export type Policy = { [R in Rules[keyof Rules]["field"]]?: number | string } & {
  statuses?: string[];
  workflow_id?: string;
  per_workflow?: boolean;
};

export type KeepReason = keyof Rules | "protected" | "active" | "no_time" | "unknown" | "not_chosen";

/** What a policy would do to the jobs there are now. */
export interface CleanUpPreview {
  total: number;
  finished: number;
  go: number;
  /** `n`: the rule's number. */
  kept: { reason: KeepReason; n: number | null; count: number }[];
  share: number;
  /** Every finished job it is about. */
  all: boolean;
  /** More than 80% of them. */
  large: boolean;
  /** No rule keeps anything. */
  empty: boolean;
  /** The newest 200 that would go and the newest 200 that stay, the newest first. */
  rows: { job: Row; keep: KeepReason | null }[];
  account: string;
}

export interface AuditEntry {
  operation: string;
  kind: Kind;
  /** "unknown": what was written about it before it began is lost. */
  origin: "panel" | "menu" | "clean_up" | "node" | "unknown";
  /** Of a node: its id, and its name on the canvas. */
  node: string;
  title: string;
  at: string;
  seconds: number | null;
  asked: number | null;
  /** "unknown": ComfyUI stopped in between. */
  state: "done" | "unknown" | "running";
  counts: Partial<Record<OutcomeCode, number>> | null;
  removed: number | null;
  report: string;
  host: string;
  last4: string;
  version: string;
  /** `jobs`: null where its file is damaged; `size`: bytes. */
  backup: { jobs: number | null; size: number } | null;
}

export interface AuditAnswer {
  entries: AuditEntry[];
  removed_in_all: number;
}

export interface AuditJob {
  id: string;
  /** "unknown" where nobody wrote it down. */
  outcome: OutcomeCode | "unknown";
  why: string;
}

export interface BackupJob {
  id: string;
  status: JobStatus;
  created: number | null;
  finished: number | null;
  name: string;
  workflow_id: string;
  has_workflow: boolean;
}

export interface OpenApproval {
  state: "open";
  /** Its name. */
  question: string;
  token: string;
  kind: Kind;
  /** Id and name of the node. */
  node: string;
  title: string;
  /** "" where the server does not know it. */
  workflow: string;
  workflow_id?: string;
  removable: number;
  by_status: DeletePreview["by_status"];
  skipped: DeletePreview["skipped"];
  /** Of a policy: how many jobs its rules keep. */
  kept?: number | null;
  oldest: number | null;
  newest: number | null;
  /** Whether their workflows are backed up first. */
  backup: boolean;
  last4: string;
  seconds_left: number;
}

export interface ClosedApproval {
  state: "closed";
  question: string;
  /** What ended it. */
  how?: "answered" | "no_answer" | "stopped";
}

export interface Answer {
  answer: "delete" | "skip";
  /** Whether workflows may delete without asking from now on. */
  always: boolean;
}
