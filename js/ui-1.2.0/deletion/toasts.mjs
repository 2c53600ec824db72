// @ts-check
/** One toast for each deletion, updated from the hold to the result while no panel shows the deletion. */

import { sentences } from "../common/format.mjs";
import { text } from "../common/words.mjs";
import { canStop, isBegun, isEnding, isOpen, isSilent, progressWords, shownPhase } from "./entries.mjs";
import { named } from "./label.mjs";
import * as words from "./strings.mjs";

/** @import { Entry } from "../../../types/deletion" */
/** @import { Actions } from "../../../types/list" */
/** @import { Kind, Message, Toasts } from "../common/toasts.mjs" */
/** @import { Deletions } from "./controller.mjs" */
/** @import { ResultWords } from "./result_strings.mjs" */

/** How long a success that left some jobs is shown, in milliseconds. */
const LEFT_SHOWN_MS = 15_000;
/** ComfyUI shows a new toast within this time, in milliseconds. */
const SHOWN_MS = 100;

/** Quarters of a deletion that are done, 0 to 4. @param {Entry} entry */
export const quarters = ({ done, total }) => (total > 0 ? Math.floor((4 * Math.min(done, total)) / total) : 0);

/** The toasts on screen, at most one for each deletion. @param {Deletions} flow */
function createShown(flow) {
  /** Deletions whose toast may be on screen. @type {Set<Entry>} */
  const shown = new Set();

  /** @param {Entry} entry */
  function retire(entry) {
    if (shown.delete(entry)) entry.toast.dismiss();
  }

  /** Shows a toast, and closes those of deletions that have ended. @param {Entry} entry @param {Kind} kind @param {Message} message */
  function tell(entry, kind, message) {
    if (flow.isOnCard(entry)) return;
    for (const other of shown) if (other !== entry && !isOpen(other)) retire(other);
    shown.add(entry);
    entry.toast.show(kind, message);
  }

  /** Changes a toast, unless the person has closed it. @param {Entry} entry @param {Kind} kind @param {Message} message */
  function change(entry, kind, message) {
    if (shown.has(entry) && !flow.isOnCard(entry)) entry.toast.update(kind, message);
  }

  return {
    retire, tell, change,
    /** @param {Entry} entry */
    isShown: (entry) => shown.has(entry),
    /** Closes the toasts of deletions that a card shows, or that an open panel no longer shows. */
    settle() {
      for (const entry of shown) if (flow.isOnCard(entry) || (flow.isPanelOpen && !flow.entries.includes(entry))) retire(entry);
    },
  };
}

/** @param {Deletions} flow @param {Entry} entry */
const undoAction = (flow, entry) => ({ label: text("deletion.hold_undo"), press: () => flow.undo(entry), elsewhere: text("deletion.in_panel_undo") });

/** @param {Deletions} flow */
export const showAction = (flow) => ({ label: text("common.show"), press: flow.parts.openPanel, elsewhere: text("deletion.in_panel_show") });

/** @param {Deletions} flow @param {Entry} entry @returns {Message} */
function holdMessage(flow, entry) {
  const { now, today, toasts } = flow.parts;
  const left = Math.max(0, entry.deadline - now());
  return {
    // Read aloud once, so it names a time. On screen, the seconds then count down.
    title: words.holdAt(entry, today() + left),
    detail: named(entry, isEnding(entry) ? text("deletion.hold_over") : text("deletion.hold_text")),
    action: undoAction(flow, entry),
    // The server's clock ends the hold. A toast that cannot be replaced closes by itself.
    life: toasts.canAct() ? Infinity : left,
  };
}

/** @param {Deletions} flow @param {Entry} entry @returns {Message} */
function awayMessage(flow, entry) {
  const message = { title: entry.away, detail: named(entry, words.awayText(entry, flow.secondsLeft(entry))) };
  return entry.phase === "holding" ? { ...message, action: undoAction(flow, entry) } : message;
}

/** @param {Deletions} flow @param {Entry} entry @returns {Message} */
function progressMessage(flow, entry) {
  // A toast that cannot be replaced would still show its first count beside the result.
  const { title, text: more } = progressWords(entry, flow.secondsToWait(entry), flow.parts.toasts.canAct());
  const after = entry.stopping ? "" : text("deletion.keep_working");
  const message = { title, detail: named(entry, sentences([more, after])) };
  return canStop(entry) && !entry.stopping ? { ...message, action: { label: text("deletion.stop"), press: () => void flow.stop(entry), elsewhere: text("deletion.in_panel_stop") } } : message;
}

