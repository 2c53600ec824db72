/** The parts of ComfyUI's frontend (1.27 to 1.58) that this pack uses, written by hand. */

export interface ToastOptions {
  description?: string;
  /** Milliseconds; without it the toast stays. */
  duration?: number;
  closable?: boolean;
  id?: string;
  action?: { label: string; onClick: () => void };
}

export interface ToastManager {
  /** In every version. */
  add(message: { severity: string; summary: string; detail?: string; life?: number; closable?: boolean }): void;
  /** Up to 1.56: closes the toast that `add` was given. */
  remove?(message: object): void;
  /** From 1.57 on, like the methods below. */
  success?(title: string, options?: ToastOptions): string;
  error?(title: string, options?: ToastOptions): string;
  info?(title: string, options?: ToastOptions): string;
  warning?(title: string, options?: ToastOptions): string;
  loading?(title: string, options?: ToastOptions): string;
  dismiss?(id: string): boolean;
}

export interface HostDialogs {
  showExtensionDialog(options: {
    key: string;
    title?: string;
    component: object;
    dialogComponentProps?: Record<string, unknown>;
  }): { closeDialog(): void };
}

export interface SidebarTab {
  id: string;
  type: "vue";
  icon: string;
  title: string;
  tooltip?: string;
  component: object;
}

export interface ExtensionManager {
  dialog: HostDialogs;
  toast: ToastManager;
  /** Deprecated in frontends that have `sidebarTab.registerSidebarTab`. */
  registerSidebarTab?(tab: SidebarTab): void;
  sidebarTab: { activeSidebarTabId: string | null; registerSidebarTab?(tab: SidebarTab): void };
  command: { execute(id: string): Promise<void> };
  setting: { get(id: string): unknown };
  workflow?: {
    getWorkflowByPath?(path: string): object | null;
    activeWorkflow?: OpenWorkflow | null;
    openWorkflows?: OpenWorkflow[];
  };
}

export interface OpenWorkflow {
  path?: string;
  /** Without folder and extension. */
  filename?: string;
  activeState?: { id?: string } | null;
  /** Whether it was never saved. */
  isTemporary?: boolean;
}

export interface ComfyWidget {
  serialize?: boolean;
  /** Called for every node's widgets when Run is pressed, before anything is sent. */
  beforeQueued?(): void;
}

export interface ComfyNode {
  id: number | string;
  subgraph?: ComfyGraph;
  addDOMWidget(name: string, type: string, element: HTMLElement, options: Record<string, unknown>): ComfyWidget;
  computeSize(): [number, number];
  setSize(size: [number, number]): void;
  onNodeCreated?(...args: unknown[]): unknown;
  onExecuted?(output: unknown, ...args: unknown[]): unknown;
}

export interface ComfyNodeType {
  prototype: ComfyNode;
}

export interface ComfyGraph {
  id?: string;
  getNodeById(id: number | string): ComfyNode | null | undefined;
}

export interface CanvasMenuItem {
  content: string;
  callback?: () => void;
  submenu?: { options: CanvasMenuItem[] };
}

export interface ComfySetting {
  id: string;
  name: string;
  category?: string[];
  /** The kind of input, or a function that draws it; `label` is the translated name. */
  type: string | ((label: string) => HTMLElement);
  sortOrder?: number;
  defaultValue: unknown;
  onChange?(value: unknown): void;
}

export interface ComfyExtension {
  name: string;
  settings?: ComfySetting[];
  actionBarButtons?: { icon: string; label?: string; tooltip?: string; onClick(): void }[];
  commands?: { id: string; label: string; icon?: string; menubarLabel?: string; function: () => void | Promise<void> }[];
  menuCommands?: { path: string[]; commands: string[] }[];
  setup?(): void;
  beforeRegisterNodeDef?(nodeType: ComfyNodeType, nodeData: { name: string }): void;
  getCanvasMenuItems?(): (CanvasMenuItem | null)[];
}

export interface ComfyApp {
  registerExtension(extension: ComfyExtension): void;
  extensionManager: ExtensionManager;
  /** `settings` sends "<id>.change" after each change of a setting; some frontends do so before they store the value. */
  ui?: { settings: { addEventListener(type: string, listener: (event: CustomEvent<{ value: unknown }>) => void): void } };
  graph?: ComfyGraph;
  loadGraphData(graph: object | null, clean: boolean, restoreView: boolean, name: string | null): unknown;
}

export interface ComfyApi {
  fetchApi(route: string, init?: RequestInit): Promise<Response>;
  addEventListener(type: string, listener: (event: CustomEvent) => void): void;
}
