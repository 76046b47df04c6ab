/** The image that a model saw, with what the chosen query reads of it, patch by patch. */

import { css, ink } from "../core/colors.js";
import { arrowOf, el, sizeCanvas } from "../core/dom.js";
import { fmtPercent, tokenElement } from "../core/format.js";
import { cellFormatOf, formatOf } from "../core/rounding.js";
import { unlock } from "../core/store.js";
import { Legend } from "../matrix/heat.js";
import { visibleWeights } from "../matrix/shown.js";
import { TokenList } from "./list.js";
import { Panel } from "./panel.js";

const ROW = 24; // height of a token beside the image, px
const TALLEST = 380; // px of the image
const FADE = 0.45; // how far the image goes towards the background, so that colours on it can be read
const [LEAST, MOST] = [0.1, 0.8]; // opacity of the smallest and the largest weight
const LUMA = [0.299, 0.587, 0.114];

/**
 * Return the places of tokens on an image: token -> [row, column]; tokens that are not on it are left out.
 * @param {{rows: number, columns: number, offset: number, cells: number[][]}} grid
 * @param {number} count  of the tokens
 */
function placesOf({ rows, columns, offset, cells = [] }, count) {
  const given = cells.length ? cells : Array.from({ length: rows * columns }, (_, n) => [Math.floor(n / columns), n % columns]);
  /** @param {number[]} place */
  const inside = ([row, column]) => row >= 0 && row < rows && column >= 0 && column < columns;
  const found = new Map(given.map((place, n) => [n + (cells.length ? 0 : offset), place]));
  for (const [token, place] of found) if (token >= count || !inside(place)) found.delete(token);
  return found;
}

/**
 * Return the weights of a query on each key; without a query, the average of all queries.
 * @param {import("../matrix/shown.js").Shown} shown
 * @param {number} row  place of the query, -1: none
 * @returns {Float64Array} (cols,)
 */
export function reading({ data, rows, cols }, row) {
  const read = new Float64Array(cols);
  const [first, end] = row < 0 ? [0, rows] : [row, row + 1];
  for (let i = first; i < end; i += 1) for (let j = 0; j < cols; j += 1) read[j] += data[i * cols + j] / (end - first);
  return read;
}

/** The chosen head's weights on the image: which token lies on which patch, and what is read of each. */
class Picture {
  /**
   * @param {import("../core/context.js").Context} ctx
   * @param {import("../matrix/shown.js").Shown} shown
   */
  constructor({ data, store }, shown) {
    const site = data.site(store.state.site);
    this.data = data;
    this.shown = shown;
    this.grid = data.header.grids[site.keys];
    this.linked = site.queries === site.keys; // its queries are the patches themselves
    this.placeOf = placesOf(this.grid, data.tokens(site.keys).length);
    this.tokenOf = new Int32Array(this.grid.rows * this.grid.columns).fill(-1);
    for (const [token, [row, column]] of this.placeOf) this.tokenOf[row * this.grid.columns + column] = token;
    const queries = shown.queries.tokens.map(([first]) => first);
    this.tokens = this.linked ? queries.filter((token) => !this.placeOf.has(token)) : queries; // those beside the image
    this.keysBeside = shown.allKeys.labels.length > this.placeOf.size;
    this.signature = `${site.queries} ${site.keys} ${this.tokens.length}`;
    this.read = new Float64Array(shown.cols); // of each key
    this.average = undefined; // what all queries read of each
  }

  /** Reads what a query gives to each key; null: what all of them give on average. */
  readOf(query) {
    const row = query === null ? -1 : this.shown.queries.of[query];
    this.read = row < 0 ? (this.average ??= reading(this.shown, -1)) : reading(this.shown, row);
  }

  /** The token of a patch; null outside of the image, and outside of the window that a head reads. */
  patch(row, column) {
    const { rows, columns } = this.grid;
    if (row < 0 || row >= rows || column < 0 || column >= columns) return null;
    const token = this.tokenOf[row * columns + column];
    return token < 0 ? null : token;
  }

