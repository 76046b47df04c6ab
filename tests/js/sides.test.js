/** Two traces in one view: places, differences, and the state on either side. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { TraceData } from "../../attnviz/view/static/core/data.js";
import { Sides, placesOf, subtract } from "../../attnviz/view/static/core/sides.js";
import { meanOf } from "../../attnviz/view/static/panels/distances.js";
import { pack } from "./pack.js";
import { matrix, row } from "./view.js";

const site = (layer, heads, sequence = "encoder") => ({ name: `encoder.${layer}.self`, layer, n_heads: heads, queries: sequence, keys: sequence });
const rows = (...values) => ({ data: Float32Array.from(values.flat()), shape: [values.length, values[0].length] });

/** A of "a b c" with two layers of two heads, B of "a x c d" with one layer of three. */
function sides(state = {}) {
  const other = pack(
    { trace: "b", sites: [site(0, 3)], tokens: { encoder: ["a", "x", "c", "d"] } },
    { "encoder.0.self/0/weights": rows([1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]), "encoder.0.self/2/weights": rows([0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]) },
  );
  const beside = { names: "pair", sites: [0, null], blocks: { encoder: { encoder: [[0, 0, 1], [2, 2, 1]] } } };
  const own = pack(
    { trace: "a", sites: [site(0, 2), site(1, 2)], tokens: { encoder: ["a", "b", "c"] }, beside },
    { "encoder.0.self/0/weights": rows([2, 2, 2], [3, 3, 3], [4, 4, 4]), beside: { data: other, shape: [other.length] } },
  );
  const at = { site: 0, head: 0, query: null, key: null, dim: null, wide: null, locked: false, side: "", pin: "", ...state };
  return new Sides(new TraceData(own), () => {}, () => /** @type {any} */ (at));
}

const START = /** @type {any} */ ({ site: 0, head: 0, query: 2, key: 0, dim: null, wide: null, locked: true, side: "", pin: "" });

test("a token without a partner has no place, and its cells have no difference", () => {
  const places = placesOf([[0, 1, 2]], 3);
  assert.deepEqual([...places], [1, 2, -1]);
  const found = subtract(matrix([[5, 6, 7]]), matrix([[0, 1, 2], [3, 4, 5]]), Int32Array.of(1), places);
  assert.deepEqual(row(found, 0), [1, 1, NaN]);
});

test("the difference is of aligned cells, under the own trace's names", () => {
  const { difference } = sides();
  const found = difference.get(0, 0, "weights");
  assert.deepEqual([...found.data], [1, NaN, -1, NaN, NaN, NaN, -5, NaN, -7]);
  assert.equal(difference.get(0, 0, "weights"), found);
  assert.equal(difference.get(1, 0, "weights"), undefined);
  assert.ok(difference.lacks(1, 0, "weights"));
  assert.deepEqual(sides({ pin: "0.2" }).difference.get(0, 0, "weights").data[0], 2);
});

test("a lock follows its tokens to the other side and back", () => {
  const two = sides();
  const there = two.turned(START, "other");
  assert.deepEqual([there.side, there.query, there.key, there.locked], ["other", 2, 0, true]);
  assert.deepEqual({ ...two.home(there), mine: undefined }, { ...START, mine: undefined });
  const lost = two.turned({ ...START, query: 1, key: null }, "other");
  assert.deepEqual([lost.query, lost.locked], [null, false]);
});

test("a head that is chosen on the other side stays beside any head of this one", () => {
  const two = sides();
  const home = two.home({ ...two.turned(START, "other"), head: 2 });
  assert.deepEqual([home.site, home.head, home.pin], [0, 0, "0.2"]);
  assert.deepEqual(two.beside(1, 1, home.pin), [0, 2]);
  assert.equal(two.beside(1, 1, ""), null);
  assert.equal(two.beside(0, 0, "7.0"), null);
});

test("what is pointed at on the side that is not shown is a place on the one that is", () => {
  const two = sides();
  assert.deepEqual(two.handed({ query: 2, key: 3, locked: true }, START, "other"), { query: 2, key: null, dim: null, wide: null, locked: true });
  assert.deepEqual(two.handed({ query: 1 }, START, ""), { query: 1 });
});

test("the mean leaves out what was not measured", () => {
  assert.equal(meanOf([1, NaN, 2]), 1.5);
  assert.ok(Number.isNaN(meanOf([NaN])));
});
