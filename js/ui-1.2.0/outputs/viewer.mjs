// @ts-check
/** Lets the viewer show saved outputs of a job that the list may no longer have. */

/** @import { Row, SavedOutputs } from "../../../types/wire" */
/** @import { Store, ViewRequest } from "../../../types/list" */
/** @import { HistoryApi, Media } from "../api.mjs" */

/**
 * Which saved output the viewer shows first.
 * @typedef {{row: Row, saved: SavedOutputs, number: number, root: HTMLElement, closed(): void}} SavedRequest `number`: the file's place in `saved`
 */

const NOTHING = { has: () => false, size: 0 };

/**
 * The parts of a viewer for the saved outputs of one job, and its request.
 * @param {SavedRequest} request
 * @param {Pick<HistoryApi, "savedFile">} api
 * @param {Pick<Store, "names" | "nameParts">} store
 */
export function savedView({ row, saved, number, root, closed }, api, { names, nameParts }) {
  const places = saved.files.flatMap(({ here }, at) => (here ? [at] : []));
  const read = (/** @type {number | undefined} */ at, /** @type {AbortSignal | undefined} */ signal) => api.savedFile(row.id, places[at ?? 0] ?? 0, signal);
  const outputs = places.map((at) => ({ filename: saved.files[at]?.name ?? "", media_type: "", output_type: "", node_id: "" }));
  /** @type {ViewRequest} */
  const view = { id: row.id, number: Math.max(0, places.indexOf(number)), outputs, root, closed };
  return {
    request: view,
    parts: {
      api: {
        job: () => Promise.reject(new Error("The outputs are known.")),
        /** @param {string} _job @param {string} _name @param {{number?: number}} [options] @param {AbortSignal} [signal] */
        output: (_job, _name, { number: at } = {}, signal) => read(at, signal),
        /** @param {string} _job @param {string} _name @param {{number?: number}} [options] @param {AbortSignal} [signal] @returns {Promise<Media>} */
        async media(_job, _name, { number: at } = {}, signal) {
          const blob = await read(at, signal);
          return { type: blob.type, size: blob.size, url: URL.createObjectURL(blob) };
        },
      },
      store: /** @type {any} */ ({ rows: [row], get: () => row, names, nameParts, selection: NOTHING, select: () => undefined, on: () => () => undefined }),
      canSelect: false,
    },
  };
}
