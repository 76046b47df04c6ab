/**
 * Every layer x head as a thumbnail; layers are rows of their own, heads are columns, averages stand apart. Rows come in
 * blocks, and only the blocks in sight are in the document: a model may have thousands of heads.
 */

import { css, ink } from "../core/colors.js";
import { arrowOf, el, revealAcross, sizeCanvas } from "../core/dom.js";
import { NOWHERE, hover } from "../core/store.js";
import { TabList } from "../core/tablist.js";
import { chooseHead, groupSites, hasPart, neighbour, siteTitle, stackTitle } from "../core/select.js";
import { darkest, scaleOf } from "./shade.js";

const MOST = 60; // px of a thumbnail
const LEAST = 22;
const GAP = { roomy: 4, tight: 2 };
const HEADER = { roomy: 58, tight: 20, parts: 40 }; // px of a layer's name
const PAD = { roomy: 10, tight: 6 }; // px that a row is higher than its thumbnails
const EDGE = 6; // px of padding and border beside a row
const APART = 8; // px before the average
const MANY = 8; // heads, from where on names are short and gaps tight
const TOGETHER = 12; // rows up to which all groups stand below each other; with more, each has a tab
const BLOCK = 3; // rows that come and go together
const MARGIN = 240; // px around the part in sight that is drawn too
const ENLARGED = 180;
const KIND = { self: "self-attention", cross: "cross-attention" }; // the term of a group
const NUMBERED = 30; // px of a thumbnail that has room for a number
const NARROWEST = 230; // px of the grid beside the chosen head
const WIDEST = 360;

/** A change of a probability in percent, with its sign. Pure. */
export function points(change) {
  const size = Math.abs(100 * change);
  return `${change < 0 ? "−" : "+"}${size >= 9.95 ? Math.round(size) : size.toFixed(1)}`;
}

export class Grid {
  constructor(ctx) {
    this.ctx = ctx;
    this.effects = null; // a map in place of the weights
    this.tabs = el("div", { class: "av-grid-tabs" });
    this.content = el("div", { class: "av-grid-content" });
    this.scroller = el("div", {
      class: "av-grid-scroll",
      on: {
        scroll: () => this.scrolled(),
        keydown: (event) => this.press(event),
        pointermove: (event) => this.point(event),
        pointerleave: () => this.leave(),
        click: (event) => this.click(event),
        contextmenu: (event) => this.ask(event),
      },
    }, [this.content]);
    this.note = el("p", { class: "av-muted av-grid-note", text: ctx.t("view.frame.grid.pooled") });
    this.element = el("div", { class: "av-grid" }, [this.tabs, this.scroller, this.note]);
    this.resized = new ResizeObserver(() => this.measure());
    this.resized.observe(this.element);
    this.build();
  }

  destroy() {
    this.resized.disconnect();
  }

  build() {
    this.images = new Map(); // "site/head" -> its thumbnail as an image
    this.groups = groupSites(this.ctx.data.sites);
    const rows = this.ctx.data.sites.length;
    this.tabbed = this.groups.size > 1 && rows > TOGETHER;
    this.shownGroup = this.groupOf(this.ctx.store.state.site);
    this.buildTabs();
    this.buildSections();
  }

  /** For other numbers; whoever moves by keyboard stays on the chosen head. */
  rebuild() {
    const isFocused = this.content.matches(":focus-within");
    this.build();
    const { site, head } = this.ctx.store.state;
    if (isFocused) this.button(site, head)?.focus({ preventScroll: true });
  }

  groupOf(index) {
    const { stack, kind } = this.ctx.data.site(index);
    return `${stack}.${kind}`;
  }

  buildTabs() {
    const { t } = this.ctx;
    this.tabs.hidden = !this.tabbed;
    const about = (name) => ({ text: t(`view.frame.group.${name}`), title: t(`view.frame.stack.${name}`) });
    this.list = new TabList({ label: t("view.frame.grid.groups"), names: [...this.groups.keys()], about, choose: (name) => this.open(name) });
    this.list.show(this.shownGroup);
    this.tabs.replaceChildren(this.list.element);
  }

