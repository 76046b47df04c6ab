/** The chain's formulas with the live numbers of one pair (i, j) and one dimension d in place of the letters. */

import { additiveOf, additiveSteps } from "../matrix/additive.js";
import { fmtShare, tokenElement } from "../core/format.js";
import { el } from "../core/dom.js";
import { asker, current, maskReason, pairMemory, rowOf } from "./kit.js";
import { agrees, hasCap, scaleKind, scaledScore } from "../matrix/scaling.js";
import { missingShare, shownAxes } from "../matrix/shown.js";
import { absence, numbersOf, offers } from "../matrix/specs.js";
import { Panel } from "./panel.js";

const TERMS = 3; // terms of a sum that are written out
const TALL = 12; // a score from which on powers are shifted

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

const line = (parts, kind = "") => el("span", { class: `avp-line ${kind}`.trim() }, parts);
const small = (text) => el("small", {}, text);

/** e^s̃ over the sum of all, with a sink's term below, every power shifted by the largest. */
function softmaxLetters(sink, shift) {
  const power = (name, below) => exp(el("span", {}, name, el("sub", {}, below), shift ? " − m" : ""));
  const below = ["Σ", el("sub", {}, "j′"), " ", power("s̃", "ij′"), ...(sink ? [" + ", power("z", "h")] : [])];
  return [letter("w", "ij"), " = ", fraction([power("s̃", "ij")], below)];
}

export class FormulaPanel extends Panel {
  static id = "formula";

  constructor(ctx) {
    super(ctx);
    this.lastPair = pairMemory(ctx);
    this.ask = asker(ctx, (site) => [...numbersOf(site), "x", "output"]); // not all of it comes with the first picture
    this.pair = el("p", { class: "avp-pair" });
    this.list = el("ol", { class: "avp-formulas" });
    this.note = el("p", { class: "avp-note" });
    this.element.append(this.pair, this.list, this.note);
    /** @type {HTMLElement[]} */
    this.rows = [];
    this.shown = "";
  }

  number(value, kind = "") {
    const text = (kind === "share" ? fmtShare : this.ctx.fmt)(value);
    return el("span", { class: `avp-num ${kind ? `is-${kind}` : ""}`.trim(), title: this.ctx.full(value) }, text);
  }

  factor(value, kind) {
    return value < 0 ? [roman("("), this.number(value, kind), roman(")")] : [this.number(value, kind)];
  }

  /** (0.12, −0.4, 0.9, …) ∈ ℝ²⁴ */
  vector(values, kind) {
    const parts = [];
    for (const value of values.slice(0, TERMS)) parts.push(parts.length ? ", " : "(", this.number(value, kind));
    return el("span", { class: "avp-vector" }, parts, values.length > TERMS ? ", …)" : ")", " ∈ ℝ", el("sup", {}, values.length));
  }

  /** The row of a matrix after an equals sign; nothing while it is not here. */
  equals(matrix, at, kind) {
    return matrix ? [" = ", this.vector(rowOf(matrix, at), kind)] : [];
  }

  /** Terms with plus signs between them; of `count` that there are, some may not be written out. */
  sumOf(terms, count) {
    const parts = terms.flatMap((term, n) => (n ? [" + ", ...term] : term));
    return count > TERMS ? [...parts, " + … ", small(this.t("view.panel.formula.more", { count: count - TERMS }))] : parts;
  }

  /** a·b */
  product(a, kindA, b, kindB) {
    return [...this.factor(a, kindA), "·", ...this.factor(b, kindB)];
  }

  /** One step: its name, the formula in letters, lines with numbers. */
  row(step, name, letters, ...numbers) {
    return el(
      "li",
      { "data-step": step },
      el("span", { class: "avp-formula-name" }, this.t(`view.panel.formula.${name}`)),
      el("div", { class: "avp-math" }, line(letters), numbers.map((parts) => (parts instanceof HTMLElement ? parts : line(parts, "is-numbers")))),
    );
  }

