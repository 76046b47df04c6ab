/** The chain's formulas with the live numbers of one pair (i, j) and one dimension d in place of the letters. */

import { additiveOf, additiveSteps } from "../matrix/additive.js";
import { fmtShare, tokenElement } from "../core/format.js";
import { el } from "../core/dom.js";
import { asker, current, maskReason, pairMemory, rowOf } from "./kit.js";
import { agrees, hasCap, scaleKind, scaledScore } from "../matrix/scaling.js";
import { missingShare, shownAxes } from "../matrix/shown.js";
import { absence, numbersOf, offers } from "../matrix/specs.js";

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
  const ask = asker(ctx, (site) => [...numbersOf(site), "x", "output"]); // not all of it comes with the first picture

  const number = (value, kind = "") => el("span", { class: `avp-num ${kind ? `is-${kind}` : ""}`.trim(), title: ctx.full(value) }, (kind === "share" ? fmtShare : ctx.fmt)(value));
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

  /** Where nothing is projected, q, k and v are states of the network as they are, or were typed. */
  function unprojected({ site, get }, i, j) {
    const line = (vectorOf, stage, at, kind) => {
      const matrix = get(stage);
      return el("span", { class: "avp-line" }, vectorOf(), ...(matrix ? [" = ", vector(rowOf(matrix, at), kind)] : []));
    };
    return [line(q, "q", i, "query"), line(k, "k", j, "key"), line(v, "v", j, "value"), el("small", { class: "avp-line" }, ctx.t(`view.panel.formula.${site.direct}`))];
  }

  /** A row of what the layer reads: x, LN(x) where the layer norms it, m of the memory that cross-attention reads. */
  function inputOf(site, name, ofMemory) {
    if (!site.projection) return [letter("x", name, ofMemory ? ctx.t("view.panel.formula.from", { stack: site.keys }) : "")];
    if (ofMemory) return [letter("m", name)];
    return site.projection.normed ? [roman("LN("), letter("x", name), roman(")")] : [letter("x", name)];
  }

  /** LN(x) W + b, with the norm and the bias that this layer has; layers of other libraries have their own ways: P stands for what they do. */
  function projections(view, i, j) {
    const { site, get } = view;
    const { projection } = site;
    const bias = (name) => (projection.bias ? [" + ", letter("b", name)] : []);
    const projected = (x, name) => (projection ? [...x, " ", letter("W", name), ...bias(name)] : [letter("P", name), roman("("), ...x, roman(")")]);
    const line = (vectorOf, stage, index, kind, name, ofMemory, turns) => {
      const matrix = get(stage);
      const turned = turns && site.rotary; // rotary positions turn q and k
      return el(
        "span",
        { class: "avp-line" },
        vectorOf(),
        " = ",
        ...(turned ? [letter("R", index.name), roman(" (")] : []),
        ...projected(inputOf(site, index.name, ofMemory), name),
        ...(turned ? [roman(")")] : []),
        ...(matrix ? [" = ", vector(rowOf(matrix, index.at), kind)] : []),
      );
    };
    const other = site.kind === "cross";
    const lines = [
      line(q, "q", { name: "i", at: i }, "query", "Q", false, true),
      line(k, "k", { name: "j", at: j }, "key", "K", other, true),
      line(v, "v", { name: "j", at: j }, "value", "V", other, false),
    ];
    if (!projection) lines.push(el("small", { class: "avp-line" }, ctx.t("view.panel.formula.projections")));
    return lines;
  }

  /** s_ij = w_v · tanh(W_q q_i + W_k k_j): the two projections, then the sum over a, term by term. */
  function additiveRow({ site, get }, i, j) {
    const [W, wV] = [(name) => letter("W", name), letter("w", "v", "⊤")];
    const letters = [s(), " = ", wV, roman(" tanh("), W("q"), " ", q(), " + ", W("k"), " ", k(), roman(")")];
    const [queries, keys, scores] = ["q", "k", "scores"].map(get);
    if (!queries || !keys || !scores) return row(2, "scores", letters, null);
    const { query, key, factor: weights } = additiveSteps(additiveOf(ctx.data, site), rowOf(queries, i), rowOf(keys, j));
    const projected = (name, vectorOf, values, kind) => el("span", { class: "avp-line" }, W(name), " ", vectorOf(), " = ", vector(values, kind));
    const inside = [...query.slice(0, TERMS)].map((value, a) => [...factor(weights[a]), roman(" tanh("), number(value, "query"), " + ", ...factor(key[a], "key"), roman(")")]);
    const terms = inside.flatMap((term, a) => [...(a ? [" + "] : []), ...term]);
    const more = weights.length - TERMS;
    const numbers = ["= ", ...terms, ...(more > 0 ? [" + … ", el("small", {}, ctx.t("view.panel.formula.more", { count: more }))] : [])];
    const total = ["= ", number(scores.data[i * scores.cols + j])];
    const item = row(2, "scores", letters, null);
    const line = (parts) => el("span", { class: "avp-line is-numbers" }, ...parts);
    item.lastChild.append(projected("q", q, query, "query"), projected("k", k, key, "key"), line(numbers), line(total));
    return item;
  }

  /** s_ij: the dot product, term by term. */
  function scoreRow(view, i, j) {
    const { site, get } = view;
    if (site.scoring === "additive") return additiveRow(view, i, j);
    const scores = get("scores");
    const value = scores ? [number(scores.data[i * scores.cols + j])] : [];
    const [queryMatrix, keyMatrix] = [get("q"), get("k")];
    if (!queryMatrix || !keyMatrix || !scores) return row(2, "scores", [s(), " = ", q(), " · ", k()], null);
    const [a, b] = [rowOf(queryMatrix, i), rowOf(keyMatrix, j)];
    const terms = [...a.slice(0, TERMS)].map((entry, d) => [entry, "query", b[d], "key"]);
    return row(2, "scores", [s(), " = ", q(), " · ", k(), " = Σ", el("sub", {}, "d"), " ", letter("q", "i"), roman("[d] "), letter("k", "j"), roman("[d]")], ["= ", ...sumOf(terms, a.length - TERMS), " = ", ...value]);
  }

  /** s̃_ij = scale · s_ij + b_ij, capped where the model caps, −∞ where it masks. */
  function maskedRow({ site, get }, i, j) {
    const [scores, bias, masked] = [get("scores"), get("bias"), get("masked")];
    const cap = (inner, bound) => (hasCap(site) ? [bound(), roman(" tanh"), roman("("), fraction(inner, [bound()]), roman(")")] : inner);
    const times = { none: () => [], root: (width) => [" / √", width], own: () => [" × ", number(site.scale)] }[scaleKind(site)];
    const adds = offers(site, "bias");
    const letters = [letter("s̃", "ij"), " = ", ...cap([s(), ...times(letter("d", "head")), ...(adds ? [" + ", letter("b", "ij")] : [])], () => letter("c"))];
    if (!scores || !masked || (adds && !bias)) return row(3, "masked", letters, null);
    const [score, value] = [scores.data[i * scores.cols + j], masked.data[i * masked.cols + j]];
    const added = bias?.data[i * bias.cols + j];
    const inner = [number(score), ...times(roman(site.d_head)), ...(adds ? [" + ", number(added)] : [])];
    const scaled = scaledScore(site, score, added);
    const simple = inner.length === 1 && !hasCap(site);
    const numbers = ["= ", ...(simple ? [] : [...cap(inner, () => number(site.softcap)), " = "]), number(scaled)];
    const reason = maskReason(site, masked, i, j);
    const say = (text) => numbers.push(" ", el("small", {}, text));
    if (reason) {
      numbers.push(" → ", number(-Infinity));
      say(ctx.t(`view.panel.mask.${reason}`, { query: i, key: j, window: site.window }));
    } else if (!agrees(value, scaled)) {
      numbers.push(" → ", number(value));
      say(ctx.t("view.panel.formula.adjusted"));
    } else say(ctx.t("view.panel.mask.allowed", { query: i, key: j }));
    return row(3, "masked", letters, numbers);
  }

  /**
   * w_ij = exp(s̃_ij) / Σ exp(s̃_ij'), with a sink one more term below; large scores are shifted by the row's largest,
   * which changes no weight.
   */
  function weightsRow({ site, state, get }, i, j) {
    const [masked, weights] = [get("masked"), get("weights")];
    const sink = site.sinks?.[state.head];
    const letters = (shift) => {
      const power = (name, below) => exp(el("span", {}, name, el("sub", {}, below), shift ? " − m" : ""));
      const below = ["Σ", el("sub", {}, "j′"), " ", power("s̃", "ij′"), ...(sink === undefined ? [] : [" + ", power("z", "h")])];
      return [letter("w", "ij"), " = ", fraction([power("s̃", "ij")], below)];
    };
    if (!masked || !weights) return row(4, "weights", letters(false), null);
    const line = rowOf(masked, i);
    const weight = weights.data[i * weights.cols + j];
    const largest = line.reduce((a, b) => Math.max(a, b), -Infinity);
    if (largest === -Infinity) return row(4, "weights", letters(false), ["= ", number(0), " ", el("small", {}, ctx.t("view.panel.formula.empty_row"))]);
    const shift = Math.abs(largest) > 12 ? largest : 0;
    const above = Math.exp(line[j] - shift);
    const below = line.reduce((sum, value) => sum + Math.exp(value - shift), 0);
    const allowed = line.reduce((n, value) => n + (value > -Infinity ? 1 : 0), 0);
    const sinkTerm = sink === undefined ? [] : [" + ", number(Math.exp(sink - shift))];
    const numbers = ["= ", fraction([exp(el("span", {}, ctx.fmt(line[j] - shift)))], [ctx.t("view.panel.formula.sum_of", { count: allowed }), ...(sink === undefined ? [] : [" + ", exp(el("span", {}, ctx.fmt(sink - shift)))])]), " = ", fraction([number(above)], [number(below), ...sinkTerm]), " = ", number(weight, "share")];
    const say = (text) => numbers.push(" ", el("small", {}, text));
    if (sink !== undefined) say(ctx.t("view.panel.formula.sink", { score: ctx.fmt(sink), share: ctx.fmt(missingShare(weights, i)) }));
    if (shift) say(ctx.t("view.panel.formula.shift", { shift: ctx.fmt(shift) }));
    return row(4, "weights", letters(shift !== 0), numbers);
  }

  /** c_i[d] = Σ_j w_ij v_j[d], the keys with the largest weights written out. */
  function contextRow({ get, keys }, i, d) {
    const letters = [letter("c", "i"), roman("[d]"), " = Σ", el("sub", {}, "j"), " ", letter("w", "ij"), " ", v(), roman("[d]")];
    const [weights, values, context] = ["weights", "v", "context"].map(get);
    if (!weights || !values || !context) return row(5, "context", letters, null);
    const line = rowOf(weights, i);
    const used = [...line.keys()].filter((j) => line[j] > 0).sort((a, b) => line[b] - line[a] || a - b);
    const terms = used.slice(0, TERMS).map((j) => [line[j], "share", values.data[j * values.cols + d], "value"]);
    const numbers = ["= ", ...(terms.length ? sumOf(terms, used.length - TERMS) : [number(0)]), " = ", number(context.data[i * context.cols + d])];
    const from = el("small", { class: "avp-line" }, ctx.t("view.panel.formula.largest"), " ");
    used.slice(0, TERMS).forEach((j, n) => from.append(n ? ", " : "", tokenElement(keys[j]), ` #${j}`));
    return row(5, "context", [...letters, roman(`  (d = ${d})`)], terms.length ? [...numbers, from] : numbers);
  }

  function outputRow({ site, get }, i) {
    const letters = [letter("o", "i"), " = ", letter("c", "i"), " ", letter("W", site.direct === "states" ? "c" : "O")];
    const output = get("output");
    return row(6, "output", letters, output ? ["= ", vector(rowOf(output, i))] : null);
  }

  function inputRow({ state, site }, i) {
    const x = ctx.data.x(state.site);
    const reason = absence(ctx, state.site, "x");
    const absent = reason ? [" ", el("small", {}, reason)] : [];
    return row(0, "input", [...inputOf(site, "i", false), ...(x ? [" = ", vector(rowOf(x, i))] : []), ...absent], null);
  }

  function update(state, changed) {
    const view = current(ctx);
    const { site } = view;
    ask(state, changed);
    const pair = lastPair() ?? { i: view.queries.length - 1, j: 0 };
    const d = state.dim !== null && state.dim < site.d_value ? state.dim : 0;
    const chosen = lastPair() !== null;
    const { plain } = shownAxes(state, ctx);
    const signature = [state.site, state.head, pair.i, pair.j, d, plain, chosen].join();
    if (signature !== shown || changed.has("data")) {
      shown = signature;
      const { i, j } = pair;
      head.replaceChildren(
        el("span", { class: "is-query" }, el("i", {}, "i"), ` = ${i} `, tokenElement(view.queries[i])),
        el("span", { class: "is-key" }, el("i", {}, "j"), ` = ${j} `, tokenElement(view.keys[j])),
        el("span", {}, el("i", {}, "d"), ` = ${d}`),
        el("span", { class: "avp-note", hidden: chosen }, ctx.t("view.panel.formula.teach")),
      );
      const made = site.direct ? [row(1, "project", unprojected(view, i, j), null)] : [inputRow(view, i), row(1, "project", projections(view, i, j), null)];
      const rows = [...made, scoreRow(view, i, j), maskedRow(view, i, j), weightsRow(view, i, j), contextRow(view, i, d)];
      if (offers(site, "output")) rows.push(outputRow(view, i));
      list.replaceChildren(...rows);
      note.textContent = plain ? "" : ctx.t("view.panel.formula.hidden");
      changed = new Set([...changed, "step"]);
    }
    if (!changed.has("step") && !changed.has("all")) return;
    for (const item of list.children) item.classList.toggle("is-current", !state.all && Number(item.dataset.step) === state.step);
  }

  return { element, update };
}
