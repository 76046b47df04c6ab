/** Weights that came rounded: no digit is shown that they do not have. */

import { fmt, fmtCell, fmtShare, full } from "./format.js";

/** A number in the steps of its rounding: all digits that it has, three significant ones at most. */
function fmtRounded(x, { levels }) {
  const step = Math.round(x * levels) / levels; // what was worked out from rounded numbers has no finer steps
  const [short, exact] = [fmt(step), full(step)];
  return exact.length < short.length ? exact : short;
}

/** Return the format of a matrix's numbers. */
export function formatOf(matrix) {
  if (matrix?.rounding) return (x) => fmtRounded(x, matrix.rounding);
  return matrix?.shares ? fmtShare : fmt;
}

/** Return their format in a cell with room for so many letters. */
export function cellFormatOf(matrix) {
  if (!matrix?.rounding && !matrix?.shares) return fmtCell;
  const format = formatOf(matrix);
  return (x, letters = 6) => {
    const text = format(x);
    return text.length <= letters ? text : fmtCell(x, letters);
  };
}

/**
 * Round values computed from rounded weights to as many decimals as their error leaves. Renormalising divides a row's
 * error by the mass that stays, merging adds up the errors of the tokens of a word.
 *
 * @param {{data: Float32Array, rows: number, cols: number}} shown
 * @param {{data: Float32Array, cols: number, rounding: {levels: number}}} weights  rounded
 * @param {{queries: {tokens: number[][]}, keys: {tokens: number[][]}, hidden: number[]}} axes
 */
export function roundShown(shown, weights, { queries, keys, hidden }) {
  const merged = Math.max(1, ...keys.tokens.map((tokens) => tokens.length));
  const mass = (query) => hidden.reduce((left, key) => left - weights.data[query * weights.cols + key], 1);
  const data = new Float32Array(shown.data.length);
  for (let row = 0; row < shown.rows; row += 1) {
    const least = Math.max(1 / weights.rounding.levels, Math.min(...queries.tokens[row].map(mass)));
    const tens = 10 ** Math.max(0, Math.floor(Math.log10((weights.rounding.levels * least) / merged)));
    for (let at = row * shown.cols; at < (row + 1) * shown.cols; at += 1) data[at] = Math.round(shown.data[at] * tens) / tens;
  }
  return { ...shown, data, rounding: weights.rounding };
}
