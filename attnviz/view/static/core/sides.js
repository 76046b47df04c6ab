/**
 * Two traces in one view. The view shows the own one, the other one, or the difference own - other; `state.side` says
 * which. The state's site, head, query and key are places in the trace that is shown; of the difference, in the own one.
 */

import { oneOf } from "./address.js";
import { TraceData, unpack } from "./data.js";

const LONGEST = 12_000; // letters of both addresses in one

export const OTHER = "other";
export const DIFFERENCE = "difference";

/** Fields of the address for two traces: the side, and the head of the other one that stays whatever head is chosen. */
export const SIDES = {
  side: oneOf("", ["", OTHER, DIFFERENCE]),
  pin: { start: "", read: (text) => (/^\d{1,4}\.\d{1,4}$/.test(text) ? text : undefined) }, // site.head
};

/** The axes of each stage: "q" and "k" are tokens, anything else must be of the same size in both traces. */
const AXES = {
  x: "qw", x_kv: "kw", w_q: "ww", w_k: "ww", w_v: "ww", q: "qw", k: "kw", v: "kw", scores: "qk", bias: "qk", masked: "qk",
  weights: "qk", context: "qw", w_o: "ww", output: "qw",
};

/** The place in the other sequence of each of `count` tokens; -1 where there is none. @param {[number, number, number][]} blocks */
export function placesOf(blocks, count) {
  const places = new Int32Array(count).fill(-1);
  for (const [first, second, size] of blocks) for (let n = 0; n < size; n += 1) places[first + n] = second + n;
  return places;
}

/** own - other, NaN where a row or a column has no partner. @param {Int32Array} rows  of the other for each of the own's */
export function subtract(own, other, rows, cols) {
  const data = new Float32Array(own.data.length).fill(NaN);
  for (let i = 0; i < own.rows; i += 1) {
    if (rows[i] < 0) continue;
    for (let j = 0; j < own.cols; j += 1) {
      if (cols[j] >= 0) data[i * own.cols + j] = own.data[i * own.cols + j] - other.data[rows[i] * other.cols + cols[j]];
    }
  }
  return { data, rows: own.rows, cols: own.cols };
}

const identity = (size, other) => Int32Array.from({ length: size }, (_, n) => (size === other ? n : -1));

export class Sides {
  /**
   * @param {TraceData} own  whose payload has the other one
   * @param {(paths: string[]) => void} onArrival  called when numbers of the other one arrived
   * @param {() => import("./store.js").State} state
   */
  constructor(own, onArrival, state) {
    this.own = own;
    this.told = own.header.beside;
    this.other = new TraceData(/** @type {Uint8Array} */ (own.overview.get("beside").data), onArrival, own.source?.beside);
    this.state = state;
    this.known = new Map(); // sequences -> places
    this.difference = new Difference(this);
  }

  /** The numbers of a side. */
  of(side) {
    return { [OTHER]: this.other, [DIFFERENCE]: this.difference }[side] ?? this.own;
  }

  /** Site and head of the other trace beside those of the own one; null where it has none. */
  beside(site, head, pin = this.state().pin) {
    const [there, on] = pin ? pin.split(".").map(Number) : [this.told.sites[site], head];
    return on < (this.other.sites[there]?.n_heads ?? 0) ? [there, on] : null;
  }

  /** For each token of a sequence of the own trace, its place in one of the other's; `back`: the other way round. */
  places(own, other, back = false) {
    const name = [own, other, back].join("\n");
    if (!this.known.has(name)) {
      const blocks = this.told.blocks[own]?.[other] ?? [];
      const turned = back ? blocks.map(([first, second, size]) => [second, first, size]) : blocks;
      this.known.set(name, placesOf(turned, (back ? this.other.tokens(other) : this.own.tokens(own)).length));
    }
    return this.known.get(name);
  }

  /** Query and key of one trace as places in the other. */
  across({ query, key }, own, other, back = false) {
    const at = (token, name) => {
      const place = token === null ? -1 : this.places(own[name], other[name], back)[token];
      return place < 0 ? null : place;
    };
    return { query: at(query, "queries"), key: at(key, "keys"), dim: null, wide: null };
  }

  /** The state as it is of the own trace. */
  home(state) {
    if (state.side !== OTHER) return state;
    const [site, head] = state.mine;
    const isSame = String(this.beside(site, head, "")) === String([state.site, state.head]);
    const tokens = this.across(state, this.own.site(site), this.other.site(state.site), true);
    return { ...state, side: "", site, head, ...held(state, tokens), pin: isSame ? "" : `${state.site}.${state.head}` };
  }

  /** The state when another side is shown. */
  turned(state, side) {
    const home = { ...this.home(state), side };
    if (side !== OTHER) return home;
    const [site, head] = this.beside(home.site, home.head, home.pin) ?? [0, 0];
    const tokens = this.across(home, this.own.site(home.site), this.other.site(site));
    return { ...home, site, head, mine: [home.site, home.head], ...held(home, tokens) };
  }

  /** The state at another head of the own trace; what is locked stays where its tokens are the same. */
  chosen(state, site, head) {
    const home = this.home(state);
    const [from, to] = [this.own.site(home.site), this.own.site(site)];
    const tokens = { query: from.queries === to.queries ? home.query : null, key: from.keys === to.keys ? home.key : null, dim: null, wide: null };
    return this.turned({ ...home, ...held(home, tokens), side: "", site, head, own: true }, state.side);
  }

