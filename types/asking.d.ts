/** Questions of workflows that want to delete, as a page fetches them that an event has told of one. */

import type { DeletePreview, Kind } from "./wire";

export interface OpenQuestion {
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

export interface ClosedQuestion {
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

/** Draws a question; resolves with what the person chose. Leaving it in any way is a skip. */
export type AskStep = (
  frame: import("../js/ui-1.2.0/common/dialogs.mjs").Frame,
  question: OpenQuestion,
  parts: {
    /** Whether "always" can be offered. */
    canAlways: boolean;
    /** Whether the page stands in a frame of another page: then nothing can be deleted from here. */
    framed: boolean;
    /** Milliseconds until it is too late. */
    left(): number;
    /** Which question it is of those in a row, and how many there are by now. */
    place(): [number, number];
    schedule(run: () => void, milliseconds: number): void;
  },
) => Promise<Answer>;
