/** Tests what the lens and the parts of a logit compute. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { settledAt, shorten } from "../../attnviz/view/static/logits/told.js";

test("a column is settled from the row on from which its first output stays", () => {
  const outputs = [[[0], [5], [1]], [[1], [5], [0]], [[0], [5], [1]]]; // rows of columns
  assert.deepEqual([0, 1, 2].map((column) => settledAt(outputs, column)), [2, 0, 2]);
});

test("what is not shown is one bar, and nothing is lost of the sum", () => {
  const parts = [5, -3, 2, 1, -0.5, 0.25].map((share) => ({ share }));
  const { shown, rest, sum } = shorten(parts, 3);
  assert.deepEqual([shown.length, rest.count, rest.share, sum], [3, 3, 0.75, 4.75]);
  assert.equal(shown.reduce((total, { share }) => total + share, 0) + rest.share, sum);
  assert.deepEqual(shorten(parts, 5).rest, { count: 0, share: 0 }); // one alone is shown itself
});
