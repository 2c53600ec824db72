/** As much of a page as the viewer needs. */

class FakeText {
  constructor(text) {
    this.textContent = String(text);
  }
  replaceWith(text) {
    this.textContent = String(text);
  }
}

class FakeElement {
  attributes = {};
  listeners = {};
  childNodes = [];
  parent = null;
  open = false;
  className = "";
  style = {};
  classes = new Set();
  classList = { toggle: (name, on) => void (on ? this.classes.add(name) : this.classes.delete(name)) };

  constructor(tag) {
    this.tag = tag;
  }

  get children() {
    return this.childNodes.filter((child) => child instanceof FakeElement);
  }
  get firstElementChild() {
    return this.children[0] ?? null;
  }
  get firstChild() {
    return this.childNodes[0] ?? null;
  }
  get lastChild() {
    return this.childNodes.at(-1) ?? null;
  }
  get textContent() {
    return this.childNodes.map((child) => child.textContent).join("");
  }
  set textContent(text) {
    this.childNodes = text === "" ? [] : [new FakeText(text)];
  }
  append(...children) {
    for (const child of children) {
      const node = child instanceof FakeElement ? child : new FakeText(child);
      if (node instanceof FakeElement) node.parent = this;
      this.childNodes.push(node);
    }
  }
  prepend(...children) {
    this.replaceChildren(...children, ...this.childNodes);
  }
  replaceChildren(...children) {
    for (const child of this.children) child.parent = null;
    this.childNodes = [];
    this.append(...children);
  }
  before(...nodes) {
    const { parent } = this;
    for (const node of nodes) node.parent = parent;
    parent.childNodes.splice(parent.childNodes.indexOf(this), 0, ...nodes);
  }
  remove() {
    if (this.parent) this.parent.childNodes = this.parent.childNodes.filter((child) => child !== this);
    this.parent = null;
  }
  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  removeAttribute(name) {
    delete this.attributes[name];
    if (name === "src") delete this.src;
  }
  toggleAttribute(name, on) {
    if (on) this.attributes[name] = "";
    else delete this.attributes[name];
  }
  addEventListener(type, listener) {
    (this.listeners[type] ??= []).push(listener);
  }
  fire(type, event = {}) {
    for (const listener of this.listeners[type] ?? []) listener(event);
  }
  *all() {
    for (const child of this.children) {
      yield child;
      yield* child.all();
    }
  }
  querySelector(selector) {
    const tags = selector.split(", ");
    return [...this.all()].find(({ tag }) => tags.includes(tag)) ?? null;
  }
  contains(other) {
    return other === this || [...this.all()].includes(other);
  }
  focus() {
    globalThis.document.activeElement = this;
  }
  pause() {}
  load() {
    this.unloaded = !("src" in this.attributes);
  }
  showModal() {
    this.open = true;
  }
  close() {
    this.open = false;
  }
}

/** Puts the page in place. Returns what it has seen. */
export function createPage() {
  const addresses = { made: 0, inUse: new Set() };
  const keys = new Set();
  const document = { activeElement: null, direction: "ltr", createElement: (tag) => new FakeElement(tag), createElementNS: (space, tag) => new FakeElement(tag) };
  globalThis.document = document;
  globalThis.window = {
    addEventListener: (type, listener) => keys.add(listener),
    getComputedStyle: () => ({ direction: document.direction }),
    removeEventListener: (type, listener) => keys.delete(listener),
    HTMLElement: FakeElement,
    HTMLVideoElement: FakeElement,
    HTMLMediaElement: FakeElement,
  };
  URL.createObjectURL = () => {
    const url = `blob:${(addresses.made += 1)}`;
    addresses.inUse.add(url);
    return url;
  };
  URL.revokeObjectURL = (url) => addresses.inUse.delete(url);
  const press = (key, held = {}) => {
    const event = { key, target: document.activeElement, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held, stopImmediatePropagation() {}, preventDefault() {} };
    for (const listener of keys) listener(event);
  };
  return { addresses, keys, press, root: new FakeElement("section") };
}
