// @ts-check
/** Registers Comfy Cloud History in ComfyUI. The only module with side effects, and the only one that knows ComfyUI's own. */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { ClearFlow } from "./clear_flow.js";
import { createClearSteps } from "./clear_steps.js";
import { ConnectSteps } from "./connect_dialog.js";
import { createDialogs } from "./dialogs.js";
import { createHistoryApi } from "./history_api.js";
import { addReportTo, showReport } from "./node_report.js";
import { createOperations } from "./operations.js";
import { createToasts } from "./toasts.js";
import { MENU } from "./words.js";

const history = createHistoryApi((route, init) => api.fetchApi(route, init));
const toasts = createToasts(() => app.extensionManager.toast);
const dialogs = createDialogs(() => app.extensionManager.dialog);
const delay = (/** @type {number} */ milliseconds) =>
  new Promise((/** @type {(nothing: void) => void} */ resolve) => setTimeout(resolve, milliseconds));
const operations = createOperations({ status: history.status, delay });
const connect = new ConnectSteps({ api: history, toasts });
const steps = createClearSteps(history);
const flow = new ClearFlow({ api: history, dialogs, steps, connect, toasts, operations, now: () => performance.now() });

const commands = [
  { id: "CloudHistory.Clear", label: MENU.clear, icon: "pi pi-trash", function: () => flow.clear() },
  { id: "CloudHistory.Connect", label: MENU.connect, icon: "pi pi-key", function: () => dialogs.exclusive((frame) => connect.manage(frame)) },
];

const graph = () => app.rootGraph ?? app.graph;

app.registerExtension({
  name: "comfy-cloud-history",
  commands,
  menuCommands: [{ path: ["Extensions", MENU.group], commands: commands.map((command) => command.id) }],

  getCanvasMenuItems() {
    const options = commands.map((command) => ({ content: command.label, callback: () => void command.function() }));
    return [null, { content: MENU.group, submenu: { options } }];
  },

  beforeRegisterNodeDef(nodeType, nodeData) {
    addReportTo(nodeType, nodeData.name);
  },

  setup() {
    api.addEventListener("cloud_history.changed", ({ detail }) => operations.changed(detail));
    api.addEventListener("cloud_history.progress", ({ detail }) => {
      if (detail.phase === "stopped") showReport(graph(), detail.node, detail.report);
    });
    api.addEventListener("execution_error", ({ detail }) => showReport(graph(), detail.node_id, detail.exception_message));
  },
});
