/** Payloads: what is unpacked, held, and asked for. `attnviz/view/payload.py` writes them. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { LoadError, TraceData, unpack } from "../../attnviz/view/static/core/data.js";
import { codeOf, viewCode } from "../../attnviz/view/static/panels/code.js";
import { pack } from "./pack.js";

const floats = (...values) => ({ data: Float32Array.from(values), shape: [1, values.length] });
const SITES = [{ name: "decoder.0.self", n_heads: 2, queries: "decoder", keys: "decoder" }];
const HEADER = { sites: SITES, tokens: { decoder: ["a", "ü"] } };

test("header and numbers come back as they were", () => {
  const { header, arrays } = unpack(pack({ name: "ü" }, { a: floats(0.1, -Infinity), b: { data: Int32Array.of(7), shape: [1] }, c: { data: Uint8Array.of(1, 2, 3), shape: [3] } }));
  assert.equal(header.name, "ü");
  assert.deepEqual([...arrays.get("a").data], [Math.fround(0.1), -Infinity]);
  assert.deepEqual([...arrays.get("b").data, ...arrays.get("c").data], [7, 1, 2, 3]);
});

test("bytes that do not lie on a border of 8 are read all the same", () => {
  const bytes = pack({}, { a: floats(1, 2) });
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  assert.deepEqual([...unpack(shifted.subarray(3)).arrays.get("a").data], [1, 2]);
});

test("what is no payload is refused", () => {
  assert.throws(() => unpack(new TextEncoder().encode("<html>...")), LoadError);
});

/** A source that counts what it is asked. */
function makeSource(arrays, lacking = () => false) {
  const asked = [];
  return {
    asked,
    lacks: (site, head, stage) => lacking(stage),
    fetch: async () => ({ json: async () => null }),
    bundle: async (site, heads, stages) => {
      asked.push([heads, stages]);
      return unpack(pack({}, arrays)).arrays;
    },
  };
}

test("what is held or under way is not asked for again", async () => {
  const source = makeSource({ "decoder.0.self/1/weights": floats(0.25, 0.75) });
  const arrived = [];
  const data = new TraceData(pack(HEADER, { "decoder.0.self/0/weights": floats(1, 0) }), (paths) => arrived.push(...paths), source);
  assert.ok(data.has(0, 0, ["weights"]));
  await Promise.all([data.load(0, [0, 1], ["weights"]), data.load(0, [1], ["weights"])]);
  await data.load(0, [1], ["weights"]);
  assert.deepEqual(source.asked, [[[1], ["weights"]]]);
  assert.deepEqual(arrived, ["decoder.0.self/1/weights"]);
  assert.deepEqual([...data.get(0, 1, "weights").data], [0.25, 0.75]);
  assert.ok(data.get(0, 1, "weights").shares);
});

test("what somebody waits for does not wait with what is asked for ahead", async () => {
  const [asked, answers] = [[], []];
  const bundle = (site, heads, stages, isAhead) => {
    asked.push([heads, stages, isAhead]);
    return new Promise((resolve) => answers.push(() => resolve(unpack(pack({}, { "decoder.0.self/1/weights": floats(0.25, 0.75) })).arrays)));
  };
  const data = new TraceData(pack(HEADER, {}), undefined, { ...makeSource({}), bundle });
  const ahead = data.load(0, [1], ["weights"], true);
  const own = data.load(0, [1], ["weights"]);
  const more = [data.load(0, [1], ["weights"]), data.load(0, [1], ["weights"], true)]; // both wait for the own one
  assert.deepEqual(asked, [[[1], ["weights"], true], [[1], ["weights"], false]]);
  answers[1]();
  await Promise.all([own, ...more]);
  assert.ok(data.has(0, 1, ["weights"]));
  answers[0]();
  await ahead;
  assert.equal(data.pending.size, 0);
});

test("what will never come is not asked for", async () => {
  const source = makeSource({}, (stage) => stage !== "weights");
  const data = new TraceData(pack(HEADER, {}), undefined, source);
  assert.ok(data.lacks(0, 0, "q"));
  await data.load(0, [0], ["q", "k"]);
  assert.deepEqual(source.asked, []);
});

test("a payload of the same trace takes over what was loaded", () => {
  const before = new TraceData(pack(HEADER, { "decoder.0.self/0/weights": floats(1, 0) }));
  const after = new TraceData(pack(HEADER, {}));
  after.adopt(before);
  assert.ok(after.has(0, 0, ["weights"]));
});

test("a thumbnail's levels are fourth roots", () => {
  const data = new TraceData(pack(HEADER, { "thumbs/decoder.0.self": { data: Uint8Array.of(255, 0), shape: [1, 1, 2] }, "peaks/decoder.0.self": floats(0.5) }));
  assert.deepEqual([...data.thumb(0, 0).weights], [0.5, 0]);
});

test("the code of a site is that of its own scoring, and of its own projection where it has one", () => {
  const names = ["q", "k", "v", "rotated", "scores", "additive", "masked", "weights", "context", "output"];
  const code = Object.fromEntries(names.map((name) => [name, { name, source: name }]));
  const of = (model, site) => Object.fromEntries(Object.entries(codeOf(model, site, code)).map(([stage, { name }]) => [stage, name]));
  const stages = ["x", "q", "k", "v", "scores", "masked", "weights", "context", "output"];
  const same = (...names) => Object.fromEntries(names.map((name) => [name, name]));
  assert.deepEqual(of({ kind: "" }, { stages }), same("q", "k", "v", "scores", "masked", "weights", "context", "output"));
  const turned = of({ kind: "" }, { stages, rotary: true });
  assert.deepEqual([turned.q, turned.k, turned.v], ["rotated", "rotated", "v"]);
  assert.equal(of({ kind: "" }, { stages, scoring: "additive" }).scores, "additive");
  const others = same("scores", "masked", "weights", "context", "output");
  assert.deepEqual(of({ kind: "BertModel" }, { stages, rotary: true }), others);
  assert.deepEqual(of({ kind: "" }, { stages, direct: "states" }), others);
});

test("what is on screen as code: the trace, the head and what is locked", () => {
  const code = { trace: 'trace = attnviz.trace(model, "{head}")', head: 'weights = trace.site("{site}").weights({head})', pair: "print(weights[{query}, {key}])", query: "print(weights[{query}])", key: "print(weights[:, {key}])", none: "print(weights)" };
  const at = { site: "decoder.0.self", head: 1, query: 3, key: null, locked: true };
  assert.equal(viewCode(code, at), 'trace = attnviz.trace(model, "{head}")\nweights = trace.site("decoder.0.self").weights(1)\nprint(weights[3])');
  assert.match(viewCode(code, { ...at, key: 2 }), /print\(weights\[3, 2\]\)$/);
  assert.match(viewCode(code, { ...at, query: null, key: 2 }), /print\(weights\[:, 2\]\)$/);
  assert.match(viewCode(code, { ...at, locked: false }), /print\(weights\)$/);
});
