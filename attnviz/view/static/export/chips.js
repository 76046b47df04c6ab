/** The edits of a notebook's widget as chips above the picture: each is switched off and on again, and taken away. */

import { el } from "../core/dom.js";

export class Chips {
  /**
   * @param {HTMLElement} before  the picture
   * @param {(question: any) => Promise<string>} ask  asks Python; returns why not, or ""
   * @param {(key: string) => string} t
   */
  constructor(before, ask, t) {
    this.ask = ask;
    this.t = t;
    this.element = el("div", { class: "page-chips", role: "group", "aria-label": t("view.whatif.open") });
    this.problem = el("span", { role: "alert", hidden: true });
    before.before(this.element);
  }

  /** @param {{name: string, on: boolean, about: string, remove: string}[]} chips  @param {boolean} undo  whether a change can be undone */
  show(chips, undo) {
    const focus = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.chip;
    const button = (name, more) => el("button", { type: "button", class: "page-chip", ...more }, [name]);
    const rows = chips.map(({ name, on, about, remove }, at) => el("span", { class: "page-chip-pair" }, [
      button(name, { title: about, "aria-pressed": String(on), dataset: { chip: `turn-${at}` }, on: { click: () => this.do({ ask: "chip", at, remove: false }) } }),
      button("×", { title: remove, "aria-label": remove, dataset: { chip: `remove-${at}` }, on: { click: () => this.do({ ask: "chip", at, remove: true }) } }),
    ]));
    const back = undo ? [button(this.t("view.whatif.back"), { dataset: { chip: "undo" }, on: { click: () => this.do({ ask: "edit", edit: "undo" }) } })] : [];
    this.problem.hidden = true;
    this.element.hidden = !chips.length && !undo;
    this.element.replaceChildren(...rows, ...back, this.problem);
    const again = focus && (this.element.querySelector(`[data-chip="${focus}"]`) ?? this.element.querySelector("button"));
    if (again instanceof HTMLElement) again.focus({ preventScroll: true });
  }

  async do(question) {
    const refused = await this.ask(question);
    Object.assign(this.problem, { textContent: refused, hidden: !refused });
  }
}
