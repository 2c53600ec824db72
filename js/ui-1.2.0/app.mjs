// @ts-check
/** Puts together all that shows and deletes jobs, around what ComfyUI offers. */

import { createHistoryApi, isFramed, refuseFramed } from "./api.mjs";
import { approvalStep } from "./approval/dialog.mjs";
import { Approvals } from "./approval/flow.mjs";
import { AuditLog } from "./audit/model.mjs";
import { AuditPage } from "./audit/page.mjs";
import { CleanUp } from "./cleanup/model.mjs";
import { CleanUpPage } from "./cleanup/page.mjs";
import { copyText } from "./common/browser.mjs";
import { banners } from "./common/components.mjs";
import { createDialogs } from "./common/dialogs.mjs";
import { COMMON } from "./common/strings.mjs";
import { createToasts } from "./common/toasts.mjs";
import { ConnectSteps } from "./connect/dialog.mjs";
import { createCancellation } from "./deletion/cancel.mjs";
import { createCards } from "./deletion/cards.mjs";
import { Confirmation } from "./deletion/confirm.mjs";
import { Deletions } from "./deletion/controller.mjs";
import { createSteps } from "./deletion/dialogs.mjs";
import { start } from "./deletion/submit.mjs";
import { createUndo } from "./deletion/toasts.mjs";
import { createDetails } from "./details/view.mjs";
import { createWorkflowNames, createWorkflows } from "./details/workflows.mjs";
import { createPlaces } from "./list/host.mjs";
import { Store } from "./list/store.mjs";
import { idsCopied } from "./list/strings.mjs";
import { Thumbnails } from "./list/thumbnails.mjs";
import { createDamagedList, createLostFolder, createProtectionActions } from "./protection/actions.mjs";
import { Protection } from "./protection/model.mjs";
import { createSettings } from "./settings.mjs";

/** @import { ComfyApp } from "../../types/comfyui" */
/** @import { Actions, ViewParts } from "../../types/list" */
/** @import { Changed, Status } from "../../types/wire" */
/** @import { HistoryApi } from "./api.mjs" */
/** @import { Dialogs } from "./common/dialogs.mjs" */
/** @import { Toasts } from "./common/toasts.mjs" */
/** @import { Workflows } from "./details/workflows.mjs" */

export { loadStyle } from "./common/dom.mjs";


/** @param {ComfyApp} app @param {(route: string, init?: RequestInit) => Promise<Response>} fetchApi */
function createServices(app, fetchApi) {
  const api = isFramed() ? refuseFramed(createHistoryApi(fetchApi)) : createHistoryApi(fetchApi);
  const toasts = createToasts(() => app.extensionManager.toast);
  const dialogs = createDialogs(() => app.extensionManager.dialog);
  const connect = new ConnectSteps({ api, toasts });
  const workflows = createWorkflows({ getApp: () => app, api, toasts });
  return { api, toasts, dialogs, connect, workflows, thumbnails: new Thumbnails({ api }) };
}

/** @param {() => void} run as soon as this page is the one that is looked at */
function whenSeen(run) {
  if (!document.hidden) return run();
  document.addEventListener("visibilitychange", () => run(), { once: true });
}

/** @param {ReturnType<typeof createServices>} services @param {() => void} openPanel @param {(kind: string) => void} stale what is shown is old, by what has changed */
function createDeletions({ api, toasts, dialogs, connect }, openPanel, stale) {
  const now = () => performance.now();
  const [onResult, onAccountChanged] = [() => stale("delete"), () => stale("key")];
  const confirmation = new Confirmation({ api, dialogs, steps: createSteps(api), connect, now, onAccountChanged });
  const schedule = (/** @type {() => void} */ run, /** @type {number} */ milliseconds) => void setTimeout(run, milliseconds);
  return new Deletions({ api, confirmation, toasts, now, schedule, openPanel, onResult, whenSeen });
}

/**
 * What is told while safeguards that can't be read stop all deletions.
 * @param {ReturnType<typeof createServices>} services
 * @param {Protection} protection
 * @param {Store} store
 */
function createStopped(services, protection, store) {
  const damagedList = createDamagedList({ ...services, protection, onMended: () => store.changed() });
  const lostFolder = createLostFolder({ ...services, onStarted: (status) => (store.setStatus(status), store.changed()) });
  return (/** @type {Status} */ status) => [...lostFolder.banners(status), ...damagedList.banners()];
}

/** @param {ComfyApp} app @param {ReturnType<typeof createServices>} services */
const createApprovals = (app, { api, toasts }) =>
  new Approvals({
    api,
    toasts,
    dialogs: createDialogs(() => app.extensionManager.dialog),
    step: approvalStep,
    framed: isFramed(),
    workflowName: createWorkflowNames(() => app.extensionManager.workflow),
    now: () => performance.now(),
    schedule: (run, milliseconds) => void setTimeout(run, milliseconds),
  });

/**
 * What follows from an event of the server.
 * @param {object} parts
 * @param {{changed(): void, protectionChanged(): void}} parts.store
 * @param {{changed(): void}} parts.settings
 * @param {Pick<Deletions, "refresh" | "follows">} parts.deletions
 * @param {{changed(kind: string): void}} parts.pages
 */
