// @ts-check
/** The page "Clean up": rules, the preview of their effect, and the button to delete. */

import { button, card, hint, select, tick } from "../common/components.mjs";
import { el, textScale } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { FINISHED, statusName } from "../common/status.mjs";
import { errorWords } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { workflowOptions } from "../list/filter_popover.mjs";
import { pageHead } from "../list/pages.mjs";
import { deleteWord } from "../list/strings.mjs";
import { readChoice } from "./model.mjs";
import { Outcomes, effect, effectWords, keptTable } from "./preview.mjs";
import { RULE_KEYS, ruleOf } from "./rules.mjs";
import { unreadable } from "./strings.mjs";

/** @import { PageParts, Store } from "../../../types/list" */
/** @import { CleanUp } from "./model.mjs" */
/** @import { RuleKey } from "./rules.mjs" */

let made = 0;

/** @param {CleanUp} cleanUp */
function faultWords({ choice }) {
  const { fault } = readChoice(choice);
  if (fault?.kind === "none") return text("cleanup.no_rule");
  return fault?.kind === "unreadable" ? unreadable(fault.text, fault.rule) : "";
}

/** Why the button to delete is off, in short: the fault itself is said beside the rules. "" while the preview is awaited. @param {CleanUp} cleanUp */
function whyOff({ choice, preview, working }) {
  const { fault } = readChoice(choice);
  if (fault?.kind === "none") return text("cleanup.set_first");
  if (fault?.kind === "unreadable") return text("cleanup.correct_first");
  return !working && preview?.go === 0 ? text("cleanup.nothing") : "";
}

/** @param {CleanUp} cleanUp @param {RuleKey} key @param {string} faultId the id of the element with the error */
function ruleRow(cleanUp, key, faultId) {
  const label = text(`cleanup.rule_${key}`);
  const toggle = () => cleanUp.setRule(key, { on: !cleanUp.choice.rules[key].on });
  const check = tick(label, toggle);
  const field = el("input", {
    class: "cch-num", inputmode: "numeric", autocomplete: "off", spellcheck: "false", "aria-label": text(`cleanup.spoken_${key}`),
    // Typing a number turns the rule on.
    oninput: ({ target }) => cleanUp.setRule(key, { on: true, text: target.value }),
  });
  const row = el("div", { class: "cch-rule" }, check, el("span", { onclick: toggle }, label), field, el("span", { class: "cch-2" }, text(`cleanup.unit_${ruleOf(key).unit}`)));
  return {
    row,
    /** @param {boolean} bad */
    draw(bad) {
      const { on, text: typed } = cleanUp.choice.rules[key];
      check.setAttribute("aria-checked", String(on));
      row.classList.toggle("off", !on);
      if (field.value !== typed) field.value = typed;
      field.classList.toggle("bad", bad);
      field.setAttribute("aria-invalid", String(bad));
      if (bad) field.setAttribute("aria-describedby", faultId);
      else field.removeAttribute("aria-describedby");
    },
  };
}

/** A group of toggle buttons. @param {[string, string][]} options @param {string} className @param {(key: string) => void} press */
function pressable(options, className, press) {
  const buttons = options.map(([key, label]) => ({
    key,
    button: el("button", { type: "button", class: className, onclick: () => press(key) }, className && icon("check", "s12"), label),
  }));
  return {
    buttons: buttons.map(({ button }) => button),
    /** @param {(key: string) => boolean} isOn */
    draw: (isOn) => buttons.forEach(({ key, button }) => button.setAttribute("aria-pressed", String(isOn(key)))),
  };
}

/** The inputs: rules with their numbers, statuses and workflow. */
class Rules {
  #id = `cch-fault-${++made}`;
  #fault = el("div", { id: this.#id, class: "cch-fault" });
  #rows;
  #statuses;
  #apart;
  #shown = "";

