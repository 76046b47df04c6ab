/** How dark a weight is drawn: on one scale from 0 to 1, or each head up to its own largest weight. */

/** Keys from which on most weights are too small for one scale, until somebody chooses. */
const MANY = 64;

/** "one" or "largest", as chosen, else by how many keys share a row. */
export function scaleOf(state, site, data) {
  return state.scale || (data.tokens(site.keys).length > MANY ? "largest" : "one");
}

const known = new WeakMap(); // matrix -> its largest number

/** The largest number of a matrix; 1 where there is none above 0. */
function largest(matrix) {
  if (!known.has(matrix)) known.set(matrix, matrix.data.reduce((most, x) => (x > most ? x : most), 0) || 1);
  return known.get(matrix);
}

/** The limits between which the weights of the chosen head, as shown, are drawn. */
export function weightLimits({ data }, state, matrix) {
  return [0, matrix && scaleOf(state, data.site(state.site), data) === "largest" ? largest(matrix) : 1];
}
