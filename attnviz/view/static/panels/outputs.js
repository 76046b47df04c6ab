/**
 * Outputs of the model: at every position, or for the whole, the most probable candidates with their probabilities; or
 * values themselves, as of a forecast.
 */

import { css, ink } from "../core/colors.js";
import { fmtPercent, tokenElement } from "../core/format.js";
import { el } from "../core/dom.js";
import { Outputs } from "../core/outputs.js";
import { current } from "./kit.js";
import { TokenList } from "./list.js";
import { Panel } from "./panel.js";

const ROW = 26; // height of a position in CSS pixels
const COMPACT = 3; // candidates beside a position; all of them below

export class OutputsPanel extends Panel {
  static id = "outputs";

  constructor(ctx) {
    super(ctx);
    this.trace = null; // the trace the list was built for
    /** @type {number[]} */
    this.order = []; // positions by row: those that matter most come first
    this.selected = null; // position in the detail, null: the one that is shown by default
    this.pointed = false;
    this.intro = el("p", { class: "avp-note" });
    this.scroller = el("div", { class: "avp-outputs-scroll", on: { scroll: () => this.refresh() } });
    this.list = new TokenList(ctx, {
      scroller: this.scroller, class: "avp-outputs-list", label: this.t("view.panel.outputs.list"), height: ROW,
      make: (index) => this.makeRow(this.order[index]),
      point: (index, act) => this.point(this.order[index], act),
      chosen: () => (this.selected === null ? null : this.order.indexOf(this.selected)),
      leave: () => this.linked && this.hover({ query: null, key: null }),
    });
    this.scroller.append(this.list.host);
    this.detail = el("div", { class: "avp-outputs-detail", "aria-live": "polite" });
    this.none = el("p", { class: "avp-teach" }, this.t("view.panel.outputs.none"));
    this.element.append(this.none, this.intro, this.scroller, this.detail);
    this.element.addEventListener("pointerenter", () => (this.pointed = true));
    this.element.addEventListener("pointerleave", () => (this.pointed = false));
    this.onResize(this.scroller, () => this.refresh());
  }

  get outputs() {
    return this.ctx.data.header.outputs;
  }

  get read() {
    return new Outputs(this.ctx.data);
  }

  get labels() {
    return this.read.tokens;
  }

  get areValues() {
    return this.read.areValues;
  }

  get whole() {
    return this.read.whole;
  }

  /** Whether the outputs belong to the queries' own stack. */
  get linked() {
    return !this.whole && current(this.ctx).site.queries === this.outputs.stack;
  }

  /** The position that is shown until somebody points at one. */
  get byDefault() {
    return this.read.first;
  }

  candidates(position) {
    return this.read.candidates(position);
  }

  valuesAt(position) {
    return this.read.values(position);
  }

  percent(p) {
    return this.t("view.panel.percent", { value: fmtPercent(p) });
  }

  makeRow(position) {
    const chips = this.areValues
      ? this.valuesAt(position).slice(0, COMPACT).map((value) => this.valueChip(value))
      : this.candidates(position).slice(0, COMPACT).map((candidate) => this.candidateChip(candidate));
    const matters = this.outputs.positions.includes(position);
    const beside = this.read.isBeside(position);
    return el(
      "div",
      { class: `avp-outputs-row${matters ? " is-asked" : ""}${beside ? " is-beside" : ""}`, title: beside ? this.t("view.panel.outputs.beside") : null },
      el("span", { class: "avp-index" }, position),
      el("span", { class: "avp-outputs-token" }, tokenElement(this.labels[position])),
      el("span", { class: "avp-outputs-arrow", "aria-hidden": "true" }, "→"),
      chips,
    );
  }

  valueChip(value) {
    return el("span", { class: "avp-outputs-chip", title: this.ctx.full(value) }, el("span", { class: "avp-number" }, this.ctx.fmt(value)));
  }

  candidateChip({ label, p }) {
    const colour = this.ctx.palette().sequential(p);
    const chip = el("span", { class: "avp-outputs-chip", title: this.ctx.full(p) }, tokenElement(label), el("span", { class: "avp-number" }, this.percent(p)));
    chip.style.background = css(colour);
    chip.style.color = ink(colour);
    return chip;
  }

  /** Pointing at a position moves the query when the outputs belong to the queries' own stack. */
  point(position, act) {
    if (this.linked) act({ query: position, key: null });
    else {
      this.selected = position;
      this.paint();
    }
  }

