// @ts-check
/** Settings > Cloud history. Safeguards are saved on this pack's server, because any page can change ComfyUI's settings. */

import { asApiError } from "./api.mjs";
import { el, isComposing } from "./common/dom.mjs";
import { errorLine } from "./common/strings.mjs";
import { setTip, withTooltips } from "./common/tooltips.mjs";
import { text, words } from "./common/words.mjs";

/** @import { Settings, Status } from "../../types/wire" */

/** @typedef {"hold_seconds" | "backup_days" | "backup_megabytes" | "outputs_max_gigabytes"} NumberName */
/** @typedef {"outputs_folder"} TextName */
/** @typedef {"backup" | "nodes" | "record_names"} ChoiceName */
/**
 * The input of a setting.
 * @typedef {object} Control
 * @property {HTMLInputElement | HTMLSelectElement} element
 * @property {() => number | string | null} read returns the entered value; null if it is invalid
 * @property {string} refused the message for an invalid value
 */

/** Where outputs are saved by default, in ComfyUI's output folder. */
const DEFAULT_FOLDER = "comfy-cloud";
/** The variables that decide settings outside ComfyUI. */
const [NODES_VARIABLE, FOLDER_VARIABLE] = ["COMFY_CLOUD_HISTORY_NODES", "COMFY_CLOUD_HISTORY_OUTPUTS"];

/** The least and the greatest number of a setting, and the key of the message that names them. @type {Record<NumberName, [number, number, string]>} */
const RANGES = {
  hold_seconds: [0, 60, "settings.range.undo"],
  backup_days: [1, 36_500, "settings.range.backups"],
  backup_megabytes: [1, 10_000_000, "settings.range.backups"],
  outputs_max_gigabytes: [1, 10_000, "settings.range.outputs"],
};

/** The values of a setting with few of them, with their labels. @type {Record<ChoiceName, () => [string, string][]>} */
const CHOICES = {
  backup: () => [["off", text("settings.backup.off")], ["workflows", text("settings.backup.workflows")], ["outputs", text("settings.backup.outputs")]],
  nodes: () => [["ask", text("settings.nodes.ask")], ["allow", text("settings.nodes.allow")], ["never", text("settings.nodes.never")]],
  record_names: () => [["on", text("settings.record_names.on")], ["off", text("settings.record_names.off")]],
};

/** What is said once a setting is saved. @param {keyof Settings} name @param {number | string} value */
export const savedWord = (name, value) => (name === "hold_seconds" && value === 0 ? text("settings.saved_without_undo") : text("settings.saved"));

/** Returns a whole number in the range of a setting, else null. @param {NumberName} name @param {string} entered */
export function readNumber(name, entered) {
  const value = /^\d{1,8}$/.test(entered.trim()) ? Number(entered) : NaN;
  const [least, most] = RANGES[name];
  return value >= least && value <= most ? value : null;
}

/** @param {NumberName} name @param {string} label @returns {Control} */
function numberControl(name, label) {
  const [least, most, key] = RANGES[name];
  const range = text(key, { least, most });
  const element = el("input", {
    type: "number", class: "cch-num", min: String(least), max: String(most), step: "1", inputmode: "numeric",
    "aria-label": label, "data-tip": range,
  });
  return { element, read: () => readNumber(name, element.value), refused: range };
}

/** @param {ChoiceName} name @param {string} label @returns {Control} */
function choiceControl(name, label) {
  const options = CHOICES[name]().map(([value, word]) => el("option", { value }, word));
  const element = el("select", { class: "cch-select", "aria-label": label }, ...options);
  return { element, read: () => element.value, refused: "" };
}

const MAX_TEXT_CHARACTERS = 500;

/** @param {string} label @returns {Control} */
function folderControl(label) {
  const element = el("input", {
    type: "text", class: "cch-num cch-path", dir: "auto", spellcheck: "false", autocomplete: "off", maxlength: String(MAX_TEXT_CHARACTERS),
    placeholder: DEFAULT_FOLDER, "aria-label": label, "data-tip": text("settings.outputs_folder", { folder: DEFAULT_FOLDER, variable: FOLDER_VARIABLE }),
  });
  return { element, read: () => element.value.trim(), refused: "" };
}

/** @param {keyof Settings} name @returns {name is ChoiceName} */
const isChoice = (name) => Object.hasOwn(CHOICES, name);
/** @param {keyof Settings} name @returns {name is TextName} */
const isText = (name) => name === "outputs_folder";

