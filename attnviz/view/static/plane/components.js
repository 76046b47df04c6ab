/** Queries and keys of a head put together, and the plane in which they vary most: principal components. Pure. */

/** @typedef {{data: ArrayLike<number>, rows: number, cols: number}} Matrix */

const SWEEPS = 60;
const LEFT = 1e-26; // of the squares, off the diagonal, when an end has been reached
const EMPTY = 1e-13; // of the largest variance: less is rounding
const EQUAL = 1e-20; // of the mean square, as a variance: likewise
const TIED = 1e-9; // of the spread: a smaller difference of means says nothing

/** The number that keys are multiplied and queries divided by: both are equally long on average then. @param {Matrix} q @param {Matrix} k */
export function evening(q, k) {
  const [queries, keys] = [q, k].map(({ data, rows, cols }) => {
    let sum = 0;
    for (let row = 0; row < rows; row += 1) sum += Math.hypot(...Array.from({ length: cols }, (_, d) => data[row * cols + d]));
    return sum / rows;
  });
  return queries && keys ? Math.sqrt(queries / keys) : 1;
}

/**
 * Eigenvalues and orthonormal eigenvectors of a symmetric matrix, the largest value first, by Jacobi's rotations.
 * @param {Float64Array} matrix  (n, n)
 */
export function eigen(matrix, n) {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n); // a vector a row
  for (let d = 0; d < n; d += 1) v[d * n + d] = 1;
  const total = a.reduce((sum, value) => sum + value * value, 0);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    let off = 0;
    for (let p = 0; p < n; p += 1) for (let r = p + 1; r < n; r += 1) off += a[p * n + r] ** 2;
    if (off <= LEFT * total) break;
    for (let p = 0; p < n; p += 1) for (let r = p + 1; r < n; r += 1) if (a[p * n + r] ** 2 * n * n > LEFT * total) rotate(a, v, n, p, r);
  }
  const order = Array.from({ length: n }, (_, d) => d).sort((x, y) => a[y * n + y] - a[x * n + x]);
  return order.map((d) => ({ value: Math.max(0, a[d * n + d]), vector: v.slice(d * n, (d + 1) * n) }));
}

/** Turns two dimensions so that their own entry becomes 0. */
function rotate(a, v, n, p, r) {
  const theta = (a[r * n + r] - a[p * n + p]) / (2 * a[p * n + r]);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  turn(a, p, r, n, c, s); // columns
  for (const array of [a, v]) turn(array, p * n, r * n, 1, c, s); // rows
}

function turn(array, one, other, step, c, s) {
  for (let d = 0, n = Math.sqrt(array.length); d < n; d += 1, one += step, other += step) {
    const [x, y] = [array[one], array[other]];
    array[one] = c * x - s * y;
    array[other] = s * x + c * y;
  }
}

/** The principal components of centred rows, the largest variance first: those that have any. */
function components(rows, n) {
  const few = rows.length < n; // then their products tell the same by a smaller matrix
  const lines = few ? rows : Array.from({ length: n }, (_, d) => Float64Array.from(rows, (row) => row[d]));
  const size = lines.length;
  const products = new Float64Array(size * size);
  for (let p = 0; p < size; p += 1) for (let r = 0; r <= p; r += 1) products[p * size + r] = products[r * size + p] = dot(lines[p], lines[r]) / rows.length;
  const found = eigen(products, size).filter(({ value }, _, all) => value > EMPTY * all[0].value);
  if (!few) return found;
  return found.map(({ value, vector }) => {
    const axis = Float64Array.from({ length: n }, (_, d) => rows.reduce((sum, row, at) => sum + row[d] * vector[at], 0));
    const length = Math.hypot(...axis);
    return { value, vector: axis.map((each) => each / length) };
  });
}

/**
 * The plane of a head. The queries' mean lies to the left of the keys', and below it; where the means are the same, the
 * largest number of an axis is positive: the same numbers always give the same picture.
 * @param {Matrix} q
 * @param {Matrix} k  of the same width
 * @returns {{query: number[][], key: number[][], axes: Float64Array[], shares: number[], factor: number}}
 *     places (x, y); the axes, fewer than two where there is less to see; the shares of the variance along them; what keys are multiplied by
 */
export function planeOf(q, k) {
  const n = q.cols;
  const factor = evening(q, k);
  const rowsOf = ({ data, rows }, by) => Array.from({ length: rows }, (_, row) => Float64Array.from({ length: n }, (__, d) => data[row * n + d] * by));
  const sides = { query: rowsOf(q, 1 / factor), key: rowsOf(k, factor) };
  const all = [...sides.query, ...sides.key];
  const square = all.reduce((sum, row) => sum + dot(row, row), 0) / all.length;
  const mean = new Float64Array(n);
  for (const row of all) row.forEach((value, d) => (mean[d] += value / all.length));
  for (const row of all) row.forEach((_, d) => (row[d] -= mean[d]));
  const found = all.some((row) => dot(row, row) > EQUAL * square) ? components(all, n) : [];
  const total = found.reduce((sum, { value }) => sum + value, 0);
  const axes = found.slice(0, 2).map(({ vector, value }) => facing(vector, sides, Math.sqrt(value)));
  const place = (row) => [0, 1].map((at) => (axes[at] ? dot(row, axes[at]) : 0));
  return {
    query: sides.query.map(place),
    key: sides.key.map(place),
    axes,
    shares: [0, 1].map((at) => (total ? (found[at]?.value ?? 0) / total : 0)),
    factor,
  };
}

function dot(a, b) {
  let sum = 0;
  for (let d = 0; d < a.length; d += 1) sum += a[d] * b[d];
  return sum;
}

/** An axis, turned round where it faces the other way. */
function facing(vector, { query, key }, spread) {
  const mean = (rows) => rows.reduce((sum, row) => sum + dot(row, vector), 0) / rows.length;
  const ahead = mean(key) - mean(query);
  const largest = vector.reduce((best, value) => (Math.abs(value) > Math.abs(best) + TIED ? value : best), 0);
  const isBack = Math.abs(ahead) > TIED * spread ? ahead < 0 : largest < 0;
  return isBack ? vector.map((value) => -value) : vector;
}
