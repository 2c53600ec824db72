// @ts-check
/** The statuses of a job. To add a status, add a line to `STATUSES`, and its word to the catalogues. */

import { clean } from "./format.mjs";
import { text } from "./words.mjs";

/** @import { FinishedStatus, JobStatus, Row } from "../../../types/wire" */
/** @import { IconName } from "./icons.mjs" */

/**
 * `group`: the tab besides "all" that lists the job; "unknown" has none. `finished`: whether the job can be deleted. `look`: the
 * status's class in the style sheets.
 * @typedef {{group: string, finished: boolean, icon: IconName, look: string}} Status
 */

/** @satisfies {Record<string, Status>} */
export const STATUSES = /** @type {const} */ ({
  completed: { group: "completed", finished: true, icon: "ok", look: "ok" },
  failed: { group: "failed", finished: true, icon: "failed", look: "failed" },
  cancelled: { group: "cancelled", finished: true, icon: "cancelled", look: "" },
  in_progress: { group: "active", finished: false, icon: "running", look: "run" },
  pending: { group: "active", finished: false, icon: "pending", look: "" },
  unknown: { group: "unknown", finished: false, icon: "unknown", look: "" },
});

const names = /** @type {JobStatus[]} */ (Object.keys(STATUSES));

export const FINISHED = /** @type {FinishedStatus[]} */ (names.filter((name) => STATUSES[name].finished));

/** @typedef {Exclude<typeof STATUSES[JobStatus]["group"], "unknown">} Group */

/** The groups that have a tab. @type {Group[]} */
export const GROUPS = [...FINISHED, "active"];

/** A server newer than this page may send statuses that are not listed here. @param {JobStatus} name @returns {JobStatus} */
const known = (name) => (Object.hasOwn(STATUSES, name) ? name : "unknown");

/** @param {JobStatus} name @returns {(typeof STATUSES)[JobStatus]} */
export const statusOf = (name) => STATUSES[known(name)];

/** @param {JobStatus} status */
export const groupOf = (status) => statusOf(status).group;

/** @param {JobStatus} status */
export const isActive = (status) => groupOf(status) === "active";

/** The word for a status or a group. @param {JobStatus | Group} name */
export const statusName = (name) => text(`common.status.${name === "active" ? name : known(name)}`);

/** @param {Pick<Row, "status" | "raw">} row */
export const statusWord = ({ status, raw }) => (status === "unknown" ? text("common.status.unknown_raw", { status: clean(raw, 40) }) : statusName(status));
