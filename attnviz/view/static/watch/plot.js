/** Line and bar charts with Plotly: drawn seldom, still; what moves (the two steps that are marked) is laid over them. */

import { el } from "../core/dom.js";

const MARGIN = { l: 46, r: 8, t: 6, b: 22 };
const FONT_SIZE = 11;

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

/**
 * @typedef {Object} Drawing
 * @property {any[]} traces   as Plotly takes them
 * @property {[number, number]} x  range
 * @property {[number, number]} [y]  range, if not chosen by Plotly
 * @property {"linear"|"log"} [scale]  of y
 * @property {string} [format]   of y's ticks
 * @property {string} [xTitle]
 */
export class Chart {
  /**
   * @param {any} ctx
   * @param {{name: string, title: string, height: number, steps?: boolean, table?: () => object, tools?: Node[]}} options
   *     steps: the x axis counts steps, so that hovering and clicking point at one
   */
  constructor(ctx, { name, title, height, steps = true, table, tools = [] }) {
    this.ctx = ctx;
    this.name = name;
    this.title = title;
    this.height = height;
    this.steps = steps;
    const { t } = ctx;
    this.heading = el("h3", { text: title });
    this.legend = el("span", { class: "aw-legend" });
    const buttons = [el("button", { type: "button", class: "av-small", text: t("watch.chart.png"), "aria-label": t("watch.chart.png_of", { title }), on: { click: () => this.save() } })];
    if (table) buttons.unshift(el("button", { type: "button", class: "av-small", text: t("watch.chart.table"), "aria-label": t("watch.chart.table_of", { title }), on: { click: () => ctx.openTable(table()) } }));
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

  /** Show the legend of the lines: [{label, colour, dash, width}] */
  explain(entries) {
    const key = JSON.stringify(entries);
    if (key === this.explained) return;
    this.explained = key;
    this.legend.replaceChildren(...entries.map(({ label, colour, dash, faint }) => {
      const line = el("i", { class: `aw-swatch ${dash ? "aw-dashed" : ""} ${faint ? "aw-faint" : ""}` });
      line.style.borderColor = colour;
      return el("span", {}, [line, label]);
    }));
  }

  /** @param {Drawing} drawing */
  async draw(drawing) {
    this.drawing = drawing;
    this.placeMarks();
    if (this.busy || !this.frame.clientWidth) return;
    this.busy = true;
    try {
      const plotly = await this.ctx.plotly();
      if (plotly && this.frame.isConnected) await plotly.react(this.plot, this.drawing.traces, this.layout(this.drawing), { staticPlot: true, responsive: false });
      this.element.dataset.points = String(Math.max(0, ...this.drawing.traces.map(({ x }) => x.length)));
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
      yaxis: { ...axis, type: scale, gridcolor: palette.border, gridwidth: 0.5, nticks: scale === "log" ? 5 : 5, tickformat: format, range: y, autorange: y ? undefined : true, dtick: scale === "log" && y && y[1] - y[0] > 1.3 ? 1 : undefined },
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
    await plotly.downloadImage({ data: this.drawing.traces, layout }, { format: "png", scale: 2, width: 900, height: 420, filename: `${this.ctx.file}-${this.name}` });
  }
}
