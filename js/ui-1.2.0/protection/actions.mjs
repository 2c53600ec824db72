// @ts-check
/** Protecting jobs and taking their protection away, with the questions and toasts around it. */

import { asApiError, STATE_LOST } from "../api.mjs";
import { button, card } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean } from "../common/format.mjs";
import { COMMON, DAMAGED, errorLine, errorWords } from "../common/strings.mjs";
import { byWorkflowWords, damagedText, LOST, PROTECT, protectedToast, unprotectedToast } from "./strings.mjs";

/** @import { Row } from "../../../types/list" */
/** @import { Status } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Dialogs } from "../common/dialogs.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */
/** @import { Protection } from "./model.mjs" */

/** Milliseconds. */
const SHORT = 4_000;

/**
 * @param {object} parts
 * @param {Protection} parts.protection
 * @param {Dialogs} parts.dialogs
 * @param {Pick<Toasts, "tell">} parts.toasts
 * @param {() => Iterable<Row>} parts.all every job that is known
 */
export function createProtectionActions({ protection, dialogs, toasts, all }) {
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

/**
 * @param {object} parts
 * @param {Pick<Protection, "damaged" | "startEmpty">} parts.protection
 * @param {Dialogs} parts.dialogs
 * @param {Pick<Toasts, "tell">} parts.toasts
 * @param {() => void} parts.onMended
 */
export function createDamagedList({ protection, dialogs, toasts, onMended }) {
  async function startEmpty() {
    try {
      await protection.startEmpty();
      onMended();
    } catch (error) {
      toasts.tell("error", { title: PROTECT.notChanged, detail: errorLine(asApiError(error)) });
    }
  }

  async function explain() {
    const answer = await dialogs.exclusive((frame) =>
      frame.show({
        title: DAMAGED.dialog,
        body: [el("p", { dir: "auto" }, damagedText(protection.damaged ?? ""))],
        buttons: [{ label: COMMON.cancel }, { label: DAMAGED.startEmpty, answer: "empty" }],
      }),
    );
    if (answer === "empty") await startEmpty();
  }

  return {
    /** @returns {HTMLElement[]} none where the list can be read */
    banners() {
      if (protection.damaged === null) return [];
      return [card("failed", "i-danger", DAMAGED, undefined, [button({ label: DAMAGED.details, press: () => void explain() })])];
    },
  };
}

const MAX_CHARACTERS = 1000;

/**
 * @param {object} parts
 * @param {Pick<HistoryApi, "startAnew">} parts.api
 * @param {Dialogs} parts.dialogs
 * @param {Pick<Toasts, "tell">} parts.toasts
 * @param {(status: Status) => void} parts.onStarted
 */
export function createLostFolder({ api, dialogs, toasts, onStarted }) {
  async function startAnew() {
    try {
      onStarted(await api.startAnew());
    } catch (error) {
      toasts.tell("error", { title: LOST.notBegun, detail: errorLine(asApiError(error)) });
    }
  }

  /** @param {string} message */
  async function ask(message) {
    const answer = await dialogs.exclusive((frame) =>
      frame.show({
        title: LOST.dialog,
        body: [el("p", { dir: "auto" }, clean(message, MAX_CHARACTERS)), el("p", { dir: "auto" }, LOST.text)],
        buttons: [{ label: COMMON.cancel }, { label: LOST.startAnew, answer: "anew", kind: "danger" }],
      }),
    );
    if (answer === "anew") await startAnew();
  }

  return {
    /** @param {Status} status @returns {HTMLElement[]} none where the folder is there */
    banners({ problem }) {
      if (problem?.code !== STATE_LOST) return [];
      const press = () => void ask(problem.message);
      return [card("failed", "i-danger", errorWords(problem), undefined, [button({ label: LOST.press, press })])];
    },
  };
}
