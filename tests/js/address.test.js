/** State <-> address, and what one entry of a panel brings. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

import { Address, oneOf, readChoice } from "../../attnviz/view/static/core/address.js";
import { FINDER } from "../../attnviz/view/static/heads/ask.js";
import { CHAIN } from "../../attnviz/view/static/matrix/specs.js";
import { TOOLS } from "../../attnviz/view/static/matrix/toolbar.js";
import { explorerAddress } from "../../attnviz/view/static/watch/time.js";
import { Panel } from "../../attnviz/view/static/panels/panel.js";
import { PANELS, panelFields } from "../../attnviz/view/static/panels/registry.js";
import { SHOW_FIELDS } from "../../attnviz/view/static/show/links.js";
import { open } from "./view.js";

const SITE = { layer: 1, stack: "decoder", kind: "self", part: null };
const FREE = { head: 2, query: null, key: null, locked: false };
const FIELDS = { ...TOOLS, ...CHAIN, ...SHOW_FIELDS, ...FINDER, ...panelFields() };

test("an address without a state is the start", () => {
  open("https://x.org/?model=a");
  assert.deepEqual(new Address(FIELDS).read(), { hide: "none", words: false, pair: "", scale: "", side: "", pin: "", chain: null, tab: "", heads: "", keep: 70, product: "", walk: "", outputs: "", row: null, token: null, against: null, present: false, show: "", tour: 0, sort: "", only: false });
});

test("the state is written, read back, and other parameters stay", () => {
  const written = open("https://x.org/?model=a&tab=code");
  const address = new Address(FIELDS);
  const state = { hide: "first", words: true, pair: "ab", scale: "contrast", side: "difference", pin: "1.3", chain: 3, tab: "lines", heads: "0,3", keep: 40, walk: "1.0.4.1_0.0.1.0", product: "plane", outputs: "parts", row: 5, token: 7, against: 0, present: true, show: "answer,lines", tour: 2, sort: "induction", only: true };
  address.write({ ...FREE, ...state, query: 4, key: 0, locked: true }, SITE);
  assert.equal(written.written, "https://x.org/?model=a&tab=lines&layer=1&head=2&stack=decoder&kind=self&q=4&k=0&lock=1&hide=first&words=1&pair=ab&scale=contrast&side=difference&pin=1.3&chain=3&present=1&show=answer%2Clines&tour=2&sort=induction&only=1&heads=0%2C3&keep=40&product=plane&walk=1.0.4.1_0.0.1.0&outputs=parts&row=5&token=7&against=0");
  open(written.written);
  assert.deepEqual(address.read(), state);
});

test("a stop of the tour and a cell of a walk are steps in the browser's history, and nothing else is", () => {
  const address = new Address(FIELDS);
  const steps = (state) => {
    const written = open("https://x.org/?tour=2");
    address.write({ ...FREE, ...address.read(), ...state }, SITE);
    return written.steps;
  };
  assert.deepEqual([{ tour: 3 }, { tour: 0 }, { walk: "1.0.4.1_0.0.1.0" }, { tab: "code" }, { head: 1 }].map(steps), [1, 1, 1, 0, 0]);
});

test("what is at its start is not written, and goes from the address", () => {
  const written = open("https://x.org/?tab=code&hide=first&q=1&lock=1");
  const address = new Address(FIELDS);
  address.write({ ...FREE, ...address.read(), hide: "none", tab: "" }, SITE);
  assert.equal(written.written, "https://x.org/?layer=1&head=2&stack=decoder&kind=self");
});

test("nonsense is the start", () => {
  open("https://x.org/?tab=nothing&hide=<b>&words=2&pair=xx&scale=&heads=a,b&keep=101");
  const { tab, hide, words, pair, scale, heads, keep } = new Address(FIELDS).read();
  assert.deepEqual([tab, hide, words, pair, scale, heads, keep], ["", "none", false, "", "", "", 70]);
});

test("a page that was saved whole keeps its state behind the #", () => {
  const written = open("file:///a.html#tab=code");
  const address = new Address(FIELDS);
  assert.equal(address.read().tab, "code");
  globalThis.window.location = /** @type {any} */ ({ ...globalThis.window.location, href: "file:///a.html#tab=code" });
  address.write({ ...FREE, ...address.read(), words: true }, SITE);
  assert.match(written.written, /^file:\/\/\/a\.html#tab=code&.*words=1$/);
});

