/** Tests the sentence on why a query reads a key, and the walk from one cell to the next. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { fmt } from "../../attnviz/view/static/core/format.js";
import { textOf } from "../../attnviz/view/static/core/texts.js";
import { limitOf } from "../../attnviz/view/static/why/parts.js";
import { leading, partName, says, sourceOf } from "../../attnviz/view/static/why/says.js";
import { backTo, cellsOf, goneOn, isCell } from "../../attnviz/view/static/why/walk.js";

const TOKENS = { query: "d", key: "w", source: "d" };

const messages = (lang) => ["why", "frame"].map((name) => JSON.parse(readFileSync(new URL(`../../attnviz/locale/${lang}/${name}.json`, import.meta.url), "utf8"))).reduce((all, more) => ({ ...all, ...more }));

function context(lang = "en", sites = [site("decoder", 0), site("decoder", 1)]) {
  const strings = messages(lang);
  const tokens = () => ["a", "c", "d", "b", "a"];
  return { fmt, t: (key, params) => textOf({ strings, code: {} }, key, params), data: { sites, tokens, header: { model: {} } } };
}

function site(stack, layer, kind = "self") {
  return { name: `${stack}.${layer}.${kind}`, stack, layer, kind, n_heads: 2, queries: stack, keys: kind === "self" ? stack : "encoder" };
}

const HEAD = { kind: "head", layer: 0, head: 0, site: "decoder.0.self", query: 1, key: 0, share: 9.1, source: 9 };
const found = (parts, more = {}) => ({ score: 11.3, row_mean: 1.5, weight: 0.94, allowed: 5, keys: { parts }, ...more });

test("a sentence says what a head wrote at the key, and what it had read", () => {
  assert.equal(says(context(), found([HEAD]), TOKENS), "d reads w (94.0% of its attention) because w carries what head 0.0 wrote there (9.10 of 9.80), and head 0.0 had read the token before: d.");
  assert.equal(says(context("zh"), found([HEAD]), TOKENS), "d 关注 w（占其注意力的 94.0%），因为：w 处带有 head 0.0 写入的内容（9.80 中的 9.10），而 head 0.0 当时关注的是：前一个 token，即 d。");
});

test("without a source, as under an edit, it says only what was written", () => {
  assert.match(says(context(), found([{ ...HEAD, source: null }]), TOKENS), /wrote there \(9\.10 of 9\.80\)\.$/);
});

test("every kind of part has its reason, in both languages", () => {
  for (const lang of ["en", "zh"]) {
    const reasons = ["token", "position", "mlp", "same for all", "bias"].map((kind) => says(context(lang), found([{ kind, layer: 0, share: 8 }]), TOKENS));
    assert.equal(new Set(reasons).size, reasons.length);
    for (const text of reasons) assert.doesNotMatch(text, /view\.|\{|\}|undefined|null/);
  }
});

test("no message says that something caused something", () => {
  assert.doesNotMatch(Object.values(messages("en")).join("\n"), /\bcaus(e|ed|es|ing)\b/);
});

test("a score below the mean of its row is told by what holds it down", () => {
  const parts = [{ kind: "token", share: 3 }, { kind: "position", share: -5 }];
  const below = found(parts, { score: -1, row_mean: 1 });
  assert.equal(leading(parts, -2)?.kind, "position");
  assert.equal(leading(parts, 2)?.kind, "token");
  assert.match(says(context(), below, TOKENS), /^d gives w less than the mean score of its row \(−2\.00\) because of the position/);
});

test("the only key, and a score that no part makes, are said as that", () => {
  assert.match(says(context(), found([HEAD], { allowed: 1 }), TOKENS), /may read w alone/);
  assert.match(says(context(), found([{ kind: "token", share: -1 }]), TOKENS), /many small parts/);
  assert.equal(leading([], 1), undefined);
});

test("what a head had read is named by its place", () => {
  const places = [[1, 0], [1, 1], [1, 2], [3, 0]].map(([query, key]) => sourceOf(context(), { ...HEAD, query, key }, "x"));
  assert.deepEqual(places, ["the token before: x", "that same token: x", "the token after: x", "x"]);
  assert.equal(sourceOf(context(), { ...HEAD, source: 4 }, "x"), "several tokens, x the most");
  const crossed = context("en", [site("encoder", 0), site("decoder", 0), site("decoder", 0, "cross")]);
  assert.equal(sourceOf(crossed, { ...HEAD, site: "decoder.0.cross" }, "x"), "x");
  assert.equal(partName(crossed, { ...HEAD, site: "decoder.0.cross" }), "head 0.0 (Cross)");
});

test("a walk is written, read, and ended where it leads elsewhere", () => {
  const { data } = context();
  const [from, to] = [{ site: 1, head: 0, query: 4, key: 1 }, { site: 0, head: 0, query: 1, key: 0 }];
  const walk = goneOn([], from, to);
  assert.equal(walk, "1.0.4.1_0.0.1.0");
  assert.deepEqual(cellsOf(walk, to, data), [from, to]);
  assert.deepEqual(cellsOf(walk, from, data), []);
  assert.deepEqual(cellsOf("", to, data), []);
  assert.deepEqual(cellsOf("9.0.0.0_0.0.1.0", to, data), []);
  assert.equal(backTo([from, to], 0), "");
  assert.equal(backTo([from, to, from], 1), walk);
  const far = Array.from({ length: 12 }, () => from);
  assert.equal(goneOn(far, from, to).split("_").length, 12);
  assert.deepEqual([{}, { site: 2 }, { head: 2 }, { query: 5 }, { key: 5 }].map((more) => isCell({ ...to, ...more }, data)), [true, false, false, false, false]);
});

test("the bars of both sides have one scale", () => {
  const side = (...shares) => ({ parts: shares.map((share) => ({ share })), rest: { share: 0.5 } });
  assert.equal(limitOf({ queries: side(1, -3), keys: side(2) }), 3);
  assert.equal(limitOf({ queries: { parts: [], rest: { share: 0 } }, keys: { parts: [], rest: { share: 0 } } }), 1);
});
