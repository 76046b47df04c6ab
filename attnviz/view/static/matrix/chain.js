/** One head as a chain a person can walk: X -> Q, K, V -> scores -> scaled and masked -> weights -> context -> output. */

import { el, zoomOf } from "../core/dom.js";
import { Matrix } from "./matrix.js";
import { patternText } from "./pattern.js";
import { editsAt, scaleKind } from "./scoring.js";
import { MATRICES, isByHand, isMoved, missing, offers, readsEncoder, stageSpec, steps } from "./specs.js";

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8, 11, 14, 18, 24, 34, 42, 56];
const NUMBERS = 34; // px a cell that holds three digits
const TALLEST = 300; // px of a matrix that is fitted
const TALLEST_NUMBERS = 430; // px of a matrix that shows its numbers
const TALLEST_VIEW = 480; // px of cells before a zoomed matrix scrolls
const TALLEST_MATRIX = 300; // px likewise of W_Q, W_K, W_V and W_O, which are long
const CARD = 22; // px of a card's padding and border
const AROUND = { title: 32, names: 34, labels: 92, gap: 16, foot: 28 }; // px about the cells of a matrix on a wall
const MOVES = ["wheel", "pointerdown", "keydown", "touchstart"]; // whoever does one of these looks where they like

/** Cells with room for numbers are flatter than wide, so that more rows are in view. */
export function cellSize(zoom) {
  return { width: zoom, height: Math.max(Math.min(zoom, 18), Math.round(zoom * 0.52)) };
}

/** Whether matrices of (rows, columns) stand in a room, in lines from left to right. Pure. */
export function fits(shapes, cell, room) {
  let [x, y, line] = [0, 0, 0];
  for (const [rows, cols] of shapes) {
    const width = AROUND.labels + cols * cell.width + AROUND.gap;
    if (x && x + width > room.width + AROUND.gap) [x, y, line] = [0, y + line, 0];
    if (width > room.width + AROUND.gap) return false;
    x += width;
    line = Math.max(line, AROUND.title + AROUND.names + rows * cell.height);
  }
  return y + line <= room.height;
}

export class Chain {
  constructor(ctx) {
    this.ctx = ctx;
    this.matrices = new Map(); // stage -> Matrix
    this.element = el("section", { class: "av-chain", "aria-label": ctx.t("view.frame.chain.title") });
    this.near = false;
    this.seen = new IntersectionObserver((entries) => {
      this.near = entries.at(-1).isIntersecting; // a busy browser tells of several changes at once
      if (this.near) this.loadOpened();
    }, { rootMargin: "300px" });
    this.seen.observe(this.element);
    this.resized = new ResizeObserver(() => this.measure());
    this.resized.observe(this.element);
    this.build();
    this.arriving = ctx.store.state.chain !== null && !ctx.store.state.tour; // a link names a step
    this.onMove = () => (this.arriving = false);
    for (const name of MOVES) window.addEventListener(name, this.onMove, { capture: true, passive: true });
  }

  destroy() {
    this.seen.disconnect();
    this.resized.disconnect();
    for (const name of MOVES) window.removeEventListener(name, this.onMove, { capture: true });
    for (const matrix of this.matrices.values()) matrix.destroy();
  }

  /** Every matrix may be as wide as a card that fills the row; on a wall it is as high as the window allows. */
  measure() {
    if (this.arriving) this.reveal("start"); // again while it grows above the step
    const { present } = this.ctx.store.state;
    const room = [this.element.clientWidth, present ? window.innerHeight : 0].join();
    if (room === this.room) return;
    this.room = room;
    if (present) this.show();
    for (const matrix of this.matrices.values()) matrix.layout();
  }

  get site() {
    return this.ctx.data.site(this.ctx.store.state.site);
  }

  build() {
    for (const matrix of this.matrices.values()) matrix.destroy();
    this.matrices.clear();
    this.shape = this.shapeKey();
    this.stages = steps(this.site).map((names, step) => this.stage(names, step));
    this.element.replaceChildren(this.controls(), el("ol", { class: "av-stages" }, this.stages));
    this.show();
  }

  /** For other numbers; whoever broke a step by keyboard stays there. */
  rebuild() {
    const edit = /** @type {HTMLElement|null} */ (this.element.querySelector("[data-edit]:focus"))?.dataset.edit;
    this.build();
    if (edit) /** @type {HTMLElement|null} */ (this.element.querySelector(`[data-edit="${edit}"]`))?.focus({ preventScroll: true });
  }

