/** Token lines: queries left, keys right, a line per pair whose opacity is the weight, on one canvas. */

import { css, ink } from "../core/colors.js";
import { el, sizeCanvas } from "../core/dom.js";
import { tokenElement } from "../core/format.js";
import { numberAt, placeOf, tokenAt } from "../matrix/axis.js";
import { weightLimits } from "../matrix/shade.js";
import { visibleWeights } from "../matrix/shown.js";
import { KeptLines } from "./kept.js";
import { rowOf } from "./kit.js";
import { HeadSquares, headColour, headsOf } from "./lines-heads.js";
import { TokenList } from "./list.js";
import { Panel } from "./panel.js";

const ROW = 24; // height of a token in CSS pixels
const INDEX = 46; // px beside a token's letters
const LETTER = 8; // px of a letter
const DRAW_ALL = 100; // up to so many tokens every line is drawn, beyond only those that touch a token in sight
const SHADES = 255; // lines of the same opacity (8 bits) share one stroke
const SLICE = 3; // milliseconds a frame that counting long sequences may take
const KEEP = 70; // percent of each row's mass that the lines keep until somebody moves the slider

/** @typedef {"query"|"key"} Side */

/** Draws a head's weights between two axes, or those of several heads. */
class Picture {
  /**
   * @param {import("../matrix/shown.js").Shown} matrix
   * @param {number} percent
   * @param {Record<Side, Set<number>>} specials
   */
  constructor(matrix, percent, specials) {
    this.matrix = matrix;
    this.axes = { query: matrix.queries, key: matrix.allKeys };
    this.specials = specials;
    this.kept = new KeptLines(matrix, percent);
    /** @type {{head: number, matrix: import("../core/data.js").Matrix, kept: KeptLines}[]} the heads that are drawn together, if any */
    this.others = [];
    // the column of each place among the keys, -1 when it is hidden, and back
    this.columns = Int32Array.from(this.axes.key.tokens, (tokens) => tokens.reduce((found, token) => Math.max(found, matrix.keys.of[token]), -1));
    this.placeOfColumn = new Int32Array(matrix.cols);
    this.columns.forEach((column, place) => column >= 0 && (this.placeOfColumn[column] = place));
  }

  /** Whether it shows these weights, with that much of each row. */
  is(matrix, percent) {
    return this.matrix === matrix && this.kept.percent === percent;
  }

  /** Sets the heads that are drawn together; what is counted of them stays. */
  together(others, percent) {
    const same = others.length === this.others.length && others.every((each, n) => each.matrix === this.others[n].matrix && this.others[n].kept.percent === percent);
    if (!same) this.others = others.map((each) => ({ ...each, kept: new KeptLines(each.matrix, percent) }));
  }

  get long() {
    return Math.max(this.matrix.rows, this.axes.key.labels.length) > DRAW_ALL;
  }
}

export class LinesPanel extends Panel {
  static id = "lines";
  static fields = {
    heads: { start: "", read: (text) => (/^\d{1,4}(,\d{1,4})*$/.test(text) ? text : undefined) },
    keep: { start: KEEP, read: (text) => (/^(\d{1,2}(\.\d*)?|100)$/.test(text) ? Number(text) : undefined) },
  };

  constructor(ctx) {
    super(ctx);
    /** @type {Picture|null} */
    this.shown = null;
    this.frame = 0;
    this.pointed = false; // the pointer is over this panel: do not scroll it away from under the pointer
    this.squares = new HeadSquares(ctx);
    this.status = el("span", { class: "avp-lines-status" });
    this.hiddenNote = el("p", { class: "avp-note" });
    this.canvas = el("canvas", { class: "avp-lines-canvas", "aria-hidden": "true" });
    this.middle = el("div", { class: "avp-lines-middle" }, this.canvas);
    this.scroller = el("div", { class: "avp-lines-scroll" });
    /** @type {Record<Side, TokenList>} */
    this.lists = { query: this.makeList("query"), key: this.makeList("key") };
    this.scroller.append(this.lists.query.host, this.middle, this.lists.key.host);
    this.element.append(this.keepSlider(), this.squares.element, this.headings(), this.scroller, this.hiddenNote);
    this.element.addEventListener("pointerenter", () => (this.pointed = true));
    this.element.addEventListener("pointerleave", () => (this.pointed = false));
    this.scroller.addEventListener("scroll", () => this.scrolled());
    this.onResize(this.scroller, () => this.resized());
  }

