// @ts-check
/** Messages in place of an empty list, and banners above the list. */

import { button, card, externalLink } from "../common/components.mjs";
import { el } from "../common/dom.mjs";
import { icon } from "../common/icons.mjs";
import { busyWords, cloudWords, CLOUD_PAGE, errorWords, KEYS_PAGE, keyWords, readingErrorWords } from "../common/strings.mjs";
import { text } from "../common/words.mjs";
import { inForce } from "./filter.mjs";
import { clearFilters } from "./filter_popover.mjs";
import { allHeld, EMPTY, incompleteWords, noneInTab, nothingMatches, oldList, unreadableWords } from "./strings.mjs";

/** @import { Actions, Store } from "../../../types/list" */
/** @import { Child } from "../common/dom.mjs" */
/** @import { IconName } from "../common/icons.mjs" */

const MAX_BANNERS = 2;
const SKELETONS = 7;

/** @type {Record<string, IconName>} */
const ICONS = { missing_key: "cloud", unauthorized: "key", invalid_key: "key", forbidden: "key", unreachable: "cloudoff", comfyui_away: "cloudoff" };

/** @param {IconName} name @param {{title: string, text: string}} words @param {Child[]} extras @param {Child[]} [quotes] */
export const state = (name, { title, text: told }, extras, quotes = []) =>
  el(
    "div",
    { class: "cch-state" },
    el("span", { class: "ico" }, icon(name)),
    el("h3", {}, title),
    told && el("p", { dir: "auto" }, told),
    ...quotes,
    el("div", { class: "do" }, ...extras),
  );

/** @param {Store} store @param {Actions} actions */
function failed(store, actions) {
  const { error, status } = store;
  if (!error) return null;
  const { code } = error;
  const again = button({ label: text("common.try_again"), press: () => void store.refresh() });
  const says = cloudWords(error);
  const quote = says && el("div", { class: "cch-quote", dir: "auto" }, says);
  const fixed = status?.can_connect === false && ICONS[code] === "key";
  const name = ICONS[code] ?? "warning";
  if (code === "missing_key") {
    const connect = button({ label: text("connect.connect"), kind: "primary", press: actions.manageKey });
    return state(name, errorWords(error), [connect, externalLink(KEYS_PAGE, text("connect.get_key"))]);
  }
  const site = code === "subscription_inactive" && externalLink(CLOUD_PAGE, text("common.open_cloud"));
  const replace = ICONS[code] === "key" && !fixed && button({ label: text("connection.replace"), press: actions.manageKey });
  const where = fixed && status.source === "env" && el("p", { class: "cch-t12", dir: "auto" }, keyWords(status));
  return state(name, readingErrorWords(error), [replace, again, site], [where, quote].filter((each) => !!each));
}

/** Whether only a tab is chosen, so that nothing else can be the reason why the list is empty. @param {Store} store */
const isTabAlone = ({ choice }) => choice.tab !== "all" && !choice.search && !inForce(choice);

/** The title of the message in place of the jobs that match. @param {Store} store */
export const nothingTitle = (store) => (isTabAlone(store) ? noneInTab(store.choice.tab, !store.incomplete) : text("list.nothing_found"));

/** @param {Store} store @param {Actions} actions */
function nothingFound(store, actions) {
  const title = nothingTitle(store);
  if (isTabAlone(store)) return state("search", { title, text: "" }, [button({ label: text("list.show_all"), press: () => store.choose({ tab: "all" }) })]);
  const what = nothingMatches(store.choice, actions.currentWorkflow(), store.names.of);
  return state("search", { title, text: what }, [button({ label: text("list.clear_filters"), press: () => clearFilters(store) })]);
}

/** The message in place of an empty list; null if there are rows. @param {Store} store @param {Actions} actions */
export function wholeState(store, actions) {
  const { rows, loading, readAt, error, counts, held } = store;
  if (rows.length) return null;
  if (readAt === null && (loading || !error)) {
    const bars = Array.from({ length: SKELETONS }, () => el("div", { class: "cch-row wait" }, el("span", { class: "cch-skel box" }), el("span", { class: "cch-grow" }, el("span", { class: "cch-skel" }), el("span", { class: "cch-skel short" }))));
    return el("div", { class: "cch-wait", "aria-hidden": "true" }, ...bars);
  }
  if (readAt === null) return failed(store, actions);
  if (!counts.all) return state("history", EMPTY, [button({ label: text("list.refresh"), press: () => void store.refresh() })]);
  if (held.matching) return state("history", allHeld(held.groups), []);
  return nothingFound(store, actions);
}

/** The most serious banners first. @param {Store} store @param {HTMLElement[]} first banners made from the status @returns {HTMLElement[]} */
export function banners(store, first) {
  const { readAt, error, loading, incomplete, loaded, unreadable, doubt, status } = store;
  /** @type {(HTMLElement | false | null)[]} */
  const all = [...first];
  const again = (/** @type {string} */ label) => [button({ label, press: () => void store.refresh() })];
  if (error && readAt !== null) {
    const failure = errorWords(error);
    const words = incomplete ? failure : { title: failure.title, text: oldList(readAt) };
    all.unshift(card("cloudoff", "i-warn", words, undefined, again(text("common.try_again"))));
  } else if (incomplete && !loading) {
    all.unshift(card("warning", "i-warn", incompleteWords(loaded, doubt), undefined, again(text("list.read_again"))));
  } else if (unreadable && !loading) {
    all.push(card("warning", "i-warn", unreadableWords(unreadable), undefined, again(text("list.read_again"))));
  }
  const running = status?.running;
  if (running && running.origin === "node" && !status.hold_seconds) all.push(card("warning", "i-warn", busyWords("node")));
  return all.filter((each) => each instanceof window.HTMLElement).slice(0, MAX_BANNERS);
}