  /** Row and column of a token on the image; null beside it. */
  placeOn(token) {
    return this.placeOf.get(token) ?? null;
  }

  weightOf(token) {
    const column = this.shown.keys.of[token];
    return column < 0 ? null : this.read[column];
  }

  /** Sums the weights on the image and on the tokens beside it, and finds the largest of a patch. */
  get shares() {
    const weights = [...this.placeOf.keys()].map((token) => this.weightOf(token) ?? 0);
    const onImage = weights.reduce((sum, weight) => sum + weight, 0);
    const total = this.read.reduce((sum, weight) => sum + weight, 0);
    return { onImage, beside: Math.max(0, total - onImage), largest: weights.reduce((most, weight) => Math.max(most, weight), 0) };
  }
}

/** The image in grey, half-way to the background; as it is where it stands alone. */
function fadedImage({ data, shape: [height, width] }, palette, bare) {
  const image = new OffscreenCanvas(width, height);
  const pen = image.getContext("2d");
  const pixels = pen.createImageData(width, height);
  const ground = palette.sequential(0);
  for (let n = 0; n < width * height; n += 1) {
    const grey = LUMA.reduce((sum, share, c) => sum + share * data[3 * n + c], 0);
    for (let c = 0; c < 3; c += 1) pixels.data[4 * n + c] = bare ? data[3 * n + c] : grey + (ground[c] - grey) * FADE;
    pixels.data[4 * n + 3] = 255;
  }
  pen.putImageData(pixels, 0, 0);
  return image;
}

/** One pixel a patch; its colour and opacity grow with the weight. */
function overlay(picture, palette, largest) {
  const { rows, columns } = picture.grid;
  const heat = new OffscreenCanvas(columns, rows);
  const pen = heat.getContext("2d");
  const pixels = pen.createImageData(columns, rows);
  picture.tokenOf.forEach((token, n) => {
    if (token < 0) return; // another window
    const share = (picture.weightOf(token) ?? 0) / (largest || 1);
    pixels.data.set([...palette.sequential(share), 255 * (LEAST + (MOST - LEAST) * share ** 0.7)], 4 * n);
  });
  pen.putImageData(pixels, 0, 0);
  return heat;
}

export class ImagePanel extends Panel {
  static id = "image";

  /** Whether there is an image below the keys of the chosen head. */
  static fits({ data, store }) {
    return Boolean(data.array("image") && data.header.grids?.[data.site(store.state.site).keys]);
  }

  constructor(ctx) {
    super(ctx);
    /** @type {Picture|null} */
    this.view = null;
    this.bare = false; // the image without weights
    this.size = [0, 0]; // of the image on the screen
    this.legend = new Legend();
    this.caption = el("p", { class: "avp-image-caption", "aria-live": "polite" });
    this.alone = el("button", { type: "button", class: "av-small", "aria-pressed": "false", on: { click: () => this.toggle() } }, this.t("view.panel.image.alone"));
    this.scroller = el("div", { class: "avp-image-scroll", on: { scroll: () => this.refresh() } });
    this.list = this.makeList();
    this.scroller.append(this.list.host);
    this.canvas = this.makeCanvas();
    this.picture = el("div", { class: "avp-image-picture" }, this.canvas);
    const head = el("div", { class: "avp-image-head" }, this.legend.element, this.alone);
    this.element.append(head, el("div", { class: "avp-image-main" }, this.scroller, this.picture), this.caption);
    this.onResize(this.element, () => {
      this.refresh();
      this.paint();
    });
  }

  makeList() {
    return new TokenList(this.ctx, {
      scroller: this.scroller, class: "avp-image-tokens", label: this.t("view.panel.image.beside"), height: ROW,
      make: (index) => this.makeToken(index),
      point: (index, act) => act({ query: this.view.tokens[index], key: null }),
      chosen: () => this.chosen(),
      leave: () => this.view?.linked && this.hover({ query: null, key: null }),
      across: (key) => {
        if (key !== "ArrowRight") return false;
        this.canvas.focus();
        return true;
      },
    });
  }

