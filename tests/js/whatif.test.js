/** Tests the changes that a place offers, and what is told of their effect. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Outputs } from "../../attnviz/view/static/core/outputs.js";
import { points } from "../../attnviz/view/static/matrix/grid.js";
import { changesOf, escaped } from "../../attnviz/view/static/whatif/changes.js";
import { largest } from "../../attnviz/view/static/whatif/sweep.js";

const SITE = { name: "decoder.1.self" };
const editsOf = (place) => Object.fromEntries(changesOf({ site: SITE, head: 3, ...place }).map(([group, entries]) => [group, entries.map(([, edit]) => edit)]));

test("a head, a query, a key and an edge each have their changes", () => {
  const all = editsOf({ query: 5, key: 2 });
  assert.deepEqual(Object.keys(all), ["edge", "query", "key", "head"]);
  assert.deepEqual(all.edge, ["cut:decoder.1.self:3:5:2", "cut:decoder.1.self:*:5:2"]);
  assert.deepEqual(all.query, ["cut:decoder.1.self:3:5:*", "cut:decoder.1.self:*:5:*", "patch:decoder.1.self:3:5"]);
  assert.deepEqual(all.key, ["cut:decoder.1.self:3:*:2", "cut:decoder.1.self:*:*:2"]);
  assert.deepEqual(Object.keys(editsOf({ query: null, key: null })), ["head"]);
  assert.deepEqual(Object.keys(editsOf({ query: 0, key: null })), ["query", "head"]);
});

test("a text inside an edit cannot end it", () => {
  assert.equal(escaped("a:b;c%\nd 日"), "a%3Ab%3Bc%25%0Ad 日");
});

test("changes of a probability have their sign, and the largest is found", () => {
  assert.deepEqual([-0.796, 0.0012, 0, -0.04].map(points), ["−80", "+0.1", "+0.0", "−4.0"]);
  assert.equal(largest({ before: { probability: 0.9 }, probability: [[0.1, null], [0.95, 0.9]] }), 0.8);
});

test("an answer after an edit keeps what is left of the one before, and bounds what has come", () => {
  const outputs = (ids, probs, more = {}) => {
    const arrays = { "outputs/ids": { data: ids, shape: [1, 2] }, "outputs/probs": { data: probs, shape: [1, 2] }, ...more };
    const header = { outputs: { kind: "label", stack: "encoder", positions: [], labels: { 1: "a", 2: "b", 3: "c" } } };
    return new Outputs(/** @type {any} */ ({ header, array: (name) => arrays[name] }));
  };
  const before = outputs([1, 2], [0.9, 0.1]);
  const after = outputs([3, 1], [0.7, 0.2], { "outputs/kept": { data: [0.2, 0.05], shape: [1, 2] } });
  assert.deepEqual(after.kept(0, before), [{ label: "a", before: 0.9, after: 0.2 }, { label: "b", before: 0.1, after: 0.05 }]);
  assert.deepEqual(after.moved(0, before).map(({ label }) => label), ["c", "a", "b"]);
  assert.equal(after.moved(0, before)[0].most, 0.1);
});
