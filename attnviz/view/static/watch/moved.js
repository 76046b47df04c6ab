/** How far every layer's attention has moved since training began, over the steps: of a pretrained network alone. */

import { el } from "../core/dom.js";
import { Chart } from "./plot.js";

const LEAST = 0.02; // of the highest line, so that a movement that is none does not fill the chart
const PALEST = 0.35; // colour of the first layer, as a share of the darkest

/**
 * One layer's movement, one number per snapshot, as `attnviz.finetuning.movement.moved` computes it.
 *
 *     total variation of a row = sum over keys of |weight now - weight before the first step| / 2
 *
 * @typedef {Object} Line
 * @property {string} site
 * @property {number[]} first  of the first token's row, mean of heads and sequences
 * @property {number[]} mean   of all rows
 */
export class Movement {
  /** @param {any} header */
  constructor(header) {
    this.header = header;
    this.clear();
  }

  clear() {
    this.before = null;
    /** @type {Line[]} */
    this.lines = this.header.sites.map(({ name }) => ({ site: name, first: [], mean: [] }));
  }

  /** @param {Uint8Array} snapshot @param {import("./timeline.js").Timeline} timeline */
  add(snapshot, timeline) {
    this.before ??= snapshot;
    for (const line of this.lines) {
      const blocks = timeline.blocks.filter(({ site }) => site === line.site);
      const found = blocks.map((block) => this.moved(snapshot, block));
      line.first.push(found.reduce((sum, { first }) => sum + first, 0) / found.length);
      line.mean.push(found.reduce((sum, { mean }) => sum + mean, 0) / found.length);
    }
  }

  /** @param {Uint8Array} snapshot @param {import("./timeline.js").Block} block */
  moved(snapshot, { shape: [heads, rows, cols], start }) {
    let [first, all] = [0, 0];
    for (let row = 0, at = start; row < heads * rows; row += 1) {
      let change = 0;
      for (const end = at + cols; at < end; at += 1) change += Math.abs(snapshot[at] - this.before[at]);
      all += change;
      if (row % rows === 0) first += change;
    }
    return { first: first / (2 * 255 * heads), mean: all / (2 * 255 * heads * rows) };
  }
}

export class Moved {
  /** @param {any} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    const { t, header, store } = ctx;
    const [token] = header.sequences[0].labels[header.stack];
    this.isRead = header.tuned.method !== "head";
    this.choices = header.stack === "decoder" ? ["mean"] : ["first", "mean"]; // the first token of a decoder reads itself alone
    this.buttons = this.choices.map((measure) => el("button", {
      type: "button", class: "av-small", text: measure === "first" ? t("watch.moved.first", { token }) : t("watch.moved.all"),
      dataset: { measure }, on: { click: () => store.set({ moved: measure }) },
    }));
    this.chart = new Chart(ctx, { name: "moved", title: t("watch.moved"), height: 122, tools: this.choices.length > 1 ? this.buttons : [] });
    this.element = this.chart.element;
    this.chart.heading.title = t("watch.moved.help");
    this.words = el("p", { class: "aw-note aw-moved", title: t("watch.moved.help"), text: this.isRead ? "" : t("watch.moved.none") });
    this.element.append(this.words);
    if (!this.isRead) this.element.replaceChildren(this.chart.heading, this.words); // there is nothing to draw
  }

  destroy() {
    this.chart.destroy();
  }

  get measure() {
    const { moved } = this.ctx.store.state;
    return this.choices.includes(moved) ? moved : this.choices[0];
  }

  update(changed) {
    if (!this.isRead) return;
    if (["snapshots", "moved", "theme"].some((key) => changed.has(key))) this.draw();
    if (["snapshots", "moved", "at"].some((key) => changed.has(key))) this.sayNumbers();
  }

  draw() {
    const { timeline, palette, range, movement } = this.ctx;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.measure === this.measure));
    const last = Math.max(1, movement.lines.length - 1);
    const colour = (n) => `rgb(${palette().sequential(PALEST + (1 - PALEST) * (n / last)).join(",")})`;
    const series = movement.lines.map((line, n) => ({
      name: this.layer(n), label: n === 0 || n === last ? this.layer(n) : "", x: timeline.steps, y: line[this.measure], colour: colour(n), width: 1.8,
    }));
    const most = series.reduce((high, { y }) => y.reduce((a, b) => Math.max(a, b), high), LEAST);
    this.chart.draw({ series, x: range(), y: [0, most * 1.08], format: "~g" });
  }

  layer(n) {
    return this.ctx.t("view.frame.grid.layer", { layer: this.ctx.header.sites[n].layer });
  }

  sayNumbers() {
    const { t, number, movement, header } = this.ctx;
    const index = this.ctx.index();
    const numbers = movement.lines.map((line, n) => t("watch.moved.layer", { layer: header.sites[n].layer, value: (line[this.measure][index] ?? NaN).toFixed(3) }));
    this.words.textContent = movement.before ? t("watch.moved.at", { step: number(this.ctx.position()), layers: numbers.join(" · ") }) : "";
  }
}
