/** A matrix as a file: PNG, SVG, CSV; the whole trace as NPZ. */

import { downloadBlob, toCsv } from "./file.js";
import { drawFigure, pngFigure, svgFigure, SVG_CELLS } from "./figure.js";
import { el } from "../core/dom.js";

export { drawFigure, toCsv };

const anchors = new WeakMap(); // menu -> the button that asked for it

/**
 * Opens the export menu of a matrix below `anchor`; a second call with the same anchor closes it.
 * @param {Pick<import("../core/context.js").Context, "root"|"t"|"announce"|"palette"> & {data: any}} ctx
 * @param {any} spec {title, rows, cols, matrix, file, colour, limits}
 * @param {HTMLElement} anchor the button that asked for it
 */
export function exportMenu(ctx, spec, anchor) {
  const open = ctx.root.querySelector(".avp-menu");
  if (open) {
    open.dispatchEvent(new Event("dismiss"));
    if (anchors.get(open) === anchor) return;
  }
  const { rows, cols } = spec.matrix;
  const names = Object.fromEntries(["rows", "cols"].map((axis) => [axis, spec[axis].title ?? ctx.t(`view.panel.axis.${spec[axis].kind}`)]));
  const figure = { ...spec, names, masked: ctx.t("view.panel.export.masked"), palette: ctx.palette(), lang: ctx.data.header.lang };
  const file = spec.file.replace(/[^\w.-]+/g, "-");

  const entry = (key, act, params = {}) => {
    const button = el("button", { type: "button", role: "menuitem" }, el("span", {}, ctx.t(`view.panel.export.${key}`)), el("small", {}, ctx.t(`view.panel.export.${key}_note`, params)));
    button.addEventListener("click", async () => {
      dismiss();
      await act();
      ctx.announce(ctx.t("view.panel.export.saved", { file: `${file}.${key.slice(0, 3)}` }));
    });
    return button;
  };
  const real = rows <= SVG_CELLS && cols <= SVG_CELLS;
  /** @type {HTMLElement[]} */
  const entries = [
    entry("png", async () => downloadBlob(await pngFigure(figure), `${file}.png`)),
    entry(real ? "svg" : "svg_image", async () => downloadBlob(await svgFigure(figure), `${file}.svg`), { cells: SVG_CELLS }),
    entry("csv", () => downloadBlob(new Blob(["\ufeff", toCsv(figure)], { type: "text/csv;charset=utf-8" }), `${file}.csv`)),
  ];
  const { data_url: address } = ctx.data.header;
  if (address) {
    const link = el("a", { role: "menuitem", href: ctx.data.url("trace.npz"), download: "trace.npz" }, el("span", {}, ctx.t("view.panel.export.npz")), el("small", {}, ctx.t("view.panel.export.npz_note")));
    link.addEventListener("click", () => dismiss());
    entries.push(link);
  }
  const menu = el("div", { class: "avp-menu", role: "menu", "aria-label": ctx.t("view.panel.export.menu", { title: spec.title }) }, ...entries);
  anchors.set(menu, anchor);

  function dismiss(refocus = true) {
    document.removeEventListener("pointerdown", outside, true);
    menu.remove();
    anchor.setAttribute("aria-expanded", "false");
    if (refocus) anchor.focus();
  }
  const outside = (event) => {
    const path = event.composedPath();
    if (!path.includes(menu) && !path.includes(anchor)) dismiss(false);
  };
  menu.addEventListener("dismiss", () => dismiss(false));
  menu.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const at = entries.indexOf(/** @type {any} */ (ctx.root.getRootNode()).activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + entries.length, Home: 0, End: entries.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      entries[to % entries.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") dismiss();
  });
  document.addEventListener("pointerdown", outside, true);
  ctx.root.append(menu);
  place(menu, anchor, ctx.root);
  anchor.setAttribute("aria-expanded", "true");
  entries[0].focus();
}

/** Below the anchor, inside the root's width. */
function place(menu, anchor, root) {
  const [box, frame] = [anchor.getBoundingClientRect(), root.getBoundingClientRect()];
  const left = Math.min(box.right - menu.offsetWidth, box.left) < frame.left ? box.left : box.right - menu.offsetWidth;
  menu.style.left = `${Math.max(0, Math.min(left - frame.left, frame.width - menu.offsetWidth))}px`;
  menu.style.top = `${box.bottom - frame.top + 4}px`;
}
