// @ts-check
/** Settings > Cloud history. Safeguards are saved on this pack's server, because any page can change ComfyUI's settings. */

import { asApiError } from "./api.mjs";
import { el, isComposing } from "./common/dom.mjs";
import { errorLine } from "./common/strings.mjs";
import { setTip, withTooltips } from "./common/tooltips.mjs";

/** @import { Settings, Status } from "../../types/wire" */

const SETTINGS = {
  saved: "Saved",
  savedWithoutUndo: "Saved. Deletions now begin at once, without undo.",
  fixed: "Set outside ComfyUI",
  fixedBy: "Set by COMFY_CLOUD_HISTORY_NODES. Change it there, then restart ComfyUI.",
  backup: { off: "Off", workflows: "Workflows", outputs: "Workflows and outputs" },
  nodes: { ask: "Ask first", allow: "Always", never: "Never" },
  record_names: { on: "On", off: "Off" },
  ranges: {
    hold_seconds: "0 to 60. With 0, a deletion is sent at once.",
    backup_days: "1 to 36,500. The newest ten backups are always kept.",
    backup_megabytes: "1 to 10,000,000. The newest ten backups are always kept.",
    outputs_max_gigabytes: "1 to 10,000. Larger outputs are not saved, and the result names them.",
  },
  texts: {
    outputs_folder: "A folder in ComfyUI’s output folder. Empty: comfy-cloud. A folder elsewhere must be named in COMFY_CLOUD_HISTORY_OUTPUTS.",
  },
  placeholders: { outputs_folder: "comfy-cloud" },
};

/** @typedef {keyof typeof SETTINGS.ranges} NumberName */
/** @typedef {keyof typeof SETTINGS.texts} TextName */
/** @typedef {"backup" | "nodes" | "record_names"} ChoiceName */
/**
 * The input of a setting.
 * @typedef {object} Control
 * @property {HTMLInputElement | HTMLSelectElement} element
 * @property {() => number | string | null} read returns the entered value; null if it is invalid
 * @property {string} refused the message for an invalid value
 */

/** @type {Record<NumberName, [number, number]>} */
const RANGES = { hold_seconds: [0, 60], backup_days: [1, 36_500], backup_megabytes: [1, 10_000_000], outputs_max_gigabytes: [1, 10_000] };

/** What is said once a setting is saved. @param {keyof Settings} name @param {number | string} value */
export const savedWord = (name, value) => (name === "hold_seconds" && value === 0 ? SETTINGS.savedWithoutUndo : SETTINGS.saved);

/** Returns a whole number in the range of a setting, else null. @param {NumberName} name @param {string} text */
export function readNumber(name, text) {
  const value = /^\d{1,8}$/.test(text.trim()) ? Number(text) : NaN;
  const [least, most] = RANGES[name];
  return value >= least && value <= most ? value : null;
}

/** @param {NumberName} name @param {string} label @returns {Control} */
function numberControl(name, label) {
  const [least, most] = RANGES[name];
  const element = el("input", {
    type: "number", class: "cch-num", min: String(least), max: String(most), step: "1", inputmode: "numeric",
    "aria-label": label, "data-tip": SETTINGS.ranges[name],
  });
  return { element, read: () => readNumber(name, element.value), refused: SETTINGS.ranges[name] };
}

/** @param {ChoiceName} name @param {string} label @returns {Control} */
function choiceControl(name, label) {
  const options = Object.entries(SETTINGS[name]).map(([value, text]) => el("option", { value }, text));
  const element = el("select", { class: "cch-select", "aria-label": label }, ...options);
  return { element, read: () => element.value, refused: "" };
}

const MAX_TEXT_CHARACTERS = 500;

/** @param {TextName} name @param {string} label @returns {Control} */
function textControl(name, label) {
  const element = el("input", {
    type: "text", class: "cch-num cch-path", dir: "auto", spellcheck: "false", autocomplete: "off", maxlength: String(MAX_TEXT_CHARACTERS),
    placeholder: SETTINGS.placeholders[name], "aria-label": label, "data-tip": SETTINGS.texts[name],
  });
  return { element, read: () => element.value.trim(), refused: "" };
}

/** @param {keyof Settings} name @returns {name is ChoiceName} */
const isChoice = (name) => name === "backup" || name === "nodes" || name === "record_names";
/** @param {keyof Settings} name @returns {name is TextName} */
const isText = (name) => name === "outputs_folder";

/** @param {keyof Settings} name @param {string} label */
const controlFor = (name, label) => (isChoice(name) ? choiceControl(name, label) : isText(name) ? textControl(name, label) : numberControl(name, label));

class Field {
  #saved = "";
  #note = el("span", { class: "cch-2 cch-t12", role: "status" });

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
    this.box = withTooltips(el("div", { class: "cch cch-setting", lang: "en" }, this.#note, element));
    // ComfyUI has shortcuts of single keys.
    this.box.addEventListener("keydown", (event) => (isComposing(event) || (event.key !== "Escape" && event.key !== "Tab")) && event.stopPropagation());
  }

  /** @param {Status} status */
  take({ settings }) {
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
    setTip(this.box, SETTINGS.fixedBy);
    this.#note.textContent = SETTINGS.fixed;
  }

  /** @param {unknown} error */
  refuse(error) {
    this.control.element.value = this.#saved;
    this.#note.textContent = errorLine(asApiError(error));
  }

  async #changed() {
    const { element, read, refused } = this.control;
    const value = read();
    element.classList.toggle("bad", value === null);
    this.#note.textContent = value === null ? refused : "";
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
