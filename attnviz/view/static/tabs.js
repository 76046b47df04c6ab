/** The tabs beside the weights: one panel at a time, made when first opened. */

import { el } from "./dom.js";

const EVERYTHING = new Set(["site", "head", "query", "key", "dim", "locked", "step", "all", "tab", "hide", "keep", "zoom", "data", "trace", "theme"]);

export class Tabs {
  /** @param {Record<string, {create: (ctx: any) => {element: HTMLElement, update: Function}}>} modules  by tab, in order */
  constructor(ctx, modules) {
    this.ctx = ctx;
    this.modules = modules;
    this.names = Object.keys(modules);
    this.panels = new Map();
    this.buttons = this.names.map((name) => el("button", {
      type: "button", role: "tab", class: "av-tab", text: ctx.t(`view.frame.tab.${name}`), dataset: { tab: name },
      on: { click: () => ctx.store.set({ tab: name }) },
    }));
    const list = el("div", { class: "av-tablist", role: "tablist", "aria-label": ctx.t("view.frame.tabs"), on: { keydown: (event) => this.press(event) } }, this.buttons);
    this.body = el("div", { class: "av-panel", role: "tabpanel", tabindex: "0" });
    this.element = el("section", { class: "av-tabs" }, [list, this.body]);
    this.open();
  }

  get current() {
    const { tab } = this.ctx.store.state;
    return this.names.includes(tab) ? tab : this.names[0];
  }

  open() {
    const name = this.current;
    for (const button of this.buttons) {
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
    const at = (this.names.indexOf(this.current) + by + this.names.length) % this.names.length;
    this.ctx.store.set({ tab: this.names[at] });
    this.buttons[at].focus();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has("tab")) this.open();
    else this.panels.get(this.current).update(this.ctx.store.state, changed);
  }

  destroy() {
    for (const panel of this.panels.values()) panel.destroy?.();
  }
}
