/** The charts of a run: loss, metric, pattern scores, learning rate, spectrum; all but the last over steps. */

import { el } from "../core/dom.js";
import { inOtherWords, isLanguage, lossName, metricAxis, metricName, metricText, signed } from "./measures.js";
import { Chart } from "./plot.js";

const MOST_POINTS = 1200; // of a line; more do not fit side by side on a screen
const LOW_ENOUGH = 1e-6; // below this a log scale shows nothing of use

/** Every line thinned to what can be seen: of each stretch its lowest and highest value, in their order. */
export function thin(x, y) {
  const n = x.length;
  if (n <= MOST_POINTS) return { x: Array.from(x), y: Array.from(y) };
  const stretch = n / (MOST_POINTS / 2);
  const out = { x: [], y: [] };
  const take = (i) => {
    out.x.push(x[i]);
    out.y.push(y[i]);
  };
  for (let begin = 0; begin < n; begin += stretch) {
    const [from, to] = [Math.floor(begin), Math.min(n, Math.floor(begin + stretch))];
    let [low, high] = [from, from];
    for (let i = from + 1; i < to; i += 1) {
      if (y[i] < y[low]) low = i;
      if (y[i] > y[high]) high = i;
    }
    take(Math.min(low, high));
    if (low !== high) take(Math.max(low, high));
  }
  if (out.x.at(-1) !== x[n - 1]) take(n - 1);
  return out;
}

/** The range of a log axis that holds these values, with a little room. */
/** @type {(low: number, high: number) => [number, number]} */
export const logRange = (low, high) => [Math.log10(low) - 0.08, Math.log10(high) + 0.08];

/** Two tones: what is trained on is grey, what is held out is the colour of weights. */
export function tones(palette) {
  const css = (rgb) => `rgb(${rgb.join(",")})`;
  const held = palette.sequential(palette.dark ? 0.75 : 0.62);
  return { train: palette.muted, held: css(held), band: `rgba(${held.slice(0, 3).join(",")},0.16)`, chosen: css(palette.sequential(palette.dark ? 0.85 : 0.75)) };
}

const line = (name, { x, y }, colour, more = {}) => ({ type: "scatter", mode: "lines", name, x, y, line: { color: colour, width: 1.5, ...more.line }, ...more.rest });

/** A line with its few points marked, so that a single one shows. */
const dotted = (name, points, colour, more = {}) => line(name, points, colour, { line: { width: 1.8 }, rest: { mode: "lines+markers", marker: { size: points.x.length > 40 ? 3 : 5, color: colour }, ...more } });

