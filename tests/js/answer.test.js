/** Tests what the answer says of the outputs. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { hueOf, windowStart } from "../../attnviz/view/static/answer/answer.js";
import { fmtWhole } from "../../attnviz/view/static/core/format.js";
import { Outputs } from "../../attnviz/view/static/core/outputs.js";

const LABELS = { 1: "a", 2: "b", 3: "c" };

/** Outputs of a few tokens: the ids and probabilities of two candidates for each. */
function outputsOf({ kind = "same", tokens = ["x", "y", "<eos>"], specials = [2], rows, ...rest }) {
  const [ids, probs] = [rows.flatMap((row) => row.map(([id]) => id)), rows.flatMap((row) => row.map(([, p]) => p))];
  const arrays = { "outputs/ids": { data: ids, shape: [rows.length, 2] }, "outputs/probs": { data: probs, shape: [rows.length, 2] } };
  const header = { outputs: { kind, stack: "encoder", positions: [], labels: LABELS, ...rest }, specials: { encoder: specials } };
  return new Outputs(/** @type {any} */ ({ header, tokens: () => tokens, array: (name) => arrays[name] }));
}

const ROWS = [[[1, 0.9], [2, 0.1]], [[2, 0.6], [3, 0.4]], [[3, 1], [1, 0]]];

test("where the task knows the answers, those places are asked for, and right ones counted", () => {
  const outputs = outputsOf({ rows: ROWS, truth: ["a", "c", null] });
  assert.deepEqual([outputs.asked, outputs.score], [[0, 1], [1, 2]]);
  assert.deepEqual(outputs.candidates(1), [{ label: "b", p: 0.6 }, { label: "c", p: 0.4 }]);
});

test("a place without an answer is beside it, and not the first to be shown", () => {
  const outputs = outputsOf({ rows: ROWS, kind: "next", truth: [null, "c", null] });
  assert.deepEqual([outputs.first, [0, 1, 2].map((row) => outputs.isBeside(row))], [1, [true, false, true]]);
  assert.ok(!outputsOf({ rows: ROWS }).isBeside(2));
  assert.deepEqual([0, 1].map((row) => outputsOf({ rows: ROWS, kind: "labels", positions: [0] }).isBeside(row)), [false, true]);
});

test("where nobody knows, the tokens that are not special are asked for, or the places that matter", () => {
  assert.deepEqual([outputsOf({ rows: ROWS }).asked, outputsOf({ rows: ROWS }).score], [[0, 1], null]);
  assert.deepEqual(outputsOf({ rows: ROWS, kind: "masked", positions: [1] }).asked, [1]);
  assert.deepEqual(outputsOf({ rows: ROWS, kind: "next" }).asked, []);
  assert.deepEqual(outputsOf({ rows: ROWS, specials: [0, 1, 2] }).asked, [0, 1, 2]);
});

test("the first place is the last of a text that goes on, and the hidden token of one with a gap", () => {
  assert.equal(outputsOf({ rows: ROWS, kind: "next" }).first, 2);
  assert.equal(outputsOf({ rows: ROWS, kind: "masked", positions: [1] }).first, 1);
  assert.equal(outputsOf({ rows: ROWS.slice(0, 1), kind: "label" }).first, 0);
});

test("a share for a glance has no digits behind the point, and nothing becomes 0 that is not", () => {
  assert.deepEqual([1, 0.996, 0.9, 0.0051, 0.004, 0].map(fmtWhole), ["100", "100", "90", "1", "<1", "0"]);
});

test("tags of one kind have one hue, and no tag has none", () => {
  const labels = ["O", "B-PER", "I-PER", "B-LOC"];
  assert.deepEqual(labels.map((label) => hueOf(label, labels)), [-1, 1, 1, 0]);
});

test("of a long text the part around the place in question is shown", () => {
  assert.deepEqual([windowStart(5, 96), windowStart(5, 200), windowStart(100, 200), windowStart(199, 200)], [0, 0, 52, 104]);
});

test("an answer that is a span is told in the words of its text, from its first token to its last", () => {
  const spanOf = (labels, words, begin, end) => {
    const arrays = { "outputs/ends": { data: [0.1, 0.7, 0.2, 0, 0.3, 0.7], shape: [2, 3] } };
    const header = { outputs: { kind: "span", stack: "answer", positions: [0, 1], labels: {}, span: { stack: "encoder", begin, end } }, words: words && { encoder: words } };
    return new Outputs(/** @type {any} */ ({ header, tokens: () => labels, array: (name) => arrays[name] }));
  };
  const pieces = spanOf(["the", "ma", "##t"], [0, 1, 1], 0, 2);
  assert.equal(pieces.spanned, "the mat");
  assert.deepEqual([pieces.ends(1), pieces.ends(2)], [[0.7, 0.3], [0.2, 0.7]]);
  assert.equal(spanOf([" the", " m", "at"], null, 1, 2).spanned, "mat");
  assert.equal(spanOf(["the", "cat", "sat"], null, 1, 2).spanned, "cat sat");
  assert.equal(outputsOf({ rows: ROWS }).span, null);
});
