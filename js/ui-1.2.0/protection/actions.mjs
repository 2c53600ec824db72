// @ts-check
/** Protects and unprotects jobs, with dialogs and toasts. */

import { STATE_LOST } from "../api.mjs";
import { button, card } from "../common/components.mjs";
import { confirmed } from "../common/dialogs.mjs";
import { el } from "../common/dom.mjs";
import { errorWords, serverMessage } from "../common/strings.mjs";
import { attempt } from "../common/toasts.mjs";
import { text } from "../common/words.mjs";
import { byWorkflowWords, damagedText, protectedToast, unprotectedToast } from "./strings.mjs";

/** @import { Row } from "../../../types/list" */
/** @import { ProtectionLists, Status } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Dialogs } from "../common/dialogs.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */
/** @import { Protection } from "./model.mjs" */

const SHORT_MS = 4_000;

export class ProtectionActions {
  /**
   * @param {object} parts
   * @param {Protection} parts.protection
   * @param {Dialogs} parts.dialogs
   * @param {Pick<Toasts, "tell">} parts.toasts
   * @param {() => Iterable<Row>} parts.all every loaded job
   * @param {(row: Row) => string} parts.nameOf
   */
  constructor(parts) {
    this.parts = parts;
  }

  /**
   * @param {Row[]} rows
   * @param {boolean} [wish] true protects, false unprotects; by default protects if any row is unprotected
   */
  async set(rows, wish = !rows.every(this.parts.protection.covers)) {
    const { covers } = this.parts.protection;
    if (!rows.length) return;
    if (wish) await this.#change(true, { jobs: rows.filter((row) => !covers(row)).map(({ id }) => id), workflows: [] }, protectedToast);
    else await this.#unprotect(rows);
  }

  /** @param {Row} row */
  protectWorkflow({ workflow_id: id }) {
    return this.#change(true, { jobs: [], workflows: [id] }, protectedToast);
  }

  #covered() {
    return [...this.parts.all()].filter(this.parts.protection.covers);
  }

  /** @param {boolean} protect @param {ProtectionLists} which @param {(names: string[]) => string} words the toast for the names of the changed jobs */
  async #change(protect, { jobs, workflows }, words) {
    const { protection, toasts } = this.parts;
    if (!jobs.length && !workflows.length) return;
    const before = new Map(this.#covered().map((row) => [row.id, row]));
    const which = { ...(jobs.length && { jobs }), ...(workflows.length && { workflows }) };
    if (!(await attempt(toasts, text("protection.not_changed"), () => protection.change(protect, which)))) return;
    const after = new Map(this.#covered().map((row) => [row.id, row]));
    const [from, to] = protect ? [before, after] : [after, before];
    const changed = [...to.values()].filter(({ id }) => !from.has(id));
    if (changed.length) toasts.tell("success", { title: words(changed.map(this.parts.nameOf)), life: SHORT_MS });
  }

  /** Offers to unprotect the whole workflow if the workflow protects one of the jobs. @param {Row[]} rows */
  async #unprotect(rows) {
    const { protection } = this.parts;
    const held = rows.filter(protection.byWorkflow);
    const workflows = [...new Set(held.map((row) => row.workflow_id))];
    if (held.length && !(await this.#isAllowed(rows, held, workflows))) return;
    await this.#change(false, { jobs: rows.map(({ id }) => id).filter((id) => protection.jobs.has(id)), workflows }, unprotectedToast);
  }

  /** @param {Row[]} rows @param {Row[]} held @param {string[]} workflows */
  #isAllowed(rows, held, workflows) {
    const { protection, dialogs } = this.parts;
    const [named, without] = [new Set(rows.map(({ id }) => id)), new Set(workflows)];
    const stays = (/** @type {Row} */ row) =>
      (protection.jobs.has(row.id) && !named.has(row.id)) || (protection.byWorkflow(row) && !without.has(row.workflow_id));
    const freed = this.#covered().filter((row) => !stays(row)).length;
    const { title, text: why, confirm } = byWorkflowWords({ asked: rows.length, held: held.length, workflows: workflows.length, freed });
    return confirmed(dialogs, { title, body: [el("p", {}, why)] }, { label: confirm, icon: "unlock" });
  }
}

/**
 * An unreadable list of protected jobs blocks all deletions. The banner says so and offers to start an empty list.
 * @param {object} parts
 * @param {Pick<Protection, "damaged" | "startEmpty">} parts.protection
 * @param {Dialogs} parts.dialogs
 * @param {Pick<Toasts, "tell">} parts.toasts
 * @param {() => void} parts.onMended
 * @returns {HTMLElement[]} empty if the list is readable
 */
export function damagedListBanners({ protection, dialogs, toasts, onMended }) {
  const { damaged } = protection;
  if (damaged === null) return [];
  const explain = async () => {
    const view = { title: text("protection.damaged_dialog"), body: [el("p", { dir: "auto" }, damagedText(protection.damaged ?? ""))] };
    if (!(await confirmed(dialogs, view, { label: text("protection.damaged_start_empty") }))) return;
    if (await attempt(toasts, text("protection.not_changed"), () => protection.startEmpty())) onMended();
  };
  return [card("failed", "i-danger", { title: text("protection.damaged_title"), text: text("protection.damaged_text") }, undefined, [button({ label: text("protection.damaged_details"), press: () => void explain() })])];
}

/**
 * A lost state folder blocks all deletions. The banner says so and offers to start a new folder.
 * @param {Status} status
 * @param {object} parts
 * @param {Pick<HistoryApi, "startAnew">} parts.api
 * @param {Dialogs} parts.dialogs
 * @param {Pick<Toasts, "tell">} parts.toasts
 * @param {(status: Status) => void} parts.onStarted
 * @returns {HTMLElement[]} empty if the folder is not lost
 */
export function lostFolderBanners({ problem }, { api, dialogs, toasts, onStarted }) {
  if (problem?.code !== STATE_LOST) return [];
  const explain = async () => {
    const body = [serverMessage(problem), text("protection.lost_text")].map((words) => el("p", { dir: "auto" }, words));
    if (!(await confirmed(dialogs, { title: text("protection.lost_dialog"), body }, { label: text("protection.lost_start_anew"), kind: "danger" }))) return;
    await attempt(toasts, text("protection.lost_not_begun"), async () => onStarted(await api.startAnew()));
  };
  return [card("failed", "i-danger", errorWords(problem), undefined, [button({ label: text("protection.lost_press"), press: () => void explain() })])];
}
