/** Formulas with their numbers, read as text. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Teller } from "../../attnviz/view/static/panels/teller.js";
import { fmt, full } from "../../attnviz/view/static/core/format.js";
import { matrix } from "./view.js";

/** An element that knows its text. */
class Element {
  parts = [];

  append(...parts) {
    this.parts.push(...parts);
  }

  setAttribute() {}

  toString() {
    return this.parts.join("");
  }
}

globalThis.document = /** @type {any} */ ({ createElement: () => new Element() });

const t = (key, { count = "" } = {}) => `${count} ${key.split(".").at(-1)}`;
const teller = (how) => new Teller(/** @type {any} */ ({ t, fmt, full }), how);
const told = (lines) => lines.map((parts) => (Array.isArray(parts) ? parts : [parts]).join(""));

test("vectors and sums are written out as far as there is room", () => {
  assert.equal(String(teller().vector([1, -2, 3])), "(1.00, −2.00, 3.00)");
  assert.equal(String(teller({ terms: 2 }).vector(Float32Array.of(1, -2, 3))), "(1.00, −2.00, …) ∈ ℝ3");
  assert.equal(teller().sumOf([["a"], ["b"]]).join(""), "a + b");
  assert.equal(teller().sumOf([["a"], ["b"]], 5).join(""), "a + b + … 3 more");
});

test("a score is told term by term", () => {
  const numbers = { q: Float32Array.of(1, 2), k: Float32Array.of(-1, 0.5), score: 0 };
  assert.deepEqual(told(teller({ i: 2, j: 1 }).dotScore(numbers)), ["s2,1 = q2 · k1 = Σd q2[d] k1[d]", "= 1.00·(−1.00) + 2.00·0.500 = 0"]);
  assert.deepEqual(told(teller().dotScore()), ["sij = qi · kj"]); // while the numbers are not here
  const parameters = { wQ: matrix([[1, 1]]), wK: matrix([[0, 2]]), wV: Float32Array.of(2) };
  assert.deepEqual(told(teller().additiveScore(numbers, parameters)).slice(1), [
    "Wq qi = (3.00)", "Wk kj = (1.00)", "tanh(4.00) = (0.999)", "sij = 2.00 tanh(3.00 + 1.00) = 0",
  ]);
});

test("a score is scaled as its layer does", () => {
  const site = { stages: [], scale: 0.5, d_head: 4, scoring: "scaled_dot" };
  const scaled = (more) => told(teller().scaledScore({ ...site, ...more }, { score: 3, bias: 1, scaled: 1.5 }));
  assert.deepEqual(scaled({}), ["s̃ij = sij / √dhead", "= 3.00 / √4 = 1.50"]);
  assert.deepEqual(scaled({ scale: 1 }), ["s̃ij = sij", "= 1.50"]);
  assert.deepEqual(scaled({ scale: 0.7, temperature: 2, stages: ["bias"] }), ["s̃ij = sij × 0.700 / τ + bij", "= 3.00 × 0.700 / 2.00 + 1.00 = 1.50"]);
  assert.equal(scaled({ softcap: 5 })[1], "= 5.00 tanh(3.00 / √45.00) = 1.50"); // a fraction: 3 / √4 over 5
});

test("a weight is told with the sum that it is a share of", () => {
  const told3 = (scores, more = {}) => told(teller().weight({ scores: Float32Array.from(scores), j: 0, weight: 0.5, ...more }, "sink" in more)).at(-1);
  assert.equal(told3([1, 1, -Infinity]), "= e1.00e1.00 + e1.00 = 2.725.44 = 0.500");
  assert.match(told3([1, 1, 1, 1]), /e1\.004 sum_of/);
  assert.match(told3([20, 0]), /^= e0e0 \+ e−20\.0 .*shift$/); // less the largest
  assert.match(told3([-Infinity, -Infinity]), /^= 0 .*empty_row$/);
  assert.match(told3([1], { sink: 2, sunk: 0.7 }), /e1\.00 \+ e2\.00.*sink$/);
});
