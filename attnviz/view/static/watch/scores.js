/** Measure how much of every head's attention lies on the keys that a task expects, at every recorded step. */

import { strongest } from "../matrix/shown.js";
import { headOf } from "./timeline.js";

/**
 * One head against one expected pattern on one sequence, as `attnviz.analysis.score_heads` computes it.
 *
 *     mass = mean over scored queries of the sum of the weights on expected keys
 *     hits = share of scored queries whose most attended key is an expected one
 *
 * @param {Uint8Array} weights  (rows, cols), 255 for a weight of 1
 * @param {Map<number, number[]>} expected  keys by scored query
 */
function scoreHead(weights, cols, expected) {
  let [mass, hits] = [0, 0];
  for (const [query, keys] of expected) {
    const row = weights.subarray(query * cols, (query + 1) * cols);
    for (const key of keys) mass += row[key];
    if (keys.includes(strongest(row))) hits += 1;
  }
  return { mass: mass / 255 / expected.size, hits: hits / expected.size };
}

/** Whether a pattern is one of what the queries of a site should read. */
export const isAbout = (pattern, site) => pattern.stack === site.stack && pattern.kind === site.kind;

/** Expected keys by query, from the flat list of pairs in the payload. */
function byQuery(pairs) {
  const expected = new Map();
  for (let i = 0; i < pairs.length; i += 2) {
    if (!expected.has(pairs[i])) expected.set(pairs[i], []);
    expected.get(pairs[i]).push(pairs[i + 1]);
  }
  return expected;
}

/**
 * @typedef {Object} Line  one head's scores, one per snapshot
 * @property {string} site
 * @property {number} head
 * @property {number[]} mass
 * @property {number[]} hits
 */
export class Scores {
  constructor(header) {
    this.header = header;
    this.clear();
  }

  clear() {
    const { sites, sequences } = this.header;
    /** per sequence, per pattern: {pattern, expected, lines} */
    this.patterns = sequences.map(({ patterns }) => patterns.map((pattern) => ({
      pattern,
      expected: byQuery(pattern.pairs),
      lines: sites.filter((site) => isAbout(pattern, site)).flatMap(({ name, heads }) =>
        Array.from({ length: heads }, (_, head) => ({ site: name, head, mass: [], hits: [] }))),
    })));
  }

  add(snapshot, timeline) {
    this.patterns.forEach((patterns, sequence) => {
      for (const { expected, lines } of patterns) {
        for (const line of lines) {
          const block = timeline.block(sequence, line.site);
          const { mass, hits } = scoreHead(headOf(snapshot, block, line.head), block.shape[2], expected);
          line.mass.push(mass);
          line.hits.push(hits);
        }
      }
    });
  }

  /** The best pattern of one head at a snapshot: {pattern, mass, hits}, or null where it has none. */
  best(sequence, site, head, index) {
    let best = null;
    for (const { pattern, lines } of this.patterns[sequence]) {
      const line = lines.find((one) => one.site === site && one.head === head);
      if (!line || index >= line.mass.length) continue;
      const mass = line.mass.at(index);
      if (!best || mass > best.mass) best = { pattern, mass, hits: line.hits.at(index) };
    }
    return best;
  }

  /** The head with the highest mass of all: {site, head, mass, chance}, or null. */
  leader(sequence, index) {
    let leader = null;
    for (const { lines, pattern } of this.patterns[sequence]) {
      for (const { site, head, mass } of lines) {
        if (index < mass.length && (!leader || mass.at(index) > leader.mass)) leader = { site, head, mass: mass.at(index), chance: pattern.chance };
      }
    }
    return leader;
  }
}
