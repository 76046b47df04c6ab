/** Shade of a weight: on one scale from 0 to 1, or with contrast, as far as the weights of its head reach. */

/** Keys from which on most weights are too small for one scale, until somebody chooses. */
const MANY = 64;

/** Share of the weights above 0 that may be darker than the scale: the first rows of a causal head hold ones. */
const DARKEST = 0.005;

/** "one" or "contrast", as chosen, else by how many keys share a row. */
export function scaleOf(state, site, data) {
  return state.scale || (data.tokens(site.keys).length > MANY ? "contrast" : "one");
}

/**
 * The weight that half a percent of those above 0 reach; 1 where there is none. Up to 1 % too large: it is counted by
 * the upper half of the bits of a float, which are in the order of the numbers.
 * @param {Float32Array} weights
 */
export function darkest(weights) {
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length);
  const counts = new Uint32Array(1 << 15);
  let above = 0;
  for (let i = 0; i < bits.length; i += 1) {
    if (!(weights[i] > 0)) continue;
    counts[bits[i] >>> 16] += 1;
    above += 1;
  }
  let left = Math.floor(above * DARKEST);
  let bucket = counts.length - 1;
  while (bucket > 0 && left >= counts[bucket]) left -= counts[bucket--];
  return above ? Math.min(1, new Float32Array(new Uint32Array([(bucket << 16) | 0xffff]).buffer)[0]) : 1;
}

const known = new WeakMap(); // numbers -> limit

function darkestOf({ data }) {
  if (!known.has(data)) known.set(data, darkest(data));
  return known.get(data);
}

/**
 * The limits between which the weights of the chosen head, as shown, are drawn: [low, high, whether some are higher]. Two
 * traces in one view share them; their difference has as much below 0.
 * @param {Pick<import("../core/context.js").Context, "data"|"sides">} ctx
 * @returns {[number, number, boolean?]}
 */
export function weightLimits({ data, sides }, state, matrix) {
  const low = data.isDifference ? -1 : 0;
  if (!matrix || scaleOf(state, data.site(state.site), data) === "one") return [low, 1];
  const most = Math.max(...(sides?.held(state, "weights") ?? []).concat(data.isDifference ? [] : matrix).map(darkestOf));
  return [low * most, most, true];
}
