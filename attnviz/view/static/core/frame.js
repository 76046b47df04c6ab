/** Carries every view that a page mounts: its place in the page, style sheets, texts, and colours of the theme. */

import { palette } from "./colors.js";
import { el } from "./dom.js";
import { textOf } from "./texts.js";

const ANNOUNCE_WAIT_MS = 120;

/**
 * @typedef {Object} Component  what Streamlit, a notebook or a plain page hands over
 * @property {any} data
 * @property {HTMLElement} parentElement
 * @property {Function} [setTriggerValue]  may promise why what was asked cannot be done, "" where it can
 * @property {Record<string, any>} [later]  modules of parts that are opened later, of a page that cannot fetch them
 * @property {{Menu: Function, Sweep: Function}} [whatIf]  the menu of changes and the map of heads, of a page that cannot fetch their module
 * @property {boolean} [isEarly]  the document shows the view until its page is there, which takes it over
 * @property {import("./data.js").Source & {texts: import("./texts.js").Texts}} [source]  of the numbers and texts of a page that has no server
 * @property {(store: import("./store.js").Store) => void} [onStore]  is handed the state, by whoever keeps it elsewhere too
 */

/**
 * The `mount` of a view. Called again, it hands what comes to the view in place, or replaces one that does not fit.
 *
 * @param {new (component: Component) => View} Kind
 * @param {(component: Component) => new (component: Component) => View} kindOf  where another kind may show the data
 * @returns {(component: Component) => () => void}  the inner function is the cleanup
 */
export function mountOf(Kind, kindOf = () => Kind) {
  const instances = new WeakMap(); // parentElement -> view
  let early = null; // parentElement of the view that is to be taken over
  return (component) => {
    const { parentElement, isEarly } = component;
    if (early && !instances.has(parentElement)) {
      instances.set(parentElement, instances.get(early));
      instances.get(early)?.moveTo(parentElement);
      instances.delete(early);
      early.remove();
    }
    early = isEarly ? parentElement : null;
    const view = instances.get(parentElement);
    if (view?.fits(component.data)) view.receive(component);
    else {
      view?.destroy();
      instances.set(parentElement, new (kindOf(component))(component));
    }
    return () => {
      instances.get(parentElement)?.destroy();
      instances.delete(parentElement);
    };
  };
}

/** Gives a view its root, style sheets, texts and the colours of the theme. */
export class View {
  /**
   * @param {Component} component
   * @param {string} kind  classes of the root
   * @param {string[]} sheets  style sheets, as text
   */
  constructor(component, kind, sheets) {
    this.component = component;
    this.root = el("div", { class: kind }, sheets.map((text) => el("style", { text })));
    component.parentElement.append(this.root);
    /** @type {{update?: Function, destroy?: () => void}[]} what the view is made of */
    this.parts = [];
    this.gone = false;
    /** @type {import("./texts.js").Texts} */
    this.texts = undefined;
    /** @type {HTMLElement} there once the view is built */
    this.body = undefined;
    this.live = el("div", { class: "av-live", "aria-live": "polite" });
    this.t = (key, params) => textOf(this.texts, key, params);
    this.scheme = window.matchMedia("(prefers-color-scheme: dark)");
    this.onScheme = () => this.retheme();
    this.scheme.addEventListener("change", this.onScheme);
  }

  /**
   * Builds the view as soon as its texts are there.
   * @param {Promise<import("./texts.js").Texts>} texts
   */
  async open(texts) {
    this.texts = await texts;
    if (this.gone) return;
    this.tint();
    this.build();
  }

  /** Tells the root whether its page is dark, and reads the colours that follow. */
  tint() {
    this.root.dataset.theme = palette(this.root).dark ? "dark" : "light";
    this.palette = palette(this.root); // the theme's own tints
  }

  /** Says a text to those who hear the page. */
  announce(text) {
    clearTimeout(this.announcing);
    this.announcing = setTimeout(() => (this.live.textContent = text), ANNOUNCE_WAIT_MS);
  }

  retheme() {
    if (!this.body) return;
    this.tint();
    this.repaint();
  }

  /** Moves to another place in the page, with the focus and an open dialog. @param {HTMLElement} parent */
  moveTo(parent) {
    const { activeElement: focused } = document;
    /** @type {HTMLDialogElement | null} */
    const dialog = this.root.querySelector("dialog[open]");
    parent.append(this.root);
    dialog?.removeAttribute("open"); // it says so still, and is open no more
    dialog?.showModal();
    if (focused instanceof HTMLElement && this.root.contains(focused)) focused.focus({ preventScroll: true });
  }

  build() {}

  repaint() {}

  /** Whether it can show that data in place. */
  fits(_data) {
    return true;
  }

  /** Takes other data, or the same again because the theme changed. @param {Component} _component */
  receive(_component) {}

  destroy() {
    this.gone = true;
    clearTimeout(this.announcing);
    this.scheme.removeEventListener("change", this.onScheme);
    for (const part of this.parts) part.destroy?.();
    this.root.remove();
  }
}
