/** Tells the tab panels the chosen head, the pair that was pointed at, and why a pair is masked. */

import { strongest } from "../matrix/shown.js";
import { missing } from "../matrix/specs.js";

/** The chosen site and head with the labels of its axes; matrices are undefined until they have arrived. */
export function current(ctx) {
  const { state } = ctx.store;
  const site = ctx.data.site(state.site);
  return {
    state,
    site,
    queries: ctx.data.tokens(site.queries),
    keys: ctx.data.tokens(site.keys),
    get: (stage) => ctx.data.get(state.site, state.head, stage),
  };
}

/** The values of one row of a matrix, without a copy. */
export const rowOf = (matrix, i) => matrix.data.subarray(i * matrix.cols, (i + 1) * matrix.cols);

/** Remembers the last pair (query, key) that was pointed at, a locked query with the key that it reads most, so that a panel stays readable when the pointer leaves. */
export function pairMemory(ctx) {
  let last = null;
  return () => {
    const { state, queries, keys, get } = current(ctx);
    const weights = get("weights");
    if (state.query !== null && state.key !== null) last = { i: state.query, j: state.key };
    else if (state.locked && state.query !== null && weights) last = { i: state.query, j: strongest(rowOf(weights, state.query)) };
    const inside = last && last.i < queries.length && last.j < keys.length;
    return inside ? last : null;
  };
}

/**
 * Why query i may not read key j: "after", "window", "padding" or "other"; null when it may.
 * Follows attnviz.attention.Mask.
 * @param {{data: Float32Array, rows: number, cols: number}} masked  the scores, −∞ where a key may not be read
 */
export function maskReason(site, masked, i, j) {
  const { data, rows, cols } = masked;
  if (data[i * cols + j] !== -Infinity) return null;
  const position = i + (site.kind === "self" ? cols - rows : 0);
  if (site.causal && j > position) return "after";
  if (site.window !== null && site.window !== undefined && Math.abs(position - j) >= site.window) return "window";
  if (!site.padding) return "other";
  // padding is read by nobody; what somebody reads was masked by a rule of the model's own
  for (let row = 0; site.pairs && row < rows; row += 1) if (data[row * cols + j] !== -Infinity) return "other";
  return "padding";
}

/** Asks once for what a panel needs of the chosen head and the browser does not hold. */
export function asker(ctx, stagesOf) {
  let asked = "";
  return (state, changed) => {
    if (changed.has("retry")) asked = "";
    const stages = missing(ctx, state.site, state.head, stagesOf(ctx.data.site(state.site)));
    const key = [ctx.data.header.trace, state.site, state.head].join();
    if (!stages.length || asked === key) return;
    asked = key;
    ctx.load(state.site, [state.head], stages);
  };
}
