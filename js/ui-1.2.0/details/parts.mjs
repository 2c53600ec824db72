// @ts-check
/** The parts of a job's details. Every text from the cloud is cleaned of control characters. */

import { button, hint, iconButton, once, scrolledByKeys } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, dateTime, duration, enumeration, number } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { kindOf, typeIcon } from "../common/kinds.mjs";
import { isActive, statusOf, statusWord } from "../common/status.mjs";
import { andMore } from "../common/strings.mjs";
import { setTip } from "../common/tooltips.mjs";
import { text } from "../common/words.mjs";
import { took } from "../list/row.mjs";
import { hasThumbnail } from "../list/thumbnails.mjs";
import { nodeWords, outputOf, outputsKept, tookWords, viewWord } from "./strings.mjs";

/** @import { JobError, JobOutput, Row } from "../../../types/wire" */
/** @import { Child } from "../common/dom.mjs" */
/** @import { Protection } from "../protection/model.mjs" */

/** @typedef {(text: string) => void} Copy */
/** @typedef {(file: string, image: HTMLImageElement, number: number | undefined) => void} Picture Requests the picture of an output and sets the image's `src` once it is loaded. */

const MAX_OUTPUTS = 48;
const MAX_TEXT_CHARACTERS = 20_000;

/** As `clean`, but keeps line breaks. @param {unknown} text */
const cleanLines = (text) =>
  String(text ?? "").slice(0, MAX_TEXT_CHARACTERS).replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");

/** The error, with its traceback folded. @param {JobError & {traceback?: string[]}} error @param {Copy} copy */
export function errorBox(error, copy) {
  const where = nodeWords(error.node_type, String(error.node_id ?? "")) || clean(error.type, 80);
  const message = cleanLines(error.message).trim();
  const trace = cleanLines((error.traceback ?? []).join("")).trim();
  const fold = trace && el("details", { class: "cch-fold" }, el("summary", {}, icon("right", "s14"), text("details.traceback")), el("pre", { dir: "ltr", tabindex: "0" }, trace));
  const whole = [where, message, trace].filter(Boolean).join("\n");
  return el(
    "div",
    { class: "cch-errbox" },
    where && el("b", { dir: "auto" }, where),
    scrolledByKeys(el("span", { class: "cch-lines", dir: "auto" }, message), text("details.error")),
    fold,
    el("div", {}, button({ label: text("details.copy_error"), icon: "copy", press: () => copy(whole) })),
  );
}

/**
 * One large output, with small pictures of all outputs below it. A click on one opens the viewer.
 * @param {Row} job
 * @param {JobOutput[] | null} outputs null while they load
 * @param {Picture} picture
 * @param {(number: number | undefined) => void} view opens the viewer at an output; `number` is undefined while the outputs load
 * @returns {HTMLElement[]}
 */
export function outputsPart(job, outputs, picture, view) {
  const known = outputs ?? (job.preview ? [{ filename: job.preview.filename, media_type: "", output_type: job.output_type, node_id: "" }] : []);
  if (!known.length) return isActive(job.status) ? [el("div", { class: "cch-view" }, icon(statusOf(job.status).icon, "s20 spin"))] : [];
  const all = Math.max(known.length, job.outputs ?? 0);
  const cap = el("span", { class: "cap" });
  let chosen = 0;
  const large = el("button", { type: "button", class: "cch-view", onclick: () => view(outputs ? chosen : undefined) });
  /** @type {HTMLElement[]} */
  const small = [];

  // The number is left out where the name suffices, because the list has cached that picture without a number.
  const isNameShared = (/** @type {JobOutput} */ { filename }) => known.filter((each) => each.filename === filename).length > 1;
  /** @param {JobOutput} output @param {number} index @param {string} alt */
  const pictured = (output, index, alt) => {
    const image = el("img", { alt, hidden: true, draggable: "false", onload: (event) => (event.target.hidden = false) });
    const video = kindOf(output.filename) === "video";
    if (hasThumbnail(output.filename)) picture(output.filename, image, isNameShared(output) ? index : undefined);
    return [icon(typeIcon(output.output_type, typeIcon(job.output_type, "image")), "s20"), image, ...(video ? [el("span", { class: "cch-play" }, icon("play", "s14"))] : [])];
  };
  /** @param {number} index */
  const choose = (index) => {
    const output = known[index];
    if (!output) return;
    chosen = index;
    const name = clean(output.filename);
    setTip(large, name);
    large.setAttribute("aria-label", viewWord(name, all > 1 ? outputOf(index + 1, all) : ""));
    cap.textContent = outputOf(index + 1, all);
    large.replaceChildren(...pictured(output, index, ""), all > 1 ? cap : "");
    for (const [at, thumb] of small.entries()) thumb.setAttribute("aria-current", String(at === index));
  };
  if (known.length > 1) {
    for (const [index, output] of known.slice(0, MAX_OUTPUTS).entries()) {
      const name = clean(output.filename);
      const press = () => (choose(index), view(index));
      const thumb = el("button", { type: "button", class: "cch-thumb", "data-tip": name, "aria-label": viewWord(name, ""), onclick: press }, ...pictured(output, index, ""));
      small.push(thumb);
    }
  }
  choose(0);
  const more = known.length > MAX_OUTPUTS && el("div", { class: "cch-2 cch-t12" }, andMore(known.length - MAX_OUTPUTS));
  const grid = small.length > 0 && el("div", { class: "cch-outgrid" }, ...small);
  return [large, el("div", { class: "cch-stack" }, el("h3", { class: "cch-h" }, outputsKept(all)), grid, more)];
}

