// @ts-check
/** Line icons on a 16 by 16 field, in the colour of the text around them, hidden from screen readers. */

const RING = "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0";

const PATHS = {
  close: "M4 4l8 8M12 4l-8 8",
  external: "M9.6 2.5h3.9v3.9M13.5 2.5 7.6 8.4M11.5 9.6v2.9a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1h2.9",
  failed: `${RING}M8 4.9v3.7M8 11h.01`,
  info: `${RING}M8 7.4v3.6M8 5h.01`,
  key: "M7.9 10.8a2.7 2.7 0 1 1-5.4 0 2.7 2.7 0 0 1 5.4 0M7.2 8.8l6-6M11 5l1.9 1.9M9 7l1.2 1.2",
  ok: `${RING}M5.4 8.3 7.2 10l3.5-3.9`,
  running: "M8 2a6 6 0 1 1-6 6",
  trash:
    "M2.5 4.4h11M6 4.4V3.1a.8.8 0 0 1 .8-.8h2.4a.8.8 0 0 1 .8.8v1.3M4 4.4l.5 8.3a1 1 0 0 0 1 .9h5a1 1 0 0 0 1-.9l.5-8.3" +
    "M6.7 7.2v3.7M9.3 7.2v3.7",
  unknown: `${RING}M6.3 6.3a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.9.6-.9 1.1M8 11.2h.01`,
  warning: "M8 2.4 14.2 13.2H1.8zM8 6.4v3M8 11.2h.01",
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * @param {IconName} name
 * @param {string} [className]
 */
export function icon(name, className = "") {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  if (className) svg.setAttribute("class", className);
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
