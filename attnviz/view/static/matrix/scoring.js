/**
 * How a pair is scored: additive scores, w_v · tanh(W_q q + W_k k), and how a raw score becomes a scaled one: scale, bias,
 * soft-cap. Follows attnviz.attention.additive_scores and attnviz.attention.scaled_scores.
 */

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

/** Where the scale comes from: "root" is 1 / √d_head, "none" is 1, "own" anything else. */
export function scaleKind({ scale, scoring, d_head: width }) {
  const root = Math.abs(scale ** -2 - width) < 0.01;
  if (scale === 1) return root && scoring === "scaled_dot" ? "root" : "none"; // in one dimension both are 1
  return root ? "root" : "own";
}

export const hasCap = ({ softcap }) => softcap !== null && softcap !== undefined;

/** s′ = scale · s + bias; with a cap c: c · tanh(s′ / c). */
export function scaledScore(site, score, bias = 0) {
  const scaled = score * site.scale + bias;
  return hasCap(site) ? site.softcap * Math.tanh(scaled / site.softcap) : scaled;
}

/** Whether two numbers are the same within the rounding of float32. */
export const agrees = (x, y) => Math.abs(x - y) <= 1e-4 * Math.max(1, Math.abs(x), Math.abs(y));

const CHANGED = { 3: ["scaled", "masked"], 4: ["weights"], 5: ["context"] };

/** The edits that change a step of the chain of a head, as one text; "" without any. */
export function editsAt(site, head, step) {
  const here = (site.edits ?? []).filter((edit) => CHANGED[step]?.includes(edit.step) && (edit.head === null || edit.head === head));
  return here.map(({ text }) => text).join("; ");
}
