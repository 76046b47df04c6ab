/** The chart of how far every layer's attention has moved since training began: of a pretrained network alone. */

import { el } from "../core/dom.js";
import { Chart } from "./plot.js";

const LEAST = 0.02; // of the highest line, so that a movement that is none does not fill the chart
const PALEST = 0.35; // colour of the first layer, as a share of the darkest

export class Moved {
  /** @param {any} ctx */
  constructor(ctx) {
    this.ctx = ctx;
    const { t, header, store } = ctx;
    const [token] = header.sequences[0].labels[header.stack];
    this.isRead = header.tuned.method !== "head";
    this.choices = ctx.movement.measures;
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