  makeCanvas() {
    return el("canvas", {
      class: "avp-image-canvas", role: "application", tabindex: "0", "aria-label": this.t("view.panel.image.label"),
      on: {
        pointermove: (event) => this.point(event),
        pointerleave: () => this.leave(),
        click: (event) => this.click(event),
        keydown: (event) => this.press(event),
      },
    });
  }

  makeToken(index) {
    const labels = this.ctx.data.tokens(this.ctx.data.site(this.ctx.store.state.site).queries);
    return el("div", { class: "avp-lines-token" }, tokenElement(labels[this.view.tokens[index]]), this.view.linked ? el("span", { class: "avp-number" }) : null);
  }

  /** The row of the chosen query beside the image, or null. */
  chosen() {
    const at = this.view.tokens.indexOf(this.ctx.store.state.query);
    return at < 0 ? null : at;
  }

  toggle() {
    this.bare = !this.bare;
    this.alone.setAttribute("aria-pressed", String(this.bare));
    this.paint();
  }

  refresh() {
    if (this.view && this.list.refresh()) this.paint();
  }

  paint() {
    const { view, canvas } = this;
    const room = this.picture.clientWidth;
    if (!view || !room) return;
    const { state } = this.ctx.store;
    view.readOf(state.query);
    const { largest } = view.shares;
    this.describe(state);
    const palette = this.ctx.palette();
    const [height, width] = this.ctx.data.array("image").shape;
    const scale = Math.min(room / width, TALLEST / height);
    this.size = [width * scale, height * scale];
    const pen = sizeCanvas(canvas, this.size[0], this.size[1]);
    pen.imageSmoothingEnabled = scale < 1 || width > 64;
    pen.drawImage(this.image(palette), 0, 0, this.size[0], this.size[1]);
    pen.imageSmoothingEnabled = false;
    if (!this.bare) pen.drawImage(overlay(view, palette, largest), 0, 0, this.size[0], this.size[1]);
    this.outline(pen, state.key, palette.key, palette);
    this.outline(pen, view.linked ? state.query : null, palette.query, palette, state.locked);
    this.paintTokens(palette);
    this.legend.draw("sequential", palette, this.ctx.fmt(0), formatOf(view.shown)(largest));
    this.legend.element.style.visibility = this.bare ? "hidden" : "";
  }

  /** The image below the weights; made once a trace, theme and way to see it. */
  image(palette) {
    const source = this.ctx.data.array("image"); // (H, W, 3)
    const { plain, bare } = this;
    if (plain?.source !== source || plain.palette !== palette || plain.bare !== bare) this.plain = { source, palette, bare, canvas: fadedImage(source, palette, bare) };
    return this.plain.canvas;
  }

  describe(state) {
    const { t, view } = this;
    const site = this.ctx.data.site(state.site);
    const query = state.query === null ? -1 : view.shown.queries.of[state.query];
    const { onImage, beside } = view.shares;
    const percent = (share) => t("view.panel.percent", { value: view.shown.rounding ? String(Math.round(100 * share)) : fmtPercent(share) });
    const name = query < 0 ? t("view.panel.image.average", { count: view.shown.rows }) : t("view.panel.query_at", { index: state.query });
    this.caption.replaceChildren(
      el("span", { class: "is-query" }, name),
      query < 0 ? "" : tokenElement(this.ctx.data.tokens(site.queries)[state.query]),
      ` ${t(view.keysBeside ? "view.panel.image.shares" : "view.panel.image.share", { patches: percent(onImage), beside: percent(beside) })}`,
    );
  }

