/** The charts of a run: loss, metric, pattern scores, learning rate, spectrum; all but the last over steps. */

import { el } from "../core/dom.js";
import { inOtherWords, isLanguage, lossName, metricAxis, metricName, metricText, signed } from "./measures.js";
import { Chart } from "./plot.js";

const LOW_ENOUGH = 1e-6; // below this a log scale shows nothing of use

/** The range of a log axis that holds these values, with a little room. */
/** @type {(low: number, high: number) => [number, number]} */
export const logRange = (low, high) => [Math.log10(low) - 0.08, Math.log10(high) + 0.08];

/** Two tones: what is trained on is grey, what is held out is the colour of weights. */
export function tones(palette) {
  const css = (rgb) => `rgb(${rgb.join(",")})`;
  const held = palette.sequential(palette.dark ? 0.75 : 0.62);
  return { train: palette.muted, held: css(held), band: `rgba(${held.slice(0, 3).join(",")},0.16)`, chosen: css(palette.sequential(palette.dark ? 0.85 : 0.75)) };
}

export class Charts {
  constructor(ctx) {
    this.ctx = ctx;
    const { t, header } = ctx;
    this.isLoss = isLanguage(header);
    this.toggles = []; // [button, field of the state]
    const toggle = (key, name) => {
      const button = el("button", { type: "button", class: "av-small", text: t(name), "aria-pressed": String(ctx.store.state[key]), on: { click: () => ctx.store.set({ [key]: !ctx.store.state[key] }) } });
      this.toggles.push([button, key]);
      return button;
    };
    this.loss = new Chart(ctx, { name: "loss", title: lossName(t, header), height: 150, tools: [toggle("log", "watch.log"), toggle("smooth", "watch.smooth")] });
    this.metric = new Chart(ctx, { name: "metric", title: metricName(t, header), height: 122 });
    this.words = el("p", { class: "aw-note aw-words", title: t("watch.gap.help") });
    this.loss.element.append(this.words);
    this.rate = new Chart(ctx, { name: "rate", title: t("watch.rate"), height: 110 });
    this.spectrum = new Chart(ctx, { name: "spectrum", title: t("watch.spectrum"), height: 136, steps: false });
    this.spectrum.element.hidden = true;
    this.note = el("p", { class: "aw-note", text: t("watch.spectrum.note") });
    this.spectrum.element.append(this.note);
    this.all = [this.loss, this.metric, this.rate, this.spectrum];
  }

  destroy() {
    for (const chart of this.all) chart.destroy();
  }
  update(changed) {
    const { state } = this.ctx.store;
    for (const [button, key] of this.toggles) button.setAttribute("aria-pressed", String(state[key]));
    const redraw = changed.has("metrics") || changed.has("theme");
    if (redraw || changed.has("log") || changed.has("smooth")) this.drawLoss();
    if (redraw) {
      this.drawMetric();
      this.drawRate();
    }
    if (redraw || changed.has("at") || changed.has("snapshot")) {
      this.drawSpectrum();
      this.sayLoss();
    }
  }

  /** Say what the loss at the position amounts to, and how far training is ahead of it. */
  sayLoss() {
    const { t, metrics, header, number } = this.ctx;
    const look = metrics.lookAt(this.ctx.position());
    const says = look ? inOtherWords(t, header, look.loss) : [];
    if (look && Number.isFinite(metrics.gap(look))) says.push([t("watch.gap"), signed(metrics.gap(look))]);
    const facts = says.map(([label, text]) => `${label} ${text}`).join(" · ");
    this.words.textContent = facts ? t("watch.loss_at", { step: number(look.step), facts }) : "";
  }

  /** The target, as a level across the chart. @returns {import("./plot.js").Series[]} */
  target(colour, asText) {
    const { header, range, t } = this.ctx;
    const y = [header.target, header.target];
    return header.target ? [{ name: t("watch.target"), label: t("watch.target_at", { value: asText(header.target) }), x: range(), y, colour, dash: "dash", width: 1, only: "chart" }] : [];
  }

