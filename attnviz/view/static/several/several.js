/** One head over several texts: a small picture of each, which is a button that opens its text. */

import { unpack } from "../core/data.js";
import { el, sizeCanvas } from "../core/dom.js";
import { fmt } from "../core/format.js";
import { View, mountOf } from "../core/frame.js";
import { textsAt } from "../core/texts.js";
import viewCss from "../core/view.css";
import { drawBase, gutterLeft, gutterTop } from "../matrix/draw.js";
import { Legend } from "../matrix/heat.js";
import { darkest } from "../matrix/shade.js";
import css from "./several.css";

const SIDE = 230; // px of the cells of a picture
const LARGEST = 20; // px of a cell
const MANY = 64; // keys from where on weights are too small for the scale from 0 to 1

/** The upper limit of the colours, the same one for all pictures: [limit, whether some weights are higher]. Pure. */
export function limitOf(matrices) {
  if (matrices.every(({ cols }) => cols <= MANY)) return [1, false];
  return [Math.max(...matrices.map(({ data }) => darkest(data))), true];
}

class Several extends View {
  constructor(component) {
    super(component, "attnviz avv", [viewCss, css]);
    this.take(component);
  }

  take(component) {
    this.component = component;
    const { header, arrays } = unpack(component.data);
    this.pictures = header.pictures.map(({ text, queries, keys }, n) => {
      const { data, shape: [rows, cols] } = arrays.get(`${n}/weights`);
      return { text, rows: { ...queries, kind: "queries" }, cols: { ...keys, kind: "keys" }, matrix: { data, rows, cols, shares: true } };
    });
    this.open(textsAt(header.texts));
  }

  build() {
    this.body?.remove();
    const limit = limitOf(this.pictures.map(({ matrix }) => matrix));
    this.legend = new Legend();
    this.items = this.pictures.map((picture, n) => this.item(picture, n));
    this.body = el("div", { class: "av-body" }, this.legend.element, el("ol", { class: "avv-pictures" }, this.items.map(({ element }) => element)), this.live);
    this.root.append(this.body);
    this.limit = limit;
    this.repaint();
    this.root.dataset.ready = "true";
  }

  item({ text }, n) {
    const canvas = el("canvas", { "aria-hidden": "true" });
    const label = this.t("view.several.open", { text });
    const button = el("button", { type: "button", class: "avv-picture", "aria-label": label, title: label, on: { click: () => this.component.setTriggerValue?.("open", n) } },
      el("bdi", { class: "avv-text", text }), canvas);
    return { canvas, element: el("li", {}, button) };
  }

  repaint() {
    const { palette } = this;
    const [most, isMore] = this.limit;
    this.legend.draw("sequential", palette, "0", `${isMore ? "≥ " : ""}${fmt(most)}`);
    this.pictures.forEach((picture, n) => this.draw(this.items[n].canvas, picture, [0, most, isMore], palette));
  }

  draw(canvas, { rows, cols, matrix }, limits, palette) {
    const side = Math.min(LARGEST, SIDE / Math.max(matrix.rows, matrix.cols));
    const cell = side >= 4 ? Math.floor(side) : Math.max(1, side);
    const titles = { rows: `${this.t("view.frame.axis.queries")} ↓`, cols: `${this.t("view.frame.axis.keys")} →` };
    const [left, top] = [gutterLeft(rows, titles.rows, cell, palette), gutterTop(cols, cell, palette)];
    const [width, height] = [matrix.cols * cell, matrix.rows * cell];
    const geometry = { rows: matrix.rows, cols: matrix.cols, cw: cell, ch: cell, left, top, width, height, scrollX: 0, scrollY: 0 };
    drawBase(sizeCanvas(canvas, left + width + 2, top + height + 2), geometry, { rows, cols, matrix, colour: "sequential", limits }, titles, palette);
  }

  receive(component) {
    if (component.data === this.component.data) {
      this.component = component;
      this.retheme();
    } else this.take(component);
  }
}

/** As `mountOf` says; its data are what `attnviz/view/several.py` packs, and "open" is told the number of a text. */
export const mount = mountOf(Several);
