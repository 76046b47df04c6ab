/** Merged words, hidden keys, and what is worked out from them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { roundShown } from "../../attnviz/view/static/core/rounding.js";
import { hiddenKeys, renormalise } from "../../attnviz/view/static/matrix/shown.js";
import { missingShare, shownAxes, visibleWeights } from "../../attnviz/view/static/matrix/shown.js";
import { mergeWeights, wordGroups, wordLabels } from "../../attnviz/view/static/matrix/words.js";
import { close, matrix, row, sum, weights } from "./view.js";

test("tokens of a word stand together", () => {
  assert.deepEqual(wordGroups([null, 0, 0, 1, null, 2]), [[0], [1, 2], [3], [4], [5]]);
  assert.deepEqual(wordGroups([null, null]), [[0], [1]]);
  assert.deepEqual(wordGroups([0, 0, 0], [0, 0, 1]), [[0, 1], [2]]);
});

test("words are named without the marks of their pieces", () => {
  const groups = [[0], [1, 2, 3], [4]];
  assert.deepEqual(wordLabels(["[CLS]", "un", "##believ", "##able", "##"], groups), ["[CLS]", "unbelievable", "##"]);
  assert.deepEqual(wordLabels(["<s>", " un", "believ", "##x", " "], groups), ["<s>", "unbeliev##x", " "]);
  const bytes = ["\\xf0", "\\x9f", "\\x98", "\\x80", "\\xe4", "!"];
  assert.deepEqual(wordLabels(bytes, [[0, 1, 2, 3], [4], [5]]), ["😀", "\\xe4", "!"]);
});

test("merging sums over keys and averages over queries", () => {
  const given = weights(5, 7);
  const [queries, keys] = [[[0], [1, 2, 3], [4]], [[0, 1], [2], [3, 4, 5, 6]]];
  const merged = mergeWeights(given, queries, keys);
  queries.forEach((tokens, a) => {
    const expected = keys.map((group) => sum(tokens.flatMap((i) => group.map((j) => given.data[7 * i + j]))) / tokens.length);
    assert.ok(close(row(merged, a), expected));
    assert.ok(close([sum(row(merged, a))], [1]));
  });
});

test("hidden keys leave rows that sum to 1", () => {
  const given = weights(4, 6);
  given.data.set([1, 0, 0, 0, 0, 0], 12); // reads nothing but what is hidden
  const left = renormalise(given, new Set([0, 5]));
  for (let i = 0; i < 4; i += 1) assert.deepEqual([row(left, i)[0], row(left, i)[5]], [0, 0]);
  assert.ok(close([0, 1, 2, 3].map((i) => sum(row(left, i))), [1, 1, 0, 1]));
  const kept = row(given, 0).slice(1, 5);
  assert.ok(close(row(left, 0).slice(1, 5), kept.map((value) => value / sum(kept))));
});

test("what is hidden", () => {
  assert.deepEqual([...hiddenKeys("none", [0, 4])], []);
  assert.deepEqual([...hiddenKeys("first", [4])], [0]);
  assert.deepEqual([...hiddenKeys("specials", [0, 4])], [0, 4]);
});

test("weights as people asked to see them", () => {
  const header = { specials: { encoder: [0] }, words: { encoder: [null, 0, 0, 1] }, tokens: { encoder: ["<s>", "a", "##b", "c"] } };
  const site = { queries: "encoder", keys: "encoder" };
  const given = weights(4, 4);
  const ctx = /** @type {any} */ ({ data: { header, site: () => site, tokens: () => header.tokens.encoder, get: () => given } });
  const state = /** @type {any} */ ({ site: 0, head: 0, hide: "none", words: false, pair: "" });
  assert.ok(shownAxes(state, ctx).plain);
  assert.equal(shownAxes(state, ctx), shownAxes({ ...state, head: 3 }, ctx)); // the same objects for the same choices
  const shown = visibleWeights({ ...state, hide: "specials", words: true }, ctx);
  assert.deepEqual(shown.queries.labels, ["<s>", "ab", "c"]);
  assert.deepEqual(shown.keys.labels, ["ab", "c"]);
  assert.deepEqual(shown.hidden, [0]);
  for (let i = 0; i < 3; i += 1) assert.ok(missingShare(shown, i) < 1e-6);
});

test("rounded weights are worked out to as many decimals as they leave", () => {
  const given = { ...matrix([[0.5, 0.3, 0.2]]), rounding: { levels: 1000, decimals: 3 } };
  const axes = { queries: { tokens: [[0]] }, keys: { tokens: [[1], [2]] }, hidden: [0] };
  assert.ok(close([...roundShown(matrix([[0.6012, 0.3988]]), given, axes).data], [0.6, 0.4]));
});
