/** The table of all heads. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { chosenHeads, linkTo, valueOf, windowOf } from "../../attnviz/view/static/atlas/rows.js";

const head = (label, lift, entropy) => ({ label, entropy, layer: 1, stack: "decoder", kind: "self", head: 2, readings: { previous: { lift } } });
const heads = [head("", 0.1, 2), head("previous", 0.9, 1), head("first", null, 3)];

test("heads are kept by their label, and sorted by a column, those that were not measured last", () => {
  const order = (state) => chosenHeads(heads, state).map((each) => heads.indexOf(each));
  assert.deepEqual(order({ label: "", sort: "order" }), [0, 1, 2]);
  assert.deepEqual(order({ label: "", sort: "previous" }), [1, 0, 2]);
  assert.deepEqual(order({ label: "", sort: "entropy" }), [2, 0, 1]);
  assert.deepEqual(order({ label: "none", sort: "order" }), [0]);
  assert.deepEqual(order({ label: "first", sort: "previous" }), [2]);
  assert.equal(valueOf(heads[2], "previous"), null);
});

test("a long text is shown around its strongest place", () => {
  assert.deepEqual(windowOf(10, []), [0, 10]);
  assert.deepEqual(windowOf(300, [[100, 99, 0.9]]), [59, 141]);
  assert.deepEqual(windowOf(300, [[290, 0, 0.9]]), [250, 300]);
});

test("a link opens head and place", () => {
  assert.equal(linkTo({ link: "http://a/explorer?model=m" }, heads[0], [5, 4, 0.5]), "http://a/explorer?model=m&layer=1&stack=decoder&kind=self&head=2&q=5&k=4&lock=1");
  assert.ok(!linkTo({ link: "http://a/explorer?model=m" }, heads[0], undefined).includes("lock"));
});
