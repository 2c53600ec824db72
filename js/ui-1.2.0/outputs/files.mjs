// @ts-check
/** What the details and the page "Recently deleted" show of saved outputs. Names from the cloud are shown as text. */

import { asApiError } from "../api.mjs";
import { cut, hint, iconButton, linkButton, nameElement } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { clean, fileSize } from "../common/format.mjs";
import { KIND_ICONS, kindOf } from "../common/kinds.mjs";
import { icon } from "../common/icons.mjs";
import { errorLine } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { hasOutputs } from "./saved.mjs";
import { savedCount, savedSentence } from "./strings.mjs";

/** @import { Row, SavedFile, SavedOutputs } from "../../../types/wire" */
/** @import { HistoryApi } from "../api.mjs" */

const MAX_FILES = 200;

/** @param {string | null} folder @param {(text: string) => void} copy @returns {HTMLElement[]} */
const folderLine = (folder, copy) =>
  folder === null ? [] : [el("div", { class: "cch-folder" }, el("code", { class: "cch-any", dir: "ltr" }, clean(folder, 400)), iconButton("copy", text("outputs.saved_copy_folder"), () => copy(folder), "cch-ib s", "s14"))];

/**
 * Says how many outputs of a job are saved, and offers to save them.
 * @param {Row} job
 * @param {SavedOutputs | null} saved null: nothing is known
 * @param {() => void} ask
 * @param {(folder: string) => void} copy
 * @returns {HTMLElement[]} empty for a job without outputs
 */
export function savedPart(job, saved, ask, copy) {
  if (!hasOutputs(job)) return [];
  const there = saved?.files.filter(({ here }) => here).length ?? 0;
  const all = Math.max(job.outputs ?? 0, saved?.files.length ?? 0);
  const state = saved && there > 0 ? [hint("down", savedSentence(there, all)), ...folderLine(saved.folder, copy)] : [];
  return [...state, ...(there < all ? [el("div", {}, linkButton(text("outputs.ask"), ask))] : [])];
}

/** @param {SavedFile} file @param {() => void} view @param {() => void} download */
const fileLine = ({ name, size, here }, view, download) =>
  el(
    "li",
    {},
    icon(KIND_ICONS[kindOf(name)], "s14 cch-2"),
    el("span", { class: "cch-grow" }, nameElement(cut(clean(name))), el("span", { class: "cch-2" }, here ? fileSize(size) : text("outputs.saved_missing"))),
    here && linkButton(text("outputs.view"), view),
    here && iconButton("down", text("outputs.download"), download, "cch-ib s", "s14"),
  );

/**
 * The saved outputs of one job, which are read when they are shown.
 * @param {string} id of the job
 * @param {Pick<HistoryApi, "savedOutputs">} api
 * @param {{view(saved: SavedOutputs, number: number): void, download(saved: SavedOutputs, number: number): void, copy(folder: string): void}} actions
 */
export function savedFiles(id, api, { view, download, copy }) {
  const element = el("div", { class: "cch-files", role: "group", "aria-label": text("outputs.saved_outputs") }, el("p", { class: "cch-2" }, text("outputs.saved_loading")));
  const show = (/** @type {SavedOutputs} */ saved) => {
    const lines = saved.files.slice(0, MAX_FILES).map((file, number) => fileLine(file, () => view(saved, number), () => download(saved, number)));
    const count = el("p", { class: "cch-2" }, text("outputs.saved_count", { count: savedCount(saved, saved.files.length) }));
    element.replaceChildren(...(saved.files.length ? [count, ...folderLine(saved.folder, copy), el("ul", {}, ...lines)] : [el("p", { class: "cch-2" }, text("outputs.saved_none"))]));
  };
  api.savedOutputs(id).then(show, (error) => element.replaceChildren(hint("warning", errorLine(asApiError(error)), "cch-msg warn")));
  return element;
}
