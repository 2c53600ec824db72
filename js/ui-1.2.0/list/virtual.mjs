// @ts-check
/** Computes positions of rows and day headings, and which rows are in view. No DOM. */

/** Heights in pixels at the usual text size, as in style/list.css. */
export const ROW = 48;
export const HEADING = 28;
/** Maximum number of row elements, not counting the focused one. */
const MAX_ROWS = 99;
export const SPARE = 8;

/** @typedef {{start: number, count: number, at: number | null}} Group `at`: midnight of the day in milliseconds; null: no usable time */
/** @typedef {Group & {top: number, height: number, row: number}} Placed `height`: of the heading, `row`: of each row, in pixels */

/** Groups rows that are sorted by time into days. @param {{created: number | null}[]} rows @returns {Group[]} */
export function byDay(rows) {
  /** @type {Group[]} */
  const groups = [];
  let [from, to] = [0, 0];
  /** @type {Group | undefined} */
  let group;
  rows.forEach(({ created }, index) => {
    const same = group && (created === null || group.at === null ? created === group.at : created >= from && created < to);
    if (!same) {
      const day = new Date(created ?? 0);
      from = day.setHours(0, 0, 0, 0);
      day.setDate(day.getDate() + 1);
      // Where a clock change skips midnight, `day` is at 1:00 here, but the next day begins at 0:00.
      to = day.setHours(0, 0, 0, 0);
      groups.push((group = { start: index, count: 0, at: created === null ? null : from }));
    }
    /** @type {Group} */ (group).count += 1;
  });
  return groups;
}

/** @param {Group[]} groups @param {boolean} headed whether each group has a heading @param {number} [scale] of the text: 2 doubles all heights */
export function place(groups, headed, scale = 1) {
  const row = ROW * scale;
  let top = 0;
  /** @type {Placed[]} */
  const placed = groups.map((group) => {
    const at = { ...group, top, height: headed ? HEADING * scale : 0, row };
    top += at.height + group.count * row;
    return at;
  });
  return { groups: placed, height: top };
}

/** The last group whose `top` or `start` is not greater than `value`. @param {Placed[]} groups @param {"top" | "start"} key @param {number} value */
function find(groups, key, value) {
  let [low, high] = [0, groups.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (/** @type {Placed} */ (groups[middle])[key] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** @param {Placed[]} groups @param {number} index */
export function topOf(groups, index) {
  const group = groups[find(groups, "start", index)];
  return group ? group.top + group.height + (index - group.start) * group.row : 0;
}

/** The row at a vertical position, or the next one below. @param {Placed[]} groups @param {number} y */
export function indexAt(groups, y) {
  const group = groups[find(groups, "top", y)];
  if (!group) return 0;
  const row = Math.floor((y - group.top - group.height) / group.row);
  return group.start + Math.max(0, Math.min(row, group.count - 1));
}

/**
 * The rows to draw, from `first` to `last` (exclusive).
 * @param {Placed[]} groups
 * @param {number} count number of all rows
 * @param {number} scroll
 * @param {number} height of the visible part
 * @param {number} [spare] extra rows above and below the visible part
 */
export function inView(groups, count, scroll, height, spare = SPARE) {
  const first = Math.max(0, indexAt(groups, scroll) - spare);
  const last = Math.min(count, indexAt(groups, scroll + height) + 1 + spare, first + MAX_ROWS);
  return { first, last };
}