/** @param {keyof Settings} name @param {string} label */
const controlFor = (name, label) => (isChoice(name) ? choiceControl(name, label) : isText(name) ? folderControl(label) : numberControl(name, label));

class Field {
  #saved = "";
  #note = el("span", { class: "cch-2 cch-t12", role: "status" });
  /** @type {Status | null} */
  #status = null;

  /** @param {keyof Settings} name @param {string} label @param {(change: Partial<Settings>) => Promise<Status>} save */
  constructor(name, label, save) {
    this.name = name;
    this.save = save;
    this.control = controlFor(name, label);
    const { element } = this.control;
    // Empty until the status is read: a select would show its first choice as if it were saved.
    element.value = this.#saved;
    element.disabled = true;
    element.addEventListener("change", () => void this.#changed());
    this.box = words.mark(withTooltips(el("div", { class: "cch cch-setting" }, this.#note, element)));
    // ComfyUI has shortcuts of single keys.
    this.box.addEventListener("keydown", (event) => (isComposing(event) || (event.key !== "Escape" && event.key !== "Tab")) && event.stopPropagation());
  }

  /** @param {Status} status */
  take(status) {
    const { settings } = (this.#status = status);
    const { element } = this.control;
    const fixed = this.name === "nodes" && settings?.nodes_fixed === true;
    // Saving another setting must not overwrite text that is being typed.
    const typing = document.activeElement === element && element.value !== this.#saved;
    this.#saved = String(settings?.[this.name] ?? "");
    if (!typing) element.value = this.#saved;
    // Servers without a setting don't send it. A text may be empty.
    element.disabled = settings?.[this.name] === undefined || fixed;
    if (!fixed) return;
    // A disabled field gets no events of the pointer.
    setTip(this.box, text("settings.fixed_by", { variable: NODES_VARIABLE }));
    this.#note.textContent = text("settings.fixed");
  }

  /** Words the field anew, in another language. Its label is ComfyUI's. */
  reword() {
    const { element } = this.control;
    const label = element.getAttribute("aria-label") ?? "";
    const { element: other, refused } = controlFor(this.name, label);
    this.control.refused = refused;
    if (element instanceof window.HTMLSelectElement) for (const [at, option] of [...other.children].entries()) element.children[at]?.replaceChildren(...option.childNodes);
    setTip(element, other.getAttribute("data-tip") ?? "");
    this.#note.textContent = "";
    if (this.#status) this.take(this.#status);
  }

  /** @param {unknown} error */
  refuse(error) {
    this.control.element.value = this.#saved;
    this.#note.textContent = errorLine(asApiError(error));
  }

  async #changed() {
    const { element, read } = this.control;
    const value = read();
    element.classList.toggle("bad", value === null);
    this.#note.textContent = value === null ? this.control.refused : "";
    if (value === null) return;
    try {
      await this.save({ [this.name]: value });
      this.#note.textContent = savedWord(this.name, value);
    } catch (error) {
      this.refuse(error);
    }
  }
}

/** @param {{api: {status(): Promise<Status>, saveSettings(change: Partial<Settings>): Promise<Status>}, onStatus?: (status: Status) => void}} options */
export function createSettings({ api, onStatus }) {
  /** @type {Set<Field>} */
  let fields = new Set();
  /** @type {Promise<void> | null} */
  let reading = null;

  /** Drops the fields of closed settings dialogs: ComfyUI sends no event when its settings are closed. */
  const dropClosed = () => (fields = new Set([...fields].filter(({ box }) => box.isConnected)));

  words.onChange(() => {
    dropClosed();
    for (const field of fields) field.reword();
  });

  /** @param {Status} status */
  const take = (status) => {
    for (const field of fields) field.take(status);
    onStatus?.(status);
  };
  /** Sends one request for all fields that are drawn at the same time. */
  function read() {
    reading ??= api.status().then(take).catch((error) => {
      for (const field of fields) field.refuse(error);
    }).finally(() => (reading = null));
    return reading;
  }

  return {
    /** @param {keyof Settings} name @param {string} label */
    field(name, label) {
      if (!reading) dropClosed();
      const field = new Field(name, label, async (change) => {
        const status = await api.saveSettings(change);
        take(status);
        return status;
      });
      fields.add(field);
      void read();
      return field.box;
    },

    /** Reads the settings again after a change in another window or in an approval. */
    changed() {
      dropClosed();
      if (fields.size) void read();
    },
  };
}