  /** Show q, k and v that are not projected: states of the network as they are, or typed. */
  unprojected({ site, get }, i, j) {
    const one = (letter, stage, at, kind) => line([letter, ...this.equals(get(stage), at, kind)]);
    const lines = [one(q(), "q", i, "query"), one(k(), "k", j, "key"), one(v(), "v", j, "value")];
    return [...lines, el("small", { class: "avp-line" }, this.t(`view.panel.formula.${site.direct}`))];
  }

  /** A row of what the layer reads: x, LN(x) where the layer norms it, m of the memory that cross-attention reads. */
  inputOf(site, name, ofMemory) {
    if (!site.projection) return [letter("x", name, ofMemory ? this.t("view.panel.formula.from", { stack: site.keys }) : "")];
    if (ofMemory) return [letter("m", name)];
    return site.projection.normed ? [roman("LN("), letter("x", name), roman(")")] : [letter("x", name)];
  }

  /** LN(x) W + b, with the norm and the bias that this layer has; layers of other libraries have their own ways: P stands for what they do. */
  projected({ projection }, x, name) {
    if (!projection) return [letter("P", name), roman("("), ...x, roman(")")];
    return [...x, " ", letter("W", name), ...(projection.bias ? [" + ", letter("b", name)] : [])];
  }

  projections({ site, get }, i, j) {
    const one = (vector, stage, [name, at], kind, ofMemory) => {
      const made = this.projected(site, this.inputOf(site, name, ofMemory), stage.toUpperCase());
      const turned = site.rotary && stage !== "v"; // rotary positions turn q and k
      return line([vector, " = ", ...(turned ? [letter("R", name), roman(" ("), ...made, roman(")")] : made), ...this.equals(get(stage), at, kind)]);
    };
    const other = site.kind === "cross";
    const lines = [one(q(), "q", ["i", i], "query", false), one(k(), "k", ["j", j], "key", other), one(v(), "v", ["j", j], "value", other)];
    return site.projection ? lines : [...lines, el("small", { class: "avp-line" }, this.t("view.panel.formula.projections"))];
  }

  inputRow({ state, site }, i) {
    const reason = absence(this.ctx, state.site, "x");
    return this.row(0, "input", [...this.inputOf(site, "i", false), ...this.equals(this.ctx.data.x(state.site), i), ...(reason ? [" ", small(reason)] : [])]);
  }

  /** s_ij: the dot product, term by term. */
  scoreRow(view, i, j) {
    const { site, get } = view;
    if (site.scoring === "additive") return this.additiveRow(view, i, j);
    const [queries, keys, scores] = ["q", "k", "scores"].map(get);
    const letters = [s(), " = ", q(), " · ", k()];
    if (!queries || !keys || !scores) return this.row(2, "scores", letters);
    const [a, b] = [rowOf(queries, i), rowOf(keys, j)];
    const terms = Array.from(a.slice(0, TERMS), (entry, d) => this.product(entry, "query", b[d], "key"));
    const sum = [" = Σ", el("sub", {}, "d"), " ", letter("q", "i"), roman("[d] "), letter("k", "j"), roman("[d]")];
    return this.row(2, "scores", [...letters, ...sum], ["= ", ...this.sumOf(terms, a.length), " = ", this.number(scores.data[i * scores.cols + j])]);
  }

  /** s_ij = w_v · tanh(W_q q_i + W_k k_j): the two projections, then the sum over a, term by term. */
  additiveRow({ site, get }, i, j) {
    const W = (name) => letter("W", name);
    const letters = [s(), " = ", letter("w", "v", "⊤"), roman(" tanh("), W("q"), " ", q(), " + ", W("k"), " ", k(), roman(")")];
    const [queries, keys, scores] = ["q", "k", "scores"].map(get);
    if (!queries || !keys || !scores) return this.row(2, "scores", letters);
    const { query, key, factor } = additiveSteps(additiveOf(this.ctx.data, site), rowOf(queries, i), rowOf(keys, j));
    const terms = Array.from(query.slice(0, TERMS), (value, a) => [
      ...this.factor(factor[a]), roman(" tanh("), this.number(value, "query"), " + ", ...this.factor(key[a], "key"), roman(")"),
    ]);
    return this.row(
      2, "scores", letters,
      line([W("q"), " ", q(), " = ", this.vector(query, "query")]),
      line([W("k"), " ", k(), " = ", this.vector(key, "key")]),
      ["= ", ...this.sumOf(terms, factor.length)],
      ["= ", this.number(scores.data[i * scores.cols + j])],
    );
  }

