// @ts-check
/** Creates the parts of the user interface and connects them with each other and with ComfyUI. */

import { createHistoryApi, isFramed, refuseFramed } from "./api.mjs";
import { approvalStep } from "./approval/dialog.mjs";
import { Approvals } from "./approval/flow.mjs";
import { AuditLog } from "./audit/model.mjs";
import { AuditPage } from "./audit/page.mjs";
import { CleanUp } from "./cleanup/model.mjs";
import { CleanUpPage } from "./cleanup/page.mjs";
import { browserStorage, copyText } from "./common/browser.mjs";
import { banners } from "./common/components.mjs";
import { createDialogs } from "./common/dialogs.mjs";
import { loadStyle } from "./common/dom.mjs";
import { WorkflowNames } from "./common/names.mjs";
import { errorLine } from "./common/strings.mjs";
import { createToasts } from "./common/toasts.mjs";
import { followLanguage, text, words } from "./common/words.mjs";
import { ConnectSteps } from "./connect/dialog.mjs";
import { createCancellation } from "./deletion/cancel.mjs";
import { createCards } from "./deletion/cards.mjs";
import { Confirmation } from "./deletion/confirm.mjs";
import { Deletions } from "./deletion/controller.mjs";
import { createSteps } from "./deletion/dialogs.mjs";
import { createMemory } from "./deletion/memory.mjs";
import { start } from "./deletion/submit.mjs";
import { createUndo } from "./deletion/toasts.mjs";
import { Details } from "./details/view.mjs";
import { createWorkflowNames, createWorkflows, openNames } from "./details/workflows.mjs";
import { createPlaces } from "./list/host.mjs";
import { Store } from "./list/store.mjs";
import { idsCopied } from "./list/strings.mjs";
import { Thumbnails } from "./list/thumbnails.mjs";
import { createSaveCards, stacked } from "./outputs/cards.mjs";
import { SaveQuestion } from "./outputs/dialog.mjs";
import { SavedMarks } from "./outputs/saved.mjs";
import { Saves } from "./outputs/saves.mjs";
import { savedView } from "./outputs/viewer.mjs";
import { damagedListBanners, lostFolderBanners, ProtectionActions } from "./protection/actions.mjs";
import { Protection } from "./protection/model.mjs";
import { createSettings } from "./settings.mjs";

/** @import { ComfyApi, ComfyApp } from "../../types/comfyui" */
/** @import { Actions, ViewParts, ViewRequest } from "../../types/list" */
/** @import { Changed, Status } from "../../types/wire" */
/** @import { Toasts } from "./common/toasts.mjs" */
/** @import { SavedRequest } from "./outputs/viewer.mjs" */

/** @param {() => void} run @param {number} milliseconds */
const schedule = (run, milliseconds) => void setTimeout(run, milliseconds);
/** Milliseconds of a monotonic clock. */
const now = () => performance.now();
/** Milliseconds since 1970. */
const today = () => Date.now();

