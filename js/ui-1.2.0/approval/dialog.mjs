// @ts-check
/** The dialog that asks whether a workflow may delete. */

import { FRAMED } from "../api.mjs";
import { checkOption, hint as lineHint } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { sentence, sentences } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { errorWords, nodeName } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { beforeOption, isKept, proposedKind } from "../deletion/before.mjs";
import { questionView, showBackupChoice } from "../deletion/question.mjs";
import { deleteButton, workflowUndoHint } from "../deletion/strings.mjs";
import { approvalPlace, approvalTitle, approvalWorkflow, hintParts, timeLeft } from "./strings.mjs";

/** @import { Answer, BackupKind, OpenApproval } from "../../../types/wire" */
/** @import { Frame } from "../common/dialogs.mjs" */
/** @import { Thumbnails } from "../deletion/question.mjs" */

const WIDTH = 448;
/** Screen readers miss text that is announced sooner after a dialog opens. */
const ANNOUNCE_DELAY_MS = 300;

/** @param {OpenApproval} approval @returns {[string, string][]} */
const about = ({ workflow, workflow_id: id = "", title, node }) => [
  [text("approval.workflow"), approvalWorkflow(workflow, id)],
  [text("approval.node"), nodeName(title, node)],
];

/**
 * An element whose text can change. The text node stays: some frontends move the focus when nodes are added or removed.
 * @param {"b" | "p"} tag @param {Record<string, string>} attributes
 */
function changing(tag, attributes) {
  const node = document.createTextNode("");
  /** @param {string} now */
  const write = (now) => {
    if (node.data !== now) node.data = now;
  };
  return { element: el(tag, attributes, node), write };
}

function framedHint() {
  const { title, text: why } = errorWords({ code: FRAMED });
  return lineHint("warning", sentences([sentence(title), why]), "cch-msg warn");
}

/** @param {boolean} backsUp */
const undoWords = (backsUp) => sentences([text("deletion.untouched"), workflowUndoHint(backsUp)]);

/**
 * Resolves with the person's answer. Closing the dialog in any way is a skip.
 * @param {Frame} frame
 * @param {OpenApproval} approval
 * @param {object} parts
 * @param {Thumbnails} parts.thumbnails
 * @param {import("../outputs/facts.mjs").ReadFacts} [parts.readFacts] reads what is known of the outputs
 * @param {boolean} parts.canAlways whether to offer "always"
 * @param {boolean} parts.framed whether another page shows this page in a frame: then "delete" is not offered
 * @param {() => number} parts.left milliseconds until the deadline
 * @param {() => [number, number]} parts.place the number of this approval in its series, and the length of the series
 * @param {(run: () => void, milliseconds: number) => void} parts.schedule
 * @returns {Promise<Answer>}
 */
export async function approvalStep(frame, approval, { thumbnails, readFacts, canAlways, framed, left, place, schedule }) {
  let [always, backup] = [false, proposedKind(approval.backup)];
  const tick = checkOption([text("approval.always")], always, (checked) => (always = checked));
  // Screen readers announce a change of the number, but read the countdown only on demand.
  const clock = changing("b", { role: "timer", "aria-live": "off" });
  const where = changing("p", { role: "status", class: "cch-place" });
  const step = () => {
    clock.write(timeLeft(left()));
    where.write(approvalPlace(...place()));
    schedule(() => frame.isOpen() && step(), 1000);
  };
  step();
  const [before, after] = hintParts();
  const hint = el("p", { class: "cch-hint" }, icon("pending"), el("span", {}, before, clock.element, after));
  const title = approvalTitle(approval.removable);
  const chosen = (/** @type {BackupKind} */ kind) => showBackupChoice(frame, view, approval, (backup = kind), undoWords(isKept(kind)));
  const backups = !framed && beforeOption(approval, backup, chosen);
  const view = questionView(approval, {
    thumbnails,
    about: about(approval),
    note: framed && framedHint(),
    ...(readFacts && { readFacts, say: (/** @type {string} */ said) => frame.say(said) }),
    undo: undoWords,
    backsUp: isKept(backup),
    atOnce: true,
  });
  const answered = frame.show({
    title,
    width: WIDTH,
    unasked: true,
    body: view.body,
    // Nobody may miss a choice because the part above scrolls.
    pinned: [el("div", { class: "cch-choices" }, backups, !framed && canAlways && tick), hint, ...view.pinned],
    agreement: framed ? "" : view.agreement,
    halves: { beside: el("div", {}, where.element), side: place()[0] % 2 ? "right" : "left" },
    buttons: [{ label: text("approval.skip") }, ...(framed ? [] : [/** @type {const} */ ({ label: deleteButton(approval.removable), kind: "danger", icon: "trash", answer: "delete" })])],
  });
  schedule(() => frame.say(sentences([sentence(approvalPlace(...place())), title])), ANNOUNCE_DELAY_MS);
  const answer = await answered.finally(view.letGo);
  return answer === "delete" ? { answer, always: canAlways && always, backup } : { answer: "skip", always: false };
}