  drawLoss() {
    const { t, metrics, palette, store, header, fmt } = this.ctx;
    const colours = tones(palette());
    const { log, smooth } = store.state;
    const x = metrics.step;
    const held = metrics.looks.filter((look) => Number.isFinite(metrics.gap(look)));
    const steps = held.map(({ step }) => step);
    const losses = held.map(({ loss }) => loss);
    const target = this.isLoss ? this.target(colours.held, fmt) : [];
    /** @type {import("./plot.js").Series[]} */
    const series = [
      { name: t("watch.train"), x, y: metrics.loss, colour: colours.train, width: 1, faint: smooth },
      { name: t("watch.train_smooth"), x, y: metrics.smooth, colour: colours.train, only: smooth ? undefined : "table" },
      { name: t("watch.gap"), label: "", x: steps, y: held.map((look) => look.loss - metrics.gap(look)), colour: colours.train, width: 0, only: "chart" },
      { name: t("watch.held_out"), x: steps, y: losses, colour: colours.held, width: 1.8, dotted: true, band: colours.band },
      ...target,
    ];
    const values = [...metrics.loss, ...losses, ...(target.length ? [header.target] : [])];
    const low = Math.max(LOW_ENOUGH, values.reduce((a, b) => Math.min(a, b), Infinity));
    const high = values.reduce((a, b) => Math.max(a, b), LOW_ENOUGH);
    /** @type {[number, number]} */
    const y = log ? logRange(low, high) : [0, high * 1.05];
    this.loss.draw({ series, x: this.ctx.range(), y: values.length ? y : [0, 1], scale: log && values.length ? "log" : "linear", format: log ? undefined : "~g" });
  }

  drawMetric() {
    const { t, metrics: { looks }, palette, header } = this.ctx;
    const colours = tones(palette());
    const one = (name, y, colour) => ({ name, x: looks.map(({ step }) => step), y, colour, width: 1.8, dotted: true });
    const [train, held] = [looks.map((look) => look.train), looks.map(({ accuracy }) => accuracy)];
    const target = this.isLoss ? [] : this.target(colours.held, (value) => metricText(header, value, this.ctx.percent));
    const series = [one(t("watch.train"), train, colours.train), one(t("watch.held_out"), held, colours.held), ...target];
    this.metric.draw({ series, x: this.ctx.range(), ...metricAxis([header], [...train, ...held]) });
  }

  drawRate() {
    const { t, metrics, palette } = this.ctx;
    const y = metrics.rate;
    const most = y.reduce((a, b) => Math.max(a, b), 0) || 1;
    const series = [{ name: t("watch.rate"), label: "", x: metrics.step, y, colour: tones(palette()).train }];
    this.rate.draw({ series, x: this.ctx.range(), y: [0, most * 1.08], format: "~g" });
  }

  drawSpectrum() {
    const { t, metrics, palette } = this.ctx;
    const look = metrics.lookAt(this.ctx.position());
    const spectrum = look?.spectrum ?? null;
    if (spectrum === this.shown && this.shownPalette === palette()) return;
    this.shown = spectrum;
    this.shownPalette = palette();
    this.spectrum.element.hidden = !spectrum;
    if (!spectrum) return;
    const most = metrics.looks.reduce((high, one) => Math.max(high, ...(one.spectrum ?? [])), 0); // one scale for all steps
    const series = [{ name: t("watch.spectrum.share"), label: "", x: spectrum.map((_, n) => n + 1), y: spectrum, colour: tones(palette()).held, bars: true }];
    this.spectrum.heading.textContent = t("watch.spectrum_at", { step: this.ctx.number(look.step) });
    this.spectrum.draw({ series, x: [0.4, spectrum.length + 0.6], y: [0, most * 1.08], format: ".0%", xTitle: t("watch.spectrum.frequency") });
  }
}
