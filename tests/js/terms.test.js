/** Tests the number that a term's card names. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fmt } from "../../attnviz/view/static/core/format.js";
import { liveNumber } from "../../attnviz/view/static/matrix/terms.js";
import { matrix } from "./view.js";

const SITE = { name: "decoder.0.self", stack: "decoder", kind: "self", layer: 0, queries: "decoder", keys: "decoder", n_heads: 2, d_head: 3, d_value: 3 };
const NUMBERS = {
  q: matrix([[1, 2, 3], [4, 5, 6]]), k: matrix([[7, 8, 9], [10, 11, 12]]), scores: matrix([[5, 6], [7, 8]]),
  masked: matrix([[5, -Infinity], [7, 8]]), weights: matrix([[1, 0], [0.25, 0.75]]),
};

/** A view of two tokens; messages become their key and parameters. */
function view(held = NUMBERS, query = 1) {
  const header = { specials: { decoder: [] }, tokens: { decoder: ["a", "b"] }, outputs: null };
  const data = { header, sites: [SITE, { ...SITE, layer: 1 }], site: () => SITE, tokens: () => ["a", "b"], get: (_site, _head, stage) => held[stage] };
  const state = { site: 0, head: 1, query, key: null, hide: "none", words: false, pair: "" };
  return /** @type {any} */ ({ data, store: { state }, fmt, t: (key, params) => `${key.split(".").pop()} ${JSON.stringify(params)}` });
}

test("a vector is that of the chosen query, or of the key it reads most", () => {
  assert.equal(liveNumber(view(), "query"), 'vector {"token":"b","n":3,"numbers":"4.00, 5.00, 6.00"}');
  assert.equal(liveNumber(view(), "key"), 'vector {"token":"b","n":3,"numbers":"10.0, 11.0, 12.0"}');
  assert.equal(liveNumber(view(NUMBERS, 0), "key"), 'vector {"token":"a","n":3,"numbers":"7.00, 8.00, 9.00"}');
});

test("scores, softmax and mask are counted in what is shown", () => {
  assert.equal(liveNumber(view(), "score"), 'score {"query":"b","key":"b","score":"8.00"}');
  assert.equal(liveNumber(view(), "softmax"), 'softmax {"query":"b","key":"b","weight":"0.750","sum":"1.000"}');
  assert.equal(liveNumber(view(), "causal-mask"), 'mask {"n":1,"all":4}');
  assert.equal(liveNumber(view(), "layer"), 'layer {"n":2,"layer":0}');
});

test("without the numbers, and for terms without any, there is no line", () => {
  const without = { weights: NUMBERS.weights };
  for (const term of ["query", "score", "mask"]) assert.equal(liveNumber(view(without), term), "");
  assert.equal(liveNumber(view({}), "softmax"), "");
  assert.equal(liveNumber(view(), "dot-product"), "");
});
