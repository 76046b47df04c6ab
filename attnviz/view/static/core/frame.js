/** What every view that a page mounts shares: its place in the page, style sheets, texts, and colours of the theme. */

import { palette } from "./colors.js";
import { el } from "./dom.js";

/**
 * @typedef {Object} Component  what Streamlit, a notebook or a plain page hands over
 * @property {any} data
 * @property {HTMLElement} parentElement
 * @property {Function} [setTriggerValue]
 * @property {import("../export/embedded.js").EmbeddedSource} [source]  of the numbers and texts of a page that was saved whole
 * @property {boolean} [styled]  such a page has the style sheets in it
 *
 * @typedef {Object} Mounted
 * @property {(data: any) => boolean} fits  whether this view can show that data
 * @property {(component: Component) => void} receive
 * @property {() => void} destroy
 */

/**
 * The `mount` of a view. Called again, it hands what comes to the view in place, or replaces one that does not fit.
 *
 * @param {new (component: Component) => Mounted} View
 * @returns {(component: Component) => () => void}  the inner function is the cleanup
 */
export function mountOf(View) {
  const instances = new WeakMap(); // parentElement -> View
  return (component) => {
    const { parentElement } = component;
    const view = instances.get(parentElement);
    if (view?.fits(component.data)) view.receive(component);
    else {
      view?.destroy();
      instances.set(parentElement, new View(component));
    }
    return () => {
      instances.get(parentElement)?.destroy();
      instances.delete(parentElement);
    };
  };
}

/** One style sheet below the root, named by its room; resolved when it has loaded or failed to. */
export function style(root, name) {
  const link = el("link", { rel: "stylesheet", href: new URL(`../${name}`, import.meta.url).href });
  const settled = new Promise((resolve) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve);
  });
  root.append(link);
  return settled;
}

/** Tells the root whether its page is dark, and returns the colours that follow. */
export function applyTheme(root) {
  root.dataset.theme = palette(root).dark ? "dark" : "light";
  return palette(root); // the theme's own tints
}

/** Calls back when the system turns dark or light. @returns {() => void} what ends that */
export function onScheme(changed) {
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", changed);
  return () => scheme.removeEventListener("change", changed);
}