  keepSlider() {
    this.slider = el("input", { type: "range", min: 0, max: 100, step: 1, class: "avp-lines-slider" });
    this.percent = el("output", { class: "avp-lines-percent" });
    this.slider.addEventListener("input", () => this.ctx.store.set({ keep: Number(this.slider.value) }));
    this.slider.addEventListener("keydown", (event) => event.stopPropagation());
    return el("label", { class: "avp-lines-keep" }, el("span", {}, this.t("view.panel.lines.keep")), this.slider, this.percent);
  }

  headings() {
    const title = (side, key) => el("span", { class: `is-${side}` }, this.ctx.terms?.button(side, this.t(key)) ?? this.t(key));
    return el("div", { class: "avp-lines-axes" }, title("query", "view.panel.lines.queries"), this.status, title("key", "view.panel.lines.keys"));
  }

  makeList(side) {
    const focusOn = (index) => {
      const token = tokenAt(this.shown.axes[side], index);
      return side === "query" ? { query: token, key: null } : { query: null, key: token };
    };
    return new TokenList(this.ctx, {
      scroller: this.scroller, class: `avp-lines-list is-${side}`, label: this.t(`view.panel.lines.list.${side}`), height: ROW,
      make: (index) => this.makeToken(side, index),
      point: (index, act) => act(focusOn(index)),
      chosen: () => this.focus()[side],
      leave: () => this.hover({ query: null, key: null }),
      across: (key) => this.across(key),
    });
  }

  makeToken(side, index) {
    const axis = this.shown.axes[side];
    const special = this.shown.specials[side].has(tokenAt(axis, index));
    return el(
      "div",
      { class: `avp-lines-token${special ? " is-special" : ""}` },
      el("span", { class: "avp-index", title: numberAt(axis, index) }, tokenAt(axis, index)),
      tokenElement(axis.labels[index]),
    );
  }

  /** Left and Right lead to the other list. */
  across(key) {
    const side = { ArrowRight: "key", ArrowLeft: "query" }[key];
    this.lists[side]?.host.focus();
    return side !== undefined;
  }

  scrolled() {
    if (Object.values(this.lists).map((list) => list.refresh()).some(Boolean)) this.paintTokens();
    this.request();
  }

  resized() {
    if (!this.scroller.clientHeight || !this.shown) return;
    for (const list of Object.values(this.lists)) list.refresh();
    this.paintTokens();
    this.request();
  }

