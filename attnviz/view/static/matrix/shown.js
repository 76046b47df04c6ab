/**
 * The weights as people asked to see them. Three steps, in this order: keys are hidden and the rest renormalised, the
 * queries of one sentence and the keys of another are picked, sub-words are merged to words.
 */

import { roundShown } from "../core/rounding.js";
import { mergeWeights, wordGroups, wordLabels } from "./words.js";

/** Sentence filters: whose queries, whose keys. */
export const PAIRS = { aa: [0, 0], ab: [0, 1], ba: [1, 0], bb: [1, 1] };

/**
 * The keys that are left out.
 * @param {"none"|"first"|"specials"} hide
 * @param {number[]} specials  positions of the special tokens among the keys
 * @returns {Set<number>}
 */
export function hiddenKeys(hide, specials) {
  if (hide === "first") return new Set([0]);
  return new Set(hide === "specials" ? specials : []);
}

/**
 * Weights without the hidden keys:
 *
 *     weights'[i, j] = weights[i, j] / Σ_{visible j'} weights[i, j'],    0 for hidden j
 *
 * A row whose whole mass lies on hidden keys becomes zeros.
 *
 * @param {{data: Float32Array, rows: number, cols: number}} weights
 * @param {Set<number>} hidden
 * @returns {{data: Float32Array, rows: number, cols: number}}
 */
export function renormalise({ data, rows, cols }, hidden) {
  const result = new Float32Array(data.length);
  for (let i = 0; i < rows; i += 1) {
    const row = result.subarray(i * cols, (i + 1) * cols);
    row.set(data.subarray(i * cols, (i + 1) * cols));
    for (const j of hidden) row[j] = 0;
    let mass = 0;
    for (let j = 0; j < cols; j += 1) mass += row[j];
    if (mass > 0) for (let j = 0; j < cols; j += 1) row[j] /= mass;
  }
  return { data: result, rows, cols };
}

/**
 * @typedef {import("../core/data.js").Matrix & Sides} Shown
 *
 * @typedef {Object} Sides
 * @property {import("./axis.js").Axis} queries  of the rows
 * @property {import("./axis.js").Axis} keys     of the columns
 * @property {import("./axis.js").Axis} allKeys  those and the hidden ones
 * @property {number[]} hidden   keys that are left out, the rest renormalised
 * @property {boolean} plain     nothing is left out or merged
 */

/** Whether a site's tokens come in two sentences. */
export function hasSentences({ header }, site) {
  return Boolean(header.segments?.[site.queries] && header.segments?.[site.keys]);
}

/** Whether tokens of a site are parts of words. */
export function hasWords({ header }, site) {
  return Boolean(header.words?.[site.queries] || header.words?.[site.keys]);
}

/** The sentences [of the queries, of the keys] that are picked at the chosen site; null: all. */
export function sentencesOf(data, state) {
  return hasSentences(data, data.site(state.site)) ? (PAIRS[state.pair] ?? null) : null;
}

const axesCache = new WeakMap(); // header -> Map of axes

/** The sides of the weights, whether or not these are here yet. The same objects for the same choices. */
export function shownAxes(state, { data }) {
  const { header } = data;
  if (!axesCache.has(header)) axesCache.set(header, new Map());
  const known = axesCache.get(header);
  const site = data.site(state.site);
  const key = choices(state, site);
  if (!known.has(key)) known.set(key, makeAxes(data, site, state));
  return known.get(key);
}

const choices = ({ hide, words, pair }, site) => [site.queries, site.keys, hide, words, pair].join("\n");

function makeAxes(data, site, state) {
  const { header } = data;
  const sentences = sentencesOf(data, state);
  const hidden = hiddenKeys(state.hide, header.specials[site.keys] ?? []);
  const none = new Set();
  const side = (kind, sequence, sentence, left) => {
    const labels = data.tokens(sequence);
    const words = (state.words && header.words?.[sequence]) || labels.map(() => null);
    const segments = header.segments?.[sequence];
    const shown = (token) => !left.has(token) && (sentence === undefined || segments[token] === sentence);
    const groups = wordGroups(words, segments).map((tokens) => tokens.filter(shown)).filter((tokens) => tokens.length);
    return axis(kind, labels, groups, Boolean(state.words && header.words?.[sequence]));
  };
  const queries = side("queries", site.queries, sentences?.[0], none);
  const keys = side("keys", site.keys, sentences?.[1], hidden);
  const allKeys = hidden.size ? side("keys", site.keys, sentences?.[1], none) : keys;
  const plain = queries.labels === data.tokens(site.queries) && keys.labels === data.tokens(site.keys);
  return { queries, keys, allKeys, hidden: [...hidden], plain };
}

function axis(kind, labels, groups, merged) {
  const of = new Int32Array(labels.length).fill(-1);
  groups.forEach((tokens, place) => tokens.forEach((token) => (of[token] = place)));
  if (!merged && groups.length === labels.length) return { kind, labels, tokens: groups, of };
  const index = groups.map(([first]) => first);
  return { kind, labels: merged ? wordLabels(labels, groups) : index.map((token) => labels[token]), tokens: groups, index, of, merged };
}

const cache = new WeakMap(); // weights -> {key, shown}

/**
 * The chosen head's weights as they are shown; undefined while not loaded.
 * @param {import("../core/store.js").State} state
 * @param {{data: import("../core/data.js").TraceData}} ctx
 * @returns {Shown|undefined}
 */
export function visibleWeights(state, ctx) {
  const weights = ctx.data.get(state.site, state.head, "weights");
  if (!weights) return undefined;
  const axes = shownAxes(state, ctx);
  const known = cache.get(weights);
  if (known?.axes === axes) return known.shown;
  const shown = { ...compute(weights, axes), ...axes };
  cache.set(weights, { axes, shown });
  return shown;
}

function compute(weights, axes) {
  const { queries, keys, hidden, plain } = axes;
  if (plain) return weights;
  const left = hidden.length ? renormalise(weights, new Set(hidden)) : weights;
  const merged = mergeWeights(left, queries.tokens, keys.tokens);
  return weights.rounding ? roundShown(merged, weights, axes) : { ...merged, shares: true };
}

/** The share of each row that its visible keys do not hold: 1 less its sum, not below 0. */
export function missingShare(matrix, row) {
  let sum = 0;
  for (let at = row * matrix.cols; at < (row + 1) * matrix.cols; at += 1) sum += matrix.data[at];
  return Math.max(0, 1 - sum);
}

/** The place of the largest number that is finite; the first one where there is none. */
export function strongest(numbers) {
  let best = -1;
  for (let n = 0; n < numbers.length; n += 1) if (Number.isFinite(numbers[n]) && !(best >= 0 && numbers[n] <= numbers[best])) best = n;
  return Math.max(0, best);
}
