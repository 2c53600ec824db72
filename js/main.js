// @ts-check
/** Registers Comfy Cloud History. ComfyUI loads `.js` files when it starts; the `.mjs` files are loaded at first use. */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { addReportTo, emptyReport, reportOf, showInterrupted, showReport } from "./node_report.js";

/** @import { ExtensionManager, SidebarTab } from "../types/comfyui" */
/** @import { Settings } from "../types/wire" */

/** @typedef {import("./ui-1.2.0/app.mjs").App} Ui */
/** @typedef {() => Promise<{mountInTab(anchor: Node): {unmount(): void}}>} Load */

export const MENU = {
  group: "Cloud history",
  tab: "Cloud",
  open: "Open cloud history",
  clear: "Clear cloud history…",
  connect: "Connect to Comfy Cloud…",
};

export const SETTINGS = {
  seconds: "Seconds to undo a deletion",
  backup: "Back up workflows before deleting",
  nodes: "Workflows may delete",
  backupDays: "Keep backups for (days)",
  backupMegabytes: "Backups may use (MB)",
  folder: "Folder for saved outputs",
  gigabytes: "Largest output to save (GB)",
  recordNames: "Keep names in the record",
  button: "Show the Cloud history button at the top",
};

export const LOADING = {
  wait: "Loading…",
  failed: "Cloud history could not be loaded",
  remedy: "Check that ComfyUI is running, then try again. If that does not help, reload the page.",
  again: "Try again",
};

const TAB = "comfy-cloud-history";
/** Not the history icon of ComfyUI's job history. */
const ICON = "pi pi-cloud";

/** Inline: the style sheet may not be loaded yet. */
const STYLE = { padding: "16px", font: "14px/20px Inter, Arial, sans-serif", color: "var(--foreground, var(--fg-color, #fff))" };
const BUTTON_STYLE = {
  marginTop: "8px", padding: "8px 12px", border: "0", borderRadius: "8px", font: "inherit", color: "inherit",
  background: "color-mix(in srgb, currentColor 12%, transparent)", cursor: "pointer",
};

/** @param {string} tag @param {string} text @param {object} [style] */
function make(tag, text, style) {
  const element = document.createElement(tag);
  Object.assign(element.style, style);
  element.textContent = text;
  return element;
}

/** Shows a message before `anchor` until the panel is loaded and takes its place. @param {Node} anchor @param {Load} load */
function mountWhenLoaded(anchor, load) {
  const message = make("div", "", STYLE);
  anchor.parentNode?.insertBefore(message, anchor);
  let closed = false;
  /** @type {{unmount(): void} | null} */
  let panel = null;

  /** @param {"status" | "alert"} role @param {...Node} parts */
  const show = (role, ...parts) => {
    message.setAttribute("role", role);
    message.replaceChildren(...parts);
  };
  async function attempt() {
    show("status", make("div", LOADING.wait));
    try {
      const ui = await load();
      if (closed) return;
      panel = ui.mountInTab(anchor);
      message.remove();
    } catch {
      if (closed) return;
      const again = make("button", LOADING.again, BUTTON_STYLE);
      again.addEventListener("click", () => void attempt());
      show("alert", make("div", LOADING.failed, { fontWeight: "600" }), make("div", LOADING.remedy), again);
    }
  }
  void attempt();
  return {
    unmount() {
      closed = true;
      message.remove();
      panel?.unmount();
    },
  };
}

/** @param {Load} load @returns {SidebarTab} */
export function createTab(load) {
  /** @type {{unmount(): void} | null} */
  let shown = null;
  return {
    id: TAB,
    type: /** @type {const} */ ("vue"),
    icon: ICON,
    title: MENU.tab,
    tooltip: MENU.group,
    // Renders one comment node without Vue. The panel is inserted before that node.
    component: {
      name: "CloudHistoryTab",
      inheritAttrs: false,
      render: () => null,
      /** @this {{$el: Node}} */
      mounted() {
        shown = mountWhenLoaded(this.$el, load);
      },
      beforeUnmount() {
        shown?.unmount();
        shown = null;
      },
    },
  };
}

/** The method of `manager` is deprecated in frontends that have that of `sidebarTab`. @param {ExtensionManager} manager @param {SidebarTab} tab */
export function registerTab(manager, tab) {
  const place = manager.sidebarTab.registerSidebarTab ? manager.sidebarTab : manager;
  place.registerSidebarTab?.(tab);
}

const BUTTON = "CloudHistory.ShowActionBarButton";

/** Whether ComfyUI has read `actionBarButtons`. */
let hasPlaceForButtons = false;
/** @type {Promise<Ui> | null} */
let loading = null;
/** @type {Ui | null} */
let ui = null;

async function loadUi() {
  const { createApp } = await import("./ui-1.2.0/app.mjs");
  return (ui = await createApp(app, api, () => void open()));
}

/** Loads the user interface once. ComfyUI shows the message of a failed command, so the error says what to do. */
function load() {
  loading ??= loadUi().catch((error) => {
    loading = null;
    throw new Error(`${LOADING.failed}. ${LOADING.remedy}`, { cause: error });
  });
  return loading;
}

