// @ts-check
/** The selected jobs. */

/** @import { Filter, Target } from "../../../types/list" */

/** Stores ids, not rows, because jobs that a filter hides stay selected. */
export class Selection {
  /** @type {Set<string>} */
  #chosen = new Set();
  #anchor = "";
  /** The filter of "Select all matching" while the list is incomplete; null if jobs were selected by id. @type {Filter | null} */
  matching = null;

  get size() {
    return this.#chosen.size;
  }

  has = (/** @type {string} */ id) => this.#chosen.has(id);
  ids = () => [...this.#chosen];

  /** What a deletion of the selection covers; null if nothing is selected. @returns {Target | null} */
  target() {
    if (this.matching) return { filter: this.matching };
    return this.size ? { ids: this.ids() } : null;
  }

  /** @param {string} id */
  toggle(id) {
    this.matching = null;
    this.#anchor = id;
    if (!this.#chosen.delete(id)) this.#chosen.add(id);
  }

  /** Adds the ids from the anchor to `id` in `order`. @param {string} id @param {string[]} order */
  range(id, order) {
    const to = order.indexOf(id);
    const from = order.indexOf(this.#anchor);
    if (from < 0) this.#anchor = id;
    this.add(order.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1));
  }

  /** @param {Iterable<string>} ids */
  add(ids) {
    this.matching = null;
    for (const id of ids) this.#chosen.add(id);
  }

  /** Replaces the selection; a filter also selects matching jobs that are not loaded yet. @param {Iterable<string>} ids @param {Filter | null} [filter] */
  selectMatching(ids, filter = null) {
    this.#chosen = new Set(ids);
    this.matching = filter;
  }

  clear() {
    this.selectMatching([]);
  }

  /** Deselects ids for which `exists` returns false. @param {(id: string) => boolean} exists */
  keep(exists) {
    for (const id of this.#chosen) if (!exists(id)) this.#chosen.delete(id);
    if (!this.size) this.matching = null;
  }
}