function createChanged({ store, settings, deletions, pages }) {
  return async (/** @type {Changed} */ { kind, operation, ended }) => {
    if (kind === "protection") store.protectionChanged();
    if (kind === "settings") settings.changed();
    if (kind === "key") store.changed();
    // The end of a deletion that is followed here comes with the status, and has the list read again.
    const followed = deletions.follows(operation);
    if (kind === "delete" || kind === "clear") await deletions.refresh();
    if (followed) return;
    if (ended) store.changed();
    pages.changed(kind);
  };
}

/**
 * @param {ComfyApp} app
 * @param {(route: string, init?: RequestInit) => Promise<Response>} fetchApi
 * @param {() => void} open opens the panel, wherever it is shown
 */
export function assemble(app, fetchApi, open) {
  const services = createServices(app, fetchApi);
  const { api, toasts, dialogs, connect, workflows, thumbnails } = services;
  const deletions = createDeletions(services, open, (kind) => (store.changed(), pages.changed(kind)));
  const protection = new Protection(api);
  const store = new Store({ api, deletions, protection, now: () => Date.now() });
  const protecting = createProtectionActions({ protection, dialogs, toasts, all: () => store.all() });
  const stopped = createStopped(services, protection, store);
  const setStatus = (/** @type {Status} */ status) => store.setStatus(status);
  const cancelling = createCancellation({ api, dialogs, toasts, onChange: () => store.changed() });

  /** @type {Actions} */
  const actions = {
    remove: (target, confirmed) => void start(deletions, { selection: { account: store.account, ...target } }, confirmed),
    cancel: (rows) => void cancelling.ask(rows, store.account),
    protect: (rows, wish) => void protecting.set(rows, wish),
    undo: createUndo({ deletions, toasts }),
    openWorkflow: (id) => void workflows.open(id),
    downloadWorkflow: (id) => void workflows.download(id),
    async copyIds(ids) {
      const copied = await copyText(ids.join("\n"));
      toasts.tell(copied ? "success" : "warning", { title: copied ? idsCopied(ids.length) : COMMON.notCopied });
    },
    clear: () => void start(deletions, { selection: { clear: true } }),
    manageKey: () => void dialogs.exclusive((frame) => connect.manage(frame)).then(() => store.changed()),
    openLarge: () => places.openLarge(),
    currentWorkflow: () => String(app.graph?.id ?? ""),
  };

  const settings = createSettings({ api, onStatus: setStatus });
  const pages = createPageParts({ ...services, store, actions });
  const places = createPlaces(() => app.extensionManager, () => ({
    store, actions, thumbnails,
    banners: ({ show }) => (store.status ? banners(store.status, api, { show, onStatus: setStatus, first: stopped(store.status), ...(store.readAt === null && store.error && { besides: store.error.code }) }) : []),
    markOf: deletions.markOf,
    subscribe: (listener) => deletions.subscribe(listener),
    createPage: pages.create,
    createCards: (view) => createCards({ deletions, ...view }),
    createDetails: (view) =>
      createDetails({
        api, thumbnails, workflows, toasts, protection, ...view,
        protect: (row, wish) => actions.protect([row], wish),
        protectWorkflow: (row) => void protecting.protectWorkflow(row),
        remove: (row) => actions.remove({ ids: [row.id] }),
        cancel: actions.cancel,
        canCancel: () => store.status?.can_cancel !== false,
        blocked: () => store.blocked(),
        refresh: () => void store.refresh(),
        now: () => store.now(),
      }),
  }));

  return {
    actions,
    deletions,
    changed: createChanged({ store, settings, deletions, pages }),
    nodeReport: api.nodeReport,
    pages,
    store,
    mountInTab: places.mountInTab, openLarge: places.openLarge,
    settings,
    approvals: createApprovals(app, services),
  };
}

/** @param {() => void} run @param {number} milliseconds @returns {() => void} the way to stop it */
function after(run, milliseconds) {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
}

/**
 * @param {object} parts
 * @param {HistoryApi} parts.api
 * @param {Store} parts.store
 * @param {Actions} parts.actions
 * @param {Thumbnails} parts.thumbnails
 * @param {Workflows} parts.workflows
 * @param {Dialogs} parts.dialogs
 * @param {Toasts} parts.toasts
 */
export function createPageParts(parts) {
  const cleanUp = new CleanUp({ api: parts.api, after });
  const auditLog = new AuditLog({ api: parts.api });
  return {
    /** @type {ViewParts["createPage"]} */
    create: (name, view) =>
      name === "clean_up"
        ? new CleanUpPage({ ...parts, ...view, cleanUp })
        : new AuditPage({ ...parts, ...view, auditLog, now: () => parts.store.now() }),

    /** What a change is about: after a deletion the list is read again, and Clean up follows the list. @param {string} kind */
    changed(kind) {
      if (kind === "protection" || kind === "key") cleanUp.refresh();
      else auditLog.changed();
    },
  };
}
