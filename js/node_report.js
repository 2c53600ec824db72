// @ts-check
/** The report under our nodes: read-only text, drawn in classic mode and in Nodes 2.0, and saved nowhere. */

/** @import { ComfyGraph, ComfyNode, ComfyNodeType } from "../types/comfyui" */

export const NODE = {
  report: "Report",
  placeholder: "What happened is told here after a run.",
  interrupted: "Stopped before there was a result.",
  earlier: "Earlier run:",
  asksToWait: "Comfy Cloud asks to wait",
};

const NODES = new Set(["CloudHistoryDeleteJobs", "CloudHistoryClear", "CloudHistoryListJobs", "CloudHistoryPrune"]);
const MIN_HEIGHT = 88;
/** Wide enough for the labels of our switches in Nodes 2.0. */
const MIN_WIDTH = 320;

/** @type {WeakMap<ComfyNode, HTMLTextAreaElement>} */
const reports = new WeakMap();
/** Nodes of ours that have begun and told nothing yet. @type {WeakSet<ComfyNode>} */
const begun = new WeakSet();

/** The style sheet is not loaded for this: a node in a graph asks for nothing. */
const STYLE = {
  boxSizing: "border-box", width: "100%", height: "100%", minHeight: "56px", margin: "0", padding: "8px", border: "0",
  borderRadius: "8px", resize: "none", font: "12px/16px Inter, Arial, sans-serif", color: "var(--input-text, #ddd)",
  background: "color-mix(in srgb, currentColor 8%, transparent)",
};

/** @param {ComfyNode} node */
function addReport(node) {
  const area = document.createElement("textarea");
  Object.assign(area.style, STYLE);
  area.readOnly = true;
  area.placeholder = NODE.placeholder;
  area.setAttribute("aria-label", NODE.report);
  const widget = node.addDOMWidget("cloud_history_report", "cloud_history_report", area, {
    serialize: false,
    hideOnZoom: false,
    getValue: () => area.value,
    setValue: () => undefined,
    getMinHeight: () => MIN_HEIGHT,
  });
  widget.serialize = false;
  // The one sign of a press of Run that every frontend gives: of one that the server refuses, no event follows.
  widget.beforeQueued = () => markEarlier(node);
  reports.set(node, area);
  const [width, height] = node.computeSize();
  node.setSize([Math.max(width, MIN_WIDTH), height]);
}

/** What an earlier run came to must not stand for the run that is asked for now. @param {ComfyNode} node */
function markEarlier(node) {
  const area = reports.get(node);
  if (area?.value && !begun.has(node) && !area.value.startsWith(NODE.earlier)) area.value = `${NODE.earlier}\n${area.value}`;
}

/** @param {ComfyNode | null | undefined} node @param {string} text */
function write(node, text) {
  const area = node && reports.get(node);
  if (!area) return;
  area.value = text;
  begun.delete(node);
}

/** @param {unknown} output */
function textOf(output) {
  const text = /** @type {{text?: unknown} | null} */ (output)?.text;
  return Array.isArray(text) ? text.filter((line) => typeof line === "string").join("\n") : "";
}

/** @param {ComfyNodeType} nodeType @param {string} name */
export function addReportTo(nodeType, name) {
  if (!NODES.has(name)) return;
  const { onNodeCreated, onExecuted } = nodeType.prototype;
  nodeType.prototype.onNodeCreated = function (/** @type {unknown[]} */ ...args) {
    const result = onNodeCreated?.apply(this, args);
    addReport(this);
    return result;
  };
  nodeType.prototype.onExecuted = function (/** @type {unknown} */ output, /** @type {unknown[]} */ ...args) {
    const result = onExecuted?.call(this, output, ...args);
    write(this, textOf(output));
    return result;
  };
}

/** The node an execution id names; inside subgraphs these are paths such as "12:3". @param {ComfyGraph | null | undefined} graph @param {string} id */
export function findNode(graph, id) {
  const path = id.split(":");
  const last = path.pop() ?? "";
  let within = graph;
  for (const step of path) within = within?.getNodeById(step)?.subgraph;
  return within?.getNodeById(last) ?? null;
}

/** @param {ComfyGraph | null | undefined} graph @param {unknown} id null: none */
const named = (graph, id) => (typeof id === "string" || typeof id === "number" ? findNode(graph, String(id)) : null);

/** @param {ComfyGraph | null | undefined} graph @param {unknown} id @param {unknown} text */
export function showReport(graph, id, text) {
  if (typeof text === "string" && text) write(named(graph, id), text);
}

/**
 * Comfy Cloud asks the node to wait: its seconds are counted down where its report will be.
 * @param {ComfyGraph | null | undefined} graph
 * @param {unknown} id
 * @param {unknown} seconds
 * @param {(run: () => void) => unknown} [eachSecond]
 */
export function showWait(graph, id, seconds, eachSecond = (run) => setTimeout(run, 1000)) {
  const area = reports.get(/** @type {ComfyNode} */ (named(graph, id)));
  if (!area || typeof seconds !== "number") return;
  /** @param {number} left */
  const show = (left) => {
    const text = left > 0 ? `${NODE.asksToWait}, ${left} s` : "";
    area.value = text;
    // What has been written there since is the node's own report, or another wait.
    if (text) eachSecond(() => area.value === text && show(left - 1));
  };
  show(seconds);
}

/** A node begins: what an earlier run came to must not stand for this one. @param {ComfyGraph | null | undefined} graph @param {unknown} id */
export function emptyReport(graph, id) {
  const node = named(graph, id);
  write(node, "");
  if (node && reports.has(node)) begun.add(node);
}

/**
 * A run was interrupted at a node. What the node has told of that itself says more; and ComfyUI tells every page, so a
 * node that has not begun here is another workflow's.
 * @param {ComfyGraph | null | undefined} graph
 * @param {unknown} id
 */
export function showInterrupted(graph, id) {
  const node = named(graph, id);
  if (node && begun.has(node)) write(node, NODE.interrupted);
}
