/** Gives the tests a page's address without a page, random weights, a matrix. */

/** Puts an address where the view reads it. */
export function open(address) {
  const url = new URL(address);
  const state = { written: null, steps: 0 };
  const location = { get href() { return url.href; }, get hash() { return url.hash; }, search: url.search, protocol: url.protocol };
  const replaceState = (_state, _title, next) => (state.written = String(next));
  const pushState = (before, title, next) => {
    state.steps += 1;
    replaceState(before, title, next);
  };
  globalThis.window = /** @type {any} */ ({ location, history: { state: null, replaceState, pushState }, setTimeout: (act) => void act(), addEventListener() {}, removeEventListener() {} });
  return state;
}

/** @param {number[][]} rows */
export const matrix = (rows) => ({ data: Float32Array.from(rows.flat()), rows: rows.length, cols: rows[0].length });

/** Weights whose rows sum to 1; the same every time. */
export function weights(rows, cols) {
  let seed = 1;
  const next = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  return matrix(Array.from({ length: rows }, () => {
    const row = Array.from({ length: cols }, () => next() + 0.01);
    const sum = row.reduce((a, b) => a + b);
    return row.map((value) => value / sum);
  }));
}

export const row = ({ data, cols }, i) => [...data.subarray(i * cols, (i + 1) * cols)];

export const sum = (values) => values.reduce((a, b) => a + b, 0);

/** Whether two lists of numbers are the same but for float32's rounding. */
export const close = (a, b, within = 1e-6) => a.length === b.length && a.every((value, n) => Math.abs(value - b[n]) <= within * Math.max(1, Math.abs(b[n])));
