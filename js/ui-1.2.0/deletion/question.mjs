// @ts-check
/** The parts that every question before a deletion has: what goes, what stays, the jobs, what is kept, and whether it can be undone. */

import { facts, nameElement, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, dateTime, number, sentences, shortId } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { jobName, jobNameParts } from "../common/names.mjs";
import { statusOf, statusWord } from "../common/status.mjs";
import { accountWords, andMore, goingParts } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { outputFacts } from "../outputs/facts.mjs";
import { beforePromise } from "../protection/strings.mjs";
import { isKept } from "./before.mjs";
import * as words from "./strings.mjs";

/** @import { BackupKind, Question, Row, Status } from "../../../types/wire" */
/** @import { Frame } from "../common/dialogs.mjs" */
/** @import { Child } from "../common/dom.mjs" */

/** @typedef {(id: string) => string} WorkflowName the name of a workflow, or "" */
/** @typedef {Pick<import("../list/thumbnails.mjs").Thumbnails, "requestFor" | "release">} Thumbnails */
/**
 * @typedef {object} Options
 * @property {Thumbnails} thumbnails
 * @property {WorkflowName} [workflowName]
 * @property {[string, string][]} [about] more facts, shown first
 * @property {Child} [backup] the choice of what is kept first
 * @property {import("../outputs/facts.mjs").ReadFacts} [readFacts] reads what is known of the outputs, which may take a while
 * @property {(text: string) => void} [say] reads a text aloud
 * @property {(backsUp: boolean) => string} undo the sentence that says whether the deletion can be undone
 * @property {boolean} [backsUp] whether a backup is made first, unless the person chooses otherwise
 * @property {boolean} atOnce whether it begins at once
 * @property {Child} [note] shown below the jobs
 * @property {number | null} [finishedHere] how many finished jobs the list has, if the server does not know
 * @property {(id: string) => boolean} [isShown] whether the list shows a job
 */

const MAX_PICTURES = 12;
const MAX_LINES = 200;

/** @type {WorkflowName} */
const noName = () => "";

/** @param {Row} row @param {WorkflowName} workflowName @param {...Child} end */
function jobLine(row, workflowName, ...end) {
  return el(
    "div",
    {},
    icon(statusOf(row.status).icon, row.status === "failed" ? "s14 i-danger" : "s14 cch-2"),
    nameElement(jobNameParts(row, workflowName(row.workflow_id)), clean(row.name) || clean(row.id)),
    ...end,
  );
}

/** @param {string} said */
const small = (said) => said && el("span", { class: "cch-2 w" }, said);

/** Lists jobs with their status and id, which tells jobs of one minute apart. @param {string} label @param {Row[]} rows @param {WorkflowName} workflowName */
export function jobsList(label, rows, workflowName) {
  const shown = rows.slice(0, MAX_LINES);
  const rest = rows.length - shown.length;
  // The description of a job without a name says the status already.
  const lines = shown.map((row) => jobLine(row, workflowName, small(row.name || workflowName(row.workflow_id) ? statusWord(row) : ""), el("code", { class: "r" }, shortId(row.id))));
  return el("div", { class: "cch-mini", tabindex: "0", role: "group", "aria-label": label }, ...lines, rest > 0 && el("div", { class: "cch-2" }, andMore(rest)));
}

