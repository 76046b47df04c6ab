/** Leaving keys out of a head's weights: which, and the weights renormalised over what is left. */

/**
 * Indices of the keys that stay visible.
 * @param {import("./data.js").TraceData} data
 * @param {import("./store.js").State} state
 * @returns {number[]}
 */
function visibleKeys(data, state) {
  const stack = data.site(state.site).keys;
  const n = data.tokens(stack).length;
  const specials = new Set(data.header.specials[stack] ?? []);
  const hidden = (j) => (state.hide === "first" ? j === 0 : state.hide === "specials" && specials.has(j));
  return Array.from({ length: n }, (_, j) => j).filter((j) => !hidden(j));
}

const cache = new WeakMap(); // weights -> {hide, result}

/**
 * The chosen head's weights without the hidden keys:
 *     weights'[i, j] = weights[i, j] / sum over visible j' of weights[i, j']
 * A row whose whole mass lies on hidden keys becomes zeros.
 *
 * @param {import("./store.js").State} state
 * @param {{data: import("./data.js").TraceData}} ctx
 * @returns {{data: Float32Array, rows: number, cols: number, keyIndex: number[]}|undefined}
 *     (Tq, visible keys); keyIndex[c] is the key of column c. Undefined while not loaded.
 */
export function visibleWeights(state, ctx) {
  const weights = ctx.data.get(state.site, state.head, "weights");
  if (!weights) return undefined;
  const known = cache.get(weights);
  if (known && known.hide === state.hide) return known.result;
  const keyIndex = visibleKeys(ctx.data, state);
  const result = { ...(keyIndex.length === weights.cols ? weights : renormalise(weights, keyIndex)), keyIndex };
  cache.set(weights, { hide: state.hide, result });
  return result;
}

function renormalise(weights, keyIndex) {
  const cols = keyIndex.length;
  const data = new Float32Array(weights.rows * cols);
  for (let i = 0; i < weights.rows; i += 1) {
    let mass = 0;
    for (const j of keyIndex) mass += weights.data[i * weights.cols + j];
    if (mass === 0) continue;
    for (let c = 0; c < cols; c += 1) data[i * cols + c] = weights.data[i * weights.cols + keyIndex[c]] / mass;
  }
  return { data, rows: weights.rows, cols };
}
