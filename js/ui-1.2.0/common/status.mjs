// @ts-check
/** The statuses of a job. To add a status, add a line to `STATUSES`. */

import { clean } from "./format.mjs";

/** @import { FinishedStatus, JobStatus, Row } from "../../../types/wire" */
/** @import { IconName } from "./icons.mjs" */

/**
 * `group`: the tab besides "all" that lists the job; "unknown" has none. `finished`: whether the job can be deleted. `look`: the
 * status's class in the style sheets.
 * @typedef {{group: string, finished: boolean, icon: IconName, look: string, word: string}} Status
 */

/** @satisfies {Record<string, Status>} */
export const STATUSES = /** @type {const} */ ({
  completed: { group: "completed", finished: true, icon: "ok", look: "ok", word: "Completed" },
  failed: { group: "failed", finished: true, icon: "failed", look: "failed", word: "Failed" },
  cancelled: { group: "cancelled", finished: true, icon: "cancelled", look: "", word: "Cancelled" },
  in_progress: { group: "active", finished: false, icon: "running", look: "run", word: "In progress" },
  pending: { group: "active", finished: false, icon: "pending", look: "", word: "Pending" },
  unknown: { group: "unknown", finished: false, icon: "unknown", look: "", word: "Unknown" },
});

const names = /** @type {JobStatus[]} */ (Object.keys(STATUSES));

export const FINISHED = /** @type {FinishedStatus[]} */ (names.filter((name) => STATUSES[name].finished));

/** Each group that has a tab, with the tab's label. */
export const GROUPS = /** @type {[Exclude<typeof STATUSES[JobStatus]["group"], "unknown">, string][]} */ ([
  ...FINISHED.map((name) => [STATUSES[name].group, STATUSES[name].word]),
  ["active", "Active"],
]);

/** A server newer than this page may send statuses that are not listed here. @param {JobStatus} name @returns {(typeof STATUSES)[JobStatus]} */
export const statusOf = (name) => STATUSES[name] ?? STATUSES.unknown;

/** @param {JobStatus} status */
export const groupOf = (status) => statusOf(status).group;

/** @param {JobStatus} status */
export const isActive = (status) => groupOf(status) === "active";

/** @param {Pick<Row, "status" | "raw">} row */
export const statusWord = ({ status, raw }) => (status === "unknown" ? `${STATUSES.unknown.word} (${clean(raw, 40)})` : statusOf(status).word);
