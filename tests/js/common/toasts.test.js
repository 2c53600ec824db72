import assert from "node:assert/strict";
import { test } from "node:test";
import { createToasts } from "#ui/common/toasts.mjs";

function newHost() {
  const calls = [];
  const record = (kind) => (title, options) => calls.push({ kind, title, ...options });
  const host = Object.fromEntries(["success", "error", "info", "warning", "loading"].map((kind) => [kind, record(kind)]));
  return { calls, host: { ...host, dismiss: (id) => calls.push({ kind: "dismiss", id }), add: () => assert.fail("add on a new frontend") } };
}

function oldHost() {
  const [added, removed] = [[], []];
  return { added, removed, host: { add: (message) => added.push(message), remove: (message) => removed.push(added.indexOf(message)) } };
}

test("the toast of a running deletion is replaced by its result", () => {
  const { calls, host } = newHost();
  const toast = createToasts(() => host).create();
  toast.show("loading", { title: "Clearing", detail: "wait" });
  toast.show("success", { title: "Done" });
  assert.deepEqual(calls.map(({ kind, title }) => [kind, title]), [["loading", "Clearing"], ["success", "Done"]]);
  assert.equal(calls[0].id, calls[1].id);
  assert.equal(calls[0].description, "wait");
  assert.equal(calls[0].duration, undefined);
});

test("the text of a toast changes on screen without showing the toast again, which would be read aloud", () => {
  const texts = [{ data: "Held at 10:00" }, { data: "Nothing has been sent" }];
  let at = -1;
  globalThis.window = { NodeFilter: { SHOW_TEXT: 4 } };
  globalThis.document = {
    querySelectorAll: () => [{}],
    createTreeWalker: () => ((at = -1), { nextNode: () => ++at < texts.length, get currentNode() { return texts[at]; } }),
  };
  const { calls, host } = newHost();
  const toast = createToasts(() => host).create();
  toast.show("info", { title: "Held at 10:00.", detail: "Nothing has been sent", action: { label: "Undo", press: () => undefined, elsewhere: "" } });
  for (const title of ["Held, 9 s", "Held, 8 s"]) toast.rewrite({ title, detail: "Nothing has been sent." });
  assert.deepEqual(texts.map(({ data }) => data), ["Held, 8 s", "Nothing has been sent."]);
  assert.equal(calls.length, 1);
  texts[0].data = "Another toast";
  toast.rewrite({ title: "Held, 7 s" });
  assert.equal(texts[0].data, "Another toast", "a toast that is not found keeps its title");
});

test("a toast that the person closed is not shown again by the next update", () => {
  const { calls, host } = newHost();
  let open = true;
  const toast = createToasts(() => ({ ...host, dismiss: () => open })).create();
  toast.show("info", { title: "Held" });
  toast.update("loading", { title: "Sending" });
  open = false;
  toast.update("loading", { title: "Checking" });
  toast.show("success", { title: "Done" });
  assert.deepEqual(calls.map(({ title }) => title), ["Held", "Sending", "Done"]);
});

test("success toasts close by themselves; warnings and errors stay open", () => {
  const { calls, host } = newHost();
  const toasts = createToasts(() => host);
  for (const kind of ["success", "warning", "error"]) toasts.tell(kind, { title: kind });
  assert.deepEqual(calls.map(({ duration }) => duration), [3000, undefined, undefined]);
});

test("where a toast would cover the panel, the panel shows warnings and errors, and toasts only what closes by itself", () => {
  const { calls, host } = newHost();
  const taken = [];
  const toasts = createToasts(() => host, (kind, { title }) => taken.push([kind, title]) > 0);
  for (const kind of ["success", "warning", "error", "info"]) toasts.tell(kind, { title: "t" });
  assert.deepEqual(taken, [["warning", "t"], ["error", "t"]]);
  assert.deepEqual(calls.map(({ kind }) => kind), ["success", "info"]);
});

test("two messages are two toasts, and neither replaces the other", () => {
  const { calls, host } = newHost();
  const toasts = createToasts(() => host);
  toasts.tell("info", { title: "a" });
  toasts.tell("info", { title: "b" });
  assert.notEqual(calls[0].id, calls[1].id);
});

