/** The answers and events of the routes under /cloud_history/. */

import type { RULES } from "../js/ui-1.2.0/cleanup/rules.mjs";
import type { STATUSES } from "../js/ui-1.2.0/common/status.mjs";

type Rules = typeof RULES;
type Statuses = typeof STATUSES;

export interface ErrorBody {
  code: string;
  /** Identifies the text of `message` and `hint`, for translations. `values` are the values in that text. */
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
  /** Whether a request that removes jobs may have been sent. */
  may_have_sent?: boolean;
}

export interface Status {
  version: string;
  configured: boolean;
  source: "env" | "saved" | null;
  last4: string;
  /** Whether the server would use a key that is entered now. */
  can_connect?: boolean;
  host: string;
  running: null | { operation: string; kind: string; origin: string; started_at: string };
  finished: { operation: string; result: Result }[];
  unresolved: Unresolved[];
  problem: null | Pick<ErrorBody, "code" | "sentence" | "values" | "message" | "hint">;
  /** A warning about the clock of this ComfyUI, or "". */
  clock?: string;
  holds?: Hold[];
  /** Ids of undone holds. */
  undone?: string[];
  /** Holds that ended unsent because ComfyUI stopped. */
  lost_holds?: LostHold[];
  hold_seconds?: number;
  settings?: Settings & {
    /** Whether the environment fixes the setting `nodes`. */
    nodes_fixed: boolean;
  };
  /** The folder for saved outputs, as a text to show, or why there is none. */
  outputs?: { place: string | null; problem: null | Pick<ErrorBody, "code" | "message" | "hint"> };
  /** Whether Comfy Cloud can cancel jobs; null: unknown. */
  can_cancel?: boolean | null;
  /** How many jobs and workflows are protected; `damaged`: the name of an unreadable list. */
  protection?: { jobs: number; workflows: number; damaged: string | null };
}

/** Deletions skip these jobs and workflows. */
export interface ProtectionLists {
  /** Ids of jobs. */
  jobs: string[];
  /** Ids of workflows. All their jobs are protected. */
  workflows: string[];
}

/** What is kept before jobs are deleted: nothing, their workflows, or their workflows and their outputs. */
export type BackupKind = "off" | "workflows" | "outputs";

/** The settings, saved on the server. */
export interface Settings {
  /** Seconds to undo a deletion: 0 to 60. */
  hold_seconds: number;
  backup: BackupKind;
  /** Whether workflows may delete. */
  nodes: "ask" | "allow" | "never";
  backup_days: number;
  backup_megabytes: number;
  /** Whether the audit log keeps the names, times, workflows and errors of jobs, not only their ids. */
  record_names: "on" | "off";
  /** Where outputs are saved, below ComfyUI's output folder; "": the default. */
  outputs_folder?: string;
  /** Larger outputs are not saved. */
  outputs_max_gigabytes?: number;
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
  /** On the server's clock, at the time of the answer. */
  seconds_left: number;
  /** "preparing": the time to undo is over, and nothing has been sent. "waiting": for another deletion. */
  state: "holding" | "preparing" | "waiting" | "sending" | "undone" | "done";
  account: string;
  /** Where it was confirmed. "menu": a clear. */
  origin: "panel" | "menu" | "clean_up";
  /** One of the jobs, to name the deletion; null if none is known. */
  first: Row | null;
  /** Whether the workflows are backed up before anything is sent. */
  backup: boolean;
  /** Whether somebody has stopped it. */
  stopping?: boolean;
}

export type JobStatus = keyof Statuses;
/** The statuses of jobs that can be deleted. */
export type FinishedStatus = { [S in JobStatus]: Statuses[S]["finished"] extends true ? S : never }[JobStatus];
export type OutputType = "image" | "video" | "audio" | "3d";

