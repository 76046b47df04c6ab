/**
 * The steps of a calculation by hand as formulas, with the numbers of one head, one query and one key. `mount` is what
 * the calculator calls; `attnviz/ui/calculator/steps.py` packs what it is told.
 */

import { unpack } from "../core/data.js";
import { el } from "../core/dom.js";
import { fmt, full } from "../core/format.js";
import { View, mountOf } from "../core/frame.js";
import { textsAt } from "../core/texts.js";
import { rowOf } from "./kit.js";
import viewCss from "../core/view.css";
import panelsCss from "./panels.css";
import { Teller, fraction, letter, line, power, roman } from "./teller.js";

const TERMS = 5; // of a sum or a vector, and rows and columns of a matrix, that are written out
const BASE = "10000"; // of the wave lengths of positions

/** Three significant digits, without zeros at the end: what was typed as 2 is 2. */
const short = (x) => fmt(x).replace(/\.0+(?=e|$)|(\.\d*[1-9])0+(?=e|$)/, "$1");

/** Queries, keys and tokens are counted from 1 here. */
class Steps extends Teller {
  /**
   * @param {ConstructorParameters<typeof Teller>[0]} words
   * @param {{header: any, arrays: Map<string, any>}} told
   */
  constructor(words, { header, arrays }) {
    const { query, key } = header;
    super(words, { i: query + 1, j: key + 1, terms: TERMS });
    this.about = header;
    this.site = { ...header, stages: [], d_head: header.d_k, softcap: null };
    this.get = (name) => {
      const { data, shape: [rows, cols] } = arrays.get(name);
      return { data, rows, cols };
    };
    this.at = (name, row = query) => rowOf(this.get(name), row);
  }

  /** Queries and keys as they are scored: turned by their positions where these are rotary. */
  turned(vector, at) {
    return this.about.positions === "rotary" ? el("span", {}, roman("("), letter("R", String(at)), " ", vector, roman(")")) : vector;
  }

  q() {
    return this.turned(super.q(), this.about.query);
  }

  k() {
    return this.turned(super.k(), this.about.key);
  }

  /** The layer's input of token i, from 1: its row of X, plus its position where one is added. */
  x(i) {
    return this.about.moved ? [roman("("), letter("x", i), " + ", letter("p", i), roman(")")] : [letter("x", i)];
  }

  /** @param {Float32Array[]} rows */
  matrix(rows) {
    const cut = (items, dots) => (items.length > TERMS ? [...items.slice(0, TERMS), dots] : items);
    const cells = (row) => cut(Array.from(row.slice(0, TERMS + 1), (value) => this.number(value)), "⋯");
    const width = Math.min(rows[0].length, TERMS + 1);
    const lines = cut(rows.slice(0, TERMS + 1).map(cells), Array(width).fill("⋮"));
    const grid = el("span", { class: "avp-matrix" }, lines.flat().map((cell) => el("span", {}, cell)));
    grid.style.setProperty("--columns", String(width));
    return grid;
  }

  rowsOf({ data, rows, cols }, first = 0, width = cols) {
    return Array.from({ length: rows }, (_, n) => data.subarray(n * cols + first, n * cols + first + width));
  }

  input() {
    const { query, positions, moved } = this.about;
    const [given, read] = [this.at("table/x"), this.at("x")];
    if (!moved) return [[letter("x", this.i), " = ", this.vector(read)]];
    const added = read.map((value, d) => value - given[d]);
    const sum = [letter("x", this.i), " + ", letter("p", this.i), " = ", this.vector(given), " + ", this.vector(added), " = ", this.vector(read)];
    const wave = (at, name) => [letter("p", at), ` = ${name} `, fraction([el("i", {}, "t")], [power(BASE, `2m/${given.length}`)])];
    return positions === "sinusoidal" ? [sum, [...wave("t,2m", "sin"), ",  ", ...wave("t,2m+1", "cos"), `,  t = ${query}`]] : [sum];
  }

  /** q of the query, k and v of the key, each through the head's own columns. */
  project() {
    const { query, key, head, heads, d_k: dK, d_v: dV } = this.about;
    const one = (vector, name, at, width, kind) => {
      const x = this.at("x", at);
      const columns = this.rowsOf(this.get(`table/w_${name}`), head * width, width);
      const made = Float32Array.from({ length: width }, (_, d) => columns.reduce((sum, row, n) => sum + x[n] * row[d], 0));
      const letters = this.projected({}, this.x(at + 1), name.toUpperCase(), heads > 1 ? `(${head + 1})` : "");
      return [vector, " = ", ...letters, " = ", this.vector(x), this.matrix(columns), " = ", this.vector(made, kind)];
    };
    return [one(super.q(), "q", query, dK, "query"), one(super.k(), "k", key, dK, "key"), one(this.v(), "v", key, dV, "value")];
  }