/** Runs a command as ComfyUI's menus do: it shows errors in a toast. @param {string} id */
const run = (id) => void app.extensionManager.command.execute(id);

/** Without ComfyUI's new menu there is no sidebar. */
async function open() {
  const { setting, sidebarTab } = app.extensionManager;
  if (setting.get("Comfy.UseNewMenu") === "Disabled") (await load()).openLarge();
  else sidebarTab.activeSidebarTabId = TAB;
}

let sortOrder = 99;

/** A setting that is saved on this pack's server. @param {string} name @param {keyof Settings} member @param {string} label */
const onServer = (name, member, label) => ({
  id: `CloudHistory.${name}`,
  name: label,
  category: [MENU.group, MENU.group, name],
  type(/** @type {string} */ shown) {
    const place = document.createElement("div");
    load().then(({ settings }) => place.append(settings.field(member, shown)), () => (place.textContent = LOADING.failed));
    return place;
  },
  defaultValue: null,
  sortOrder: sortOrder--,
});

const commands = [
  { id: "CloudHistory.Open", label: MENU.open, icon: ICON, function: open },
  { id: "CloudHistory.Clear", label: MENU.clear, icon: "pi pi-trash", function: async () => (await load()).actions.clear() },
  { id: "CloudHistory.Connect", label: MENU.connect, icon: "pi pi-key", function: async () => (await load()).actions.manageKey() },
];

const graph = () => app.graph;

/** @param {{node: unknown, phase: unknown, done: unknown, total: unknown, during: unknown}} progress */
function showWork(progress) {
  const area = reportOf(graph(), progress.node);
  if (!area) return;
  const before = area.value;
  import("./ui-1.2.0/node_wait.mjs").then(({ showProgress }) => showProgress(area, before, progress, app, api)).catch(() => {});
}

/** Whether this browser started what may have ended unseen. */
function awaitsResult() {
  try {
    const left = Number(window.localStorage.getItem("CloudHistory.until")) - Date.now();
    return left > 0 && left < 1e6;
  } catch {
    return false;
  }
}

app.registerExtension({
  name: "comfy-cloud-history",
  commands,
  menuCommands: [{ path: ["Extensions", MENU.group], commands: commands.map((command) => command.id) }],

  settings: [
    onServer("UndoSeconds", "hold_seconds", SETTINGS.seconds),
    onServer("Backup", "backup", SETTINGS.backup),
    onServer("WorkflowsMayDelete", "nodes", SETTINGS.nodes),
    onServer("BackupDays", "backup_days", SETTINGS.backupDays),
    onServer("BackupMegabytes", "backup_megabytes", SETTINGS.backupMegabytes),
    onServer("OutputsFolder", "outputs_folder", SETTINGS.folder),
    onServer("OutputsMax", "outputs_max_gigabytes", SETTINGS.gigabytes),
    onServer("RecordNames", "record_names", SETTINGS.recordNames),
    {
      id: BUTTON,
      name: SETTINGS.button,
      category: [MENU.group, MENU.group, "ShowActionBarButton"],
      // Older frontends have no such buttons.
      get type() {
        return hasPlaceForButtons ? "boolean" : "hidden";
      },
      defaultValue: false,
      sortOrder: 10,
    },
  ],

  /** ComfyUI reads this again when the setting changes. */
  get actionBarButtons() {
    hasPlaceForButtons = true;
    const shown = app.extensionManager.setting?.get(BUTTON) === true;
    return shown ? [{ icon: ICON, tooltip: MENU.group, onClick: () => run("CloudHistory.Open") }] : [];
  },

  getCanvasMenuItems() {
    const options = commands.map((command) => ({ content: command.label, callback: () => run(command.id) }));
    return [null, { content: MENU.group, submenu: { options } }];
  },

  beforeRegisterNodeDef(nodeType, nodeData) {
    addReportTo(nodeType, nodeData.name);
  },

  setup() {
    registerTab(app.extensionManager, createTab(load));
    if (awaitsResult()) load().then((ui) => ui.resume(), () => undefined);
    api.addEventListener("cloud_history.changed", ({ detail }) => void ui?.changed(detail));
    api.addEventListener("cloud_history.ask", ({ detail }) => {
      // If loading fails, the server's next event for the same approval tries again.
      load().then(({ approvals }) => approvals.handleEvent(detail), () => undefined);
    });
    api.addEventListener("cloud_history.progress", ({ detail }) => {
      if (detail.phase) return showWork(detail);
      if (detail.kind !== "node_report") return ui?.progressed(detail);
      load().then(({ nodeReport }) => nodeReport(detail.operation)).then(
        ({ node, report }) => showReport(graph(), node, report),
        () => undefined,
      );
    });
    api.addEventListener("reconnecting", () => ui?.deletions.reconnecting());
    api.addEventListener("reconnected", () => void ui?.deletions.refresh());
    // Not at "execution_start", because that event does not name the nodes of the run.
    api.addEventListener("executing", ({ detail }) => emptyReport(graph(), detail));
    api.addEventListener("execution_interrupted", ({ detail }) => showInterrupted(graph(), detail.node_id));
    api.addEventListener("execution_error", ({ detail }) => showReport(graph(), detail.node_id, detail.exception_message));
  },
});
