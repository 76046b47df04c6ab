import assert from "node:assert/strict";
import { test } from "node:test";

import { Movement } from "../../attnviz/view/static/watch/movement.js";

// two layers of two heads on a sequence of two tokens: rows of 255
const SHAPE = [2, 2, 2];
const timeline = /** @type {any} */ ({
  blocks: [0, 1].map((layer) => ({ sequence: 0, site: `encoder.${layer}.self`, shape: SHAPE, start: 8 * layer })),
});
const before = new Uint8Array(Array.from({ length: 16 }, (_, n) => (n % 2 ? 0 : 255)));
const after = before.slice();
after.set([0, 255], 4); // layer 0, head 1, first row: all of it moved
after.set([0, 255], 10); // layer 1, head 0, second row
after.set([0, 255], 14); // layer 1, head 1, second row

const movement = (stack) => {
  const found = new Movement({ stack, sites: [0, 1].map((layer) => ({ name: `encoder.${layer}.self` })) });
  found.add(before, timeline);
  found.add(after, timeline);
  return found;
};

test("a layer has moved as far as its heads on average, and one head most", () => {
  const found = movement("encoder");
  assert.deepEqual(found.lines.map(({ first, mean }) => [first, mean]), [[[0, 0.5], [0, 0.25]], [[0, 0], [0, 0.5]]]);
  assert.deepEqual(found.leader(), { site: "encoder.0.self", head: 1, by: 1 });
});

test("of a decoder every row counts: its first token reads itself alone", () => {
  const found = movement("decoder");
  assert.deepEqual(found.measures, ["mean"]);
  assert.equal(found.leader().by, 0.5);
});