  /** Shows the heads of another group; the chosen head stays chosen. */
  open(name) {
    if (name === this.shownGroup) return;
    this.shownGroup = name;
    this.list.show(name);
    if (this.tabbed) this.buildSections();
  }

  buildSections() {
    const { data } = this.ctx;
    const shown = [...this.groups].filter(([name]) => !this.tabbed || name === this.shownGroup);
    this.sections = shown.map(([name, members]) => this.section(name, members));
    this.blocks = this.sections.flatMap((section) => section.blocks);
    this.note.hidden = data.sites.every((site, index) => data.thumbs(index).shape[2] === data.tokens(site.keys).length);
    this.content.replaceChildren(...this.sections.map((section) => section.element));
    this.scroller.scrollTop = 0;
    this.measure();
  }

  section(name, members) {
    const heads = Math.max(...members.map(({ site }) => site.n_heads));
    const named = stackTitle(this.ctx, members[0].site);
    const table = el("div", {
      class: "av-grid-table", role: "grid", "aria-label": named, "aria-rowcount": members.length + 1, "aria-colcount": heads + 2,
    }, [this.headings(heads)]);
    const blocks = [];
    for (let first = 0; first < members.length; first += BLOCK) {
      const block = { members: members.slice(first, first + BLOCK), first, heads, drawn: false };
      block.element = el("div", { class: "av-grid-block", role: "rowgroup" });
      blocks.push(block);
      table.append(block.element);
    }
    const title = this.tabbed ? [] : [el("h2", {}, this.ctx.terms.button(KIND[name.split(".")[1]], named))];
    return { heads, blocks, parts: members.some(({ site }) => hasPart(site)), element: el("section", { class: "av-grid-section" }, [...title, table]) };
  }

  headings(heads) {
    const { t } = this.ctx;
    const label = (text, name) => el("span", { class: "av-col-head", role: "columnheader", text, "aria-label": name });
    const corner = el("span", { class: "av-corner", role: "columnheader" }, this.ctx.terms.button("layer", t("view.frame.grid.corner")));
    const columns = Array.from({ length: heads }, (_, h) => label(heads > 5 ? String(h) : t("view.frame.grid.head", { head: h }), t("view.frame.grid.head", { head: h })));
    const average = label(heads > 5 ? t("view.frame.grid.average.short") : t("view.frame.grid.average"), t("view.frame.grid.average"));
    average.classList.add("av-average");
    return el("div", { class: "av-grid-heads", role: "row" }, [corner, ...columns, average]);
  }

  /** Puts the rows of a block into the document, and their pictures over them. */
  fill(block) {
    if (block.drawn) return;
    block.drawn = true;
    block.buttons = new Map(); // "site/head" -> button
    // one canvas a block: hundreds of them would be hundreds of layers to put together at every frame
    block.picture = el("canvas", { class: "av-grid-picture", "aria-hidden": "true" });
    block.marks = el("canvas", { class: "av-grid-picture", "aria-hidden": "true" });
    const rows = block.members.map((member, n) => this.layerRow(block, member, block.first + n));
    block.element.replaceChildren(...rows, block.picture, block.marks);
    this.drawPicture(block);
    this.drawMarksOf(block);
  }

  empty(block) {
    block.drawn = false;
    block.buttons = undefined;
    block.element.replaceChildren();
  }

  layerRow(block, { site, index }, row) {
    const { t, store } = this.ctx;
    const cells = [];
    for (let head = 0; head <= site.n_heads; head += 1) {
      const average = head === site.n_heads;
      const at = `${index}/${head}`;
      const chosen = index === store.state.site && head === store.state.head;
      const common = { role: "gridcell", "aria-label": this.name(site, head) };
      const cell = average
        ? el("div", { class: "av-thumb av-average", ...common, dataset: { at } })
        : el("button", { class: "av-thumb", type: "button", ...common, tabindex: chosen ? 0 : -1, "aria-selected": String(chosen), dataset: { at, site: site.name, head } });
      if (!average) block.buttons.set(at, cell);
      cells.push(cell);
    }
    const names = { layer: site.layer, part: site.part };
    const full = t(hasPart(site) ? "view.frame.grid.layer.part" : "view.frame.grid.layer", names);
    const short = t(hasPart(site) ? "view.frame.grid.layer.part.short" : "view.frame.grid.layer.short", names);
    const header = el("span", { class: "av-row-head", role: "rowheader", text: site.n_heads > MANY || hasPart(site) ? short : full, "aria-label": full, title: full });
    return el("div", { class: "av-layer", role: "row", "aria-rowindex": row + 2 }, [header, ...cells]);
  }

