/** What the server side of this pack answers under /cloud_history/. */

export interface ErrorBody {
  code: string;
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
  host: string;
  running: null | { operation: string; kind: string; origin: string; started_at: string };
  finished: { operation: string; result: ClearResult }[];
  unresolved: Unresolved[];
  problem: null | Pick<ErrorBody, "code" | "message" | "hint">;
}

export interface SavedKey extends Status {
  checked: boolean;
  account: "active" | "waitlisted" | null;
  outranked: boolean;
  unusual: boolean;
}

export interface Preview {
  token: string;
  /** Seconds from the answer on in which the token can be used. */
  expires_in: number;
  taken_at: string;
  counts: { completed: number; failed: number; cancelled: number; active: number };
  finished: number;
  last4: string;
  source: "env" | "saved" | null;
  host: string;
}

export interface ClearResult {
  kind: string;
  outcome: "deleted" | "partial" | "unconfirmed" | "unknown" | "failed" | "stopped";
  before: number;
  removed: number | null;
  listed: number | null;
  active: number | null;
  report: string;
  error: ErrorBody | null;
}

export type ClearAnswer =
  | { operation: string; state: "done"; result: ClearResult }
  | { operation: string; state: "running" };

export interface Changed {
  operation: string;
  kind: string;
  node: string | null;
  result: ClearResult;
}

export interface Progress {
  operation: string;
  kind: string;
  node: string | null;
  phase: "waiting" | "sending" | "checking" | "stopped";
  done: number;
  total: number;
  report?: string;
}
