// @ts-check
/** The cards below the list: holds, else the running deletion, else the newest result. */

import { copyText } from "../common/browser.mjs";
import { CardStack } from "../common/card_places.mjs";
import { button, cross, iconButton, LOOK, tallyTable } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { number, sentence, sentences } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { setTip } from "../common/tooltips.mjs";
import { text } from "../common/words.mjs";
import { canStop, entriesToShow, isEnding, isUnsentPhase, progressWords, shownPhase } from "./entries.mjs";
import { startedWord } from "./label.mjs";
import { leftWord, showLabel, tryAgainLabel } from "./result_strings.mjs";
import { awayText, holdTitle, whichDeletion } from "./strings.mjs";

/** @import { DeletionView, Entry } from "../../../types/deletion" */
/** @import { Say } from "../../../types/list" */
/** @import { Card } from "../common/card_places.mjs" */
/** @import { Deletions } from "./controller.mjs" */
/** @import { Message } from "../common/toasts.mjs" */

/** A message that would be a toast elsewhere. @typedef {{number: number, kind: "warning" | "error", message: Message}} Notice */

const MAX_NOTICES = 2;
const AROUND = 2 * Math.PI * 13;

/** @param {string} name @param {Record<string, string>} attributes */
function svg(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}

function createRing() {
  const circle = { cx: "16", cy: "16", r: "13" };
  const [back, front] = [svg("circle", circle), svg("circle", circle)];
  const picture = svg("svg", { viewBox: "0 0 32 32" });
  picture.append(back, front);
  const count = el("span");
  return {
    element: el("span", { class: "cch-ring", "aria-hidden": "true" }, picture, count),
    /** @param {number} seconds @param {number} of */
    set(seconds, of) {
      front.setAttribute("stroke-dasharray", `${((AROUND * seconds) / Math.max(of, 1)).toFixed(1)} ${AROUND.toFixed(1)}`);
      count.textContent = number(seconds);
    },
  };
}

let named = 0;

/** Says which deletion a card is about. @param {Entry} entry @param {HTMLElement} [action] a button that is described by it too */
function nameOf(entry, action) {
  const { label } = entry;
  const started = startedWord(entry);
  if (!label && !started) return null;
  const id = `cch-deletion-${++named}`;
  action?.setAttribute("aria-describedby", id);
  return el("div", { class: "cch-2 cch-any", id }, label && el("bdi", {}, started ? sentence(label) : label), label && started && " ", started);
}

/** @param {Entry} entry @param {{secondsLeft(entry: Entry): number, undo(entry: Entry): unknown}} deletions */
function createHoldCard(entry, deletions) {
  const of = deletions.secondsLeft(entry);
  const ring = createRing();
  const title = el("div", { class: "ttl" });
  const undo = button({ label: text("deletion.hold_undo"), icon: "undo", press: () => deletions.undo(entry) });
  const about = el("div", { class: "cch-2" });
  return {
    element: el("div", { class: "cch-card" }, el("div", { class: "hd mid" }, ring.element, el("div", { class: "cch-grow" }, nameOf(entry, undo), title, about), undo)),
    focus: () => undo.focus({ preventScroll: true }),
    render() {
      const seconds = deletions.secondsLeft(entry);
      ring.set(seconds, of);
      title.textContent = entry.away || holdTitle(entry, seconds);
      about.textContent = entry.refusal || (entry.away ? awayText(entry, seconds) : isEnding(entry) ? text("deletion.hold_over") : text("deletion.hold_text"));
      undo.setAttribute("aria-disabled", String(entry.undoing));
    },
  };
}

