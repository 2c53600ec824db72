import { register } from "node:module";

// main.js imports two modules that ComfyUI serves. In tests, they export the values of globalThis.comfyui.
const served = (name) => `data:text/javascript,${encodeURIComponent(`export const ${name} = globalThis.comfyui.${name};`)}`;
const hooks = `export const resolve = (specifier, context, next) => {
  const name = /^\\.\\.\\/\\.\\.\\/scripts\\/(app|api)\\.js$/.exec(specifier)?.[1];
  return name ? { url: ${JSON.stringify({ app: served("app"), api: served("api") })}[name], shortCircuit: true } : next(specifier, context);
};`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

/** Imports js/main.js with a ComfyUI that does nothing. */
export async function importMain() {
  const api = new globalThis.EventTarget();
  globalThis.comfyui ??= { api, app: { registerExtension: () => undefined } };
  return import("../../js/main.js");
}
