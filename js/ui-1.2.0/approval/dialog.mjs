// @ts-check
/** What the dialog of a workflow that wants to delete shows. */

import { FRAMED } from "../api.mjs";
import { hint as lineHint, tile, tiles } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { dateTime, number } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { accountWords, errorWords, goingParts } from "../common/strings.mjs";
import { facts } from "../deletion/dialogs.mjs";
import { CLEAR, DELETE, deleteButton, staying } from "../deletion/strings.mjs";
import { ASK, askingNode, askingWorkflow, askPlace, askTitle, timeLeft } from "./strings.mjs";

/** @import { AskStep, OpenQuestion } from "../../../types/asking" */

const WIDTH = 416;
/** Milliseconds after which a dialog that has come up is read aloud: before, nobody listens to it yet. */
const READ_AFTER = 300;

/** @param {OpenQuestion} question */
function numbers({ removable, by_status: byStatus, skipped, kept }) {
  const stay = kept ?? skipped.active + skipped.protected + skipped.unknown + skipped.already_gone;
  return tiles(
    tile(number(removable), CLEAR.willGo, goingParts(byStatus)),
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

/** @type {AskStep} */
export async function askStep(frame, question, { canAlways, framed, left, place, schedule }) {
  const { box, tick } = alwaysTick();
  // Screen readers are told the time when they ask, and the place when it changes.
  const clock = changing("b", { role: "timer", "aria-live": "off" });
  const where = changing("p", { role: "status", class: "cch-place" });
  const step = () => {
    clock.write(timeLeft(left()));
    where.write(askPlace(...place()));
    schedule(() => frame.isOpen() && step(), 1000);
  };
  step();
  const [before, after] = ASK.hint;
  const hint = el("p", { class: "cch-hint" }, icon("pending"), el("span", {}, before, clock.element, after));
  const title = askTitle(question.removable);
  const answered = frame.show({
    title,
    width: WIDTH,
    unasked: true,
    body: [numbers(question), about(question), framed ? framedHint() : canAlways && tick],
    halves: { beside: el("div", {}, where.element, hint), side: place()[0] % 2 ? "right" : "left" },
    buttons: [{ label: ASK.skip }, ...(framed ? [] : [/** @type {const} */ ({ label: deleteButton(question.removable), kind: "danger", icon: "trash", answer: "delete" })])],
  });
  schedule(() => frame.say([askPlace(...place()), title].filter(Boolean).join(". ")), READ_AFTER);
  const answer = await answered;
  return answer === "delete" ? { answer, always: canAlways && box.checked } : { answer: "skip", always: false };
}
