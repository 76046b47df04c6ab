/** All heads at the step that is looked at: rows are layers, columns are heads, below each how well it fits a pattern. */

import { arrowOf, el, revealAcross } from "../core/dom.js";
import { groupSites, neighbour, siteTitle } from "../core/select.js";
import { isAbout } from "./scores.js";
import { headOf } from "./timeline.js";

const MOST = 100; // px of a thumbnail
const LEAST = 20;
const THIN = 8; // px of the shorter side, as of a single query
const GAP = { roomy: 6, tight: 3 };
const HEADER = { roomy: 56, tight: 48 }; // px of a layer's name
const TIGHT = 34; // px of a thumbnail, from where on down gaps are tight

export class Heads {
  constructor(ctx) {
    this.ctx = ctx;
    this.element = el("div", { class: "aw-heads", on: { keydown: (event) => this.press(event) } });
    this.resized = new ResizeObserver(() => this.measure());
    this.resized.observe(this.element);
    this.build();
  }

  destroy() {
    this.resized.disconnect();
  }

  build() {
    const { t, header } = this.ctx;
    this.thumbs = [];
    const parts = [];
    this.groups = groupSites(header.sites);
    for (const [name, members] of this.groups) {
      const heads = Math.max(...members.map(({ site }) => site.heads));
      const heading = (h) => el("span", { class: "aw-col", role: "columnheader", text: heads > 4 ? String(h) : t("view.frame.grid.head", { head: h }), "aria-label": t("view.frame.grid.head", { head: h }) });
      const columns = el("div", { class: "aw-row aw-cols", role: "row" }, [el("span", { role: "columnheader", text: t("view.frame.grid.corner") }), ...Array.from({ length: heads }, (_, h) => heading(h))]);
      const table = el("div", { class: "aw-grid", role: "grid", "aria-label": t(`view.frame.stack.${name}`) }, [columns, ...members.map((member) => this.row(member))]);
      parts.push(el("section", {}, [el("h3", { text: t(`view.frame.stack.${name}`) }), table]));
    }
    this.element.replaceChildren(...parts);
    this.measure();
    this.select();
  }

  row({ site, index }) {
    const { t, header, store } = this.ctx;
    const cells = Array.from({ length: site.heads }, (_, head) => {
      const canvas = el("canvas", { class: "aw-thumb", "aria-hidden": "true" });
      const bar = el("i", { class: "aw-bar", hidden: true }, [el("i")]);
      const score = el("span", { class: "aw-score" });
      const button = el("button", {
        type: "button", class: "aw-cell", role: "gridcell", tabindex: "-1", dataset: { site: site.name, head }, on: { click: () => store.set({ site: index, head }) },
      }, [canvas, bar, score]);
      this.thumbs.push({ index, head, canvas, bar, score, button });
      return button;
    });
    const scored = header.sequences.some(({ patterns }) => patterns.some((pattern) => isAbout(pattern, site)));
    return el("div", { class: `aw-row ${scored ? "aw-scored" : ""}`, role: "row" }, [el("span", { class: "aw-layer", role: "rowheader", text: t("view.frame.grid.layer", { layer: site.layer }) }), ...cells]);
  }

  /** Thumbnails as large as the column allows. */
  measure() {
    const room = this.element.clientWidth;
    if (!room) return;
    const heads = Math.max(...this.ctx.header.sites.map((site) => site.heads));
    const fitting = (density) => Math.max(LEAST, Math.min(MOST, Math.floor((room - HEADER[density] - 4) / heads) - GAP[density]));
    const density = fitting("roomy") < TIGHT ? "tight" : "roomy";
    this.side = fitting(density);
    const sizes = { side: `${this.side}px`, gap: `${GAP[density]}px`, name: `${HEADER[density]}px`, count: heads };
    for (const [name, value] of Object.entries(sizes)) this.element.style.setProperty(`--${name}`, String(value));
    this.element.classList.toggle("aw-tight", density === "tight");
    this.fit();
    this.reveal();
  }

