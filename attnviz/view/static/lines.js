/** Token lines: queries left, keys right, a line per pair whose opacity is the weight, on one canvas. */

import { css, ink } from "./colors.js";
import { tokenElement } from "./format.js";
import { visibleWeights } from "./hidden.js";
import { VirtualRows, current, el, rowOf, stepIndex } from "./panelkit.js";
import { hover, toggleLock } from "./store.js";

const ROW = 24; // height of a token in CSS pixels
const DRAW_ALL = 300; // up to so many tokens every line is drawn, beyond only those that touch a token in sight
const SHADES = 255; // lines of the same opacity (8 bits) share one stroke
const SLICE = 6; // milliseconds a frame that counting long sequences may take

/**
 * The fewest keys whose weights reach `percent` of the row's mass: largest first, the earlier key first among equals.
 * A weight of 0 is no line; at 100 percent every other one is kept.
 * @param {Float32Array} row weights of one query
 * @param {number} percent 0..100
 * @returns {number[]} key indices, ascending
 */
function keptKeys(row, percent) {
  const kept = [];
  const [cutoff, equal] = percent >= 100 ? [0, 0] : cutoffOf(row, percent);
  let ties = equal;
  for (let j = 0; j < row.length; j++) {
    if (row[j] > cutoff || (row[j] === cutoff && ties-- > 0)) kept.push(j);
  }
  return kept;
}

/** The smallest weight that is kept, and how many of exactly that size are. */
function cutoffOf(row, percent) {
  const sorted = Float32Array.from(row).sort(); // ascending
  let mass = 0;
  for (let n = sorted.length - 1; n >= 0; n--) mass += sorted[n];
  const target = (mass * percent) / 100;
  let first = sorted.length;
  for (let sum = 0; sum < target && first > 0 && sorted[first - 1] > 0; sum += sorted[first]) first--;
  if (first === sorted.length) return [Infinity, 0];
  let equal = 0;
  while (sorted[first + equal] === sorted[first]) equal++;
  return [sorted[first], equal];
}

/** Kept keys of every query, computed when asked for and held until the weights or the threshold change. */
class KeptLines {
  constructor(matrix, percent) {
    Object.assign(this, { matrix, percent, rows: new Array(matrix.rows), counted: 0, drawn: 0, total: 0 });
  }

  row(i) {
    this.rows[i] ??= keptKeys(rowOf(this.matrix, i), this.percent);
    return this.rows[i];
  }

  /** Goes on counting for some milliseconds; true when all rows are counted. */
  count(milliseconds) {
    const end = performance.now() + milliseconds;
    while (this.counted < this.matrix.rows && performance.now() < end) {
      this.drawn += this.row(this.counted).length;
      for (const weight of rowOf(this.matrix, this.counted)) if (weight > 0) this.total++;
      this.counted++;
    }
    return this.counted === this.matrix.rows;
  }
}