test("a saved page names the head itself", () => {
  const header = { choice: { site: 0, head: 0 }, sites: [{ ...SITE, layer: 0 }, SITE] };
  open("file:///a.html#layer=1&stack=decoder&kind=self&head=3&q=2&lock=1");
  assert.deepEqual(readChoice(header), { site: 1, head: 3, query: 2, key: null, locked: true });
  open("file:///a.html#layer=9");
  assert.equal(readChoice(header), header.choice);
});

test("one entry brings a panel its tab and its place in the address", () => {
  class MadeUp extends Panel {
    static id = "made-up";
    static fields = { depth: oneOf("3", ["1", "2", "3"]) };
  }
  const address = new Address(panelFields([...PANELS, MadeUp]));
  const written = open("https://x.org/?tab=made-up&depth=2");
  assert.equal(address.read().tab, "made-up");
  assert.equal(address.read().depth, "2");
  address.write({ ...FREE, ...address.read(), depth: "1" }, SITE);
  assert.match(written.written, /tab=made-up&depth=1/);
});

test("every panel has a name of its own and fields of its own", () => {
  const names = PANELS.map(({ id }) => id);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.every((name) => /^[a-z-]+$/.test(name)));
  const fields = [...Object.keys(TOOLS), "tab", ...PANELS.flatMap((panel) => Object.keys(panel.fields))];
  assert.equal(new Set(fields).size, fields.length);
});

test("Python knows every parameter of the view, and the same values of each", () => {
  const source = readFileSync(new URL("../../attnviz/ui/frame/view.py", import.meta.url), "utf8");
  const [, look] = source.match(/^LOOK = \{\n([\s\S]*?)\n\}$/m);
  const patterns = Object.fromEntries([...look.matchAll(/"(\w+)": r?"(.*)",/g)].map(([, name, pattern]) => [name, new RegExp(`^(?:${pattern})$`)]));
  const { tab, ...fields } = FIELDS; // the tabs are those of the panels, to Python too
  assert.ok(tab && look.includes('"tab": "|".join(PANELS)'));
  assert.deepEqual(Object.keys(patterns).sort(), Object.keys(fields).sort());
  const values = ["none", "first", "specials", "0", "1", "2", "aa", "ab", "ba", "bb", "one", "contrast", "0,3", "70", "7.5", "100", "101", "-1", "nothing", "6", "1.0.4.1", "1.0.4.1_0.0.1.0", "1.0.4", "1.0.4.1_", "plane"];
  for (const [name, { read }] of Object.entries(fields)) {
    for (const value of values) assert.equal(read(value) !== undefined, patterns[name].test(value), `${name}=${value}`);
  }
});

test("no panel is forgotten in the registry", () => {
  const folder = new URL("../../attnviz/view/static/panels/", import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => readFileSync(new URL(name, folder), "utf8"));
  const named = sources.flatMap((source) => [...source.matchAll(/static id = "(.+)"/g)].map(([, id]) => id));
  assert.deepEqual(named.sort(), PANELS.map(({ id }) => id).sort());
});

test("a checkpoint opens in the Explorer on the sequence and at the head that were watched", () => {
  const header = { run: "mine", sites: [{ layer: 0, stack: "decoder", kind: "cross" }], sequences: [{ typed: ["a b", "c"] }, { typed: ["d", ""] }] };
  const named = (state, of = header) => Object.fromEntries(new URL(explorerAddress(of, state, 5, "zh"), "https://x.org").searchParams);
  const place = { layer: "0", head: "1", stack: "decoder", kind: "cross" };
  assert.deepEqual(named({ site: 0, head: 1, seq: 0 }), { model: "run/mine@5", text: "a b", target: "c", ...place, lang: "zh" });
  assert.deepEqual(named({ site: 0, head: 0, seq: 1 }, { ...header, sites: [] }), { model: "run/mine@5", text: "d", lang: "zh" });
  assert.ok(!("text" in named({ site: 0, head: 0, seq: 0 }, { ...header, sequences: [{ typed: ["x".repeat(9000), ""] }] })));
});
