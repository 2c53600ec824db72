// @ts-check
/** The rules of a clean-up: which are on, their numbers, and which jobs they are about. */

import { el, hint } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { readChoice, RULE_KEYS } from "./model.mjs";
import { select, workflowOptions } from "../list/filter_popover.mjs";
import { CLEAN_UP, RULE_WORDS, STATUS_WORDS, unreadable } from "./strings.mjs";

/** @typedef {import("./model.mjs").CleanUp} CleanUp */
/** @typedef {import("./model.mjs").RuleKey} RuleKey */

let made = 0;

/** @param {string} label @param {() => void} press */
export const tick = (label, press) =>
  el("button", { type: "button", class: "cch-check", role: "checkbox", "aria-label": label, onclick: press }, icon("check"));

/** What is wrong with the rules, in words; "" for nothing. @param {CleanUp} cleanUp */
export function faultWords({ choice }) {
  const { fault } = readChoice(choice);
  if (fault?.kind === "none") return CLEAN_UP.noRule;
  return fault?.kind === "unreadable" ? unreadable(fault.text, fault.rule) : "";
}

/** @param {CleanUp} cleanUp @param {RuleKey} key @param {string} told the id of what tells about a fault */
function ruleRow(cleanUp, key, told) {
  const { label, unit, spoken } = RULE_WORDS[key];
  const toggle = () => cleanUp.setRule(key, { on: !cleanUp.choice.rules[key].on });
  const check = tick(label, toggle);
  const field = el("input", {
    class: "cch-num", inputmode: "numeric", autocomplete: "off", spellcheck: "false", "aria-label": spoken,
    // Who writes a number means the rule.
    oninput: ({ target }) => cleanUp.setRule(key, { on: true, text: target.value }),
  });
  const row = el("div", { class: "cch-rule" }, check, el("span", { onclick: toggle }, label), field, el("span", { class: "cch-2" }, unit));
  return {
    row,
    /** @param {boolean} bad */
    draw(bad) {
      const { on, text } = cleanUp.choice.rules[key];
      check.setAttribute("aria-checked", String(on));
      row.classList.toggle("off", !on);
      if (field.value !== text) field.value = text;
      field.classList.toggle("bad", bad);
      field.setAttribute("aria-invalid", String(bad));
      if (bad) field.setAttribute("aria-describedby", told);
      else field.removeAttribute("aria-describedby");
    },
  };
}

/** Buttons of which each is on or off. @param {[string, string][]} options @param {string} className @param {(key: string) => void} press */
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

/** @param {CleanUp} cleanUp @param {import("../../../types/panel").Store} store @param {string} current the workflow on the canvas */
export function createRules(cleanUp, store, current) {
  const told = `cch-fault-${++made}`;
  const rows = RULE_KEYS.map((key) => ({ key, ...ruleRow(cleanUp, key, told) }));
  const fault = el("div", { id: told, class: "cch-fault" });
  const statuses = pressable(STATUS_WORDS, "cch-chip pick", (key) => {
    const { statuses: chosen } = cleanUp.choice;
    cleanUp.choose({ statuses: chosen.includes(key) ? chosen.filter((each) => each !== key) : [...chosen, key] });
  });
  const whole = /** @type {[string, string][]} */ ([["", CLEAN_UP.together], ["apart", CLEAN_UP.apart]]);
  const apart = pressable(whole, "", (key) => cleanUp.choose({ apart: key === "apart" }));
  const { workflow } = cleanUp.choice;
  const workflows = select(workflowOptions(store, current, workflow), workflow, (chosen) => cleanUp.choose({ workflow: chosen }));
  workflows.setAttribute("aria-label", CLEAN_UP.workflow);
  const heading = (/** @type {string} */ text) => el("h3", { class: "cch-h" }, text);
  let shown = "";

  return {
    elements: [
      el("div", { class: "cch-group rules" }, heading(CLEAN_UP.keep), ...rows.map(({ row }) => row), fault),
      el(
        "div",
        { class: "cch-group" },
        heading(CLEAN_UP.which),
        el("div", { class: "cch-chips", role: "group", "aria-label": CLEAN_UP.which }, ...statuses.buttons),
        workflows,
      ),
      el(
        "div",
        { class: "cch-group" },
        heading(CLEAN_UP.apply),
        el("div", { class: "cch-seg", role: "group", "aria-label": CLEAN_UP.apply }, ...apart.buttons),
      ),
    ],
    draw() {
      const { choice } = cleanUp;
      const wrong = readChoice(choice).fault;
      for (const { key, draw } of rows) draw(wrong?.kind === "unreadable" && wrong.rule === key);
      statuses.draw((key) => choice.statuses.includes(key));
      apart.draw((key) => choice.apart === (key === "apart"));
      const text = faultWords(cleanUp);
      if (text === shown) return;
      shown = text;
      const bad = wrong?.kind === "unreadable";
      const line = hint(bad ? "failed" : "info", text, bad ? "cch-msg bad" : "cch-hint");
      if (bad) line.setAttribute("role", "alert");
      fault.replaceChildren(...(text ? [line] : []));
    },
  };
}
