// @ts-check
/** Creates elements without HTML strings, so that text is never parsed as markup. */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} [attributes] `on…` names are listeners
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/**
 * A Vue component without importing Vue: it renders one comment node, and `mount` inserts our element before that node.
 * @param {string} name
 * @param {(anchor: Node) => void} mount
 * @param {() => void} unmount
 */
export const hostComponent = (name, mount, unmount) => ({
  name,
  inheritAttrs: false,
  render: () => null,
  /** @this {{$el: Node}} */
  mounted() {
    mount(this.$el);
  },
  beforeUnmount: unmount,
});

/** The style sheets, in the order in which their rules win. */
const SHEETS = ["common", "list", "deletion", "details", "pages", "protection", "outputs", "viewer", "questions", "access"];

/** @type {Promise<unknown> | null} */
let styled = null;

/** Loads all style sheets once. Rejects if one fails to load; the next call loads all of them again. */
export function loadStyle() {
  /** @type {HTMLLinkElement[]} */
  const links = [];
  const load = (/** @type {string} */ name) =>
    new Promise((resolve, reject) => {
      const href = new URL(`../../style/${name}.css`, import.meta.url).href;
      const onerror = () => reject(new Error(`${href} can’t be loaded.`));
      links.push(el("link", { rel: "stylesheet", href, onload: resolve, onerror }));
    });
  styled ??= Promise.all(SHEETS.map(load)).catch((error) => {
    styled = null;
    for (const link of links) link.remove();
    throw error;
  });
  document.head.append(...links);
  return styled;
}

/** How large the browser's text is, compared with the usual 16 pixels. */
export const textScale = () => parseFloat(window.getComputedStyle(document.documentElement).fontSize) / 16 || 1;

/** Whether a key belongs to an input method that is composing text, such as the Escape that ends it. @param {{isComposing?: boolean, keyCode?: number}} event */
export const isComposing = ({ isComposing, keyCode }) => isComposing === true || keyCode === 229; // Safari sends only the code.

/** Reuses the element's text node, because a new one costs a new layout box. @param {Element} element @param {string} text */
export function writeText(element, text) {
  const node = element.firstChild;
  if (!(node instanceof window.Text)) element.textContent = text;
  else if (node.data !== text) node.data = text;
}

/** @param {Element} element @param {string} name @param {string} value */
export function writeAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