/** Selects jobs. An absent field excludes no job. */
export interface Filter {
  /** "active" stands for pending and in progress. */
  statuses?: string[];
  search?: string;
  /** Created at or after this time, in milliseconds since 1970. */
  after?: number;
  /** Created before this time, in milliseconds since 1970. */
  before?: number;
  workflow_id?: string;
  output_type?: OutputType;
  /** true: only protected jobs; false: only the others. */
  protected?: boolean;
  /** "yes": only jobs whose outputs are all saved; "no": only jobs with outputs that are not. */
  saved?: "yes" | "no";
}

/** The selected jobs: by id, by a filter, or those that a policy does not keep. */
export type Selection = ({ ids: string[] } | { filter: Filter } | { policy: Policy; allow_large: boolean }) & {
  /** The account that owns the listed jobs. The server refuses the request if the API key belongs to another account. */
  account?: string;
};

export interface JobError {
  /** Cut to 300 characters in a Row. */
  message: string;
  type: string;
  node_type: string;
  node_id: string;
}

/** A job as the list shows it. Times are milliseconds since 1970, `took` is milliseconds. */
export interface Row {
  id: string;
  status: JobStatus;
  /** Comfy Cloud's own status if `status` is "unknown", else "". */
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
      /** Number of rows without a readable id. */
      unreadable?: number;
      /** Why a job that is not in this list may still exist; "" if the list is reliable. */
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
  /** The workflow in the canvas format. */
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

/** What a question before a deletion says. */
export interface Question {
  removable: number;
  /** How many finished jobs the history has; null or absent: unknown. */
  finished?: number | null;
  /** A deletion of a larger share of the finished jobs, or of more jobs, needs an extra confirmation. */
  large_share: number;
  many_jobs: number;
  /** So does one of this many jobs or more that can neither be undone nor is backed up. */
  many_final_jobs: number;
  by_status: Record<FinishedStatus, number>;
  /** When the oldest and the newest of the jobs were created. */
  oldest: number | null;
  newest: number | null;
  /** null: unknown. */
  outputs: number | null;
  /** Milliseconds that the jobs ran in all, and of how many of them that is known. */
  took: number | null;
  timed: number;
  skipped: { active: number; unknown: number; already_gone: number; protected: number };
  /** For a clean-up: how many jobs its rules keep, besides those in `skipped`. */
  kept?: number | null;
  /** For a clean-up: how many jobs its rules apply to. */
  chosen?: number | null;
  /** Some of the jobs, at most 200. */
  rows?: Row[];
  /** Bytes, the most and the least seconds, and whether it takes longer if Comfy Cloud asks to wait. */
  backup_estimate?: { workflows: number; size: number; seconds: number; least_seconds: number; may_wait?: boolean };
  last4: string;
  source?: "env" | "saved" | null;
}

/** The effect of a clear. */
export interface Preview extends Question {
  kind: "clear";
  token: string;
  /** Id of the deletion. */
  operation: string;
  account: string;
  /** Seconds until the token expires. */
  expires_in: number;
  taken_at: string;
  counts: Record<FinishedStatus | "active", number>;
  finished: number;
  /** The setting `backup`, or whether it is on. A clear with a backup is previewed by ids. */
  backup?: BackupKind | boolean;
  /** 0 or absent: no undo. */
  hold_seconds?: number;
  source: "env" | "saved" | null;
  host: string;
}

/** The effect of a deletion by ids. A clear is previewed this way if jobs are protected or backups are on. */
export interface DeletePreview extends Question {
  kind: "delete";
  /** Whether this is the preview of a clear. */
  everything?: boolean;
  /** The setting `backup`, or whether it is on. */
  backup?: BackupKind | boolean;
  token: string;
  /** Id of the deletion. */
  operation: string;
  account: string;
  expires_in: number;
  taken_at: string;
  rows: Row[];
  hold_seconds: number;
  source: "env" | "saved" | null;
  host: string;
}

/** The reason for an outcome: a code with its values, and the text. */
export interface Reason {
  code: string;
  values: Record<string, unknown>;
  text: string;
}

export interface ClearResult {
  kind: "clear";
  outcome: "deleted" | "partial" | "unconfirmed" | "unknown" | "failed" | "stopped";
  /** null if nothing was sent. */
  before: number | null;
  removed: number | null;
  listed: number | null;
  /** Why the count after the clear is unreliable; null if it is reliable. */
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
  /** The jobs that were not deleted. */
  jobs: Record<string, { outcome: OutcomeCode; why: Reason | null }>;
  stopped: boolean;
  backed_up?: number;
  /** How many outputs of the jobs were saved first, or were here already. */
  outputs_saved?: number;
  /** For a clear by ids: how many jobs finished after the preview, and so stay. */
  finished_meanwhile?: number;
  /** For a clear or a clean-up: how many jobs the history still has, by the reason; null if that is not known. */
  stay?: Record<"active" | "protected" | "unknown" | "kept" | "held" | "finished_meanwhile", number> | null;
  /** Some of the jobs that were selected and left alone, because they are active or protected. */
  left?: Row[];
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

/** An event. Every page receives it, so it holds no private data. */
export interface Changed {
  operation: string | null;
  /** "delete" or "clear" for any deletion; otherwise what has changed, such as "settings". */
  kind: string;
  /** Whether a deletion has ended. */
  ended: boolean;
}

/** The progress of a deletion that was confirmed in a browser. */
export interface Progress {
  operation: string;
  hold: string | null;
  kind: string;
  /** "asked_to_wait": Comfy Cloud asks to wait for `total` seconds. */
  phase: "waiting" | "preparing" | "backing_up" | "saving" | "sending" | "checking" | "asked_to_wait";
  done: number;
  total: number;
  /** Whether sending has begun. */
  sent: boolean;
  /** How long the backup, or the saving of outputs, still takes, measured by its speed so far; null if that can't be said. */
  seconds_left: number | null;
  /** For how many seconds Comfy Cloud has not answered. */
  silent_seconds?: number;
  /** The number of jobs of a deletion by a workflow; null for other deletions. */
  workflow_jobs?: number | null;
}

/** Which jobs to keep. An absent rule keeps nothing. A duration is a string such as "30d". */
export type Policy = { [R in Rules[keyof Rules]["field"]]?: number | string } & {
  statuses?: string[];
  workflow_id?: string;
  per_workflow?: boolean;
};

export type KeepReason = keyof Rules | "protected" | "active" | "no_time" | "unknown" | "not_chosen";

export interface CleanUpPreview {
  total: number;
  finished: number;
  go: number;
  /** Counts of kept jobs. `n`: the rule's number. */
  kept: { reason: KeepReason; n: number | null; count: number }[];
  share: number;
  /** Whether every finished job that the policy covers would be deleted. */
  all: boolean;
  /** Whether more than 80% of them would be deleted. */
  large: boolean;
  /** Whether no rule keeps any job. */
  empty: boolean;
  /** The newest 200 jobs to delete and the newest 200 to keep, in one list, the newest first. */
  rows: { job: Row; keep: KeepReason | null }[];
  account: string;
}

export interface AuditEntry {
  operation: string;
  kind: Kind;
  /** "unknown": the entry written before the start is lost. */
  origin: "panel" | "menu" | "clean_up" | "node" | "unknown";
  /** For a node: its id, and its name on the canvas. */
  node: string;
  title: string;
  at: string;
  seconds: number | null;
  /** How long the removed jobs ran in all, as far as it is known, and the failed ones among them. */
  run_seconds: number | null;
  failed_run_seconds: number | null;
  /** How many removed jobs `run_seconds` covers. */
  timed_jobs: number | null;
  asked: number | null;
  /** "unknown": ComfyUI stopped during the deletion. */
  state: "done" | "unknown" | "running";
  counts: Partial<Record<OutcomeCode, number>> | null;
  removed: number | null;
  report: string;
  host: string;
  last4: string;
  version: string;
  /** `jobs`: null if the file is damaged; `size`: bytes. */
  backup: { jobs: number | null; size: number } | null;
}

export interface AuditAnswer {
  entries: AuditEntry[];
  /** Whether older deletions are left out. */
  more?: boolean;
  removed_in_all: number;
}

/** What the audit log knows of a job as it was before the deletion. */
export type JobFacts = Pick<Row, "status" | "raw" | "created" | "took" | "name" | "workflow_id" | "error">;

export interface AuditJob {
  id: string;
  /** "unknown": not in the audit log. */
  outcome: OutcomeCode | "unknown";
  why: string;
  /** null if only its id is known. */
  job: JobFacts | null;
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

export interface OpenApproval extends Question {
  state: "open";
  /** Id of the approval. */
  question: string;
  token: string;
  kind: Kind;
  /** Id and name of the node. */
  node: string;
  title: string;
  /** Name of the workflow, or "". */
  workflow: string;
  workflow_id?: string;
  backup: BackupKind | boolean;
  seconds_left: number;
}

export interface ClosedApproval {
  state: "closed";
  question: string;
  /** Why the approval was closed. */
  how?: "answered" | "no_answer" | "stopped";
}

export interface Answer {
  answer: "delete" | "skip";
  /** Whether workflows may delete without an approval from now on. */
  always: boolean;
  /** What is kept first. Absent if nothing is deleted. */
  backup?: BackupKind;
}

/** What saving the outputs of some jobs would do. */
export interface SavePreview {
  token: string;
  jobs: number;
  /** All outputs of the jobs, also those that are saved already and those that are gone. */
  files: number;
  /** The size of all outputs, as far as it is known; null if no size is. */
  bytes: number | null;
  unknown_sizes: number;
  saved_files: number;
  saved_bytes: number;
  without_outputs: number;
  /** Some of the outputs that Comfy Cloud no longer has, at most 200, and how many there are. */
  gone: { job_id: string; filename: string }[];
  gone_files?: number;
  /** Outputs that are neither here nor known to be gone, and their bytes; null: unknown. */
  files_to_save?: number;
  bytes_to_save?: number | null;
  /** Whether all outputs were looked at. If not, more of them may be gone. */
  known?: boolean;
  /** Free bytes on the disk; null: unknown. */
  free_bytes: number | null;
  /** The folder, as a text to show. */
  place: string;
  /** How long it may take; null: unknown. */
  seconds: number | null;
  /** How a saved file can be checked. */
  checked: "hash" | "size" | "none";
}

/** An output that was not saved. `filename`: "" if that is so of all outputs of the job. */
export interface NotSaved {
  job_id: string;
  filename: string;
  /** In English. */
  why: string;
  /** Absent from older servers. */
  reason?: Reason | null;
}

/** A run that saves outputs. */
export interface Save {
  operation: string;
  /** "interrupted": ComfyUI stopped meanwhile, and the person has not said yet whether it goes on. */
  state: "running" | "stopping" | "interrupted" | "done" | "stopped";
  jobs: number;
  /** null: not known before an interrupted run goes on. */
  files: number | null;
  bytes: number | null;
  files_done: number;
  bytes_done: number;
  bytes_per_second: number;
  seconds_left: number | null;
  saved: number;
  already_here: number;
  /** At most 200. */
  failed: NotSaved[];
  /** How many jobs of a run that has ended are not saved, or not whole. */
  jobs_left?: number;
  place: string;
  /** Milliseconds since 1970. */
  started: number | null;
  ended: number | null;
  /** Why nothing, or nothing more, was saved. */
  error?: string | null;
}

/** What is known about the outputs of jobs that may be deleted. */
export interface OutputFacts {
  files: number;
  bytes: number | null;
  saved_files: number;
  gone_files: number;
  /** Whether Comfy Cloud told sizes, and what is gone. */
  known: boolean;
  jobs_with_outputs: number;
}

/** An output on this server's disk. */
export interface SavedFile {
  name: string;
  path: string;
  size: number;
  /** Whether the file is still there as it was saved. */
  here: boolean;
}

/** The saved outputs of one job. `folder`: null without any. */
export interface SavedOutputs {
  folder: string | null;
  files: SavedFile[];
}
