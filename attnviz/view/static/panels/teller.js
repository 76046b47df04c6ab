/** Tells the stages of one query and one key as formulas, in letters and with their numbers: beside the weights as in the calculator. */

import { el } from "../core/dom.js";
import { fmtShare } from "../core/format.js";
import { additiveSteps, hasCap, scaleKind } from "../matrix/scoring.js";
import { offers } from "../matrix/specs.js";

const TALL = 12; // a score from which on powers are shifted

/** @typedef {(Node|string)[]|HTMLElement} Line  parts of a line with numbers; an element is a line as it is */

/** A letter with a subscript and a superscript: letter("q", "i", "", "query"). */
export function letter(name, below = "", above = "", kind = "") {
  const scripts = [below && el("sub", {}, below), above && el("sup", {}, above)].filter(Boolean);
  return el("span", { class: `avp-letter ${kind ? `is-${kind}` : ""}`.trim() }, el("i", {}, name), ...scripts);
}

export const roman = (text) => el("span", { class: "avp-roman" }, text);
export const power = (base, ...above) => el("span", { class: "avp-letter" }, base, el("sup", {}, ...above));
const exp = (...above) => power(el("i", {}, "e"), ...above);
const sub = (text) => el("sub", {}, text);

/** A fraction with a real bar. */
export const fraction = (above, below) => el("span", { class: "avp-fraction" }, el("span", {}, ...above), el("span", {}, ...below));

export const line = (parts, kind = "") => el("span", { class: `avp-line ${kind}`.trim() }, parts);
export const small = (text) => el("small", {}, text);

export class Teller {
  /**
   * @param {{t: Function, fmt: (x: number) => string, full: (x: number) => string, share?: (x: number) => string}} words
   * @param {{i?: string|number, j?: string|number, terms?: number}} how
   *     what the query and the key are called; how many terms of a sum and entries of a vector are written out
   */
  constructor({ t, fmt, full, share = fmtShare }, { i = "i", j = "j", terms = 3 } = {}) {
    this.t = t;
    this.fmt = fmt;
    this.full = full;
    this.share = share; // writes a weight
    this.i = String(i);
    this.j = String(j);
    this.ij = typeof i === "number" ? `${i},${j}` : `${i}${j}`;
    this.row = typeof i === "number" ? `${i},` : `${i}`; // of all keys: w_ij′
    this.terms = terms;
  }

  q() {
    return letter("q", this.i, "", "query");
  }

  k() {
    return letter("k", this.j, "", "key");
  }

  v(below = this.j) {
    return letter("v", below, "", "value");
  }

  s() {
    return letter("s", this.ij);
  }

  number(value, kind = "") {
    const text = (kind === "share" ? this.share : this.fmt)(value);
    return el("span", { class: `avp-num ${kind ? `is-${kind}` : ""}`.trim(), title: this.full(value) }, text);
  }

  factor(value, kind) {
    return value < 0 ? [roman("("), this.number(value, kind), roman(")")] : [this.number(value, kind)];
  }

  /** (0.12, −0.4, 0.9), or (0.12, −0.4, 0.9, …) ∈ ℝ²⁴ */
  vector(values, kind = "") {
    const parts = [];
    for (const value of values.slice(0, this.terms)) parts.push(parts.length ? ", " : "(", this.number(value, kind));
    const end = values.length > this.terms ? [", …) ∈ ℝ", el("sup", {}, values.length)] : [")"];
    return el("span", { class: "avp-vector" }, parts, end);
  }

  /** Terms with plus signs between them; of `count` that there are, some may not be written out. */
  sumOf(terms, count = terms.length) {
    const parts = terms.flatMap((term, n) => (n ? [" + ", ...term] : term));
    return count > terms.length ? [...parts, " + … ", small(this.t("view.panel.formula.more", { count: count - terms.length }))] : parts;
  }

  /** a·b */
  product(a, kindA, b, kindB) {
    return [...this.factor(a, kindA), "·", ...this.factor(b, kindB)];
  }

  /** x W + b, with the bias that a layer has; layers of other libraries have their own ways: P stands for what they do. */
  projected(projection, x, name, share = "") {
    if (!projection) return [letter("P", name), roman("("), ...x, roman(")")];
    return [...x, " ", letter("W", name, share), ...(projection.bias ? [" + ", letter("b", name)] : [])];
  }

  /**
   * s_ij: the dot product, term by term.
   * @param {{q: Float32Array, k: Float32Array, score: number}} [numbers]
   * @returns {Line[]}
   */
  dotScore(numbers) {
    const letters = [this.s(), " = ", this.q(), " · ", this.k()];
    if (!numbers) return [letters];
    const { q, k, score } = numbers;
    const terms = Array.from(q.slice(0, this.terms), (entry, d) => this.product(entry, "query", k[d], "key"));
    const sum = [" = Σ", sub("d"), " ", letter("q", this.i), roman("[d] "), letter("k", this.j), roman("[d]")];
    return [[...letters, ...sum], ["= ", ...this.sumOf(terms, q.length), " = ", this.number(score)]];
  }

