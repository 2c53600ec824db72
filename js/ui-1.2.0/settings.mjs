// @ts-check
/** Settings > Cloud history. What is set there lives on the server, never among ComfyUI's own settings: it is a safety. */

import { asApiError } from "./api.mjs";
import { el } from "./common/dom.mjs";
import { errorLine } from "./common/strings.mjs";

/** @import { Settings, Status } from "../../types/wire" */

const SETTINGS = {
  saved: "Saved",
  fixed: "Set outside ComfyUI",
  fixedBy: "Set by COMFY_CLOUD_HISTORY_NODES. Change it there, then restart ComfyUI.",
  backup: { off: "Off", workflows: "Workflows" },
  nodes: { ask: "Ask first", allow: "Always", never: "Never" },
  ranges: {
    hold_seconds: "0 to 60. With 0, a deletion is sent at once.",
    backup_days: "1 to 36,500. The newest ten backups are always kept.",
    backup_megabytes: "1 to 10,000,000. The newest ten backups are always kept.",
  },
};

/** @typedef {keyof typeof SETTINGS.ranges} NumberName */
/** @typedef {"backup" | "nodes"} ChoiceName */
/**
 * How a setting is shown.
 * @typedef {object} Control
 * @property {HTMLInputElement | HTMLSelectElement} element
 * @property {() => number | string | null} read what the person chose; null if it can't be set
 * @property {string} refused what is the case when it can't
 */

/** @type {Record<NumberName, [number, number]>} */
const RANGES = { hold_seconds: [0, 60], backup_days: [1, 36_500], backup_megabytes: [1, 10_000_000] };

/** A whole number that can be set; null if it is none. @param {NumberName} name @param {string} text */
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
    "aria-label": label, title: SETTINGS.ranges[name],
  });
  return { element, read: () => readNumber(name, element.value), refused: SETTINGS.ranges[name] };
}

/** @param {ChoiceName} name @param {string} label @returns {Control} */
function choiceControl(name, label) {
  const options = Object.entries(SETTINGS[name]).map(([value, text]) => el("option", { value }, text));
  const element = el("select", { class: "cch-select", "aria-label": label }, ...options);
  return { element, read: () => element.value, refused: "" };
}

/** @param {keyof Settings} name @returns {name is ChoiceName} */
const isChoice = (name) => name === "backup" || name === "nodes";

class Field {
  #saved = "";
  #note = el("span", { class: "cch-2 cch-t12", role: "status" });

  /** @param {keyof Settings} name @param {string} label @param {(change: Partial<Settings>) => Promise<Status>} save */
  constructor(name, label, save) {
    this.name = name;
    this.save = save;
    this.control = isChoice(name) ? choiceControl(name, label) : numberControl(name, label);
    const { element } = this.control;
    // A list would show its first choice, as if that were what is set.
    element.value = this.#saved;
    element.disabled = true;
    element.addEventListener("change", () => void this.#changed());
    this.box = el("div", { class: "cch cch-setting" }, this.#note, element);
    // ComfyUI listens to bare keys.
    this.box.addEventListener("keydown", (event) => event.key !== "Escape" && event.key !== "Tab" && event.stopPropagation());
  }

  /** @param {Status} status */
  take({ settings }) {
    const { element } = this.control;
    const fixed = this.name === "nodes" && settings?.nodes_fixed === true;
    // What is being typed while another setting was saved is left alone.
    const typing = document.activeElement === element && element.value !== this.#saved;
    this.#saved = String(settings?.[this.name] ?? "");
    if (!typing) element.value = this.#saved;
    element.disabled = this.#saved === "" || fixed;
    if (!fixed) return;
    element.title = SETTINGS.fixedBy;
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
      this.#note.textContent = SETTINGS.saved;
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

  /** ComfyUI tells nobody that its settings were closed. */
  const forgetGone = () => (fields = new Set([...fields].filter(({ box }) => box.isConnected)));

  /** @param {Status} status */
  const take = (status) => {
    for (const field of fields) field.take(status);
    onStatus?.(status);
  };
  /** One reading for all that are drawn together. */
  function read() {
    reading ??= api.status().then(take).catch((error) => {
      for (const field of fields) field.refuse(error);
    }).finally(() => (reading = null));
    return reading;
  }

  return {
    /** @param {keyof Settings} name @param {string} label */
    field(name, label) {
      if (!reading) forgetGone();
      const field = new Field(name, label, async (change) => {
        const status = await api.saveSettings(change);
        take(status);
        return status;
      });
      fields.add(field);
      void read();
      return field.box;
    },

    /** Changed elsewhere: in another window, or with an answer to a workflow. */
    changed() {
      forgetGone();
      if (fields.size) void read();
    },
  };
}
