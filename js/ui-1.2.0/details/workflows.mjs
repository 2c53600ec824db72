// @ts-check
/** Opens a job's workflow in a new tab of ComfyUI, never replacing an open one, or saves it as a file. */

import { asApiError } from "../api.mjs";
import { saveFile } from "../common/browser.mjs";
import { isObject } from "../api/checks.mjs";
import { clean, clockTime } from "../common/format.mjs";
import { errorLine } from "../common/strings.mjs";
import { text } from "../common/words.mjs";

/** @import { ComfyApp, ExtensionManager } from "../../../types/comfyui" */
/** @import { JobDetails } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */

const FOLDER = "workflows/";
const MAX_NAME_CHARACTERS = 60;

/** Checks a workflow before ComfyUI loads it, because ComfyUI clears the canvas before it reads the workflow. @param {unknown} workflow */
export const isLoadable = (workflow) =>
  isObject(workflow) &&
  Array.isArray(workflow.nodes) &&
  workflow.nodes.every((node) => isObject(node) && typeof node.type === "string" && ["number", "string"].includes(typeof node.id)) &&
  (workflow.links === undefined || Array.isArray(workflow.links));

/** Leaves only characters that every system allows in file names. @param {string} text */
const allowed = (text) => text.replace(/[\\/:*?"<>|\ufffd]/g, "_").replace(/^[.\s_]+/, "");

/** A file name without extension: the name of the job’s output, or else of its workflow, and the short id. @param {JobDetails} details */
export function stem({ job, workflow }) {
  const { name: known } = /** @type {{name?: unknown}} */ (workflow ?? {});
  const name = allowed(clean(job.name).replace(/\.[^.]*$/, "")) || (typeof known === "string" && allowed(clean(known)));
  return `${[...(name || "job")].slice(0, MAX_NAME_CHARACTERS).join("")} ${job.id.slice(0, 8).replace(/[^\w-]/g, "")}`.trim();
}

/** The name of a tab begins with the time that the list shows, because ComfyUI cuts the end, and jobs of one workflow begin alike. @param {JobDetails} details */
export function tabName(details) {
  const { created } = details.job;
  const time = typeof created !== "number" ? "" : `${clockTime(created).replace(/\s/g, " ").replace(/[^\p{L}\p{N} .]/gu, ".")} `;
  return `${time}${stem(details)}`;
}

/** A name that no tab and no saved workflow has, because ComfyUI would load into that one. @param {string} name @param {ComfyApp} app */
export function freeName(name, app) {
  const store = app.extensionManager.workflow;
  if (!store?.getWorkflowByPath) return null;
  let free = name;
  for (let n = 2; store.getWorkflowByPath(`${FOLDER}${free}.json`); n += 1) free = `${name} (${n})`;
  return free;
}

/**
 * @param {object} parts
 * @param {() => ComfyApp} parts.getApp
 * @param {Pick<HistoryApi, "job" | "workflowFile">} parts.api
 * @param {Pick<Toasts, "tell">} parts.toasts
 */
export function createWorkflows({ getApp, api, toasts }) {
  /** @param {string} id @param {JobDetails | undefined} known @param {(details: JobDetails) => unknown} use @returns {Promise<boolean>} */
  async function withDetails(id, known, use) {
    try {
      const details = known ?? (await api.job(id));
      if (details.workflow) return (await use(details)) !== false;
      toasts.tell("info", { title: text("details.not_opened"), detail: text("details.no_workflow") });
    } catch (error) {
      toasts.tell("error", { title: text("details.not_opened"), detail: errorLine(asApiError(error)) });
    }
    return false;
  }

  /** @param {JobDetails} details */
  async function open(details) {
    const app = getApp();
    // If `name` is null, ComfyUI chooses an unused name.
    const name = freeName(tabName(details), app);
    let opened = isLoadable(details.workflow);
    if (opened) {
      await Promise.resolve(app.loadGraphData(details.workflow, true, true, name)).catch(() => (opened = false));
      const active = app.extensionManager.workflow?.activeWorkflow?.path;
      if (name && active !== undefined && active !== `${FOLDER}${name}.json`) opened = false;
    }
    if (opened) toasts.tell("success", { title: text("details.opened") });
    else toasts.tell("error", { title: text("details.not_opened"), detail: text("details.not_opened_text") });
    return opened;
  }

  /** @param {() => Promise<Blob>} fetchFile @returns {(details: JobDetails) => Promise<void>} */
  const download = (fetchFile) => async (details) => saveFile(await fetchFile(), `${stem(details)}.json`);

  return {
    /** Resolves with whether the workflow was opened. @param {string} id @param {JobDetails} [known] */
    open: (id, known) => withDetails(id, known, open),
    /** @param {string} id @param {JobDetails} [known] @param {() => Promise<Blob>} [fetchFile] gets the file, by default from Comfy Cloud */
    download: (id, known, fetchFile = () => api.workflowFile(id)) => withDetails(id, known, download(fetchFile)),
  };
}

/** @typedef {ReturnType<typeof createWorkflows>} Workflows */

/**
 * The name of the open workflow with this id, or "". The one on the canvas comes first, because copies share an id.
 * @param {() => ExtensionManager["workflow"]} getWorkflows
 */
export const createWorkflowNames = (getWorkflows) => (/** @type {string} */ id) => {
  if (!id) return "";
  const { activeWorkflow, openWorkflows = [] } = getWorkflows() ?? {};
  const found = [activeWorkflow, ...openWorkflows].find((workflow) => workflow?.activeState?.id === id);
  return found?.filename ?? "";
};

/**
 * The ids and names of the saved workflows that are open. Leaves out an id that several of them share, because copies keep the id.
 * @param {ExtensionManager["workflow"]} workflows
 * @returns {[string, string][]}
 */
export function openNames({ activeWorkflow, openWorkflows = [] } = {}) {
  /** @type {Map<string, Set<string>>} */
  const names = new Map();
  for (const workflow of [activeWorkflow, ...openWorkflows]) {
    const { filename, activeState, isTemporary } = workflow ?? {};
    if (!activeState?.id || !filename || isTemporary) continue;
    names.set(activeState.id, (names.get(activeState.id) ?? new Set()).add(filename));
  }
  return [...names].filter(([, each]) => each.size === 1).map(([id, each]) => [id, [...each].join("")]);
}