/** @param {Entry} entry @param {{stop(entry: Entry): unknown, secondsToWait(entry: Entry): number}} deletions */
function createProgressCard(entry, deletions) {
  const title = el("div", { class: "ttl" });
  const fill = el("i");
  const bar = el("div", { class: "cch-prog", role: "progressbar", "aria-label": text("deletion.progress"), "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const stop = button({ label: text("deletion.stop"), icon: "stop", press: () => deletions.stop(entry) });
  const [turning, warning] = [icon("running", "spin i-link"), icon("warning", "i-warn")];
  const head = el("div", { class: "hd mid" }, turning, warning, el("div", { class: "cch-grow" }, nameOf(entry, stop), title), stop);
  const about = el("p", { class: "cch-2" });
  return {
    element: el("div", { class: "cch-card" }, head, bar, about),
    focus: () => undefined,
    render() {
      const { done, total } = entry;
      const phase = shownPhase(entry);
      const progress = progressWords(entry, deletions.secondsToWait(entry));
      title.textContent = entry.away || progress.title;
      about.textContent = entry.away ? awayText(entry, 0) : entry.refusal || (phase === "due" ? "" : sentences([progress.text, text(entry.stopping ? "deletion.stopping" : "deletion.closeable")]));
      turning.toggleAttribute("hidden", entry.away !== "");
      warning.toggleAttribute("hidden", entry.away === "");
      bar.setAttribute("aria-label", phase === "saving" ? text("outputs.progress") : phase === "backing_up" ? text("protection.backup_progress") : text("deletion.progress"));
      stop.hidden = !canStop(entry);
      setTip(stop, isUnsentPhase(entry) ? text("deletion.stop_unsent_tip") : text("deletion.stop_tip"));
      stop.setAttribute("aria-disabled", String(entry.stopping));
      bar.hidden = entry.away !== "" || phase === "due" || phase === "preparing";
      const known = total > 0 && (phase === "checking" || done > 0);
      const percent = phase === "checking" ? 100 : Math.round((100 * Math.min(done, total)) / Math.max(total, 1));
      fill.style.width = `${percent}%`;
      if (known) bar.setAttribute("aria-valuenow", String(percent));
      else bar.removeAttribute("aria-valuenow");
    },
  };
}

/** @param {string} title @param {string} [detail] */
const cardText = (title, detail) =>
  el("div", { class: "cch-grow" }, el("div", { class: "ttl" }, title), detail && el("div", { class: "cch-2 cch-any", dir: "auto" }, detail));

/** Whether a result asks for something to be done. @param {Entry} entry */
const isBad = ({ words }) => words?.kind === "warning" || words?.kind === "error";

/** The title and the text of a result, and which deletion it is about. @param {Entry} entry @param {Deletions} deletions */
function createResultText(entry, deletions) {
  const which = el("div", { class: "cch-2" });
  const about = el("div", { class: "cch-2 cch-any", dir: "auto" });
  return {
    element: el("div", { class: "cch-grow" }, nameOf(entry), which, el("div", { class: "ttl" }, entry.words?.title), about),
    render() {
      const { words, jobs, endedAt, earlier } = entry;
      // A good result that is the newest one goes soon.
      which.textContent = earlier || isBad(entry) ? whichDeletion(jobs, endedAt, earlier) : "";
      about.textContent = (deletions.isListed(entry) ? words?.text : (words?.unlisted ?? words?.text)) ?? "";
      for (const each of [which, about]) each.hidden = !each.textContent;
    },
  };
}

/** @param {Entry} entry that has ended @param {Deletions} deletions @param {(ids: string[], outcome: string) => void} show @param {(text: string) => void} copy @param {() => string} blocked */
function createResultCard(entry, deletions, show, copy, blocked) {
  const { words, result, kind } = entry;
  if (!words) throw new Error("not ended");
  const [name, colour] = LOOK[words.kind];
  const n = words.again.length;
  const about = createResultText(entry, deletions);
  const report = result && iconButton("copy", text("deletion.copy_report"), () => copy(result.report));
  const label = !entry.workflow && kind === "clear" ? text("common.look_again") : n > 0 && tryAgainLabel(n);
  const retry = label && button({ label, icon: "refresh", press: () => blocked() || void deletions.tryAgain(entry) });
  const foot = el(
    "div",
    { class: "ft" },
    n > 0 && button({ label: showLabel(n), kind: "ghost", press: () => show(words.again, leftWord(result, words.again)) }),
    report,
    el("span", { class: "push" }),
    retry,
  );
  return {
    element: el(
      "div",
      { class: "cch-card" },
      el("div", { class: "hd" }, icon(name, colour), about.element, cross(() => deletions.drop(entry))),
      words.lines.length > 0 && tallyTable(words.lines),
      isBad(entry) && (n > 0 || report || retry) && foot,
    ),
    focus: () => undefined,
    render() {
      about.render();
      if (!retry) return;
      const why = blocked();
      retry.setAttribute("aria-disabled", String(why !== ""));
      setTip(retry, why);
    },
  };
}

/** @param {Notice} notice @param {() => void} close @returns {Card} */
function createNotice({ kind, message: { title, detail, action } }, close) {
  const [name, colour] = LOOK[kind];
  const press = () => {
    close();
    action?.press();
  };
  const about = cardText(title, detail);
  return {
    element: el("div", { class: "cch-card" }, el("div", { class: "hd" }, icon(name, colour), about, action && button({ label: action.label, press }), cross(close))),
    focus: () => undefined,
    render: () => undefined,
  };
}

/** The newest warnings and errors that a panel shows instead of toasts. */
class Notices {
  /** @param {Notice[]} all changed in place, because a panel that is drawn anew shows them again @param {() => void} onChange */
  constructor(all, onChange) {
    this.all = all;
    this.onChange = onChange;
  }

  /** Keys and makers of their cards. @returns {(readonly [string, () => Card])[]} */
  cards() {
    return this.all.map((notice) => [`notice${notice.number}`, () => createNotice(notice, () => this.#drop(notice))]);
  }

  /** @param {Notice["kind"]} kind @param {Message} message */
  add(kind, message) {
    this.all.splice(0, Math.max(0, this.all.length + 1 - MAX_NOTICES));
    this.all.push({ number: ++made, kind, message });
    this.onChange();
  }

  /** @param {Notice} notice */
  #drop(notice) {
    this.all.splice(this.all.indexOf(notice), 1);
    this.onChange();
  }
}

/** @param {Entry} entry */
const cardKind = (entry) => (entry.phase === "done" ? "result" : entry.phase === "holding" || isEnding(entry) ? "hold" : "progress");

/** @type {WeakMap<Entry, number>} */
const numbers = new WeakMap();
let made = 0;

/** The key of a card: its deletion and its kind. @param {Entry} entry */
function keyOf(entry) {
  const known = numbers.get(entry) ?? ++made;
  numbers.set(entry, known);
  return `${known} ${cardKind(entry)}`;
}

/**
 * @param {object} options
 * @param {Deletions} options.deletions
 * @param {(ids: string[], outcome: string) => void} options.show shows only these jobs in the list
 * @param {Say} options.say
 * @param {() => void} [options.focusList] called when the card with the focus is removed
 * @param {() => string} [options.blocked] why nothing can be deleted now; "" if deletion is possible
 * @param {Notice[] | null} [options.notices] the warnings and errors that are toasts elsewhere; null: they are toasts
 */
export function createCards({ deletions, show, say, focusList, blocked = () => "", notices: kept = null }) {
  const notices = new Notices(kept ?? [], () => render());
  const stack = new CardStack(deletions.parts, focusList);

  const copy = async (/** @type {string} */ report) => say((await copyText(report)) ? text("deletion.report_copied") : text("common.not_copied"));

  /** @param {Entry} entry @returns {Card} */
  function make(entry) {
    if (cardKind(entry) === "result") return createResultCard(entry, deletions, show, copy, blocked);
    return (cardKind(entry) === "hold" ? createHoldCard : createProgressCard)(entry, deletions);
  }

  function render() {
    // Two open panels must not count down the same hold.
    const entries = deletions.isSpeaker(view) ? entriesToShow(deletions.state()) : [];
    const cards = [...notices.cards(), ...entries.map((entry) => /** @type {const} */ ([keyOf(entry), () => make(entry)]))];
    stack.render(cards);
  }

  const view = {
    render,
    say,
    ...(kept && {
      /** @type {NonNullable<DeletionView["notice"]>} */
      notice(kind, message) {
        notices.add(kind, message);
        say(message.detail ? sentences([sentence(message.title), message.detail]) : message.title, true);
      },
    }),
    /** @param {Entry} entry */
    held(entry) {
      render();
      stack.focus(keyOf(entry));
    },
  };
  return { element: stack.element, render, destroy: deletions.follow(view) };
}
