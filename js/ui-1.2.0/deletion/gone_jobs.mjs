// @ts-check
/** Jobs seen to be gone: they do not come back while an older list is still shown. */

/** A cloud may list a deleted job for some seconds more; milliseconds. */
const LAG = 10_000;

/** @param {() => number} now milliseconds of a clock that never goes back */
export function createGone(now) {
  /** @type {Map<string, number>} when each was told */
  const told = new Map();
  return {
    /** @param {string} id */
    has: (id) => told.has(id),
    /** @param {string[]} ids */
    add: (ids) => ids.forEach((id) => told.set(id, now())),
    /**
     * To be called when a reading begins; what it returns, when it has come to a whole list: what is listed then is there.
     * @returns {(listed: {has(id: string): boolean}) => void}
     */
    reading() {
      const begun = now();
      return (listed) => {
        for (const [id, at] of told) if (begun - at >= LAG && listed.has(id)) told.delete(id);
      };
    },
  };
}
