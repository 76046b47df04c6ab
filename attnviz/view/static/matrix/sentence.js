/** One sentence on what the chosen head reads, made of the numbers that are shown. */

import { el } from "../core/dom.js";
import { fmtWhole, tokenText } from "../core/format.js";
import { numberAt, placeOf, tokenAt } from "./axis.js";
import { visibleWeights } from "./shown.js";

const MOST_KEYS = 3;
const ENOUGH = 0.9; // of a row: the rest is not worth a word

const CLEARLY = 0.005; // more than what was found before: of equal ones the first is told

const farthestRows = new WeakMap(); // weights as they are shown -> the query that reads most at a distance

const NEAR = 4; // as in attnviz.trace.thumbnails

const READOUT = "readout"; // the one query that asks for the whole sequence
const WRITES = ["next", "same", "labels"]; // kinds of outputs of which each position has its own

/**
 * The place of the query to speak of: the chosen one, the one for which the head was put first, else the one that reads
 * most at a distance (see `leave_out_near` in attnviz.trace.thumbnails).
 */
export function queryOf({ header, sites }, state, shown) {
  const chosen = placeOf(shown.queries, state.query);
  if (chosen >= 0) return chosen;
  const { telling } = header;
  const told = telling?.site === state.site && telling.head === state.head ? placeOf(shown.queries, telling.query) : -1;
  if (told >= 0) return told;
  if (!farthestRows.has(shown)) farthestRows.set(shown, farthest(shown, sites[state.site], header));
  return farthestRows.get(shown);
}

/** The query that reads most at a distance. */
function farthest({ data, rows, cols, queries, keys }, site, { specials, tokens }) {
  const special = new Set(specials[site.keys]);
  const isSelf = site.kind === "self";
  const length = tokens[site.keys].length;
  const near = Math.min(NEAR, Math.max(1, Math.floor(length / 8)));
  const first = length - tokens[site.queries].length;
  const [asking, read] = [queries, keys].map(({ labels, tokens: of }) => labels.map((_, n) => of?.[n][0] ?? n));
  let [best, least] = [0, CLEARLY];
  for (let i = 0; i < rows; i += 1) {
    const row = data.subarray(i * cols, (i + 1) * cols);
    for (let j = 0; j < cols; j += 1) {
      if (row[j] <= least) continue;
      const isNear = isSelf && (read[j] === 0 || Math.abs(first + asking[i] - read[j]) <= near);
      if (!special.has(read[j]) && !isNear) [best, least] = [i, row[j] + CLEARLY];
    }
  }
  return best;
}

/** The keys to name: [place, weight] of the largest ones, until they make up most of the row; of many, the first, and how many others are read. */
export function keysOf({ data, cols }, row) {
  const read = [...data.subarray(row * cols, (row + 1) * cols)].map((weight, place) => [place, weight]).filter(([, weight]) => weight > 0);
  read.sort(([a, x], [b, y]) => y - x || a - b);
  const sum = read.reduce((all, [, weight]) => all + weight, 0);
  let [count, held] = [0, 0];
  while (count < read.length && held < ENOUGH * sum) held += read[count++][1];
  const many = count > MOST_KEYS;
  const named = read.slice(0, many ? MOST_KEYS - 1 : count);
  return { named, others: many ? read.length - named.length : 0 };
}

/** What a token is read for: a word of the messages. */
function aim({ header, sites }, state, token) {
  const site = sites[state.site];
  const { outputs } = header;
  if (site.queries === READOUT) return "whole";
  const later = sites.slice(state.site + 1).some(({ queries }) => queries === site.queries);
  if (later || outputs?.stack !== site.queries || !WRITES.includes(outputs.kind)) return "at";
  const { positions, truth, kind } = outputs;
  if (positions?.length) return positions.includes(token) ? "whole" : "at";
  return truth?.length && truth[token] === null ? "at" : kind; // no answer is due there
}

/** The sentence; "" while the numbers are not here. */
export function sentenceOf(ctx, state) {
  const shown = visibleWeights(state, ctx);
  if (!shown || !shown.rows || !shown.cols) return "";
  const { t, data } = ctx;
  const row = queryOf(data, state, shown);
  const place = (axis, n) => ({ token: tokenText(axis.labels[n]), index: numberAt(axis, n) });
  const { named, others } = keysOf(shown, row);
  if (!named.length) return t("view.frame.sentence.empty", place(shown.queries, row));
  const told = named.map(([key, weight]) => t("view.frame.sentence.key", { ...place(shown.keys, key), share: fmtWhole(weight) }));
  if (others) told.push(t("view.frame.sentence.others", { n: others }));
  const last = told.pop();
  const first = told.join(t("view.frame.sentence.comma"));
  const keys = first ? t("view.frame.sentence.and", { first, last }) : last;
  return t(`view.frame.sentence.${aim(data, state, tokenAt(shown.queries, row))}`, { ...place(shown.queries, row), keys });
}

export class Sentence {
  constructor(ctx) {
    this.ctx = ctx;
    this.element = el("p", { class: "av-sentence" });
    this.show();
  }

  show() {
    const text = sentenceOf(this.ctx, this.ctx.store.state);
    this.element.textContent = text;
    this.element.title = text; // it may be cut
  }

  update(changed) {
    if (["trace", "data", "site", "head", "query", "hide", "words", "pair"].some((key) => changed.has(key))) this.show();
  }
}
