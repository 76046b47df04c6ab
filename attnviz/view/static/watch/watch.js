/**
 * The view of a training run: its curves and every head's attention, live, at any step of its history.
 * `mount` is what Streamlit calls; called again with another run, it begins anew.
 */

import { el } from "../core/dom.js";
import { exportMenu } from "../export/menu.js";
import { fmt, orDash } from "../core/format.js";
import { View, mountOf } from "../core/frame.js";
import { createStore } from "../core/store.js";
import { textsAt } from "../core/texts.js";
import { openTable } from "../export/table.js";
import { Tooltip } from "../matrix/tooltip.js";
import { Charts } from "./charts.js";
import { Feed } from "./feed.js";
import { Head } from "./head.js";
import { Heads } from "./heads.js";
import { inOtherWords, metricName, metricText, signed } from "./measures.js";
import { lastAt, Metrics } from "./metrics.js";
import { Moved } from "./moved.js";
import { Movement } from "./movement.js";
import { Over } from "./over.js";
import { Patterns } from "./patterns.js";
import { loadPlotly } from "./plot.js";
import { Samples } from "./samples.js";
import { isAbout, Scores } from "./scores.js";
import { TimeBar } from "./time.js";
import { Timeline } from "./timeline.js";
import { Transport } from "./transport.js";
import { forgetPlace, readPlace, writePlace } from "./address.js";
import viewCss from "../core/view.css";
import panelsCss from "../panels/panels.css";
import watchCss from "./watch.css";

const PACE_MS = 4000; // over which the speed is measured
const TOLD_MS = 10_000; // for so long a command is told again with the next one
const CLEARLY = 0.2; // a share of attention, above chance or moved, that is no accident
const EVERYTHING = new Set(["news", "metrics", "snapshots", "snapshot", "at", "site", "head", "seq", "measure", "moved", "outline", "log", "smooth", "theme", "why"]);
const START = { at: null, site: 0, head: 0, seq: 0, query: null, key: null, dim: null, locked: false, hide: "none", hover: null, log: true, smooth: true, outline: true, measure: "mass", moved: "first", why: false };

class Watch extends View {
  constructor(component) {
    super(component, "attnviz aw", [viewCss, panelsCss, watchCss]);
    this.header = component.data;
    this.root.dataset.run = this.header.run;
    this.metrics = new Metrics();
    this.timeline = new Timeline();
    this.scores = new Scores(this.header);
    this.movement = this.header.tuned ? new Movement(this.header) : null;
    this.news = null;
    this.paces = []; // {time, step}
    this.told = []; // {at, run, name, value}
    this.replayed = 0;
    this.snapshot = undefined;
    this.attends = this.header.sites.length > 0;
    this.looks = []; // steps of which there is something to see, in a network without attention
    const place = readPlace(this.header);
    this.named = "site" in place;
    this.first = this.firstSite();
    this.store = createStore({ ...START, site: this.first, ...place });
    this.store.subscribe((state, changed) => this.update(state, changed));
    this.open(textsAt(this.header.texts));
  }

  /** The first layer of which something is expected, or else that writes the answer; the last one of a pretrained network. */
  firstSite() {
    const { sites, sequences, stack, tuned } = this.header;
    if (tuned) return sites.length - 1;
    const first = sequences[0].patterns[0] ?? { stack, kind: "self" };
    return Math.max(0, sites.findIndex((site) => isAbout(first, site)));
  }

  fits({ run, lang, steer }) {
    return run === this.header.run && lang === this.header.lang && steer === this.header.steer;
  }

  receive(component) {
    this.component = component;
    this.retheme();
    this.feed?.wake();
    this.replay();
  }

  /** Plays a run that is done once, when it is asked to. */
  replay() {
    const { replay } = this.component.data;
    if (replay === this.replayed || this.news?.state !== "done" || this.moments.length < 2) return;
    this.replayed = replay;
    if (replay && !new URLSearchParams(location.search).has("step")) this.time.start();
  }

