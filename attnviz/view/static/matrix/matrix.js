/** One matrix on screen: from 3 x 3 with its numbers in the cells to 2048 x 2048 in a scrolling window. */

import { placeOf, tokenAt } from "./axis.js";
import { arrowOf, el, sizeCanvas, zoomOf } from "../core/dom.js";
import { tokenText } from "../core/format.js";
import { LABEL_CELL, drawBase, drawMarks, gutterLeft, gutterTop, markColour, visible } from "./draw.js";
import { Legend } from "./heat.js";
import { NOWHERE, hover, toggleLock, unlock } from "../core/store.js";
import { strongest } from "./shown.js";
import { TERM_OF } from "./terms.js";
import { describeCell } from "./tooltip.js";

const SCROLLBAR = 12;
const SUMMARY_WAIT_MS = 300;
const SHEET = { width: 660, height: 860 }; // px that A4 and Letter both have between their margins, less a matrix's title
const LARGEST_PRINT = 4096; // px of a canvas; what is larger is printed as the window shows it
const FINGER = 24; // px that a touch may be off
const BIGGEST_CELL = 56;
const ZOOMS = [1, 2, 4, 8, 12, 18, 34, BIGGEST_CELL]; // px of a cell
const FIELD = { queries: "query", keys: "key", dims: "dim", wide: "wide" };

/**
 * @typedef {import("./axis.js").Axis} Axis
 *
 * @typedef {Object} MatrixSpec
 * @property {string} stage
 * @property {string} title
 * @property {Axis} rows
 * @property {Axis} cols
 * @property {{data: Float32Array, rows: number, cols: number}|undefined} matrix  undefined: not loaded
 * @property {boolean} [isDue]  false: they are not on their way yet
 * @property {string} [absent]  why these numbers will not come; "" when they may
 * @property {"sequential"|"diverging"} colour
 * @property {[number, number, boolean?]} limits  the third: larger numbers are drawn as the upper limit
 * @property {(x: number) => string} [format]  of the numbers in the cells
 * @property {boolean} [masked]  some cells may be −∞
 * @property {string} file       name of exports
 * @property {{width: number, height: number}|null} cell  null: as large as the box allows
 */

export class Matrix {
  /**
   * @param {import("../core/context.js").Context} ctx
   * @param {{maxHeight: number, eager?: boolean, zoomable?: boolean, room?: () => number, told?: () => string}} options
   *     maxHeight: px of cells before it scrolls; eager: draws before it is known to be in view;
   *     zoomable: has its own zoom where the cells that fit are too small for labels;
   *     room: px across, if not the width of its own box (whoever gives it calls layout() when it changes);
   *     told: a sentence on the picture as a whole, for those who hear the page
   */
  constructor(ctx, options) {
    const { maxHeight, eager = false, zoomable = false, room, told = () => "" } = options;
    this.room = room;
    this.told = told;
    this.zoomable = zoomable;
    this.zoomed = null; // px of a cell; null: as it fits
    this.ctx = ctx;
    this.maxHeight = maxHeight;
    this.inView = eager;
    this.dirty = true;
    /** @type {MatrixSpec|undefined} */
    this.spec = undefined;
    this.build();
    this.resized = new ResizeObserver(() => this.layout());
    if (!room) this.resized.observe(this.element);
    this.seen = new IntersectionObserver((entries) => {
      this.inView = entries.at(-1).isIntersecting; // a busy browser tells of several changes at once
      if (this.inView && this.dirty) this.draw();
    }, { rootMargin: "150px" });
    if (!eager) this.seen.observe(this.element);
    this.onPrint = () => this.print(true);
    this.onPrinted = () => this.print(false);
    window.addEventListener("beforeprint", this.onPrint);
    window.addEventListener("afterprint", this.onPrinted);
  }

  destroy() {
    this.resized.disconnect();
    this.seen.disconnect();
    window.removeEventListener("beforeprint", this.onPrint);
    window.removeEventListener("afterprint", this.onPrinted);
    clearTimeout(this.summarising);
  }