  /** s̃_ij = scale · s_ij + b_ij, capped where the model caps, −∞ where it masks. */
  maskedRow({ site, get }, i, j) {
    const [scores, bias, masked] = [get("scores"), get("bias"), get("masked")];
    const cap = (inner, bound) => (hasCap(site) ? [bound(), roman(" tanh"), roman("("), fraction(inner, [bound()]), roman(")")] : inner);
    const times = { none: () => [], root: (width) => [" / √", width], own: () => [" × ", this.number(site.scale)] }[scaleKind(site)];
    const adds = offers(site, "bias");
    const letters = [letter("s̃", "ij"), " = ", ...cap([s(), ...times(letter("d", "head")), ...(adds ? [" + ", letter("b", "ij")] : [])], () => letter("c"))];
    if (!scores || !masked || (adds && !bias)) return this.row(3, "masked", letters);
    const score = scores.data[i * scores.cols + j];
    const added = bias?.data[i * bias.cols + j];
    const inner = [this.number(score), ...times(roman(site.d_head)), ...(adds ? [" + ", this.number(added)] : [])];
    const scaled = scaledScore(site, score, added);
    const simple = inner.length === 1 && !hasCap(site);
    const numbers = ["= ", ...(simple ? [] : [...cap(inner, () => this.number(site.softcap)), " = "]), this.number(scaled)];
    return this.row(3, "masked", letters, [...numbers, ...this.verdict(site, masked, i, j, scaled)]);
  }

  /** Tells the score after the mask, and why it is so. */
  verdict(site, masked, i, j, scaled) {
    const value = masked.data[i * masked.cols + j];
    const reason = maskReason(site, masked, i, j);
    const about = { query: i, key: j, window: site.window };
    if (reason) return [" → ", this.number(-Infinity), " ", small(this.t(`view.panel.mask.${reason}`, about))];
    if (!agrees(value, scaled)) return [" → ", this.number(value), " ", small(this.t("view.panel.formula.adjusted"))];
    return [" ", small(this.t("view.panel.mask.allowed", about))];
  }

  /**
   * w_ij = exp(s̃_ij) / Σ exp(s̃_ij'), with a sink one more term below; large scores are shifted by the row's largest,
   * which changes no weight.
   */
  weightsRow({ site, state, get }, i, j) {
    const [masked, weights] = [get("masked"), get("weights")];
    const sink = site.sinks?.[state.head];
    if (!masked || !weights) return this.row(4, "weights", softmaxLetters(sink !== undefined, false));
    const scores = rowOf(masked, i);
    const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    if (largest === -Infinity) return this.row(4, "weights", softmaxLetters(sink !== undefined, false), ["= ", this.number(0), " ", small(this.t("view.panel.formula.empty_row"))]);
    const shift = Math.abs(largest) > TALL ? largest : 0;
    const power = (x) => exp(el("span", {}, this.ctx.fmt(x - shift)));
    const allowed = scores.reduce((n, value) => n + (value > -Infinity ? 1 : 0), 0);
    const below = scores.reduce((sum, value) => sum + Math.exp(value - shift), 0);
    const withSink = (term) => (sink === undefined ? [] : [" + ", term(sink)]);
    const numbers = [
      "= ", fraction([power(scores[j])], [this.t("view.panel.formula.sum_of", { count: allowed }), ...withSink(power)]),
      " = ", fraction([this.number(Math.exp(scores[j] - shift))], [this.number(below), ...withSink((x) => this.number(Math.exp(x - shift)))]),
      " = ", this.number(weights.data[i * weights.cols + j], "share"),
    ];
    const says = (key, params) => [" ", small(this.t(`view.panel.formula.${key}`, params))];
    if (sink !== undefined) numbers.push(...says("sink", { score: this.ctx.fmt(sink), share: this.ctx.fmt(missingShare(weights, i)) }));
    if (shift) numbers.push(...says("shift", { shift: this.ctx.fmt(shift) }));
    return this.row(4, "weights", softmaxLetters(sink !== undefined, shift !== 0), numbers);
  }

