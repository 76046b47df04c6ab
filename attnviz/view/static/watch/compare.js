/** Several runs beside each other: loss and metric of all of them on one chart each, live. */

import { el } from "../core/dom.js";
import { fmt, orDash } from "../core/format.js";
import { View, mountOf } from "../core/frame.js";
import { textsAt } from "../core/texts.js";
import { openTable } from "../export/table.js";
import { Tooltip } from "../matrix/tooltip.js";
import { logRange } from "./charts.js";
import { Feed } from "./feed.js";
import { inOtherWords, lossName, metricAxis, metricName, metricText, signed } from "./measures.js";
import { Metrics } from "./metrics.js";
import { Chart, loadPlotly } from "./plot.js";
import viewCss from "../core/view.css";
import panelsCss from "../panels/panels.css";
import watchCss from "./watch.css";

const REDRAW_MS = 300; // of all charts, however many runs bring news
// apart to every eye, and none of them a colour that stands for queries, keys or values
const COLOURS = { light: ["#6b3fb0", "#b8860b", "#c0398b", "#3d3d3d", "#7a9a01", "#8a5a44"], dark: ["#b79cf0", "#e6b84c", "#f08cc4", "#d0d0d0", "#b5d24a", "#cfa48e"] };
const FEW = 60; // points, up to which they are marked
const DASHES = ["solid", "dash", "dot"]; // for more runs than colours

const identity = ({ runs, lang }) => JSON.stringify([lang, runs.map(({ run }) => run)]);

/** Return the common value; undefined if they differ. */
const alike = (values) => (values.every((value) => value === values[0]) ? values[0] : undefined);

class Compare extends View {
  constructor(component) {
    super(component, "attnviz aw aw-compare", [viewCss, panelsCss, watchCss]);
    this.header = component.data;
    this.runs = this.header.runs.map((run) => ({ ...run, metrics: new Metrics(), state: "", problem: "" }));
    this.held = true;
    this.open(textsAt(this.header.texts));
  }

  fits(data) {
    return identity(data) === identity(this.header);
  }

  receive() {
    this.retheme();
  }

  build() {
    const { t } = this;
    const ctx = {
      t, root: this.root, file: "runs",
      palette: () => this.palette,
      plotly: () => this.plotly(),
      hoverStep: (step, event) => this.hover(step, event),
      jump: () => {},
      openTable: (spec) => openTable({ root: this.root, t, full: orDash }, spec),
    };
    this.ctx = ctx;
    this.body = el("div", { class: "av-body aw-body" });
    this.root.append(this.body);
    ctx.tooltip = new Tooltip(this.body);
    const choose = [true, false].map((held) => el("button", { type: "button", class: "av-small", text: t(held ? "watch.compare.loss.held" : "watch.compare.loss.train"), on: { click: () => this.choose(held) } }));
    this.choices = choose;
    this.loss = new Chart(ctx, { name: "loss", title: alike(this.runs.map((run) => lossName(t, run))) ?? t("watch.loss"), height: 260, columns: t("watch.compare"), tools: choose });
    const metric = alike(this.runs.map((run) => metricName(t, run)));
    this.metric = new Chart(ctx, { name: "metric", title: metric ? t("watch.compare.metric_of", { metric }) : t("watch.compare.metric"), height: 260, columns: t("watch.compare") });
    this.key = el("ol", { class: "aw-key" });
    this.problem = el("p", { class: "aw-problem", role: "alert", hidden: true });
    this.body.prepend(this.problem, this.key, el("div", { class: "aw-two" }, [this.loss.element, this.metric.element]));
    this.feeds = this.runs.map((run) => new Feed(run.run, this.header.lang, async (news, metrics) => this.take(run, news, metrics), (problem) => this.tell(run, problem)));
    this.parts = [this.loss, this.metric, ...this.feeds];
    this.choose(true);
    this.root.dataset.ready = "true";
  }

  take(run, news, metrics) {
    if (news.reset) run.metrics.clear();
    run.metrics.add(metrics);
    run.state = news.state;
    this.timer ??= setTimeout(() => this.draw(), REDRAW_MS);
  }

  /** The charts' library; undefined, and a word about it, when it cannot be had. */
  plotly() {
    return loadPlotly(this.header.plotly).catch(() => {
      this.problem.hidden = false;
      this.problem.textContent = this.t("watch.problem.network");
    });
  }

