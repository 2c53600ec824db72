// @ts-check
/** Giving the server an API key, looking at the one it has, and taking it away. */

import { button, el } from "../common/dom.mjs";
import { HistoryApiError, noKey } from "../api.mjs";
import { icon } from "../common/icons.mjs";
import { KeyForm, savedWords } from "./key_form.mjs";
import { banners, errorStep } from "../common/components.mjs";
import * as words from "../common/strings.mjs";

/** @typedef {import("../../../types/wire").Status} Status */
/** @typedef {import("../common/dialogs.mjs").Frame} Frame */

const { CONNECT, CONNECTION, COMMON } = words;

/** @param {Status} status @param {HTMLElement} state where the state of the connection is shown */
function facts(status, state) {
  const list = el("dl", { class: "cch-dl" }, el("dt", {}, CONNECTION.status), state);
  const rows = [[CONNECTION.key, words.keyWords(status)], [CONNECTION.server, status.host], [CONNECTION.version, status.version]];
  for (const [term = "", text = ""] of rows) list.append(el("dt", {}, term), el("dd", { dir: "auto" }, text));
  return list;
}

/** @param {HTMLElement} place @param {import("../common/icons.mjs").IconName} name @param {string} text @param {string} kind */
const showState = (place, name, text, kind) =>
  place.replaceChildren(el("span", { class: `cch-st ${kind}` }, icon(name, kind === "run" ? "spin" : ""), text));

export class ConnectSteps {
  /** @param {{api: import("../api.mjs").HistoryApi, toasts: import("../common/toasts.mjs").Toasts}} parts */
  constructor({ api, toasts }) {
    this.api = api;
    this.toasts = toasts;
  }

  /**
   * Asks for a key until one is saved. Resolves with the new status, or null if the person left.
   * @param {Frame} frame
   * @param {Status} status
   * @returns {Promise<Status | null>}
   */
  async askForKey(frame, status) {
    /** @type {(nothing: null) => void} */
    let finish = () => undefined;
    const done = new Promise((/** @type {(nothing: null) => void} */ resolve) => (finish = resolve));
    const onSaved = () => {
      if (form.saved) {
        const { kind, title, detail } = savedWords(form.saved);
        this.toasts.tell(kind, { title, ...(detail && { detail }) });
      }
      finish(null);
    };
    const onRefusedUnseen = (/** @type {string} */ detail) => this.toasts.tell("error", { title: CONNECT.notSaved, detail });
    const form = new KeyForm({ api: this.api, onSaved, onRefusedUnseen });
    await Promise.race([frame.show(form.view(banners(status, this.api))), done]);
    form.forget();
    return form.saved;
  }

  /** Connect, or look at the connection there is. @param {Frame} frame @returns {Promise<void>} */
  async manage(frame) {
    /** @type {Status | null} */
    let status = null;
    for (;;) {
      try {
        status = await this.api.status();
        if (!status.configured && status.can_connect === false) throw noKey(status);
        const answer = status.configured ? await this.#connection(frame, status) : "replace";
        if (answer === "replace") await this.askForKey(frame, status);
        if (answer === "remove") await this.#remove(frame);
        return;
      } catch (error) {
        if (!(error instanceof HistoryApiError)) throw error;
        if ((await errorStep(frame, error, status)) === null) return;
      }
    }
  }

  /** @param {Frame} frame @param {Status} status */
  #connection(frame, status) {
    const state = el("dd", { "aria-live": "polite" });
    const close = button({ label: COMMON.close, first: true, press: () => frame.close() });
    /** @type {import("../common/dialogs.mjs").ViewButton[]} */
    const changes = [
      { label: CONNECTION.remove, kind: "ghost", answer: "remove" },
      { label: CONNECTION.replace, answer: "replace" },
    ];
    void this.#test(state);
    return frame.show({
      title: CONNECTION.title,
      body: [...banners(status, this.api), facts(status, state)],
      buttons: [...(status.can_connect === false ? [] : changes), { label: "", element: close }],
      focus: close,
    });
  }

  /** Whether the key works is known only by using it: by counting. @param {HTMLElement} state */
  async #test(state) {
    showState(state, "running", CONNECTION.testing, "run");
    try {
      await this.api.preview();
      showState(state, "ok", CONNECTION.connected, "ok");
    } catch (error) {
      if (!(error instanceof HistoryApiError)) throw error;
      const refused = error.code === "unauthorized";
      if (refused) showState(state, "failed", CONNECTION.refused, "bad");
      else showState(state, "unknown", CONNECTION.notTested, "");
      state.append(el("div", { class: "cch-2", dir: "auto" }, words.errorLine(error)));
    }
  }

  /** @param {Frame} frame */
  async #remove(frame) {
    const answer = await frame.show({
      title: CONNECTION.removeTitle,
      body: [el("p", {}, CONNECTION.removeText)],
      buttons: [{ label: COMMON.cancel }, { label: CONNECTION.removeConfirm, answer: "remove" }],
    });
    if (answer !== "remove") return;
    await this.api.removeKey();
    this.toasts.tell("success", { title: CONNECTION.removed });
  }
}
