/** The tooltip that follows the pointer, and what it says of a cell. */

import { isDims, numberAt, tokenAt } from "./axis.js";
import { el, zoomOf } from "../core/dom.js";
import { tokenElement } from "../core/format.js";
import { formatOf } from "../core/rounding.js";
import { missingShare, visibleWeights } from "./shown.js";
import { offers, titleKey } from "./specs.js";

const GAP = 14;
const TOUCH_MS = 2500;

/**
 * @typedef {Object} Line
 * @property {string} label
 * @property {string} [token]  shown in the code face, with its position in `text`
 * @property {string} [text]
 * @property {string} [exact]  the number in full
 * @property {"query"|"key"} [tone]
 */

function numberLine(ctx, label, x, matrix) {
  if (Number.isNaN(x) && ctx.data.isDifference) return { label, text: ctx.t("view.frame.side.none") };
  return { label, text: formatOf(matrix)(x), exact: ctx.full(x) };
}

/** A place of an axis: its token, or its dimension. */
function placeLine(ctx, axis, place) {
  if (isDims(axis)) return { label: axis.kind === "dims" ? ctx.t("view.frame.tip.dim") : axis.title, text: axis.labels[place] };
  const tone = axis.kind === "queries" ? "query" : "key";
  return { label: ctx.t(`view.frame.tip.${tone}`), token: axis.labels[place], text: `#${numberAt(axis, place)}`, tone };
}

/** The tokens of cell (row, col) and its number under that name, of a matrix of queries and keys that stands for itself. */
export function describePair(ctx, { rows, cols, matrix }, row, col, label) {
  return [placeLine(ctx, rows, row), placeLine(ctx, cols, col), numberLine(ctx, label, matrix.data[row * matrix.cols + col], matrix)];
}

/** Describe cell (row, col): its tokens, score, scaled score, weight; or its dimension and number. */
export function describeCell(ctx, spec, row, col) {
  const { t } = ctx;
  const { rows, cols } = spec;
  const [query, key, value] = describePair(ctx, spec, row, col, spec.title);
  if (isDims(cols)) return [query, key, value, ...madeOf(ctx, spec, row, col)];
  const [queries, keys] = [rows.tokens?.[row].length ?? 1, cols.tokens?.[col].length ?? 1];
  if (queries > 1 || keys > 1) {
    // scores belong to pairs of tokens: a pair of words has none
    return [query, key, { ...value, label: t("view.frame.tip.merged", { queries, keys }) }];
  }
  return [query, key, ...pairLines(ctx, tokenAt(rows, row), tokenAt(cols, col))];
}

/** The row and the column whose product a number is, where they are shown. */
function madeOf({ t, data, store }, { stage, rows }, row, col) {
  const site = data.site(store.state.site);
  const read = site.kind === "cross" ? "x_kv" : "x";
  const factors = { q: ["x", "w_q"], k: [read, "w_k"], v: [read, "w_v"], context: ["weights", "v"], output: ["context", "w_o"] }[stage];
  if (!factors || !factors.every((factor) => offers(site, factor))) return [];
  const [of, by] = factors.map((factor) => t(titleKey(site, factor)));
  return [{ label: t("view.frame.tip.made"), text: t("view.frame.tip.product", { row: numberAt(rows, row), of, col, by }) }];
}

/** The numbers of one pair of tokens, stage by stage; none where another head, with other tokens, is about to be drawn. */
function pairLines(ctx, i, j) {
  const { t, data, store } = ctx;
  const { state } = store;
  const lines = [];
  const get = (stage) => {
    const matrix = data.get(state.site, state.head, stage);
    return matrix && i < matrix.rows && j < matrix.cols ? matrix : null;
  };
  const weights = get("weights");
  for (const stage of ["scores", "bias", "masked", "weights"]) {
    const matrix = get(stage);
    if (matrix) lines.push(numberLine(ctx, t(`view.frame.tip.${stage}`), matrix.data[i * matrix.cols + j], matrix));
  }
  if (data.isDifference) return lines;
  const shown = state.hide === "none" ? undefined : visibleWeights(state, ctx);
  const [r, c] = shown ? [shown.queries.of[i], shown.keys.of[j]] : [-1, -1];
  if (r >= 0 && c >= 0 && shown.hidden.length) lines.push(numberLine(ctx, t("view.frame.tip.renormalised"), shown.data[r * shown.cols + c], shown));
  if (!weights) return lines;
  const left = missingShare(weights, i);
  if (left === 1) lines.push({ label: t("view.frame.tip.weights"), text: t("view.frame.tip.empty") });
  else if (data.site(state.site).sinks) lines.push(numberLine(ctx, t("view.frame.tip.sink"), left, weights));
  return lines;
}

export class Tooltip {
  constructor(root) {
    this.root = root;
    this.coarse = window.matchMedia("(pointer: coarse)");
    this.element = el("div", { class: "av-tooltip", "aria-hidden": "true", hidden: true });
    root.append(this.element);
  }

  /** @param {Line[]} lines */
  show(lines, clientX, clientY) {
    const rows = lines.map(({ label, token, text, exact, tone }) => {
      const value = el("span", { class: `av-tip-value ${tone ? `is-${tone}` : ""}` });
      if (token !== undefined) value.append(tokenElement(token), " ");
      value.append(el("span", { class: token === undefined ? "" : "av-muted", text }));
      if (exact !== undefined && exact !== text) value.append(" ", el("span", { class: "av-muted av-exact", text: exact }));
      return [el("span", { class: "av-muted", text: label }), value];
    });
    this.showElement(el("div", { class: "av-tip-lines" }, rows.flat()), clientX, clientY);
  }

  /** Shows any element, e.g. an enlarged thumbnail. */
  showElement(content, clientX, clientY) {
    if (this.element.firstChild !== content) this.element.replaceChildren(content);
    this.place(clientX, clientY);
  }

  /** Once a frame: its size has to be measured. A finger does not leave as a pointer does, so there it goes by itself. */
  place(clientX, clientY) {
    clearTimeout(this.leaving);
    if (this.coarse.matches) this.leaving = setTimeout(() => this.hide(), TOUCH_MS);
    this.pointer = [clientX, clientY];
    this.element.hidden = false;
    this.request ??= requestAnimationFrame(() => {
      this.request = undefined;
      if (!this.element.hidden) this.move(...this.pointer);
    });
  }

  move(clientX, clientY) {
    const box = this.root.getBoundingClientRect();
    const zoom = zoomOf(this.root);
    const { offsetWidth: width, offsetHeight: height } = this.element;
    const [left, top] = [(clientX - box.left) / zoom, (clientY - box.top) / zoom];
    const x = left + GAP + width <= box.width / zoom ? left + GAP : left - GAP - width;
    const below = clientY + (GAP + height) * zoom <= window.innerHeight;
    const y = top + (below ? GAP : -GAP - height);
    this.element.style.transform = `translate(${Math.round(Math.max(0, x))}px, ${Math.round(y)}px)`;
  }

  hide() {
    this.element.hidden = true;
  }
}
