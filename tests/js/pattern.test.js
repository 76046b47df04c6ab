/** Tells in words what a picture of weights shows as a whole. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { measured, patternText } from "../../attnviz/view/static/matrix/pattern.js";
import { matrix } from "./view.js";

const axis = (labels) => ({ labels });
const LETTERS = [..."abcab"];
const told = (rows, { isSelf = true, specials = [], queries = LETTERS, keys = LETTERS } = {}) =>
  measured({ ...matrix(rows), queries: axis(queries), keys: axis(keys) }, isSelf, new Set(specials));

/** Rows that put most of their weight on one key each, the rest evenly on those that may be read. */
const reading = (places, { most = 0.9, isCausal = false, n = places.length } = {}) =>
  places.map((place, row) => {
    const read = isCausal ? row + 1 : n;
    return Array.from({ length: n }, (_, key) => (key >= read ? 0 : read === 1 ? 1 : key === place ? most : (1 - most) / (read - 1)));
  });

const name = (found) => `${found.name} ${found.share.toFixed(2)} ${found.holds}`;

test("the pattern that holds most of the attention is named", () => {
  assert.equal(name(told(reading([0, 1, 2, 3, 4]))), "itself 0.90 true");
  assert.equal(name(told(reading([0, 0, 1, 2, 3], { isCausal: true }))), "previous 0.90 true");
  assert.equal(name(told(reading([1, 2, 3, 4, 4]))), "next 0.90 true");
  assert.equal(name(told(reading([0, 0, 0, 0, 0]))), "first 0.90 true");
  assert.equal(name(told(reading([4, 4, 4, 4, 4]), { specials: [4] })), "special 0.90 true");
  assert.equal(name(told(reading([3, 4, 2, 0, 1]))), "same 0.90 true"); // c stands alone: it is not asked
});

test("a pattern nearer to chance than to all of the attention is not said to hold", () => {
  assert.equal(told(reading([0, 1, 2, 3, 4], { most: 0.55 })).holds, false);
  assert.equal(told(reading([2, 0, 3, 4, 2])).holds, false);
  assert.equal(name(told(reading([0, 1, 2, 3, 4], { most: 0.2 }))), "even 1.00 true");
});

test("neighbours are none where queries and keys are of two sequences", () => {
  assert.notEqual(told(reading([0, 1, 2, 3, 4]), { isSelf: false }).name, "itself");
  assert.equal(told([[1, 0, 0, 0, 0]], { queries: ["?"] }), null); // nothing else may be read
});

test("the task's pattern comes first where the head follows it and every key is shown", () => {
  const weights = matrix(reading([0, 1, 2, 3, 4]));
  const site = { kind: "self", queries: "encoder", keys: "encoder" };
  const header = { follows: [{ site: 0, head: 1, key: "mirror", mass: 0.93 }], tokens: { encoder: LETTERS }, specials: { encoder: [4] } };
  const data = { header, sites: [site], site: () => site, tokens: () => LETTERS, get: () => weights };
  const t = (key, params = {}) => [key, ...Object.values(params)].join(" ");
  const text = (state) => patternText(/** @type {any} */ ({ t, data }), /** @type {any} */ ({ site: 0, head: 1, hide: "none", words: false, pair: "", ...state }));
  assert.equal(text({}), "view.pattern.expected mirror 93");
  assert.equal(text({ head: 0 }), "view.pattern.mostly view.pattern.itself 90");
  assert.equal(text({ hide: "specials" }).split(" ")[0], "view.pattern.mostly");
});
