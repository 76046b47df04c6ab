/**
 * The frame of the tab panels. A panel is a class on it, with one entry in `registry.js`; its tab, its name in the
 * address, what it keeps there and its place among the arrow keys follow from that entry.
 */

import { el } from "../core/dom.js";
import { hover, toggleLock } from "../core/store.js";

/** @typedef {import("../core/store.js").State} State */

export class Panel {
  /** Names the panel: in the address, in the message "view.frame.tab.<id>" and in the style sheet. */
  static id = "";

  /**
   * Fields of the panel in the state, and so in the address.
   * @type {Record<string, import("../core/address.js").Field>}
   */
  static fields = {};

  /**
   * Whether it has something to show of the chosen head.
   * @param {import("../core/context.js").Context} _ctx
   */
  static fits(_ctx) {
    return true;
  }

  /** @param {import("../core/context.js").Context} ctx  which also opens tables and export menus */
  constructor(ctx) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.element = el("div", { class: `avp-panel avp-${/** @type {typeof Panel} */ (this.constructor).id}` });
    /** @type {ResizeObserver[]} */
    this.observers = [];
  }

  /**
   * Shows the state.
   * @param {State} _state
   * @param {Set<string>} _changed  fields of the state that changed, "data", "trace", "theme" or "retry"
   */
  update(_state, _changed) {}

  /** Previews what the pointer is over. @param {Partial<State>} patch */
  hover(patch) {
    hover(this.ctx.store, patch);
  }

  /** Locks what was clicked. @param {Partial<State>} patch */
  lock(patch) {
    toggleLock(this.ctx.store, patch);
  }

  /** Calls back when an element of the panel has another size. */
  onResize(element, act) {
    const observer = new ResizeObserver(act);
    observer.observe(element);
    this.observers.push(observer);
  }

  destroy() {
    for (const observer of this.observers) observer.disconnect();
  }
}