  /** How far apart the heads of both read, in bits: (heads, queries) by the name of the own trace's site. */
  async distances(pin) {
    const address = this.other.header.data_url.split("/").at(-1);
    const beside = address.length + this.own.header.data_url.length > LONGEST ? address.split(".")[0] : address;
    const response = await this.own.fetch(`distances?${new URLSearchParams({ beside, pin })}`);
    return unpack(new Uint8Array(await response.arrayBuffer())).arrays;
  }

  /** The numbers of the chosen head on both sides, as far as they are here: their colours share limits. */
  held(state, stage) {
    const { site, head, pin } = this.home(state);
    const there = this.beside(site, head, pin);
    return [this.own.get(site, head, stage), there && this.other.get(there[0], there[1], stage)].filter(Boolean);
  }

  /**
   * The view's context as a part sees it that shows one side: numbers, state and locks are that side's.
   * @param {import("./context.js").Context} ctx
   */
  facing(ctx, side) {
    const { store } = ctx;
    const sides = this;
    const facing = {
      get state() {
        return sides.turned(store.state, side);
      },
      set: (patch) => store.set(sides.handed(patch, store.state, side)),
      touch: store.touch, flush: store.flush, subscribe: store.subscribe,
    };
    return Object.create(ctx, { data: { value: this.of(side) }, store: { value: facing } });
  }

  /** A change of query and key on one side, as a change of the state that is shown. */
  handed(patch, state, side) {
    if ((side === OTHER) === (state.side === OTHER)) return patch;
    const { query = null, key = null, ...rest } = patch;
    if (!("query" in patch) && !("key" in patch)) return patch;
    const back = side === OTHER;
    const [home, turned] = [this.home(state), this.turned(state, OTHER)];
    const tokens = this.across({ query, key }, this.own.site(home.site), this.other.site(turned.site), back);
    return { ...rest, ...held({ locked: Boolean(rest.locked) }, tokens) };
  }
}

/** A lock holds while there is something left to hold. */
const held = ({ locked }, tokens) => ({ ...tokens, locked: locked && (tokens.query !== null || tokens.key !== null) });

/** The own numbers less the other's, wherever both have them, under the own trace's names. */
export class Difference {
  isDifference = true;
  made = new WeakMap(); // own numbers -> {other, matrix}

  /** @param {Sides} sides */
  constructor(sides) {
    this.sides = sides;
    const { own, other } = sides;
    this.header = { ...own.header, trace: `${own.header.trace}-${other.header.trace}` };
    this.source = own.source;
  }

  site(index) {
    return this.sides.own.site(index);
  }

  tokens(sequence) {
    return this.sides.own.tokens(sequence);
  }

  get own() {
    return this.sides.own;
  }

  get overview() {
    return this.own.overview;
  }

  /** `of` gives the numbers of a trace, a site and a head. */
  between(site, head, axes, of) {
    const there = this.sides.beside(site, head);
    if (!there) return undefined;
    const [own, other] = [of(this.own, site, head), of(this.sides.other, ...there)];
    if (!own || !other) return undefined;
    const known = this.made.get(own);
    if (known?.other === other) return known.matrix;
    const [mine, theirs] = [this.site(site), this.sides.other.site(there[0])];
    const places = { q: () => this.sides.places(mine.queries, theirs.queries), k: () => this.sides.places(mine.keys, theirs.keys), w: identity };
    const matrix = subtract(own, other, places[axes[0]](own.rows, other.rows), places[axes[1]](own.cols, other.cols));
    this.made.set(own, { other, matrix });
    return matrix;
  }

  get(site, head, stage) {
    return this.between(site, head, AXES[stage], (data, s, h) => data.get(s, h, stage));
  }

  has(site, head, stages) {
    return stages.every((stage) => this.get(site, head, stage) !== undefined);
  }

  lacks(site, head, stage) {
    const there = this.sides.beside(site, head);
    return !there || this.own.lacks(site, head, stage) || this.sides.other.lacks(there[0], there[1], stage);
  }

  async load(site, heads, stages) {
    const other = heads.map((head) => this.sides.beside(site, head)).filter(Boolean);
    await Promise.all([this.own.load(site, heads, stages), ...other.map(([s, h]) => this.sides.other.load(s, [h], stages))]);
  }

  thumbs(site) {
    return this.own.thumbs(site);
  }

  /** Pictures that stand for so many tokens each have a difference where the tokens of both are the same ones. */
  thumb(site, head) {
    const own = this.own.thumb(site, head);
    const nothing = { ...own, weights: new Float32Array(own.weights.length).fill(NaN) };
    const isAverage = head === this.site(site).n_heads;
    const there = isAverage && !this.sides.state().pin ? this.sides.beside(site, 0) : this.sides.beside(site, head);
    if (!there) return nothing;
    const [mine, theirs] = [this.site(site), this.sides.other.site(there[0])];
    const other = this.sides.other.thumb(there[0], isAverage ? theirs.n_heads : there[1]);
    const along = (name, size, otherSize) => {
      const places = this.sides.places(mine[name], theirs[name]);
      if (places.length === size && this.sides.other.tokens(theirs[name]).length === otherSize) return places;
      return identity(size, places.every((place, n) => place === n) ? otherSize : -1); // each stands for several tokens
    };
    const [rows, cols] = [along("queries", own.rows, other.rows), along("keys", own.cols, other.cols)];
    const shape = ({ weights, rows: r, cols: c }) => ({ data: weights, rows: r, cols: c });
    return { ...own, weights: subtract(shape(own), shape(other), rows, cols).data };
  }

  url(rest) {
    return this.own.url(rest);
  }

  fetch(rest) {
    return this.own.fetch(rest);
  }

  get sites() {
    return this.own.sites;
  }
}