  /** The number of the last step. */
  get last() {
    return this.stages.length - 1;
  }

  /** The cards are rebuilt only when the kind of site changes. */
  shapeKey() {
    const { kind, scoring, direct, projection } = this.site;
    return `${kind} ${scoring} ${direct} ${projection?.normed} ${steps(this.site)}`;
  }

  controls() {
    const { t, store } = this.ctx;
    const button = (key, handler, properties = {}) =>
      el("button", { type: "button", class: "av-button", text: t(`view.frame.chain.${key}`), on: { click: handler }, ...properties });
    this.back = button("back", () => this.go(-1));
    this.forward = button("forward", () => this.go(1));
    this.everything = button("all", () => store.set({ chain: store.state.chain === null ? 0 : null }), { "aria-pressed": "true" });
    this.zoomText = el("output", { class: "av-zoom-text" });
    const zoom = el("span", { class: "av-group", role: "group", "aria-label": t("view.frame.chain.zoom") }, [
      el("button", { type: "button", class: "av-button", text: t("view.frame.chain.minus"), "aria-label": t("view.frame.chain.zoom.out"), on: { click: () => this.zoom(-1) } }),
      this.zoomText,
      el("button", { type: "button", class: "av-button", text: t("view.frame.chain.plus"), "aria-label": t("view.frame.chain.zoom.in"), on: { click: () => this.zoom(1) } }),
      button("fit", () => store.set({ zoom: null })),
    ]);
    this.position = el("span", { class: "av-muted av-position" });
    this.answer = el("span", { class: "av-chain-answer", "aria-hidden": "true" }); // which is told above
    const group = el("span", { class: "av-group" }, [this.back, this.forward, this.everything]);
    return el("header", { class: "av-chain-head" }, [
      el("h2", { text: t("view.frame.chain.title") }),
      // by hand, the page's own steps are the control
      el("span", { class: "av-chain-steps", hidden: isByHand(this.ctx) }, [group, this.position]), zoom, this.answer,
    ]);
  }

  stage(names, step) {
    const { t, store } = this.ctx;
    const title = el("button", {
      type: "button", class: "av-stage-title", text: `${step} · ${t(`view.frame.step.${step}`)}`,
      on: { click: () => store.set({ chain: step === store.state.chain ? null : step }) }, // a second time: all are open again
    });
    const body = el("div", { class: "av-stage-body" }, names.map((name) => {
      const matrix = new Matrix(this.ctx, { maxHeight: this.tallest(name), room: () => this.element.clientWidth - CARD, told: name === "weights" ? () => patternText(this.ctx, store.state) : undefined });
      this.matrices.set(name, matrix);
      return matrix.element;
    }));
    const formula = el("p", { class: "av-formula" });
    const about = el("p", { class: "av-about" });
    return el("li", { class: "av-stage", dataset: { step, matrices: names.length } }, [el("div", { class: "av-stage-head" }, [title, formula, this.ctx.breaks?.(step) ?? null]), about, body]);
  }

  /** The formula of a step, and the edits that change it. */
  told(step) {
    const edits = editsAt(this.site, this.ctx.store.state.head, step);
    return this.formula(step) + (edits && ` · ${this.ctx.t("view.frame.formula.edited", { edits })}`);
  }

  /** The short formula under a stage's title, with this site's own scale and mask. */
  formula(step) {
    const { t } = this.ctx;
    const { site } = this;
    if (site.direct && step <= 1) return t(`view.frame.formula.${step}.${site.direct}`);
    if (site.direct === "states" && step === 6) return t("view.frame.formula.6.states");
    if (step === 0) return this.inputText(site);
    if (step === 1) return this.projectionText(site);
    if (step === 2) return t(`view.frame.formula.2.${site.scoring}`);
    if (step === 4 && site.sinks) return t("view.frame.formula.4.sink", { score: this.ctx.fmt(site.sinks[this.ctx.store.state.head]) });
    if (step !== 3) return t(`view.frame.formula.${step}`);
    const parts = [this.scaleText(site)];
    if (offers(site, "bias")) parts.push(t("view.frame.formula.bias"));
    if (site.softcap) parts.push(t("view.frame.formula.softcap", { c: this.ctx.fmt(site.softcap) }));
    if (site.causal) parts.push(t("view.frame.formula.causal"));
    if (site.window) parts.push(t(site.causal ? "view.frame.formula.window" : "view.frame.formula.window.both", { n: site.window }));
    if (site.padding) parts.push(t("view.frame.formula.padding"));
    if (site.pairs) parts.push(t("view.frame.formula.pairs"));
    return parts.join(" · ");
  }

