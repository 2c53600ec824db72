import assert from "node:assert/strict";
import { test } from "node:test";
import * as words from "#ui/outputs/strings.mjs";
import { failed, preview, save } from "./stage.js";

test("a run says its files, bytes, speed and remaining time, as far as they are known", () => {
  assert.equal(words.progressTitle(save()), "Saving outputs… 2 of 8 files");
  assert.equal(words.progressText(save()), "1.2 of 4.1 GB · 18 MB/s · about 3 min left");
  assert.equal(words.progressText(save({ bytes_done: 980e6 })), "980 MB of 4.1 GB · 18 MB/s · about 3 min left");
  assert.equal(words.progressText(save({ bytes: null, seconds_left: null, bytes_per_second: 0 })), "1.2 GB");
  assert.equal(words.progressTitle(save({ files: null })), "Saving outputs…");
});

test("the bar follows the bytes if all sizes are known, else the files", () => {
  assert.equal(words.shareDone(save({ bytes: 100, bytes_done: 25 })), 0.25);
  assert.equal(words.shareDone(save({ bytes: null })), 0.25);
  assert.equal(words.shareDone(save({ bytes: 100, bytes_done: 120 })), 1);
  assert.equal(words.shareDone(save({ bytes: null, files: null })), 0);
});

test("a result tells what was saved from what was here before, and never calls a part all", () => {
  const told = (rest) => Object.values(words.resultWords(save({ state: "done", saved: 0, already_here: 0, ...rest }))).join(" | ");
  assert.equal(told({ saved: 8 }), "8 files saved | In output/comfy-cloud.");
  assert.equal(told({ saved: 7, already_here: 1 }), "7 files saved | In output/comfy-cloud. 1 was already here.");
  assert.equal(told({ already_here: 8 }), "All 8 files were already here | In output/comfy-cloud.");
  assert.equal(told({ saved: 6, failed: failed(2) }), "6 of 8 files are here | In output/comfy-cloud.");
  assert.equal(told({ failed: failed(8) }), "No file was saved | ");
  assert.equal(told({ error: "The disk is full." }), "No file was saved | The disk is full.");
  assert.equal(told({ state: "stopped", saved: 2, already_here: 1 }), "Saving was stopped: 3 of 8 files are here | In output/comfy-cloud. 1 was already here.");
});

test("what was not saved is counted by the reason, the most frequent first", () => {
  const all = [...failed(2, "gone"), ...failed(3, "server error (500)"), ...["a", "b", "c", "d", "e"].flatMap((why) => failed(1, why))];
  assert.deepEqual(words.failedLines(save({ failed: all })).map(({ n, why }) => [n, why]), [[3, "server error (500)"], [2, "gone"], [1, "a"], [1, "b"], [1, "c"], [2, "for other reasons"]]);
  assert.deepEqual(words.failedLines(save({ failed: failed(1, "\u202egpj") })).map(({ why }) => why), ["\ufffdgpj"], "text of the server can’t turn the line around");
});

test("Try again counts the files, unless there may be more than the server tells of", () => {
  assert.equal(words.tryAgainLabel(save({ state: "done", failed: failed(2), jobs_left: 1 })), "Try again (2)");
  assert.equal(words.tryAgainLabel(save({ state: "done", failed: failed(200), jobs_left: 90 })), "Try again");
  assert.equal(words.tryAgainLabel(save({ state: "stopped", jobs_left: 2 })), "Save the rest");
  assert.equal(words.tryAgainLabel(save({ state: "done" })), "");
});

test("the dialog counts what would be saved: not what is here, and not what is gone", () => {
  const some = preview({ saved_files: 2, saved_bytes: 100e6, gone: [{ job_id: "a", filename: "x.png" }], gone_files: 1 });
  assert.deepEqual([words.filesToSave(some), words.sizeToSave(some)], [5, "4 GB"]);
  assert.equal(words.filesToSave(preview({ files: 10, saved_files: 5, gone_files: 5, files_to_save: 3 })), 3, "a file may be both here and gone");
  assert.equal(words.sizeToSave(preview({ bytes: null })), "size not known");
  assert.equal(words.goneWords(1), "1 output is no longer on Comfy Cloud and can’t be saved.");
});

test("too little space is said with both numbers, and only if it is certain", () => {
  const small = preview({ free_bytes: 2e9 });
  assert.equal(words.isTooLarge(small), true);
  assert.match(words.noSpaceText(small), /^8 files need 4\.1 GB, and 2 GB are free\./);
  assert.equal(words.isTooLarge(preview({ bytes: null, free_bytes: 0 })), false);
  assert.equal(words.isTooLarge(preview({ free_bytes: null })), false);
});

test("if there is nothing to save, the dialog says why", () => {
  assert.equal(words.nothingToSave(preview({ files: 0 })), "These jobs have no outputs.");
  assert.equal(words.nothingToSave(preview({ saved_files: 8 })), "All 8 outputs are already here, in output/comfy-cloud.");
  assert.equal(words.nothingToSave(preview({ files: 1, saved_files: 1 })), "The output is already here, in output/comfy-cloud.");
  assert.equal(words.nothingToSave(preview({ gone_files: 8 })), "Comfy Cloud no longer has these 8 outputs.");
  assert.match(words.nothingToSave(preview({ saved_files: 7, gone_files: 1 })), /^All 7 outputs are already here.* 1 output is no longer on Comfy Cloud/);
});

test("a question says what stays on the Cloud and what is here, from the facts", () => {
  const facts = { files: 312, bytes: 1.4e9, saved_files: 120, gone_files: 0, known: true, jobs_with_outputs: 40 };
  assert.deepEqual([words.staysWords(facts), words.hereWords(facts)], ["312 outputs, 1.4 GB", "120 of 312 outputs saved"]);
  assert.equal(words.staysWords({ ...facts, gone_files: 4, bytes: null }), "308 outputs");
  assert.deepEqual([0, 312].map((n) => words.hereWords({ ...facts, saved_files: n })), ["None of the 312 outputs is saved", "All 312 outputs are saved"]);
  assert.equal(words.goneFromCloud(4), "4 outputs are no longer on the Cloud.");
  assert.equal(words.goesWords(2, true), "Their workflows, times and errors; the workflows are kept in a backup");
});
