// @ts-check
/** The page "Clean up": rules, what they would do, and the way to the usual question. */

import { button, el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { card } from "../common/components.mjs";
import { errorWords } from "../common/strings.mjs";
import { createVerdicts, effect, keptTable, outcomeWords } from "./preview.mjs";
import { createRules, faultWords, tick } from "./clean_up_rules.mjs";
import { pageHead } from "../list/pages.mjs";
import { agreeWord, CLEAN_UP } from "./strings.mjs";
import { deleteWord, PANEL } from "../list/strings.mjs";
import { COMMON } from "../deletion/strings.mjs";

/** @typedef {import("./model.mjs").CleanUp} CleanUp */
/** @typedef {import("../../../types/panel").PageHost} PageHost */
/**
 * @typedef {object} Parts
 * @property {CleanUp} cleanUp
 * @property {import("../../../types/panel").Store} store
 * @property {import("./preview.mjs").Thumbnails} thumbnails
 * @property {Pick<import("../../../types/panel").Actions, "remove" | "currentWorkflow">} actions
 */

/** From here on each job is listed with its verdict; pixels. */
const WIDE = 720;

/** @param {Parts & {back(): void}} parts the buttons below */
function createTail({ cleanUp, store, actions, back }) {
  const agree = () => cleanUp.agree(!cleanUp.agreed);
  const check = tick("", agree);
  const words = el("span", { onclick: agree });
  const option = el("div", { class: "cch-opt" }, check, words);
  const remove = button({
    label: PANEL.delete,
    icon: "trash",
    kind: "danger-quiet",
    press() {
      const target = cleanUp.target();
      // The hold and its result are shown below the list.
      if (target && !store.blocked()) actions.remove(target, back);
    },
  });
  const cancel = button({ label: COMMON.cancel, kind: "ghost", press: back });
  return {
    element: el("div", { class: "cch-tail" }, option, el("span", { class: "cch-right" }, cancel, remove)),
    draw() {
      const { preview, working, agreed } = cleanUp;
      const fault = faultWords(cleanUp);
      const question = fault || !preview ? "" : agreeWord(preview);
      option.hidden = !question;
      words.textContent = question;
      check.setAttribute("aria-label", question);
      check.setAttribute("aria-checked", String(agreed));
      check.disabled = working;
      const counted = !fault && !working && preview !== null && preview.go > 0;
      remove.lastChild?.replaceWith(counted ? deleteWord(preview.go) : PANEL.delete);
      const why = fault || store.blocked();
      remove.title = why;
      remove.setAttribute("aria-disabled", String(!!why || !cleanUp.target()));
    },
  };
}

export class CleanUpPage {
  #effect = el("div", { class: "cch-effect" });
  #kept = el("div", { class: "cch-group" });
  /** In place of the verdicts when there are none. */
  #blank = el("div", { class: "cch-state", "aria-hidden": "true" }, el("span", { class: "ico" }, icon("clean")));
  #verdicts;
  #rules;
  #tail;
  #pane;
  #scroll;
  #wide = false;
  #said = "";
  #readAt;
  /** @type {(() => void)[]} */
  #leave;

  /** @param {Parts & PageHost} parts */
  constructor(parts) {
    const { cleanUp, store, actions, thumbnails } = parts;
    this.parts = parts;
    this.#verdicts = createVerdicts(thumbnails);
    this.#rules = createRules(cleanUp, store, actions.currentWorkflow());
    this.#tail = createTail(parts);
    this.#scroll = el("div", { class: "cch-scroll" }, ...this.#rules.elements, this.#effect, this.#kept);
    this.#pane = el("div", { class: "cch-pane", hidden: true }, this.#verdicts.chips, this.#verdicts.scroll, this.#blank);
    this.element = el(
      "section",
      { class: "cch-page cch-clean", "aria-label": CLEAN_UP.title },
      pageHead(CLEAN_UP.title, parts),
      el("div", { class: "cch-cols" }, this.#scroll, this.#pane),
      this.#tail.element,
    );
    const observer = new window.ResizeObserver(() => this.#measure());
    observer.observe(this.element);
    this.#readAt = store.readAt;
    this.#leave = [cleanUp.shown(() => this.#draw()), store.on(["status", "load"], () => this.#followList()), () => observer.disconnect()];
    this.#draw();
  }

  leave() {
    for (const leave of this.#leave) leave();
    this.#verdicts.destroy();
  }

  #measure() {
    const wide = this.element.clientWidth >= WIDE;
    if (wide === this.#wide) return;
    this.#wide = wide;
    this.#pane.hidden = !wide;
    if (wide) this.#pane.prepend(this.#effect);
    else this.#kept.before(this.#effect);
    this.#draw();
  }

  /** The list was read again: the numbers may be others now. */
  #followList() {
    const { store, cleanUp } = this.parts;
    if (store.readAt !== this.#readAt) {
      this.#readAt = store.readAt;
      cleanUp.refresh();
    }
    this.#tail.draw();
  }

  #draw() {
    const { cleanUp, say } = this.parts;
    const { preview, policy, working, error } = cleanUp;
    this.#rules.draw();
    this.#tail.draw();
    const fault = faultWords(cleanUp);
    const shown = fault || error ? null : preview;
    const again = () => button({ label: COMMON.tryAgain, press: () => cleanUp.refresh() });
    const told = error ? [card("warning", "i-warn", errorWords(error), undefined, [again()])] : effect(cleanUp);
    this.#effect.replaceChildren(...(fault ? [] : told));
    this.#kept.replaceChildren(...(shown && policy && shown.total > 0 ? [keptTable(shown, policy)] : []));
    for (const each of [this.#effect, this.#kept, this.#verdicts.scroll]) each.setAttribute("aria-busy", String(working));
    this.#verdicts.chips.hidden = this.#verdicts.scroll.hidden = !shown;
    this.#blank.hidden = !fault;
    if (this.#wide) this.#verdicts.draw(shown, policy);
    const text = shown && !working ? outcomeWords(shown) : "";
    if (text && text !== this.#said) say(text);
    this.#said = text;
  }
}
