/** The tabs beside the weights: one panel at a time, made when first opened. */

import { el } from "../core/dom.js";

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
    this.buttons = panels.map(({ id }) => el("button", {
      type: "button", role: "tab", class: "av-tab", text: ctx.t(`view.frame.tab.${id}`), dataset: { tab: id },
      on: { click: () => this.choose(id) },
    }));
    const list = el("div", { class: "av-tablist", role: "tablist", "aria-label": ctx.t("view.frame.tabs"), on: { keydown: (event) => this.press(event) } }, this.buttons);
    this.body = el("div", { class: "av-panel", role: "tabpanel", tabindex: "0" });
    this.element = el("section", { class: "av-tabs" }, list, this.body);
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
    for (const button of this.buttons) {
      const { tab } = button.dataset;
      button.hidden = !fitting.includes(tab);
      button.setAttribute("aria-selected", String(tab === current));
      button.tabIndex = tab === current ? 0 : -1;
    }
    this.body.setAttribute("aria-label", this.ctx.t(`view.frame.tab.${current}`));
    this.body.dataset.tab = current;
    this.body.replaceChildren(this.panel(current).element);
    this.panel(current).update(state, new Set([...Object.keys(state), ...BESIDE]));
  }

  press(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const { fitting } = this;
    const id = fitting[(fitting.indexOf(this.current) + by + fitting.length) % fitting.length];
    this.choose(id);
    this.buttons.find(({ dataset }) => dataset.tab === id).focus();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has("tab") || changed.has("trace") || this.shown !== this.current) this.show();
    else this.panel(this.current).update(this.ctx.store.state, changed);
  }

  destroy() {
    for (const panel of this.open.values()) panel.destroy();
  }
}