/**
 * Returns a function that says whether the toast of a deletion has to be shown again, because it cannot be changed and is no
 * longer true.
 * @param {Deletions} flow
 * @param {{isShown(entry: Entry): boolean}} shown
 */
function createOutdated(flow, shown) {
  /** The states of which the toasts have told. @type {WeakMap<Entry, string>} */
  const phases = new WeakMap();
  return (/** @type {Entry} */ entry) => {
    const phase = shownPhase(entry);
    const state = `${phase} ${isSilent(entry)}`;
    const isNew = state !== phases.get(entry);
    phases.set(entry, state);
    return isNew && shown.isShown(entry) && !flow.parts.toasts.canAct() && phase !== "due" && !isBegun(entry);
  };
}

/** The toast of a hold with the seconds that are left, or of the progress. @param {Deletions} flow @param {Entry} entry */
const counted = (flow, entry) =>
  entry.phase === "holding" || isEnding(entry) ? { ...holdMessage(flow, entry), title: words.holdTitle(entry, flow.secondsLeft(entry)) } : progressMessage(flow, entry);

/**
 * A card speaks about a deletion while a panel shows it, a toast otherwise. Never both.
 * @param {Deletions} flow
 */
export function createDeletionToasts(flow) {
  const shown = createShown(flow);
  const [{ tell, change }, isOutdated] = [shown, createOutdated(flow, shown)];
  const told = {
    ...shown,
    /** @param {Entry} entry */
    hold(entry) {
      if (!entry.mine) return;
      tell(entry, "info", holdMessage(flow, entry));
      flow.parts.schedule(() => told.tick(entry), SHOWN_MS);
    },

    /**
     * Counts on, on screen: the seconds of a hold, or the progress. Showing the toast again each time would be read aloud,
     * and would take the focus.
     * @param {Entry} entry
     */
    tick(entry) {
      if (!isOpen(entry) || !shown.isShown(entry) || flow.isOnCard(entry) || entry.away || entry.phase === "submitting") return;
      entry.toast.rewrite(counted(flow, entry));
    },

    /** @param {Entry} entry @param {boolean} [first] */
    progress(entry, first = false) {
      if (!entry.mine) return;
      if (entry.away) return tell(entry, "warning", awayMessage(flow, entry));
      if (isEnding(entry)) return told.tick(entry);
      (isOutdated(entry) || first ? tell : change)(entry, "loading", progressMessage(flow, entry));
    },

    /** @param {Entry} entry @param {ResultWords} result */
    result(entry, { kind, title, toast, lines, again: ids }) {
      const press = () => void flow.tryAgain(entry);
      const retry =
        entry.kind === "clear"
          ? { label: text("common.look_again"), press, elsewhere: text("deletion.in_panel_look_again") }
          : kind === "error" && ids.length > 0 && { label: text("common.try_again"), press, elsewhere: text("deletion.in_panel_try_again") };
      const action = retry || showAction(flow);
      const needsAction = kind !== "success" && kind !== "info";
      // Reading why jobs stay takes longer than reading that all are gone.
      const life = kind === "success" && lines.length > 0 && { life: LEFT_SHOWN_MS };
      tell(entry, kind, { title, detail: named(entry, toast), ...(needsAction && { action }), ...life });
    },

    /** Shows the toasts of the open deletions of this page, once no panel is open. */
    resume() {
      for (const entry of flow.entries) {
        if (entry.phase === "holding" && !entry.away) told.hold(entry);
        else if (isOpen(entry) && entry.phase !== "submitting") told.progress(entry, true);
      }
    },
  };
  return told;
}

/** Whether a deletion was sent, or may have been sent. @param {Entry} entry */
function isLate({ phase, result }) {
  if (phase !== "done") return phase !== "submitting" && phase !== "holding";
  return result !== null && !("outcome" in result && result.outcome === "failed");
}

/**
 * @param {object} parts
 * @param {Pick<Deletions, "entries" | "undo">} parts.deletions
 * @param {Pick<Toasts, "create">} parts.toasts
 * @returns {Actions["undo"]}
 */
export function createUndo({ deletions, toasts }) {
  const toast = toasts.create();
  return () => {
    if (deletions.undo() || deletions.entries.some(({ undoing }) => undoing)) return;
    const late = deletions.entries.find(isLate);
    const title = late ? words.tooLate(false).title : text("deletion.nothing_to_undo");
    // Nothing has been sent while a deletion waits for another or saves workflows.
    const follows = late?.sent && late.phase !== "done";
    toast.show("info", { title, ...(follows && { detail: words.tooLate(false).text }) });
  };
}