  name(site, head) {
    const { t, data } = this.ctx;
    if (head < site.n_heads) {
      const change = this.effects?.of(data.sites.findIndex(({ name }) => name === site.name), head) ?? null;
      return siteTitle(this.ctx, site, head) + (change === null ? "" : `: ${this.effects.said(change)}`);
    }
    const stack = stackTitle(this.ctx, site);
    return t(hasPart(site) ? "view.frame.grid.average.part" : "view.frame.grid.average.of", { stack, layer: site.layer, part: site.part, n: site.n_heads });
  }

  /** A thumbnail as an image, one pixel a cell; made when first drawn. */
  image(index, head) {
    const { data, store } = this.ctx;
    const at = `${index}/${head}/${scaleOf(store.state, data.site(index), data)}`;
    if (!this.images.has(at)) this.images.set(at, this.makeImage(index, head));
    return this.images.get(at);
  }

  makeImage(index, head) {
    const { data: trace, store } = this.ctx;
    const { rows, cols, weights } = trace.thumb(index, head);
    const isContrast = scaleOf(store.state, trace.site(index), trace) === "contrast";
    const most = isContrast ? darkest(trace.isDifference ? weights.map(Math.abs) : weights) : 1;
    const table = this.ctx.palette().tables[trace.isDifference ? "diverging" : "sequential"];
    const shade = (weight) => (trace.isDifference ? (weight / most + 1) / 2 : weight / most);
    const image = new OffscreenCanvas(cols, rows);
    const pen = image.getContext("2d");
    const picture = pen.createImageData(cols, rows);
    const pixels = new Uint32Array(picture.data.buffer);
    weights.forEach((weight, i) => (pixels[i] = table[Math.round(Math.min(1, Math.max(0, shade(weight))) * (table.length - 1))]));
    pen.putImageData(picture, 0, 0);
    return image;
  }

  /** Pixels across that it needs for large thumbnails, names included. */
  get wanted() {
    const heads = Math.max(...this.ctx.data.sites.map((site) => site.n_heads));
    return Math.max(NARROWEST, Math.min(WIDEST, HEADER.roomy + 2 * EDGE + APART + 8 + (heads + 1) * (MOST + GAP.roomy)));
  }

  /** The size of a thumbnail that fills the column, and with it the place of everything. */
  measure() {
    const room = this.scroller.clientWidth;
    if (room === 0) return;
    const heads = Math.max(...this.sections.map((section) => section.heads));
    const density = heads > MANY ? "tight" : "roomy";
    const header = this.sections.some((section) => section.parts) ? HEADER.parts : HEADER[density];
    const gap = GAP[density];
    const inner = room - header - 2 * EDGE - APART - gap - 2;
    const side = Math.max(LEAST, Math.min(MOST, Math.floor(inner / (heads + 1)) - gap));
    this.layout = { side, gap, header, row: side + PAD[density], step: side + PAD[density] + gap };
    const { style, classList } = this.element;
    for (const [name, px] of Object.entries({ thumb: side, "thumb-gap": gap, "row-head": header, layer: this.layout.row })) style.setProperty(`--${name}`, `${px}px`);
    classList.toggle("av-tight", density === "tight");
    for (const block of this.blocks) block.element.style.height = `${block.members.length * this.layout.step}px`;
    for (const block of this.blocks) block.top = block.element.offsetTop;
    this.redraw();
    this.refresh();
    this.select();
  }

  /** The blocks that are in the document, in other sizes or colours. */
  redraw() {
    for (const block of this.blocks) {
      if (!block.drawn) continue;
      this.drawPicture(block);
      block.marked = true; // whatever is there is drawn anew
      this.drawMarksOf(block);
    }
  }

