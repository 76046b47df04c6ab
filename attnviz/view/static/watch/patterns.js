/** Expected patterns over the steps: one line per head, the chosen one in front, and what chance would give. */

import { el } from "../core/dom.js";
import { siteTitle } from "../core/select.js";
import { tones } from "./charts.js";
import { Chart } from "./plot.js";

const MEASURES = ["mass", "hits"];

const groupName = ({ t }, { stack, kind }) => t(`view.frame.stack.${stack}.${kind}`);

export class Patterns {
  constructor(ctx) {
    this.ctx = ctx;
    this.element = el("section", { class: "aw-patterns" });
    this.build();
  }

  get patterns() {
    return this.ctx.scores.patterns[this.ctx.store.state.seq];
  }

  build() {
    const { t, store } = this.ctx;
    this.destroy();
    this.buttons = MEASURES.map((measure) => el("button", {
      type: "button", class: "av-small", text: t(`watch.pattern_${measure}`), title: t(`watch.pattern_${measure}.help`), dataset: { measure }, on: { click: () => store.set({ measure }) },
    }));
    const groups = new Set(this.patterns.map(({ pattern }) => groupName(this.ctx, pattern)));
    const title = (pattern) => t("watch.pattern_title", { pattern: t(pattern.key) }) + (groups.size > 1 ? ` · ${groupName(this.ctx, pattern)}` : "");
    this.charts = this.patterns.map(({ pattern }, n) => new Chart(this.ctx, {
      name: `pattern-${n}`, title: title(pattern), height: 122, tools: n ? [] : this.buttons,
    }));
    const none = el("p", { class: "aw-note", text: t("watch.no_pattern") });
    this.element.replaceChildren(...(this.charts.length ? this.charts.map((chart) => chart.element) : [none]));
  }

  destroy() {
    for (const chart of this.charts ?? []) chart.destroy();
  }
  update(changed) {
    if (changed.has("seq")) this.build();
    if (["snapshots", "seq", "measure", "site", "head", "theme"].some((key) => changed.has(key))) this.draw();
  }

  draw() {
    const { t, store, timeline, palette, range, header } = this.ctx;
    const { site, head, measure } = store.state;
    for (const button of this.buttons) button.setAttribute("aria-pressed", String(button.dataset.measure === measure));
    const colours = tones(palette());
    const chosen = header.sites[site].name;
    const short = t("watch.short_head", { layer: header.sites[site].layer, head });
    this.charts.forEach((chart, n) => {
      const { pattern, lines } = this.patterns[n];
      const points = (one) => ({ x: timeline.steps, y: one[measure] });
      const mine = lines.filter((one) => one.site === chosen && one.head === head);
      const others = lines.filter((one) => !mine.includes(one));
      const about = { name: t("watch.chance"), label: t("watch.chance_at", { value: this.ctx.percent(pattern.chance) }) };
      const named = ({ site, head }) => siteTitle(this.ctx, header.sites.find(({ name }) => name === site), head);
      /** @type {import("./plot.js").Series[]} */
      const series = [
        ...lines.map((one) => /** @type {const} */ ({ name: named(one), ...points(one), colour: "", only: "table" })),
        ...(others.length ? [/** @type {const} */ ({ name: t("watch.other_heads"), lines: others.map(points), colour: colours.train, width: 1, faint: true, only: "chart" })] : []),
        { ...about, x: range(), y: [pattern.chance, pattern.chance], colour: colours.train, width: 1, dash: "dash", only: "chart" },
        ...mine.map((one) => /** @type {const} */ ({ name: named(one), label: short, ...points(one), colour: colours.chosen, width: 2.2, only: "chart" })),
      ];
      chart.draw({ series, x: range(), y: [-0.03, 1.05], format: ".0%", about: t(`watch.pattern_${measure}`) });
    });
  }
}
