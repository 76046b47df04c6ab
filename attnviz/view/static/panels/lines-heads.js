/** Several heads of a layer at once in the token lines: which ones, in which colours, and the squares that choose them. */

import { el } from "../core/dom.js";

const GOLDEN_ANGLE = 137.508; // degrees: neighbours are far apart, however many there are

/** The heads that are drawn together, ascending; [] when it is the chosen one alone. */
export function headsOf(state, site) {
  const heads = state.heads.split(",").filter(Boolean).map(Number);
  return heads.filter((head) => head < site.n_heads);
}

/** The colour of a head among others, the same in every layer. */
export function headColour(head, palette) {
  const hue = (30 + head * GOLDEN_ANGLE) % 360;
  return palette.dark ? `oklch(0.78 0.14 ${hue.toFixed(0)})` : `oklch(0.58 0.17 ${hue.toFixed(0)})`;
}

/** Squares, one a head: a click adds or removes a head, a double click leaves it alone. */
export class HeadSquares {
  constructor(ctx) {
    this.ctx = ctx;
    const { t } = ctx;
    const button = (key, act) => el("button", { type: "button", class: "av-button", on: { click: act } }, t(key));
    this.squares = el("span", { class: "avp-heads-squares", role: "group", "aria-label": t("view.panel.heads") });
    this.none = button("view.panel.heads.one", () => this.choose([]));
    const all = button("view.panel.heads.all", () => this.choose(Array.from({ length: this.site.n_heads }, (_, head) => head)));
    this.element = el("div", { class: "avp-heads" }, el("span", { class: "av-muted av-label" }, t("view.panel.heads")), this.squares, all, this.none);
  }

  get site() {
    return this.ctx.data.site(this.ctx.store.state.site);
  }

  get chosen() {
    return new Set(headsOf(this.ctx.store.state, this.site));
  }

  choose(heads) {
    this.ctx.store.set({ heads: heads.join(",") });
  }

  toggle(head) {
    const heads = this.chosen;
    if (!heads.delete(head)) heads.add(head);
    this.choose([...heads].sort((a, b) => a - b));
  }

  square(head) {
    const name = this.ctx.t("view.frame.grid.head", { head });
    const on = { click: () => this.toggle(head), dblclick: () => this.choose([head]) };
    return el("button", { type: "button", class: "avp-heads-square", title: name, "aria-label": name, "data-head": head, on });
  }

  update() {
    const palette = this.ctx.palette();
    const { n_heads: count } = this.site;
    if (this.buttons?.length !== count) {
      this.buttons = Array.from({ length: count }, (_, head) => this.square(head));
      this.squares.replaceChildren(...this.buttons);
    }
    const { chosen } = this;
    this.buttons.forEach((button, head) => {
      button.style.setProperty("--colour", headColour(head, palette));
      button.setAttribute("aria-pressed", String(chosen.has(head)));
    });
    this.none.hidden = chosen.size === 0;
    this.element.hidden = count === 1;
  }
}
