/** Tests what is chosen, hovered and locked. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { chooseHead, choiceState, groupSites, siteTitle } from "../../attnviz/view/static/core/select.js";
import { pairMemory } from "../../attnviz/view/static/panels/kit.js";
import { createStore, hover, toggleLock, unlock } from "../../attnviz/view/static/core/store.js";

const site = (name, rest = {}) => {
  const [stack, layer, kind] = name.split(".");
  return { name, stack, kind, layer: Number(layer), part: null, n_heads: 4, d_head: 8, d_value: 8, queries: stack, keys: kind === "cross" ? "encoder" : stack, ...rest };
};
const SITES = [site("encoder.0.self"), site("encoder.1.self", { d_head: 4, d_value: 4 }), site("decoder.0.cross")];
const TOKENS = { encoder: ["a", "b", "c"], decoder: ["x", "y"] };
const free = { site: 0, head: 0, query: null, key: null, dim: null, wide: null, locked: false };

/** A store that tells nobody before it is flushed. */
const storeOf = (state) => createStore(/** @type {any} */ (state), () => {});

test("listeners hear once of the fields that really changed", () => {
  const store = storeOf(free);
  const heard = [];
  store.subscribe((state, changed) => heard.push([state.head, [...changed]]));
  store.set({ head: 1 });
  store.set({ head: 2, site: 0 });
  store.touch("theme");
  store.flush();
  store.flush();
  assert.deepEqual(heard, [[2, ["head", "theme"]]]);
});

test("hovering previews until something is locked, and a second click unlocks", () => {
  const store = storeOf(free);
  hover(store, { query: 1 });
  assert.equal(store.state.query, 1);
  toggleLock(store, { query: 2, key: 0 });
  hover(store, { query: 1 });
  assert.deepEqual([store.state.query, store.state.key, store.state.locked], [2, 0, true]);
  toggleLock(store, { query: 0, key: 0 });
  assert.ok(store.state.locked);
  toggleLock(store, { query: 0, key: 0 });
  assert.deepEqual([store.state.query, store.state.locked], [null, false]);
  unlock(store);
});

test("locked tokens stay where the other site has the same", () => {
  const header = { choice: { frozen: false } };
  const data = { header, site: (index) => SITES[index] };
  const ctx = /** @type {any} */ ({ store: storeOf({ ...free, query: 1, key: 2, dim: 6, locked: true }), data });
  chooseHead(ctx, 1, 3);
  assert.deepEqual([ctx.store.state.head, ctx.store.state.query, ctx.store.state.key, ctx.store.state.dim], [3, 1, 2, null]);
  assert.ok(ctx.store.state.own);
  chooseHead(ctx, 2, 0);
  assert.deepEqual([ctx.store.state.query, ctx.store.state.key, ctx.store.state.locked], [null, 2, true]);
  header.choice.frozen = true;
  chooseHead(ctx, 0, 1);
  assert.equal(ctx.store.state.site, 2);
});

test("what a payload asks for is held within what the trace has", () => {
  const header = { sites: SITES, tokens: TOKENS };
  assert.deepEqual(choiceState({ ...header, choice: { site: 2, head: 1, query: 1, key: 2, locked: true } }), { site: 2, head: 1, query: 1, key: 2, dim: null, wide: null, locked: true });
  assert.deepEqual(choiceState({ ...header, choice: { site: 9, head: 9, query: 7, key: -1, locked: true } }), { site: 2, head: 3, query: null, key: null, dim: null, wide: null, locked: false });
  assert.equal(choiceState({ ...header, choice: { site: 0, head: 0, query: 1, locked: false } }).query, null);
});

test("sites stand in groups, and windows of an image are told apart", () => {
  assert.deepEqual([...groupSites(SITES)].map(([name, members]) => [name, members.length]), [["encoder.self", 2], ["decoder.cross", 1]]);
  const t = (key, params = {}) => `${key} ${params.part ?? ""}`.trim();
  const of = (kind) => ({ t, data: { header: { model: { kind } } } });
  assert.equal(siteTitle(of(""), SITES[0], 1), "view.frame.title");
  assert.equal(siteTitle({ t, data: { header: {} } }, SITES[0], 1), "view.frame.title"); // of a run
  assert.equal(siteTitle(of(""), { ...SITES[0], part: 3 }, 1), "view.frame.title.part 3");
  assert.equal(siteTitle(of("by hand"), SITES[0], 1), "view.frame.title.hand");
});

test("a panel speaks of the pair that was pointed at last, and of a locked query with the key it reads most", () => {
  const weights = { data: Float32Array.from([0.1, 0.9, 0, 0.7, 0.2, 0.1]), rows: 2, cols: 3 };
  const store = storeOf(free);
  const data = { site: () => SITES[0], tokens: () => TOKENS.encoder, get: () => weights };
  const pair = pairMemory(/** @type {any} */ ({ store, data }));
  assert.equal(pair(), null);
  store.set({ query: 1, key: 2 });
  assert.deepEqual(pair(), { i: 1, j: 2 });
  store.set({ query: 0, key: null });
  assert.deepEqual(pair(), { i: 1, j: 2 });
  store.set({ locked: true });
  assert.deepEqual(pair(), { i: 0, j: 1 });
});
