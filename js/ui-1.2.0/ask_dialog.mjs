// @ts-check
/** What the dialog of a workflow that wants to delete shows. */

import { el } from "./dom.mjs";
import { dateTime, number } from "./format.mjs";
import { icon } from "./icons.mjs";
import { facts } from "./panel/delete_dialog.mjs";
import { CLEAR, DELETE, deleteButton, staying } from "./panel/words_delete.mjs";
import { tile, tiles } from "./parts.mjs";
import { accountWords, goingParts } from "./words.mjs";
import { ASK, askTitle, askingNode, askingWorkflow, timeLeft } from "./words_ask.mjs";

/** @typedef {import("../../types/asking").OpenQuestion} OpenQuestion */

const WIDTH = 416;

/** @param {OpenQuestion} question */
function numbers({ removable, by_status: byStatus, skipped, kept }) {
  const stay = kept ?? skipped.active + skipped.protected + skipped.unknown + skipped.already_gone;
  return tiles(
    tile(number(removable), CLEAR.willGo, goingParts({ ...byStatus, active: 0 })),
    tile(number(stay), CLEAR.willStay, kept ? DELETE.byRules : staying(skipped)),
  );
}

/** @param {OpenQuestion} question */
const about = ({ workflow, workflow_id: id = "", title, node, oldest, newest, backup, last4 }) =>
  facts([
    [ASK.workflow, askingWorkflow(workflow, id)],
    [ASK.node, askingNode(title, node)],
    [DELETE.oldest, oldest === null ? "" : dateTime(oldest)],
    [DELETE.newest, newest === null ? "" : dateTime(newest)],
    [ASK.backup, backup ? ASK.backedUp : ASK.notBackedUp],
    [CLEAR.account, last4 && accountWords({ last4, source: null })],
  ]);

function alwaysTick() {
  const box = el("input", { type: "checkbox" });
  const drawn = el("span", { class: "cch-check", "aria-hidden": "true" }, icon("check"));
  return { box, tick: el("label", { class: "cch-opt" }, box, drawn, el("span", {}, ASK.always)) };
}

/**
 * The time that is left, counted down as long as it is shown. Screen readers are told when they ask.
 * @param {() => boolean} isShown @param {() => number} left @param {(run: () => void, milliseconds: number) => void} schedule
 */
function countdown(isShown, left, schedule) {
  const clock = el("b", { role: "timer", "aria-live": "off" });
  const step = () => {
    clock.textContent = timeLeft(left());
    schedule(() => isShown() && step(), 1000);
  };
  step();
  return clock;
}

/** @type {import("../../types/asking").AskStep} */
export async function askStep(frame, question, { canAlways, left, schedule }) {
  const { box, tick } = alwaysTick();
  const clock = countdown(() => frame.isOpen(), left, schedule);
  const [before, after] = ASK.hint;
  const hint = el("p", { class: "cch-hint" }, icon("pending"), el("span", {}, before, clock, after));
  const answer = await frame.show({
    title: askTitle(question.removable),
    width: WIDTH,
    body: [numbers(question), about(question), canAlways && tick, hint],
    buttons: [{ label: ASK.skip }, { label: deleteButton(question.removable), kind: "danger", icon: "trash", answer: "delete" }],
  });
  return answer === "delete" ? { answer, always: canAlways && box.checked } : { answer: "skip", always: false };
}
