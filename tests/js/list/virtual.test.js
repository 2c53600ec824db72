import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { dayHeading } from "#ui/common/format.mjs";
import { byDay, HEADING, inView, indexAt, place, ROW, topOf } from "#ui/list/virtual.mjs";

const at = (day, hour = 12) => new Date(2026, 10, day, hour).getTime();
const rows = (...times) => times.map((created) => ({ created }));

test("rows are grouped by local day, and rows without a time have their own group", () => {
  const groups = byDay(rows(at(23, 23), at(23, 0), at(22, 23), null, null));
  assert.deepEqual(groups.map(({ start, count, at: day }) => [start, count, day]), [[0, 2, at(23, 0)], [2, 1, at(22, 0)], [3, 2, null]]);
  assert.deepEqual(byDay([]), []);
});

test("indexAt() is the inverse of topOf(), with and without headings", () => {
  const groups = byDay(rows(at(23), at(23), at(22), at(20), at(20), at(20)));
  for (const headed of [true, false]) {
    const placed = place(groups, headed);
    assert.equal(placed.height, 6 * ROW + (headed ? 3 * HEADING : 0));
    for (let index = 0; index < 6; index += 1) {
      const top = topOf(placed.groups, index);
      assert.equal(indexAt(placed.groups, top), index);
      assert.equal(indexAt(placed.groups, top + ROW - 1), index);
    }
  }
  const { groups: placed } = place(groups, true);
  assert.equal(indexAt(placed, topOf(placed, 2) - 1), 2, "a heading belongs to the row below it");
});

test("20,000 rows create at most 100 elements, and every visible row has one", () => {
  const many = rows(...Array.from({ length: 20_000 }, (_, index) => at(23) - index * 600_000));
  const { groups, height } = place(byDay(many), true);
  for (const viewport of [0, 300, 760, 4000]) {
    for (let scroll = 0; scroll < height; scroll += 7919) {
      const { first, last } = inView(groups, many.length, scroll, viewport);
      assert.ok(last - first <= 99 && first >= 0 && last <= many.length);
      assert.ok(topOf(groups, first) <= scroll || first === 0);
      if (viewport < 4000) assert.ok(last === many.length || topOf(groups, last) >= scroll + viewport);
    }
  }
});

test("only visible rows have elements, plus eight spare rows on each side if requested", () => {
  const many = rows(...Array.from({ length: 500 }, (_, index) => at(23) - index * 600_000));
  const { groups } = place(byDay(many), false);
  assert.deepEqual(inView(groups, 500, 100 * ROW, 10 * ROW, 0), { first: 100, last: 111 });
  assert.deepEqual(inView(groups, 500, 100 * ROW, 10 * ROW), { first: 92, last: 119 });
});

test("an empty list has no row in view", () => {
  const { groups, height } = place([], true);
  assert.equal(height, 0);
  assert.deepEqual(inView(groups, 0, 0, 500), { first: 0, last: 0 });
});

test("a day whose clock skips midnight ends at the next midnight, in both orders", (t) => {
  const before = process.env.TZ;
  t.after(() => (before === undefined ? delete process.env.TZ : (process.env.TZ = before)));
  // Egypt's clocks go from 0:00 to 1:00 on 24 April 2026.
  process.env.TZ = "Africa/Cairo";
  const [first, late, next] = [new Date(2026, 3, 24, 1), new Date(2026, 3, 24, 23), new Date(2026, 3, 25, 0, 30)].map(Number);
  assert.equal(new Date(2026, 3, 24).getHours(), 1);
  const now = new Date(2026, 3, 25, 12).getTime();
  for (const order of [[first, late, next], [next, late, first]]) {
    const groups = byDay(rows(...order));
    const headings = groups.flatMap(({ count, at: day }) => Array(count).fill(dayHeading(day, now)));
    assert.deepEqual(headings, order.map((created) => (created === next ? "Today" : "Yesterday")));
  }
});

test("rows and headings grow with the text", () => {
  const groups = byDay(rows(at(23), at(22), at(22)));
  const [usual, large] = [place(groups, true), place(groups, true, 1.5)];
  assert.equal(large.height, 1.5 * usual.height);
  for (const index of [0, 1, 2]) {
    assert.equal(topOf(large.groups, index), 1.5 * topOf(usual.groups, index));
    assert.equal(indexAt(large.groups, topOf(large.groups, index)), index);
  }
});
