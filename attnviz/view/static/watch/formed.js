/** How the score of the locked cell formed: what its parts were at every kept checkpoint, as bands over the steps. */

import { css } from "../core/colors.js";
import { ServerSource } from "../core/data.js";
import { el } from "../core/dom.js";
import { tokenText } from "../core/format.js";
import { Answers } from "../logits/asked.js";
import { partOf, stack } from "../logits/told.js";
import logitsCss from "../logits/logits.css";
import { tokensOf } from "./heads.js";
import { Chart } from "./plot.js";
import { explorerAddress } from "./time.js";

const SIDES = ["keys", "queries"];
const HEIGHT = 140;
const REST = "rest";
const SHADES = [0.85, -0.7, 0.4, -0.35, 0.15]; // of the bands on the scale of two colours, the largest first

/** Index of the step that is nearest. Pure. @param {number[]} steps */
export const nearest = (steps, step) => steps.reduce((best, each, n) => (Math.abs(each - step) < Math.abs(steps[best] - step) ? n : best), 0);

export class Formed {
  /** @param {any} ctx  of the view of a run */
  constructor(ctx) {
    this.ctx = ctx;
    this.t = ctx.t;
    this.found = null;
    const data = Object.assign(new ServerSource(`attnviz/runs/${encodeURIComponent(ctx.header.run)}`), { header: { lang: ctx.lang } });
    this.answers = new Answers(ctx, "why", (found) => this.take(found), { data, done: "watch.formed.done" });
    const own = Object.create(ctx, {
      jump: { value: (step) => this.open(step) },
      hoverStep: { value: (step, event) => this.hover(step, event) },
    });
    this.charts = SIDES.map((side) => new Chart(own, { name: `formed-${side}`, title: this.t(`watch.formed.${side}`), height: HEIGHT }));
    this.says = el("p", { class: "aw-note", "aria-live": "polite" });
    this.kept = el("p", { class: "aw-note" });
    this.links = el("p", { class: "aw-formed-links" });
    this.note = el("p", { class: "aw-note", text: this.t("watch.formed.note") });
    this.element = el("section", { class: "aw-formed", "aria-label": this.t("watch.formed") }, [
      el("style", { text: logitsCss }), el("h2", { text: this.t("watch.formed") }), this.says, this.answers.element, ...this.charts.map(({ element }) => element), this.kept, this.links, this.note,
    ]);
    this.take(null);
  }

  /** The locked cell, where the chosen head has it; null: none. */
  get cell() {
    const { site, head, seq, query, key, locked } = this.ctx.store.state;
    const at = this.ctx.header.sites[site];
    const { queries, keys } = tokensOf(this.ctx.header, seq, at);
    if (!locked || query === null || key === null || query >= queries.length || key >= keys.length) return null;
    return { seq, site: at.name, head, query, key };
  }

  /** @param {Set<string>} changed */
  update(changed) {
    if (["site", "head", "seq", "query", "key", "locked", "news", "why"].some((name) => changed.has(name))) this.ask();
    if (changed.has("theme") || changed.has("metrics")) this.draw();
    if (changed.has("at") || changed.has("snapshots")) this.tell();
    const { hover } = this.ctx.store.state;
    for (const chart of this.charts) chart.mark({ hover, position: this.ctx.position() });
  }

  ask() {
    const { cell, ctx } = this;
    if (!cell) {
      this.answers.leave();
      this.take(null);
    } else this.answers.get({ ...cell, kept: ctx.news?.checkpoints.length ?? 0 }); // of a run that goes on there will be more
  }

  take(found) {
    this.found = found;
    this.element.dataset.steps = String(found?.steps.length ?? "");
    const course = found !== null && found.steps.length > 1;
    for (const { element } of this.charts) element.hidden = !course;
    this.kept.hidden = !found;
    this.links.hidden = !found?.steps.length;
    this.note.hidden = !course;
    this.tell();
    if (!found) return;
    const { steps, kept } = found;
    this.kept.textContent = course ? this.t(steps.length < kept ? "watch.formed.some" : "watch.formed.kept", { n: steps.length, kept }) : this.t("watch.formed.few", { n: kept });
    this.links.replaceChildren(el("span", { text: this.t("watch.formed.open") }), ...steps.map((step) => el("a", { class: "aw-link", href: this.address(step), target: "_self", text: this.ctx.number(step) })));
    if (course) this.draw();
  }