/** @param {() => void} run @param {number} milliseconds @returns {() => void} cancels the timer */
function after(run, milliseconds) {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/** @param {() => void} run called as soon as this page is visible */
function whenVisible(run) {
  if (!document.hidden) return run();
  document.addEventListener("visibilitychange", () => run(), { once: true });
}

/**
 * Loads what the user interface needs before it is drawn, and creates it. Rejects if a part can't be loaded; another call tries again.
 * @param {ComfyApp} host
 * @param {ComfyApi} api
 * @param {() => void} open opens the panel, wherever it is shown
 */
export async function createApp(host, api, open) {
  await Promise.all([loadStyle(), followLanguage(host, api)]);
  return new App(host, (route, init) => api.fetchApi(route, init), open);
}

export class App {
  /**
   * @param {ComfyApp} host
   * @param {(route: string, init?: RequestInit) => Promise<Response>} fetchApi
   * @param {() => void} open opens the panel, wherever it is shown
   */
  constructor(host, fetchApi, open) {
    this.host = host;
    const api = (this.api = isFramed() ? refuseFramed(createHistoryApi(fetchApi)) : createHistoryApi(fetchApi));
    /** @type {Toasts} */
    const toasts = (this.toasts = createToasts(() => host.extensionManager.toast, (kind, message) => this.deletions.notice(kind, message)));
    const dialogs = (this.dialogs = createDialogs(this.#dialogHost));
    this.connect = new ConnectSteps({ api, toasts, onChanging: () => this.deletions.keyChanges() });
    this.workflows = createWorkflows({ getApp: () => host, api, toasts });
    this.thumbnails = new Thumbnails({ api });
    const onAccountChanged = () => this.#outdated("key");
    const confirmation = new Confirmation({ api, dialogs, steps: createSteps({ api, thumbnails: this.thumbnails, workflowName: this.#workflowName, finishedHere: this.#finishedHere, schedule }), connect: this.connect, now, onAccountChanged });
    const memory = createMemory(() => window.localStorage, today);
    this.deletions = new Deletions({ api, confirmation, toasts, now, schedule, openPanel: open, onResult: () => this.#outdated("delete"), whenVisible, today, workflowName: this.#workflowName, going: (selection) => this.store.going(selection), memory });
    this.saves = new Saves({ api, toasts, schedule, memory, openPanel: open, onSaved: () => this.saved.changed() });
    this.saveQuestion = new SaveQuestion({ api, dialogs, saves: this.saves, connect: this.connect, onAccountChanged });
    this.saved = new SavedMarks({ api, now, schedule });
    const protection = (this.protection = new Protection(api));
    const names = new WorkflowNames(browserStorage);
    this.store = new Store({ api, deletions: this.deletions, protection, saved: this.saved, names, now: () => Date.now() });
    this.store.onSavedUnknown = (error) => toasts.tell("error", { title: text("outputs.saved_not_read"), detail: errorLine(error) });
    this.store.on(["load"], () => names.learn(openNames(host.extensionManager.workflow)));
    words.onChange(() => this.#dropViewer());
    this.cleanUp = new CleanUp({ api, after });
    this.auditLog = new AuditLog({ api });
    this.settings = createSettings({ api, onStatus: this.#setStatus });
    this.actions = this.#createActions();
    words.onChange(() => this.deletions.reword());
    const places = (this.places = createPlaces(() => host.extensionManager, () => this.#viewParts()));
    this.openLarge = places.openLarge;
    this.nodeReport = api.nodeReport;
    this.approvals = new Approvals({
      api, toasts, now, schedule,
      // Separate from this.dialogs, so that an approval can open above another dialog.
      // Closing a question answers it, so a change of the language leaves it as it is.
      dialogs: createDialogs(this.#dialogHost, { stays: true }),
      step: approvalStep,
      thumbnails: this.thumbnails,
      framed: isFramed(),
      workflowName: createWorkflowNames(() => host.extensionManager.workflow),
    });
  }

  /** @type {import("./viewer/viewer.mjs").Viewer | null} */
  #viewer = null;
  /** @type {import("./viewer/viewer.mjs").Viewer | null} */
  #savedViewer = null;

  /** Shows the panel in ComfyUI's sidebar. @param {Node} anchor ComfyUI's node there, before which the panel is inserted */
  mountInTab(anchor) {
    // A language that could not be loaded is tried again. Until then, the words stay as they are.
    void words.again();
    return this.places.mountInTab(anchor);
  }

  /** Opens the viewer, whose module is loaded at the first use. @param {ViewRequest} request */
  async #view(request) {
    try {
      const { Viewer } = await import("./viewer/viewer.mjs");
      this.#viewer ??= new Viewer({ api: this.api, store: this.store });
      if (request.root.isConnected) this.#viewer.open(request);
    } catch {
      this.toasts.tell("error", { title: text("common.not_loaded"), detail: text("common.reload") });
    }
  }

  /** The next viewer is made in the new language. */
  #dropViewer() {
    this.#viewer?.close();
    this.#viewer?.leaveStore();
    this.#viewer = null;
  }

  /** Opens a viewer for saved outputs, whose job the list may no longer have. @param {SavedRequest} request */
  async #viewSaved(request) {
    try {
      const { Viewer } = await import("./viewer/viewer.mjs");
      const { parts, request: view } = savedView(request, this.api, this.store);
      if (view.root.isConnected) (this.#savedViewer = new Viewer(parts)).open(view);
    } catch {
      this.toasts.tell("error", { title: text("common.not_loaded"), detail: text("common.reload") });
    }
  }

  /** Returns ComfyUI's dialogs. Closes the viewer first, because it would cover the dialog. */
  #dialogHost = () => {
    this.#viewer?.close();
    this.#savedViewer?.close();
    return this.host.extensionManager.dialog;
  };

  /** @param {string} id @returns {string} */
  #workflowName = (id) => this.store.names.of(id);

  /** @returns {number | null} */
  #finishedHere = () => this.store.finishedCount();

  #setStatus = (/** @type {Status} */ status) => this.store.setStatus(status);

  /** @returns {Actions} */
  #createActions() {
    const { api, toasts, dialogs, connect, workflows, deletions, store, protection } = this;
    const protecting = new ProtectionActions({ protection, dialogs, toasts, all: () => store.all(), nameOf: (row) => store.nameParts(row).join("") });
    // Out of sight on the tab of active jobs, they would stay selected for Delete.
    const deselect = (/** @type {string[]} */ ids) => {
      const ended = new Set(ids);
      store.select((selection) => selection.keep((id) => !ended.has(id)));
      store.changed();
    };
    const cancelling = createCancellation({ api, dialogs, toasts, workflowName: this.#workflowName, onChange: deselect });
    return {
      remove: (target, confirmed, hidden) => void start(deletions, { account: store.account, ...target }, confirmed, false, hidden),
      cancel: (rows) => void cancelling.ask(rows, store.account),
      protect: (rows, wish) => void protecting.set(rows, wish),
      protectWorkflow: (row) => void protecting.protectWorkflow(row),
      undo: createUndo({ deletions, toasts }),
      openWorkflow: (id) => void workflows.open(id),
      downloadWorkflow: (id) => void workflows.download(id),
      async copyIds(ids) {
        const copied = await copyText(ids.join("\n"));
        toasts.tell(copied ? "success" : "warning", { title: copied ? idsCopied(ids.length) : text("common.not_copied") });
      },
      clear: () => void start(deletions, { clear: true }),
      manageKey: () => void dialogs.exclusive((frame) => connect.manage(frame)).then(() => store.changed()),
      openLarge: () => this.openLarge(),
      view: (request) => void this.#view(request),
      save: (target) => void this.saveQuestion.ask({ ...(store.account && { account: store.account }), ...target }),
      viewSaved: (request) => void this.#viewSaved(request),
      leaveViewer: (root) => (this.#viewer?.close(root), this.#savedViewer?.close(root)),
      currentWorkflow: () => String(this.host.graph?.id ?? ""),
    };
  }

  /** @returns {Omit<ViewParts, "place" | "close" | "notices">} */
  #viewParts() {
    const { api, store, deletions, saves, actions, thumbnails, cleanUp, auditLog } = this;
    const parts = { api, store, actions, thumbnails, workflows: this.workflows, dialogs: this.dialogs, toasts: this.toasts };
    return {
      store, actions, thumbnails,
      banners: ({ show }) => this.#banners(show),
      markOf: deletions.markOf,
      subscribe: (listener) => deletions.subscribe(listener),
      createPage: (name, view) => (name === "clean_up" ? new CleanUpPage({ ...parts, ...view, cleanUp }) : new AuditPage({ ...parts, ...view, auditLog })),
      createCards: (view) => stacked([createSaveCards({ saves, clock: { now, schedule }, ...view }), createCards({ deletions, ...view })]),
      createDetails: (view) => new Details({ ...parts, ...view }),
    };
  }

  /** @param {(ids: string[]) => void} show */
  #banners(show) {
    const { api, dialogs, toasts, protection, store } = this;
    const { status, readAt, error } = store;
    if (!status) return [];
    const onStarted = (/** @type {Status} */ now) => (this.#setStatus(now), store.changed());
    const damaged = damagedListBanners({ protection, dialogs, toasts, onMended: () => store.changed() });
    const first = [...lostFolderBanners(status, { api, dialogs, toasts, onStarted }), ...damaged];
    return banners(status, api, { show, onStatus: this.#setStatus, first, ...(readAt === null && error && { besides: error.code }) });
  }

  /** Refreshes the list and the open page. @param {string} kind what has changed: "key" or "delete" */
  #outdated(kind) {
    this.store.changed();
    // A deletion may have saved outputs first.
    if (kind === "delete") this.saved.changed();
    this.#pagesOutdated(kind);
  }

  /** @param {string} kind */
  #pagesOutdated(kind) {
    if (kind === "protection" || kind === "key") this.cleanUp.refresh(); // After a deletion, Clean up refreshes with the list.
    else this.auditLog.changed();
  }

  /** Shows the deletions and the runs that this browser has started, after a reload of the page. */
  async resume() {
    await Promise.all([this.deletions.resume(), this.saves.resume()]);
  }

  /** Handles a "progress" event of the server. @param {{kind: string}} event */
  progressed({ kind }) {
    if (kind === "save") this.saves.progressed();
    else void this.deletions.readProgress();
  }

  /** Handles a "changed" event of the server. @param {Changed} event */
  async changed({ kind, operation, ended }) {
    const { store, deletions } = this;
    if (kind === "save") return void (this.saved.changed(), this.saves.refresh());
    if (kind === "protection") store.protectionChanged();
    if (kind === "settings") this.settings.changed();
    if (kind === "key") store.changed();
    // The status reports the end of a deletion that is shown here, and onResult then reads the list again.
    const followed = deletions.follows(operation);
    if (kind === "delete" || kind === "clear") await deletions.refresh();
    if (followed) return;
    if (ended) (store.changed(), this.saved.changed());
    this.#pagesOutdated(kind);
  }
}
