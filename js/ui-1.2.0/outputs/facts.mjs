// @ts-check
/** What a question before a deletion says of outputs: what stays on the Cloud, what is here, and what is gone. It may come late. */

import { HistoryApiError } from "../api.mjs";
import { skeleton } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { text } from "../common/words.mjs";
import { goesWords, goneFromCloud, hereWords, outputsInAll, staysWords } from "./strings.mjs";

/** @import { OutputFacts, Question } from "../../../types/wire" */

/** @typedef {(signal: AbortSignal) => Promise<OutputFacts>} ReadFacts */

/**
 * Returns the facts, a function that says whether workflows are kept, and one that ends the request when the dialog closes.
 * The rows are there from the start, so that nothing moves when their texts come.
 * @param {Pick<Question, "removable" | "outputs">} question
 * @param {ReadFacts} read
 * @param {(text: string) => void} say reads a text aloud
 */
export function outputFacts({ removable, outputs }, read, say) {
  const asked = new AbortController();
  const node = (/** @type {string} */ words) => document.createTextNode(words);
  // The nodes stay, and only their texts change: some frontends move the focus when nodes are added or removed.
  const [goes, stays, here, gone] = [node(""), node(outputs === null ? "" : outputsInAll(outputs)), node(""), node("")];
  const waiting = skeleton("9rem");
  const warning = el("p", { class: "cch-msg warn", hidden: true }, icon("warning"), el("span", { dir: "auto" }, gone));
  const list = el(
    "dl",
    { class: "cch-dl cch-facts", "aria-busy": "true" },
    ...[[text("outputs.facts_goes"), goes], [text("outputs.facts_stays"), stays], [text("outputs.facts_here"), here, waiting]].flatMap(([term, ...parts]) => [el("dt", {}, term ?? null), el("dd", {}, ...parts)]),
  );
  const element = el("div", { class: "cch-stack" }, list, warning);

  /** @param {OutputFacts} facts */
  const show = (facts) => {
    if (facts.known || outputs === null) stays.data = staysWords(facts);
    here.data = hereWords(facts) || text("outputs.facts_nothing");
    if (!facts.gone_files) return;
    gone.data = goneFromCloud(facts.gone_files);
    warning.hidden = false;
    say(gone.data);
  };
  const fail = (/** @type {unknown} */ error) => {
    if (asked.signal.aborted) return;
    if (!(error instanceof HistoryApiError)) throw error;
    here.data = text("outputs.facts_not_known");
    if (outputs === null) stays.data = text("outputs.facts_not_known");
  };
  void read(asked.signal).then(show, fail).finally(() => {
    waiting.hidden = true;
    list.removeAttribute("aria-busy");
  });
  return {
    element,
    /** @param {boolean} kept */
    update: (kept) => void (goes.data = goesWords(removable, kept)),
    letGo: () => asked.abort(),
  };
}