  build() {
    const ctx = this.context();
    this.ctx = ctx;
    this.body = el("div", { class: "av-body aw-body" });
    this.root.append(this.body);
    ctx.tooltip = new Tooltip(this.body);
    this.transport = new Transport(ctx);
    this.time = new TimeBar(ctx);
    this.charts = new Charts(ctx);
    this.samples = new Samples(ctx);
    this.parts = [this.transport, this.time, this.charts, this.samples];
    if (this.attends) {
      this.heads = new Heads(ctx);
      this.head = new Head(ctx);
      this.patterns = new Patterns(ctx);
      this.over = new Over(ctx);
      this.parts.push(this.heads, this.head, this.patterns, this.over);
    }
    if (this.movement) {
      this.moved = new Moved(ctx);
      this.parts.push(this.moved);
    }
    this.root.classList.toggle("aw-plain", !this.attends);
    const { loss, metric, rate, spectrum } = this.charts;
    const patterns = this.attends ? [this.patterns.element] : [];
    const moved = this.moved ? [this.moved.element] : [];
    const over = this.attends ? [this.over.element] : [];
    this.body.prepend(
      this.transport.element,
      this.time.element,
      el("div", { class: "aw-columns" }, [
        el("div", { class: "aw-column" }, [
          el("section", { class: "aw-attention", "aria-label": ctx.t("watch.attention") }, this.attention()),
          this.samples.element,
        ]),
        el("section", { class: "aw-curves", "aria-label": ctx.t("watch.curves") }, [loss.element, ...over, metric.element, ...moved, ...patterns, spectrum.element, rate.element]),
      ]),
      this.live,
    );
    this.feed = new Feed(this.header.run, this.header.lang, (...news) => this.take(...news), (problem) => this.tell(problem));
    this.update(this.store.state, EVERYTHING);
    this.root.dataset.ready = "true";
    // on a phone the controls stand above: who pressed Play there would see nothing move
    if (this.header.follow && this.root.getBoundingClientRect().top > window.innerHeight / 2) this.root.scrollIntoView();
  }

  /** All heads and the chosen one, or a word about having none. */
  attention() {
    const { t } = this.ctx;
    if (this.attends) return [this.headline(), el("div", { class: "aw-pair" }, [this.heads.element, this.head.element])];
    return [el("h2", { text: t("watch.attention") }), el("p", { class: "aw-none", text: t("watch.no_attention") })];
  }

  /** Show the sequence that the heads attend to, and a choice among several. */
  headline() {
    const { t } = this.ctx;
    const { sequences } = this.header;
    const title = el("h2", { text: t("watch.attention") });
    if (sequences.length === 1) return el("header", { class: "aw-headline" }, title);
    const choice = el("select", { class: "aw-select aw-sequence", on: { change: () => this.store.set({ seq: Number(choice.value) }) } },
      sequences.map(({ labels }, n) => el("option", { value: n, text: `${n + 1}: ${(labels.encoder ?? labels.decoder).join(" ").slice(0, 40)}`, selected: n === this.store.state.seq })));
    return el("header", { class: "aw-headline" }, title, el("label", { class: "aw-field" }, [el("span", { text: t("watch.sequence") }), choice]));
  }

  context() {
    const watch = this;
    const { header, store } = this;
    const number = (x) => x.toLocaleString(header.lang);
    const percent = (share) => (Number.isFinite(share) ? share.toLocaleString(header.lang, { style: "percent", maximumFractionDigits: share < 0.0995 || (share > 0.99 && share < 1) ? 1 : 0 }) : "–");
    const { t } = this;
    return {
      header, store, t, number, percent, fmt, lang: header.lang,
      full: fmt, // the weights are rounded to 255 levels: more digits would say nothing
      file: header.run,
      root: this.root,
      metrics: this.metrics, timeline: this.timeline, scores: this.scores, movement: this.movement,
      get news() {
        return watch.news;
      },
      get snapshot() {
        return watch.snapshot;
      },
      palette: () => this.palette,
      plotly: () => this.plotly(),
      moments: () => this.moments,
      index: () => this.index(),
      position: () => this.position(),
      range: () => [0, Math.max(10, this.metrics.last, this.moments.at(-1) ?? 0)],
      pace: () => this.pace(),
      peak: () => this.peak(),
      jump: (step) => store.set({ at: this.moments.length ? this.moments[this.indexAt(step)] : null }),
      hoverStep: (step, event) => this.hover(step, event),
      follow: () => {
        this.follows = true;
        store.set({ at: null });
      },
      command: (name, value) => this.command(name, value),
      announce: (text) => this.announce(text),
      openTable: (spec) => openTable({ root: this.root, t, full: orDash }, spec),
      exportMenu: (spec, anchor) => exportMenu(this.ctx, spec, anchor),
      data: { header: { lang: header.lang } },
    };
  }