  /** Describe the input of the layer: X, after its norm if it has one, and the memory if it attends to another stack. */
  inputText(site) {
    const { t } = this.ctx;
    if (!site.projection) return t(`view.frame.formula.0.${site.kind}${site.kind === "cross" && !readsEncoder(site) ? ".other" : ""}`);
    const memory = site.kind === "cross" ? [t(`view.frame.formula.0.memory${readsEncoder(site) ? "" : ".other"}`)] : [];
    const input = site.projection.normed ? "normed" : isMoved(this.ctx) ? "moved" : "self";
    return [t(`view.frame.formula.0.${input}`), ...memory].join(" · ");
  }

  /** Describe the projection to Q, K and V: this layer's own norms, biases and rotation. */
  projectionText(site) {
    const { t } = this.ctx;
    const turned = site.rotary ? [t("view.frame.formula.1.rotary")] : [];
    const refused = site.no_inputs ? [t("view.frame.formula.1.refused", { reason: site.no_inputs })] : [];
    if (!site.projection) return [t("view.frame.formula.1.model"), ...turned, ...refused].join(" · ");
    const { normed, bias, qk_norm: isNormedAfter } = site.projection;
    const after = isNormedAfter ? [t("view.frame.formula.1.qk_norm")] : [];
    const x = normed ? "LN(X)" : "X";
    const line = (name, input) => `${name} = ${input}·W_${name}${bias ? ` + b_${name}` : ""}`.replaceAll(" ", "\u00a0"); // is not broken inside
    const memory = site.kind === "cross" ? "M" : x;
    const lines = [line("Q", x), line("K", memory), line("V", memory)].join("   ");
    return [lines, t("view.frame.formula.1.columns"), ...after, ...turned].join(" · ");
  }

  /** What a stage does and why, in plain words. */
  about(step) {
    const { site } = this;
    const kind = site.direct || (site.kind === "cross" ? "cross" : "self");
    const masks = site.causal || site.window || site.padding || site.pairs;
    const parts = {
      0: [kind],
      1: site.direct ? ["direct"] : ["made", offers(site, "w_q") && "follow", offers(site, "w_q") && site.projection?.bias && "bias", site.projection?.qk_norm && "qk_norm", site.rotary && "rotary"],
      2: [site.scoring === "additive" ? "additive" : "dot"],
      3: [scaleKind(site) === "none" ? "unscaled" : "scaled", offers(site, "bias") && "bias", masks && "masked"],
      4: [site.sinks ? "sink" : "softmax"],
      5: ["mixed"],
      6: [site.direct === "states" ? "states" : "shared"],
    }[step];
    const { t } = this.ctx;
    const sentences = parts.filter(Boolean).map((part) => t(`view.frame.about.${step}.${part}`));
    return sentences.reduce((before, sentence) => t("view.frame.about.more", { before, sentence }));
  }

  scaleText(site) {
    const { t, fmt } = this.ctx;
    const { scale, d_head: d } = site;
    const key = { none: "unscaled", root: "scale.root", own: "scale" }[scaleKind(site)];
    return t(`view.frame.formula.${key}`, { scale: fmt(scale), d, root: fmt(Math.sqrt(d)) });
  }

  /** The height of a matrix from which on it scrolls; on a wall nothing does. */
  tallest(name) {
    if (this.ctx.store.state.present) return Infinity;
    return MATRICES.includes(name) ? TALLEST_MATRIX : TALLEST_VIEW;
  }

  get cell() {
    const { state } = this.ctx.store;
    if (state.present && state.chain !== null) return this.wallCell();
    return cellSize(state.zoom ?? this.fitted());
  }