  /** The shape of a thumbnail is that of its matrix. */
  fit() {
    const { header, store } = this.ctx;
    for (const { index, canvas } of this.thumbs) {
      const { rows, cols } = shapeOf(header, store.state.seq, header.sites[index]);
      const longest = Math.max(rows, cols);
      const side = this.side ?? LEAST;
      const [width, height] = [cols, rows].map((count) => `${Math.max(THIN, (side * count) / longest)}px`);
      Object.assign(canvas.style, { width, height, imageRendering: longest > side ? "auto" : "pixelated" });
      canvas.closest(".aw-row")?.style.setProperty("--tall", height); // of one query: the row is as low as its picture
    }
  }
  update(changed) {
    if (changed.has("seq")) this.fit();
    if (["snapshot", "seq", "theme"].some((key) => changed.has(key))) this.paint();
    if (["site", "head"].some((key) => changed.has(key))) this.select();
  }

  paint() {
    const { ctx } = this;
    const { snapshot, timeline, header, scores } = ctx;
    if (!snapshot) return;
    const { seq } = ctx.store.state;
    const colours = levels(ctx.palette());
    const leader = scores.leader(seq, ctx.index());
    for (const thumb of this.thumbs) {
      const { index, head, canvas, button } = thumb;
      const site = header.sites[index];
      const block = timeline.block(seq, site.name);
      const [, rows, cols] = block.shape;
      if (canvas.width !== cols || canvas.height !== rows) Object.assign(canvas, { width: cols, height: rows });
      const pen = canvas.getContext("2d");
      const image = pen.createImageData(cols, rows);
      const pixels = new Uint32Array(image.data.buffer);
      const weights = headOf(snapshot, block, head);
      for (let i = 0; i < pixels.length; i += 1) pixels[i] = colours[weights[i]];
      pen.putImageData(image, 0, 0);
      const leads = leader !== null && leader.site === site.name && leader.head === head;
      button.classList.toggle("aw-leads", leads);
      this.score(thumb, site, leads);
    }
  }

  score({ index, head, bar, score, button }, site, leads) {
    const { ctx } = this;
    const best = ctx.scores.best(ctx.store.state.seq, site.name, head, ctx.index());
    const name = siteTitle(ctx, ctx.header.sites[index], head);
    bar.hidden = !best;
    if (!best) {
      button.setAttribute("aria-label", name);
      return;
    }
    bar.firstChild.style.width = `${best.mass * 100}%`;
    bar.style.setProperty("--chance", `${best.pattern.chance * 100}%`);
    score.textContent = ctx.percent(best.mass);
    const says = ctx.t(leads ? "watch.head_leads" : "watch.head_score", { pattern: ctx.t(best.pattern.key), mass: ctx.percent(best.mass), chance: ctx.percent(best.pattern.chance) });
    button.setAttribute("aria-label", `${name}. ${says}`);
    button.title = says;
  }

  select() {
    const { site, head } = this.ctx.store.state;
    for (const thumb of this.thumbs) {
      const chosen = thumb.index === site && thumb.head === head;
      thumb.button.setAttribute("aria-selected", String(chosen));
      thumb.button.tabIndex = chosen ? 0 : -1;
    }
    this.reveal();
  }

  /** Many heads are wider than the column: the chosen one is seen, beside the names of the layers. */
  reveal() {
    const { site, head } = this.ctx.store.state;
    const chosen = this.thumbs.find((thumb) => thumb.index === site && thumb.head === head);
    if (chosen) revealAcross(this.element, chosen.button, HEADER[this.element.classList.contains("aw-tight") ? "tight" : "roomy"]);
  }

  press(event) {
    const move = arrowOf(event);
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    const { store } = this.ctx;
    const [site, head] = neighbour(this.groups, [store.state.site, store.state.head], move, ({ heads }) => heads);
    store.set({ site, head });
    this.thumbs.find((thumb) => thumb.index === site && thumb.head === head).button.focus();
  }
}

/** Tokens of a site's queries and keys on a probe sequence. */
export function tokensOf(header, seq, { queries, keys }) {
  const { labels } = header.sequences[seq];
  return { queries: labels[queries], keys: labels[keys] };
}

function shapeOf(header, seq, site) {
  const { queries, keys } = tokensOf(header, seq, site);
  return { rows: queries.length, cols: keys.length };
}

const byPalette = new WeakMap();

/** The pixel of each byte. */
function levels(palette) {
  if (!byPalette.has(palette)) {
    const table = palette.tables.sequential;
    byPalette.set(palette, Uint32Array.from({ length: 256 }, (_, level) => table[Math.round((level / 255) * (table.length - 1))]));
  }
  return byPalette.get(palette);
}
