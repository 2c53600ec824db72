// @ts-check
/** What the dialog of a workflow that wants to delete shows. */

import { FRAMED } from "../api.mjs";
import { checkOption, facts, hint as lineHint, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { dateTime, number } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { accountWords, errorWords, goingParts } from "../common/strings.mjs";
import { CLEAR, DELETE, deleteButton, staying } from "../deletion/strings.mjs";
import { APPROVAL, approvalNode, approvalPlace, approvalTitle, approvalWorkflow, timeLeft } from "./strings.mjs";

/** @import { Answer, OpenApproval } from "../../../types/wire" */
/** @import { Frame } from "../common/dialogs.mjs" */

const WIDTH = 416;
/** Milliseconds after which a dialog that has come up is read aloud: before, nobody listens to it yet. */
const READ_AFTER = 300;

/** @param {OpenApproval} approval */
function numbers({ removable, by_status: byStatus, skipped, kept }) {
  const stay = kept ?? skipped.active + skipped.protected + skipped.unknown + skipped.already_gone;
  return tiles(
    tile(number(removable), CLEAR.willGo, goingParts(byStatus)),
    tile(number(stay), CLEAR.willStay, kept ? DELETE.byRules : staying(skipped)),
  );
}

/** @param {OpenApproval} approval */
const about = ({ workflow, workflow_id: id = "", title, node, oldest, newest, backup, last4 }) =>
  facts([
    [APPROVAL.workflow, approvalWorkflow(workflow, id)],
    [APPROVAL.node, approvalNode(title, node)],
    [DELETE.oldest, oldest === null ? "" : dateTime(oldest)],
    [DELETE.newest, newest === null ? "" : dateTime(newest)],
    [APPROVAL.backup, backup ? APPROVAL.backedUp : APPROVAL.notBackedUp],
    [CLEAR.account, last4 && accountWords({ last4, source: null })],
  ]);

/**
 * An element with a text that may change: always the same text node, because some frontends look after the focus wherever
 * nodes come and go, and take it.
 * @param {"b" | "p"} tag @param {Record<string, string>} attributes
 */
function changing(tag, attributes) {
  const text = document.createTextNode("");
  /** @param {string} now */
  const write = (now) => {
    if (text.data !== now) text.data = now;
  };
  return { element: el(tag, attributes, text), write };
}

function framedHint() {
  const { title, text } = errorWords({ code: FRAMED });
  return lineHint("warning", `${title}. ${text}`, "cch-msg warn");
}

/**
 * Resolves with what the person chose; leaving it in any way is a skip.
 * @param {Frame} frame
 * @param {OpenApproval} approval
 * @param {object} parts
 * @param {boolean} parts.canAlways whether "always" can be offered
 * @param {boolean} parts.framed whether the page stands in a frame of another page: then nothing can be deleted from here
 * @param {() => number} parts.left milliseconds until it is too late
 * @param {() => [number, number]} parts.place which it is of those in a row, and how many there are by now
 * @param {(run: () => void, milliseconds: number) => void} parts.schedule
 * @returns {Promise<Answer>}
 */
export async function approvalStep(frame, approval, { canAlways, framed, left, place, schedule }) {
  let always = false;
  const tick = checkOption([APPROVAL.always], always, (checked) => (always = checked));
  // Screen readers are told the time when they ask, and the place when it changes.
  const clock = changing("b", { role: "timer", "aria-live": "off" });
  const where = changing("p", { role: "status", class: "cch-place" });
  const step = () => {
    clock.write(timeLeft(left()));
    where.write(approvalPlace(...place()));
    schedule(() => frame.isOpen() && step(), 1000);
  };
  step();
  const [before, after] = APPROVAL.hint;
  const hint = el("p", { class: "cch-hint" }, icon("pending"), el("span", {}, before, clock.element, after));
  const title = approvalTitle(approval.removable);
  const answered = frame.show({
    title,
    width: WIDTH,
    unasked: true,
    body: [numbers(approval), about(approval), framed ? framedHint() : canAlways && tick],
    halves: { beside: el("div", {}, where.element, hint), side: place()[0] % 2 ? "right" : "left" },
    buttons: [{ label: APPROVAL.skip }, ...(framed ? [] : [/** @type {const} */ ({ label: deleteButton(approval.removable), kind: "danger", icon: "trash", answer: "delete" })])],
  });
  schedule(() => frame.say([approvalPlace(...place()), title].filter(Boolean).join(". ")), READ_AFTER);
  const answer = await answered;
  return answer === "delete" ? { answer, always: canAlways && always } : { answer: "skip", always: false };
}
