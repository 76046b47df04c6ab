/** Numbers and tokens as text. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fmt, fmtCell, fmtPercent, fmtShare, full, orDash, tokenText } from "../../attnviz/view/static/core/format.js";
import { cellFormatOf, formatOf } from "../../attnviz/view/static/core/rounding.js";

test("three significant digits, and signs that are read aloud", () => {
  assert.deepEqual([0.0123, 12.34, 1234, 1.234e-5, 99999.6, 0, -0.5].map(fmt), ["0.0123", "12.3", "1234", "1.23e−5", "1.00e5", "0", "−0.500"]);
  assert.deepEqual([Infinity, -Infinity, NaN].map(fmt), ["∞", "−∞", "NaN"]);
  assert.deepEqual([NaN, 0.25].map(orDash), ["–", "0.250"]);
});

test("a share near nothing is told as small, a score by its size", () => {
  const numbers = [4e-26, 9.9e-5, 1.1e-4, 0, 0.5];
  const weights = { shares: true };
  for (const format of [fmtShare, formatOf(weights)]) assert.deepEqual(numbers.map(format), ["<1e-4", "<1e-4", "1.10e−4", "0", "0.500"]);
  assert.deepEqual(numbers.map(fmtPercent), ["<0.01", "<0.01", "0.0110", "0", "50.0"]);
  assert.deepEqual(numbers.map((x) => cellFormatOf(weights)(x)), ["<1e-4", "<1e-4", "1e−4", "0", "0.500"]);
  assert.equal(formatOf({})(4e-26), "4.00e−26");
});

test("a cell has room for so many letters", () => {
  assert.deepEqual([-0.123456, -1234, 1.23e-7].map((x) => fmtCell(x)), ["−0.123", "−1234", "1e−7"]);
  assert.deepEqual([-0.0123, 0.123].map((x) => fmtCell(x, 5)), ["−0.01", "0.123"]);
});

test("the shortest text that names exactly this float32", () => {
  assert.deepEqual([0.1, 1 / 3, 16777216, -Infinity].map((x) => full(Math.fround(x))), ["0.1", "0.33333334", "16777216", "−∞"]);
});

test("rounded weights show no digit that they do not have", () => {
  const format = formatOf({ rounding: { levels: 1000, decimals: 3 } });
  assert.deepEqual([0.123, 0.5, 1].map(format), ["0.123", "0.5", "1"]);
});

test("white space and control characters are seen", () => {
  assert.equal(tokenText(" a\n\t\u0001\u200b"), "␣a↵⇥␁U+200B");
});
