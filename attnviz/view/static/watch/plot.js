/** Line and bar charts with Plotly: drawn seldom, still; what moves (the two steps that are marked) is laid over them. */

import { el } from "../core/dom.js";

const MARGIN = { l: 46, r: 8, t: 6, b: 22 };
const FONT_SIZE = 11;
const MOST_POINTS = 1200; // of a line; more do not fit side by side on a screen
const MANY = 40; // points, from where on their marks are small

const page = /** @type {any} */ (window); // where the library puts itself
let library; // one for all charts of the page

/**
 * The library, fetched when the first chart is made.
 * @param {string} name  below the app's own address, as the payload has it
 * @returns {Promise<any>}
 */
export function loadPlotly(name) {
  library ??= new Promise((resolve, reject) => {
    if (page.Plotly) return resolve(page.Plotly);
    const script = el("script", { src: new URL(name, document.baseURI).href, async: true });
    script.addEventListener("load", () => resolve(page.Plotly));
    script.addEventListener("error", () => {
      library = undefined; // the next chart tries again
      reject(new Error("the charts' library was not found"));
    });
    document.head.append(script);
    return undefined;
  });
  return library;
}

/** Every line thinned to what can be seen: of each stretch its lowest and highest value, in their order. */
function thin(x, y) {
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

/**
 * @typedef {Object} Series  a line
 * @property {string} name
 * @property {ArrayLike<number>} [x]
 * @property {ArrayLike<number>} [y]
 * @property {{x: ArrayLike<number>, y: ArrayLike<number>}[]} [lines]  in place of x and y: one trace holds all of them
 * @property {string} colour
 * @property {number} [width]
 * @property {string} [dash]  as Plotly calls it
 * @property {boolean} [faint]
 * @property {boolean} [dotted]  its few points are marked, so that a single one shows
 * @property {boolean} [bars]  bars in place of a line
 * @property {string} [band]  colour of the band between it and the series before it
 * @property {string} [label]  what the legend says, if not the name; "": the legend leaves it out
 * @property {"chart"|"table"} [only]  where it is, if not in both
 *
 * @typedef {Object} Drawing
 * @property {Series[]} series
 * @property {[number, number]} x  range
 * @property {[number, number]} [y]  range, if not chosen by Plotly
 * @property {"linear"|"log"} [scale]  of y
 * @property {string} [format]   of y's ticks
 * @property {string} [xTitle]
 * @property {string} [about]  what the table says after the title
 */

/** A series as Plotly takes it. @param {Series} series */
function traceOf({ name, x, y, lines = [{ x, y }], colour, width = 1.5, dash, faint, dotted, bars, band }) {
  if (bars) return { type: "bar", name, x, y, marker: { color: colour } };
  const thinned = lines.map((line) => thin(line.x, line.y));
  const joined = (axis) => thinned.flatMap((line, n) => (n ? [null, ...line[axis]] : line[axis])); // null: a gap
  const points = joined("x");
  return {
    type: "scatter", mode: dotted ? "lines+markers" : "lines", name, x: points, y: joined("y"), connectgaps: false, showlegend: width > 0, cliponaxis: !dotted,
    line: { color: colour, width, dash }, marker: { size: points.length > MANY ? 3 : 5, color: colour }, opacity: faint ? 0.45 : 1,
    ...(band && { fill: "tonexty", fillcolor: band }),
  };
}

export class Chart {
  /**
   * @param {any} ctx
   * @param {{name: string, title: string, height: number, steps?: boolean, columns?: string, tools?: Node[]}} options
   *     steps: the x axis counts steps, so that hovering and clicking point at one; columns: what the series of its table are
   */
  constructor(ctx, { name, title, height, steps = true, columns = ctx.t("watch.series"), tools = [] }) {
    this.ctx = ctx;
    this.name = name;
    this.title = title;
    this.height = height;
    this.steps = steps;
    const { t } = ctx;
    this.heading = el("h2", { text: title });
    this.legend = el("span", { class: "aw-legend" });
    this.columns = columns;
    const button = (key, act) => el("button", { type: "button", class: "av-small", text: t(`watch.chart.${key}`), "aria-label": t(`watch.chart.${key}_of`, { title }), on: { click: act } });
    const buttons = [button("table", () => ctx.openTable(this.table())), button("png", () => this.save())];
    this.plot = el("div", { class: "aw-plot" });
    this.marks = ["hover", "position"].map((kind) => el("div", { class: `aw-mark aw-mark-${kind}`, hidden: true }));
    this.frame = el("div", { class: `aw-frame ${steps ? "aw-steps" : ""}`, role: "img", "aria-label": title, on: steps ? {
      pointermove: (event) => this.hover(event),
      pointerleave: () => this.leave(),
      click: (event) => this.jump(event),
    } : {} }, [this.plot, ...this.marks]);
    this.frame.style.height = `${height}px`;
    this.element = el("figure", { class: "aw-chart", dataset: { chart: name } }, [
      el("header", {}, [this.heading, this.legend, el("span", { class: "aw-tools" }, [...tools, ...buttons])]),
      this.frame,
    ]);
    this.resized = new ResizeObserver(() => this.drawing && this.draw(this.drawing));
    this.resized.observe(this.frame);
  }

  destroy() {
    this.resized.disconnect();
    page.Plotly?.purge(this.plot);
  }

  /** Show the legend of the lines. */
  explain() {
    const entries = this.drawing.series.filter(({ label, only }) => label !== "" && only !== "table");
    const key = JSON.stringify(entries.map(({ name, label, colour, dash, faint }) => [label ?? name, colour, dash, faint]));
    if (key === this.explained) return;
    this.explained = key;
    this.legend.replaceChildren(...entries.map(({ name, label = name, colour, dash, faint }) => {
      const line = el("i", { class: `aw-swatch ${dash ? "aw-dashed" : ""} ${faint ? "aw-faint" : ""}` });
      line.style.borderColor = colour;
      return el("span", {}, [line, label]);
    }));
  }

  /** Data for the table dialog: rows are all steps of the series, columns the series. */
  table() {
    const series = this.drawing.series.filter(({ only }) => only !== "chart");
    const values = series.map(({ x, y }) => new Map(Array.from(x, (step, n) => [step, y[n] ?? NaN])));
    const steps = [...new Set(values.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
    const data = Float32Array.from(steps.flatMap((step) => values.map((column) => column.get(step) ?? NaN)));
    return {
      title: [this.heading.textContent, this.drawing.about].filter(Boolean).join(" · "),
      rows: { kind: "dims", title: this.drawing.xTitle ?? this.ctx.t("watch.step"), labels: steps, index: steps },
      cols: { kind: "names", title: this.columns, labels: series.map(({ name }) => name) },
      matrix: { data, rows: steps.length, cols: series.length },
    };
  }

  get traces() {
    return this.drawing.series.filter(({ only }) => only !== "table").map(traceOf);
  }

  /** @param {Drawing} drawing */
  async draw(drawing) {
    this.drawing = drawing;
    this.explain();
    this.placeMarks();
    if (this.busy || !this.frame.clientWidth) return;
    this.busy = true;
    try {
      const plotly = await this.ctx.plotly();
      const { traces } = this;
      if (plotly && this.frame.isConnected) await plotly.react(this.plot, traces, this.layout(this.drawing), { staticPlot: true, responsive: false });
      this.element.dataset.points = String(Math.max(0, ...traces.map(({ x }) => x.length)));
    } finally {
      this.busy = false;
    }
    if (this.drawing !== drawing) this.draw(this.drawing);
  }

  /** @param {Drawing} drawing */
  layout({ x, y, scale = "linear", format, xTitle }) {
    const palette = this.ctx.palette();
    const axis = { color: palette.muted, linecolor: palette.border, tickcolor: palette.border, zeroline: false, fixedrange: true };
    return {
      width: this.frame.clientWidth,
      height: this.height,
      margin: xTitle ? { ...MARGIN, b: 36 } : MARGIN,
      showlegend: false,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: palette.font, size: FONT_SIZE, color: palette.muted },
      xaxis: { ...axis, range: x, showgrid: false, nticks: 6, tickformat: ",d", ticks: "outside", ticklen: 3, showline: true, title: xTitle ? { text: xTitle, standoff: 6 } : undefined },
      yaxis: { ...axis, type: scale, gridcolor: palette.border, gridwidth: 0.5, nticks: 5, tickformat: format, range: y, autorange: y ? undefined : true, dtick: scale === "log" && y && y[1] - y[0] > 1.3 ? 1 : undefined },
    };
  }

  /** Pixels from the left of the frame to a step. */
  xOf(step) {
    const [low, high] = this.drawing.x;
    return MARGIN.l + ((step - low) / (high - low)) * (this.frame.clientWidth - MARGIN.l - MARGIN.r);
  }

  stepAt(event) {
    const [low, high] = this.drawing.x;
    const across = event.clientX - this.frame.getBoundingClientRect().left - MARGIN.l;
    const step = low + (across / (this.frame.clientWidth - MARGIN.l - MARGIN.r)) * (high - low);
    return Math.round(Math.min(high, Math.max(low, step)));
  }

  /** @param {{hover: number|null, position: number|null}} steps */
  mark(steps) {
    this.marked = steps;
    this.placeMarks();
  }

  placeMarks() {
    if (!this.steps || !this.drawing || !this.marked) return;
    const [low, high] = this.drawing.x;
    for (const [n, step] of [this.marked.hover, this.marked.position].entries()) {
      const mark = this.marks[n];
      mark.hidden = step === null || step < low || step > high;
      if (!mark.hidden) mark.style.transform = `translateX(${this.xOf(step)}px)`;
    }
  }

  hover(event) {
    if (this.drawing && event.pointerType !== "touch") this.ctx.hoverStep(this.stepAt(event), event);
  }

  leave() {
    this.ctx.hoverStep(null);
  }

  jump(event) {
    if (this.drawing) this.ctx.jump(this.stepAt(event));
  }

  /** The chart as a picture, with its title and its legend. */
  async save() {
    const plotly = await this.ctx.plotly();
    if (!plotly || !this.drawing) return;
    const palette = this.ctx.palette();
    const layout = { ...this.layout(this.drawing), width: 900, height: 420, margin: { l: 60, r: 20, t: 50, b: 50 }, paper_bgcolor: palette.background, showlegend: true, title: { text: this.title, font: { size: 15, color: palette.text } } };
    await plotly.downloadImage({ data: this.traces, layout }, { format: "png", scale: 2, width: 900, height: 420, filename: `${this.ctx.file}-${this.name}` });
  }
}
