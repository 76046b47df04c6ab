/** Every layer x head as a thumbnail; layers are rows of their own, heads are columns, averages stand apart. */

import { el, sizeCanvas } from "./dom.js";
import { hover } from "./store.js";
import { chooseHead, groupSites, siteTitle } from "./select.js";

const MOST = 60; // px of a thumbnail
const LEAST = 22;
const GAP = { roomy: 4, tight: 2 };
const HEADER = { roomy: 58, tight: 20 }; // px of a layer's name
const EDGES = 26; // px of padding, borders and the step before the average
const MANY = 8; // heads, from where on names are short and gaps tight
const ENLARGED = 180;

export class Grid {
  constructor(ctx) {
    this.ctx = ctx;
    this.element = el("div", { class: "av-grid", on: { keydown: (event) => this.press(event) } });
    this.resized = new ResizeObserver(() => this.measure());
    this.resized.observe(this.element);
    this.build();
  }

  destroy() {
    this.resized.disconnect();
  }

  build() {
    const { t } = this.ctx;
    this.thumbs = []; // {image, cell, index, head} of every thumbnail, averages too
    this.buttons = new Map(); // "site/head" -> button
    this.sections = [];
    const parts = [];
    for (const [name, members] of groupSites(this.ctx.data.sites)) {
      const heads = Math.max(...members.map(({ site }) => site.n_heads));
      const table = el("div", { class: "av-grid-table", role: "grid", "aria-label": t(`view.frame.stack.${name}`) });
      table.style.setProperty("--heads", String(heads));
      table.append(this.headings(heads));
      for (const member of members) table.append(this.layerRow(member));
      // one canvas a section: hundreds of them would be hundreds of layers to put together at every frame
      const picture = el("canvas", { class: "av-grid-picture", "aria-hidden": "true" });
      const marks = el("canvas", { class: "av-grid-picture", "aria-hidden": "true" });
      const box = el("div", { class: "av-grid-box" }, [table, picture, marks]);
      parts.push(el("section", { class: "av-grid-section" }, [el("h3", { text: t(`view.frame.stack.${name}`) }), box]));
      this.sections.push({ members, heads, table, picture, marks });
    }
    const pooled = this.ctx.data.sites.some((site, index) => this.ctx.data.thumbs(index).shape[2] < this.ctx.data.tokens(site.keys).length);
    if (pooled) parts.push(el("p", { class: "av-muted av-grid-note", text: t("view.frame.grid.pooled") }));
    this.element.replaceChildren(...parts);
    this.paint();
    this.measure();
    this.select();
  }

  headings(heads) {
    const { t } = this.ctx;
    const label = (text, name) => el("span", { class: "av-col-head", role: "columnheader", text, "aria-label": name });
    const corner = el("span", { class: "av-corner", role: "columnheader", text: t("view.frame.grid.corner") });
    const columns = Array.from({ length: heads }, (_, h) => label(heads > 5 ? String(h) : t("view.frame.grid.head", { head: h }), t("view.frame.grid.head", { head: h })));
    const average = label(heads > 5 ? t("view.frame.grid.average.short") : t("view.frame.grid.average"), t("view.frame.grid.average"));
    average.classList.add("av-average");
    return el("div", { class: "av-grid-heads", role: "row" }, [corner, ...columns, average]);
  }

  layerRow({ site, index }) {
    const { t } = this.ctx;
    const cells = [];
    for (let head = 0; head <= site.n_heads; head += 1) {
      const average = head === site.n_heads;
      const name = this.name(site, head);
      const cell = average
        ? el("div", { class: "av-thumb av-average", role: "gridcell", "aria-label": name })
        : el("button", { class: "av-thumb", type: "button", role: "gridcell", tabindex: "-1", "aria-label": name, "aria-selected": "false", dataset: { site: site.name, head } });
      cell.addEventListener("pointermove", (event) => this.point(event, index, head, name));
      cell.addEventListener("pointerleave", () => this.leave());
      if (!average) {
        cell.addEventListener("click", () => chooseHead(this.ctx, index, head));
        this.buttons.set(`${index}/${head}`, cell);
      }
      this.thumbs.push({ image: undefined, cell, index, head });
      cells.push(cell);
    }
    const header = el("span", { class: "av-row-head", role: "rowheader", text: t(site.n_heads > MANY ? "view.frame.grid.layer.short" : "view.frame.grid.layer", { layer: site.layer }), "aria-label": t("view.frame.grid.layer", { layer: site.layer }) });
    return el("div", { class: "av-layer", role: "row" }, [header, ...cells]);
  }

  name(site, head) {
    const { t } = this.ctx;
    if (head < site.n_heads) return siteTitle(this.ctx, site, head);
    return t("view.frame.grid.average.of", { stack: t(`view.frame.stack.${site.stack}.${site.kind}`), layer: site.layer, n: site.n_heads });
  }

  /** Thumbnails as images, made once a trace or theme: one pixel a cell. */
  paint() {
    const { tables } = this.ctx.palette();
    const colours = Uint32Array.from({ length: 256 }, (_, level) => {
      const steps = tables.sequential.length - 1;
      return tables.sequential[Math.round((level / 255) * steps)];
    });
    for (const thumb of this.thumbs) {
      const { index, head } = thumb;
      const { data, shape: [, rows, cols] } = this.ctx.data.thumbs(index); // (H + 1, rows, cols)
      thumb.image = new OffscreenCanvas(cols, rows);
      const pen = thumb.image.getContext("2d");
      const image = pen.createImageData(cols, rows);
      const pixels = new Uint32Array(image.data.buffer);
      const start = head * rows * cols;
      for (let i = 0; i < rows * cols; i += 1) pixels[i] = colours[data[start + i]];
      pen.putImageData(image, 0, 0);
    }
  }

