/** What the server answers about cleaning up, about the record of deletions and about backups. */

import type { JobStatus, Kind, OutcomeCode, Row } from "./wire";

/** Which jobs to keep; an absent rule keeps nothing. */
export interface Policy {
  keep_last?: number;
  /** "30d" */
  keep_within?: string;
  keep_daily?: number;
  keep_weekly?: number;
  statuses?: string[];
  workflow_id?: string;
  per_workflow?: boolean;
}

export type KeepReason = "last" | "within" | "daily" | "weekly" | "protected" | "active" | "no_time" | "unknown" | "not_chosen";

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

export interface RecordEntry {
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

export interface RecordAnswer {
  entries: RecordEntry[];
  removed_in_all: number;
}

export interface RecordJob {
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
