/** The sentence on what a head reads. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fmtWhole } from "../../attnviz/view/static/core/format.js";
import { nextState } from "../../attnviz/view/static/core/select.js";
import { keysOf, queryOf, sentenceOf } from "../../attnviz/view/static/matrix/sentence.js";
import { matrix } from "./view.js";

const TOKENS = ["a", "b", "c", "d"];
const SITE = { name: "encoder.0.self", kind: "self", queries: "encoder", keys: "encoder", layer: 0, n_heads: 2 };
const FREE = { site: 0, head: 0, query: null, key: null, dim: null, locked: false, hide: "none", words: false, pair: "" };

/** What a view holds of one head with these weights. */
function held(rows, { sites = [SITE], outputs = { stack: "encoder", kind: "same" }, telling = undefined, specials = [] } = {}) {
  const weights = { ...matrix(rows), shares: true };
  const header = { sites, outputs, telling, tokens: { encoder: TOKENS, readout: ["<state>"] }, specials: { encoder: specials } };
  return { header, sites, site: (index) => sites[index], tokens: (stack) => header.tokens[stack], get: (site, head, stage) => (stage === "weights" ? weights : undefined) };
}

const t = (key, params = {}) => `${key.split(".").at(-1)}(${Object.values(params).join(" ")})`;
const sentence = (data, state = {}) => sentenceOf(/** @type {any} */ ({ t, data }), /** @type {any} */ ({ ...FREE, ...state }));

const ROWS = [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 1, 0], [0.25, 0.75, 0, 0]];

test("it speaks of the chosen query with its largest weights", () => {
  assert.equal(sentence(held(ROWS), { query: 1 }), "same(b 1 key(a 0 100))");
  assert.equal(sentence(held(ROWS), { query: 3 }), "same(d 3 and(key(b 1 75) key(a 0 25)))");
});

test("without a chosen query it speaks of what the head was put first for, else of what is read from afar", () => {
  assert.equal(sentence(held(ROWS)), "same(a 0 key(d 3 100))");
  assert.equal(sentence(held(ROWS, { telling: { site: 0, head: 0, query: 3 } })), "same(d 3 and(key(b 1 75) key(a 0 25)))");
  assert.equal(sentence(held(ROWS, { telling: { site: 0, head: 1, query: 3 } })), "same(a 0 key(d 3 100))");
  assert.equal(sentence(held(ROWS, { specials: [3] })), "same(d 3 and(key(b 1 75) key(a 0 25)))");
});

test("it says what the query is read for", () => {
  assert.match(sentence(held(ROWS, { outputs: { stack: "encoder", kind: "next" } })), /^next/);
  assert.match(sentence(held(ROWS, { outputs: null })), /^at/);
  const outputs = { stack: "encoder", kind: "same", truth: ["d", null, null, null] };
  assert.match(sentence(held(ROWS, { outputs }), { query: 0 }), /^same/);
  assert.match(sentence(held(ROWS, { outputs }), { query: 1 }), /^at/); // no answer is due there
  const labels = { stack: "encoder", kind: "labels", positions: [0] };
  assert.deepEqual([0, 1].map((query) => sentence(held(ROWS, { outputs: labels }), { query }).split("(")[0]), ["whole", "at"]);
  assert.match(sentence(held(ROWS, { sites: [SITE, { ...SITE, name: "encoder.1.self", layer: 1 }] })), /^at/); // others follow
  assert.match(sentence(held([[0, 1, 0, 0]], { sites: [{ ...SITE, kind: "cross", queries: "readout" }] })), /^whole/);
});

test("of many keys it names the largest and counts the others", () => {
  assert.deepEqual(keysOf(matrix([[0.1, 0.2, 0.4, 0.3]]), 0), { named: [[2, 0.4], [3, 0.3], [1, 0.2]].map(([key, x]) => [key, Math.fround(x)]), others: 0 });
  const { named, others } = keysOf(matrix([[0.2, 0.2, 0.2, 0.2, 0.2]]), 0);
  assert.deepEqual([named.map(([key]) => key), others], [[0, 1], 3]);
  assert.equal(sentence(held([[0, 0, 0, 0], ...ROWS.slice(1)]), { query: 0 }), "empty(a 0)");
});

test("hidden keys are not spoken of, and nothing is said before the numbers are here", () => {
  const data = held(ROWS, { specials: [1] });
  assert.equal(sentence(data, { query: 3, hide: "specials" }), "same(d 3 key(a 0 100))");
  assert.equal(sentence({ ...data, get: () => undefined }), "");
  assert.equal(queryOf(data, FREE, { ...matrix(ROWS), queries: { labels: TOKENS }, keys: { labels: TOKENS } }), 0);
});

test("percents are whole", () => {
  assert.deepEqual([0, 1e-9, 0.004, 0.995, 0.994, 1].map(fmtWhole), ["0", "<1", "<1", "100", "99", "100"]);
});

test("another text keeps the head that people chose, and else begins with the one that tells most", () => {
  const header = (choice, name = "m") => ({ model: { name }, sites: [SITE], tokens: { encoder: TOKENS }, choice: { query: null, key: null, locked: false, link: 1, ...choice } });
  const [before, next] = [header({ site: 0, head: 0 }), header({ site: 0, head: 1 })];
  const after = (state, to = next) => nextState(to, before, { ...FREE, ...state });
  assert.deepEqual([after({}).head, after({ own: true }).head, after({ locked: true, query: 1 }).head], [1, 0, 0]);
  for (const followed of [header({ site: 0, head: 1, link: 2 }), header({ site: 0, head: 1 }, "other")]) {
    const { head, own } = after({ own: true }, followed);
    assert.deepEqual([head, own], [1, false]);
  }
});
