/** Expected patterns over the steps: one line per head, the chosen one in front, and what chance would give. */

import { el } from "../core/dom.js";
import { siteTitle } from "../core/select.js";
import { stepTable, thin, tones } from "./charts.js";
import { Chart } from "./plot.js";

const MEASURES = ["mass", "hits"];

/** The sites that a pattern is about. */
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
      name: `pattern-${n}`, title: title(pattern), height: 122, table: () => this.table(n), tools: n ? [] : this.buttons,
    }));
    const none = el("p", { class: "aw-note", text: t("watch.no_pattern") });
    this.element.replaceChildren(...(this.charts.length ? this.charts.map((chart) => chart.element) : [none]));
  }

  destroy() {
    for (const chart of this.charts ?? []) chart.destroy();
  }

  /** @param {Set<string>} changed */
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
    this.charts.forEach((chart, n) => {
      const { pattern, lines } = this.patterns[n];
      const others = { x: [], y: [] };
      let mine;
      for (const one of lines) {
        const points = thin(timeline.steps, one[measure].all);
        if (one.site === chosen && one.head === head) mine = points;
        else {
          others.x.push(...points.x, null); // a gap: one trace holds all of them
          others.y.push(...points.y, null);
        }
      }
      const trace = (name, points, line, opacity = 1) => ({ type: "scatter", mode: "lines", name, ...points, line, opacity, connectgaps: false });
      const traces = [trace(t("watch.other_heads"), others, { color: colours.train, width: 1 }, 0.55)];
      const chance = { x: range(), y: [pattern.chance, pattern.chance] };
      traces.push(trace(t("watch.chance"), chance, { color: colours.train, width: 1, dash: "dash" }));
      if (mine) traces.push(trace(siteTitle(this.ctx, header.sites[site], head), mine, { color: colours.chosen, width: 2.2 }));
      chart.draw({ traces, x: range(), y: [-0.03, 1.05], format: ".0%" });
      chart.explain([
        ...(mine ? [{ label: t("watch.short_head", { layer: header.sites[site].layer, head }), colour: colours.chosen }] : []),
        ...(lines.length > (mine ? 1 : 0) ? [{ label: t("watch.other_heads"), colour: colours.train, faint: true }] : []),
        { label: t("watch.chance_at", { value: this.ctx.percent(pattern.chance) }), colour: colours.train, dash: true },
      ]);
    });
  }

  table(n) {
    const { ctx } = this;
    const { lines } = this.patterns[n];
    const { measure } = ctx.store.state;
    const siteOf = (name) => ctx.header.sites.find((site) => site.name === name);
    const columns = lines.map((one) => [siteTitle(ctx, siteOf(one.site), one.head), one[measure].all]);
    return stepTable(ctx, `${this.charts[n].title} · ${ctx.t(`watch.pattern_${measure}`)}`, ctx.timeline.steps, columns);
  }
}