  request() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.shown && this.scroller.clientHeight) this.paint();
    });
  }

  /** The places of the query and the key in focus, null where there is none, or it is not shown. */
  focus() {
    const { state } = this.ctx.store;
    const place = (side) => {
      const found = placeOf(this.shown.axes[side], state[side]);
      return found < 0 ? null : found;
    };
    return { query: place("query"), key: place("key") };
  }

  /** Tints the tokens opposite the one in focus by their weight, and marks focus and hidden keys. */
  paintTokens() {
    const at = this.focus();
    const [, most] = weightLimits(this.ctx, this.ctx.store.state, this.shown.matrix);
    for (const side of /** @type {Side[]} */ (["query", "key"])) {
      for (const [index, element] of this.lists[side].shown) this.paintToken(side, index, element, at, most);
      this.lists[side].mark(at[side]);
    }
  }

  paintToken(side, index, element, at, most) {
    const { matrix, columns, others } = this.shown;
    const other = side === "query" ? at.key : at.query;
    const alone = side === "query" ? at.query === null : true; // a cell in focus tints keys only
    const [i, column] = side === "query" ? [index, columns[other]] : [other, columns[index]];
    const tint = other !== null && alone && column >= 0 ? matrix.data[i * matrix.cols + column] : null;
    const colour = tint === null || others.length ? null : this.ctx.palette().sequential(Math.min(1, tint / most));
    element.style.background = colour ? css(colour) : "";
    element.style.color = colour ? ink(colour) : "";
    if (tint !== null && others.length) element.style.background = this.stripes(i, column, most);
    element.title = tint === null ? "" : this.weightsAt(i, column).join("\n");
    element.classList.toggle("is-hidden", side === "key" && columns[index] < 0);
  }

  /** The weights of a pair in words, of each head that is drawn. */
  weightsAt(query, column) {
    const { others } = this.shown;
    const at = ({ matrix }) => this.t("view.panel.lines.weight", { weight: this.ctx.full(matrix.data[query * matrix.cols + column]) });
    return others.length ? others.map((each) => this.t("view.frame.of", { what: this.t("view.frame.grid.head", { head: each.head }), which: at(each) })) : [at(this.shown)];
  }

  /** A stripe for each head that is drawn, as strong as its weight. */
  stripes(query, column, most) {
    const { others } = this.shown;
    const share = 100 / others.length;
    const parts = others.map(({ head, matrix }, n) => {
      const strength = 100 * Math.min(1, matrix.data[query * matrix.cols + column] / most);
      return `color-mix(in srgb, ${headColour(head, this.ctx.palette())} ${strength}%, transparent) ${n * share}% ${(n + 1) * share}%`;
    });
    return `linear-gradient(to right, ${parts.join(", ")})`;
  }

  /** Calls visit(i, j, weight) for every line of a head that the focus, the threshold and the part in sight leave. */
  eachLine({ matrix, kept }, { query, key }, visit) {
    const { placeOfColumn, long } = this.shown;
    const pass = (i, c) => visit(i, placeOfColumn[c], matrix.data[i * matrix.cols + c]);
    if (query !== null) {
      for (const c of kept.row(query)) pass(query, c);
      return;
    }
    const [firstQuery, lastQuery] = this.lists.query.range();
    const [firstKey, lastKey] = this.lists.key.range();
    for (let i = 0; i < matrix.rows; i += 1) {
      const inSight = !long || (i >= firstQuery && i < lastQuery);
      if (!inSight && !kept.rows[i]) continue; // not counted yet: drawn as soon as it is
      for (const c of kept.row(i)) {
        const j = placeOfColumn[c];
        if (key !== null ? j === key : inSight || (j >= firstKey && j < lastKey)) pass(i, c);
      }
    }
  }

  paint() {
    const at = this.focus();
    const { matrix, kept, others } = this.shown;
    const [width, height] = [this.middle.clientWidth, this.scroller.clientHeight];
    const pen = sizeCanvas(this.canvas, width, height);
    pen.clearRect(0, 0, width, height);
    const top = this.scroller.scrollTop; // read once: every read has the browser lay the page out
    const y = (index) => index * ROW + ROW / 2 - top;
    pen.lineWidth = matrix.rows <= 40 ? 2 : 1.25;
    const heads = others.length ? others : [{ head: null, matrix, kept }];
    for (const each of heads) {
      pen.strokeStyle = each.head === null ? css(this.ctx.palette().sequential(1)) : headColour(each.head, this.ctx.palette());
      this.strokeLines(pen, this.shadesOf(each, at, y), width);
    }
    this.strokePair(pen, at, y, width);
    if (heads.map((each) => each.kept.count(SLICE / heads.length)).includes(false) || !kept.count(SLICE)) this.request();
    const text = this.describe();
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /** The ends of a head's lines by their shade: [y of the query, y of the key, ...]; without the pair in focus. */
  shadesOf(each, at, y) {
    // all lines at once are told apart by their weights alone: contrast would make them one dark field
    const [, most] = at.query === null && at.key === null ? [0, 1] : weightLimits(this.ctx, this.ctx.store.state, this.shown.matrix);
    const shades = Array.from({ length: SHADES + 1 }, () => []);
    this.eachLine(each, at, (i, j, weight) => {
      if (i !== at.query || j !== at.key) shades[Math.round(Math.min(1, weight / most) * SHADES)].push(y(i), y(j));
    });
    return shades;
  }

  strokeLines(pen, shades, width) {
    shades.forEach((ends, shade) => {
      if (ends.length === 0 || shade === 0) return; // under half a shade: nothing to see
      pen.globalAlpha = shade / SHADES;
      pen.beginPath();
      for (let n = 0; n < ends.length; n += 2) {
        pen.moveTo(0, ends[n]);
        pen.lineTo(width, ends[n + 1]);
      }
      pen.stroke();
    });
  }

  /** The pair in focus, dashed where it is under the threshold. */
  strokePair(pen, { query, key }, y, width) {
    const { matrix, columns, kept } = this.shown;
    const column = columns[key] ?? -1;
    if (query === null || column < 0) return;
    pen.strokeStyle = css(this.ctx.palette().sequential(1));
    pen.globalAlpha = Math.max(0.15, matrix.data[query * matrix.cols + column]);
    pen.lineWidth = 3.5;
    pen.setLineDash(kept.row(query).includes(column) ? [] : [4, 4]);
    pen.beginPath();
    pen.moveTo(0, y(query));
    pen.lineTo(width, y(key));
    pen.stroke();
    pen.setLineDash([]);
  }

  /** Say how many lines are drawn, of how many. */
  describe() {
    const { query, key } = this.focus();
    const { matrix, kept, axes, others, long } = this.shown;
    const number = (value) => value.toLocaleString(this.ctx.data.header.lang);
    if (others.length) return this.t("view.panel.heads.drawn", { n: others.length });
    if (query !== null) {
      const total = rowOf(matrix, query).reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
      const index = numberAt(axes.query, query);
      if (!total) return this.t("view.panel.lines.empty", { index });
      return this.t("view.panel.lines.of_query", { drawn: number(kept.row(query).length), total: number(total), index });
    }
    if (kept.counted < matrix.rows) return this.t("view.panel.lines.counting");
    if (key !== null) {
      const [drawn, total] = this.countKey(key);
      return this.t("view.panel.lines.of_key", { drawn: number(drawn), total: number(total), index: numberAt(axes.key, key) });
    }
    return this.t(long ? "view.panel.lines.of_all_long" : "view.panel.lines.of_all", { drawn: number(kept.drawn), total: number(kept.total) });
  }

  /** Lines to a key that are drawn, and all. */
  countKey(key) {
    const { matrix, kept, columns } = this.shown;
    let [drawn, total] = [0, 0];
    for (let i = 0; i < matrix.rows; i += 1) {
      if (matrix.data[i * matrix.cols + columns[key]] > 0) total += 1;
      if (kept.row(i).includes(columns[key])) drawn += 1;
    }
    return [drawn, total];
  }

  specials({ site }) {
    const { header } = this.ctx.data;
    const { queries, keys } = this.ctx.data.site(site);
    return { query: new Set(header.specials[queries]), key: new Set(header.specials[keys]) };
  }

  /** The weights of the heads that are drawn together; undefined, and asked for, while they are not all here. */
  matricesOf(state) {
    const { ctx } = this;
    const heads = headsOf(state, ctx.data.site(state.site));
    const found = heads.map((head) => ({ head, matrix: visibleWeights({ ...state, head }, ctx) }));
    const absent = found.filter(({ matrix }) => !matrix).map(({ head }) => head);
    if (!absent.length) return found;
    ctx.load(state.site, absent, ["weights"]).then(() => ctx.data.has(state.site, absent[0], ["weights"]) && ctx.store.touch("data"));
    return undefined;
  }

  update(state, changed) {
    this.slider.value = String(state.keep);
    this.percent.textContent = this.t("view.panel.percent", { value: state.keep });
    this.squares.update();
    const matrix = visibleWeights(state, this.ctx);
    const others = this.matricesOf(state);
    this.element.classList.toggle("is-waiting", !matrix || !others);
    if (!matrix || !others) return; // the last lines stay, dimmed, until the numbers are here
    const before = this.shown?.axes;
    if (!this.shown?.is(matrix, state.keep)) this.shown = new Picture(matrix, state.keep, this.specials(state));
    this.shown.together(others, state.keep);
    this.fill(before);
    if (!this.pointed && (changed.has("query") || changed.has("key"))) this.reveal();
    const hidden = matrix.hidden.length;
    this.hiddenNote.textContent = hidden > 0 ? this.t("view.panel.lines.renormalised", { count: hidden }) : "";
    this.hiddenNote.hidden = hidden === 0;
    this.paintTokens();
    this.request();
  }

  /** Brings the lists in step: other axes make other lists. */
  fill(before) {
    const { axes } = this.shown;
    if (before?.query === axes.query && before.key === axes.key) return;
    for (const side of /** @type {Side[]} */ (["query", "key"])) {
      const list = this.lists[side];
      const longest = axes[side].labels.reduce((most, label) => Math.max(most, label.length), 0);
      list.host.style.width = `${INDEX + LETTER * longest}px`; // the style sheet holds it within bounds
      list.reset(axes[side].labels.length);
    }
  }

  reveal() {
    const at = this.focus();
    if (at.query !== null) this.lists.query.reveal(at.query, true);
    else if (at.key !== null) this.lists.key.reveal(at.key, true);
  }
}