  outline(pen, token, colour, palette, strong = false) {
    const place = this.view.placeOn(token);
    if (!place) return;
    const [w, h] = [this.size[0] / this.view.grid.columns, this.size[1] / this.view.grid.rows];
    for (const [stroke, line] of [[palette.background, strong ? 6 : 5], [colour, strong ? 3 : 2]]) {
      pen.strokeStyle = stroke;
      pen.lineWidth = line;
      pen.strokeRect(place[1] * w, place[0] * h, w, h);
    }
  }

  paintTokens(palette) {
    const { view, bare } = this;
    this.list.mark(this.chosen());
    if (!view.linked) return;
    for (const [index, element] of this.list.shown) {
      const weight = view.weightOf(view.tokens[index]);
      const colour = weight === null || bare ? null : palette.sequential(Math.min(1, weight));
      element.style.background = colour ? css(colour) : "";
      element.style.color = colour ? ink(colour) : "";
      element.classList.toggle("is-hidden", weight === null);
      element.lastChild.textContent = weight === null ? "" : cellFormatOf(view.shown)(weight, 5);
    }
  }

  /** The token of the patch under the pointer. */
  patchAt(event) {
    if (!this.view) return null;
    const box = this.canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    if (x < 0 || x >= 1 || y < 0 || y >= 1) return null;
    return this.view.patch(Math.floor(y * this.view.grid.rows), Math.floor(x * this.view.grid.columns));
  }

  /** A patch is a query where the image reads itself, else a key of the query that was chosen. */
  patchOf(token) {
    return this.view.linked ? { query: token, key: null } : { query: this.ctx.store.state.query, key: token };
  }

  point(event) {
    const token = event.pointerType === "touch" ? null : this.patchAt(event);
    if (token === null) return;
    this.hover(this.patchOf(token));
    this.tell(token, event);
  }

  leave() {
    this.ctx.tooltip.hide();
    this.hover(this.view?.linked ? { query: null, key: null } : { key: null });
  }

  click(event) {
    const token = this.patchAt(event);
    if (token !== null) this.lock(this.patchOf(token));
  }

  tell(token, event) {
    const { t, view, ctx } = this;
    const site = ctx.data.site(ctx.store.state.site);
    const tone = view.linked ? "query" : "key";
    /** @type {import("../matrix/tooltip.js").Line[]} */
    const lines = [{ label: t(`view.frame.tip.${tone}`), token: ctx.data.tokens(site.keys)[token], text: `#${token}`, tone }];
    const weight = view.weightOf(token);
    if (!view.linked && weight !== null) lines.push({ label: t("view.frame.tip.weights"), text: formatOf(view.shown)(weight), exact: view.shown.rounding ? undefined : ctx.full(weight) });
    ctx.tooltip.show(lines, event.clientX, event.clientY);
  }

  press(event) {
    const move = arrowOf(event);
    const { store } = this.ctx;
    if (event.key === "Enter" || event.key === " ") store.set({ locked: !store.state.locked });
    else if (event.key === "Escape" && store.state.locked) unlock(store);
    else if (move && this.view) this.step(move);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  step([down, across]) {
    const { view } = this;
    const { state } = this.ctx.store;
    const place = view.placeOn(view.linked ? state.query : state.key);
    const [first] = view.placeOf.keys();
    const next = place ? view.patch(place[0] + down, place[1] + across) : first;
    if (next !== null) this.ctx.store.set(this.patchOf(next));
  }

  update(state, changed) {
    const shown = visibleWeights(state, this.ctx);
    this.element.classList.toggle("is-waiting", !shown);
    if (!shown) return; // the last picture stays, dimmed, until the numbers are here
    const before = this.view;
    if (before?.shown !== shown || before.data !== this.ctx.data) {
      this.view = new Picture(this.ctx, shown);
      this.scroller.hidden = this.view.tokens.length === 0;
      if (before?.signature !== this.view.signature || before.data !== this.view.data) this.list.reset(this.view.tokens.length);
    }
    const at = this.chosen();
    if (changed.has("query") && !this.list.host.matches(":hover") && at !== null) this.list.reveal(at, true);
    this.paint();
  }
}
