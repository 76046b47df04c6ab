/** Reads the model's outputs in a trace: the rows there are, the candidates of a row, the right ones. */

import { wordGroups, wordLabels } from "../matrix/words.js";

export class Outputs {
  /** @param {import("./data.js").TraceData} data  of a model that has outputs */
  constructor(data) {
    this.data = data;
    const { outputs } = data.header;
    this.kind = outputs.kind;
    this.stack = outputs.stack;
    this.positions = outputs.positions;
    this.names = outputs.labels;
    this.truth = outputs.truth ?? [];
    this.span = outputs.span ?? null;
  }

  /** How probable a token is as the start and as the end of an answer that is a span. @returns {number[]} */
  ends(place) {
    const { data, shape: [, length] } = this.data.array("outputs/ends");
    return [data[place], data[length + place]];
  }

  /** The words of an answer that is a span. */
  get spanned() {
    const { stack, begin, end } = this.span;
    const labels = this.data.tokens(stack).slice(begin, end + 1);
    const words = this.data.header.words?.[stack]?.slice(begin, end + 1);
    return words ? wordLabels(labels, wordGroups(words)).join(" ") : labels.join(labels.some((label) => label.startsWith(" ")) ? "" : " ").trim();
  }

  get areValues() {
    return this.kind === "values";
  }

  /** Whether there is one row for all tokens. */
  get whole() {
    return this.kind === "label" || (this.areValues && this.data.array("outputs/values").shape[0] === 1);
  }

  /** The tokens at whose positions there are outputs. */
  get tokens() {
    return this.data.tokens(this.stack);
  }

  /** The row that is shown until somebody points at one. */
  get first() {
    if (this.whole) return 0;
    if (this.truth.length) return this.asked[0];
    if (this.positions.length) return this.positions[0];
    return ["labels", "masked"].includes(this.kind) ? 0 : this.tokens.length - 1;
  }

  /** The K candidates of a row, most probable first: [{label, p}, ...]. */
  candidates(row) {
    const [ids, probs] = [this.data.array("outputs/ids"), this.data.array("outputs/probs")];
    const k = ids.shape[1];
    return Array.from({ length: k }, (_, n) => ({ label: this.names[ids.data[row * k + n]], p: probs.data[row * k + n] }));
  }

  /** Their ids, in the same order. @returns {number[]} */
  ids(row) {
    const { data, shape: [, k] } = this.data.array("outputs/ids");
    return [...data.slice(row * k, (row + 1) * k)];
  }

  /** The candidates that a row had before an edit, with what has become of them: [{label, before, after}, ...]. @param {Outputs} before */
  kept(row, before) {
    const { data: now, shape: [, k] } = this.data.array("outputs/kept");
    return before.candidates(row).map(({ label, p }, n) => ({ label, before: p, after: now[row * k + n] }));
  }

  /**
   * The first candidates before and after an edit, the most probable one now first; of a new one, `most` bounds what it had.
   * @returns {{label: string, after: number, before?: number, most?: number}[]}
   */
  moved(row, before) {
    const kept = this.kept(row, before);
    const most = kept.at(-1).before;
    const known = new Set(kept.map(({ label }) => label));
    const come = this.candidates(row).filter(({ label }) => !known.has(label)).map(({ label, p }) => ({ label, after: p, most }));
    return [...kept, ...come].sort((a, b) => b.after - a.after);
  }

  values(row) {
    const { data, shape: [, n] } = this.data.array("outputs/values");
    return [...data.subarray(row * n, (row + 1) * n)];
  }

  /** Rows that are an answer: those with a right one, where the task knows it; else those that matter to the model. */
  get asked() {
    const { length } = this.tokens;
    if (this.truth.length) return this.truth.flatMap((right, row) => (right === null ? [] : [row]));
    if (this.positions.length || this.whole) return this.positions.length ? this.positions : [0];
    if (["next", "masked"].includes(this.kind) || (this.areValues && this.values(0).length > 1)) return [];
    const specials = new Set(this.data.header.specials[this.stack]);
    const rows = Array.from({ length }, (_, row) => row).filter((row) => !specials.has(row));
    return rows.length ? rows : Array.from({ length }, (_, row) => row);
  }

  /** Whether a row is known to be no answer: the task asks for no output there. */
  isBeside(row) {
    if (this.kind === "labels" && this.positions.length) return !this.positions.includes(row);
    return this.truth.length > 0 && this.truth[row] === null;
  }

  /** How many answers are right, of how many: [right, all]; null where nobody knows. */
  get score() {
    const { asked } = this;
    if (!this.truth.length) return null;
    return [asked.filter((row) => this.candidates(row)[0].label === this.truth[row]).length, asked.length];
  }
}