/** @param {Row} job @param {number} now @param {Copy} copy */
export function facts(job, now, copy) {
  const list = el("dl", { class: "cch-dl wide" });
  /** @param {string} term @param {...Child} described */
  const add = (term, ...described) => list.append(el("dt", {}, term), el("dd", {}, ...described));
  /** @param {string} term @param {number | null} at */
  const time = (term, at) => at !== null && add(term, dateTime(at, true));
  /** @param {string} term @param {string} id @param {string} label */
  const identity = (term, id, label) => id && add(term, el("code", { class: "cch-cut", "data-tip": clean(id), dir: "ltr" }, clean(id)), iconButton("copy", label, () => copy(id), "cch-ib s", "s14"));

  const status = statusOf(job.status);
  const lasts = took(job, now);
  const running = job.status === "in_progress" && lasts !== null ? enumeration([statusWord(job), duration(lasts)]) : statusWord(job);
  add(text("details.status"), el("span", { class: `cch-st ${status.look}` }, icon(status.icon), el("span", { dir: "auto" }, running)));
  if (job.started === null || isActive(job.status)) time(text("details.queued"), job.created);
  time(text("details.started"), job.started);
  time(text("details.finished"), job.finished);
  if (!isActive(job.status) && lasts !== null) {
    const queued = job.started !== null && job.created !== null ? job.started - job.created : 0;
    add(text("details.took"), tookWords(duration(lasts), queued >= 100 ? duration(queued) : ""));
  }
  if (job.outputs === 0 && !isActive(job.status)) add(text("details.outputs"), text("details.none"));
  else if (job.outputs && !job.preview && !isActive(job.status)) add(text("details.outputs"), number(job.outputs));
  identity(text("details.workflow"), job.workflow_id, text("details.copy_workflow_id"));
  identity(text("details.job_id"), job.id, text("list.copy_id"));
  return list;
}

/**
 * @param {Row} job
 * @param {Pick<Protection, "covers" | "byWorkflow">} protection
 * @param {(job: Row) => void} protectWorkflow
 * @returns {HTMLElement[]} empty if the job is not protected
 */
export function protectionPart(job, protection, protectWorkflow) {
  if (!protection.covers(job)) return [];
  const sentence = hint("lock", text("protection.sentence"));
  if (protection.byWorkflow(job)) return [sentence, hint("flow", text("protection.by_workflow"))];
  const all = el("button", { type: "button", class: "cch-link", onclick: () => protectWorkflow(job) }, text("protection.workflow"));
  return job.workflow_id ? [sentence, el("div", { class: "cch-under-icon" }, all)] : [sentence];
}

/** The icon shows the state, and the label says what a press does. @param {boolean} isProtected @param {() => void} act */
export function protectionButton(isProtected, act) {
  const press = once(act);
  if (isProtected) {
    const unprotect = button({ label: text("protection.unprotect"), icon: "lock", press });
    unprotect.setAttribute("data-guard", "");
    return unprotect;
  }
  const unprotected = iconButton("unlock", text("protection.protect"), press, "cch-ib field");
  unprotected.setAttribute("data-guard", "");
  return unprotected;
}
