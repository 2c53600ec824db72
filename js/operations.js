// @ts-check
/** Waiting for a deletion that goes on in the server: told by websocket, and looked up now and then in case that was missed. */

/** @typedef {import("../types/wire").ClearResult} ClearResult */
/** @typedef {{result: ClearResult} | {unresolved: import("../types/wire").Unresolved} | {lost: true}} Settled */

const LOOK_EVERY = 4_000;
/** Looks that find no trace of the operation before it is given up. */
const MOST_MISSES = 3;
/** Looks that ComfyUI leaves unanswered before it is given up: two minutes. */
const MOST_SILENCES = 30;
const RESULTS_KEPT = 20;

/**
 * @param {object} options
 * @param {() => Promise<import("../types/wire").Status>} options.status
 * @param {(milliseconds: number) => Promise<void>} options.delay
 */
export function createOperations({ status, delay }) {
  /** @type {Map<string, ClearResult>} */
  const results = new Map();
  /** @type {Map<string, (settled: Settled) => void>} */
  const waiting = new Map();

  /** @param {string} operation @returns {Promise<Settled | "running" | "missing" | "silent">} */
  async function look(operation) {
    try {
      const seen = await status();
      const finished = seen.finished.find((entry) => entry.operation === operation);
      if (finished) return { result: finished.result };
      const unresolved = seen.unresolved.find((entry) => entry.operation === operation);
      if (unresolved) return { unresolved };
      return seen.running?.operation === operation ? "running" : "missing";
    } catch {
      return "silent";
    }
  }

  /** @param {string} operation */
  async function watch(operation) {
    let [misses, silences] = [0, 0];
    while (waiting.has(operation)) {
      await delay(LOOK_EVERY);
      if (!waiting.has(operation)) return;
      const seen = await look(operation);
      if (typeof seen === "object") return waiting.get(operation)?.(seen);
      misses = seen === "missing" ? misses + 1 : 0;
      silences = seen === "silent" ? silences + 1 : 0;
      if (misses >= MOST_MISSES || silences >= MOST_SILENCES) return waiting.get(operation)?.({ lost: true });
    }
  }

  return {
    /** @param {import("../types/wire").Changed} changed what the websocket told */
    changed({ operation, result }) {
      results.set(operation, result);
      for (const oldest of results.keys()) if (results.size > RESULTS_KEPT) results.delete(oldest);
      waiting.get(operation)?.({ result });
    },

    /** @param {string} operation @returns {Promise<Settled>} */
    settled(operation) {
      const known = results.get(operation);
      if (known) return Promise.resolve({ result: known });
      return new Promise((resolve) => {
        waiting.set(operation, (settled) => {
          waiting.delete(operation);
          resolve(settled);
        });
        void watch(operation);
      });
    },
  };
}

/** @typedef {ReturnType<typeof createOperations>} Operations */
