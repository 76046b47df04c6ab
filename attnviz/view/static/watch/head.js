/** The chosen head, large: tokens on both axes, the keys that the task expects outlined. */

import { el, sizeCanvas } from "../core/dom.js";
import { Matrix } from "../matrix/matrix.js";
import { siteTitle } from "../core/select.js";
import { describePair } from "../matrix/tooltip.js";
import { tokensOf } from "./heads.js";
import { isAbout } from "./scores.js";
import { headOf } from "./timeline.js";

const MAX_HEIGHT = 380;
const LEVELS = 255; // of a recorded weight

/** As many digits as a byte holds: .06, .98, 1. */
const asHundredths = (x) => x.toFixed(2).replace(/^0(\.00)?(?=$)/, "0").replace(/^1\.00$/, "1").replace(/^0\./, ".");

class HeadMatrix extends Matrix {
  /** @param {() => number[][]} expected  the cells that the task expects, [row, column] each */
  constructor(ctx, expected) {
    super(ctx, { maxHeight: MAX_HEIGHT, eager: true });
    this.expected = expected;
  }

  build() {
    super.build();
    this.outlines = el("canvas", { class: "av-marks aw-outlines", "aria-hidden": "true" });
    this.marks.after(this.outlines);
  }

  draw() {
    super.draw();
    this.drawOutlines();
  }

  /** The recorded weight: of the other stages nothing was kept. */
  describe(row, col) {
    return describePair(this.ctx, this.spec, row, col, this.ctx.t("view.frame.tip.weights"));
  }

  /** Thin frames around expected cells; nothing where a cell is too small to have one. */
  drawOutlines() {
    const g = this.geometry;
    if (!g || this.dirty) return;
    const pen = sizeCanvas(this.outlines, g.left + g.width + 2, g.top + g.height + 2);
    pen.clearRect(0, 0, g.left + g.width + 2, g.top + g.height + 2);
    const cells = this.expected();
    if (!cells.length || Math.min(g.cw, g.ch) < 5) return;
    pen.save();
    pen.beginPath();
    pen.rect(g.left, g.top, g.width, g.height);
    pen.clip();
    const palette = this.ctx.palette();
    const roomy = Math.min(g.cw, g.ch) >= 12;
    const inset = roomy ? 1.5 : 0.5;
    for (const [row, col] of cells) {
      const [x, y] = [g.left + col * g.cw - g.scrollX, g.top + row * g.ch - g.scrollY];
      const box = [x + inset, y + inset, g.cw - 2 * inset, g.ch - 2 * inset];
      if (roomy) {
        pen.lineWidth = 3; // seen on dark cells and on light ones
        pen.strokeStyle = palette.background;
        pen.strokeRect(...box);
      }
      pen.lineWidth = roomy ? 1.25 : 1;
      pen.strokeStyle = roomy ? palette.text : palette.muted;
      pen.strokeRect(...box);
    }
    pen.restore();
  }
}

export class Head {
  constructor(ctx) {
    this.ctx = ctx;
    const { t, store } = ctx;
    this.matrix = new HeadMatrix(ctx, () => this.expected());
    this.toggle = el("button", { type: "button", class: "av-small", text: t("watch.outline"), title: t("watch.outline.help"), on: { click: () => store.set({ outline: !store.state.outline }) } });
    this.why = el("button", { type: "button", class: "av-small", text: t("watch.formed.button"), title: t("watch.formed.help"), on: { click: () => store.set({ why: !store.state.why }) } });
    this.matrix.buttons.prepend(this.toggle, this.why);
    this.facts = el("p", { class: "aw-facts" });
    this.note = el("p", { class: "aw-note", text: t("watch.rounded") });
    this.element = el("div", { class: "aw-head" }, [this.matrix.element, this.facts, this.note]);
  }

  destroy() {
    this.matrix.destroy();
  }

  get site() {
    return this.ctx.header.sites[this.ctx.store.state.site];
  }

  /** The patterns that are about this site. */
  patterns() {
    const { header, store } = this.ctx;
    return header.sequences[store.state.seq].patterns.filter((pattern) => isAbout(pattern, this.site));
  }

  /** Cells [query, key] that are expected, as long as the outlines are wanted. */
  expected() {
    if (!this.ctx.store.state.outline) return [];
    return this.patterns().flatMap(({ pairs }) => Array.from({ length: pairs.length / 2 }, (_, i) => [pairs[2 * i], pairs[2 * i + 1]]));
  }
  update(changed) {
    if (["snapshot", "seq", "site", "head"].some((key) => changed.has(key))) this.show();
    if (changed.has("outline") || changed.has("site") || changed.has("seq")) this.showOutlines();
    this.why.setAttribute("aria-pressed", String(this.ctx.store.state.why));
    this.matrix.update(changed);
  }

  show() {
    const { ctx, site } = this;
    const { seq, head } = ctx.store.state;
    const { queries, keys } = tokensOf(ctx.header, seq, site);
    this.matrix.show({
      stage: "weights",
      title: siteTitle(ctx, site, head),
      rows: { kind: "queries", labels: queries },
      cols: { kind: "keys", labels: keys },
      matrix: this.weights(),
      isDue: ctx.timeline.length > 0,
      colour: "sequential",
      limits: [0, 1],
      format: asHundredths,
      file: `${ctx.file}-step-${ctx.position()}-${site.name}.${head}`,
      cell: null,
    });
    this.tell();
  }

  /** @returns {{data: Float32Array, rows: number, cols: number, rounding: {levels: number}}|undefined} */
  weights() {
    const { snapshot, timeline, store } = this.ctx;
    if (!snapshot) return undefined;
    const block = timeline.block(store.state.seq, this.site.name);
    const data = Float32Array.from(headOf(snapshot, block, store.state.head), (level) => level / LEVELS);
    return { data, rows: block.shape[1], cols: block.shape[2], rounding: { levels: LEVELS } };
  }

  tell() {
    const { ctx } = this;
    const { seq, head } = ctx.store.state;
    const says = [];
    for (const { pattern, lines } of ctx.scores.patterns[seq]) {
      const line = lines.find((one) => one.site === this.site.name && one.head === head);
      const index = ctx.index();
      if (!line || index >= line.mass.length) continue;
      says.push(ctx.t("watch.facts", { pattern: ctx.t(pattern.key), mass: ctx.percent(line.mass.at(index)), hits: ctx.percent(line.hits.at(index)), chance: ctx.percent(pattern.chance) }));
    }
    if (!ctx.timeline.length) says.push(ctx.t("watch.empty"));
    this.facts.replaceChildren(...says.map((text) => el("span", { text })));
  }

  showOutlines() {
    this.toggle.hidden = this.patterns().length === 0;
    this.toggle.setAttribute("aria-pressed", String(this.ctx.store.state.outline));
    this.matrix.drawOutlines();
  }
}
