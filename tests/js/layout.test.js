/** Where things stand: axes, cells in view, gutters, stages of the chain, lines that are kept. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { numberAt, placeOf, tokenAt } from "../../attnviz/view/static/matrix/axis.js";
import { additiveSteps, scaleKind, scaledScore } from "../../attnviz/view/static/matrix/scoring.js";
import { numbersOf, offers, steps } from "../../attnviz/view/static/matrix/specs.js";
import { reading } from "../../attnviz/view/static/panels/image.js";
import { KeptLines, keptKeys } from "../../attnviz/view/static/panels/kept.js";
import { maskReason } from "../../attnviz/view/static/panels/kit.js";
import { stepIndex } from "../../attnviz/view/static/panels/list.js";
import { close, matrix, row, weights } from "./view.js";

// letters of 7 px, without a browser
globalThis.OffscreenCanvas = /** @type {any} */ (class {
  getContext() {
    return { measureText: (text) => ({ width: 7 * text.length }) };
  }
});
const { gutterLeft, gutterTop, isUpright, upward, visible } = await import("../../attnviz/view/static/matrix/draw.js");
const { cellSize } = await import("../../attnviz/view/static/matrix/chain.js");

test("places and tokens differ where tokens are left out or merged", () => {
  const axis = /** @type {any} */ ({ labels: ["ab", "c"], index: [1, 3], tokens: [[1, 2], [3]], of: Int32Array.of(-1, 0, 0, 1) });
  assert.deepEqual([0, 1, 2, 3, null].map((token) => placeOf(axis, token)), [-1, 0, 0, 1, -1]);
  assert.deepEqual([tokenAt(axis, 1), numberAt(axis, 0), numberAt(axis, 1)], [3, "1–2", "3"]);
  const plain = /** @type {any} */ ({ labels: ["a", "b"] });
  assert.deepEqual([placeOf(plain, 1), placeOf(plain, 2), numberAt(plain, 1)], [1, -1, "1"]);
});

test("only cells in view are drawn", () => {
  const geometry = { rows: 100, cols: 100, cw: 10, ch: 5, left: 0, top: 0, width: 95, height: 20, scrollX: 15, scrollY: 490 };
  assert.deepEqual(visible(geometry), { r0: 98, r1: 100, c0: 1, c1: 11 });
});

test("labels have room up to a limit, and stand where they do not fit", () => {
  const palette = { font: "sans-serif", codeFont: "monospace" };
  const axis = (...labels) => ({ kind: "keys", labels });
  assert.equal(gutterLeft(axis("a".repeat(50)), "Keys", 20, palette), 84 + 9);
  assert.ok(gutterTop(axis("abc"), 30, palette) < gutterTop(axis("abcdefgh"), 30, palette));
  assert.deepEqual([cellSize(10), cellSize(56)], [{ width: 10, height: 10 }, { width: 56, height: 29 }]);
});

test("Chinese stands upright above narrow columns, other labels are turned", () => {
  assert.deepEqual(["小", "故事", "。", "，", "a", "第3章", "<bos>"].map(isUpright), [true, true, true, true, false, false, false]);
  assert.deepEqual(upward("故事", 100, 10), [["事", 95], ["故", 85]]);
});

test("the chain has the stages that its site offers", () => {
  const stages = ["x", "q", "k", "v", "scores", "masked", "weights", "context"];
  assert.deepEqual(steps({ kind: "cross", stages }), [["x", "x_kv"], ["q", "k", "v"], ["scores"], ["masked"], ["weights"], ["context"]]);
  assert.deepEqual(steps({ kind: "self", direct: "typed", stages })[0], []); // the input keeps its place
  assert.ok(!offers({ stages }, "bias") && offers({ stages }, "x_kv"));
  assert.ok(!numbersOf({ stages }).includes("bias") && numbersOf({}).includes("bias"));
});

test("scores are scaled, biased and capped as the model does", () => {
  assert.ok(close([scaledScore({ scale: 0.5, softcap: 3 }, 4, 1)], [3 * Math.tanh(1)]));
  assert.equal(scaledScore({ scale: 1, softcap: null }, 4), 4);
  assert.deepEqual([1, 0.25, 0.3].map((scale) => scaleKind(/** @type {any} */ ({ scale, d_head: 16 }))), ["none", "root", "own"]);
  // in one dimension a scaled dot product is divided by the root of 1
  assert.deepEqual(["scaled_dot", "dot"].map((scoring) => scaleKind({ scale: 1, scoring, d_head: 1 })), ["root", "none"]);
});

test("additive scores are made step by step", () => {
  const parameters = { wQ: matrix([[1, 0], [0, 1]]), wK: matrix([[1], [2]]), wV: Float32Array.of(0.5, -1) };
  const { sum, both } = additiveSteps(parameters, Float32Array.of(1, 2), Float32Array.of(0.5));
  assert.ok(close([...both], [1.5, 3]));
  assert.ok(close([...sum], [0.5 * Math.tanh(1.5), 0.5 * Math.tanh(1.5) - Math.tanh(3)]));
});

test("why a query may not read a key", () => {
  const open = matrix([[0, 0, -Infinity], [0, 0, 0], [-Infinity, 0, 0]]);
  const site = { kind: "self", causal: true, window: 2, padding: false };
  assert.deepEqual([maskReason(site, open, 0, 2), maskReason(site, open, 2, 0), maskReason(site, open, 1, 0)], ["after", "window", null]);
  const padded = matrix([[0, -Infinity], [0, -Infinity]]);
  assert.equal(maskReason({ kind: "self", causal: false, window: null, padding: true }, padded, 0, 1), "padding");
  assert.equal(maskReason({ kind: "self", causal: false, window: null, padding: false }, padded, 0, 1), "other");
});

test("the fewest keys that hold a share of a row, largest first", () => {
  const given = Float32Array.of(0.5, 0.1875, 0.1875, 0.125, 0);
  assert.deepEqual(keptKeys(given, 50), [0]);
  assert.deepEqual(keptKeys(given, 60), [0, 1]); // the earlier key among equals
  assert.deepEqual(keptKeys(given, 100), [0, 1, 2, 3]); // a weight of 0 is no line
  assert.deepEqual(keptKeys(given, 0), []);
  const kept = new KeptLines(matrix([[0.5, 0.5], [1, 0]]), 100);
  assert.ok(kept.count(1000));
  assert.deepEqual([kept.drawn, kept.total], [3, 3]);
});

test("an image shows a query or the average of all", () => {
  const given = /** @type {any} */ (weights(4, 6));
  assert.ok(close([...reading(given, 2)], row(given, 2)));
  assert.ok(close([...reading(given, -1)], [0, 1, 2, 3, 4, 5].map((j) => [0, 1, 2, 3].reduce((mean, i) => mean + row(given, i)[j] / 4, 0))));
});

test("keys walk a list, from its end where nothing is chosen", () => {
  assert.deepEqual(["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "x"].map((key) => stepIndex(key, 3, 20)), [4, 2, 0, 19, 13, null]);
  assert.deepEqual(["ArrowDown", "ArrowUp"].map((key) => stepIndex(key, null, 20)), [0, 0]);
});
