// @ts-check
/** Which jobs are selected. Knows ids, not rows: what a filter hides stays selected. */

/** @returns {import("../../../types/panel").SelectionModel} */
export function createSelection() {
  /** @type {Set<string>} */
  const chosen = new Set();
  /** @type {import("../../../types/panel").Filter | null} */
  let matching = null;
  let anchor = "";

  return {
    get size() {
      return chosen.size;
    },
    get matching() {
      return matching;
    },
    has: (id) => chosen.has(id),
    ids: () => [...chosen],
    target() {
      if (matching) return { filter: matching };
      return chosen.size ? { ids: [...chosen] } : null;
    },
    toggle(id) {
      matching = null;
      anchor = id;
      if (!chosen.delete(id)) chosen.add(id);
    },
    range(id, order) {
      matching = null;
      const to = order.indexOf(id);
      const from = order.indexOf(anchor);
      if (from < 0) anchor = id;
      for (const each of order.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1)) chosen.add(each);
    },
    add(ids) {
      matching = null;
      for (const id of ids) chosen.add(id);
    },
    selectMatching(ids, filter = null) {
      matching = filter;
      chosen.clear();
      for (const id of ids) chosen.add(id);
    },
    clear() {
      matching = null;
      chosen.clear();
    },
    keep(exists) {
      for (const id of chosen) if (!exists(id)) chosen.delete(id);
      if (!chosen.size) matching = null;
    },
  };
}