/** Lists the jobs that would be deleted, folded if there are several. @param {Row[]} rows @param {number} all @param {WorkflowName} workflowName @param {(id: string) => boolean} isShown */
function jobsFold(rows, all, workflowName, isShown) {
  const label = el("span", {}, words.showJobs(all));
  const box = el("div", { class: "cch-mini", tabindex: "0", role: "group", "aria-label": words.showJobs(all) });
  const fold = el("details", { class: "cch-fold" }, el("summary", {}, icon("right", "s14"), label), box);
  const fill = () => {
    label.textContent = fold.open ? text("deletion.hide_jobs", { n: all }) : words.showJobs(all);
    if (!fold.open || box.firstChild) return;
    const time = (/** @type {Row} */ { created }) => el("span", { class: "r" }, created === null ? "" : dateTime(created));
    box.append(...rows.map((row) => jobLine(row, workflowName, small(isShown(row.id) ? "" : text("deletion.hidden_job")), time(row))));
    if (all > rows.length) box.append(el("div", { class: "cch-2" }, andMore(all - rows.length)));
  };
  fold.addEventListener("toggle", fill);
  // A single job is shown at once: if the list moved just before the click, the person sees that it is the wrong job.
  fold.open = all === 1;
  fill();
  return fold;
}

/** Shows the first jobs as pictures; a job without a picture as the icon of its status. */
class Strip {
  /** @type {HTMLImageElement[]} */
  #images = [];

