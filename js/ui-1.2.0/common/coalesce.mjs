// @ts-check
/** One run at a time of something that many events ask for. */

/**
 * Returns a function that runs `work`. All calls during a run share one further run, so that no change is missed.
 * @param {() => Promise<unknown>} work
 * @returns {() => Promise<unknown>}
 */
export function coalesce(work) {
  /** @type {Promise<unknown> | null} */
  let running = null;
  /** @type {Promise<unknown> | null} */
  let next = null;

  function run() {
    running = work().finally(() => (running = null));
    return running;
  }
  return () => {
    if (!running) return run();
    next ??= running.then(() => undefined, () => undefined).then(() => {
      next = null;
      return run();
    });
    return next;
  };
}
