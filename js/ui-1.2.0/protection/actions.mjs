// @ts-check
/** Protecting jobs and taking their protection away, with the questions and toasts around it. */

import { el } from "../common/dom.mjs";
import { COMMON, errorLine } from "../common/strings.mjs";
import { asApiError } from "../deletion/confirm.mjs";
import { byWorkflowWords, PROTECT, protectedToast, unprotectedToast } from "./strings.mjs";

/** @typedef {import("../../../types/panel").Row} Row */

/** Milliseconds. */
const SHORT = 4_000;

/**
 * @param {object} parts
 * @param {import("./model.mjs").Protection} parts.protection
 * @param {import("../common/dialogs.mjs").Dialogs} parts.dialogs
 * @param {Pick<import("../common/toasts.mjs").Toasts, "tell">} parts.toasts
 * @param {() => Iterable<Row>} parts.all every job that is known
 */
export function createProtecting({ protection, dialogs, toasts, all }) {
  const covered = () => [...all()].filter(protection.covers);

  /** @param {boolean} protect @param {{ids?: string[], workflows?: string[]}} which @param {(n: number) => string} words of the jobs it made a difference to */
  async function change(protect, which, words) {
    if (!which.ids?.length && !which.workflows?.length) return;
    const before = new Set(covered().map(({ id }) => id));
    try {
      await protection.change(protect, { ...(which.ids?.length && { jobs: which.ids }), ...(which.workflows?.length && { workflows: which.workflows }) });
    } catch (error) {
      toasts.tell("error", { title: PROTECT.notChanged, detail: errorLine(asApiError(error)) });
      return;
    }
    const after = new Set(covered().map(({ id }) => id));
    const [from, to] = protect ? [before, after] : [after, before];
    const n = [...to].filter((id) => !from.has(id)).length;
    if (n) toasts.tell("success", { title: words(n), life: SHORT });
  }

  /** @param {Row[]} rows */
  const protect = (rows) => change(true, { ids: rows.filter((row) => !protection.covers(row)).map(({ id }) => id) }, protectedToast);

  /** A job that its workflow protects can't be unprotected alone: that is said, and the workflow offered. @param {Row[]} rows */
  async function unprotect(rows) {
    const ids = rows.map(({ id }) => id);
    const held = rows.filter(protection.byWorkflow);
    const workflows = [...new Set(held.map((row) => row.workflow_id))];
    if (held.length && !(await allowed(rows, held, workflows))) return;
    await change(false, { ids: ids.filter((id) => protection.jobs.has(id)), workflows }, unprotectedToast);
  }

  /** @param {Row[]} rows @param {Row[]} held @param {string[]} workflows */
  async function allowed(rows, held, workflows) {
    const [named, without] = [new Set(rows.map(({ id }) => id)), new Set(workflows)];
    const stays = (/** @type {Row} */ row) =>
      (protection.jobs.has(row.id) && !named.has(row.id)) || (protection.byWorkflow(row) && !without.has(row.workflow_id));
    const freed = covered().filter((row) => !stays(row)).length;
    const { title, text, confirm } = byWorkflowWords({ asked: rows.length, held: held.length, workflows: workflows.length, freed });
    const answer = await dialogs.exclusive((frame) =>
      frame.show({ title, body: [el("p", {}, text)], buttons: [{ label: COMMON.cancel }, { label: confirm, icon: "unlock", answer: "yes" }] }),
    );
    return answer === "yes";
  }

  return {
    /**
     * @param {Row[]} rows
     * @param {boolean} [wish] what a button has said: another page may have changed them since. Absent: whether any of them is
     *   not protected
     */
    async set(rows, wish = !rows.every(protection.covers)) {
      if (rows.length) await (wish ? protect(rows) : unprotect(rows));
    },
    /** @param {Row} row */
    protectWorkflow: ({ workflow_id: id }) => change(true, { workflows: [id] }, protectedToast),
  };
}
