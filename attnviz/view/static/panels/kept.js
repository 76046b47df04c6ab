/** Choose the lines of a head to draw: the fewest that hold a share of each row. Pure functions. */

import { rowOf } from "./kit.js";

/**
 * The fewest keys whose weights reach `percent` of the row's mass: largest first, the earlier key first among equals.
 * A weight of 0 is no line; at 100 percent every other one is kept.
 * @param {Float32Array} row weights of one query
 * @param {number} percent 0..100
 * @returns {number[]} key indices, ascending
 */
export function keptKeys(row, percent) {
  const kept = [];
  const [cutoff, equal] = percent >= 100 ? [0, 0] : cutoffOf(row, percent);
  let ties = equal;
  for (let j = 0; j < row.length; j++) {
    if (row[j] > cutoff || (row[j] === cutoff && ties-- > 0)) kept.push(j);
  }
  return kept;
}

/** The smallest weight that is kept, and how many of exactly that size are. */
function cutoffOf(row, percent) {
  const sorted = Float32Array.from(row).sort(); // ascending
  let mass = 0;
  for (let n = sorted.length - 1; n >= 0; n--) mass += sorted[n];
  const target = (mass * percent) / 100;
  let first = sorted.length;
  for (let sum = 0; sum < target && first > 0 && sorted[first - 1] > 0; sum += sorted[first]) first--;
  if (first === sorted.length) return [Infinity, 0];
  let equal = 0;
  while (sorted[first + equal] === sorted[first]) equal++;
  return [sorted[first], equal];
}

/** Kept keys of every query, computed when asked for and held until the weights or the threshold change. */
export class KeptLines {
  /**
   * @param {import("../core/data.js").Matrix} matrix
   * @param {number} percent
   */
  constructor(matrix, percent) {
    this.matrix = matrix;
    this.percent = percent;
    /** @type {number[][]} */
    this.rows = new Array(matrix.rows);
    this.counted = 0; // rows
    this.drawn = 0; // lines
    this.total = 0; // weights above 0
  }

  row(i) {
    this.rows[i] ??= keptKeys(rowOf(this.matrix, i), this.percent);
    return this.rows[i];
  }

  /** Goes on counting for some milliseconds; true when all rows are counted. */
  count(milliseconds) {
    const end = performance.now() + milliseconds;
    while (this.counted < this.matrix.rows && performance.now() < end) {
      this.drawn += this.row(this.counted).length;
      for (const weight of rowOf(this.matrix, this.counted)) if (weight > 0) this.total++;
      this.counted++;
    }
    return this.counted === this.matrix.rows;
  }
}
