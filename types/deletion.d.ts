/** The state of js/ui-1.2.0/deletion/controller.mjs. */

import type { About } from "../js/ui-1.2.0/deletion/label.mjs";
import type { ResultWords } from "../js/ui-1.2.0/deletion/result_strings.mjs";
import type { Message, Toasts } from "../js/ui-1.2.0/common/toasts.mjs";
import type { Filter } from "./list";
import type { Kind, LostHold, Result } from "./wire";

export interface Entry {
  kind: Kind;
  jobs: number;
  /** Jobs that the deletion will remove. For a clear: the listed jobs that are hidden so far. */
  ids: Set<string>;
  /** The selection for which it was asked, also jobs that it leaves alone; empty if another page asked. */
  asked: { ids?: string[]; filter?: Filter };
  /** The account that owns the jobs; "" if unknown. */
  account: string;
  hold: string | null;
  /** The server's id of the deletion, from its preview; null before the confirmation. */
  operation: string | null;
  /** "due": by this page's clock the hold has ended, but the server has not said yet that it sends the deletion. */
  phase: "submitting" | "holding" | "due" | "waiting" | "sending" | "checking" | "done";
  /** Why what became of the deletion is unknown, in words: ComfyUI does not answer, or not as expected. "": it answers. */
  away: string;
  /** Why the last action of the person failed, in words; "" if it did not. */
  refusal: string;
  /** When the hold ends on this page's clock, computed from the server's seconds_left. */
  deadline: number;
  /** When the wait that Comfy Cloud asks for ends, on this page's clock; 0: no wait. */
  waitsUntil: number;
  done: number;
  total: number;
  /** How many jobs are sent: fewer than `jobs` if some could not be backed up. null: not known yet. */
  sending: number | null;
  /** Seconds for which Comfy Cloud had not answered, when ComfyUI last said so. */
  silence: number;
  /** When it ended, in milliseconds since 1970; 0 while it is open. */
  endedAt: number;
  /** Whether a newer deletion has been started, or has ended, since this one ended. */
  earlier: boolean;
  result: Result | null;
  words: ResultWords | null;
  /** Words the end of the deletion in the language that is shown; absent while it is open. */
  word?: () => ResultWords;
  /** What `label` names. */
  about?: About;
  /** Whether it was confirmed in this page, which then shows its toasts. */
  mine: boolean;
  /** Whether it was confirmed before the page was reloaded. */
  resumed: boolean;
  undoing: boolean;
  /** Whether the person pressed Undo or Stop in this page, and it did not fail. */
  endedHere: boolean;
  /** Whether something in this page may have ended it: Undo, Stop or another key, even if that seemed to fail. */
  mayEndHere: boolean;
  /** Whether the page says that it asks ComfyUI if the deletion was sent. Not at once: an answer mostly comes soon. */
  asking: boolean;
  /** The request that starts it is under way. Until its answer, no status ends the deletion. */
  answering: boolean;
  /** Whether a workflow deletes. Its node speaks for it, so it has no toasts, and only ComfyUI can stop it. */
  workflow: boolean;
  /** Names the deletion, so that two of them can be told apart; "" if nothing is known. */
  label: string;
  /** Whether workflows are backed up when the hold ends, before anything is sent. */
  backup: boolean;
  /** Seconds that the backup still takes, as measured; null if unknown. */
  backupLeft: number | null;
  /** The jobs are being looked up; nothing has been sent yet. */
  preparing: boolean;
  /** Workflows are being backed up, or outputs are being saved; nothing has been sent yet. */
  backingUp: boolean;
  /** Outputs are being saved: `done` and `total` count files. */
  savingOutputs: boolean;
  /** Sending has begun: the phase "checking" now verifies what is gone. */
  sent: boolean;
  stopping: boolean;
  /** Whether the last seconds of the hold were announced. */
  warned: boolean;
  toast: ReturnType<Toasts["create"]>;
  nextPoll: number;
  misses: number;
}

/** The end of a deletion. */
export interface DeletionEnd {
  /** The jobs that it was asked for, also those that it left alone. */
  ids: string[];
  /** The filter that it was asked for. */
  filter?: Filter;
  /** Whether nothing was sent and the selection is as before: the person undid or stopped it, or the server refused it. */
  isBack: boolean;
}

/** A part of the page that shows deletions. */
export interface DeletionView {
  /** Called after each change and each second of a hold. */
  render(): void;
  say(text: string, urgent?: boolean): void;
  /** Called when the hold of a deletion from this page starts. */
  held(entry: Entry): void;
  /** Shows a warning or an error. Absent where a toast shows it. */
  notice?(kind: "warning" | "error", message: Message): void;
}

/** What a deletion does with the jobs that the list leaves out. */
export type Doing = "waiting" | "sending" | "checking" | "stopping" | "stopped" | "unknown";

/** The jobs of the open deletions that do the same. */
export interface Held {
  doing: Doing;
  /** How many jobs the list leaves out. */
  all: number;
  /** How many of them match the filter. */
  matching: number;
  /** How many jobs these deletions are about. */
  jobs: number;
  /** How many of those are sent, as far as it is known. */
  sending: number;
  /** Why it is unknown what becomes of them, in words. */
  why: string;
}

export interface DeletionState {
  /** The newest first, as in the lists below. */
  holding: Entry[];
  /** Past their hold by this page's clock, without a result. */
  running: Entry[];
  results: Entry[];
  lost: LostHold[];
}
