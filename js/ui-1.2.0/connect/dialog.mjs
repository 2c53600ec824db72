// @ts-check
/** Dialogs to enter, show and remove the API key. */

import { HistoryApiError, noKey } from "../api.mjs";
import { banners, button, errorStep, externalLink, facts, hint } from "../common/components.mjs";
import { el, isComposing } from "../common/dom.mjs";
import { sentences } from "../common/format.mjs";
import { icon } from "../common/icons.mjs";
import * as words from "../common/strings.mjs";
import { text } from "../common/words.mjs";

/** @import { SavedKey, Status } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */
/** @import { Frame, View, ViewButton } from "../common/dialogs.mjs" */
/** @import { Child } from "../common/dom.mjs" */
/** @import { IconName } from "../common/icons.mjs" */
/** @import { Toasts } from "../common/toasts.mjs" */

/** Characters that the server strips from both ends of a key: white space, quotes and invisible characters. */
const STRIPPED = /[\s"'`“”‘’«»\p{C}\p{Z}]/u;

/** States of a hold in which a change of the key undoes it. */
const UNSENT = new Set(["holding", "preparing", "waiting"]);

/** How often an open dialog about the key reads which deletions are open, in milliseconds. */
const FOLLOW_MS = 1000;

/** Strips pasted text as the server does. A loop, because one pattern for both ends is slow on long texts. @param {string} pasted */
function bareKey(pasted) {
  const characters = [...pasted];
  let [start, end] = [0, characters.length];
  while (start < end && STRIPPED.test(characters[start] ?? "")) start += 1;
  while (end > start && STRIPPED.test(characters[end - 1] ?? "")) end -= 1;
  return characters.slice(start, end).join("");
}

/** Whether text of at least 8 characters does not look like a Comfy Cloud key. @param {string} pasted */
export function looksUnusual(pasted) {
  const key = bareKey(pasted);
  return key.length >= 8 && !key.startsWith(words.KEY_PREFIX);
}

/** @param {HistoryApiError} error */
export const refusalWords = (error) => sentences([words.errorLine(error), error.extras.can_save_unchecked === true && text("connect.untested")]);

/** @param {SavedKey} saved @returns {{kind: "success" | "warning", title: string, detail: string}} */
export function savedWords({ checked, outranked, unusual }) {
  const title = checked ? text("connect.connected") : text("connect.saved_untested");
  const detail = outranked ? text("connect.outranked", { variable: words.KEY_VARIABLE }) : unusual ? text("connect.unusual", { prefix: words.KEY_PREFIX }) : "";
  return { kind: checked && !detail ? "success" : "warning", title, detail };
}

/** @param {Status} status */
const waitingHolds = ({ holds = [] }) => holds.filter(({ state }) => UNSENT.has(state));

/** The jobs of the deletions that a change of the key undoes. @param {Status} status */
const waitingJobs = (status) => waitingHolds(status).reduce((sum, { jobs }) => sum + jobs, 0);

/** The jobs of the deletions that were open before, and are undone. @param {Status} before @param {Status} after */
const undoneJobs = ({ holds = [] }, { undone = [] }) => holds.filter(({ id }) => undone.includes(id)).reduce((sum, { jobs }) => sum + jobs, 0);

/** What becomes of the jobs if the key is removed. @param {Status} status */
export function removalWords(status) {
  const waiting = waitingJobs(status);
  const { running, holds = [] } = status;
  const stops = holds.some(({ state }) => state === "sending") && text("connection.stops");
  // Without time to undo, or by a workflow, a deletion does not depend on the saved key once it has begun.
  const goesOn = running && !holds.some(({ id }) => id === running.operation) && text("connection.goes_on");
  const becomes = sentences([waiting > 0 && words.willBeUndone(waiting), stops, goesOn]);
  return sentences([becomes || text("connection.unchanged"), text("connection.connect_again")]);
}

class KeyForm {
  /** @type {SavedKey | null} */
  saved = null;
  #busy = false;
  #testLabel = text("connect.test");
  #message = el("div", { role: "alert" });
  #input = el("input", {
    type: "password", placeholder: text("connect.placeholder"), "aria-label": text("connect.label"), autofocus: true,
    autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    "data-1p-ignore": true, "data-bwignore": true, "data-lpignore": "true", "data-form-type": "other",
    oninput: () => this.#edited(),
    onkeydown: (event) => event.key === "Enter" && !isComposing(event) && void this.#save(false),
  });
  #box = el("label", { class: "cch-in" }, icon("key"), this.#input);
  #test = button({ label: text("connect.test"), kind: "primary", press: () => void this.#save(false) });
  #saveUntested = button({ label: text("connect.save_untested"), press: () => void this.#save(true) });

  /**
   * @param {object} options
   * @param {HistoryApi} options.api
   * @param {() => void} options.onSaving
   * @param {() => void} options.onSaved
   * @param {(text: string) => void} options.onRefusedUnseen called if the dialog was closed before the refusal arrived
   */
  constructor({ api, onSaving, onSaved, onRefusedUnseen }) {
    this.onSaving = onSaving;
    this.api = api;
    this.onSaved = onSaved;
    this.onRefusedUnseen = onRefusedUnseen;
    this.#saveUntested.hidden = true;
    this.#say("");
  }

  /** @param {Child[]} above @returns {View} */
  view(above) {
    const label = el("span", { "aria-hidden": "true" }, text("connect.label"));
    const link = externalLink(words.KEYS_PAGE, text("connect.get_key"));
    const print = el("div", { class: "cch-small" }, link, el("p", {}, text("connect.kept")), el("p", {}, text("connect.plan", { variable: words.KEY_VARIABLE })));
    return {
      title: text("connect.title"),
      width: 440,
      body: [...above, el("div", { class: "cch-lab" }, label, this.#box), this.#message, print],
      buttons: [
        { label: text("common.cancel"), kind: "ghost" },
        { label: "", element: this.#saveUntested },
        { label: "", element: this.#test },
      ],
      focus: this.#input,
    };
  }

  forget() {
    this.#input.value = "";
  }

  /** @param {string} told @param {"bad" | "warn"} [kind] */
  #say(told, kind = "warn") {
    const bad = Boolean(told) && kind === "bad";
    this.#box.classList.toggle("bad", bad);
    this.#input.setAttribute("aria-invalid", String(bad));
    this.#message.hidden = !told;
    this.#message.replaceChildren(...(told ? [hint(bad ? "failed" : "warning", told, `cch-msg ${kind}`)] : []));
  }

  #edited() {
    if (this.#busy) return;
    this.#offer(false);
    this.#say(looksUnusual(this.#input.value) ? text("connect.unusual", { prefix: words.KEY_PREFIX }) : "");
  }

  /** @param {boolean} untested whether saving without a test is offered */
  #offer(untested) {
    this.#saveUntested.hidden = !untested;
    this.#testLabel = untested ? text("connect.test_again") : text("connect.test");
    this.#test.replaceChildren(this.#testLabel);
  }

  /** @param {boolean} on */
  #setBusy(on) {
    this.#busy = on;
    this.#input.readOnly = on;
    for (const each of [this.#test, this.#saveUntested]) each.setAttribute("aria-disabled", String(on));
    this.#test.replaceChildren(...(on ? [icon("running", "s14 spin"), text("connect.testing")] : [this.#testLabel]));
  }

  /** @param {boolean} unchecked */
  async #save(unchecked) {
    if (this.#busy) return;
    this.#say("");
    this.#setBusy(true);
    try {
      this.onSaving();
      this.saved = await this.api.saveKey(this.#input.value, unchecked);
      this.onSaved();
    } catch (error) {
      if (!(error instanceof HistoryApiError)) throw error;
      this.#refuse(error);
    } finally {
      this.#setBusy(false);
    }
  }

  /** @param {HistoryApiError} error */
  #refuse(error) {
    const text = refusalWords(error);
    if (!this.#input.isConnected) return this.onRefusedUnseen(text);
    const untested = error.extras.can_save_unchecked === true;
    this.#offer(untested);
    this.#say(text, untested ? "warn" : "bad");
    this.#input.focus();
  }
}

/** Keeps true what an open dialog says about deletions, which go on meanwhile. */
class Follower {
  /** @param {HistoryApi} api @param {Status} status @param {(status: Status) => void} say called with each status */
  constructor(api, status, say) {
    this.api = api;
    this.status = status;
    this.say = say;
    say(status);
  }

  /** Follows until a promise is settled, and returns its value. @template Value @param {Promise<Value>} end @returns {Promise<Value>} */
  async until(end) {
    let [isOver, timer] = [false, 0];
    const read = () => this.api.status().then((latest) => isOver || this.#take(latest), () => undefined);
    const follow = () =>
      void read().then(() => {
        if (!isOver) timer = Number(setTimeout(follow, FOLLOW_MS));
      });
    follow();
    try {
      return await end;
    } finally {
      isOver = true;
      clearTimeout(timer);
    }
  }

  /** @param {Status} status */
  #take(status) {
    this.status = status;
    this.say(status);
  }
}

/** Sets a text that is read out when it changes. @param {Element} element @param {string} told */
function say(element, told) {
  if (element.textContent !== told) element.textContent = told;
}

/** @param {HTMLElement} place @param {IconName} name @param {string} text @param {string} kind */
const showState = (place, name, text, kind) =>
  place.replaceChildren(el("span", { class: `cch-st ${kind}` }, icon(name, kind === "run" ? "spin" : ""), text));

export class ConnectSteps {
  /** @param {{api: HistoryApi, toasts: Toasts, onChanging?: () => void}} parts `onChanging`: called before another key is saved, or the key is removed */
  constructor({ api, toasts, onChanging = () => undefined }) {
    this.onChanging = onChanging;
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
    const said = el("span", { dir: "auto" });
    const note = el("p", { class: "cch-hint", "aria-live": "polite" }, icon("info"), said);
    const follower = new Follower(this.api, status, (latest) => {
      const waiting = waitingJobs(latest);
      note.hidden = !waiting;
      say(said, waiting ? words.willBeUndone(waiting) : "");
    });
    const onSaved = () => {
      if (form.saved) {
        const { kind, title, detail } = savedWords(form.saved);
        const undone = undoneJobs(follower.status, form.saved);
        const more = sentences([detail, undone > 0 && words.wasUndone(undone)]);
        this.toasts.tell(kind, { title, ...(more && { detail: more }) });
      }
      finish(null);
    };
    const onRefusedUnseen = (/** @type {string} */ detail) => this.toasts.tell("error", { title: text("connect.not_saved"), detail });
    const form = new KeyForm({ api: this.api, onSaving: this.onChanging, onSaved, onRefusedUnseen });
    const about = [...banners(status, this.api), note];
    await follower.until(Promise.race([frame.show(form.view(about)), done]));
    form.forget();
    return form.saved;
  }

  /** Shows the connection, or asks for a key if there is none. @param {Frame} frame @returns {Promise<void>} */
  async manage(frame) {
    /** @type {Status | null} */
    let status = null;
    for (;;) {
      try {
        status = await this.api.status();
        if (!status.configured && status.can_connect === false) throw noKey(status);
        const answer = status.configured ? await this.#connection(frame, status) : "replace";
        if (answer === "replace") await this.askForKey(frame, status);
        if (answer === "remove") await this.#remove(frame, status);
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
    const close = button({ label: text("common.close"), first: true, press: () => frame.close() });
    /** @type {ViewButton[]} */
    const changes = [
      { label: text("connection.remove"), kind: "ghost", answer: "remove" },
      { label: text("connection.replace"), answer: "replace" },
    ];
    const about = facts([[text("connect.label"), words.keyWords(status)], [text("connection.server"), status.host], [text("connection.version"), status.version]]);
    about.prepend(el("dt", {}, text("connection.status")), state);
    void this.#test(state);
    return frame.show({
      title: text("connection.title"),
      body: [...banners(status, this.api), about],
      buttons: [...(status.can_connect === false ? [] : changes), { label: "", element: close }],
      focus: close,
    });
  }

  /** Tests the key by previewing a clear, which deletes nothing. @param {HTMLElement} state */
  async #test(state) {
    showState(state, "running", text("connect.testing"), "run");
    try {
      // Without a backup, only counts are read, however long the history is.
      await this.api.preview({ clear: true, backup: false });
      showState(state, "ok", text("connection.connected"), "ok");
    } catch (error) {
      if (!(error instanceof HistoryApiError)) throw error;
      const refused = error.code === "unauthorized";
      if (refused) showState(state, "failed", text("connection.refused"), "bad");
      else showState(state, "unknown", text("connection.not_tested"), "");
      state.append(el("div", { class: "cch-2", dir: "auto" }, words.errorLine(error)));
    }
  }

  /** @param {Frame} frame @param {Status} status */
  async #remove(frame, status) {
    const becomes = el("p", { "aria-live": "polite" });
    const follower = new Follower(this.api, status, (latest) => say(becomes, removalWords(latest)));
    const asked = frame.show({
      title: text("connection.remove_title"),
      body: [becomes],
      buttons: [{ label: text("common.cancel") }, { label: text("connection.remove_confirm"), answer: "remove" }],
    });
    if ((await follower.until(asked)) !== "remove") return;
    this.onChanging();
    const undone = undoneJobs(follower.status, await this.api.removeKey());
    this.toasts.tell("success", { title: text("connection.removed"), ...(undone && { detail: words.wasUndone(undone) }) });
  }
}