test("pressing the button of a toast closes the toast and runs the action", () => {
  const { calls, host } = newHost();
  let pressed = 0;
  createToasts(() => host).tell("warning", { title: "t", action: { label: "Look again", press: () => pressed++, elsewhere: "" } });
  assert.equal(calls[0].action.label, "Look again");
  calls[0].action.onClick();
  assert.equal(pressed, 1);
  assert.deepEqual(calls[1], { kind: "dismiss", id: calls[0].id });
});

test("ComfyUI reads title, text and button of a toast as sentences, so the pack adds no second full stop", () => {
  const { calls, host } = newHost();
  const toasts = createToasts(() => host);
  toasts.tell("info", { title: "Held.", detail: "Nothing was sent.", action: { label: "Undo", press: () => undefined, elsewhere: "" } });
  toasts.tell("info", { title: "Ended", detail: "Assets stay." });
  toasts.tell("info", { title: "Reading…", detail: "Reading...", action: { label: "Stop", press: () => undefined, elsewhere: "" } });
  const spoken = calls.map(({ title, description, action }) => [title, description, action?.label].filter(Boolean).join(". "));
  assert.deepEqual(spoken, ["Held. Nothing was sent. Undo", "Ended. Assets stay.", "Reading…. Reading.... Stop"]);
});

test("on an old frontend each text of a deletion replaces the toast before it", () => {
  const { added, removed, host } = oldHost();
  const toast = createToasts(() => host).create();
  toast.show("info", { title: "Held", life: 7000 });
  toast.show("loading", { title: "Clearing" });
  toast.update("loading", { title: "Checking" });
  toast.show("warning", { title: "Some left", detail: "Look again." });
  toast.dismiss();
  assert.equal(createToasts(() => host).canAct(), false);
  assert.deepEqual(removed, [0, 1, 2]);
  assert.deepEqual(added, [
    { severity: "info", summary: "Held", life: 7000 },
    { severity: "info", summary: "Clearing", life: 4000 },
    { severity: "warn", summary: "Some left", detail: "Look again." },
  ]);
});

test("an old toast, which has no button, says where else the person can do it, and stays long enough to be read", () => {
  const { added, host } = oldHost();
  const toasts = createToasts(() => host);
  const stop = { label: "Stop", press: () => undefined, elsewhere: "Open Cloud history to stop it." };
  toasts.create().show("loading", { title: "Backing up", detail: "Nothing has been deleted yet.", action: stop });
  toasts.create().show("loading", { title: "Backing up", detail: "2 jobs", action: stop });
  toasts.create().show("loading", { title: "Backing up", action: stop });
  assert.deepEqual(added.map(({ detail }) => detail), [
    "Nothing has been deleted yet. Open Cloud history to stop it.",
    "2 jobs. Open Cloud history to stop it.",
    "Open Cloud history to stop it.",
  ]);
  assert.deepEqual(added.map(({ life }) => life), [10_000, 10_000, 10_000]);
  const { calls, host: now } = newHost();
  createToasts(() => now).tell("warning", { title: "Backing up", detail: "2 jobs.", action: stop });
  assert.equal(calls[0].description, "2 jobs", "a toast with a button has no need to say so");
});

test("an old toast that stays is replaced once its text is no longer true", () => {
  const { added, removed, host } = oldHost();
  const toast = createToasts(() => host).create();
  toast.show("warning", { title: "ComfyUI doesn’t answer" });
  toast.update("loading", { title: "Deleting" });
  toast.update("loading", { title: "Checking" });
  assert.deepEqual([added.map(({ summary }) => summary), removed], [["ComfyUI doesn’t answer", "Deleting"], [0]]);
});

test("a failed deletion is never shown as a success toast", () => {
  const { added, host } = oldHost();
  createToasts(() => host).tell("error", { title: "No job was removed" });
  assert.equal(added[0].severity, "error");
  assert.equal(added[0].life, undefined);
});
