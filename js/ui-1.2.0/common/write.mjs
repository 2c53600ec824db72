// @ts-check
/** Writing into elements that serve again and again, where a change that changes nothing would still cost a layout. */

/**
 * The text of an element: in the text node it has, for a new one costs a new layout box.
 * @param {Element} element
 * @param {string} text
 */
export function writeText(element, text) {
  const node = element.firstChild;
  if (!(node instanceof window.Text)) element.textContent = text;
  else if (node.data !== text) node.data = text;
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function writeAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