  /** The largest cells with which all matrices of the step are seen at once below the answer. */
  wallCell() {
    const { store, root } = this.ctx;
    const step = Math.min(store.state.chain, this.last);
    const body = this.stages[step].querySelector(".av-stage-body");
    const zoom = zoomOf(body) || 1;
    const above = (body.getBoundingClientRect().top - root.getBoundingClientRect().top) / zoom;
    const room = { width: this.element.clientWidth - CARD, height: window.innerHeight / zoom - above - AROUND.foot };
    const shapes = steps(this.site)[step].map((name) => stageSpec(this.ctx, store.state, name)).map(({ rows, cols }) => [rows.labels.length, cols.labels.length]);
    return ZOOMS.map(cellSize).findLast((cell) => fits(shapes, cell, room)) ?? { width: 1, height: 1 };
  }

  /** Numbers in the cells of short sequences; else at most TALLEST px high, and never under 1 px a cell. */
  fitted() {
    const { data } = this.ctx;
    const longest = Math.max(data.tokens(this.site.queries).length, data.tokens(this.site.keys).length);
    if (longest * cellSize(NUMBERS).height <= TALLEST_NUMBERS) return NUMBERS;
    return Math.max(1, ZOOMS.findLast((zoom) => zoom * longest <= TALLEST) ?? 1);
  }

  zoom(by) {
    const { store } = this.ctx;
    const now = store.state.zoom ?? this.fitted();
    const at = ZOOMS.findIndex((zoom) => zoom >= now);
    store.set({ zoom: ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at + by))] });
  }

  go(by) {
    const { store } = this.ctx;
    const { state } = store;
    const step = state.chain === null ? (by > 0 ? 0 : this.last - 1) : Math.min(this.last, Math.max(0, state.chain + by));
    store.set({ chain: step });
    this.scrollTo = true;
  }

  opened(step) {
    const { chain } = this.ctx.store.state;
    return chain === null || step <= chain;
  }

  /** Shows every opened stage from what is held; what is missing keeps its place. */
  show() {
    const { store, t } = this.ctx;
    const { state } = store;
    if (this.arriving) this.reveal("start");
    const cell = this.cell;
    steps(this.site).forEach((names, step) => {
      const card = this.stages[step];
      card.querySelector(".av-formula").textContent = this.told(step);
      card.querySelector(".av-about").textContent = this.about(step);
      card.classList.toggle("av-closed", !this.opened(step));
      card.classList.toggle("av-current", step === state.chain);
      for (const name of names) this.matrices.get(name).show(stageSpec(this.ctx, state, name, cell));
      card.querySelector(".av-stage-body").toggleAttribute("inert", !this.opened(step));
    });
    const { chain } = state;
    this.back.disabled = chain === 0;
    this.forward.disabled = chain !== null && chain >= this.last;
    this.everything.setAttribute("aria-pressed", String(chain === null));
    this.position.textContent = chain === null ? "" : t("view.frame.chain.position", { step: Math.min(chain, this.last), last: this.last });
    this.zoomText.textContent = t("view.frame.chain.px", { px: cell.width });
    if (this.scrollTo) this.reveal("nearest");
    this.scrollTo = false;
    this.loadOpened();
  }

  /** Scrolls to the last opened stage; on a wall the answer above it stays in sight. */
  reveal(block) {
    if (this.ctx.store.state.present) {
      this.ctx.root.scrollIntoView({ block: "start" });
      return;
    }
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stages[Math.min(this.ctx.store.state.chain, this.last)].scrollIntoView({ block, behavior: calm || block === "start" ? "auto" : "smooth" });
  }

  /** Asks for what the opened stages need, once the chain is near the screen. */
  loadOpened() {
    if (!this.near) return;
    const { state } = this.ctx.store;
    if (!this.ctx.data.has(state.site, state.head, ["weights"])) return; // on their way, and needed first
    const stages = missing(this.ctx, state.site, state.head, steps(this.site).filter((_, step) => this.opened(step)).flat());
    if (stages.length) this.ctx.load(state.site, [state.head], stages);
  }
  update(changed) {
    if (changed.has("present")) for (const [name, matrix] of this.matrices) matrix.maxHeight = this.tallest(name);
    if (changed.has("trace") || this.shape !== this.shapeKey()) this.rebuild();
    else if (["data", "site", "head", "zoom", "chain", "scale", "present"].some((key) => changed.has(key))) this.show();
    for (const matrix of this.matrices.values()) matrix.update(changed);
  }
}
