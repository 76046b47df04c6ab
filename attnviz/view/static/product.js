/** The q × k view: one query and one key, dimension by dimension, from their products to the weight. */

import { css, ink } from "./colors.js";
import { tokenElement } from "./format.js";
import { symmetricLimits } from "./heat.js";
import { asker, current, el, maskReason, pairMemory, rowOf } from "./panelkit.js";
import { agrees, hasCap, scaleKind, scaledScore } from "./scaling.js";
import { missingShare } from "./shown.js";
import { numbersOf, offers } from "./specs.js";
import { hover, toggleLock } from "./store.js";

const BAR = 50; // percent of a cell that its bar may take; the number stands beside it
const COLUMNS = ["q", "k", "product", "sum"];

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
  return { product, sum: product.map((value) => (sum += value)) };
}

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const lastPair = pairMemory(ctx);
  const ask = asker(ctx, numbersOf);
  const teach = el("p", { class: "avp-teach" });
  const title = el("p", { class: "avp-pair" });
  const body = el("tbody");
  const head = el("thead", {}, el("tr", {}, ...["dim", ...COLUMNS].map((name) => el("th", { scope: "col", class: `is-${name}` }, ctx.t(`view.panel.product.${name}`)))));
  const scroller = el("div", { class: "avp-product-scroll", tabindex: "0", role: "region", "aria-label": ctx.t("view.panel.product.region") }, el("table", { class: "avp-product-table" }, head, body));
  const verdict = el("ol", { class: "avp-verdict" });
  const element = el("div", { class: "avp-panel avp-product" }, teach, title, scroller, verdict);
  let rows = []; // per dimension: {row, cells}
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

  function buildRows(n) {
    rows = Array.from({ length: n }, (_, d) => {
      const cells = COLUMNS.map((name) => el("td", { class: `is-${name}` }, el("span", { class: "avp-bar" }), el("span", { class: "avp-number" })));
      return { row: el("tr", { "data-dim": d }, el("th", { scope: "row" }, d), ...cells), cells };
    });
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
    const share = (Math.min(1, Math.abs(value) / limit) * BAR) / 2;
    bar.style.left = `${value < 0 ? BAR / 2 - share : BAR / 2}%`;
    bar.style.width = `${share}%`;
    bar.style.background = css(palette.diverging(value < 0 ? -0.7 : 0.7));
    write(cell, value);
  }

  function write(cell, value) {
    cell.lastChild.textContent = ctx.fmt(value);
    cell.title = ctx.full(value);
  }

  function paintPair(pair, matrices, palette) {
    const [q, k] = [rowOf(matrices.q, pair.i), rowOf(matrices.k, pair.j)];
    const { product, sum } = products(q, k);
    const [, vectors] = symmetricLimits(matrices.q, matrices.k);
    const sums = limitOf(product, sum);
    rows.forEach(({ cells }, d) => {
      paintCell(cells[0], q[d], vectors, palette);
      paintCell(cells[1], k[d], vectors, palette);
      paintBar(cells[2], product[d], sums, palette);
      paintBar(cells[3], sum[d], sums, palette);
    });
    return sum.at(-1);
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
      step("total", ["Σ q[d] · k[d]"], total, ctx.t("view.panel.product.note.total", { score: ctx.fmt(score), query: i, key: j, error: ctx.fmt(Math.abs(total - score)) })),
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
    return ctx.t("view.panel.product.note.weight", { query: i, percent: ctx.fmt(weight * 100) });
  }

  function update(state, changed) {
    const { site, queries, keys, get } = current(ctx);
    const pair = lastPair();
    ask(state, changed);
    const matrices = Object.fromEntries(["q", "k", "scores", "bias", "masked", "weights"].map((stage) => [stage, get(stage)]));
    const ready = ["q", "k", "scores", "bias"].every((stage) => matrices[stage] || !offers(site, stage));
    if (site.scoring === "additive") return say(ctx.t("view.panel.product.additive"));
    if (!pair) return say(ctx.t("view.panel.product.teach"));
    if (!ready) return say(ctx.absent(state.site, "q") || ctx.t("view.panel.waiting"));
    say("");
    const signature = [state.site, state.head, pair.i, pair.j].join();
    if (signature !== shown || changed.has("data") || changed.has("theme")) {
      shown = signature;
      if (rows.length !== matrices.q.cols) buildRows(matrices.q.cols);
      title.replaceChildren(
        el("span", { class: "is-query" }, ctx.t("view.panel.query_at", { index: pair.i }), " ", tokenElement(queries[pair.i])),
        el("span", { class: "avp-times" }, "×"),
        el("span", { class: "is-key" }, ctx.t("view.panel.key_at", { index: pair.j }), " ", tokenElement(keys[pair.j])),
      );
      paintVerdict(pair, site, matrices, paintPair(pair, matrices, ctx.palette()));
    }
    rows.forEach(({ row }, d) => row.classList.toggle("is-current", d === state.dim));
  }

  return { element, update };
}
