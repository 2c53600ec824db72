// @ts-check
/** What the person calls the workflows that are open. */

/**
 * The name of an open workflow by its id, "" where none has it. The one on the canvas comes first: copies share an id.
 * @param {() => import("../../../types/comfyui").ExtensionManager["workflow"]} getWorkflows
 */
export const createWorkflowNames = (getWorkflows) => (/** @type {string} */ id) => {
  if (!id) return "";
  const { activeWorkflow, openWorkflows = [] } = getWorkflows() ?? {};
  const found = [activeWorkflow, ...openWorkflows].find((workflow) => workflow?.activeState?.id === id);
  return found?.filename ?? "";
};
