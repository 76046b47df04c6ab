/** What the tab panels share: reading the current head, hovering and locking, long lists. */

import { missing } from "../matrix/specs.js";

/** The chosen site and head with the labels of its axes; matrices are undefined until they have arrived. */
export function current(ctx) {
  const { state } = ctx.store;
  const site = ctx.data.site(state.site);
  return {
    state,
    site,
    queries: ctx.data.tokens(site.queries),
    keys: ctx.data.tokens(site.keys),
    get: (stage) => ctx.data.get(state.site, state.head, stage),
  };
}

/** The values of one row of a matrix, without a copy. */
export const rowOf = (matrix, i) => matrix.data.subarray(i * matrix.cols, (i + 1) * matrix.cols);

/** Remembers the last pair (query, key) that was pointed at, so that a panel stays readable when the pointer leaves. */
export function pairMemory(ctx) {
  let last = null;
  return () => {
    const { state, queries, keys } = current(ctx);
    if (state.query !== null && state.key !== null) last = { i: state.query, j: state.key };
    const inside = last && last.i < queries.length && last.j < keys.length;
    return inside ? last : null;
  };
}

/**
 * Why query i may not read key j: "after", "window", "padding" or "other"; null when it may.
 * Follows attnviz.attention.Mask.
 * @param {{data: Float32Array, rows: number, cols: number}} masked  the scores, −∞ where a key may not be read
 */
export function maskReason(site, masked, i, j) {
  const { data, rows, cols } = masked;
  if (data[i * cols + j] !== -Infinity) return null;
  const position = i + (site.kind === "self" ? cols - rows : 0);
  if (site.causal && j > position) return "after";
  if (site.window !== null && site.window !== undefined && Math.abs(position - j) >= site.window) return "window";
  if (!site.padding) return "other";
  // padding is read by nobody; what somebody reads was masked by a rule of the model's own
  for (let row = 0; site.pairs && row < rows; row += 1) if (data[row * cols + j] !== -Infinity) return "other";
  return "padding";
}

/** Asks once for what a panel needs of the chosen head and the browser does not hold. */
export function asker(ctx, stagesOf) {
  let asked = "";
  return (state, changed) => {
    if (changed.has("retry")) asked = "";
    const stages = missing(ctx, state.site, state.head, stagesOf(ctx.data.site(state.site)));
    const key = [ctx.data.header.trace, state.site, state.head].join();
    if (!stages.length || asked === key) return;
    asked = key;
    ctx.load(state.site, [state.head], stages);
  };
}

/** Rows of one height in a scrolling box; only those in sight (and a few around them) are in the document. */
export class VirtualRows {
  /**
   * @param {HTMLElement} scroller the element that scrolls
   * @param {HTMLElement} host inside the scroller; gets the full height
   * @param {number} height of a row in CSS pixels
   * @param {(index: number) => HTMLElement} make
   */
  constructor(scroller, host, height, make) {
    Object.assign(this, { scroller, host, height, make, count: 0, shown: new Map() });
  }

  /** Throws all rows away and starts again with `count` rows. */
  reset(count) {
    this.count = count;
    this.host.style.height = `${count * this.height}px`;
    this.shown.clear();
    this.host.replaceChildren();
    this.refresh();
  }

  /** First and last (exclusive) row in sight. */
  range(margin = 0) {
    const top = this.scroller.scrollTop / this.height;
    const rows = this.scroller.clientHeight / this.height;
    return [Math.max(0, Math.floor(top - margin)), Math.min(this.count, Math.ceil(top + rows + margin))];
  }

  /** Brings the document in step with the scroll position. Returns true when rows were added. */
  refresh() {
    const [first, last] = this.range(6);
    for (const [index, element] of this.shown) {
      if (index >= first && index < last) continue;
      element.remove();
      this.shown.delete(index);
    }
    let added = false;
    for (let index = first; index < last; index++) {
      if (this.shown.has(index)) continue;
      const element = this.make(index);
      element.style.transform = `translateY(${index * this.height}px)`;
      this.shown.set(index, element);
      this.host.append(element);
      added = true;
    }
    return added;
  }

  /** The row under a pointer event, or null. */
  at(event) {
    const index = Math.floor((event.clientY - this.host.getBoundingClientRect().top) / this.height);
    return index >= 0 && index < this.count ? index : null;
  }

  /** Scrolls just far enough to show a row, or, if it is out of sight, to its middle. */
  reveal(index, middle = false) {
    const top = index * this.height;
    const { scrollTop, clientHeight } = this.scroller;
    if (top >= scrollTop && top + this.height <= scrollTop + clientHeight) return;
    if (middle) this.scroller.scrollTop = top - (clientHeight - this.height) / 2;
    else if (top < scrollTop) this.scroller.scrollTop = top;
    else this.scroller.scrollTop = top + this.height - clientHeight;
  }
}

/** The index a key press moves to in a list of `count`, or null when the key does not move. */
export function stepIndex(key, index, count, page = 10) {
  const from = index ?? -1;
  const to = { ArrowDown: from + 1, ArrowUp: index === null ? 0 : from - 1, PageDown: from + page, PageUp: from - page, Home: 0, End: count - 1 }[key];
  return to === undefined ? null : Math.max(0, Math.min(count - 1, to));
}
