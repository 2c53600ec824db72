// @ts-check
/** Line icons of 16 by 16 units in the colour of the surrounding text, hidden from screen readers. */

import { writeAttribute } from "./dom.mjs";

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
  audio: "M2.8 6.8v2.4M5.4 4.6v6.8M8 2.8v10.4M10.6 5v6M13.2 6.8v2.4",
  box: "M2 2.8h12v3.2H2zM3 6v6.2a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1V6M6.5 8.8h3",
  cancelled: `${RING}M3.8 12.2 12.2 3.8`,
  check: "M3.5 8.6 6.6 11.6 12.6 4.6",
  clean: "M13.6 2.4 9.4 6.6M6.5 5.9l3.6 3.6-2.9 4.2-4.9-4.9zM4.5 10.8l1.5-1.2M5.9 12.3l1-1.4",
  cloud: "M4.7 12.6a3.1 3.1 0 0 1-.3-6.2 4.1 4.1 0 0 1 7.8.9 2.7 2.7 0 0 1-.4 5.3z",
  cloudoff: "M4.7 12.6a3.1 3.1 0 0 1-.3-6.2c.1-.4.4-.9.7-1.3M7 3.8a4.1 4.1 0 0 1 5.2 3.5 2.7 2.7 0 0 1 1.4 4.3M11.2 12.6H4.7M2.5 2.5l11 11",
  copy: "M5.5 5.5h8v8h-8zM3.6 10.5h-.1a1 1 0 0 1-1-1v-6a1 1 0 0 1 1-1h6a1 1 0 0 1 1 1v.1",
  dn: "M3.8 6.2 8 10.4l4.2-4.2",
  down: "M8 2.4v7.6M4.8 7 8 10.2 11.2 7M2.8 13.3h10.4",
  expand: "M9.6 2.5h3.9v3.9M13.5 2.5 9.3 6.7M6.4 13.5H2.5V9.6M2.5 13.5l4.2-4.2",
  file: "M4 2.2h5l3.2 3.2v8.4H4zM9 2.2v3.2h3.2",
  filter: "M2.5 4.2h11M4.7 8h6.6M6.7 11.8h2.6",
  flow: "M2 2.4h5v4H2zM9 9.6h5v4H9zM7 4.4h2.4a2 2 0 0 1 2 2v3.2",
  history: "M2.7 2.9v3.2h3.2M2.9 6A5.5 5.5 0 1 1 2.6 9M8 5v3.2l2.2 1.3",
  image: "M4.1 2.5h7.8a1.6 1.6 0 0 1 1.6 1.6v7.8a1.6 1.6 0 0 1-1.6 1.6H4.1a1.6 1.6 0 0 1-1.6-1.6V4.1a1.6 1.6 0 0 1 1.6-1.6M7 6a1 1 0 1 1-2 0 1 1 0 0 1 2 0M3 12.2l3.2-3.3 2.4 2.2 1.7-1.6 2.9 2.6",
  lock: "M4.6 7.2h6.8a1.4 1.4 0 0 1 1.4 1.4v3.6a1.4 1.4 0 0 1-1.4 1.4H4.6a1.4 1.4 0 0 1-1.4-1.4V8.6a1.4 1.4 0 0 1 1.4-1.4M5.4 7.2V5a2.6 2.6 0 0 1 5.2 0v2.2",
  unlock: "M4.6 7.2h6.8a1.4 1.4 0 0 1 1.4 1.4v3.6a1.4 1.4 0 0 1-1.4 1.4H4.6a1.4 1.4 0 0 1-1.4-1.4V8.6a1.4 1.4 0 0 1 1.4-1.4M5.4 7.2V5a2.6 2.6 0 0 1 5-1",
  left: "M9.8 3.5 5.3 8l4.5 4.5",
  minus: "M4 8h8",
  more: "M4 8a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0M8.5 8a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0M13 8a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0",
  pending: `${RING}M8 4.7V8l2.2 1.4`,
  play: "M5.5 3.8v8.4L12 8z",
  refresh: "M13.4 8.6A5.5 5.5 0 1 1 12 4.2l1.5 1.5M13.5 2.6v3.1h-3.1",
  right: "M6.2 3.5 10.7 8l-4.5 4.5",
  save: "M13.5 7.6V4.1a1.6 1.6 0 0 0-1.6-1.6H4.1a1.6 1.6 0 0 0-1.6 1.6v7.8a1.6 1.6 0 0 0 1.6 1.6h3.7M7 6a1 1 0 1 1-2 0 1 1 0 0 1 2 0M3 12.2l3.2-3.3 1.6 1.5M11.6 9.4v4.4M9.6 11.9l2 2 2-2",
  search: "M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0M10.4 10.4 14 14",
  sort: "M5 13V3M2.5 5.5 5 3l2.5 2.5M11 3v10M8.5 10.5 11 13l2.5-2.5",
  stop: "M4 4h8v8H4z",
  undo: "M2.8 2.8v3.6h3.6M3 6.3A5.5 5.5 0 1 1 2.6 9",
  video: "M3.4 3.8H9a1.6 1.6 0 0 1 1.6 1.6v5.2A1.6 1.6 0 0 1 9 12.2H3.4a1.6 1.6 0 0 1-1.6-1.6V5.4a1.6 1.6 0 0 1 1.6-1.6M10.6 7l3.6-2.1v6.2L10.6 9",
};

/** @typedef {keyof typeof PATHS} IconName */

/** Point to the other side where people write from right to left. @type {Set<IconName>} */
const ARROWS = new Set(["left", "right"]);

/** @param {IconName} name @param {string} [className] */
export function icon(name, className = "") {
  const classes = [className, ARROWS.has(name) && "turns"].filter(Boolean).join(" ");
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  if (classes) svg.setAttribute("class", classes);
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** @param {Element} svg @param {IconName} name */
export function setIcon(svg, name) {
  const path = svg.firstElementChild;
  if (path) writeAttribute(path, "d", PATHS[name]);
}
