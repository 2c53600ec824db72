// @ts-check
/** Shows the effect of the rules: counts, why jobs are kept, and in a wide panel the outcome of each job. */

import { nameElement, skeleton } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { dateTime, number } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import { typeIcon } from "../common/kinds.mjs";
import { jobNameParts } from "../common/names.mjs";
import { andMore } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { EMPTY } from "../list/strings.mjs";
import { nothingWouldGo, outcomeWord, reasonWord, wouldGo } from "./strings.mjs";

/** @import { CleanUpPreview, Policy, Row } from "../../../types/wire" */
/** @import { CleanUp } from "./model.mjs" */

/** @typedef {Pick<import("../list/thumbnails.mjs").Thumbnails, "requestFor" | "release">} Thumbnails */

const MAX_ROWS = 200;
/** Which jobs can be shown. */
const SHOWN = /** @type {const} */ (["all", "go", "kept"]);

/** @param {CleanUpPreview} preview */
export function effectWords({ go, total }) {
  if (go > 0) return wouldGo(go, total);
  return total > 0 ? nothingWouldGo(total) : EMPTY.title;
}

/** @param {CleanUp} cleanUp @returns {HTMLElement[]} */
export function effect({ preview, working }) {
  if (!preview) return working ? [el("h3", { class: "cch-verdict" }, text("cleanup.working")), skeleton("100%")] : [];
  const { go, total } = preview;
  const words = working ? text("cleanup.working") : effectWords(preview);
  if (go === 0 && !working) return [el("h3", { class: "cch-msg" }, icon("ok", "i-ok"), el("span", {}, words))];
  const parts = [go, total - go].map((n, at) => n > 0 && el("i", { class: at ? "kept" : "", style: `flex-grow: ${n}` }));
  const split = el("div", { class: "cch-split", role: "img", "aria-label": text("cleanup.split_spoken", { go, kept: total - go }) }, ...parts);
  const key = (/** @type {string} */ look, /** @type {string} */ words) => el("span", {}, el("i", { class: look }), words);
  // The bar says the same to screen readers.
  const legend = el("div", { class: "cch-legend", "aria-hidden": "true" }, key("", text("cleanup.shown_go", { n: go })), key("kept", text("cleanup.shown_kept", { n: total - go })));
  return [el("h3", { class: "cch-verdict" }, words), split, legend];
}

/** Lists why jobs are kept, the most frequent reason first. The numbers add up. @param {CleanUpPreview} preview @param {Policy} policy */
export function keptTable({ go, total, kept }, policy) {
  const line = (/** @type {"td" | "th"} */ cell, /** @type {string} */ word, /** @type {number} */ n) =>
    el("tr", {}, el(cell, cell === "th" ? { scope: "col" } : {}, word), el(cell, { class: "n" }, number(n)));
  const rows = [...kept].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const table = el(
    "table",
    { class: "cch-table" },
    el("thead", {}, line("th", text("cleanup.why"), total - go)),
    el("tbody", {}, ...rows.map(({ reason, count }) => line("td", reasonWord(reason, policy), count))),
  );
  return [table, ...(rows.length > 1 ? [el("p", { class: "cch-2 cch-t12" }, text("cleanup.counted_once", { n: total - go }))] : [])];
}

/** Loads pictures only for visible rows. @param {Thumbnails} thumbnails */
function createPictures(thumbnails) {
  /** @type {Map<Element, {row: Row, image: HTMLImageElement}>} */
  const pictures = new Map();
  const observer = new window.IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const picture = pictures.get(target);
      if (picture && isIntersecting) thumbnails.requestFor(picture.row, picture.image);
      else if (picture) thumbnails.release(picture.image);
    }
  });
  return {
    /** @param {Row} row */
    make(row) {
      const image = el("img", { alt: "", hidden: true, draggable: "false", onload: ({ target }) => (target.hidden = false) });
      const kind = row.preview ? typeIcon(row.output_type, "flow") : "flow";
      const element = el("span", { class: "cch-thumb" }, icon(kind), image);
      pictures.set(element, { row, image });
      observer.observe(element);
      return element;
    },
    letGo() {
      observer.disconnect();
      for (const { image } of pictures.values()) thumbnails.release(image);
      pictures.clear();
    },
  };
}

export class Outcomes {
  /** @type {"all" | "go" | "kept"} */
  #shown = "go";
  /** @type {CleanUpPreview | null} */
  #drawn = null;
  /** @type {Policy} */
  #policy = {};
  #chips = SHOWN.map((key) => ({ key, button: el("button", { type: "button", class: "cch-chip pick", onclick: () => this.#choose(key) }) }));
  #body = el("tbody");
  #rest = el("p", { class: "cch-2 cch-t12" });
  #head = el("tr", {}, el("td"), ...["job", "created", "outcome"].map((name) => el("th", { scope: "col" }, text(`cleanup.column_${name}`))));
  #table = el("table", { class: "cch-table cch-verdicts" }, el("thead", {}, this.#head), this.#body);
  chips = el("div", { class: "cch-chips", role: "group", "aria-label": text("cleanup.show") }, ...this.#chips.map(({ button }) => button));
  scroll = el("div", { class: "cch-scroll", tabindex: "0", role: "group", "aria-label": text("cleanup.column_outcome") }, this.#table, this.#rest);
  #pictures;

  /** @param {Thumbnails} thumbnails @param {(workflow: string) => string} workflowName */
  constructor(thumbnails, workflowName) {
    this.workflowName = workflowName;
    this.#pictures = createPictures(thumbnails);
  }

  destroy() {
    this.#pictures.letGo();
  }

  /** @param {CleanUpPreview | null} preview @param {Policy | null} policy */
  draw(preview, policy) {
    if (preview === this.#drawn) return;
    [this.#drawn, this.#policy] = [preview, policy ?? {}];
    this.#fill();
  }

  /** @param {"all" | "go" | "kept"} key */
  #choose(key) {
    this.#shown = key;
    this.scroll.scrollTop = 0;
    this.#fill();
  }

  /** @param {CleanUpPreview["rows"][number]} row */
  #line({ job, keep }) {
    const name = nameElement(jobNameParts(job, this.workflowName(job.workflow_id)));
    const look = keep === null ? "trash" : keep === "protected" ? "lock" : "check";
    const outcome = el("span", { class: keep === null ? "cch-st" : "cch-st cch-2" }, icon(look), outcomeWord(keep, this.#policy));
    return el("tr", {}, el("td", {}, this.#pictures.make(job)), el("td", {}, name), el("td", { class: "cch-2" }, job.created === null ? "" : dateTime(job.created)), el("td", {}, outcome));
  }

  #fill() {
    this.#pictures.letGo();
    if (!this.#drawn) return this.#body.replaceChildren();
    const { rows, go, total } = this.#drawn;
    const shown = this.#shown;
    const counts = { all: total, go, kept: total - go };
    for (const { key, button } of this.#chips) {
      button.textContent = text(`cleanup.shown_${key}`, { n: counts[key] });
      button.setAttribute("aria-pressed", String(key === shown));
    }
    const chosen = rows.filter(({ keep }) => shown === "all" || (keep === null) === (shown === "go")).slice(0, MAX_ROWS);
    this.#body.replaceChildren(...chosen.map((row) => this.#line(row)));
    const left = counts[shown] - chosen.length;
    this.#rest.textContent = left > 0 ? andMore(left) : "";
    this.#table.hidden = !chosen.length;
    this.#table.dataset["shown"] = shown;
  }
}
