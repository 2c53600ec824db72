// @ts-check
/** Work that is asked for more often than it need be done. */

/**
 * Does it now; asked for while it is done, it is done once more afterwards, so that nothing that has changed meanwhile is missed.
 * @param {() => Promise<unknown>} work
 * @returns {() => Promise<unknown>} settles when what was asked for has been done
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