  /** @param {Row[]} rows @param {number} all @param {Thumbnails} thumbnails @param {WorkflowName} workflowName */
  constructor(rows, all, thumbnails, workflowName) {
    this.thumbnails = thumbnails;
    this.workflowName = workflowName;
    const shown = rows.slice(0, MAX_PICTURES);
    const rest = all - shown.length;
    this.element = el(
      "ul",
      { class: "cch-strip", "aria-label": words.goingPictures(shown.length, all) },
      ...shown.map((row) => el("li", {}, this.#picture(row))),
      rest > 0 && el("li", { class: "cch-2" }, andMore(rest)),
    );
  }

  /** @param {Row} row */
  #picture(row) {
    const image = el("img", { alt: "", hidden: true, draggable: "false", onload: ({ target }) => (target.hidden = false) });
    const name = jobName(row, this.workflowName(row.workflow_id));
    // The description of a job without a name says the status already.
    const label = row.name ? `${name}, ${statusWord(row)}` : name;
    this.#images.push(image);
    this.thumbnails.requestFor(row, image);
    return el("span", { class: "cch-thumb", role: "img", "aria-label": label, "data-tip": label }, icon(statusOf(row.status).icon), image);
  }

  letGo = () => this.#images.forEach((image) => this.thumbnails.release(image));
}

/** How many jobs stay. Jobs that are already gone do not. @param {Question} question */
const staying = ({ skipped, kept }) => (kept ?? 0) + skipped.active + skipped.protected + skipped.unknown;

/** Whether the history may have jobs that the question is not about. @param {Question} question @param {number | null} finishedHere */
const hasOthers = ({ removable, skipped, finished, kept }, finishedHere) => (kept ?? null) === null && removable + skipped.protected < (finished ?? finishedHere ?? Infinity);

/**
 * Two columns: what goes, and what stays.
 * @param {Question} question
 * @param {number | null} finishedHere how many finished jobs the list has
 * @param {boolean} hasFacts whether the facts below say what goes of the jobs, and which outputs stay
 */
function numbers(question, finishedHere, hasFacts) {
  const { removable, by_status: byStatus, outputs, took, timed } = question;
  const others = hasOthers(question, finishedHere);
  const line = (/** @type {string} */ said) => said && el("span", { class: "cch-what" }, said);
  return tiles(
    tile(number(removable), text("deletion.will_go"), goingParts(byStatus), line(hasFacts ? "" : text("deletion.what_goes", { n: removable })), line(words.runTime(took, timed, removable))),
    tile(number(staying(question)), others ? text("deletion.of_these_will_stay") : text("deletion.will_stay"), words.stayingWords(question), line(words.alreadyGone(question.skipped)), line(others ? text("deletion.others") : ""), line(hasFacts ? "" : outputs ? text("deletion.outputs_stay", { n: outputs }) : text("deletion.assets"))),
  );
}

/**
 * The label of the extra checkbox for a large deletion, else "".
 * @param {Question} question
 * @param {number | null} finishedHere how many finished jobs the list has, used if the server does not know
 * @param {boolean} isFinal whether the deletion can neither be undone nor is backed up
 */
function agreement({ removable: go, finished, chosen = null, large_share: largeShare, many_jobs: manyJobs, many_final_jobs: manyFinalJobs }, finishedHere, isFinal) {
  const all = Math.max(go, finished ?? finishedHere ?? Infinity);
  if (go === all) return words.agreeAll(go);
  if (chosen !== null && chosen < all) {
    if (go >= chosen) return words.agreeAllOfRules(go);
    if (go > largeShare * chosen) return words.agreePartOfRules(go / chosen, chosen);
  }
  if (go > largeShare * all) return words.agreePart(go / all);
  if (isFinal && go >= manyFinalJobs) return words.agreeFinal(go);
  return go > manyJobs ? words.agreeMany(go) : "";
}

/** The pinned sentence on undo. It depends on the backup, which the person can choose. @param {Pick<Options, "undo">} options */
function undoSentence({ undo }) {
  // The text node stays: some frontends move the focus when nodes are added or removed.
  const node = document.createTextNode("");
  const [warning, pending] = [icon("warning"), icon("pending")];
  return {
    element: el("p", { class: "cch-hint" }, warning, pending, el("span", { dir: "auto" }, node)),
    /** @param {boolean} backsUp @param {boolean} isFinal */
    update(backsUp, isFinal) {
      node.data = undo(backsUp);
      warning.toggleAttribute("hidden", !isFinal);
      pending.toggleAttribute("hidden", isFinal);
    },
  };
}

/**
 * Returns the parts of a dialog that asks before a deletion, and functions to call when the person chooses whether a
 * backup is made, and when the dialog closes. The former returns the new `agreement`.
 * @param {Question} question
 * @param {Options} options
 */
export function questionView(question, { thumbnails, workflowName = noName, about = [], backup = null, readFacts, say = () => undefined, note = null, undo, backsUp = false, atOnce, finishedHere = null, isShown = () => true }) {
  const { removable, oldest, newest, last4, source = null, rows = [] } = question;
  const strip = new Strip(rows, removable, thumbnails, workflowName);
  const time = (/** @type {number | null} */ at) => (at === null ? "" : dateTime(at));
  const sentence = undoSentence({ undo });
  const known = readFacts && outputFacts(question, readFacts, say);
  const chooseBackup = (/** @type {boolean} */ chosen) => {
    const isFinal = atOnce && !chosen;
    sentence.update(chosen, isFinal);
    known?.update(chosen);
    return agreement(question, finishedHere, isFinal);
  };
  return {
    body: [
      numbers(question, finishedHere, known !== undefined),
      rows.length > 0 && strip.element,
      backup,
      known?.element,
      facts([...about, [text("deletion.oldest"), time(oldest)], [text("deletion.newest"), time(newest)], [text("deletion.account"), last4 || source ? accountWords({ last4, source }) : ""]]),
      rows.length > 0 && jobsFold(rows, removable, workflowName, isShown),
      note,
    ],
    pinned: [sentence.element],
    chooseBackup,
    agreement: chooseBackup(backsUp),
    letGo: () => (strip.letGo(), known?.letGo()),
  };
}

/**
 * Shows and says what the person's choice of what is kept changes.
 * @param {Pick<Frame, "say" | "setAgreement">} frame
 * @param {ReturnType<typeof questionView>} view
 * @param {Pick<Question, "removable">} question
 * @param {BackupKind} kind
 * @param {string} undo
 * @param {Status} [status] which says how long a backup is kept, and where outputs are saved
 */
export function showBackupChoice(frame, view, { removable }, kind, undo, status) {
  const agreement = view.chooseBackup(isKept(kind));
  frame.setAgreement(agreement);
  frame.say(sentences([beforePromise(kind, removable, status?.settings, status?.outputs), undo, words.alsoTick(agreement)]));
}
