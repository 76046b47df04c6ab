/** The chain's formulas with the live numbers of one pair (i, j) and one dimension d in place of the letters. */

import { el } from "../core/dom.js";
import { tokenElement } from "../core/format.js";
import { additiveOf, agrees, editsAt, scaledScore } from "../matrix/scoring.js";
import { missingShare, shownAxes } from "../matrix/shown.js";
import { absence, numbersOf, offers } from "../matrix/specs.js";
import { asker, current, maskReason, pairMemory, rowOf } from "./kit.js";
import { Panel } from "./panel.js";
import { Teller, letter, line, roman, small } from "./teller.js";

export class FormulaPanel extends Panel {
  static id = "formula";

  constructor(ctx) {
    super(ctx);
    this.teller = new Teller(ctx);
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

  /** The row of a matrix after an equals sign; nothing while it is not here. */
  equals(matrix, at, kind) {
    return matrix ? [" = ", this.teller.vector(rowOf(matrix, at), kind)] : [];
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
    const { teller } = this;
    const one = (letter, stage, at, kind) => line([letter, ...this.equals(get(stage), at, kind)]);
    const lines = [one(teller.q(), "q", i, "query"), one(teller.k(), "k", j, "key"), one(teller.v(), "v", j, "value")];
    return [...lines, el("small", { class: "avp-line" }, this.t(`view.panel.formula.${site.direct}`))];
  }

  /** A row of what the layer reads: x, LN(x) where the layer norms it, m of the memory that cross-attention reads. */
  inputOf(site, name, ofMemory) {
    if (!site.projection) return [letter("x", name, ofMemory ? this.t("view.panel.formula.from", { stack: site.keys }) : "")];
    if (ofMemory) return [letter("m", name)];
    return site.projection.normed ? [roman("LN("), letter("x", name), roman(")")] : [letter("x", name)];
  }

  projections({ site, get }, i, j) {
    const { teller } = this;
    const one = (vector, stage, [name, at], kind, ofMemory) => {
      const made = teller.projected(site.projection, this.inputOf(site, name, ofMemory), stage.toUpperCase());
      const isAsMade = stage === "v"; // only q and k are normed and turned by rotary positions
      const normed = site.projection?.qk_norm && !isAsMade ? [roman("norm("), ...made, roman(")")] : made;
      const turned = site.rotary && !isAsMade ? [letter("R", name), roman(" ("), ...normed, roman(")")] : normed;
      return line([vector, " = ", ...turned, ...this.equals(get(stage), at, kind)]);
    };
    const other = site.kind === "cross";
    const lines = [one(teller.q(), "q", ["i", i], "query", false), one(teller.k(), "k", ["j", j], "key", other), one(teller.v(), "v", ["j", j], "value", other)];
    return site.projection ? lines : [...lines, el("small", { class: "avp-line" }, this.t("view.panel.formula.projections"))];
  }

  inputRow({ state, site }, i) {
    const reason = absence(this.ctx, state.site, "x");
    return this.row(0, "input", [...this.inputOf(site, "i", false), ...this.equals(this.ctx.data.x(state.site), i), ...(reason ? [" ", small(reason)] : [])]);
  }

  scoreRow({ site, get }, i, j) {
    const [queries, keys, scores] = ["q", "k", "scores"].map(get);
    const numbers = queries && keys && scores ? { q: rowOf(queries, i), k: rowOf(keys, j), score: rowOf(scores, i)[j] } : undefined;
    const { teller } = this;
    return this.row(2, "scores", ...(site.scoring === "additive" ? teller.additiveScore(numbers, additiveOf(this.ctx.data, site)) : teller.dotScore(numbers)));
  }

  /** The line of a step that edits change: the number that they leave, and what they are; null without any. */
  edited({ state, site }, step, value) {
    const edits = editsAt(site, state.head, step);
    if (!edits) return null;
    return ["→ ", value === undefined ? "…" : this.teller.number(value), " ", small(this.t("view.panel.formula.edited", { edits }))];
  }

  maskedRow(view, i, j) {
    const { site, get } = view;
    const edited = this.edited(view, 3, get("masked") && rowOf(get("masked"), i)[j]);
    if (edited) return this.row(3, "masked", this.teller.scaledScore(site)[0], edited);
    const [score, bias, shown] = ["scores", "bias", "masked"].map((stage) => get(stage) && rowOf(get(stage), i)[j]);
    if (score === undefined || shown === undefined || (offers(site, "bias") && bias === undefined)) return this.row(3, "masked", ...this.teller.scaledScore(site));
    const scaled = scaledScore(site, score, bias);
    const [letters, numbers] = this.teller.scaledScore(site, { score, bias, scaled });
    return this.row(3, "masked", letters, [.../** @type {Node[]} */ (numbers), ...this.verdict(site, get("masked"), i, j, scaled)]);
  }

  /** Tells the score after the mask, and why it is so. */
  verdict(site, masked, i, j, scaled) {
    const value = rowOf(masked, i)[j];
    const reason = maskReason(site, masked, i, j);
    const about = { query: i, key: j, window: site.window };
    if (reason) return [" → ", this.teller.number(-Infinity), " ", small(this.t(`view.panel.mask.${reason}`, about))];
    if (!agrees(value, scaled)) return [" → ", this.teller.number(value), " ", small(this.t("view.panel.formula.adjusted"))];
    return [" ", small(this.t("view.panel.mask.allowed", about))];
  }

  weightsRow(view, i, j) {
    const { site, state, get } = view;
    const edited = this.edited(view, 4, get("weights") && rowOf(get("weights"), i)[j]);
    if (edited) return this.row(4, "weights", this.teller.weight(undefined, site.sinks?.[state.head] !== undefined)[0], edited);
    const [masked, weights] = [get("masked"), get("weights")];
    const sink = site.sinks?.[state.head];
    const numbers = masked && weights ? { scores: rowOf(masked, i), j, weight: rowOf(weights, i)[j], sink, sunk: missingShare(weights, i) } : undefined;
    return this.row(4, "weights", ...this.teller.weight(numbers, sink !== undefined));
  }

  /** c_i[d] = Σ_j w_ij v_j[d], the keys with the largest weights written out. */
  contextRow(view, i, d) {
    const { get, keys } = view;
    const { teller } = this;
    const letters = [letter("c", "i"), roman("[d]"), " = Σ", el("sub", {}, "j"), " ", letter("w", "ij"), " ", teller.v(), roman("[d]")];
    const [weights, values, context] = ["weights", "v", "context"].map(get);
    const edited = this.edited(view, 5, context && rowOf(context, i)[d]);
    if (edited) return this.row(5, "context", [...letters, roman(`  (d = ${d})`)], edited);
    if (!weights || !values || !context) return this.row(5, "context", letters);
    const row = rowOf(weights, i);
    const { used, largest } = teller.read(row);
    const terms = largest.map((j) => teller.product(row[j], "share", rowOf(values, j)[d], "value"));
    const numbers = ["= ", ...(terms.length ? teller.sumOf(terms, used.length) : [teller.number(0)]), " = ", teller.number(rowOf(context, i)[d])];
    const names = largest.flatMap((j, n) => [n ? ", " : "", tokenElement(keys[j]), ` #${j}`]);
    if (terms.length) numbers.push(el("small", { class: "avp-line" }, this.t("view.panel.formula.largest"), " ", names));
    return this.row(5, "context", [...letters, roman(`  (d = ${d})`)], numbers);
  }

  outputRow({ site, get }, i) {
    const letters = [letter("o", "i"), " = ", letter("c", "i"), " ", letter("W", site.direct === "states" ? "c" : "O")];
    return this.row(6, "output", letters, ...(get("output") ? [["= ", this.teller.vector(rowOf(get("output"), i))]] : []));
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
    if (!fresh && !changed.has("chain")) return;
    for (const row of this.rows) row.classList.toggle("is-current", Number(row.dataset.step) === state.chain);
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
