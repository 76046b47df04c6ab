/** Leaving keys out of a head's weights: which, and the weights renormalised over what is left. Pure functions. */

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
