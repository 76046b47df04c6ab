/** Token lines: queries left, keys right, a line per pair whose opacity is the weight, on one canvas. */

import { css, ink } from "../core/colors.js";
import { tokenElement } from "../core/format.js";
import { numberAt, placeOf, tokenAt } from "../matrix/axis.js";
import { headColour, headSquares, headsOf } from "./lines-heads.js";
import { el } from "../core/dom.js";
import { VirtualRows, rowOf, stepIndex } from "./kit.js";
import { weightLimits } from "../matrix/shade.js";
import { visibleWeights } from "../matrix/shown.js";
import { hover, toggleLock } from "../core/store.js";

const ROW = 24; // height of a token in CSS pixels
const INDEX = 46; // px beside a token's letters
const LETTER = 8; // px of a letter
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
  const squares = headSquares(ctx);
  const canvas = el("canvas", { class: "avp-lines-canvas", "aria-hidden": "true" });
  const sides = { query: el("div", {}), key: el("div", {}) };
  const scroller = el("div", { class: "avp-lines-scroll" }, sides.query, el("div", { class: "avp-lines-middle" }, canvas), sides.key);
  const element = el(
    "div",
    { class: "avp-panel avp-lines" },
    label,
    squares.element,
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
  // {matrix, columns, kept, queries, keys, others} of what is on the screen: the two axes by place, the column of each
  // place among the keys, -1 when it is hidden, and {head, matrix, kept} of the heads that are drawn together, if any
  let shown = null;
  let frame = 0;
  let pointed = false; // the pointer is over this panel: do not scroll it away from under the pointer

  function makeList(side) {
    const host = sides[side];
    host.className = `avp-lines-list is-${side}`;
    for (const [name, value] of Object.entries({ role: "listbox", tabindex: "0", "aria-label": ctx.t(`view.panel.lines.list.${side}`) })) host.setAttribute(name, value);
    const rows = new VirtualRows(scroller, host, ROW, (index) => {
      const axis = axisOf(side);
      const special = shown.specials[side].has(tokenAt(axis, index));
      return el(
        "div",
        { class: `avp-lines-token${special ? " is-special" : ""}`, role: "option", id: `${prefix}-${side}-${index}`, "aria-setsize": axis.labels.length, "aria-posinset": index + 1, "aria-selected": "false" },
        el("span", { class: "avp-index", title: numberAt(axis, index) }, tokenAt(axis, index)),
        tokenElement(axis.labels[index]),
      );
    });
    const focusOn = (index) => {
      const token = tokenAt(axisOf(side), index);
      return side === "query" ? { query: token, key: null } : { query: null, key: token };
    };
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
      if (!shown) return;
      const place = focus()[side];
      const to = stepIndex(event.key, place, rows.count);
      if (to !== null) {
        ctx.store.set(focusOn(to));
        rows.reveal(to);
      } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
        sides[event.key === "ArrowRight" ? "key" : "query"].focus();
      } else if ((event.key === "Enter" || event.key === " ") && place !== null) {
        toggleLock(ctx.store, focusOn(place));
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

  const axisOf = (side) => (side === "query" ? shown.queries : shown.keys);

  /** The places of the query and the key in focus, null where there is none, or it is not shown. */
  function focus() {
    const { state } = ctx.store;
    const place = (side) => {
      const found = placeOf(axisOf(side), state[side]);
      return found < 0 ? null : found;
    };
    return { query: place("query"), key: place("key") };
  }

  /** Tints the tokens opposite the one in focus by their weight, and marks focus and hidden keys. */
  function paintTokens() {
    const at = focus();
    const { matrix, columns } = shown;
    const palette = ctx.palette();
    for (const [side, rows] of Object.entries(lists)) {
      const other = side === "query" ? at.key : at.query;
      const alone = side === "query" ? at.query === null : true; // a cell in focus tints keys only
      const [, most] = weightLimits(ctx, ctx.store.state, matrix);
      for (const [index, element] of rows.shown) {
        const focused = at[side] === index;
        const [i, column] = side === "query" ? [index, columns[other]] : [other, columns[index]];
        const tint = other !== null && alone && column >= 0 ? matrix.data[i * matrix.cols + column] : null;
        const colour = tint === null || shown.others.length ? null : palette.sequential(Math.min(1, tint / most));
        element.style.background = colour ? css(colour) : "";
        element.style.color = colour ? ink(colour) : "";
        if (tint !== null && shown.others.length) element.style.background = stripes(i, column, most);
        element.title = tint === null ? "" : weightsAt(i, column).join("\n");
        element.classList.toggle("is-focused", focused);
        element.classList.toggle("is-hidden", side === "key" && columns[index] < 0);
        element.setAttribute("aria-selected", String(focused));
      }
      const id = at[side] === null ? null : `${prefix}-${side}-${at[side]}`;
      if (id) sides[side].setAttribute("aria-activedescendant", id);
      else sides[side].removeAttribute("aria-activedescendant");
    }
  }

  /** The weights of a pair in words, of each head that is drawn. */
  function weightsAt(query, column) {
    const at = ({ matrix }) => ctx.t("view.panel.lines.weight", { weight: ctx.full(matrix.data[query * matrix.cols + column]) });
    return shown.others.length ? shown.others.map((each) => `${ctx.t("view.frame.grid.head", { head: each.head })}: ${at(each)}`) : [at(shown)];
  }

  /** A stripe for each head that is drawn, as strong as its weight. */
  function stripes(query, column, most) {
    const share = 100 / shown.others.length;
    const parts = shown.others.map(({ head, matrix }, n) => {
      const strength = 100 * Math.min(1, matrix.data[query * matrix.cols + column] / most);
      return `color-mix(in srgb, ${headColour(head, ctx.palette())} ${strength}%, transparent) ${n * share}% ${(n + 1) * share}%`;
    });
    return `linear-gradient(to right, ${parts.join(", ")})`;
  }

  /** Calls visit(i, j, weight) for every line of a head that the focus, the threshold and the part in sight leave. */
  function eachLine({ matrix, kept }, visit) {
    const { query, key } = focus();
    const { placeOfColumn } = shown;
    const pass = (i, c) => visit(i, placeOfColumn[c], matrix.data[i * matrix.cols + c]);
    if (query !== null) {
      for (const c of kept.row(query)) pass(query, c);
      return;
    }
    const [firstQuery, lastQuery] = lists.query.range();
    const [firstKey, lastKey] = lists.key.range();
    const all = Math.max(matrix.rows, shown.keys.labels.length) <= DRAW_ALL;
    for (let i = 0; i < matrix.rows; i++) {
      const inSight = all || (i >= firstQuery && i < lastQuery);
      if (!inSight && !kept.rows[i]) continue; // not counted yet: drawn as soon as it is
      for (const c of kept.row(i)) {
        const j = placeOfColumn[c];
        if (key !== null ? j === key : inSight || (j >= firstKey && j < lastKey)) pass(i, c);
      }
    }
  }

  function paint() {
    const { query, key } = focus();
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
    // all lines at once are told apart by their weights alone: contrast would make them one dark field
    const [, most] = query === null && key === null ? [0, 1] : weightLimits(ctx, ctx.store.state, matrix);
    g.lineWidth = matrix.rows <= 40 ? 2 : 1.25;
    const heads = shown.others.length ? shown.others : [shown];
    for (const each of heads) {
      const shades = Array.from({ length: SHADES + 1 }, () => []);
      eachLine(each, (i, j, weight) => {
        if (i !== query || j !== key) shades[Math.round(Math.min(1, weight / most) * SHADES)].push(y(i), y(j));
      });
      g.strokeStyle = each === shown ? css(ctx.palette().sequential(1)) : headColour(each.head, ctx.palette());
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
    }
    const column = columns[key] ?? -1;
    if (query !== null && column >= 0) {
      g.strokeStyle = css(ctx.palette().sequential(1));
      g.globalAlpha = Math.max(0.15, matrix.data[query * matrix.cols + column]);
      g.lineWidth = 3.5;
      g.setLineDash(kept.row(query).includes(column) ? [] : [4, 4]); // dashed: under the threshold
      g.beginPath();
      g.moveTo(0, y(query));
      g.lineTo(width, y(key));
      g.stroke();
      g.setLineDash([]);
    }
    if (heads.map((each) => each.kept.count(SLICE / heads.length)).includes(false) || !kept.count(SLICE)) request();
    describe();
  }

  function describe() {
    const { query, key } = focus();
    const { matrix, columns, kept } = shown;
    const number = (value) => value.toLocaleString(ctx.data.header.lang);
    let text;
    if (shown.others.length) {
      text = ctx.t("view.panel.heads.drawn", { n: shown.others.length });
    } else if (query !== null) {
      const total = rowOf(matrix, query).reduce((sum, weight) => sum + (weight > 0 ? 1 : 0), 0);
      const drawn = number(kept.row(query).length);
      text = total ? ctx.t("view.panel.lines.of_query", { drawn, total: number(total), index: numberAt(shown.queries, query) }) : ctx.t("view.panel.lines.empty", { index: numberAt(shown.queries, query) });
    } else if (kept.counted < matrix.rows) {
      text = ctx.t("view.panel.lines.counting");
    } else if (key !== null) {
      let [drawn, total] = [0, 0];
      for (let i = 0; i < matrix.rows; i++) {
        if (matrix.data[i * matrix.cols + columns[key]] > 0) total++;
        if (kept.row(i).includes(columns[key])) drawn++;
      }
      text = ctx.t("view.panel.lines.of_key", { drawn: number(drawn), total: number(total), index: numberAt(shown.keys, key) });
    } else {
      const long = Math.max(matrix.rows, shown.keys.labels.length) > DRAW_ALL;
      text = ctx.t(long ? "view.panel.lines.of_all_long" : "view.panel.lines.of_all", { drawn: number(kept.drawn), total: number(kept.total) });
    }
    if (status.textContent !== text) status.textContent = text;
  }

  function specials({ site }) {
    const { header } = ctx.data;
    const { queries, keys } = ctx.data.site(site);
    return { query: new Set(header.specials[queries]), key: new Set(header.specials[keys]) };
  }

  /** The weights of the heads that are drawn together; undefined, and asked for, while they are not all here. */
  function matricesOf(state) {
    const heads = headsOf(state, ctx.data.site(state.site));
    const found = heads.map((head) => ({ head, matrix: visibleWeights({ ...state, head }, ctx) }));
    const absent = found.filter(({ matrix }) => !matrix).map(({ head }) => head);
    if (!absent.length) return found;
    ctx.load(state.site, absent, ["weights"]).then(() => ctx.data.has(state.site, absent[0], ["weights"]) && ctx.store.touch("data"));
    return undefined;
  }

  function update(state, changed) {
    slider.value = String(state.keep);
    percent.textContent = ctx.t("view.panel.percent", { value: state.keep });
    squares.update();
    const matrix = visibleWeights(state, ctx);
    const others = matricesOf(state);
    element.classList.toggle("is-waiting", !matrix || !others);
    if (!matrix || !others) return; // the last lines stay, dimmed, until the numbers are here
    const { queries, allKeys: keys } = matrix;
    const fresh = shown === null || shown.queries !== queries || shown.keys !== keys;
    if (shown?.matrix !== matrix || shown.kept.percent !== state.keep) {
      const columns = Int32Array.from(keys.tokens, (tokens) => tokens.reduce((found, token) => Math.max(found, matrix.keys.of[token]), -1));
      const placeOfColumn = new Int32Array(matrix.cols);
      columns.forEach((column, place) => column >= 0 && (placeOfColumn[column] = place));
      shown = { matrix, columns, placeOfColumn, queries, keys, specials: specials(state), kept: new KeptLines(matrix, state.keep), others: [] };
    }
    const same = others.length === shown.others.length && others.every((each, n) => each.matrix === shown.others[n].matrix && state.keep === shown.others[n].kept.percent);
    if (!same) shown.others = others.map((each) => ({ ...each, kept: new KeptLines(each.matrix, state.keep) }));
    if (fresh) {
      for (const [side, axis] of [["query", queries], ["key", keys]]) {
        const longest = axis.labels.reduce((most, label) => Math.max(most, label.length), 0);
        sides[side].style.width = `${INDEX + LETTER * longest}px`; // the style sheet holds it within bounds
        lists[side].reset(axis.labels.length);
      }
    } else {
      for (const rows of Object.values(lists)) rows.refresh();
    }
    if (!pointed && (changed.has("query") || changed.has("key"))) {
      const at = focus();
      if (at.query !== null) lists.query.reveal(at.query, true);
      else if (at.key !== null) lists.key.reveal(at.key, true);
    }
    const hidden = matrix.hidden.length;
    hiddenNote.textContent = hidden > 0 ? ctx.t("view.panel.lines.renormalised", { count: hidden }) : "";
    hiddenNote.hidden = hidden === 0;
    paintTokens();
    request();
  }

  return { element, update };
}
