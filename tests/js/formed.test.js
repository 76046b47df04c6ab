/** Tests how the parts of a score are stacked over the steps of training. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { partOf, stack } from "../../attnviz/view/static/logits/told.js";

test("bands are stacked from 0, up and down apart, and their ends add up to the sum", () => {
  const bands = [[3, -1], [-2, 2], [1, 4]].map((shares) => ({ shares }));
  const edges = stack(bands);
  assert.deepEqual(edges.map(({ up }) => up), [[3, 0], [3, 2], [4, 6]]);
  assert.deepEqual(edges.map(({ down }) => down), [[0, -1], [-2, -1], [-2, -1]]);
  const { up, down } = edges.at(-1);
  assert.deepEqual(up.map((level, n) => level + down[n]), [2, 5]);
});

test("a part is told by its name in Python", () => {
  assert.deepEqual(partOf("decoder.1.self:0"), { kind: "head", layer: 1, head: 0 });
  assert.deepEqual(partOf("decoder.2.cross:11"), { kind: "cross", layer: 2, head: 11 });
  assert.deepEqual(partOf("encoder.0.mlp"), { kind: "mlp", layer: 0 });
  assert.deepEqual(partOf("same for all"), { kind: "same-for-all" });
  assert.deepEqual(partOf("token"), { kind: "token" });
});
