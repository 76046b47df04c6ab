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

/**
 * Squares, one a head: a click adds or removes a head, a double click leaves it alone.
 * @returns {{element: HTMLElement, update: () => void}}
 */
export function headSquares(ctx) {
  const squares = el("span", { class: "avp-heads-squares", role: "group", "aria-label": ctx.t("view.panel.heads") });
  const none = el("button", { type: "button", class: "av-button" }, ctx.t("view.panel.heads.one"));
  const all = el("button", { type: "button", class: "av-button" }, ctx.t("view.panel.heads.all"));
  const element = el("div", { class: "avp-heads" }, el("span", { class: "av-muted av-label" }, ctx.t("view.panel.heads")), squares, all, none);
  let built = "";

  const site = () => ctx.data.site(ctx.store.state.site);
  const choose = (heads) => ctx.store.set({ heads: heads.join(",") });
  all.addEventListener("click", () => choose(Array.from({ length: site().n_heads }, (_, head) => head)));
  none.addEventListener("click", () => choose([]));

  function build(count) {
    const buttons = Array.from({ length: count }, (_, head) => {
      const name = ctx.t("view.frame.grid.head", { head });
      const button = el("button", { type: "button", class: "avp-heads-square", title: name, "aria-label": name, "data-head": head });
      button.addEventListener("click", () => {
        const heads = new Set(headsOf(ctx.store.state, site()));
        if (!heads.delete(head)) heads.add(head);
        choose([...heads].sort((a, b) => a - b));
      });
      button.addEventListener("dblclick", () => choose([head]));
      return button;
    });
    squares.replaceChildren(...buttons);
  }

  function update() {
    const palette = ctx.palette();
    const { n_heads: count } = site();
    if (built !== `${count}`) build(count);
    built = `${count}`;
    const heads = new Set(headsOf(ctx.store.state, site()));
    for (const button of squares.children) {
      const head = Number(button.dataset.head);
      button.style.setProperty("--colour", headColour(head, palette));
      button.setAttribute("aria-pressed", String(heads.has(head)));
    }
    none.hidden = heads.size === 0;
    element.hidden = count === 1;
  }

  return { element, update };
}