  rotate() {
    const angle = [letter("θ", "t,m"), " = t · ", power(BASE, `−2m/${this.about.d_k}`), ",  t = 0, 1, 2, …"];
    const { query, key } = this.about;
    const one = (vector, name, at, kind) => [letter("R", String(at)), " ", vector, " = ", this.vector(this.at(name, at), kind)];
    return [angle, one(super.q(), "q", query, "query"), one(super.k(), "k", key, "key")];
  }

  scores() {
    const { key, scoring } = this.about;
    const numbers = { q: this.at("q"), k: this.at("k", key), score: this.at("scores")[key] };
    if (scoring !== "additive") return this.dotScore(numbers);
    return this.additiveScore(numbers, { wQ: this.get("table/a_q"), wK: this.get("table/a_k"), wV: this.at("table/a_v", 0) });
  }

  scale() {
    const [score, scaled] = ["scores", "scaled"].map((name) => this.at(name)[this.about.key]);
    return this.scaledScore(this.site, { score, scaled });
  }

  mask() {
    return [[letter("s̃", this.i), " = ", this.vector(this.at("scaled")), " ⟶ ", this.vector(this.at("masked"))]];
  }

  softmax() {
    const { key: j } = this.about;
    const weights = this.at("weights");
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const row = [letter("w", this.i), " = ", this.vector(weights, "share"), ",  Σ", el("sub", {}, "j"), " ", letter("w", `${this.row}j`), " = ", this.number(Math.fround(sum))];
    const lines = this.weight({ scores: this.at("masked"), j, weight: weights[j] });
    return sum ? [...lines, line(row)] : lines;
  }

  context() {
    const letters = [letter("c", this.i), " = Σ", el("sub", {}, "j"), " ", letter("w", `${this.row}j`), " ", this.v("j")];
    const weights = this.at("weights");
    const { used, largest } = this.read(weights);
    const terms = largest.map((j) => [this.number(weights[j], "share"), " ", this.vector(this.at("v", j), "value")]);
    return [letters, ["= ", ...(terms.length ? [...this.sumOf(terms, used.length), " = "] : []), this.vector(this.at("context"))]];
  }

  output() {
    const { heads } = this.about;
    const shown = Array.from({ length: Math.min(heads, TERMS) }, (_, h) => [h ? ", " : "[", letter("c", this.i, `(${h + 1})`)]);
    const joined = heads > 1 ? [...shown.flat(), heads > TERMS ? ", …]" : "]"] : [letter("c", this.i)];
    const [context, output] = [this.at("joined"), this.at("output")].map((row) => this.vector(row));
    if (!this.about.project) return [[letter("o", this.i), " = ", ...joined, " = ", output]];
    return [[letter("o", this.i), " = ", ...joined, " ", letter("W", "O"), " = ", context, this.matrix(this.rowsOf(this.get("table/w_o"))), " = ", output]];
  }

  residual() {
    const vectors = ["x", "output", "result"].map((name) => this.vector(this.at(name)));
    const letters = [letter("y", this.i), " = ", ...this.x(this.i), " + ", letter(this.about.through, this.i)];
    return [[...letters, " = ", vectors[0], " + ", vectors[1], " = ", vectors[2]]];
  }

  pool() {
    const { pooling, last } = this.about;
    const n = this.get("result").rows;
    const letters = {
      mean: () => [fraction(["1"], [String(n)]), " Σ", el("sub", {}, "i"), " ", letter(last, "i")],
      max: () => [roman("max"), el("sub", {}, "i"), " ", letter(last, "i")],
      last: () => [letter(last, String(n))],
    }[pooling]();
    return [[...letters, " = ", this.vector(this.at("pooled", 0))]];
  }
}

class ByHand extends View {
  constructor(component) {
    super(component, "attnviz avp-byhand", [viewCss, panelsCss]);
    this.told = unpack(component.data);
    this.open(textsAt(this.told.header.texts));
  }

  /** Whether it is in the language of that data. */
  fits(data) {
    return unpack(data).header.texts === this.told.header.texts;
  }

  receive(component) {
    this.told = unpack(component.data);
    this.retheme();
  }

  build() {
    this.body = el("div", { class: "avp-panel" });
    this.root.append(this.body);
    this.repaint();
    this.root.dataset.ready = "true";
  }

  repaint() {
    const steps = new Steps({ t: this.t, fmt: short, full, share: short }, this.told);
    const shown = Object.entries(this.told.header.steps).map(([name, about]) => {
      const lines = [];
      for (const parts of steps[name]()) {
        if (parts[0] === "= ") lines.at(-1).append(" ", ...parts); // goes on with the formula in letters
        else lines.push(parts instanceof HTMLElement ? parts : line(parts));
      }
      return el("section", { dataset: { step: name } }, el("p", { class: "avp-note" }, about), el("div", { class: "avp-math" }, lines));
    });
    this.body.replaceChildren(...shown);
  }
}

/** As `mountOf` says; its data is packed as payloads are. */
export const mount = mountOf(ByHand);
