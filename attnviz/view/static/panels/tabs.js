/** The tabs beside the weights: one panel at a time, made when first opened. */

import { el } from "../core/dom.js";

const EVERYTHING = new Set([
  "site", "head", "query", "key", "dim", "locked", "step", "all", "tab", "hide", "words", "pair", "keep", "zoom", "data", "trace", "theme",
]);

export class Tabs {
  /**
   * @typedef {Object} Module
   * @property {(ctx: any) => {element: HTMLElement, update: Function}} create
   * @property {(ctx: any) => boolean} [fits]  whether it has something to show of the chosen head
   *
   * @param {Record<string, Module>} modules  by tab, in order
   */
  constructor(ctx, modules) {
    this.ctx = ctx;
    this.modules = modules;
    this.names = Object.keys(modules);
    this.panels = new Map();
    this.buttons = this.names.map((name) => el("button", {
      type: "button", role: "tab", class: "av-tab", text: ctx.t(`view.frame.tab.${name}`), dataset: { tab: name },
      on: { click: () => this.choose(name) },
    }));
    const list = el("div", { class: "av-tablist", role: "tablist", "aria-label": ctx.t("view.frame.tabs"), on: { keydown: (event) => this.press(event) } }, this.buttons);
    this.body = el("div", { class: "av-panel", role: "tabpanel", tabindex: "0" });
    this.element = el("section", { class: "av-tabs" }, [list, this.body]);
    this.open();
  }

  /** The tabs that the chosen head has. */
  get fitting() {
    return this.names.filter((name) => this.modules[name].fits?.(this.ctx) ?? true);
  }

  get current() {
    const { tab } = this.ctx.store.state;
    const { fitting } = this;
    return fitting.includes(tab) ? tab : fitting[0];
  }

  /** The first tab goes without saying: where there is another first one, that comes in its place. */
  choose(name) {
    this.ctx.store.set({ tab: name === this.fitting[0] ? "" : name });
  }

  open() {
    const name = this.current;
    const { fitting } = this;
    this.shown = name;
    for (const button of this.buttons) {
      button.hidden = !fitting.includes(button.dataset.tab);
      const chosen = button.dataset.tab === name;
      button.setAttribute("aria-selected", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    if (!this.panels.has(name)) this.panels.set(name, this.modules[name].create(this.ctx));
    const panel = this.panels.get(name);
    this.body.setAttribute("aria-label", this.ctx.t(`view.frame.tab.${name}`));
    this.body.dataset.tab = name;
    this.body.replaceChildren(panel.element);
    panel.update(this.ctx.store.state, EVERYTHING);
  }

  press(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const { fitting } = this;
    const name = fitting[(fitting.indexOf(this.current) + by + fitting.length) % fitting.length];
    this.choose(name);
    this.buttons[this.names.indexOf(name)].focus();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has("tab") || changed.has("trace") || this.shown !== this.current) this.open();
    else this.panels.get(this.current).update(this.ctx.store.state, changed);
  }

  destroy() {
    for (const panel of this.panels.values()) panel.destroy?.();
  }
}