  /**
   * s_ij = w_v · tanh(W_q q_i + W_k k_j): the two projections, then the sum over a, term by term.
   * @param {{q: Float32Array, k: Float32Array, score: number}} [numbers]
   * @param {Parameters<typeof additiveSteps>[0]} [parameters]
   * @returns {Line[]}
   */
  additiveScore(numbers, parameters) {
    const W = (name) => letter("W", name);
    const letters = [this.s(), " = ", letter("w", "v", "⊤"), roman(" tanh("), W("q"), " ", this.q(), " + ", W("k"), " ", this.k(), roman(")")];
    if (!numbers) return [letters];
    const { query, key, both, bent, factor } = additiveSteps(parameters, numbers.q, numbers.k);
    const terms = Array.from(query.slice(0, this.terms), (value, a) => [
      ...this.factor(factor[a]), roman(" tanh("), this.number(value, "query"), " + ", ...this.factor(key[a], "key"), roman(")"),
    ]);
    return [
      letters,
      line([W("q"), " ", this.q(), " = ", this.vector(query, "query")]),
      line([W("k"), " ", this.k(), " = ", this.vector(key, "key")]),
      line([roman("tanh"), this.vector(both), " = ", this.vector(bent)]),
      [this.s(), " = ", ...this.sumOf(terms, factor.length), " = ", this.number(numbers.score)],
    ];
  }

  /**
   * scale · s + b, capped where the model caps; by hand also divided by a temperature.
   * @param {any} site
   * @param {{s: Node, width: Node, temperature: () => Node, bias: () => Node, cap: () => Node}} parts  letters or numbers
   */
  scaling(site, { s, width, temperature, bias, cap }) {
    const times = { none: [], root: [" / √", width], own: [" × ", this.number(site.scale)] }[scaleKind(site)];
    const cooled = (site.temperature ?? 1) === 1 ? [] : [" / ", temperature()];
    const inner = [s, ...times, ...cooled, ...(offers(site, "bias") ? [" + ", bias()] : [])];
    return hasCap(site) ? [cap(), roman(" tanh("), fraction(inner, [cap()]), roman(")")] : inner;
  }

  /** The same in numbers. */
  scalingOf(site, score, bias) {
    const number = (value) => () => this.number(value);
    return this.scaling(site, { s: this.number(score), width: roman(site.d_head), temperature: number(site.temperature), bias: number(bias), cap: number(site.softcap) });
  }

  /**
   * s̃_ij, before the mask.
   * @param {any} site
   * @param {{score: number, bias?: number, scaled: number}} [numbers]
   * @returns {Line[]}
   */
  scaledScore(site, numbers) {
    const named = { s: this.s(), width: letter("d", "head"), temperature: () => letter("τ"), bias: () => letter("b", this.ij), cap: () => letter("c") };
    const letters = [letter("s̃", this.ij), " = ", ...this.scaling(site, named)];
    if (!numbers) return [letters];
    const inner = this.scalingOf(site, numbers.score, numbers.bias);
    return [letters, ["= ", ...(inner.length > 1 ? [...inner, " = "] : []), this.number(numbers.scaled)]];
  }

  /** e^s̃ over the sum of all, with a sink's term below, every power shifted by the largest. */
  softmaxLetters(sink, shift) {
    const shifted = (name, below) => exp(name, sub(below), shift ? " − m" : "");
    const below = ["Σ", sub("j′"), " ", shifted("s̃", `${this.row}j′`), ...(sink ? [" + ", shifted("z", "h")] : [])];
    return [letter("w", this.ij), " = ", fraction([shifted("s̃", this.ij)], below)];
  }

  /**
   * w_ij = exp(s̃_ij) / Σ exp(s̃_ij'), with a sink one more term below; large scores are shifted by the row's largest,
   * which changes no weight.
   * @param {{scores: Float32Array, j: number, weight: number, sink?: number, sunk?: number}} [numbers]  sunk: the sink's share
   * @param {boolean} [sinks]
   * @returns {Line[]}
   */
  weight(numbers, sinks = false) {
    if (!numbers) return [this.softmaxLetters(sinks, false)];
    const { scores, j, weight, sink, sunk } = numbers;
    const says = (key, params) => [" ", small(this.t(`view.panel.formula.${key}`, params))];
    const largest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
    if (largest === -Infinity) return [this.softmaxLetters(sinks, false), ["= ", this.number(0), ...says("empty_row")]];
    const shift = Math.abs(largest) > TALL ? largest : 0;
    const powerOf = (x) => exp(this.fmt(x - shift));
    const allowed = scores.filter((value) => value > -Infinity);
    const sum = allowed.reduce((total, value) => total + Math.exp(value - shift), 0);
    const withSink = (term) => (sinks ? [" + ", term(sink)] : []);
    const all = allowed.length > this.terms ? [this.t("view.panel.formula.sum_of", { count: allowed.length })] : this.sumOf(Array.from(allowed, (x) => [powerOf(x)]));
    const told = [
      "= ", fraction([powerOf(scores[j])], [...all, ...withSink(powerOf)]),
      " = ", fraction([this.number(Math.exp(scores[j] - shift))], [this.number(sum), ...withSink((x) => this.number(Math.exp(x - shift)))]),
      " = ", this.number(weight, "share"),
    ];
    if (sinks) told.push(...says("sink", { score: this.fmt(sink), share: this.fmt(sunk) }));
    if (shift) told.push(...says("shift", { shift: this.fmt(shift) }));
    return [this.softmaxLetters(sinks, shift !== 0), told];
  }

  /** The keys that a sum of weighted values writes out: those that are read; of many, the ones with the largest weights. */
  read(weights) {
    const used = [...weights.keys()].filter((j) => weights[j] > 0);
    if (used.length > this.terms) used.sort((a, b) => weights[b] - weights[a] || a - b);
    return { used, largest: used.slice(0, this.terms) };
  }
}
