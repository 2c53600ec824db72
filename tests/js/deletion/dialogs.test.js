import assert from "node:assert/strict";
import { test } from "node:test";
import { beforeOption, isKept, proposedKind } from "#ui/deletion/before.mjs";
import { beforeChoice } from "#ui/deletion/dialogs.mjs";
import { createPage } from "../viewer/page.js";

const listOf = (choice) => [...choice.all()].find(({ tag }) => tag === "select");
const chosen = (choice) => listOf(choice).children.find(({ attributes }) => "selected" in attributes)?.attributes.value;
const choose = (choice, value) => listOf(choice).fire("change", { target: { value } });
const LIMITS = { backup: "workflows", backup_days: 90, backup_megabytes: 1000 };

/** A page, and the texts in it that can change, in the order in which they were made. */
function page() {
  createPage();
  const nodes = [];
  globalThis.document.createTextNode = (data) => (nodes.push({ data }), nodes.at(-1));
  return nodes;
}

function option(question, kind, settings, outputs) {
  const nodes = page();
  const told = [];
  const element = beforeOption(question, kind, (next) => told.push(next), settings, outputs);
  const [size, promise] = nodes;
  return { element, told, size, promise };
}

test("the choice of what is kept starts with the setting, and stays when the preview is repeated", () => {
  page();
  const request = { preview: { backup: "outputs", removable: 2 } };
  assert.equal(chosen(beforeChoice(request)), "outputs");
  assert.equal(request.backup, "outputs");
  choose(beforeChoice(request), "off");
  assert.equal(request.backup, "off");
  assert.equal(chosen(beforeChoice(request)), "off");
});

test("a server that only tells whether the setting is on proposes the setting’s own value", () => {
  assert.equal(proposedKind(true, LIMITS), "workflows");
  assert.equal(proposedKind(true, { ...LIMITS, backup: "outputs" }), "outputs");
  assert.equal(proposedKind(true), "workflows");
  assert.equal(proposedKind(false, { ...LIMITS, backup: "outputs" }), "off");
  assert.deepEqual([undefined, "off", "workflows", "outputs"].map(isKept), [false, false, true, true]);
});

test("no choice is shown if the server keeps nothing", () => {
  page();
  const request = { preview: {} };
  assert.equal(beforeChoice(request), null);
  assert.equal(request.backup, undefined, "the request has no field backup");
});

test("the person can keep workflows, workflows and outputs, or nothing, in this order", () => {
  const { element } = option({ removable: 2 }, "workflows");
  assert.match(element.textContent, /^Before they go/);
  assert.deepEqual(listOf(element).children.map((each) => [each.attributes.value, each.textContent]), [["workflows", "Keep their workflows"], ["outputs", "Keep their workflows and outputs"], ["off", "Keep nothing"]]);
  assert.equal(listOf(option({ removable: 1 }, "off").element).children[1].textContent, "Keep its workflow and outputs");
});

test("the choice says what it promises, and what is lost if nothing is kept", () => {
  const estimate = { workflows: 2, size: 9_000, seconds: 2, least_seconds: 1 };
  const { element, told, size, promise } = option({ removable: 2, backup_estimate: estimate }, "workflows");
  assert.deepEqual([size.data, promise.data], ["2 workflows, about 9 KB, a few seconds", "Kept on this server. Reopen them from Recently deleted."]);
  choose(element, "off");
  assert.deepEqual([size.data, promise.data], ["", "There will be no backup, and nothing to reopen from Recently deleted."]);
  choose(element, "outputs");
  assert.equal(promise.data, "Their outputs are saved here first. A job whose outputs are not all here and checked is not deleted. Their workflows: kept on this server. Reopen them from Recently deleted.");
  assert.deepEqual(told, ["off", "outputs"]);
});

test("the choice says how long a backup is kept, by the settings", () => {
  const kept = "for 90 days, or less if all backups together exceed 1,000 MB";
  assert.ok(option({ removable: 2 }, "workflows", LIMITS).promise.data.includes(`Kept on this server ${kept}. Reopen them`));
  assert.ok(option({ removable: 2 }, "outputs", { ...LIMITS, backup_days: 1, backup_megabytes: 5 }).promise.data.includes("kept on this server for 1 day, or less if all backups together exceed 5 MB."));
});

test("the choice names the folder of outputs, or says why there is none", () => {
  const says = (outputs) => option({ removable: 2 }, "outputs", undefined, outputs).promise.data;
  assert.match(says({ place: "output/comfy-cloud", problem: null }), /^Their outputs are saved in output\/comfy-cloud first\. A job/);
  assert.match(says({ place: null, problem: { code: "no_output_folder", message: "There is no folder.", hint: "Name one." } }), /^There is no folder\. Name one\. Their workflows:/);
});

test("a question about one job speaks of one workflow", () => {
  assert.equal(option({ removable: 1 }, "workflows").promise.data, "Kept on this server. Reopen it from Recently deleted.");
  assert.equal(option({ removable: 1 }, "outputs").promise.data, "Its outputs are saved here first. If they are not all here and checked, the job is not deleted. Its workflow: kept on this server. Reopen it from Recently deleted.");
});
