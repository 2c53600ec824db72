// @ts-check
/** The report widget of this pack's nodes: read-only text, in classic mode and in Nodes 2.0, never saved in a workflow. */

/** @import { ComfyGraph, ComfyNode, ComfyNodeType } from "../types/comfyui" */
/** @typedef {ComfyGraph | null | undefined} Graph */

export const NODE = {
  report: "Report",
  placeholder: "What happened is told here after a run.",
  interrupted: "Stopped before there was a result.",
  earlier: "Earlier run:",
};

const NODES = new Set(["CloudHistoryDeleteJobs", "CloudHistoryClear", "CloudHistoryListJobs", "CloudHistoryPrune", "CloudHistorySaveOutputs"]);
const MIN_HEIGHT = 88;
/** In Nodes 2.0, the labels of the nodes' switches need this width. */
const MIN_WIDTH = 320;

/** @type {WeakMap<ComfyNode, HTMLTextAreaElement>} */
const reports = new WeakMap();
/** Nodes that are running and have not written a report yet. @type {WeakSet<ComfyNode>} */
const running = new WeakSet();

/** Inline, because a node in a graph must not load the style sheet. */
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
  // Every frontend calls this when Run is pressed. If the server refuses the run, no event follows.
  widget.beforeQueued = () => markEarlier(node);
  reports.set(node, area);
  const [width, height] = node.computeSize();
  node.setSize([Math.max(width, MIN_WIDTH), height]);
}

/** Marks the report of an earlier run. @param {ComfyNode} node */
function markEarlier(node) {
  const area = reports.get(node);
  if (area?.value && !running.has(node) && !area.value.startsWith(NODE.earlier)) area.value = `${NODE.earlier}\n${area.value}`;
}

/** @param {ComfyNode | null | undefined} node @param {string} text */
function write(node, text) {
  const area = node && reports.get(node);
  if (!area) return;
  area.value = text;
  running.delete(node);
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

/** Returns the node with an execution id. In subgraphs, the id is a path such as "12:3". @param {Graph} graph @param {string} id */
export function findNode(graph, id) {
  const path = id.split(":");
  const last = path.pop() ?? "";
  let within = graph;
  for (const step of path) within = within?.getNodeById(step)?.subgraph;
  return within?.getNodeById(last) ?? null;
}

/** @param {Graph} graph @param {unknown} id */
const nodeOf = (graph, id) => (typeof id === "string" || typeof id === "number" ? findNode(graph, String(id)) : null);

/** @param {Graph} graph @param {unknown} id @param {unknown} text */
export function showReport(graph, id, text) {
  if (typeof text === "string" && text) write(nodeOf(graph, id), text);
}

/** Returns the element with the report of a node. @param {Graph} graph @param {unknown} id */
export const reportOf = (graph, id) => reports.get(/** @type {ComfyNode} */ (nodeOf(graph, id)));

/** Clears the report of an earlier run when the node starts. @param {Graph} graph @param {unknown} id */
export function emptyReport(graph, id) {
  const node = nodeOf(graph, id);
  write(node, "");
  if (node && reports.has(node)) running.add(node);
}

/** Reports an interrupted run. ComfyUI tells every page: a node that is not running here belongs to another workflow. @param {Graph} graph @param {unknown} id */
export function showInterrupted(graph, id) {
  const node = nodeOf(graph, id);
  if (node && running.has(node)) write(node, NODE.interrupted);
}