  async take(news, metrics, attention) {
    if (news.reset) {
      this.metrics.clear();
      this.timeline.clear();
      this.looks = [];
      this.scores.clear();
      this.movement?.clear();
      this.paces = [];
      this.store.touch("metrics");
      this.store.touch("snapshots");
    }
    if (metrics.length) {
      this.metrics.add(metrics);
      this.store.touch("metrics");
    }
    if (attention.length) {
      this.stay();
      await this.timeline.add(attention, (snapshot) => this.see(snapshot));
      this.store.touch("snapshots");
    }
    if (this.attends) this.chooseHead(news);
    else this.takeLooks(news);
    const before = this.news;
    this.news = news;
    this.measurePace(news);
    this.store.touch("news");
    if (before && before.state !== news.state) this.announce(this.ctx.t("watch.announce", { state: this.ctx.t(`watch.state.${news.state}`), step: this.ctx.number(news.step) }));
    this.root.dataset.state = news.state;
    this.replay();
    this.root.dataset.snapshots = String(this.moments.length);
    if (this.metrics.damaged) this.tell({ kind: "damaged", message: "" });
  }

  /** Measure a snapshot. @param {Uint8Array} snapshot */
  see(snapshot) {
    this.scores.add(snapshot, this.timeline);
    this.movement?.add(snapshot, this.timeline);
  }

  /** Take the steps of a network without attention: those of its validations and checkpoints. */
  takeLooks({ checkpoints }) {
    const steps = [...new Set([...this.metrics.looks.map(({ step }) => step), ...checkpoints])].sort((a, b) => a - b);
    if (steps.length === this.looks.length) return;
    this.stay();
    this.looks = steps;
    this.store.touch("snapshots");
  }

  /** A view that does not follow stays where it began, until somebody asks for the newest. */
  stay() {
    const { header, moments, store } = this;
    if (header.follow || this.follows || !moments.length || store.state.at !== null) return;
    store.set({ at: moments.at(-1) });
  }

  /** Show the first head that stands out, and keep it, unless a person has chosen one. @param {{state: string}} news */
  chooseHead(news) {
    const { site, head } = this.store.state;
    if (this.named || site !== this.first || head !== 0 || !this.timeline.length) return;
    const leader = this.movement ? this.mover(news) : this.worker();
    if (!leader) return;
    this.named = true;
    this.store.set({ site: this.header.sites.findIndex(({ name }) => name === leader.site), head: leader.head });
  }

  /** The head that clearly does the task's work, or null. */
  worker() {
    const leader = this.scores.leader(this.store.state.seq, this.timeline.length - 1);
    return leader && leader.mass >= leader.chance + CLEARLY ? leader : null;
  }

  /** The head that has moved most: clearly, or at all by the end; or null. */
  mover({ state }) {
    const leader = this.movement.leader();
    return leader.by >= CLEARLY || (state === "done" && leader.by > 0) ? leader : null;
  }

  tell(problem) {
    const text = problem ? problem.message || this.ctx.t(`watch.problem.${problem.kind}`) : "";
    this.transport.showProblem(text);
    this.root.dataset.problem = problem?.kind ?? "";
  }

  measurePace({ state }) {
    const time = performance.now();
    if (state !== "running") this.paces = [];
    this.paces.push({ time, step: this.metrics.last });
    while (this.paces.length > 2 && time - this.paces[0].time > PACE_MS) this.paces.shift();
  }

  /** Steps per second; 0 while that is not known. Of a run that takes turns: its share of what it makes in its turns. */
  pace() {
    const [first, last] = [this.paces[0], this.paces.at(-1)];
    const measured = this.paces.length < 2 ? 0 : (1000 * (last.step - first.step)) / (last.time - first.time);
    const [cores, runs] = this.news?.share ?? [1, 1];
    if (runs <= cores) return measured;
    const shared = (this.metrics.stepsPerSecond() * cores) / runs;
    return measured ? Math.min(measured, shared) : shared;
  }

  /** The learning rate at its highest: what a step used, over the share that the schedule gave it; and that step. */
  peak() {
    const { rates: { every, values }, learning_rate: configured } = this.header;
    const step = Math.floor(this.metrics.last / every) * every;
    const line = this.metrics.lineAt(step);
    const planned = values[step / every - 1];
    return { step, rate: line >= 0 && planned > 0 ? (configured * this.metrics.rate.at(line)) / planned : configured };
  }

  /** Tells the server, with what it was told a moment before: of two commands that come together it hears the later alone. */
  command(name, value) {
    const now = performance.timeOrigin + performance.now();
    this.told = this.told.filter(({ at }) => now - at < TOLD_MS);
    this.told.push({ at: Math.max(now, (this.told.at(-1)?.at ?? 0) + 1), run: this.header.run, name, value });
    this.component.setTriggerValue?.("command", this.told);
    this.feed.wake(true);
  }

