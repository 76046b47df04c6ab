/**
 * The q × k view: one query and one key, dimension by dimension, from their products to the weight. Where scores are
 * additive, the rows are the dimensions inside the scoring function, from the two projections to the terms of the sum.
 */

import { oneOf } from "../core/address.js";
import { css, ink } from "../core/colors.js";
import { fmtCell, fmtPercent, tokenElement } from "../core/format.js";
import { symmetricLimits } from "../matrix/heat.js";
import { el } from "../core/dom.js";
import { asker, current, maskReason, pairMemory, rowOf } from "./kit.js";
import { additiveOf, additiveSteps, agrees, hasCap, scaleKind, scaledScore } from "../matrix/scoring.js";
import { missingShare } from "../matrix/shown.js";
import { numbersOf, offers } from "../matrix/specs.js";
import { Panel } from "./panel.js";
import { Teller } from "./teller.js";

const BAR = { dot: 50, additive: 36 }; // percent of a cell that its bar may take; the number stands beside it
const COLUMNS = { dot: ["q", "k", "product", "sum"], additive: ["query", "key", "both", "bent", "factor", "term", "sum"] };
const BARS = new Set(["product", "term", "sum"]); // columns that have bars; the others are coloured
const VIEWS = ["", "plane"]; // "": one pair; the plane of all comes with a module of its own
const TONES = { q: "query", query: "query", k: "key", key: "key" }; // headings in the colour of their vector

/** Largest absolute value; 1 for all zeros, so that it can divide. */
const limitOf = (...rows) => rows.reduce((limit, row) => row.reduce((m, value) => Math.max(m, Math.abs(value)), limit), 0) || 1;

/**
 * The products of one pair and their running sums.
 * @param {Float32Array} q one query (d_head)
 * @param {Float32Array} k one key (d_head)
 */
function products(q, k) {
  const product = Float64Array.from(q, (value, d) => value * k[d]);
  let sum = 0;
  return { q, k, product, sum: product.map((value) => (sum += value)) };
}

/** The dimension of the row under the pointer. */
function dimAt(event) {
  const row = event.target.closest("tr[data-dim]");
  return row ? Number(row.dataset.dim) : null;
}

const methodOf = (site) => (site.scoring === "additive" ? "additive" : "dot");

export class ProductPanel extends Panel {
  static id = "product";
  static fields = { product: oneOf("", VIEWS) };

  constructor(ctx) {
    super(ctx);
    this.teller = new Teller(ctx);
    this.lastPair = pairMemory(ctx);
    this.ask = asker(ctx, numbersOf);
    this.teach = el("p", { class: "avp-teach" });
    this.title = el("p", { class: "avp-pair" });
    this.head = el("thead");
    this.body = el("tbody", {
      on: {
        pointermove: (event) => event.pointerType !== "touch" && dimAt(event) !== null && this.hover({ dim: dimAt(event) }),
        pointerleave: () => this.hover({ dim: null }),
        click: (event) => this.click(event),
      },
    });
    this.table = el("table", { class: "avp-product-table" }, this.head, this.body);
    this.scroller = el("div", { class: "avp-product-scroll", tabindex: "0", role: "region", "aria-label": this.t("view.panel.product.region") }, this.table);
    this.verdict = el("ol", { class: "avp-verdict" });
    this.views = el("div", { class: "av-group avp-outputs-views", role: "group", "aria-label": this.t("view.panel.product.views") }, VIEWS.map((name) => el("button", {
      type: "button", class: "av-button", text: this.t(`view.panel.product.view.${name || "pair"}`), dataset: { view: name }, on: { click: () => ctx.store.set({ product: name }) },
    })));
    /** @type {any} there once its module has come */
    this.plane = null;
    this.place = el("div");
    this.element.append(this.views, this.place, this.teach, this.title, this.scroller, this.verdict);
    /** @type {{row: HTMLElement, cells: HTMLElement[]}[]} */
    this.rows = []; // one a dimension
    this.method = "dot"; // how scores are made: "dot" or "additive"
    this.shown = ""; // signature of the numbers on the screen
  }

  click(event) {
    const pair = this.lastPair();
    if (dimAt(event) !== null && pair) this.lock({ query: pair.i, key: pair.j, dim: dimAt(event) });
  }

  /** A line in place of everything else; "" for none. */
  say(text) {
    this.teach.textContent = text;
    this.teach.hidden = text === "";
    this.place.hidden = true;
    for (const part of [this.title, this.scroller, this.verdict]) part.hidden = text !== "";
  }

  /** Whether all queries and keys have a plane: they multiply each other, and its module can be had. */
  get offersPlane() {
    const { data, store } = this.ctx;
    const site = data.site(store.state.site);
    return Boolean(data.header.later?.plane) && methodOf(site) === "dot" && site.d_key === site.d_head && !data.isDifference;
  }

