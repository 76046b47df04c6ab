/** Additive scoring of one pair: w_v · tanh(W_q q + W_k k). Follows attnviz.attention.additive_scores. */

/** @typedef {import("../core/data.js").Matrix} Matrix */

/**
 * The parameters with which a site scores, as they were used.
 * @param {import("../core/data.js").TraceData} data
 * @returns {{wQ: Matrix, wK: Matrix, wV: Float32Array}}  (d_att, d_head), (d_att, d_key) and (d_att)
 */
export function additiveOf(data, site) {
  const [wQ, wK, wV] = ["w_q", "w_k", "w_v"].map((name) => data.array(`additive/${site.name}/${name}`));
  const matrix = ({ data: numbers, shape: [rows, cols] }) => ({ data: numbers, rows, cols });
  return { wQ: matrix(wQ), wK: matrix(wK), wV: wV.data };
}

/** A matrix times a vector, in double precision. */
function project({ data, rows, cols }, vector) {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let col = 0; col < cols; col += 1) sum += data[row * cols + col] * vector[col];
    return sum;
  });
}

/**
 * Every step from a query and a key to the terms of their score; the last running sum is the score.
 * @param {ReturnType<typeof additiveOf>} parameters
 * @param {Float32Array} q  one query (d_head)
 * @param {Float32Array} k  one key (d_key)
 */
export function additiveSteps({ wQ, wK, wV }, q, k) {
  const [query, key] = [project(wQ, q), project(wK, k)]; // (d_att) each, as all below
  const both = query.map((value, a) => value + key[a]);
  const bent = both.map(Math.tanh);
  const term = bent.map((value, a) => value * wV[a]);
  let sum = 0;
  return { query, key, both, bent, factor: wV, term, sum: term.map((value) => (sum += value)) };
}
