/** The chain's formulas with the live numbers of one pair (i, j) and one dimension d in place of the letters. */

import { tokenElement } from "./format.js";
import { current, el, maskReason, pairMemory, rowOf } from "./panelkit.js";

const TERMS = 3; // terms of a sum that are written out

/** A letter with a subscript and a superscript: letter("q", "i", "", "query"). */
function letter(name, below = "", above = "", kind = "") {
  const scripts = [below && el("sub", {}, below), above && el("sup", {}, above)].filter(Boolean);
  return el("span", { class: `avp-letter ${kind ? `is-${kind}` : ""}`.trim() }, el("i", {}, name), ...scripts);
}

const roman = (text) => el("span", { class: "avp-roman" }, text);
const q = (below = "i") => letter("q", below, "", "query");
const k = (below = "j") => letter("k", below, "", "key");
const v = (below = "j") => letter("v", below, "", "value");
const s = (below = "ij") => letter("s", below);
const exp = (power) => el("span", { class: "avp-letter" }, el("i", {}, "e"), el("sup", {}, power));

/** A fraction with a real bar. */
const fraction = (above, below) => el("span", { class: "avp-fraction" }, el("span", {}, ...above), el("span", {}, ...below));

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const lastPair = pairMemory(ctx);
  const head = el("p", { class: "avp-pair" });
  const list = el("ol", { class: "avp-formulas" });
  const note = el("p", { class: "avp-note" });
  const element = el("div", { class: "avp-panel avp-formula" }, head, list, note);
  let shown = "";
  let asked = ""; // the head whose input and output were asked for

  /** The input and the output share do not come with the first picture. */
  function loadMissing(state) {
    const head = [ctx.data.header.trace, state.site, state.head].join();
    if (head === asked || !ctx.data.header.data_url) return;
    asked = head;
    ctx.load(state.site, [state.head], ["x", "output"]);
  }

  const number = (value, kind = "") => el("span", { class: `avp-num ${kind ? `is-${kind}` : ""}`.trim(), title: ctx.full(value) }, ctx.fmt(value));
  const factor = (value, kind) => (value < 0 ? [roman("("), number(value, kind), roman(")")] : [number(value, kind)]);

  /** (0.12, −0.4, 0.9, …) ∈ ℝ²⁴ */
  function vector(values, kind) {
    const parts = [];
    for (const value of values.slice(0, TERMS)) parts.push(parts.length ? ", " : "(", number(value, kind));
    return el("span", { class: "avp-vector" }, ...parts, values.length > TERMS ? ", …)" : ")", " ∈ ℝ", el("sup", {}, values.length));
  }

  /** a·b + a·b + …; pairs: [[a, kind, b, kind], ...]; rest: how many terms are not written out. */
  function sumOf(terms, rest) {
    const parts = [];
    for (const [a, kindA, b, kindB] of terms) {
      if (parts.length) parts.push(" + ");
      parts.push(...factor(a, kindA), "·", ...factor(b, kindB));
    }
    if (rest > 0) parts.push(` + … `, el("small", {}, ctx.t("view.panel.formula.more", { count: rest })));
    return parts;
  }

  /** One step: its name, the formula in letters, the formula in numbers. */
  function row(step, name, letters, numbers) {
    return el(
      "li",
      { "data-step": step },
      el("span", { class: "avp-formula-name" }, ctx.t(`view.panel.formula.${name}`)),
      el("div", { class: "avp-math" }, el("span", { class: "avp-line" }, ...letters), numbers ? el("span", { class: "avp-line is-numbers" }, ...numbers) : null),
    );
  }

  function projections(view, i, j) {
    const { site, get } = view;
    const x = (below, source = "") => letter("x", below, source);
    const biased = site.bias !== false; // x W + b unless the site says otherwise
    const line = (vectorOf, stage, index, kind, weight, source, turns) => {
      const matrix = get(stage);
      return el(
        "span",
        { class: "avp-line" },
        vectorOf(),
        " = ",
        ...(turns && site.rotary ? [letter("R", index.name), biased ? " (" : " "] : []), // rotary positions turn q and k
        x(index.name, source),
        " ",
        letter("W", weight),
        ...(biased ? [" + ", letter("b", weight)] : []),
        ...(turns && site.rotary && biased ? [")"] : []),
        ...(matrix ? [" = ", vector(rowOf(matrix, index.at), kind)] : []),
      );
    };
    const other = site.kind === "cross" ? ctx.t("view.panel.formula.from", { stack: site.keys }) : "";
    return [
      line(q, "q", { name: "i", at: i }, "query", "Q", "", true),
      line(k, "k", { name: "j", at: j }, "key", "K", other, true),
      line(v, "v", { name: "j", at: j }, "value", "V", other, false),
    ];
  }

  /** s_ij: the dot product, term by term; nothing to multiply in additive scoring. */
  function scoreRow({ site, get }, i, j) {
    const scores = get("scores");
    const value = scores ? [number(scores.data[i * scores.cols + j])] : [];
    if (site.scoring === "additive") {
      return row(2, "scores", [s(), " = ", letter("w", "v"), " · tanh(", letter("W", "q"), " ", q(), " + ", letter("W", "k"), " ", k(), ")"], value.length ? ["= ", ...value] : null);
    }
    const [queryMatrix, keyMatrix] = [get("q"), get("k")];
    if (!queryMatrix || !keyMatrix || !scores) return row(2, "scores", [s(), " = ", q(), " · ", k()], null);
    const [a, b] = [rowOf(queryMatrix, i), rowOf(keyMatrix, j)];
    const terms = [...a.slice(0, TERMS)].map((entry, d) => [entry, "query", b[d], "key"]);
    return row(2, "scores", [s(), " = ", q(), " · ", k(), " = Σ", el("sub", {}, "d"), " ", letter("q", "i"), roman("[d] "), letter("k", "j"), roman("[d]")], ["= ", ...sumOf(terms, a.length - TERMS), " = ", ...value]);
  }

  function maskedRow({ site, get }, i, j) {
    const [scores, masked] = [get("scores"), get("masked")];
    const scaledLetter = () => letter("s̃", "ij");
    const scaling = site.scale === 1 ? [scaledLetter(), " = ", s()] : [scaledLetter(), " = ", s(), " / √", letter("d", "head")];
    if (!scores || !masked) return row(3, "masked", scaling, null);
    const [score, value] = [scores.data[i * scores.cols + j], masked.data[i * masked.cols + j]];
    const reason = maskReason(site, i, j, masked.rows, masked.cols, value);
    const scaled = score * site.scale;
    const root = Math.abs(site.scale ** -2 - site.d_head) < 0.01 ? [" / √", roman(site.d_head)] : [" × ", number(site.scale)];
    const numbers = ["= ", ...(site.scale === 1 ? [] : [number(score), ...root, " = "]), number(scaled)];
    if (reason) numbers.push(" → ", number(-Infinity), " ", el("small", {}, ctx.t(`view.panel.mask.${reason}`, { query: i, key: j, window: site.window })));
    else if (Math.abs(value - scaled) > 1e-4 * Math.max(1, Math.abs(scaled))) numbers.push(" → ", number(value), " ", el("small", {}, ctx.t("view.panel.formula.adjusted")));
    else numbers.push(" ", el("small", {}, ctx.t("view.panel.mask.allowed", { query: i, key: j })));
    return row(3, "masked", scaling, numbers);
  }

  /** w_ij = exp(s̃_ij) / Σ exp(s̃_ij'); large scores are shifted by the row's largest, which changes no weight. */
  function weightsRow({ get }, i, j) {
    const [masked, weights] = [get("masked"), get("weights")];
    const name = () => letter("w", "ij");
    const letters = (shift) => {
      const power = (below) => [el("span", {}, "s̃"), el("sub", {}, below), ...(shift ? [" − m"] : [])];
      return [name(), " = ", fraction([exp(el("span", {}, ...power("ij")))], ["Σ", el("sub", {}, "j′"), " ", exp(el("span", {}, ...power("ij′")))])];
    };
    if (!masked || !weights) return row(4, "weights", letters(false), null);
    const line = rowOf(masked, i);
    const weight = weights.data[i * weights.cols + j];
    const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
    if (largest === -Infinity) return row(4, "weights", letters(false), ["= ", number(0), " ", el("small", {}, ctx.t("view.panel.formula.empty_row"))]);
    const shift = Math.abs(largest) > 12 ? largest : 0;
    const above = Math.exp(line[j] - shift);
    const below = line.reduce((sum, value) => sum + Math.exp(value - shift), 0);
    const sink = above > 0 ? above / weight - below : 0;
    const hasSink = sink > 1e-3 * below;
    const allowed = line.reduce((n, value) => n + (value > -Infinity ? 1 : 0), 0);
    const numbers = ["= ", fraction([exp(el("span", {}, ctx.fmt(line[j] - shift)))], [ctx.t("view.panel.formula.sum_of", { count: allowed })]), " = ", fraction([number(above)], [number(below), ...(hasSink ? [" + ", number(sink)] : [])]), " = ", number(weight)];
    if (hasSink) numbers.push(" ", el("small", {}, ctx.t("view.panel.formula.sink")));
    if (shift) numbers.push(" ", el("small", {}, ctx.t("view.panel.formula.shift", { shift: ctx.fmt(shift) })));
    return row(4, "weights", letters(shift !== 0), numbers);
  }

  /** c_i[d] = Σ_j w_ij v_j[d], the keys with the largest weights written out. */
  function contextRow({ get, keys }, i, d) {
    const letters = [letter("c", "i"), roman("[d]"), " = Σ", el("sub", {}, "j"), " ", letter("w", "ij"), " ", v(), roman("[d]")];
    const [weights, values, context] = ["weights", "v", "context"].map(get);
    if (!weights || !values || !context) return row(5, "context", letters, null);
    const line = rowOf(weights, i);
    const used = [...line.keys()].filter((j) => line[j] > 0).sort((a, b) => line[b] - line[a] || a - b);
    const terms = used.slice(0, TERMS).map((j) => [line[j], "", values.data[j * values.cols + d], "value"]);
    const numbers = ["= ", ...(terms.length ? sumOf(terms, used.length - TERMS) : [number(0)]), " = ", number(context.data[i * context.cols + d])];
    const from = el("small", { class: "avp-line" }, ctx.t("view.panel.formula.largest"), " ");
    used.slice(0, TERMS).forEach((j, n) => from.append(n ? ", " : "", tokenElement(keys[j]), ` #${j}`));
    return row(5, "context", [...letters, roman(`  (d = ${d})`)], terms.length ? [...numbers, from] : numbers);
  }

  function outputRow({ get }, i) {
    const letters = [letter("o", "i"), " = ", letter("c", "i"), " ", letter("W", "O")];
    const output = get("output");
    return row(6, "output", letters, output ? ["= ", vector(rowOf(output, i))] : null);
  }

  function inputRow({ state }, i) {
    const x = ctx.data.x(state.site);
    return row(0, "input", [letter("x", "i"), ...(x ? [" = ", vector(rowOf(x, i))] : [])], null);
  }

  function update(state, changed) {
    const view = current(ctx);
    loadMissing(state);
    const pair = lastPair() ?? { i: view.queries.length - 1, j: 0 };
    const width = ctx.data.site(state.site).d_head;
    const d = state.dim !== null && state.dim < width ? state.dim : 0;
    const chosen = lastPair() !== null;
    const signature = [state.site, state.head, pair.i, pair.j, d, state.hide, chosen].join();
    if (signature !== shown || changed.has("data")) {
      shown = signature;
      const { i, j } = pair;
      head.replaceChildren(
        el("span", { class: "is-query" }, el("i", {}, "i"), ` = ${i} `, tokenElement(view.queries[i])),
        el("span", { class: "is-key" }, el("i", {}, "j"), ` = ${j} `, tokenElement(view.keys[j])),
        el("span", {}, el("i", {}, "d"), ` = ${d}`),
        el("span", { class: "avp-note", hidden: chosen }, ctx.t("view.panel.formula.teach")),
      );
      list.replaceChildren(inputRow(view, i), row(1, "project", projections(view, i, j), null), scoreRow(view, i, j), maskedRow(view, i, j), weightsRow(view, i, j), contextRow(view, i, d), outputRow(view, i));
      note.textContent = state.hide === "none" ? "" : ctx.t("view.panel.formula.hidden");
      changed = new Set([...changed, "step"]);
    }
    if (!changed.has("step") && !changed.has("all")) return;
    for (const item of list.children) item.classList.toggle("is-current", !state.all && Number(item.dataset.step) === state.step);
  }

  return { element, update };
}