  async showPlane(view) {
    const { ctx } = this;
    if (!this.plane) {
      this.say(this.t("view.panel.waiting"));
      const { Plane } = await ctx.later("plane").catch(() => ({}));
      if (!Plane) return this.say(this.t("view.frame.problem.network"));
      this.plane ??= new Plane(ctx);
      return this.element.isConnected && this.update(ctx.store.state, new Set(["product"]));
    }
    this.say("");
    for (const part of [this.title, this.scroller, this.verdict]) part.hidden = true;
    this.place.hidden = false;
    if (!this.plane.element.isConnected) this.place.replaceChildren(this.plane.element);
    this.plane.show(view);
  }

  build(method, n) {
    if (this.method === method && this.rows.length === n) return;
    this.method = method;
    const columns = COLUMNS[method];
    const words = (name) => this.t(`view.panel.${method === "dot" || name === "sum" ? "product" : "additive"}.${name}`);
    const headings = columns.map((name) => el("th", { scope: "col", class: `is-${TONES[name] ?? name}` }, words(name)));
    this.head.replaceChildren(el("tr", {}, el("th", { scope: "col", class: "is-dim" }, words("dim")), headings));
    this.rows = Array.from({ length: n }, (_, d) => {
      const cells = columns.map((name) => el("td", { class: BARS.has(name) ? "has-bar" : "" }, el("span", { class: "avp-bar" }), el("span", { class: "avp-number" })));
      // the dimensions inside additive scoring are not those of the head: nothing else on the page has them
      return { row: el("tr", method === "dot" ? { "data-dim": d } : {}, el("th", { scope: "row" }, d), cells), cells };
    });
    this.table.dataset.method = method;
    this.body.replaceChildren(...this.rows.map(({ row }) => row));
  }

  /** A coloured cell for a vector's entry. */
  paintCell(cell, value, limit, palette) {
    const colour = palette.diverging(Math.max(-1, Math.min(1, value / limit)));
    cell.style.background = css(colour);
    cell.style.color = ink(colour);
    this.write(cell, value, this.ctx.fmt);
  }

  /** A bar from 0, the middle of the cell's left part, for a product or a sum. */
  paintBar(cell, value, limit, palette) {
    const bar = cell.firstChild;
    const middle = BAR[this.method] / 2;
    const share = Math.min(1, Math.abs(value) / limit) * middle;
    bar.style.left = `${value < 0 ? middle - share : middle}%`;
    bar.style.width = `${share}%`;
    bar.style.background = css(palette.diverging(value < 0 ? -0.7 : 0.7));
    this.write(cell, value, this.method === "dot" ? this.ctx.fmt : fmtCell); // seven columns are narrow
  }

  write(cell, value, format) {
    cell.lastChild.textContent = format(value);
    cell.title = this.ctx.full(value);
  }

  /** The vectors of a pair by column, and the limit of each column's colours or bars; what is compared shares one. */
  stepsOf(pair, site, matrices) {
    const [q, k] = [rowOf(matrices.q, pair.i), rowOf(matrices.k, pair.j)];
    if (methodOf(site) === "dot") {
      const steps = products(q, k);
      const [[, vectors], sums] = [symmetricLimits(matrices.q, matrices.k), limitOf(steps.product, steps.sum)];
      return { steps, limits: { q: vectors, k: vectors, product: sums, sum: sums } };
    }
    const steps = additiveSteps(additiveOf(this.ctx.data, site), q, k);
    const [vectors, sums] = [limitOf(steps.query, steps.key, steps.both), limitOf(steps.term, steps.sum)];
    return { steps, limits: { query: vectors, key: vectors, both: vectors, bent: 1, factor: limitOf(steps.factor), term: sums, sum: sums } };
  }

  /** Fills the table; returns the total. */
  paintPair(pair, site, matrices, palette) {
    const { steps, limits } = this.stepsOf(pair, site, matrices);
    this.build(methodOf(site), steps.sum.length);
    COLUMNS[this.method].forEach((name, column) => {
      this.rows.forEach(({ cells }, d) => {
        if (BARS.has(name)) this.paintBar(cells[column], steps[name][d], limits[name], palette);
        else this.paintCell(cells[column], steps[name][d], limits[name], palette);
      });
    });
    return steps.sum.at(-1);
  }

  step(name, formula, value, note, kind = "") {
    const { ctx } = this;
    const text = typeof value === "number" ? ctx.fmt(value) : value;
    return el(
      "li",
      { class: kind },
      el("span", { class: "avp-verdict-name" }, this.t(`view.panel.product.step.${name}`)),
      el("span", { class: "avp-verdict-formula" }, formula, el("span", { class: `avp-verdict-note${formula ? "" : " is-alone"}` }, note)),
      el("span", { class: "avp-verdict-value", title: typeof value === "number" ? ctx.full(value) : null }, text),
    );
  }

