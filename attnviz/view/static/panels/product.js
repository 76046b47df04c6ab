/**
 * The q × k view: one query and one key, dimension by dimension, from their products to the weight. Where scores are
 * additive, the rows are the dimensions inside the scoring function, from the two projections to the terms of the sum.
 */

import { additiveOf, additiveSteps } from "../matrix/additive.js";
import { css, ink } from "../core/colors.js";
import { fmtCell, fmtPercent, tokenElement } from "../core/format.js";
import { symmetricLimits } from "../matrix/heat.js";
import { el } from "../core/dom.js";
import { asker, current, maskReason, pairMemory, rowOf } from "./kit.js";
import { agrees, hasCap, scaleKind, scaledScore } from "../matrix/scaling.js";
import { missingShare } from "../matrix/shown.js";
import { numbersOf, offers } from "../matrix/specs.js";
import { hover, toggleLock } from "../core/store.js";

const BAR = { dot: 50, additive: 36 }; // percent of a cell that its bar may take; the number stands beside it
const COLUMNS = { dot: ["q", "k", "product", "sum"], additive: ["query", "key", "both", "bent", "factor", "term", "sum"] };
const BARS = new Set(["product", "term", "sum"]); // columns that have bars; the others are coloured
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

const methodOf = (site) => (site.scoring === "additive" ? "additive" : "dot");

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const lastPair = pairMemory(ctx);
  const ask = asker(ctx, numbersOf);
  const teach = el("p", { class: "avp-teach" });
  const title = el("p", { class: "avp-pair" });
  const body = el("tbody");
  const head = el("thead");
  const table = el("table", { class: "avp-product-table" }, head, body);
  const scroller = el("div", { class: "avp-product-scroll", tabindex: "0", role: "region", "aria-label": ctx.t("view.panel.product.region") }, table);
  const verdict = el("ol", { class: "avp-verdict" });
  const element = el("div", { class: "avp-panel avp-product" }, teach, title, scroller, verdict);
  let rows = []; // per dimension: {row, cells}
  let built = ""; // how scores are made, and how many rows the table has
  let shown = ""; // signature of the numbers on the screen

  const dimAt = (event) => {
    const row = event.target.closest("tr[data-dim]");
    return row ? Number(row.dataset.dim) : null;
  };
  body.addEventListener("pointermove", (event) => event.pointerType !== "touch" && dimAt(event) !== null && hover(ctx.store, { dim: dimAt(event) }));
  body.addEventListener("pointerleave", () => hover(ctx.store, { dim: null }));
  body.addEventListener("click", (event) => {
    const pair = lastPair();
    if (dimAt(event) !== null && pair) toggleLock(ctx.store, { query: pair.i, key: pair.j, dim: dimAt(event) });
  });

  function say(text) {
    teach.textContent = text;
    teach.hidden = text === "";
    for (const part of [title, scroller, verdict]) part.hidden = text !== "";
  }

  function build(method, n) {
    if (built === `${method} ${n}`) return;
    built = `${method} ${n}`;
    const columns = COLUMNS[method];
    const heading = (name) => el("th", { scope: "col", class: `is-${TONES[name] ?? name}` }, ctx.t(`view.panel.${method === "dot" || name === "sum" ? "product" : "additive"}.${name}`));
    head.replaceChildren(el("tr", {}, el("th", { scope: "col", class: "is-dim" }, ctx.t(`view.panel.${method === "dot" ? "product" : "additive"}.dim`)), ...columns.map(heading)));
    rows = Array.from({ length: n }, (_, d) => {
      const cells = columns.map((name) => el("td", { class: BARS.has(name) ? "has-bar" : "" }, el("span", { class: "avp-bar" }), el("span", { class: "avp-number" })));
      // the dimensions inside additive scoring are not those of the head: nothing else on the page has them
      return { row: el("tr", method === "dot" ? { "data-dim": d } : {}, el("th", { scope: "row" }, d), ...cells), cells };
    });
    table.dataset.method = method;
    body.replaceChildren(...rows.map(({ row }) => row));
  }

  /** A coloured cell for a vector's entry. */
  function paintCell(cell, value, limit, palette) {
    const colour = palette.diverging(Math.max(-1, Math.min(1, value / limit)));
    cell.style.background = css(colour);
    cell.style.color = ink(colour);
    write(cell, value);
  }

  /** A bar from 0, the middle of the cell's left part, for a product or a sum. */
  function paintBar(cell, value, limit, palette) {
    const bar = cell.firstChild;
    const { method } = table.dataset;
    const middle = BAR[method] / 2;
    const share = Math.min(1, Math.abs(value) / limit) * middle;
    bar.style.left = `${value < 0 ? middle - share : middle}%`;
    bar.style.width = `${share}%`;
    bar.style.background = css(palette.diverging(value < 0 ? -0.7 : 0.7));
    write(cell, value, method === "dot" ? ctx.fmt : fmtCell); // seven columns are narrow
  }

  function write(cell, value, format = ctx.fmt) {
    cell.lastChild.textContent = format(value);
    cell.title = ctx.full(value);
  }

  /** The vectors of a pair by column, and the limit of each column's colours or bars; what is compared shares one. */
  function stepsOf(pair, site, matrices) {
    const [q, k] = [rowOf(matrices.q, pair.i), rowOf(matrices.k, pair.j)];
    if (methodOf(site) === "dot") {
      const steps = products(q, k);
      const [[, vectors], sums] = [symmetricLimits(matrices.q, matrices.k), limitOf(steps.product, steps.sum)];
      return { steps, limits: { q: vectors, k: vectors, product: sums, sum: sums } };
    }
    const steps = additiveSteps(additiveOf(ctx.data, site), q, k);
    const [vectors, sums] = [limitOf(steps.query, steps.key, steps.both), limitOf(steps.term, steps.sum)];
    return { steps, limits: { query: vectors, key: vectors, both: vectors, bent: 1, factor: limitOf(steps.factor), term: sums, sum: sums } };
  }

  /** Fills the table; returns the total. */
  function paintPair(pair, site, matrices, palette) {
    const { steps, limits } = stepsOf(pair, site, matrices);
    const method = methodOf(site);
    build(method, steps.sum.length);
    COLUMNS[method].forEach((name, column) => {
      const paint = BARS.has(name) ? paintBar : paintCell;
      rows.forEach(({ cells }, d) => paint(cells[column], steps[name][d], limits[name], palette));
    });
    return steps.sum.at(-1);
  }

  function step(name, formula, value, note, kind = "") {
    return el(
      "li",
      { class: kind },
      el("span", { class: "avp-verdict-name" }, ctx.t(`view.panel.product.step.${name}`)),
      el("span", { class: "avp-verdict-formula" }, ...formula, el("span", { class: `avp-verdict-note${formula.length ? "" : " is-alone"}` }, note)),
      el("span", { class: "avp-verdict-value", title: typeof value === "number" ? ctx.full(value) : null }, typeof value === "number" ? ctx.fmt(value) : value),
    );
  }

  /** From the total of the products to the weight, each beside the entry of its matrix. */
  function paintVerdict({ i, j }, site, matrices, total) {
    const { scores, bias, masked, weights } = matrices;
    const at = (matrix) => matrix?.data[i * matrix.cols + j];
    const [score, verdictScore, weight] = [at(scores), at(masked), at(weights)];
    const reason = masked ? maskReason(site, masked, i, j) : null;
    const allowed = masked ? rowOf(masked, i).reduce((n, value) => n + (value > -Infinity ? 1 : 0), 0) : 0;
    const reasonText = reason ? ctx.t(`view.panel.mask.${reason}`, { query: i, key: j, window: site.window }) : ctx.t("view.panel.mask.allowed", { query: i, key: j });
    const share = weights ? missingShare(weights, i) : 0;
    verdict.replaceChildren(
      step("total", [site.scoring === "additive" ? "Σ w_v[a] · tanh(…)[a]" : "Σ q[d] · k[d]"], total, ctx.t("view.panel.product.note.total", { score: ctx.fmt(score), query: i, key: j, error: ctx.fmt(Math.abs(total - score)) })),
      scaledStep(site, score, at(bias), reason === null ? verdictScore : undefined),
      step("mask", [], reason ? ctx.fmt(-Infinity) : ctx.t("view.panel.product.pass"), reasonText, reason ? "is-masked" : "is-allowed"),
      step("weight", [ctx.t("view.panel.product.softmax", { count: allowed })], weight ?? "", weightNote(i, weight, reason, allowed)),
      ...(site.sinks && allowed ? [step("sink", [], share, ctx.t("view.panel.product.note.sink"))] : []),
    );
  }

  /** The score after scale, bias and cap; `shown`: what the matrix holds, undefined where a mask stands in its place. */
  function scaledStep(site, score, bias, shown) {
    const notes = [ctx.t(`view.panel.product.note.scale.${scaleKind(site)}`, { d_head: site.d_head })];
    let formula = `${ctx.fmt(score)} × ${ctx.fmt(site.scale)}`;
    if (bias !== undefined) {
      formula += ` + ${ctx.fmt(bias)}`;
      notes.push(ctx.t("view.panel.product.note.bias"));
    }
    if (hasCap(site)) {
      const cap = ctx.fmt(site.softcap);
      formula = `${cap} · tanh((${formula}) / ${cap})`;
      notes.push(ctx.t("view.panel.product.note.cap", { cap }));
    }
    const scaled = scaledScore(site, score, bias);
    const explained = shown === undefined || agrees(scaled, shown);
    if (!explained) notes.push(ctx.t("view.panel.product.note.unexplained", { scaled: ctx.fmt(scaled) }));
    return step("scaled", [formula], explained ? scaled : shown, notes.join(" · "));
  }

  function weightNote(i, weight, reason, allowed) {
    if (!allowed) return ctx.t("view.panel.product.note.empty", { query: i });
    if (reason) return ctx.t("view.panel.product.note.zero");
    return ctx.t("view.panel.product.note.weight", { query: i, percent: fmtPercent(weight) });
  }

  function update(state, changed) {
    const { site, queries, keys, get } = current(ctx);
    const pair = lastPair();
    ask(state, changed);
    const matrices = Object.fromEntries(["q", "k", "scores", "bias", "masked", "weights"].map((stage) => [stage, get(stage)]));
    const ready = ["q", "k", "scores", "bias"].every((stage) => matrices[stage] || !offers(site, stage));
    if (!pair) return say(ctx.t(`view.panel.${methodOf(site) === "dot" ? "product" : "additive"}.teach`));
    if (!ready) return say(ctx.absent(state.site, "q") || ctx.t("view.panel.waiting"));
    say("");
    const signature = [state.site, state.head, pair.i, pair.j].join();
    if (signature !== shown || changed.has("data") || changed.has("theme")) {
      shown = signature;
      title.replaceChildren(
        el("span", { class: "is-query" }, ctx.t("view.panel.query_at", { index: pair.i }), " ", tokenElement(queries[pair.i])),
        el("span", { class: "avp-times" }, "×"),
        el("span", { class: "is-key" }, ctx.t("view.panel.key_at", { index: pair.j }), " ", tokenElement(keys[pair.j])),
      );
      paintVerdict(pair, site, matrices, paintPair(pair, site, matrices, ctx.palette()));
    }
    const dim = methodOf(site) === "dot" ? state.dim : null;
    rows.forEach(({ row }, d) => row.classList.toggle("is-current", d === dim));
  }

  return { element, update };
}