  tell(run, problem) {
    run.problem = problem ? this.t("watch.compare.problem", { run: run.run, message: problem.message || this.t(`watch.problem.${problem.kind}`) }) : "";
    const texts = this.runs.map((one) => one.problem).filter(Boolean);
    this.problem.hidden = texts.length === 0;
    this.problem.replaceChildren(...texts.map((text) => el("span", { text })));
  }

  choose(held) {
    this.held = held;
    this.choices.forEach((button, n) => button.setAttribute("aria-pressed", String(held === (n === 0))));
    this.draw();
  }

  look(n) {
    const colours = COLOURS[this.palette.dark ? "dark" : "light"];
    return { colour: colours[n % colours.length], width: 1.8, dash: DASHES[Math.floor(n / colours.length) % DASHES.length] };
  }

  lossOf({ metrics }) {
    if (!this.held) return { x: metrics.step, y: metrics.smooth };
    return { x: metrics.looks.map(({ step }) => step), y: metrics.looks.map(({ loss }) => loss) };
  }

  metricOf({ metrics }) {
    return { x: metrics.looks.map(({ step }) => step), y: metrics.looks.map(({ accuracy }) => accuracy) };
  }

  draw() {
    this.timer = undefined;
    if (this.gone) return;
    /** @type {[number, number]} */
    const range = [0, Math.max(10, ...this.runs.map(({ metrics }) => metrics.last))];
    const series = (points) => this.runs.map((run, n) => ({ name: run.run, label: "", ...points(run), ...this.look(n), dotted: points(run).x.length <= FEW }));
    const losses = series((run) => this.lossOf(run));
    const values = losses.flatMap(({ y }) => Array.from(y)).filter((y) => y > 0);
    const [low, high] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), 0)];
    this.loss.draw({ series: losses, x: range, y: values.length ? logRange(low, high) : [0, 1], scale: values.length ? "log" : "linear" });
    const metrics = series((run) => this.metricOf(run));
    this.metric.draw({ series: metrics, x: range, ...metricAxis(this.runs, metrics.flatMap(({ y }) => y)) });
    this.showKey();
  }

  /** Show which line is which run, and how it ended. */
  showKey() {
    this.key.replaceChildren(...this.runs.map((run, n) => {
      const swatch = el("i", { class: "aw-swatch" });
      const { colour, dash } = this.look(n);
      Object.assign(swatch.style, { borderColor: colour, borderTopStyle: { solid: "solid", dash: "dashed", dot: "dotted" }[dash] });
      const last = run.metrics.looks.at(-1);
      const facts = [run.differs, run.task, run.state && this.t(`watch.state.${run.state}`), this.t("watch.steps", { step: run.metrics.last, steps: run.steps }), ...(last ? this.facts(run, last) : [])];
      return el("li", {}, [swatch, el("b", { text: run.run }), el("span", { class: "av-muted", text: facts.filter(Boolean).join(" · ") })]);
    }));
    this.root.dataset.points = this.runs.map(({ metrics }) => metrics.step.length).join(" ");
  }

  /** Describe the scores of one validation. */
  facts(run, look) {
    const { t } = this;
    const facts = inOtherWords(t, run, look.loss).map(([label, text]) => `${label} ${text}`);
    if (Number.isFinite(run.metrics.gap(look))) facts.push(`${t("watch.gap")} ${signed(run.metrics.gap(look))}`);
    if (Number.isFinite(look.accuracy)) facts.unshift(`${metricName(t, run)} ${metricText(run, look.accuracy, (share) => this.percent(share))}`);
    return facts;
  }

  percent(share) {
    return share.toLocaleString(this.header.lang, { style: "percent", maximumFractionDigits: 1 });
  }

  hover(step, event) {
    for (const chart of [this.loss, this.metric]) chart.mark({ hover: step, position: null });
    if (step === null) {
      this.ctx.tooltip.hide();
      return;
    }
    const lines = this.runs.flatMap((run) => {
      const at = run.metrics.lineAt(step);
      const look = run.metrics.lookAt(step);
      const loss = this.held ? look?.loss : run.metrics.smooth.at(at);
      return at < 0 || loss === undefined ? [] : [{ label: run.run, text: [run.differs, fmt(loss), ...(look ? this.facts(run, look) : [])].filter(Boolean).join(" · ") }];
    });
    this.ctx.tooltip.show([{ label: this.t("watch.step"), text: step.toLocaleString(this.header.lang) }, ...lines], event.clientX, event.clientY);
  }

  repaint() {
    this.draw();
  }

  destroy() {
    super.destroy();
    clearTimeout(this.timer);
  }
}

/** As `mountOf` says; its data names the runs. */
export const mount = mountOf(Compare);