  /** The size of a thumbnail that fills the column, and where each one is (for the marks). */
  measure() {
    const room = this.element.clientWidth;
    if (room === 0) return;
    const heads = Math.max(...this.sections.map((section) => section.heads));
    const density = heads > MANY ? "tight" : "roomy";
    const inner = room - HEADER[density] - EDGES;
    const side = Math.max(LEAST, Math.min(MOST, Math.floor(inner / (heads + 1)) - GAP[density]));
    const { style, classList } = this.element;
    style.setProperty("--thumb", `${side}px`);
    style.setProperty("--thumb-gap", `${GAP[density]}px`);
    style.setProperty("--row-head", `${HEADER[density]}px`);
    classList.toggle("av-tight", density === "tight");
    for (const section of this.sections) {
      const own = new Set(section.members.map(({ index }) => index));
      const origin = section.table.getBoundingClientRect();
      section.places = this.thumbs.filter(({ index }) => own.has(index)).map((thumb) => {
        const box = thumb.cell.getBoundingClientRect();
        return { thumb, x: box.left - origin.left, y: box.top - origin.top, width: box.width, height: box.height };
      });
      section.size = [origin.width, origin.height];
    }
    this.drawPictures();
    this.drawMarks();
    const { site, head } = this.ctx.store.state;
    this.reveal(this.buttons.get(`${site}/${head}`));
  }

  drawPictures() {
    for (const { picture, places, size } of this.sections) {
      if (!places) continue;
      const pen = sizeCanvas(picture, ...size);
      pen.clearRect(0, 0, ...size);
      for (const { thumb: { image }, x, y, width, height } of places) {
        pen.imageSmoothingEnabled = image.width > width || image.height > height; // smaller: no cell may vanish
        pen.drawImage(image, x, y, width, height);
      }
    }
  }

  /** Thin lines at the hovered or locked query and key, in every thumbnail of the same tokens. */
  drawMarks() {
    const { store, data } = this.ctx;
    const { state } = store;
    const palette = this.ctx.palette();
    const current = data.site(state.site);
    for (const { members, marks, places, size } of this.sections) {
      if (!places) continue;
      const pen = sizeCanvas(marks, ...size);
      pen.clearRect(0, 0, ...size);
      pen.globalAlpha = state.locked ? 0.9 : 0.6;
      const { site } = members[0];
      const at = (tokens, index) => (index + 0.5) / data.tokens(tokens).length;
      const row = state.query !== null && site.queries === current.queries ? at(site.queries, state.query) : null;
      const col = state.key !== null && site.keys === current.keys ? at(site.keys, state.key) : null;
      for (const { x, y, width, height } of places) {
        if (row !== null) {
          pen.fillStyle = palette.query;
          pen.fillRect(x, Math.round(y + row * height - 0.5), width, 1);
        }
        if (col !== null) {
          pen.fillStyle = palette.key;
          pen.fillRect(Math.round(x + col * width - 0.5), y, 1, height);
        }
      }
    }
  }

  select() {
    const { site, head } = this.ctx.store.state;
    for (const button of this.element.querySelectorAll('[aria-selected="true"]')) {
      button.setAttribute("aria-selected", "false");
      button.tabIndex = -1;
    }
    const chosen = this.buttons.get(`${site}/${head}`);
    chosen.setAttribute("aria-selected", "true");
    chosen.tabIndex = 0;
    this.reveal(chosen);
  }

  /** Scrolls the grid's own box, never the page, so far that the chosen head is in it. */
  reveal(chosen) {
    const box = this.element.parentElement;
    if (!box || box.scrollHeight <= box.clientHeight) return;
    const [outer, inner] = [box.getBoundingClientRect(), chosen.getBoundingClientRect()];
    if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 8;
    else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 8;
  }

  point(event, index, head, name) {
    const big = this.enlarged(index, head, name);
    this.ctx.tooltip.showElement(big, event.clientX, event.clientY);
  }

  /** A larger picture of a thumbnail, with its name. */
  enlarged(index, head, name) {
    const key = `${index}/${head}`;
    if (this.shownKey === key && this.shown) return this.shown;
    const { image: source } = this.thumbs.find((thumb) => thumb.index === index && thumb.head === head);
    const scale = ENLARGED / Math.max(source.width, source.height);
    const canvas = el("canvas", { class: "av-enlarged" });
    const [width, height] = [Math.max(8, source.width * scale), Math.max(8, source.height * scale)];
    const pen = sizeCanvas(canvas, width, height);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(source, 0, 0, width, height);
    this.shownKey = key;
    this.shown = el("figure", { class: "av-enlarge" }, [el("figcaption", { text: name }), canvas]);
    return this.shown;
  }

  leave() {
    this.shownKey = null;
    this.ctx.tooltip.hide();
    hover(this.ctx.store, { query: null, key: null, dim: null });
  }

  /** Left and Right walk heads, Up and Down walk layers, across the sections. */
  press(event) {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const { store, data } = this.ctx;
    const order = [...groupSites(data.sites).values()].flat().map(({ index }) => index);
    const at = order.indexOf(store.state.site) + move[0];
    const site = order[Math.min(order.length - 1, Math.max(0, at))];
    const head = Math.min(data.site(site).n_heads - 1, Math.max(0, store.state.head + move[1]));
    chooseHead(this.ctx, site, head);
    this.buttons.get(`${site}/${head}`).focus();
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (changed.has("trace")) this.build();
    else if (changed.has("theme")) {
      this.shownKey = null;
      this.paint();
      this.drawPictures();
      this.drawMarks();
    }
    if (changed.has("site") || changed.has("head")) this.select();
    if (["site", "query", "key", "locked"].some((key) => changed.has(key))) this.drawMarks();
  }
}
