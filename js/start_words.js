// @ts-check
/** The few words that are needed before anything of ours is opened. */

export const MENU = {
  group: "Cloud history",
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
  button: "Show the Cloud history button at the top",
};

export const LOADING = {
  wait: "Loading…",
  failed: "Cloud history could not be loaded",
  remedy: "Check that ComfyUI is running, then try again. If that does not help, reload the page.",
  again: "Try again",
};

export const NODE = {
  report: "Report",
  placeholder: "What happened is told here after a run.",
  interrupted: "Stopped before there was a result.",
  earlier: "Earlier run:",
  asksToWait: "Comfy Cloud asks to wait",
};
