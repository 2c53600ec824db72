// @ts-check
/** The names by which people know jobs and workflows. */

import { cut, isRightToLeft, keepSpace } from "./components.mjs";
import { clean, exactClock, shortId } from "./format.mjs";
import { statusWord } from "./status.mjs";
import { text } from "./words.mjs";

/** @import { Row } from "../../../types/wire" */

const STORED = "comfy-cloud-history.workflow-names";
const MAX_NAMES = 500;
const MAX_NAME_CHARACTERS = 80;

/** Whether a job's name is a description of its status and time, because nothing else is known. @param {Pick<Row, "name">} row @param {string} [workflow] the workflow's name, if it is known */
export const isDescribed = (row, workflow = "") => tellsTime(row) && !clean(workflow);

/** Whether a job's name tells its time, or its id if it has no time: only jobs without outputs are called so. @param {Pick<Row, "name">} row */
export const tellsTime = ({ name }) => !clean(name);

/** The last word of a name. */
const LAST_WORD = /(^|[_\s-]+)[^_\s-]+$/;
/** Longer ends leave no room for the beginning in the sidebar. */
const MAX_END_CHARACTERS = 18;

/** Both names, of which the end of the output's last word stays visible, because jobs of one workflow begin alike. @param {string} workflow @param {string} output @returns {[string, string]} */
function besideWorkflow(workflow, output) {
  const [head, tail] = cut(output);
  const word = [...((tail && head.match(LAST_WORD)?.[0]) || "")];
  const room = Math.max(0, MAX_END_CHARACTERS - tail.length);
  // Letters of scripts such as Arabic are joined, so their words are not cut in two.
  const kept = word.length > room && isRightToLeft(word.join("")) ? "" : word.slice(Math.max(0, word.length - room)).join("");
  return keepSpace([`${workflow} · ${head.slice(0, head.length - kept.length)}`, kept + tail]);
}

/**
 * A job's name in two parts, of which only the first may be shortened on screen: the workflow's name with the output's name or else the
 * time, the output's name alone, or a description such as "Failed KSampler, 18:37:05". So jobs of one workflow can be told apart.
 * @param {Pick<Row, "id" | "status" | "raw" | "created" | "name" | "error">} row
 * @param {string} [workflow] the workflow's name, if it is known
 * @returns {[string, string]}
 */
export function jobNameParts(row, workflow = "") {
  const [title, name] = [clean(workflow, MAX_NAME_CHARACTERS), clean(row.name)];
  if (name) return title ? besideWorkflow(title, name) : cut(name);
  const at = row.created === null ? shortId(row.id) : exactClock(row.created);
  // The time has Arabic letters in some languages, and must not turn the end of another name.
  if (title) return [title, isRightToLeft(at) && !isRightToLeft(title) ? `\u200e\u00a0· \u2068${at}\u2069` : `\u00a0· ${at}`];
  const node = clean(row.error?.node_type, 60);
  const what = node ? text("common.name.failed_node", { status: statusWord(row), node }) : statusWord(row);
  const described = text("common.name.described", { what });
  // A time without letters runs from left to right, so that its space would be on its other side.
  return isRightToLeft(described) ? [`${described}\u00a0`, at] : [described, `\u00a0${at}`];
}

/** @param {Parameters<typeof jobNameParts>[0]} row @param {string} [workflow] the workflow's name, if it is known */
export const jobName = (row, workflow) => jobNameParts(row, workflow).join("");

/** The names of workflows that were seen in this browser, by id. Kept for later visits where the browser allows it. */
export class WorkflowNames {
  /** @type {Map<string, string>} */
  #names = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {Pick<Storage, "getItem" | "setItem">} storage whose methods may throw */
  constructor(storage) {
    this.storage = storage;
    try {
      const stored = JSON.parse(storage.getItem(STORED) ?? "[]");
      for (const [id, name] of Array.isArray(stored) ? stored : []) if (typeof id === "string" && typeof name === "string") this.#names.set(id, name);
    } catch {
      // Without readable stored names, names are learned again.
    }
  }

  /** The name of a workflow, or "". @param {string} id */
  of = (id) => this.#names.get(id) ?? "";

  all = () => [...this.#names.values()];

  /** @param {() => void} listener @returns {() => void} unsubscribes */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Remembers names. @param {Iterable<[string, string]>} pairs ids and names */
  learn(pairs) {
    let isNew = false;
    for (const [id, given] of pairs) {
      const name = clean(given, MAX_NAME_CHARACTERS);
      if (!id || !name || this.#names.get(id) === name) continue;
      isNew = true;
      this.#names.delete(id);
      this.#names.set(id, name);
    }
    if (!isNew) return;
    for (const id of this.#names.keys()) if (this.#names.size > MAX_NAMES) this.#names.delete(id);
    try {
      this.storage.setItem(STORED, JSON.stringify([...this.#names]));
    } catch {
      // A browser may refuse to store anything; the names then last as long as the page.
    }
    for (const listener of this.#listeners) listener();
  }
}
