import js from "@eslint/js";
import { wordsRule } from "./tools/words_rule.js";

const browser = Object.fromEntries(
  [
    "AbortController", "Blob", "CustomEvent", "Document", "Element", "Event", "HTMLElement", "HTMLInputElement", "KeyboardEvent",
    "Node", "Response", "URL", "clearTimeout", "document", "performance", "setTimeout", "window",
  ].map((name) => [name, "readonly"]),
);
const node = { ...browser, DOMException: "readonly", setImmediate: "readonly" };
/** The rooms of js/ui-<version>/, top to bottom: each imports from those below it. */
const rooms = [
  "app", "settings", "cleanup", "audit", "viewer", "details", "list", "approval", "deletion", "outputs", "connect", "protection", "common", "api",
];
const comfyui = { group: ["**/scripts/*"], message: "Only main.js knows ComfyUI's modules." };
const above = (names) => ({
  group: ["**/main.js", ...names.flatMap((name) => [`**/${name}.mjs`, `**/${name}/*`])],
  message: "Imports point down only: see the rooms in eslint.config.js.",
});
const asText = "Text from the cloud is shown as text: use textContent.";

export default [
  { ignores: [".cache/", "**/node_modules/", ".venv/", ".frontends/", "**/*.d.ts", "types/"] },
  js.configs.recommended,
  {
    files: ["js/**/*.js", "js/**/*.mjs"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: browser },
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-restricted-globals": ["error", "localStorage", "sessionStorage", "fetch"],
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: asText },
        { property: "outerHTML", message: asText },
        { property: "insertAdjacentHTML", message: asText },
      ],
      "max-lines": ["error", 500],
      "max-lines-per-function": ["error", { max: 40, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["js/**/*.js", "js/**/*.mjs"],
    ignores: ["js/main.js"],
    rules: { "no-restricted-imports": ["error", { patterns: [comfyui] }] },
  },
  {
    files: ["js/ui-*/**/*.mjs"],
    plugins: { house: { rules: { words: wordsRule } } },
    rules: { "house/words": "error" },
  },
  ...rooms.map((room, at) => ({
    files: [`js/ui-*/${room}.mjs`, `js/ui-*/${room}/**`],
    rules: { "no-restricted-imports": ["error", { patterns: [comfyui, above(rooms.slice(0, at))] }] },
  })),
  {
    files: ["tests/js/**/*.js", "eslint.config.js", "tests/browser/*.js", "tools/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: node },
    rules: { eqeqeq: "error", "prefer-const": "error" },
  },
];