  /** @param {CleanUp} cleanUp @param {Store} store @param {string} current the workflow on the canvas */
  constructor(cleanUp, store, current) {
    this.cleanUp = cleanUp;
    this.#rows = RULE_KEYS.map((key) => ({ key, ...ruleRow(cleanUp, key, this.#id) }));
    this.#statuses = pressable(FINISHED.map((name) => [name, statusName(name)]), "cch-chip pick", (key) => {
      const { statuses } = cleanUp.choice;
      cleanUp.choose({ statuses: statuses.includes(key) ? statuses.filter((each) => each !== key) : [...statuses, key] });
    });
    this.#apart = pressable([["", text("cleanup.together")], ["apart", text("cleanup.apart")]], "", (key) => cleanUp.choose({ apart: key === "apart" }));
    const { workflow } = cleanUp.choice;
    const workflows = select(workflowOptions(store, current, workflow), workflow, (chosen) => cleanUp.choose({ workflow: chosen }));
    workflows.setAttribute("aria-label", text("cleanup.workflow"));
    const group = (/** @type {string} */ title, /** @type {Node[]} */ ...parts) => el("div", { class: "cch-group" }, el("h3", { class: "cch-h" }, title), ...parts);
    const buttons = (/** @type {string} */ name, /** @type {string} */ label, /** @type {Node[]} */ all) => el("div", { class: name, role: "group", "aria-label": label }, ...all);
    const keep = group(text("cleanup.keep"), ...this.#rows.map(({ row }) => row), this.#fault);
    keep.classList.add("rules");
    this.elements = [
      keep,
      group(text("cleanup.which"), buttons("cch-chips", text("cleanup.which"), this.#statuses.buttons), workflows),
      group(text("cleanup.apply"), buttons("cch-seg", text("cleanup.apply"), this.#apart.buttons)),
    ];
  }

  draw() {
    const { choice } = this.cleanUp;
    const wrong = readChoice(choice).fault;
    const bad = wrong?.kind === "unreadable";
    for (const { key, draw } of this.#rows) draw(bad && wrong.rule === key);
    this.#statuses.draw((key) => choice.statuses.includes(key));
    this.#apart.draw((key) => choice.apart === (key === "apart"));
    const said = faultWords(this.cleanUp);
    if (said === this.#shown) return;
    this.#shown = said;
    const line = hint(bad ? "failed" : "info", said, bad ? "cch-msg bad" : "cch-hint");
    if (bad) line.setAttribute("role", "alert");
    this.#fault.replaceChildren(...(said ? [line] : []));
  }
}

/** From this width on, at the usual text size, the outcome of each job is shown. */
const WIDE_PX = 720;

/** The row of buttons at the bottom. @param {PageParts & {cleanUp: CleanUp}} parts */
function createTail({ cleanUp, store, actions, back }) {
  const reasonId = `cch-clean-why-${++made}`;
  const reason = el("p", { class: "cch-why", id: reasonId });
  const remove = button({
    label: text("list.delete"),
    icon: "trash",
    kind: "danger-quiet",
    press() {
      const target = cleanUp.target();
      // Go back, because the hold and the result are shown below the list.
      if (target && !store.blocked()) actions.remove(target, back);
    },
  });
  remove.setAttribute("aria-describedby", reasonId);
  const cancel = button({ label: text("common.cancel"), kind: "ghost", press: back });
  return {
    element: el("div", { class: "cch-tail" }, reason, el("span", { class: "cch-right" }, cancel, remove)),
    draw() {
      const { preview, working } = cleanUp;
      const fault = faultWords(cleanUp);
      const counted = !fault && !working && preview !== null && preview.go > 0;
      remove.lastChild?.replaceWith(counted ? deleteWord(preview.go) : text("list.delete"));
      const why = whyOff(cleanUp) || store.blocked();
      reason.textContent = why;
      reason.hidden = !why;
      remove.setAttribute("aria-disabled", String(!!why || !cleanUp.target()));
    },
  };
}

export class CleanUpPage {
  #effect = el("div", { class: "cch-effect" });
  #kept = el("div", { class: "cch-group" });
  /** Shown instead of the outcomes if the rules are invalid. */
  #blank = el("div", { class: "cch-state", "aria-hidden": "true" }, el("span", { class: "ico" }, icon("clean")));
  #outcomes;
  #rules;
  #tail;
  #pane;
  #scroll;
  #wide = false;
  #said = "";
  #readAt;
  /** @type {(() => void)[]} */
  #leave;

  /** @param {PageParts & {cleanUp: CleanUp}} parts */
  constructor(parts) {
    const { cleanUp, store, actions, thumbnails } = parts;
    this.parts = parts;
    this.#outcomes = new Outcomes(thumbnails, store.names.of);
    this.#rules = new Rules(cleanUp, store, actions.currentWorkflow());
    this.#tail = createTail(parts);
    this.#scroll = el("div", { class: "cch-scroll" }, ...this.#rules.elements, this.#effect, this.#kept);
    this.#pane = el("div", { class: "cch-pane", hidden: true });
    const head = pageHead(text("cleanup.title"), parts);
    this.element = el(
      "section",
      { class: "cch-page cch-clean", "aria-label": text("cleanup.title") },
      head,
      el("div", { class: "cch-cols" }, this.#scroll, this.#pane),
      this.#tail.element,
    );
    this.#place();
    const observer = new window.ResizeObserver(() => this.#measure());
    // With another text size the page keeps its width. Its header does not keep its height.
    for (const each of [this.element, head]) observer.observe(each);
    this.#readAt = store.readAt;
    this.#leave = [cleanUp.shown(() => this.#draw()), store.on(["status", "load"], () => this.#followList()), () => observer.disconnect()];
    this.#draw();
  }

  leave() {
    for (const leave of this.#leave) leave();
    this.#outcomes.destroy();
  }

  #measure() {
    const wide = this.element.clientWidth >= WIDE_PX * textScale();
    if (wide === this.#wide) return;
    this.#wide = wide;
    this.#pane.hidden = !wide;
    this.#place();
    this.#draw();
  }

  /** Puts the effect and the jobs beside the rules in a wide panel, else below them. */
  #place() {
    const { chips, scroll } = this.#outcomes;
    if (this.#wide) this.#pane.replaceChildren(this.#effect, chips, scroll, this.#blank);
    else {
      this.#kept.before(this.#effect);
      this.#scroll.append(chips, scroll);
    }
  }

  /** Requests a new preview when the list has been read again. */
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
    const again = () => button({ label: text("common.try_again"), press: () => cleanUp.refresh() });
    const content = error ? [card("warning", "i-warn", errorWords(error), undefined, [again()])] : effect(cleanUp);
    this.#effect.replaceChildren(...(fault ? [] : content));
    this.#kept.replaceChildren(...(shown && policy && shown.total > 0 ? keptTable(shown, policy) : []));
    for (const each of [this.#effect, this.#kept, this.#outcomes.scroll]) each.setAttribute("aria-busy", String(working));
    this.#outcomes.chips.hidden = this.#outcomes.scroll.hidden = !shown;
    this.#blank.hidden = !fault;
    this.#outcomes.draw(shown, policy);
    const words = shown && !working ? effectWords(shown) : "";
    if (words && words !== this.#said) say(words);
    this.#said = words;
  }
}