  /** From the total of the products to the weight, each beside the entry of its matrix. */
  paintVerdict({ i, j }, site, matrices, total) {
    const { t, ctx } = this;
    const { scores, bias, masked, weights } = matrices;
    const at = (matrix) => matrix?.data[i * matrix.cols + j];
    const [score, weight] = [at(scores), at(weights)];
    const reason = masked ? maskReason(site, masked, i, j) : null;
    const allowed = masked ? rowOf(masked, i).reduce((n, value) => n + (value > -Infinity ? 1 : 0), 0) : 0;
    const reasonText = t(`view.panel.mask.${reason ?? "allowed"}`, { query: i, key: j, window: site.window });
    const difference = t("view.panel.product.note.total", { score: ctx.fmt(score), query: i, key: j, error: ctx.fmt(Math.abs(total - score)) });
    this.verdict.replaceChildren(
      this.step("total", site.scoring === "additive" ? "Σ w_v[a] · tanh(…)[a]" : "Σ q[d] · k[d]", total, difference),
      this.scaledStep(site, score, at(bias), reason === null ? at(masked) : undefined),
      this.step("mask", null, reason ? ctx.fmt(-Infinity) : t("view.panel.product.pass"), reasonText, reason ? "is-masked" : "is-allowed"),
      this.step("weight", t("view.panel.product.softmax", { count: allowed }), weight ?? "", this.weightNote(i, weight, reason, allowed)),
      ...(site.sinks && allowed ? [this.step("sink", null, weights ? missingShare(weights, i) : 0, t("view.panel.product.note.sink"))] : []),
    );
  }

  /** The score after scale, bias and cap; `shown`: what the matrix holds, undefined where a mask stands in its place. */
  scaledStep(site, score, bias, shown) {
    const { t, ctx } = this;
    const notes = [t(`view.panel.product.note.scale.${scaleKind(site)}`, { d_head: site.d_head })];
    if (bias !== undefined) notes.push(t("view.panel.product.note.bias"));
    if (hasCap(site)) notes.push(t("view.panel.product.note.cap", { cap: ctx.fmt(site.softcap) }));
    const scaled = scaledScore(site, score, bias);
    const explained = shown === undefined || agrees(scaled, shown);
    if (!explained) notes.push(t("view.panel.product.note.unexplained", { scaled: ctx.fmt(scaled) }));
    return this.step("scaled", this.teller.scalingOf(site, score, bias), explained ? scaled : shown, notes.join(" · "));
  }

  weightNote(i, weight, reason, allowed) {
    if (!allowed) return this.t("view.panel.product.note.empty", { query: i });
    if (reason) return this.t("view.panel.product.note.zero");
    return this.t("view.panel.product.note.weight", { query: i, percent: fmtPercent(weight) });
  }

  update(state, changed) {
    const view = current(this.ctx);
    const { site } = view;
    const pair = this.lastPair();
    this.ask(state, changed);
    const method = methodOf(site);
    const matrices = Object.fromEntries(["q", "k", "scores", "bias", "masked", "weights"].map((stage) => [stage, view.get(stage)]));
    const ready = ["q", "k", "scores", "bias"].every((stage) => matrices[stage] || !offers(site, stage));
    this.views.hidden = !this.offersPlane;
    for (const button of this.views.children) button.setAttribute("aria-pressed", String(/** @type {HTMLElement} */ (button).dataset.view === state.product));
    if (this.offersPlane && state.product === "plane") {
      if (matrices.q && matrices.k) this.showPlane(view);
      else this.say(this.ctx.absent(state.site, "q") || this.t("view.panel.waiting"));
      return;
    }
    if (!pair) return this.say(this.t(`view.panel.${method === "dot" ? "product" : "additive"}.teach`));
    if (!ready) return this.say(this.ctx.absent(state.site, "q") || this.t("view.panel.waiting"));
    this.say("");
    const signature = [state.site, state.head, pair.i, pair.j].join();
    if (signature !== this.shown || changed.has("data") || changed.has("theme")) {
      this.shown = signature;
      this.nameThePair(pair, view);
      this.paintVerdict(pair, site, matrices, this.paintPair(pair, site, matrices, this.ctx.palette()));
    }
    const dim = method === "dot" ? state.dim : null;
    this.rows.forEach(({ row }, d) => row.classList.toggle("is-current", d === dim));
  }

  destroy() {
    super.destroy();
    this.plane?.destroy();
  }

  nameThePair({ i, j }, { queries, keys }) {
    this.title.replaceChildren(
      el("span", { class: "is-query" }, this.t("view.panel.query_at", { index: i }), " ", tokenElement(queries[i])),
      el("span", { class: "avp-times" }, "×"),
      el("span", { class: "is-key" }, this.t("view.panel.key_at", { index: j }), " ", tokenElement(keys[j])),
    );
  }
}
