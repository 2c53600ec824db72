// @ts-check
/**
 * Remembers the deletions, and the runs that save outputs, that this browser has started, so that a reloaded page shows
 * their countdown and their result. Nothing else about them is kept in the browser.
 */

import { isObject } from "../api/checks.mjs";

/** @import { Kind } from "../../../types/wire" */

/** @typedef {{operation: string, kind: Kind, jobs: number}} Remembered */
/** @typedef {{operation: string, kind: Kind | "save", jobs: number}} Started */

export const KEY = "CloudHistory.holds";
/** When the newest of them is forgotten, in milliseconds since 1970. main.js reads this at ComfyUI's start. */
export const UNTIL = "CloudHistory.until";
/** After the hold, the result of a deletion is expected within this time. */
const RESULT_MS = 600_000;

/** @param {() => Pick<Storage, "getItem" | "setItem" | "removeItem">} getStorage may throw @param {() => number} today */
export function createMemory(getStorage, today) {
  /** @returns {Map<string, {until: number, kind: Kind | "save", jobs: number}>} */
  function read() {
    try {
      const now = today();
      const all = Object.entries(JSON.parse(getStorage().getItem(KEY) ?? "{}"));
      return new Map(all.filter(([, each]) => isObject(each) && each.until > now && each.until < now + 1e6 && typeof each.jobs === "number"));
    } catch {
      return new Map();
    }
  }

  /** @param {ReturnType<typeof read>} all */
  function write(all) {
    try {
      const storage = getStorage();
      storage.setItem(KEY, JSON.stringify(Object.fromEntries(all)));
      if (all.size) storage.setItem(UNTIL, String(Math.max(...[...all.values()].map(({ until }) => until))));
      else for (const key of [KEY, UNTIL]) storage.removeItem(key);
    } catch {
      // Without storage, a reloaded page shows the deletion once the panel is opened.
    }
  }

  return {
    /** @param {Started} started @param {number} seconds until a deletion is sent, or until a run is remembered again */
    add({ operation, kind, jobs }, seconds) {
      write(read().set(operation, { until: today() + seconds * 1000 + RESULT_MS, kind, jobs }));
    },
    /** @param {string} operation */
    forget(operation) {
      const all = read();
      if (all.delete(operation)) write(all);
    },
    /** The deletions. @returns {Remembered[]} */
    all: () => [...read()].flatMap(([operation, { kind, jobs }]) => (kind === "save" ? [] : [{ operation, kind, jobs }])),
    /** The ids of the runs that save outputs. */
    saves: () => [...read()].flatMap(([operation, { kind }]) => (kind === "save" ? [operation] : [])),
  };
}

/** @typedef {ReturnType<typeof createMemory>} Memory */
