// @ts-check
/**
 * Registers Comfy Cloud History in ComfyUI. No other module has side effects or imports ComfyUI's modules.
 *
 * ComfyUI loads every `.js` file when it starts. The `.mjs` files are loaded at first use. ComfyUI serves them without
 * cache headers, so their folder is named after the version: after an update, no browser mixes old and new files.
 */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { addReportTo, emptyReport, showInterrupted, showReport, showWait } from "./node_report.js";

/** @import { ExtensionManager, SidebarTab } from "../types/comfyui" */
/** @import { Settings } from "../types/wire" */

/** @typedef {import("./ui-1.2.0/app.mjs").App} Ui */

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
/** Not the history icon, which ComfyUI's own job history has. */
const ICON = "pi pi-cloud";

/** Inline, because the style sheet may not be loaded yet. */
const STYLE = {
  boxSizing: "border-box", display: "flex", flexDirection: "column", alignItems: "flex-start", gap: "8px", padding: "16px",
  font: "14px/20px Inter, Arial, sans-serif", color: "var(--foreground, var(--fg-color, #fff))",
};
const BUTTON_STYLE = {
  height: "32px", padding: "0 12px", border: "0", borderRadius: "8px", font: "500 12px/16px Inter, Arial, sans-serif", color: "inherit",
  background: "color-mix(in srgb, currentColor 12%, transparent)", cursor: "pointer",
};

/**
 * Inserts the panel before `anchor` once it is loaded. Until then shows a message, and an error if loading fails.
 * @param {Node} anchor
 * @param {() => Promise<{mountInTab(anchor: Node): {unmount(): void}}>} load
 */
function mountWhenLoaded(anchor, load) {
  const message = document.createElement("div");
  Object.assign(message.style, STYLE);
  anchor.parentNode?.insertBefore(message, anchor);
  let closed = false;
  /** @type {{unmount(): void} | null} */
  let panel = null;

  /** @param {"status" | "alert"} role @param {...Node} parts */
  const showMessage = (role, ...parts) => {
    message.setAttribute("role", role);
    message.replaceChildren(...parts);
  };
  async function attempt() {
    showMessage("status", line(LOADING.wait));
    try {
      const ui = await load();
      if (closed) return;
      panel = ui.mountInTab(anchor);
      message.remove();
    } catch {
      if (!closed) showMessage("alert", line(LOADING.failed, "600"), line(LOADING.remedy), tryAgain(() => void attempt()));
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

/** @param {string} text @param {string} [weight] */
function line(text, weight = "400") {
  const element = document.createElement("div");
  element.style.fontWeight = weight;
  element.textContent = text;
  return element;
}

/** @param {() => void} press */
function tryAgain(press) {
  const button = document.createElement("button");
  Object.assign(button.style, BUTTON_STYLE);
  button.type = "button";
  button.textContent = LOADING.again;
  button.addEventListener("click", press);
  return button;
}

/** @param {() => Promise<{mountInTab(anchor: Node): {unmount(): void}}>} load @returns {SidebarTab} */
export function createTab(load) {
  /** @type {{unmount(): void} | null} */
  let shown = null;
  return {
    id: TAB,
    type: /** @type {const} */ ("vue"),
    icon: ICON,
    title: MENU.tab,
    tooltip: MENU.group,
    // This component does not need Vue: it renders one comment node, and the panel is inserted before that node.
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

/** `manager.registerSidebarTab` is deprecated in frontends that have `manager.sidebarTab.registerSidebarTab`. @param {ExtensionManager} manager @param {SidebarTab} tab */
export function registerTab(manager, tab) {
  const place = manager.sidebarTab.registerSidebarTab ? manager.sidebarTab : manager;
  place.registerSidebarTab?.(tab);
}

const BUTTON = "CloudHistory.ShowActionBarButton";

/** Whether ComfyUI has read `actionBarButtons`. Older frontends never do. */
let hasPlaceForButtons = false;
/** @type {Promise<Ui> | null} */
let loading = null;
/** @type {Ui | null} */
let ui = null;

async function loadUi() {
  const { App, loadStyle } = await import("./ui-1.2.0/app.mjs");
  await loadStyle();
  return (ui = new App(app, (route, init) => api.fetchApi(route, init), () => void open()));
}

/**
 * Loads the user interface once. If a file cannot be loaded, rejects with an error that says what to do: ComfyUI shows
 * the message of a failed command.
 */
function load() {
  loading ??= loadUi().catch((error) => {
    loading = null;
    throw new Error(`${LOADING.failed}. ${LOADING.remedy}`, { cause: error });
  });
  return loading;
}

/** Runs a command as ComfyUI's menus do, so that ComfyUI shows an error in a toast. @param {string} id */
const run = (id) => void app.extensionManager.command.execute(id);

/** Without ComfyUI's new menu there is no sidebar. */
async function open() {
  const { setting, sidebarTab } = app.extensionManager;
  if (setting.get("Comfy.UseNewMenu") === "Disabled") (await load()).openLarge();
  else sidebarTab.activeSidebarTabId = TAB;
}

/**
 * Defines a setting whose value is saved on this pack's server, not in ComfyUI's settings.
 * @param {string} name
 * @param {keyof Settings} member
 * @param {string} label
 * @param {number} sortOrder
 */
const onServer = (name, member, label, sortOrder) => ({
  id: `CloudHistory.${name}`,
  name: label,
  category: [MENU.group, MENU.group, name],
  type(/** @type {string} */ shown) {
    const place = document.createElement("div");
    load().then(({ settings }) => place.append(settings.field(member, shown)), () => (place.textContent = LOADING.failed));
    return place;
  },
  defaultValue: null,
  sortOrder,
});

const commands = [
  { id: "CloudHistory.Open", label: MENU.open, icon: ICON, function: open },
  { id: "CloudHistory.Clear", label: MENU.clear, icon: "pi pi-trash", function: async () => (await load()).actions.clear() },
  { id: "CloudHistory.Connect", label: MENU.connect, icon: "pi pi-key", function: async () => (await load()).actions.manageKey() },
];

const graph = () => app.graph;

app.registerExtension({
  name: "comfy-cloud-history",
  commands,
  menuCommands: [{ path: ["Extensions", MENU.group], commands: commands.map((command) => command.id) }],

  settings: [
    onServer("UndoSeconds", "hold_seconds", SETTINGS.seconds, 60),
    onServer("Backup", "backup", SETTINGS.backup, 50),
    onServer("WorkflowsMayDelete", "nodes", SETTINGS.nodes, 40),
    onServer("BackupDays", "backup_days", SETTINGS.backupDays, 30),
    onServer("BackupMegabytes", "backup_megabytes", SETTINGS.backupMegabytes, 20),
    onServer("RecordNames", "record_names", SETTINGS.recordNames, 15),
    {
      id: BUTTON,
      name: SETTINGS.button,
      category: [MENU.group, MENU.group, "ShowActionBarButton"],
      // Hidden in older frontends, where packs cannot add buttons.
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
    api.addEventListener("cloud_history.changed", ({ detail }) => void ui?.changed(detail));
    api.addEventListener("cloud_history.ask", ({ detail }) => {
      // If loading fails, the server's next event for the same approval tries again.
      load().then(({ approvals }) => approvals.handleEvent(detail), () => undefined);
    });
    api.addEventListener("cloud_history.progress", ({ detail }) => {
      if (detail.phase === "asked_to_wait") return showWait(graph(), detail.node, detail.total);
      if (detail.kind !== "node_report") return void ui?.deletions.readProgress();
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