  build() {
    const { t } = this.ctx;
    this.title = el("h3", { class: "av-matrix-title" });
    this.legend = new Legend();
    const tableButton = el("button", {
      type: "button", class: "av-small", text: t("view.frame.matrix.table"), on: { click: () => this.ctx.openTable(this.shared()) },
    });
    const exportButton = el("button", {
      type: "button", class: "av-small", text: t("view.frame.matrix.export"), "aria-haspopup": "true",
      on: { click: (event) => this.ctx.exportMenu(this.shared(), event.currentTarget) },
    });
    this.buttons = el("span", { class: "av-matrix-buttons" }, [tableButton, exportButton]);
    this.buildZoom();
    this.base = el("canvas", { class: "av-base" });
    this.marks = el("canvas", { class: "av-marks" });
    this.spacer = el("div");
    this.scroller = el("div", { class: "av-scroller", on: { scroll: () => this.scrolled() } }, [this.spacer]);
    this.loading = el("p", { class: "av-loading av-muted", "aria-hidden": "true" });
    this.absence = el("p", { class: "av-absence av-muted", hidden: true });
    this.edge = el("div", { class: "av-edge" });
    this.more = el("span", { class: "av-more", "aria-hidden": "true" });
    this.frame = el("div", {
      class: "av-matrix-frame", tabindex: "0", role: "application",
      on: {
        pointermove: (event) => this.point(event),
        pointerleave: () => this.leave(),
        click: (event) => this.click(event),
        contextmenu: (event) => this.ask(event),
        keydown: (event) => this.press(event),
        wheel: (event) => this.wheel(event),
      },
    }, [this.base, this.marks, this.loading, this.scroller, this.edge, this.more]);
    const head = el("div", { class: "av-matrix-head" }, [this.title, this.legend.element, this.zoomButtons, this.buttons]);
    this.element = el("div", { class: "av-matrix" }, [head, this.frame, this.absence]);
  }

  buildZoom() {
    const { t } = this.ctx;
    const button = (key, sign, by) => el("button", {
      type: "button", class: "av-small", text: t(sign), "aria-label": t(key), on: { click: () => this.zoomBy(by) },
    });
    this.smaller = button("view.frame.chain.zoom.out", "view.frame.chain.minus", -1);
    this.larger = button("view.frame.chain.zoom.in", "view.frame.chain.plus", 1);
    const group = { class: "av-matrix-zoom", role: "group", "aria-label": t("view.frame.chain.zoom"), hidden: true };
    this.zoomButtons = el("span", group, [this.smaller, this.larger]);
  }

  /** @param {MatrixSpec} spec */
  show(spec) {
    const before = this.spec;
    this.stale = !spec.matrix;
    const waits = this.stale && !spec.absent;
    this.element.classList.toggle("av-stale", waits);
    this.element.setAttribute("aria-busy", String(waits && spec.isDue !== false));
    this.showAbsence(this.stale ? spec.absent : "");
    if (waits) this.loading.textContent = spec.isDue === false ? "" : this.ctx.t("view.frame.matrix.loading");
    if (waits && before?.matrix) return; // the last picture stays, dimmed, until the numbers are here
    this.spec = spec;
    this.name(spec);
    this.element.dataset.stage = spec.stage;
    const { rows, cols } = this.names();
    this.frame.setAttribute("aria-label", this.ctx.t("view.frame.matrix.label", {
      title: spec.title, rows: spec.rows.labels.length, cols: spec.cols.labels.length, rowAxis: rows, colAxis: cols,
    }));
    clearTimeout(this.summarising);
    this.summarising = setTimeout(() => this.summarise(), SUMMARY_WAIT_MS);
    for (const button of this.buttons.children) button.setAttribute("aria-label", this.ctx.t("view.frame.of", { what: button.textContent, which: spec.title }));
    const sameShape = before && before.rows.labels === spec.rows.labels && before.cols.labels === spec.cols.labels
      && before.cell?.width === spec.cell?.width && before.cell?.height === spec.cell?.height;
    if (!sameShape) this.layout();
    else if (before.matrix !== spec.matrix || String(before.limits) !== String(spec.limits)) this.draw();
  }

  /** The title, which explains itself where the view has a glossary. */
  name({ title, stage }) {
    if (this.title.textContent === title && this.element.dataset.stage === stage) return;
    const { terms } = this.ctx;
    this.title.replaceChildren(terms && stage in TERM_OF ? terms.button(TERM_OF[stage], title) : title);
  }

  /** In place of numbers that will not come, a line that says why. */
  showAbsence(reason = "") {
    for (const part of [this.frame, this.legend.element, this.buttons]) part.hidden = Boolean(reason);
    this.absence.hidden = !reason;
    this.absence.textContent = reason;
  }

  /** Return the content of the table and the exports. */
  shared() {
    const { spec } = this;
    return {
      title: spec.title, rows: spec.rows, cols: spec.cols, file: spec.file, colour: spec.colour, limits: spec.limits,
      get matrix() {
        return spec.matrix;
      },
    };
  }