  /** The Explorer at a step, at the same cell, with its Why. */
  address(step) {
    const { query, key } = this.cell;
    const place = new URLSearchParams({ q: query, k: key, lock: "1", tab: "why" });
    return `${explorerAddress(this.ctx.header, this.ctx.store.state, step, this.ctx.lang)}&${place}`;
  }

  /** @param {number} step */
  open(step) {
    if (this.found?.steps.length && this.cell) window.location.assign(this.address(this.found.steps[nearest(this.found.steps, step)]));
  }

  name(name) {
    if (name === REST) return this.t("watch.formed.rest");
    const { kind, ...place } = partOf(name);
    return this.t(`view.logits.part.${kind}`, place);
  }

  /** Tells the numbers of the cell at the step that is shown. */
  tell() {
    const { t, ctx, found, cell } = this;
    if (!found?.steps.length || !cell) {
      this.says.textContent = cell ? "" : t("watch.formed.choose");
      return;
    }
    const { queries, keys } = tokensOf(ctx.header, cell.seq, ctx.header.sites[ctx.store.state.site]);
    const at = nearest(found.steps, ctx.position());
    const first = found.keys.reduce((best, band) => (Math.abs(band.shares[at]) > Math.abs(best.shares[at]) ? band : best));
    const token = (labels, index) => `${tokenText(labels[index])} #${index}`;
    this.says.textContent = t("watch.formed.says", {
      step: ctx.number(found.steps[at]), query: token(queries, cell.query), key: token(keys, cell.key), weight: ctx.percent(found.weights[at]),
      band: this.name(first.name), share: ctx.fmt(first.shares[at]), above: ctx.fmt(found.above[at]),
    });
  }

  hover(step, event) {
    const { ctx, found } = this;
    ctx.store.set({ hover: step });
    if (step === null || !found) return ctx.tooltip.hide();
    const at = nearest(found.steps, step);
    const side = event.currentTarget.closest("[data-chart]").dataset.chart.replace("formed-", "");
    const lines = [{ label: this.t("watch.step"), text: ctx.number(found.steps[at]) }, ...found[side].map(({ name, shares }) => ({ label: this.name(name), text: ctx.fmt(shares[at]) })), { label: this.t("watch.formed.sum"), text: ctx.fmt(found.above[at]) }];
    return ctx.tooltip.show(lines, event.clientX, event.clientY);
  }

  draw() {
    if (!(this.found?.steps.length > 1)) return;
    this.charts.forEach((chart, n) => chart.draw(this.drawing(SIDES[n])));
  }

  /** @returns {import("./plot.js").Drawing} */
  drawing(side) {
    const { found, ctx, t } = this;
    const palette = ctx.palette();
    const x = found.steps;
    const list = found[side];
    const colour = (n) => (list[n].name === REST ? palette.muted : css(palette.diverging(SHADES[n])));
    const zero = () => /** @type {const} */ ({ name: "0", label: "", x, y: x.map(() => 0), colour: palette.muted, width: 0, only: "chart" });
    const edges = stack(list);
    const part = (n, edge) => /** @type {const} */ ({ name: this.name(list[n].name), ...(edge === "down" ? { label: "" } : {}), x, y: edges[n][edge], colour: colour(n), width: 0.5, band: colour(n), only: "chart" });
    const series = [
      zero(), ...list.map((_, n) => part(n, "up")), zero(), ...list.map((_, n) => part(n, "down")),
      ...list.map(({ name, shares }) => /** @type {const} */ ({ name: this.name(name), x, y: shares, colour: "", only: "table" })),
      { name: t("watch.formed.sum"), x, y: found.above, colour: palette.text, width: 1.8, dotted: true },
    ];
    return { series, x: ctx.range(), format: "~g", about: t("watch.formed.about") };
  }

  destroy() {
    this.answers.leave();
    for (const chart of this.charts) chart.destroy();
  }
}
