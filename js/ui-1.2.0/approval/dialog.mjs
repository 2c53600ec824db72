// @ts-check
/** The dialog that asks whether a workflow may delete. */

import { FRAMED } from "../api.mjs";
import { checkOption, facts, hint as lineHint, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { dateTime, number } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { accountWords, errorWords, goingParts, nodeName } from "../common/strings.mjs";
import { CLEAR, DELETE, deleteButton, staying } from "../deletion/strings.mjs";
import { APPROVAL, approvalPlace, approvalTitle, approvalWorkflow, timeLeft } from "./strings.mjs";

/** @import { Answer, OpenApproval } from "../../../types/wire" */
/** @import { Frame } from "../common/dialogs.mjs" */

const WIDTH = 416;
/** Screen readers miss text that is announced sooner after a dialog opens. */
const ANNOUNCE_DELAY_MS = 300;

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
    [APPROVAL.node, nodeName(title, node)],
    [DELETE.oldest, oldest === null ? "" : dateTime(oldest)],
    [DELETE.newest, newest === null ? "" : dateTime(newest)],
    [APPROVAL.backup, backup ? APPROVAL.backedUp : APPROVAL.notBackedUp],
    [CLEAR.account, last4 && accountWords({ last4, source: null })],
  ]);

/**
 * An element whose text can change. The text node stays: some frontends move the focus when nodes are added or removed.
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
 * Resolves with the person's answer. Closing the dialog in any way is a skip.
 * @param {Frame} frame
 * @param {OpenApproval} approval
 * @param {object} parts
 * @param {boolean} parts.canAlways whether to offer "always"
 * @param {boolean} parts.framed whether another page shows this page in a frame: then "delete" is not offered
 * @param {() => number} parts.left milliseconds until the deadline
 * @param {() => [number, number]} parts.place the number of this approval in its series, and the length of the series
 * @param {(run: () => void, milliseconds: number) => void} parts.schedule
 * @returns {Promise<Answer>}
 */
export async function approvalStep(frame, approval, { canAlways, framed, left, place, schedule }) {
  let always = false;
  const tick = checkOption([APPROVAL.always], always, (checked) => (always = checked));
  // Screen readers announce a change of the number, but read the countdown only on demand.
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
  schedule(() => frame.say([approvalPlace(...place()), title].filter(Boolean).join(". ")), ANNOUNCE_DELAY_MS);
  const answer = await answered;
  return answer === "delete" ? { answer, always: canAlways && always } : { answer: "skip", always: false };
}