  /** The steps that can be looked at, rising: whose attention was recorded, where there is any. */
  get moments() {
    return this.attends ? this.timeline.steps : this.looks;
  }

  /** Index of a step among them, or of the last one before it. */
  indexAt(step) {
    return Math.max(0, lastAt(this.moments, step));
  }

  /** Index of the one that is shown. */
  index() {
    const { at } = this.store.state;
    return at === null ? Math.max(0, this.moments.length - 1) : this.indexAt(at);
  }

  /** Its step. */
  position() {
    return this.moments[this.index()] ?? 0;
  }

  hover(step, event) {
    this.store.set({ hover: step });
    if (step === null) this.ctx.tooltip.hide();
    else this.ctx.tooltip.show(this.describe(step), event.clientX, event.clientY);
  }

  describe(step) {
    const { t, number, percent } = this.ctx;
    const { metrics, header } = this;
    const metric = metricName(t, header);
    const lines = [{ label: t("watch.step"), text: number(step) }];
    const line = metrics.lineAt(step);
    if (line >= 0) {
      lines.push({ label: t("watch.tip.loss"), text: fmt(metrics.loss.at(line)) });
      lines.push({ label: t("watch.tip.smooth"), text: fmt(metrics.smooth.at(line)) });
    }
    const look = metrics.lookAt(step);
    if (look) {
      const at = look.step === step ? "" : ` (${t("watch.at_step", { step: number(look.step) })})`;
      lines.push({ label: t("watch.tip.held_loss"), text: fmt(look.loss) + at });
      for (const [label, text] of inOtherWords(t, header, look.loss)) lines.push({ label, text });
      if (Number.isFinite(metrics.gap(look))) lines.push({ label: t("watch.gap"), text: signed(metrics.gap(look)) });
      if (look.train !== null) lines.push({ label: t("watch.tip.train_metric", { metric }), text: metricText(header, look.train, percent) });
      lines.push({ label: t("watch.tip.held_metric", { metric }), text: metricText(header, look.accuracy, percent) });
    }
    if (line >= 0) lines.push({ label: t("watch.rate"), text: fmt(metrics.rate.at(line)) });
    const best = this.timeline.length ? this.scores.best(this.store.state.seq, header.sites[this.store.state.site].name, this.store.state.head, this.indexAt(step)) : null;
    if (best) lines.push({ label: t(best.pattern.key), text: percent(best.mass) });
    return lines;
  }

  /** The charts' library; undefined, and a word about it, when it cannot be had. */
  plotly() {
    return loadPlotly(this.header.plotly).catch(() => this.tell({ kind: "network", message: "" }));
  }

  update(state, changed) {
    if (!this.body) return;
    const moved = changed.has("at") || (changed.has("snapshots") && state.at === null);
    if (moved) changed = new Set([...changed, "at"]);
    if (moved || changed.has("snapshots")) changed = this.look(changed);
    for (const part of this.parts) part.update(changed);
    if (["hover", "at", "metrics", "snapshots"].some((key) => changed.has(key))) this.markSteps(state);
    if (["at", "site", "head", "seq", "query", "key", "locked", "why"].some((key) => changed.has(key))) writePlace(state, this.header);
    this.mirror(state);
  }

  /** Brings the snapshot of the position; the pictures change when it is there. */
  look(changed) {
    const index = this.index();
    if (!this.timeline.length) return changed;
    const ready = this.timeline.ready(index);
    if (ready) {
      if (ready === this.snapshot) return changed;
      this.snapshot = ready;
      return new Set([...changed, "snapshot"]);
    }
    this.timeline.snapshot(index).then(() => index === this.index() && this.store.touch("at"));
    return changed;
  }

  markSteps({ hover, at }) {
    const steps = { hover, position: at === null || !this.moments.length ? null : this.position() };
    for (const chart of [...this.charts.all, ...(this.patterns?.charts ?? [])]) chart.mark(steps);
  }

  /** The state on the root element, for tests and for style. */
  mirror(state) {
    const { dataset } = this.root;
    dataset.step = String(this.position());
    if (this.attends) Object.assign(dataset, { site: this.header.sites[state.site].name, head: String(state.head) });
    dataset.follows = String(state.at === null);
  }

  repaint() {
    this.store.touch("theme");
  }

  destroy() {
    super.destroy();
    forgetPlace();
    this.feed?.destroy();
  }
}

/** As `mountOf` says; its data is the header of a run. */
export const mount = mountOf(Watch);
