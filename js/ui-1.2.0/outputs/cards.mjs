// @ts-check
/** The cards of runs that save outputs, above those of deletions. */

import { copyText } from "../common/browser.mjs";
import { CardStack } from "../common/card_places.mjs";
import { button, cross, iconButton, LOOK, tallyTable } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { setTip } from "../common/tooltips.mjs";
import { text } from "../common/words.mjs";
import { hasEnded, isGoingOn } from "./saves.mjs";
import * as words from "./strings.mjs";

/** @import { Say } from "../../../types/list" */
/** @import { Save } from "../../../types/wire" */
/** @import { Card, Clock } from "../common/card_places.mjs" */
/** @import { Saves } from "./saves.mjs" */

/** @typedef {() => Save} Current returns a run as the server told last */

/** Runs that were interrupted, and results, at most. */
const MAX_QUIET = 2;

/** @param {Current} current @param {Saves} saves @returns {Card} */
function progressCard(current, saves) {
  const title = el("div", { class: "ttl" });
  const fill = el("i");
  const bar = el("div", { class: "cch-prog", role: "progressbar", "aria-label": text("outputs.progress"), "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const stop = button({ label: text("outputs.stop"), icon: "stop", press: () => void saves.stop(current()) });
  setTip(stop, text("outputs.stop_tip"));
  const [turning, warning] = [icon("running", "spin i-link"), icon("warning", "i-warn")];
  const [numbers, about] = [el("p"), el("p", { class: "cch-2" })];
  return {
    element: el("div", { class: "cch-card" }, el("div", { class: "hd mid" }, turning, warning, el("div", { class: "cch-grow" }, title), stop), bar, numbers, about),
    focus: () => stop.focus({ preventScroll: true }),
    render() {
      const save = current();
      const { away } = saves;
      const stopping = save.state === "stopping" || saves.busy.has(save.operation);
      title.textContent = away ? text("outputs.away") : stopping ? text("outputs.stopping") : words.progressTitle(save);
      about.textContent = away ? text("outputs.away_text") : stopping ? text("outputs.stopping_text") : text("outputs.closeable");
      numbers.textContent = away || stopping ? "" : words.progressText(save);
      numbers.hidden = !numbers.textContent;
      turning.toggleAttribute("hidden", away);
      warning.toggleAttribute("hidden", !away);
      stop.hidden = away;
      stop.setAttribute("aria-disabled", String(stopping));
      const percent = Math.floor(100 * words.shareDone(save));
      bar.hidden = away;
      bar.setAttribute("aria-valuenow", String(percent));
      fill.style.width = `${percent}%`;
    },
  };
}

/** @param {Current} current @param {Saves} saves @returns {Card} */
function interruptedCard(current, saves) {
  const goOn = button({ label: text("outputs.go_on"), icon: "play", press: () => void saves.goOn(current()) });
  const discard = button({ label: text("outputs.discard"), kind: "ghost", press: () => void saves.dismiss(current()) });
  setTip(discard, text("outputs.discard_tip"));
  return {
    element: el(
      "div",
      { class: "cch-card" },
      el("div", { class: "hd" }, icon("warning", "i-warn"), el("div", { class: "cch-grow" }, el("div", { class: "cch-2" }, words.whichSave(current())), el("div", { class: "ttl" }, text("outputs.interrupted")), el("div", { class: "cch-2" }, text("outputs.interrupted_text")))),
      el("div", { class: "ft" }, el("span", { class: "push" }), discard, goOn),
    ),
    focus: () => goOn.focus({ preventScroll: true }),
    render() {
      for (const each of [goOn, discard]) each.setAttribute("aria-disabled", String(saves.busy.has(current().operation)));
    },
  };
}

/** @param {Save} save @returns {keyof typeof LOOK} */
function kindOf({ state, failed, error, saved, already_here: already }) {
  if (state === "stopped") return "info";
  if (failed.length || error) return saved + already ? "warning" : "error";
  return "success";
}

/** @param {Current} current @param {Saves} saves @param {(ids: string[], outcome: string) => void} show @param {Say} say @returns {Card} */
function resultCard(current, saves, show, say) {
  const save = current();
  const { title, text: about } = words.resultWords(save);
  const [name, colour] = LOOK[kindOf(save)];
  const { failed } = save;
  const lines = words.failedLines(save);
  const ids = [...new Set(failed.map(({ job_id: id }) => id))];
  const copy = async () => say((await copyText(words.failedList(save))) ? text("outputs.list_copied") : text("common.not_copied"));
  const label = words.tryAgainLabel(save);
  const retry = label && button({ label, icon: "refresh", press: () => void saves.tryAgain(current()) });
  const foot = el(
    "div",
    { class: "ft" },
    ids.length > 0 && button({ label: words.showJobsLabel(ids.length), kind: "ghost", press: () => show(ids, text("outputs.not_saved")) }),
    failed.length > 0 && iconButton("copy", text("outputs.copy_list"), () => void copy()),
    el("span", { class: "push" }),
    retry,
  );
  return {
    element: el(
      "div",
      { class: "cch-card" },
      el("div", { class: "hd" }, icon(name, colour), el("div", { class: "cch-grow" }, el("div", { class: "cch-2" }, words.whichSave(save)), el("div", { class: "ttl" }, title), about && el("div", { class: "cch-2 cch-any", dir: "auto" }, about)), cross(() => void saves.dismiss(current()))),
      // The title says why a stopped run is not complete.
      lines.length > (save.state === "stopped" ? 1 : 0) && tallyTable(lines),
      (retry || ids.length > 0) && foot,
    ),
    focus: () => undefined,
    render() {
      if (retry) retry.setAttribute("aria-disabled", String(saves.busy.has(save.operation)));
    },
  };
}

/** @param {Save} save */
const cardKind = (save) => (isGoingOn(save) ? "progress" : hasEnded(save) ? `result ${save.failed.length}` : "interrupted");

/** The runs that have a card: all that go on, and some of the others. @param {Save[]} all the newest first */
export const savesToShow = (all) => [...all.filter((save) => !isGoingOn(save)).slice(0, MAX_QUIET).reverse(), ...all.filter(isGoingOn).reverse()];

/**
 * @param {object} options
 * @param {Saves} options.saves
 * @param {Clock} options.clock
 * @param {(ids: string[], outcome: string) => void} options.show shows only these jobs in the list
 * @param {Say} options.say
 * @param {() => void} [options.focusList] called when the card with the focus is removed
 */
export function createSaveCards({ saves, clock, show, say, focusList }) {
  const stack = new CardStack(clock, focusList);

  /** @param {Save} save @returns {Card} */
  function make(save) {
    const current = () => saves.all.find(({ operation }) => operation === save.operation) ?? save;
    if (hasEnded(save)) return resultCard(current, saves, show, say);
    return (isGoingOn(save) ? progressCard : interruptedCard)(current, saves);
  }

  function render() {
    const all = saves.isSpeaker(view) ? savesToShow(saves.all) : [];
    const cards = all.map((save) => /** @type {const} */ ([`${save.operation} ${cardKind(save)}`, () => make(save)]));
    stack.render(cards);
  }

  const view = { render, say };
  const leave = saves.follow(view);
  render();
  return { element: stack.element, render, destroy: leave };
}

/** Several groups of cards, one above the other. @param {{element: HTMLElement, render(): void, destroy(): void}[]} groups */
export const stacked = (groups) => ({
  element: el("div", { class: "cch-below" }, ...groups.map(({ element }) => element)),
  render: () => groups.forEach((each) => each.render()),
  destroy: () => groups.forEach((each) => each.destroy()),
});