  /** c_i[d] = Σ_j w_ij v_j[d], the keys with the largest weights written out. */
  contextRow({ get, keys }, i, d) {
    const letters = [letter("c", "i"), roman("[d]"), " = Σ", el("sub", {}, "j"), " ", letter("w", "ij"), " ", v(), roman("[d]")];
    const [weights, values, context] = ["weights", "v", "context"].map(get);
    if (!weights || !values || !context) return this.row(5, "context", letters);
    const row = rowOf(weights, i);
    const used = [...row.keys()].filter((j) => row[j] > 0).sort((a, b) => row[b] - row[a] || a - b);
    const largest = used.slice(0, TERMS);
    const terms = largest.map((j) => this.product(row[j], "share", values.data[j * values.cols + d], "value"));
    const numbers = ["= ", ...(terms.length ? this.sumOf(terms, used.length) : [this.number(0)]), " = ", this.number(context.data[i * context.cols + d])];
    const names = largest.flatMap((j, n) => [n ? ", " : "", tokenElement(keys[j]), ` #${j}`]);
    if (terms.length) numbers.push(el("small", { class: "avp-line" }, this.t("view.panel.formula.largest"), " ", names));
    return this.row(5, "context", [...letters, roman(`  (d = ${d})`)], numbers);
  }

  outputRow({ site, get }, i) {
    const letters = [letter("o", "i"), " = ", letter("c", "i"), " ", letter("W", site.direct === "states" ? "c" : "O")];
    const output = get("output");
    return this.row(6, "output", letters, ...(output ? [["= ", this.vector(rowOf(output, i))]] : []));
  }

  update(state, changed) {
    const view = current(this.ctx);
    this.ask(state, changed);
    const last = this.lastPair();
    const { i, j } = last ?? { i: view.queries.length - 1, j: 0 };
    const d = state.dim !== null && state.dim < view.site.d_value ? state.dim : 0;
    const { plain } = shownAxes(state, this.ctx);
    const signature = [state.site, state.head, i, j, d, plain, last !== null].join();
    const fresh = signature !== this.shown || changed.has("data");
    if (fresh) {
      this.shown = signature;
      this.nameThePair(view, i, j, d, last !== null);
      this.rows = this.rowsOf(view, i, j, d);
      this.list.replaceChildren(...this.rows);
      this.note.textContent = plain ? "" : this.t("view.panel.formula.hidden");
    }
    if (!fresh && !changed.has("step") && !changed.has("all")) return;
    for (const row of this.rows) row.classList.toggle("is-current", !state.all && Number(row.dataset.step) === state.step);
  }

  nameThePair({ queries, keys }, i, j, d, chosen) {
    this.pair.replaceChildren(
      el("span", { class: "is-query" }, el("i", {}, "i"), ` = ${i} `, tokenElement(queries[i])),
      el("span", { class: "is-key" }, el("i", {}, "j"), ` = ${j} `, tokenElement(keys[j])),
      el("span", {}, el("i", {}, "d"), ` = ${d}`),
      el("span", { class: "avp-note", hidden: chosen }, this.t("view.panel.formula.teach")),
    );
  }

  rowsOf(view, i, j, d) {
    const { site } = view;
    const made = site.direct ? [this.row(1, "project", this.unprojected(view, i, j))] : [this.inputRow(view, i), this.row(1, "project", this.projections(view, i, j))];
    const rows = [...made, this.scoreRow(view, i, j), this.maskedRow(view, i, j), this.weightsRow(view, i, j), this.contextRow(view, i, d)];
    return offers(site, "output") ? [...rows, this.outputRow(view, i)] : rows;
  }
}
