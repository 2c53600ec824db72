// @ts-check
/** The fields for search, filters and order above the list. */

import { button, iconButton, select } from "../common/components.mjs";
import { el, isComposing } from "../common/dom.mjs";
import { clean, number, shortId } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { text } from "../common/words.mjs";
import { savedChoices } from "../outputs/strings.mjs";
import { protections } from "../protection/strings.mjs";
import { EVERYTHING, inForce } from "./filter.mjs";
import { chips, filterSpoken, outputTypes, removeFilter, sorts, times, workflowOption } from "./strings.mjs";

/** @import { Store } from "../../../types/list" */
/** @import { Popups } from "./menu.mjs" */

/** Pause in typing before the search starts. */
const WAIT_MS = 150;

/** @param {string} label @param {HTMLElement} field */
const labelled = (label, field) => el("label", { class: "cch-lab" }, el("span", {}, label), field);

/**
 * @template {string} T
 * @param {string} name
 * @param {[T, string][]} options
 * @param {T} value
 * @param {(value: T) => void} choose
 * @param {string} className
 */
const radios = (name, options, value, choose, className) =>
  options.map(([key, label]) => {
    const radio = el("input", { type: "radio", name, checked: key === value, onchange: () => choose(key) });
    return el("label", { class: className }, radio, label);
  });

/** @param {Store} store @param {string} current the workflow on the canvas @param {string} chosen the id in the filter, offered even if no job has it @returns {[string, string][]} */
export function workflowOptions(store, current, chosen) {
  const counts = new Map(store.workflows());
  const word = (/** @type {string} */ id, label = store.names.of(id) || shortId(id)) => workflowOption(label, counts.get(id) ?? 0);
  const ids = new Set([...counts.keys(), chosen].filter((id) => id && id !== current));
  const known = [...ids].map((id) => /** @type {[string, string]} */ ([id, word(id)]));
  return [["", text("list.field.all_workflows")], ...(current ? [/** @type {[string, string]} */ ([current, word(current, text("list.field.current_workflow"))])] : []), ...known];
}

/** @param {Store} store @param {string} current @param {() => void} done */
function fields(store, current, done) {
  const { choice } = store;
  const between = el("div", { class: "cch-between", hidden: choice.time !== "between" });
  for (const [key, label] of /** @type {["from" | "to", string][]} */ ([["from", text("list.field.from")], ["to", text("list.field.to")]])) {
    // With a latest date, a year has four digits: a fifth one would go into the year instead of being refused.
    const input = el("input", { type: "date", value: choice[key], max: "9999-12-31", class: "cch-select", onchange: ({ target }) => store.choose({ [key]: target.value }) });
    between.append(labelled(label, input));
  }
  const time = select(times(), choice.time, (value) => {
    between.hidden = value !== "between";
    store.choose({ time: /** @type {typeof choice.time} */ (value) });
  });
  const workflows = workflowOptions(store, current, choice.workflow);
  const types = radios("cch-output", outputTypes(), choice.output, (output) => store.choose({ output }), "cch-chip pick");
  const kept = radios("cch-protection", protections(), choice.protection, (protection) => store.choose({ protection }), "cch-part");
  const saved = radios("cch-saved", savedChoices(), choice.saved, (chosen) => store.choose({ saved: chosen }), "cch-part");
  return [
    labelled(text("list.field.time"), time),
    between,
    labelled(text("list.field.workflow"), select(workflows, choice.workflow, (workflow) => store.choose({ workflow }))),
    el("fieldset", { class: "cch-lab" }, el("legend", {}, text("list.field.output")), el("div", { class: "cch-chips" }, ...types)),
    el("fieldset", { class: "cch-lab" }, el("legend", {}, text("protection.field")), el("div", { class: "cch-seg" }, ...kept)),
    el("fieldset", { class: "cch-lab" }, el("legend", {}, text("outputs.saved_outputs")), el("div", { class: "cch-seg" }, ...saved)),
    el(
      "div",
      { class: "cch-right" },
      button({ label: text("list.clear_filters"), kind: "ghost", press: () => (clearFilters(store), done()) }),
      button({ label: text("list.done"), press: done }),
    ),
  ];
}

/** @param {Store} store */
export function clearFilters(store) {
  const { tab, sort } = store.choice;
  store.choose({ ...EVERYTHING, tab, sort });
}

export class Finder {
  #waiting = 0;
  #clear = iconButton("close", text("list.clear_search"), () => this.#empty(), "cch-ib s");
  #dot = el("span", { class: "cch-dot", "aria-hidden": "true" });
  #filter = iconButton("filter", text("list.filter"), () => this.#openFilters(), "cch-ib field");
  #sort = iconButton("sort", text("list.sort"), () => this.#openOrders(), "cch-ib field");
  search = el("input", {
    placeholder: text("list.search"), "aria-label": text("list.search_by"), spellcheck: "false", autocomplete: "off", dir: "auto",
    oninput: () => this.#typed(),
    onkeydown: (event) => event.key === "Enter" && !isComposing(event) && this.#find(),
  });
  chips = el("div", { class: "cch-chips" });
  element = el("div", { class: "cch-find" }, el("div", { class: "cch-search" }, icon("search"), this.search, this.#clear), this.#filter, this.#sort);

  /** @param {Store} store @param {Popups} popups @param {() => string} currentWorkflow */
  constructor(store, popups, currentWorkflow) {
    this.store = store;
    this.popups = popups;
    this.currentWorkflow = currentWorkflow;
    this.#filter.append(this.#dot);
  }

  /** Empties the search field; returns false if it was empty. */
  escape() {
    return this.search.value !== "" && (this.#empty(), true);
  }

  #typed() {
    this.#clear.hidden = !this.search.value;
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#find(), WAIT_MS);
  }

  #find() {
    const { search, store } = this;
    clearTimeout(this.#waiting);
    this.#waiting = 0;
    if (search.value.trim() !== store.choice.search) store.choose({ search: search.value.trim() });
  }

  #empty() {
    this.search.value = "";
    this.#find();
    this.search.focus();
  }

  #openFilters() {
    const box = el("div", { role: "dialog", class: "cch-pop" }, ...fields(this.store, this.currentWorkflow(), () => this.popups.close()));
    this.popups.open(box, { anchor: this.#filter, label: text("list.filter") }, box.querySelector("select") ?? box);
  }

  #openOrders() {
    const { store } = this;
    const items = sorts().map(([key, label]) => ({ label, checked: key === store.choice.sort, press: () => store.choose({ sort: key }) }));
    this.popups.menu(items, { anchor: this.#sort, label: text("list.sort") });
  }

  draw() {
    const { search, store } = this;
    const { choice } = store;
    if (document.activeElement !== search && !this.#waiting && search.value.trim() !== choice.search) search.value = choice.search;
    this.#clear.hidden = !search.value;
    const n = inForce(choice);
    this.#dot.textContent = number(n);
    this.#dot.hidden = !n;
    this.#filter.setAttribute("aria-label", filterSpoken(n));
    const all = chips(choice, this.currentWorkflow(), store.names.of).map(([label, without]) => {
      const press = () => (store.choose(without), this.#filter.focus());
      const attributes = { type: "button", class: "cch-chip", "aria-label": removeFilter(clean(label)), onclick: press };
      return el("button", attributes, el("span", { class: "cch-cut", dir: "auto" }, label), icon("close", "s12"));
    });
    this.chips.replaceChildren(...all);
    this.chips.hidden = !all.length;
  }
}
