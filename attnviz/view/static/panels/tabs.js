/** The tabs beside the weights: one panel at a time, made when first opened. */

import { el } from "../core/dom.js";
import { TabList } from "../core/tablist.js";

const BESIDE = ["data", "trace", "theme"]; // what changes beside the fields of the state

export class Tabs {
  /**
   * @param {import("../core/context.js").Context} ctx
   * @param {(typeof import("./panel.js").Panel)[]} panels  in order
   */
  constructor(ctx, panels) {
    this.ctx = ctx;
    this.panels = panels;
    /** @type {Map<string, import("./panel.js").Panel>} */
    this.open = new Map();
    this.list = new TabList({
      label: ctx.t("view.frame.tabs"), names: panels.map(({ id }) => id),
      about: (id) => ({ text: ctx.t(`view.frame.tab.${id}`) }), choose: (id) => this.choose(id),
    });
    this.body = el("div", { class: "av-panel", role: "tabpanel", tabindex: "0" });
    this.element = el("section", { class: "av-tabs" }, this.list.element, this.body);
    this.show();
  }

  /** The names of the tabs that the chosen head has. */
  get fitting() {
    return this.panels.filter((panel) => panel.fits(this.ctx)).map(({ id }) => id);
  }

  get current() {
    const { tab } = this.ctx.store.state;
    const { fitting } = this;
    return fitting.includes(tab) ? tab : fitting[0];
  }

  /** The first tab is the default, so it is stored as "": in another model the first tab may be another one. */
  choose(id) {
    this.ctx.store.set({ tab: id === this.fitting[0] ? "" : id });
  }

  /** The panel of a tab, made when it is first asked for. */
  panel(id) {
    if (!this.open.has(id)) this.open.set(id, new (this.panels.find((panel) => panel.id === id))(this.ctx));
    return this.open.get(id);
  }

  show() {
    const { current, fitting } = this;
    const { state } = this.ctx.store;
    this.shown = current;
    this.list.show(current, (id) => fitting.includes(id));
    this.body.setAttribute("aria-label", this.ctx.t(`view.frame.tab.${current}`));
    this.body.dataset.tab = current;
    this.body.replaceChildren(this.panel(current).element);
    this.panel(current).update(state, new Set([...Object.keys(state), ...BESIDE]));
  }
  update(changed) {
    if (changed.has("tab") || changed.has("trace") || this.shown !== this.current) this.show();
    else this.panel(this.current).update(this.ctx.store.state, changed);
  }

  destroy() {
    for (const panel of this.open.values()) panel.destroy();
  }
}