  /** The axes' names without arrows, for the ear. */
  names() {
    const { t } = this.ctx;
    const name = (axis) => axis.title ?? t(`view.frame.axis.${axis.kind}`);
    return { rows: name(this.spec.rows), cols: name(this.spec.cols) };
  }

  /** Chooses the cell size, sizes canvases and the scrolling window, and draws. */
  layout() {
    const { spec, ctx } = this;
    const room = this.room ? this.room() : this.element.clientWidth;
    if (!spec || room === 0) return;
    const palette = ctx.palette();
    const [rows, cols] = [spec.rows.labels.length, spec.cols.labels.length];
    const names = this.names();
    this.axisTitles = { rows: `${names.rows} ↓`, cols: `${names.cols} →` };
    const cell = spec.cell ?? this.fitOrZoom(room, rows, cols, palette);
    const left = gutterLeft(spec.rows, this.axisTitles.rows, cell.height, palette);
    const top = gutterTop(spec.cols, cell.width, palette);
    const contentWidth = cols * cell.width;
    const contentHeight = rows * cell.height;
    const isWhole = this.isPrinting && Math.max(contentWidth, contentHeight) <= LARGEST_PRINT;
    const tall = !isWhole && contentHeight > this.maxHeight + 0.5;
    const width = isWhole ? contentWidth : Math.min(contentWidth, room - left - 2 - (tall ? SCROLLBAR : 0));
    const height = isWhole ? contentHeight : Math.min(contentHeight, this.maxHeight);
    const wide = contentWidth > width + 0.5;
    this.geometry = {
      rows, cols, cw: cell.width, ch: cell.height, left, top, width, height,
      scrollX: this.scroller.scrollLeft, scrollY: this.scroller.scrollTop,
    };
    Object.assign(this.frame.style, {
      width: `${left + width + 2 + (tall ? SCROLLBAR : 0)}px`, height: `${top + height + 2 + (wide ? SCROLLBAR : 0)}px`,
    });
    Object.assign(this.scroller.style, {
      left: `${left}px`, top: `${top}px`, width: `${width + (tall ? SCROLLBAR : 0)}px`, height: `${height + (wide ? SCROLLBAR : 0)}px`,
      overflowX: wide ? "scroll" : "hidden", overflowY: tall ? "scroll" : "hidden",
    });
    Object.assign(this.edge.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
    Object.assign(this.spacer.style, { width: `${contentWidth}px`, height: `${contentHeight}px` });
    this.draw();
  }

  /** The cells that fit, or larger ones that were asked for. */
  fitOrZoom(room, rows, cols, palette) {
    const fitted = this.fit(room, rows, cols, palette);
    if (this.zoomed !== null && this.zoomed <= fitted.width) this.zoomed = null;
    const cell = this.zoomed === null ? fitted : { width: this.zoomed, height: this.zoomed };
    this.zoomButtons.hidden = !this.zoomable || fitted.height >= LABEL_CELL;
    this.smaller.disabled = this.zoomed === null;
    this.larger.disabled = cell.width >= ZOOMS.at(-1);
    return cell;
  }

  /** The next cell size; what is in the middle, or the chosen cell, stays in view. */
  zoomBy(by) {
    const g = this.geometry;
    const next = by > 0 ? ZOOMS.find((zoom) => zoom > g.cw) : ZOOMS.findLast((zoom) => zoom < g.cw);
    const [x, y] = [(g.scrollX + g.width / 2) / g.cw, (g.scrollY + g.height / 2) / g.ch];
    this.zoomed = next ?? (by > 0 ? this.zoomed : null);
    this.layout();
    const [row] = this.rowMarks(this.ctx.store.state, this.ctx.palette());
    const [col] = this.colMarks(this.ctx.store.state, this.ctx.palette());
    const { cw, ch, width, height } = this.geometry;
    this.scroller.scrollLeft = (col ? col.index + 0.5 : x) * cw - width / 2;
    this.scroller.scrollTop = (row ? row.index + 0.5 : y) * ch - height / 2;
    this.draw();
  }

  wheel(event) {
    if (!event.ctrlKey || this.zoomButtons.hidden || !event.deltaY) return;
    event.preventDefault();
    this.zoomBy(-event.deltaY);
  }

  /** The largest cells that fit: square, unless flatter ones make room for numbers. */
  fit(room, rows, cols, palette) {
    const left = gutterLeft(this.spec.rows, this.axisTitles.rows, BIGGEST_CELL, palette) + 4;
    const across = (room - left) / cols;
    const down = this.maxHeight / rows;
    const side = Math.min(across, down, BIGGEST_CELL);
    if (side < 34 && side >= 18 && across >= 34) return { width: Math.floor(Math.min(across, 44)), height: Math.floor(side) };
    const whole = side >= 4 ? Math.floor(side) : Math.max(1, side);
    return { width: whole, height: whole };
  }

  draw() {
    const { spec, ctx } = this;
    if (!this.geometry || !spec) return;
    this.dirty = !this.inView;
    if (this.dirty) return;
    const g = this.geometry;
    g.scrollX = this.scroller.scrollLeft;
    g.scrollY = this.scroller.scrollTop;
    this.cue(g);
    const palette = ctx.palette();
    const pen = sizeCanvas(this.base, g.left + g.width + 2, g.top + g.height + 2);
    drawBase(pen, g, spec, this.axisTitles, palette);
    const [low, high, over] = spec.limits;
    this.legend.draw(spec.colour, palette, ctx.fmt(low), `${over ? "≥ " : ""}${ctx.fmt(high)}`);
    const placed = `${Object.values(g)} ${palette.background}`;
    this.drawMarks(placed !== this.placed);
    this.placed = placed;
  }

  /** Paper has no scrolling: what is out of sight is drawn as well, and what is wider than a sheet is made smaller. */
  print(isPrinting) {
    const { inView } = this;
    this.inView ||= isPrinting;
    this.isPrinting = isPrinting;
    this.layout();
    this.inView = inView;
    const { width, height } = this.frame.style;
    this.frame.style.setProperty("--av-print", String(Math.min(1, SHEET.width / parseFloat(width), SHEET.height / parseFloat(height)) || 1));
  }

  /** Tells of the columns and rows that are out of sight: how many follow, and a shadow on each side where there are some. */
  cue(g) {
    const { r0, r1, c0, c1 } = visible(g);
    const hidden = { left: c0, above: r0, right: g.cols - c1, below: g.rows - r1 };
    const said = ["right", "below"].filter((side) => hidden[side]).map((side) => this.ctx.t(`view.frame.matrix.more.${side}`, { n: hidden[side] }));
    this.more.textContent = said.join(" · ");
    this.edge.dataset.sides = Object.keys(hidden).filter((side) => hidden[side]).join(" ");
  }

  /** Only the upper canvas: hovering never repaints the cells. */
  drawMarks(force = false) {
    if (!this.inView || !this.geometry || !this.spec) {
      this.dirty = true;
      return;
    }
    const g = this.geometry;
    const palette = this.ctx.palette();
    const { state } = this.ctx.store;
    const marks = { rows: this.rowMarks(state, palette), cols: this.colMarks(state, palette), locked: state.locked };
    const drawn = JSON.stringify(marks);
    if (drawn === this.drawnMarks && !force) return;
    this.drawnMarks = drawn;
    const pen = sizeCanvas(this.marks, g.left + g.width + 2, g.top + g.height + 2);
    drawMarks(pen, g, this.spec, marks, palette);
  }

  rowMarks(state, palette) {
    const { rows } = this.spec;
    const kinds = rows.both ? ["keys", "queries"] : [rows.kind];
    return kinds
      .map((kind) => ({ index: placeOf(rows, state[FIELD[kind]]), colour: markColour(kind, palette) }))
      .filter(({ index }) => index >= 0);
  }

  colMarks(state, palette) {
    const { cols } = this.spec;
    const index = placeOf(cols, state[FIELD[cols.kind]]);
    return index < 0 ? [] : [{ index, colour: markColour(cols.kind, palette) }];
  }

  /** @returns {{row: number|null, col: number|null}} the cell under the pointer; null: the axis only */
  locate(event) {
    const g = this.geometry;
    const box = this.frame.getBoundingClientRect();
    const zoom = zoomOf(this.frame);
    const x = (event.clientX - box.left) / zoom - g.left;
    const y = (event.clientY - box.top) / zoom - g.top;
    const col = Math.floor((x + g.scrollX) / g.cw);
    const row = Math.floor((y + g.scrollY) / g.ch);
    return {
      row: y >= 0 && y < g.height && row < g.rows ? row : null,
      col: x >= 0 && x < g.width && col < g.cols ? col : null,
    };
  }

  /** The state's fields for a place in this matrix. */
  patch({ row, col }) {
    const { rows, cols } = this.spec;
    const patch = { ...NOWHERE };
    if (row !== null) patch[FIELD[rows.kind]] = tokenAt(rows, row);
    if (col !== null) patch[FIELD[cols.kind]] = tokenAt(cols, col);
    return patch;
  }

  point(event) {
    if (!this.geometry || this.stale || event.pointerType === "touch") return;
    const place = this.locate(event);
    hover(this.ctx.store, this.patch(place));
    this.tell(place, event);
  }

  tell(place, event) {
    if (place.row === null || place.col === null || this.stale) this.ctx.tooltip.hide();
    else this.ctx.tooltip.show(this.describe(place.row, place.col), event.clientX, event.clientY);
  }

  /** Describe a cell for the tooltip and for screen readers. */
  describe(row, col) {
    return describeCell(this.ctx, this.spec, row, col);
  }

  leave() {
    this.ctx.tooltip.hide();
    hover(this.ctx.store, NOWHERE);
  }

  click(event) {
    const place = this.geometry && !this.stale && this.locate(event);
    if (!place || (place.row === null && place.col === null)) return;
    if (event.pointerType === "touch" && this.isLockedAt(place)) unlock(this.ctx.store);
    else toggleLock(this.ctx.store, this.patch(place));
    if (event.pointerType !== "touch") return;
    if (this.ctx.store.state.locked) this.tell(place, event);
    else this.ctx.tooltip.hide();
  }

  /** Return the place to edit: a cell that is a pair of a query and a key. */
  ask(event) {
    const { rows, cols } = this.spec ?? {};
    if (!this.geometry || rows?.kind !== "queries" || cols?.kind !== "keys") return;
    const { query, key } = this.patch(this.locate(event));
    this.ctx.ask?.(event, { query, key });
  }

  /** Whether a finger on this cell means the locked one. */
  isLockedAt({ row, col }) {
    const { state } = this.ctx.store;
    const palette = this.ctx.palette();
    const isNear = (marks, at, size) => marks.some(({ index }) => at !== null && Math.abs(index - at) * size <= FINGER / 2);
    const { cw, ch } = this.geometry;
    return state.locked && isNear(this.rowMarks(state, palette), row, ch) && isNear(this.colMarks(state, palette), col, cw);
  }

  press(event) {
    const move = arrowOf(event);
    const { store } = this.ctx;
    if (event.key === "Enter" || event.key === " ") {
      store.set({ locked: !store.state.locked });
    } else if (event.key === "e" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      this.ask(event);
    } else if (event.key === "Escape") {
      if (!store.state.locked) return;
      unlock(store);
    } else if (["+", "=", "-"].includes(event.key) && !event.ctrlKey && !event.metaKey && !this.zoomButtons.hidden) {
      this.zoomBy(event.key === "-" ? -1 : 1);
    } else if (move) {
      this.step(move);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Moves the current cell by keyboard; a locked cell moves and stays locked. */
  step([down, across]) {
    const { store } = this.ctx;
    const { rows, cols } = this.spec;
    const g = this.geometry;
    const row = placeOf(rows, store.state[FIELD[rows.kind]]);
    const col = placeOf(cols, store.state[FIELD[cols.kind]]);
    const within = (place, by, count) => (place < 0 ? 0 : Math.min(count - 1, Math.max(0, place + by)));
    const next = { row: within(row, down, g.rows), col: within(col, across, g.cols) };
    store.set(this.patch(next));
    this.reveal(next);
    if (!this.stale) this.ctx.announce(this.said(next.row, next.col));
  }

  /** A cell in words, for those who hear the page. */
  said(row, col) {
    const lines = this.describe(row, col);
    return lines.map(({ label, token, text }) => `${label} ${token === undefined ? text : tokenText(token)}`).join(", ");
  }

  /** The picture in words: its pattern and its strongest cell. Told once the picture stands, for it looks at every number. */
  summarise() {
    const { matrix } = this.spec;
    if (this.stale || !matrix.data.length) return; // the last picture is of other numbers
    const at = strongest(matrix.data);
    const cell = this.said(Math.floor(at / matrix.cols), at % matrix.cols);
    this.frame.setAttribute("aria-description", `${this.told()} ${this.ctx.t("view.frame.matrix.strongest", { cell })}`.trim());
  }

  reveal({ row, col }) {
    const g = this.geometry;
    const inside = (at, size, scroll, room) => Math.min(at, Math.max(scroll, at + size - room));
    this.scroller.scrollLeft = inside(col * g.cw, g.cw, g.scrollX, g.width);
    this.scroller.scrollTop = inside(row * g.ch, g.ch, g.scrollY, g.height);
  }

  scrolled() {
    if (this.frameRequest) return;
    this.frameRequest = requestAnimationFrame(() => {
      this.frameRequest = 0;
      this.draw();
    });
  }
  update(changed) {
    if (changed.has("theme")) this.layout();
    else if ([...Object.keys(NOWHERE), "locked"].some((field) => changed.has(field))) this.drawMarks();
  }
}