  refresh() {
    if (this.list.refresh()) this.paintRows();
  }

  paintRows() {
    const position = this.selected ?? (this.outputs.positions.length ? this.byDefault : null);
    const row = this.order.indexOf(position);
    this.list.mark(row < 0 ? null : row);
  }

  paintDetail() {
    const position = this.whole ? 0 : (this.selected ?? this.byDefault);
    const kind = this.areValues && this.whole ? "whole" : this.outputs.kind;
    const title = this.t(`view.panel.outputs.at.${kind}`, { index: position });
    const lines = this.areValues ? this.valueLines(this.valuesAt(position)) : this.candidateLines(this.candidates(position));
    this.detail.replaceChildren(
      el("p", { class: "avp-pair" }, title, " ", this.whole ? null : tokenElement(this.labels[position])),
      this.read.isBeside(position) ? el("p", { class: "avp-note" }, this.t("view.panel.outputs.beside")) : "",
      el("ol", {}, lines),
    );
  }

  line(name, exact, text, style, kind = "") {
    const fill = el("span", { class: `avp-outputs-fill ${kind}` });
    Object.assign(fill.style, style);
    return el("li", { title: this.ctx.full(exact) }, name, el("span", { class: "avp-outputs-bar" }, fill), el("span", { class: "avp-number" }, text));
  }

  candidateLines(list) {
    const background = css(this.ctx.palette().sequential(0.75));
    const lines = list.map(({ label, p }) => this.line(tokenElement(label), p, this.percent(p), { width: `${100 * p}%`, background }));
    const rest = Math.max(0, 1 - list.reduce((sum, { p }) => sum + p, 0));
    if (rest < 1e-5) return lines; // a few labels are all that there are
    const name = el("span", { class: "avp-note" }, this.t("view.panel.outputs.rest"));
    return [...lines, this.line(name, rest, this.percent(rest), { width: `${100 * rest}%` }, "is-rest")];
  }

  /** All values of a position, by their number. */
  valueLines(values) {
    const limit = Math.max(...values.map(Math.abs)) || 1;
    return values.map((value, n) => {
      const share = (50 * Math.abs(value)) / limit; // to both sides of the middle
      const background = css(this.ctx.palette().diverging(Math.sign(value) * 0.75));
      const style = { width: `${share}%`, marginInlineStart: `${value < 0 ? 50 - share : 50}%`, background };
      return this.line(el("span", { class: "avp-note" }, `#${n}`), value, this.ctx.fmt(value), style);
    });
  }

  paint() {
    if (this.selected !== null && this.selected >= this.labels.length) this.selected = null;
    this.paintRows();
    this.paintDetail();
  }

  /** Show the outputs of another trace, or in other colours. */
  start() {
    this.trace = this.ctx.data;
    if (!this.linked) this.selected = null;
    const { positions } = this.outputs;
    const count = this.whole ? 0 : this.labels.length;
    this.order = [...positions, ...Array.from({ length: count }, (_, n) => n).filter((n) => !positions.includes(n))];
    this.list.reset(this.order.length);
  }

  introduce() {
    const { kind, k, positions } = this.outputs;
    const parts = [this.t(`view.panel.outputs.intro.${kind}${this.areValues && this.whole ? ".whole" : ""}`, { k })];
    if (kind === "masked" && !positions.length) parts.push(this.t("view.panel.outputs.no_mask"));
    if (this.labels.some((_, row) => this.read.isBeside(row))) parts.push(this.t("view.panel.outputs.dashed"));
    if (!this.whole && !this.linked) parts.push(this.t("view.panel.outputs.unlinked"));
    this.intro.textContent = parts.join(" ");
  }

  update(state, changed) {
    const { outputs } = this;
    this.none.hidden = Boolean(outputs);
    for (const part of [this.intro, this.scroller, this.detail]) part.hidden = !outputs;
    if (!outputs) return;
    this.scroller.hidden = this.whole;
    const fresh = this.trace !== this.ctx.data || changed.has("theme");
    if (fresh) this.start();
    else this.list.refresh();
    if (fresh || changed.has("site")) this.introduce();
    if (this.linked && this.selected !== state.query) {
      this.selected = state.query;
      if (this.selected !== null && !this.pointed) this.list.reveal(this.order.indexOf(this.selected), true);
      this.paint();
    } else if (fresh) this.paint();
    else this.paintRows();
  }
}