const level = (name, x, value, colour) => line(name, { x, y: [value, value] }, colour, { line: { dash: "dash", width: 1 } });

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
    this.loss = new Chart(ctx, { name: "loss", title: lossName(t, header), height: 150, table: () => this.lossTable(), tools: [toggle("log", "watch.log"), toggle("smooth", "watch.smooth")] });
    this.metric = new Chart(ctx, { name: "metric", title: metricName(t, header), height: 122, table: () => this.metricTable() });
    this.words = el("p", { class: "aw-note aw-words", title: t("watch.gap.help") });
    this.loss.element.append(this.words);
    this.rate = new Chart(ctx, { name: "rate", title: t("watch.rate"), height: 110, table: () => this.rateTable() });
    this.spectrum = new Chart(ctx, { name: "spectrum", title: t("watch.spectrum"), height: 136, steps: false, table: () => this.spectrumTable() });
    this.spectrum.element.hidden = true;
    this.note = el("p", { class: "aw-note", text: t("watch.spectrum.note") });
    this.spectrum.element.append(this.note);
    this.all = [this.loss, this.metric, this.rate, this.spectrum];
  }

  destroy() {
    for (const chart of this.all) chart.destroy();
  }

  /** @param {Set<string>} changed */
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

  drawLoss() {
    const { t, metrics, palette, store, header } = this.ctx;
    const colours = tones(palette());
    const { log, smooth } = store.state;
    const x = metrics.step.all;
    const traces = [line(t("watch.train"), thin(x, metrics.loss.all), colours.train, { line: { width: 1 }, rest: { opacity: smooth ? 0.4 : 1 } })];
    if (smooth) traces.push(line(t("watch.train_smooth"), thin(x, metrics.smooth.all), colours.train));
    const held = metrics.looks.filter((look) => Number.isFinite(metrics.gap(look)));
    const steps = held.map(({ step }) => step);
    const below = held.map((look) => look.loss - metrics.gap(look));
    traces.push(line(t("watch.gap"), { x: steps, y: below }, colours.train, { line: { width: 0 }, rest: { showlegend: false } }));
    const band = { fill: "tonexty", fillcolor: colours.band }; // from the line before: the gap
    traces.push(dotted(t("watch.held_out"), { x: steps, y: held.map(({ loss }) => loss) }, colours.held, band));
    const target = this.isLoss && header.target;
    if (target) traces.push(level(t("watch.target"), this.ctx.range(), header.target, colours.held));
    const values = [...metrics.loss.all, ...held.map(({ loss }) => loss), ...(target ? [header.target] : [])];
    const low = Math.max(LOW_ENOUGH, values.reduce((a, b) => Math.min(a, b), Infinity));
    const high = values.reduce((a, b) => Math.max(a, b), LOW_ENOUGH);
    /** @type {[number, number]} */
    const y = log ? logRange(low, high) : [0, high * 1.05];
    this.loss.draw({ traces, x: this.ctx.range(), y: values.length ? y : [0, 1], scale: log && values.length ? "log" : "linear", format: log ? undefined : "~g" });
    this.loss.explain([
      { label: t("watch.train"), colour: colours.train, faint: smooth },
      ...(smooth ? [{ label: t("watch.train_smooth"), colour: colours.train }] : []),
      { label: t("watch.held_out"), colour: colours.held },
      ...(target ? [{ label: t("watch.target_at", { value: this.ctx.fmt(header.target) }), colour: colours.held, dash: true }] : []),
    ]);
  }

  drawMetric() {
    const { t, metrics, palette, header } = this.ctx;
    const colours = tones(palette());
    const x = metrics.looks.map(({ step }) => step);
    const traces = [
      dotted(t("watch.train"), { x, y: metrics.looks.map(({ train }) => train) }, colours.train),
      dotted(t("watch.held_out"), { x, y: metrics.looks.map(({ accuracy }) => accuracy) }, colours.held),
    ];
    const target = !this.isLoss && header.target;
    if (target) traces.push(level(t("watch.target"), this.ctx.range(), header.target, colours.held));
    const values = metrics.looks.flatMap(({ train, accuracy }) => [train, accuracy]);
    this.metric.draw({ traces, x: this.ctx.range(), ...metricAxis([header], values) });
    this.metric.explain([
      { label: t("watch.train"), colour: colours.train },
      { label: t("watch.held_out"), colour: colours.held },
      ...(target ? [{ label: t("watch.target_at", { value: metricText(header, header.target, this.ctx.percent) }), colour: colours.held, dash: true }] : []),
    ]);
  }

  drawRate() {
    const { t, metrics, palette } = this.ctx;
    const points = thin(metrics.step.all, metrics.rate.all);
    const most = points.y.reduce((a, b) => Math.max(a, b), 0) || 1;
    this.rate.draw({ traces: [line(t("watch.rate"), points, tones(palette()).train)], x: this.ctx.range(), y: [0, most * 1.08], format: "~g" });
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
    const x = spectrum.map((_, n) => n + 1);
    const most = metrics.looks.reduce((high, one) => Math.max(high, ...(one.spectrum ?? [])), 0); // one scale for all steps
    const trace = { type: "bar", name: t("watch.spectrum"), x, y: spectrum, marker: { color: tones(palette()).held } };
    this.spectrum.heading.textContent = t("watch.spectrum_at", { step: this.ctx.number(look.step) });
    this.spectrum.draw({ traces: [trace], x: [0.4, spectrum.length + 0.6], y: [0, most * 1.08], format: ".0%", xTitle: t("watch.spectrum.frequency") });
  }

  /** Rows are steps; columns are [label, values]. */
  table(title, steps, columns) {
    return stepTable(this.ctx, title, steps, columns);
  }

  lossTable() {
    const { t, metrics } = this.ctx;
    const held = new Map(metrics.looks.map(({ step, loss }) => [step, loss]));
    const steps = Array.from(metrics.step.all);
    return this.table(this.loss.title, steps, [
      [t("watch.train"), metrics.loss.all],
      [t("watch.train_smooth"), metrics.smooth.all],
      [t("watch.held_out"), steps.map((step) => held.get(step) ?? NaN)],
    ]);
  }

  metricTable() {
    const { t, metrics } = this.ctx;
    const { looks } = metrics;
    return this.table(this.metric.title, looks.map(({ step }) => step), [
      [t("watch.train"), looks.map(({ train }) => train ?? NaN)],
      [t("watch.held_out"), looks.map(({ accuracy }) => accuracy)],
    ]);
  }

  rateTable() {
    const { t, metrics } = this.ctx;
    return this.table(t("watch.rate"), Array.from(metrics.step.all), [[t("watch.rate"), metrics.rate.all]]);
  }

  spectrumTable() {
    const { t } = this.ctx;
    const spec = this.table(this.spectrum.heading.textContent, this.shown.map((_, n) => n + 1), [[t("watch.spectrum.share"), this.shown]]);
    spec.rows.title = t("watch.spectrum.frequency");
    return spec;
  }
}

/** Return columns of numbers by step as the table dialog takes them. */
export function stepTable(ctx, title, steps, columns) {
  const data = new Float32Array(steps.length * columns.length);
  columns.forEach(([, values], c) => steps.forEach((_, r) => {
    data[r * columns.length + c] = values[r];
  }));
  return {
    title,
    rows: { kind: "dims", title: ctx.t("watch.step"), labels: steps, index: steps },
    cols: { kind: "names", title: ctx.t("watch.series"), labels: columns.map(([label]) => label) },
    matrix: { data, rows: steps.length, cols: columns.length },
  };
}