/** @returns {{element: HTMLElement, update: (state: object, changed: Set<string>) => void}} */
export function create(ctx) {
  const slider = el("input", { type: "range", min: 0, max: 100, step: 1, class: "avp-lines-slider" });
  const percent = el("output", { class: "avp-lines-percent" });
  const label = el("label", { class: "avp-lines-keep" }, el("span", {}, ctx.t("view.panel.lines.keep")), slider, percent);
  const status = el("span", { class: "avp-lines-status" });
  const hiddenNote = el("p", { class: "avp-note" });
  const canvas = el("canvas", { class: "avp-lines-canvas", "aria-hidden": "true" });
  const sides = { query: el("div", {}), key: el("div", {}) };
  const scroller = el("div", { class: "avp-lines-scroll" }, sides.query, el("div", { class: "avp-lines-middle" }, canvas), sides.key);
  const element = el(
    "div",
    { class: "avp-panel avp-lines" },
    label,
    el(
      "div",
      { class: "avp-lines-axes" },
      el("span", { class: "is-query" }, ctx.t("view.panel.lines.queries")),
      status,
      el("span", { class: "is-key" }, ctx.t("view.panel.lines.keys")),
    ),
    scroller,
    hiddenNote,
  );
  const prefix = `avp-lines-${Math.random().toString(36).slice(2, 8)}`;
  const lists = Object.fromEntries(Object.keys(sides).map((side) => [side, makeList(side)]));
  let shown = null; // {matrix, columns, kept, queries, keys} of what is on the screen; columns: key -> column, -1 when hidden
  let frame = 0;
  let pointed = false; // the pointer is over this panel: do not scroll it away from under the pointer

  function makeList(side) {
    const host = sides[side];
    host.className = `avp-lines-list is-${side}`;
    for (const [name, value] of Object.entries({ role: "listbox", tabindex: "0", "aria-label": ctx.t(`view.panel.lines.list.${side}`) })) host.setAttribute(name, value);
    const rows = new VirtualRows(scroller, host, ROW, (index) => {
      const { queries, keys, site } = current(ctx);
      const labels = side === "query" ? queries : keys;
      const stack = side === "query" ? site.queries : site.keys;
      const special = ctx.data.header.specials?.[stack]?.includes(index);
      return el(
        "div",
        { class: `avp-lines-token${special ? " is-special" : ""}`, role: "option", id: `${prefix}-${side}-${index}`, "aria-setsize": labels.length, "aria-posinset": index + 1, "aria-selected": "false" },
        el("span", { class: "avp-index" }, index),
        tokenElement(labels[index]),
      );
    });
    const focusOn = (index) => (side === "query" ? { query: index, key: null } : { query: null, key: index });
    host.addEventListener("pointermove", (event) => {
      const index = event.pointerType === "touch" ? null : rows.at(event);
      if (index !== null) hover(ctx.store, focusOn(index));
    });
    host.addEventListener("pointerleave", () => hover(ctx.store, { query: null, key: null }));
    host.addEventListener("click", (event) => {
      const index = rows.at(event);
      if (index !== null) toggleLock(ctx.store, focusOn(index));
    });
    host.addEventListener("keydown", (event) => {
      const { state } = ctx.store;
      const to = stepIndex(event.key, state[side], rows.count);
      if (to !== null) {
        ctx.store.set(focusOn(to));
        rows.reveal(to);
      } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
        sides[event.key === "ArrowRight" ? "key" : "query"].focus();
      } else if ((event.key === "Enter" || event.key === " ") && state[side] !== null) {
        toggleLock(ctx.store, focusOn(state[side]));
      } else return;
      event.preventDefault();
      event.stopPropagation(); // the page's own arrow keys walk heads and layers
    });
    return rows;
  }

  element.addEventListener("pointerenter", () => (pointed = true));
  element.addEventListener("pointerleave", () => (pointed = false));
  slider.addEventListener("input", () => ctx.store.set({ keep: Number(slider.value) }));
  slider.addEventListener("keydown", (event) => event.stopPropagation());
  scroller.addEventListener("scroll", () => {
    if (Object.values(lists).map((rows) => rows.refresh()).some(Boolean)) paintTokens();
    request();
  });
  new ResizeObserver(() => {
    if (!scroller.clientHeight || !shown) return;
    for (const rows of Object.values(lists)) rows.refresh();
    paintTokens();
    request();
  }).observe(scroller);

  function request() {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (shown && scroller.clientHeight) paint();
    });
  }

  /** Tints the tokens opposite the one in focus by their weight, and marks focus and hidden keys. */
  function paintTokens() {
    const { state } = ctx.store;
    const { matrix, columns } = shown;
    const palette = ctx.palette();
    for (const [side, rows] of Object.entries(lists)) {
      const other = side === "query" ? state.key : state.query;
      const alone = side === "query" ? state.query === null : true; // a cell in focus tints keys only
      for (const [index, element] of rows.shown) {
        const focused = state[side] === index;
        const [i, column] = side === "query" ? [index, columns[other]] : [other, columns[index]];
        const tint = other !== null && alone && column >= 0 ? matrix.data[i * matrix.cols + column] : null;
        const colour = tint === null ? null : palette.sequential(tint);
        element.style.background = colour ? css(colour) : "";
        element.style.color = colour ? ink(colour) : "";
        element.title = tint === null ? "" : ctx.t("view.panel.lines.weight", { weight: ctx.full(tint) });
        element.classList.toggle("is-focused", focused);
        element.classList.toggle("is-hidden", side === "key" && columns[index] < 0);
        element.setAttribute("aria-selected", String(focused));
      }
      const id = state[side] === null ? null : `${prefix}-${side}-${state[side]}`;
      if (id) sides[side].setAttribute("aria-activedescendant", id);
      else sides[side].removeAttribute("aria-activedescendant");
    }
  }

  /** Calls visit(i, j, weight) for every line that the focus, the threshold and the part in sight leave. */
  function eachLine(visit) {
    const { state } = ctx.store;
    const { matrix, kept } = shown;
    const pass = (i, c) => visit(i, matrix.keyIndex[c], matrix.data[i * matrix.cols + c]);
    if (state.query !== null) {
      for (const c of kept.row(state.query)) pass(state.query, c);
      return;
    }
    const [firstQuery, lastQuery] = lists.query.range();
    const [firstKey, lastKey] = lists.key.range();
    const all = Math.max(shown.queries.length, shown.keys.length) <= DRAW_ALL;
    for (let i = 0; i < matrix.rows; i++) {
      const inSight = all || (i >= firstQuery && i < lastQuery);
      if (!inSight && !kept.rows[i]) continue; // not counted yet: drawn as soon as it is
      for (const c of kept.row(i)) {
        const j = matrix.keyIndex[c];
        if (state.key !== null ? j === state.key : inSight || (j >= firstKey && j < lastKey)) pass(i, c);
      }
    }
  }

  function paint() {
    const { state } = ctx.store;
    const { matrix, columns, kept } = shown;
    const ratio = devicePixelRatio || 1;
    const width = canvas.parentElement.clientWidth;
    const height = scroller.clientHeight;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const top = scroller.scrollTop; // read once: every read has the browser lay the page out
    const y = (index) => index * ROW + ROW / 2 - top;
    const shades = Array.from({ length: SHADES + 1 }, () => []);
    eachLine((i, j, weight) => {
      if (i !== state.query || j !== state.key) shades[Math.round(weight * SHADES)].push(y(i), y(j));
    });
    g.strokeStyle = css(ctx.palette().sequential(1));
    g.lineWidth = matrix.rows <= 40 ? 2 : 1.25;
    shades.forEach((ends, shade) => {
      if (ends.length === 0 || shade === 0) return; // under half a shade: nothing to see
      g.globalAlpha = shade / SHADES;
      g.beginPath();
      for (let n = 0; n < ends.length; n += 2) {
        g.moveTo(0, ends[n]);
        g.lineTo(width, ends[n + 1]);
      }
      g.stroke();
    });
    const column = columns[state.key] ?? -1;
    if (state.query !== null && column >= 0) {
      g.globalAlpha = Math.max(0.15, matrix.data[state.query * matrix.cols + column]);
      g.lineWidth = 3.5;
      g.setLineDash(kept.row(state.query).includes(column) ? [] : [4, 4]); // dashed: under the threshold
      g.beginPath();
      g.moveTo(0, y(state.query));
      g.lineTo(width, y(state.key));
      g.stroke();
      g.setLineDash([]);
    }
    if (!kept.count(SLICE)) request();
    describe();
  }

  function describe() {
    const { state } = ctx.store;
    const { matrix, columns, kept } = shown;
    const number = (value) => value.toLocaleString(ctx.data.header.lang);
    let text;
    if (state.query !== null) {
      const total = rowOf(matrix, state.query).reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
      text = ctx.t("view.panel.lines.of_query", { drawn: number(kept.row(state.query).length), total: number(total), index: state.query });
    } else if (kept.counted < matrix.rows) {
      text = ctx.t("view.panel.lines.counting");
    } else if (state.key !== null) {
      let [drawn, total] = [0, 0];
      for (let i = 0; i < matrix.rows; i++) {
        if (matrix.data[i * matrix.cols + columns[state.key]] > 0) total++;
        if (kept.row(i).includes(columns[state.key])) drawn++;
      }
      text = ctx.t("view.panel.lines.of_key", { drawn: number(drawn), total: number(total), index: state.key });
    } else {
      const long = Math.max(shown.queries.length, shown.keys.length) > DRAW_ALL;
      text = ctx.t(long ? "view.panel.lines.of_all_long" : "view.panel.lines.of_all", { drawn: number(kept.drawn), total: number(kept.total) });
    }
    if (status.textContent !== text) status.textContent = text;
  }

  function update(state, changed) {
    slider.value = String(state.keep);
    percent.textContent = ctx.t("view.panel.percent", { value: state.keep });
    const matrix = visibleWeights(state, ctx);
    element.classList.toggle("is-waiting", !matrix);
    if (!matrix) return; // the last lines stay, dimmed, until the numbers are here
    const { queries, keys } = current(ctx);
    const fresh = shown === null || shown.queries !== queries || shown.keys !== keys;
    if (shown?.matrix !== matrix || shown.kept.percent !== state.keep) {
      const columns = new Int32Array(keys.length).fill(-1);
      matrix.keyIndex.forEach((j, c) => (columns[j] = c));
      shown = { matrix, columns, queries, keys, kept: new KeptLines(matrix, state.keep) };
    }
    if (fresh) {
      lists.query.reset(queries.length);
      lists.key.reset(keys.length);
    } else {
      for (const rows of Object.values(lists)) rows.refresh();
    }
    if (!pointed && (changed.has("query") || changed.has("key"))) {
      if (state.query !== null) lists.query.reveal(state.query, true);
      else if (state.key !== null) lists.key.reveal(state.key, true);
    }
    const hidden = keys.length - matrix.cols;
    hiddenNote.textContent = hidden > 0 ? ctx.t("view.panel.lines.renormalised", { count: hidden }) : "";
    hiddenNote.hidden = hidden === 0;
    paintTokens();
    request();
  }

  return { element, update };
}
