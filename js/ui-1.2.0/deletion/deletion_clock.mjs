// @ts-check
/** The seconds of a hold, and looking now and then at what a deletion has come to in case an event was missed. */

import { LOST } from "../common/strings.mjs";
import { advance, isOpen, LOOK_EVERY } from "./entries.mjs";
import { HOLD } from "./strings.mjs";

/** @typedef {import("../../../types/deletions").Entry} Entry */

/** Looks that ComfyUI leaves unanswered before a deletion is given up: two minutes. */
const MAX_SILENCES = 30;
const LAST_SECONDS = 5;

/**
 * @param {object} options
 * @param {import("./controller.mjs").Deletions} options.flow
 * @param {{status(): Promise<import("../../../types/wire").Status>}} options.api
 * @param {() => number} options.now
 * @param {(run: () => void, milliseconds: number) => void} options.schedule
 */
export function createClock({ flow, api, now, schedule }) {
  let running = false;

  /** @param {Entry} entry */
  function lookAt(entry) {
    if (now() < entry.nextLook) return;
    entry.nextLook = now() + LOOK_EVERY;
    api.status().then(
      (status) => {
        entry.silences = 0;
        flow.adopt(status);
      },
      () => {
        entry.silences += 1;
        if (entry.silences >= MAX_SILENCES && isOpen(entry)) flow.giveUp(entry, LOST);
      },
    );
  }

  /** @param {Entry} entry */
  function tick(entry) {
    const seconds = flow.secondsLeft(entry);
    if (entry.waitsUntil && !flow.secondsToWait(entry)) {
      entry.waitsUntil = 0;
      flow.tell.progress(entry);
    }
    if (entry.phase !== "holding") return lookAt(entry);
    if (seconds === 0) {
      advance(entry, "sending");
      entry.nextLook = now() + LOOK_EVERY;
      flow.tell.progress(entry);
      flow.change();
    } else if (!entry.warned && seconds <= LAST_SECONDS) {
      entry.warned = true;
      flow.tell.hold(entry, seconds, false);
      flow.say(HOLD.soon);
    }
  }

  /** Goes on as long as something is open, on the seconds of the newest hold. */
  function run() {
    const open = flow.entries.find(isOpen);
    if (running || !open) return;
    running = true;
    const rest = open.phase === "holding" ? (open.deadline - now()) % 1000 : 0;
    schedule(() => {
      running = false;
      for (const entry of flow.entries) if (isOpen(entry) && !entry.answering) tick(entry);
      flow.render();
      run();
    }, rest > 0 ? rest : 1000);
  }

  return { run };
}
