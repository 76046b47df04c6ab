/** A matrix as a file: PNG, SVG, CSV; the whole trace as NPZ. */

import { downloadBlob, toCsv } from "./file.js";
import { pngFigure, svgFigure, SVG_CELLS } from "./figure.js";
import { el } from "../core/dom.js";

/** The menu of one matrix, below the button that asked for it. */
class ExportMenu {
  constructor(ctx, spec, anchor) {
    this.ctx = ctx;
    this.anchor = anchor;
    const names = Object.fromEntries(["rows", "cols"].map((axis) => [axis, spec[axis].title ?? ctx.t(`view.panel.axis.${spec[axis].kind}`)]));
    this.figure = { ...spec, names, masked: ctx.t("view.panel.export.masked"), palette: ctx.palette(), lang: ctx.data.header.lang };
    this.file = spec.file.replace(/[^\w.-]+/g, "-");
    this.entries = this.makeEntries();
    const label = ctx.t("view.panel.export.menu", { title: spec.title });
    this.element = el("div", { class: "avp-menu", role: "menu", "aria-label": label, on: { keydown: (event) => this.press(event) } }, this.entries);
    this.outside = (event) => {
      const path = event.composedPath();
      if (!path.includes(this.element) && !path.includes(anchor)) this.dismiss(false);
    };
  }

  /** @returns {HTMLElement[]} */
  makeEntries() {
    const { figure, file } = this;
    const { rows, cols } = figure.matrix;
    const real = rows <= SVG_CELLS && cols <= SVG_CELLS;
    const entries = [
      this.entry("png", async () => downloadBlob(await pngFigure(figure), `${file}.png`)),
      this.entry(real ? "svg" : "svg_image", async () => downloadBlob(await svgFigure(figure), `${file}.svg`), { cells: SVG_CELLS }),
      this.entry("csv", () => downloadBlob(new Blob(["\ufeff", toCsv(figure)], { type: "text/csv;charset=utf-8" }), `${file}.csv`)),
    ];
    return this.ctx.data.header.data_url ? [...entries, this.wholeTrace()] : entries;
  }

  words(key, params) {
    return [el("span", {}, this.ctx.t(`view.panel.export.${key}`)), el("small", {}, this.ctx.t(`view.panel.export.${key}_note`, params))];
  }

  entry(key, save, params = {}) {
    const act = async () => {
      this.dismiss();
      await save();
      this.ctx.announce(this.ctx.t("view.panel.export.saved", { file: `${this.file}.${key.slice(0, 3)}` }));
    };
    return el("button", { type: "button", role: "menuitem", on: { click: act } }, this.words(key, params));
  }

  wholeTrace() {
    const on = { click: () => this.dismiss() };
    return el("a", { role: "menuitem", href: this.ctx.data.url("trace.npz"), download: "trace.npz", on }, this.words("npz"));
  }

  open() {
    document.addEventListener("pointerdown", this.outside, true);
    this.ctx.root.append(this.element);
    place(this.element, this.anchor, this.ctx.root);
    this.anchor.setAttribute("aria-expanded", "true");
    this.entries[0].focus();
    shown = this;
  }

  dismiss(refocus = true) {
    document.removeEventListener("pointerdown", this.outside, true);
    this.element.remove();
    this.anchor.setAttribute("aria-expanded", "false");
    if (refocus) this.anchor.focus();
    shown = null;
  }

  press(event) {
    event.stopPropagation();
    const { entries } = this;
    const at = entries.indexOf(/** @type {any} */ (this.ctx.root.getRootNode()).activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + entries.length, Home: 0, End: entries.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      entries[to % entries.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") this.dismiss();
  }
}

/** @type {ExportMenu|null} the one that is open */
let shown = null;

/**
 * Opens the export menu of a matrix below `anchor`; a second call with the same anchor closes it.
 * @param {Pick<import("../core/context.js").Context, "root"|"t"|"announce"|"palette"> & {data: any}} ctx
 * @param {any} spec {title, rows, cols, matrix, file, colour, limits}
 * @param {HTMLElement} anchor the button that asked for it
 */
export function exportMenu(ctx, spec, anchor) {
  const before = shown?.anchor;
  shown?.dismiss(false);
  if (before !== anchor) new ExportMenu(ctx, spec, anchor).open();
}

/** Below the anchor, inside the root's width. */
function place(menu, anchor, root) {
  const [box, frame] = [anchor.getBoundingClientRect(), root.getBoundingClientRect()];
  const left = Math.min(box.right - menu.offsetWidth, box.left) < frame.left ? box.left : box.right - menu.offsetWidth;
  menu.style.left = `${Math.max(0, Math.min(left - frame.left, frame.width - menu.offsetWidth))}px`;
  menu.style.top = `${box.bottom - frame.top + 4}px`;
}