  /** Fills the blocks in sight and that of the chosen head; empties the others. */
  refresh() {
    const { scrollTop, clientHeight } = this.scroller;
    const { site } = this.ctx.store.state;
    for (const block of this.blocks) {
      const height = block.members.length * this.layout.step;
      const near = block.top < scrollTop + clientHeight + MARGIN && block.top + height > scrollTop - MARGIN;
      if (near || block.members.some(({ index }) => index === site)) this.fill(block);
      else if (block.drawn) this.empty(block);
    }
  }

  scrolled() {
    this.scrollFrame ??= requestAnimationFrame(() => {
      this.scrollFrame = undefined;
      if (this.layout) this.refresh();
    });
  }

  /** Calls visit(index, head, x, y, side) for every thumbnail of a block. */
  eachThumb(block, visit) {
    const { side, gap, header, row, step } = this.layout;
    block.members.forEach(({ site, index }, n) => {
      const y = n * step + (row - side) / 2;
      for (let head = 0; head <= site.n_heads; head += 1) {
        const x = EDGE + header + gap + head * (side + gap) + (head === site.n_heads ? APART : 0);
        visit(index, head, x, y, side);
      }
    });
  }

  sizeOf(block) {
    const { side, gap, header, step } = this.layout;
    return [2 * EDGE + header + (block.heads + 1) * (side + gap) + APART, block.members.length * step];
  }

  drawPicture(block) {
    const size = this.sizeOf(block);
    const pen = sizeCanvas(block.picture, ...size);
    pen.clearRect(0, 0, ...size);
    this.eachThumb(block, (index, head, x, y, side) => {
      if (this.effects) {
        this.drawEffect(pen, index, head, x, y, side);
        return;
      }
      const image = this.image(index, head);
      pen.imageSmoothingEnabled = image.width > side || image.height > side; // smaller: no cell may vanish
      pen.drawImage(image, x, y, side, side);
    });
  }

  /** In place of weights, what the answer gains or loses without each head; null: the weights again. */
  showEffects(effects) {
    this.effects = effects;
    this.shownKey = null;
    for (const block of this.blocks) if (block.drawn) this.empty(block);
    this.refresh();
    this.select();
  }

  /** One head of the map: its colour, and its number where there is room. */
  drawEffect(pen, index, head, x, y, side) {
    const change = this.effects.of(index, head);
    if (change === null) return;
    const colour = this.ctx.palette().diverging(this.effects.most ? change / this.effects.most : 0);
    pen.fillStyle = css(colour);
    pen.fillRect(x, y, side, side);
    if (side < NUMBERED) return;
    pen.fillStyle = ink(colour);
    pen.font = `${side < MOST ? 10 : 12}px ${this.ctx.palette().font}`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText((this.effects.text ?? points)(change), x + side / 2, y + side / 2);
  }

  drawMarks() {
    for (const block of this.blocks) if (block.drawn) this.drawMarksOf(block);
  }

  /** Thin lines at the hovered or locked query and key, in every thumbnail of the same tokens. */
  drawMarksOf(block) {
    const { store, data } = this.ctx;
    const { state } = store;
    const palette = this.ctx.palette();
    const current = data.site(state.site);
    const size = this.sizeOf(block);
    const at = (tokens, index) => (index + 0.5) / data.tokens(tokens).length;
    const rows = block.members.map(({ site }) => (state.query !== null && site.queries === current.queries ? at(site.queries, state.query) : null));
    const cols = block.members.map(({ site }) => (state.key !== null && site.keys === current.keys ? at(site.keys, state.key) : null));
    const marked = [...rows, ...cols].some((place) => place !== null);
    if (!marked && !block.marked) return;
    block.marked = marked;
    const pen = sizeCanvas(block.marks, ...size);
    pen.clearRect(0, 0, ...size);
    if (!marked) return;
    pen.globalAlpha = state.locked ? 0.9 : 0.6;
    const { step } = this.layout;
    this.eachThumb(block, (index, head, x, y, side) => {
      const n = Math.floor(y / step);
      if (rows[n] !== null) {
        pen.fillStyle = palette.query;
        pen.fillRect(x, Math.round(y + rows[n] * side - 0.5), side, 1);
      }
      if (cols[n] !== null) {
        pen.fillStyle = palette.key;
        pen.fillRect(Math.round(x + cols[n] * side - 0.5), y, 1, side);
      }
    });
  }

