import assert from "node:assert/strict";
import { test } from "node:test";
import { Linter } from "eslint";
import { wordsRule } from "../../tools/words_rule.js";

/** The texts that the rule finds in some code. */
function found(code) {
  const plugins = { house: { rules: { words: wordsRule } } };
  const messages = new Linter().verify(code, { plugins, rules: { "house/words": "error" }, languageOptions: { ecmaVersion: 2022, sourceType: "module" } });
  return messages.map(({ message }) => /“([^”]*)”/.exec(message)?.[1] ?? message);
}

test("a text of the interface in the code is an error, wherever it is shown", () => {
  const planted = {
    'el("b", {}, "Deleted")': ["Deleted"],
    'el("b", {}, n > 1 && `${n} jobs`)': ["jobs"],
    'button({ label: bad ? "Try again" : "Done" })': ["Try again", "Done"],
    'element.textContent = "Loading…"': ["Loading…"],
    'node.data = left + " seconds"': ["seconds"],
    'const place = el("input", { placeholder: "Search", "aria-label": `Find ${what}` })': ["Search", "Find"],
    'element.setAttribute("aria-label", "Close")': ["Close"],
    'setTip(element, "Saved files stay.")': ["Saved files stay."],
    'iconButton("close", "Close", press)': ["Close"],
    'toasts.tell("error", { title: "Nothing was deleted" })': ["Nothing was deleted"],
    'const NOTHING = "Nothing was deleted"': ["Nothing was deleted"],
    'const words = { none: ["Keep nothing", "none of them is gone."] }': ["Keep nothing", "none of them is gone."],
    'const end = `${n} jobs were removed.`': ["jobs were removed."],
  };
  for (const [code, texts] of Object.entries(planted)) assert.deepEqual(found(code), texts, code);
});

test("keys of the catalogue, names of classes and keys, and messages of errors are no texts of the interface", () => {
  const code = `
    el("b", { class: "cch-card hd mid", role: "status" }, text("common.close"), " · ", icon("close", "cch-ib s"));
    iconButton("close", text("common.close"), press, "cch-ib field");
    if (event.key === "Escape" || ["ArrowUp", "Home"].includes(event.key)) throw new RangeError("There is no such key");
    const failed = new Error(\`No words for \${key}\`);
    root.setAttribute("role", "listbox");
    const name = \`\${title}\\u00a0· \${at}\`;
    const icons = { text: "file" };
    button({ label: text("list.done"), kind: "danger", icon: "trash" });
  `;
  assert.deepEqual(found(code), []);
});
