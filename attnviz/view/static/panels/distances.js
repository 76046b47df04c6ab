/** How far apart the heads of two traces read: a map of all heads, and the rows of the chosen one. */

import { css, ink } from "../core/colors.js";
import { el } from "../core/dom.js";
import { fmtShare, tokenElement } from "../core/format.js";
import { siteTitle } from "../core/select.js";
import { TokenList } from "./list.js";
import { Panel } from "./panel.js";

const ROW = 24; // px of a query
const NUMBERS = 8; // heads in a row of the map up to which the numbers stand in their cells

/** The mean of what was measured; NaN where nothing was. Pure. @param {ArrayLike<number>} row */
export function meanOf(row) {
  const measured = Array.from(row).filter((bits) => !Number.isNaN(bits));
  return measured.reduce((sum, bits) => sum + bits, 0) / measured.length;
}

export class DistancesPanel extends Panel {
  static id = "distances";

  static fits(ctx) {
    return Boolean(ctx.sides?.own.source);
  }

  constructor(ctx) {
    super(ctx);
    this.asked = "";
    this.most = el("p", { class: "avp-note", role: "status" });
    this.map = el("div", { class: "avp-distances-map", role: "group", "aria-label": this.t("view.panel.distances.map"), on: { click: (event) => this.choose(event) } });
    this.scroller = el("div", { class: "avp-outputs-scroll", on: { scroll: () => this.list.refresh() } });
    this.list = new TokenList(ctx, {
      scroller: this.scroller, class: "avp-outputs-list", label: this.t("view.panel.distances.rows"), height: ROW,
      make: (index) => this.row(index),
      point: (index, act) => this.ctx.store.state.side === "other" || act({ query: index, key: null, dim: null }),
      chosen: () => this.ctx.store.state.query,
      leave: () => this.hover({ query: null, key: null }),
    });
    this.scroller.append(this.list.host);
    this.element.append(el("p", { class: "avp-note", text: this.t("view.panel.distances.about") }), this.most, this.map, this.scroller);
    this.onResize(this.scroller, () => this.list.refresh());
  }

  get home() {
    return this.ctx.sides.home(this.ctx.store.state);
  }

  /** Asks for the distances of this pair; with another head pinned they are others. */
  async load() {
    const { sides } = this.ctx;
    const { pin } = this.home;
    const asked = [sides.difference.header.trace, pin].join();
    if (asked === this.asked) return;
    this.asked = asked;
    this.found = null;
    this.most.textContent = this.t("view.frame.matrix.loading");
    this.map.replaceChildren();
    try {
      const found = await sides.distances(pin);
      if (asked !== this.asked) return;
      this.found = found;
      this.build();
    } catch (error) {
      if (asked !== this.asked) return;
      this.asked = "";
      this.most.textContent = "";
      this.ctx.failed(error);
    }
  }

  /** Bits of each query of a head of the own trace. */
  bits(site, head) {
    const { data, shape: [, queries] } = this.found.get(this.ctx.sides.own.site(site).name);
    return data.subarray(head * queries, (head + 1) * queries);
  }

  build() {
    const { own } = this.ctx.sides;
    this.means = own.sites.map(({ n_heads: n }, site) => Array.from({ length: n }, (_, head) => meanOf(this.bits(site, head))));
    const largest = Math.max(0, ...this.means.flat().filter((bits) => !Number.isNaN(bits)));
    const [site, head] = this.means.flatMap((row, s) => row.map((bits, h) => [s, h, bits])).find(([, , bits]) => bits === largest) ?? [];
    this.most.textContent = largest ? this.t("view.panel.distances.most", { head: siteTitle(this.ctx, own.site(site), head), bits: fmtShare(largest) }) : this.t("view.panel.distances.equal");
    this.map.replaceChildren(...own.sites.map((_, s) => el("div", { class: "avp-distances-layer" }, el("span", { class: "avp-index", "aria-hidden": "true", text: String(own.site(s).layer) }), this.means[s].map((bits, h) => this.cell(s, h, bits, largest)))));
    this.show();
  }

  cell(site, head, bits, largest) {
    const { ctx } = this;
    const name = siteTitle(ctx, ctx.sides.own.site(site), head);
    const isThere = !Number.isNaN(bits);
    const said = isThere ? fmtShare(bits) : this.t("view.frame.side.none");
    const label = this.t("view.panel.distances.head", { head: name, bits: said });
    const text = this.means[site].length <= NUMBERS && isThere ? bits.toFixed(2) : "";
    const button = el("button", { type: "button", class: "avp-distances-head", text, title: label, "aria-label": label, disabled: !isThere, dataset: { at: `${site}/${head}` } });
    if (isThere) {
      const colour = ctx.palette().sequential(largest ? bits / largest : 0);
      button.style.background = css(colour);
      button.style.color = ink(colour);
    }
    return button;
  }

  choose(event) {
    const at = event.target.closest("button")?.dataset.at?.split("/").map(Number);
    if (at) this.ctx.store.set(this.ctx.sides.chosen(this.ctx.store.state, ...at));
  }

  row(index) {
    const { site, head } = this.home;
    const bits = this.bits(site, head)[index];
    const { own } = this.ctx.sides;
    const fill = el("span", { class: "avp-distances-fill" });
    fill.style.width = `${Number.isNaN(bits) ? 0 : 100 * bits}%`;
    const said = Number.isNaN(bits) ? this.t("view.frame.side.none") : fmtShare(bits);
    return el("div", { class: "avp-outputs-row avp-distances-row" },
      el("span", { class: "avp-index" }, index),
      el("span", { class: "avp-outputs-token" }, tokenElement(own.tokens(own.site(site).queries)[index])),
      el("span", { class: "avp-distances-track", "aria-hidden": "true" }, fill),
      el("span", { class: "avp-number" }, said));
  }

  /** Marks the chosen head, and lists its queries. */
  show() {
    const { site, head } = this.home;
    const { own } = this.ctx.sides;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.map.querySelectorAll("button"))) {
      button.setAttribute("aria-pressed", String(button.dataset.at === `${site}/${head}`));
    }
    this.list.reset(own.tokens(own.site(site).queries).length);
    this.list.mark(this.ctx.store.state.side === "other" ? null : this.ctx.store.state.query);
  }

  update(_state, changed) {
    this.load();
    if (!this.found) return;
    if (changed.has("theme")) this.build();
    else if (["site", "head", "side", "trace"].some((field) => changed.has(field))) this.show();
    else this.list.mark(this.ctx.store.state.side === "other" ? null : this.ctx.store.state.query);
  }
}