  button(site, head) {
    for (const { buttons } of this.blocks) {
      const button = buttons?.get(`${site}/${head}`);
      if (button) return button;
    }
    return undefined;
  }

  select() {
    if (!this.layout) return;
    const { site, head } = this.ctx.store.state;
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.content.querySelectorAll('.av-thumb[tabindex="0"]'))) {
      button.setAttribute("aria-selected", "false");
      button.tabIndex = -1;
    }
    const chosen = this.button(site, head);
    if (chosen) {
      chosen.setAttribute("aria-selected", "true");
      chosen.tabIndex = 0;
      this.reveal(chosen);
    } else {
      const first = /** @type {HTMLElement} */ (this.content.querySelector("button.av-thumb")); // of another group: the keyboard needs a way in
      if (first) first.tabIndex = 0;
    }
  }

  /** Scrolls the grid's own box, never the page, so far that the chosen head is in it. */
  reveal(chosen) {
    const box = this.scroller;
    const [outer, inner] = [box.getBoundingClientRect(), chosen.getBoundingClientRect()];
    const top = outer.top + /** @type {HTMLElement} */ (this.content.querySelector(".av-grid-heads")).offsetHeight;
    if (inner.top < top) box.scrollTop -= top - inner.top + 8;
    else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 8;
    revealAcross(box, chosen, this.layout.header + 2 * EDGE);
  }

  /** Site and head under an event; the head after the last one is their average. */
  thumbAt(event) {
    const cell = event.target.closest?.(".av-thumb");
    return cell ? cell.dataset.at.split("/").map(Number) : null;
  }

  point(event) {
    const at = this.thumbAt(event);
    if (at) this.ctx.tooltip.showElement(this.enlarged(...at), event.clientX, event.clientY);
    else if (this.shownKey) this.leave();
  }

  click(event) {
    const at = this.thumbAt(event);
    if (at && at[1] < this.ctx.data.site(at[0]).n_heads) chooseHead(this.ctx, ...at);
  }

  enlarged(index, head) {
    const key = `${index}/${head}`;
    if (this.shownKey === key && this.shown) return this.shown;
    const source = this.image(index, head);
    const scale = ENLARGED / Math.max(source.width, source.height);
    const canvas = el("canvas", { class: "av-enlarged" });
    const [width, height] = [Math.max(8, source.width * scale), Math.max(8, source.height * scale)];
    const pen = sizeCanvas(canvas, width, height);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(source, 0, 0, width, height);
    this.shownKey = key;
    this.shown = el("figure", { class: "av-enlarge" }, [el("figcaption", { text: this.name(this.ctx.data.site(index), head) }), canvas]);
    return this.shown;
  }

  leave() {
    this.shownKey = null;
    this.ctx.tooltip.hide();
    hover(this.ctx.store, NOWHERE);
  }

  /** Return the place to edit: the head under an event. */
  ask(event) {
    const at = this.thumbAt(event);
    if (at && at[1] < this.ctx.data.site(at[0]).n_heads) this.ctx.askOf?.(event, ...at, event.target.closest(".av-thumb"));
  }

  press(event) {
    if (event.key === "e" && !event.ctrlKey && !event.metaKey && !event.altKey) this.ask(event);
    const move = arrowOf(event);
    if (!move) return;
    event.preventDefault();
    const { state } = this.ctx.store;
    const [site, head] = neighbour(this.groups, this.thumbAt(event) ?? [state.site, state.head], move, ({ n_heads: n }) => n);
    chooseHead(this.ctx, site, head);
    this.button(site, head)?.focus({ preventScroll: true });
  }
  update(changed) {
    if (changed.has("trace") && !changed.has("numbers")) this.rebuild();
    else if (changed.has("numbers") || changed.has("theme")) {
      this.shownKey = null;
      this.images.clear();
      this.redraw();
    } else if (changed.has("scale")) this.redraw();
    if (changed.has("site") || changed.has("head")) {
      this.open(this.groupOf(this.ctx.store.state.site));
      if (this.layout) this.refresh();
      this.select();
    }
    if (["site", "query", "key", "locked"].some((key) => changed.has(key))) this.drawMarks();
  }
}
