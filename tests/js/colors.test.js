/** The two colour scales, and how dark a weight is drawn. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { css, ink, scales } from "../../attnviz/view/static/core/colors.js";
import { colourOf, symmetricLimits } from "../../attnviz/view/static/matrix/heat.js";
import { darkest, scaleOf, weightLimits } from "../../attnviz/view/static/matrix/shade.js";
import { matrix, sum } from "./view.js";

const PAGES = { light: [255, 255, 255], dark: [14, 17, 23] };

for (const [name, background] of Object.entries(PAGES)) {
  test(`0 is the background, and more lies farther from it, on a ${name} page`, () => {
    const { dark, sequential, diverging } = scales(background);
    assert.equal(dark, name === "dark");
    for (const scale of [sequential, diverging]) assert.deepEqual(scale(0), background);
    const away = (colour) => sum(colour.map((channel, n) => Math.abs(channel - background[n])));
    for (const sign of [1, -1]) {
      const distances = [0.1, 0.3, 0.5, 0.7, 1].map((t) => away(diverging(sign * t)));
      assert.deepEqual(distances, [...distances].sort((a, b) => a - b));
    }
  });

  test(`the tables hold the same colours as packed pixels, on a ${name} page`, () => {
    const { sequential, diverging, tables } = scales(background);
    const unpack = (pixel) => [pixel & 255, (pixel >>> 8) & 255, (pixel >>> 16) & 255];
    assert.deepEqual(unpack(tables.sequential.at(-1)), sequential(1));
    assert.deepEqual(unpack(tables.diverging[0]), diverging(-1));
    assert.equal(tables.diverging[0] >>> 24, 255);
  });
}

test("ink can be read on its colour", () => {
  assert.equal(ink([255, 255, 255]), "#111");
  assert.equal(ink([38, 6, 84]), "#fff");
  assert.equal(css([1.4, 2, 3], 0.5), "rgb(1 2 3 / 0.5)");
});

test("limits are symmetric and hold every finite number", () => {
  assert.deepEqual(symmetricLimits(matrix([[0.5, -2]]), matrix([[1, -Infinity]])), [-2, 2]);
  assert.deepEqual(symmetricLimits(matrix([[0, 0]])), [-1, 1]);
});

test("what is above the upper limit is drawn as it", () => {
  const palette = /** @type {any} */ (scales(PAGES.light));
  assert.deepEqual(colourOf(0.9, "sequential", [0, 0.5], palette), palette.sequential(1));
  assert.deepEqual(colourOf(0, "diverging", [-2, 2], palette), palette.diverging(0));
});

test("half a percent of the weights is darkest", () => {
  const weights = Float32Array.from({ length: 1500 }, (_, n) => (n < 500 ? 0 : 1e-6 * (0.5 / 1e-6) ** ((n - 500) / 999)));
  const above = weights.filter((weight) => weight > darkest(weights)).length;
  assert.ok(above === 4 || above === 5);
  assert.ok(Math.abs(darkest(Float32Array.of(0, 0.25)) - 0.25) < 0.0025);
  assert.equal(darkest(Float32Array.of(0, 0)), 1);
});

test("many keys have contrast until somebody chooses", () => {
  const data = /** @type {any} */ ({ tokens: (name) => Array(name === "long" ? 65 : 64), site: (index) => ({ keys: index ? "long" : "short" }) });
  assert.equal(scaleOf({ scale: "" }, { keys: "short" }, data), "one");
  assert.equal(scaleOf({ scale: "" }, { keys: "long" }, data), "contrast");
  assert.equal(scaleOf({ scale: "one" }, { keys: "long" }, data), "one");
  assert.deepEqual(weightLimits({ data }, { site: 0, scale: "" }, matrix([[0.25]])), [0, 1]);
  assert.equal(weightLimits({ data }, { site: 1, scale: "" }, matrix([[0.25, 0]]))[2], true);
});
