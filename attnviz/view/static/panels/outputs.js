/**
 * Outputs of the model: at every position, or for the whole, the most probable candidates with their probabilities; or
 * values themselves, as of a forecast.
 */

import { oneOf } from "../core/address.js";
import { css, ink } from "../core/colors.js";
import { fmtPercent, tokenElement } from "../core/format.js";
import { el } from "../core/dom.js";
import { Outputs } from "../core/outputs.js";
import { current } from "./kit.js";
import { TokenList } from "./list.js";
import { Panel } from "./panel.js";

const ROW = 26; // height of a position in CSS pixels
const COMPACT = 3; // candidates beside a position; all of them below
const VIEWS = ["", "lens", "parts"]; // "": the candidates; the others come with a module of their own
const SEEN = ["outputs", "token", "against"]; // fields of the state that another view, or other bars, follow from

/** @type {import("../core/address.js").Field} */
const number = { start: null, read: (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined) };

export class OutputsPanel extends Panel {
  static id = "outputs";
  static fields = { outputs: oneOf("", VIEWS), row: number, token: number, against: number };

  constructor(ctx) {
    super(ctx);
    this.trace = null; // the trace the list was built for
    /** @type {number[]} */
    this.order = []; // positions by row: those that matter most come first
    this.pointed = false;
    this.views = el("div", { class: "av-group avp-outputs-views", role: "group", "aria-label": this.t("view.logits.views") }, VIEWS.map((name) => this.viewButton(name)));
    this.place = el("div", { class: "avp-outputs-place" });
    this.later = null; // what has come of another view: {name, trace, part}
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
    this.element.append(this.none, this.views, this.intro, this.scroller, this.place, this.detail);
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

  /** The position in the detail; null: the one that is shown by default. */
  get selected() {
    const { query, row } = this.ctx.store.state;
    const chosen = this.linked ? query : row;
    return chosen !== null && chosen < this.labels.length ? chosen : null;
  }

  /** Whether the server can be asked for more than the candidates. */
  get offersViews() {
    return Boolean(this.ctx.data.header.later?.logits) && !this.areValues;
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
    else this.ctx.store.set({ row: position });
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
    this.paintRows();
    this.paintDetail();
    this.paintView();
  }

  viewButton(name) {
    const text = this.t(`view.logits.view.${name || "candidates"}`);
    return el("button", { type: "button", class: "av-button", text, dataset: { view: name }, on: { click: () => this.ctx.store.set({ outputs: name }) } });
  }

  /** Shows the candidates, or the view beside or in place of them, which comes when it is first asked for. */
  async showView() {
    const { ctx } = this;
    const name = this.offersViews ? ctx.store.state.outputs : "";
    this.views.hidden = !this.offersViews;
    this.place.hidden = !name;
    for (const button of this.views.children) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.view === name));
    this.scroller.hidden = this.whole || name === "lens";
    this.intro.hidden = name === "lens";
    this.detail.hidden = name === "parts";
    if (this.later && (this.later.name !== name || this.later.trace !== this.trace)) this.leaveView();
    if (!name || this.later) return;
    const { trace } = this;
    const { Lens, Parts } = await ctx.later("logits").catch(() => ({}));
    if (this.later || trace !== this.trace || name !== ctx.store.state.outputs) return;
    if (!Lens) {
      this.place.textContent = this.t("view.frame.problem.network");
      return;
    }
    const choose = (position, lock) => this.point(position, lock ? (patch) => this.lock(patch) : (patch) => this.ctx.store.set(patch));
    const part = new (name === "lens" ? Lens : Parts)({ ctx, outputs: this.read, choose });
    this.later = { name, trace, part };
    this.place.replaceChildren(part.element);
    this.paintView();
  }

  /** The other view at the chosen position; what is asked of the server does not follow the pointer. */
  paintView() {
    const { locked } = this.ctx.store.state;
    const chosen = this.linked && !locked && this.later?.name === "parts" ? null : this.selected;
    this.later?.part.show(this.whole ? 0 : (chosen ?? this.byDefault));
  }

  leaveView() {
    this.later?.part.destroy();
    this.later = null;
    this.place.replaceChildren();
  }

  destroy() {
    super.destroy();
    this.leaveView();
  }

  /** Show the outputs of another trace, or in other colours. */
  start() {
    const { data, store } = this.ctx;
    const isOther = this.trace !== null && this.trace.header.model.name !== data.header.model.name;
    if (isOther) store.set({ row: null, token: null, against: null }); // ids of another model's outputs
    this.trace = data;
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
    if (!outputs) {
      for (const part of [this.views, this.intro, this.scroller, this.place, this.detail]) part.hidden = true;
      return;
    }
    const fresh = this.trace !== this.ctx.data || changed.has("theme");
    if (changed.has("theme")) this.leaveView();
    if (fresh) this.start();
    else this.list.refresh();
    if (fresh || changed.has("site")) this.introduce();
    if (fresh || changed.has("outputs")) this.showView();
    if (this.linked && changed.has("query") && this.selected !== null && !this.pointed) this.list.reveal(this.order.indexOf(this.selected), true);
    if (fresh || ["query", "row", "site"].some((field) => changed.has(field))) this.paint();
    else this.paintRows();
    if (SEEN.some((field) => changed.has(field)) || changed.has("locked")) this.paintView();
  }
}
