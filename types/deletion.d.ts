/** Deletions from the confirmation to the result, as js/ui-…/deletion/controller.mjs keeps them. */

import type { ResultWords } from "../js/ui-1.2.0/deletion/result_strings.mjs";
import type { Toasts } from "../js/ui-1.2.0/common/toasts.mjs";
import type { Kind, LostHold, Result } from "./wire";

export interface Entry {
  kind: Kind;
  jobs: number;
  /** What is about to go. Of a clear: the jobs that were asked about. */
  ids: Set<string>;
  /** Whose jobs they are; "" as long as it is not known. */
  account: string;
  hold: string | null;
  /** Its name at the server, known from its preview on; null as long as it is not confirmed. */
  operation: string | null;
  phase: "submitting" | "holding" | "waiting" | "sending" | "checking" | "done";
  /** When the hold ends, on this page's clock; told by the server's seconds. */
  deadline: number;
  /** Until when Comfy Cloud asks to wait, on this page's clock; 0: it does not. */
  waitsUntil: number;
  done: number;
  total: number;
  result: Result | null;
  words: ResultWords | null;
  /** Confirmed in this page, so that its toasts are shown here. */
  mine: boolean;
  undoing: boolean;
  /** Its confirmation is on the way: the answer tells more than an event. */
  answering: boolean;
  /** Workflows are being saved; nothing has been sent yet. */
  backingUp: boolean;
  /** Sending has begun, so that looking now means looking at what is gone. */
  sent: boolean;
  stopping: boolean;
  /** Whether the last seconds were told. */
  warned: boolean;
  toast: ReturnType<Toasts["create"]>;
  nextPoll: number;
  misses: number;
  silences: number;
}

/** Somebody who shows deletions. */
export interface DeletionView {
  /** Something changed, or a second of a hold has passed. */
  render(): void;
  say(text: string, urgent?: boolean): void;
  /** A deletion that was confirmed here is held: Undo can be pressed. */
  held(entry: Entry): void;
}

export interface DeletionState {
  /** Open, the newest first. */
  holding: Entry[];
  /** Past their hold and not yet known, the newest first. */
  running: Entry[];
  /** The newest first, not yet dismissed. */
  results: Entry[];
  lost: LostHold[];
}
