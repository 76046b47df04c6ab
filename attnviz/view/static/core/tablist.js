/** A row of tabs of which one is chosen; Left and Right choose the one beside it. */

import { el } from "./dom.js";

export class TabList {
  /**
   * @param {{label: string, names: string[], about: (name: string) => {text: string, title?: string}, choose: (name: string) => void}} options
   */
  constructor({ label, names, about, choose }) {
    this.choose = choose;
    this.buttons = names.map((name) => el("button", { type: "button", role: "tab", class: "av-tab", ...about(name), dataset: { tab: name }, on: { click: () => choose(name) } }));
    this.element = el("div", { class: "av-tablist", role: "tablist", "aria-label": label, on: { keydown: (event) => this.press(event) } }, this.buttons);
  }

  show(chosen, fits = (_name) => true) {
    for (const button of this.buttons) {
      const { tab } = button.dataset;
      button.hidden = !fits(tab);
      button.setAttribute("aria-selected", String(tab === chosen));
      button.tabIndex = tab === chosen ? 0 : -1;
    }
  }

  press(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const there = this.buttons.filter((button) => !button.hidden);
    const at = there.findIndex((button) => button.tabIndex === 0);
    const next = there[(at + by + there.length) % there.length];
    this.choose(next.dataset.tab);
    next.focus();
  }
}
