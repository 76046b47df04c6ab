/** A matrix as a figure with labels, axis titles and a legend: drawn as an SVG; its PNG is a picture of that. */

import { numberAt } from "../matrix/axis.js";
import { css, ink, rgb } from "../core/colors.js";
import { fmt, tokenText } from "../core/format.js";
import { colourOf, heatImage } from "../matrix/heat.js";
import { axisColour, isUpright, upward } from "../matrix/draw.js";
import { cellFormatOf } from "../core/rounding.js";

export const SVG_CELLS = 128; // rows and columns up to which an SVG holds one rect per cell
const RATIO = 2; // pixels of a PNG per unit of the figure
const GAP = 12;
const LINE = 18;
const LEGEND = { width: 160, height: 10, steps: 64 };
const NAMESPACE = "http://www.w3.org/2000/svg";

/** Cell size in the figure's units: room for numbers, for labels, or one unit a cell. */
function cellSize(n) {
  if (n <= 16) return 44;
  if (n <= 32) return 24;
  if (n <= 128) return 13;
  return Math.max(1, Math.floor(1024 / n));
}

/** Lay out the figure, in its own units. */
function layoutFigure({ rows, cols, matrix, title, names, file }) {
  const cell = cellSize(Math.max(matrix.rows, matrix.cols));
  const size = cell >= 13 ? 11 : 10;
  const every = Math.max(1, Math.ceil(size / 0.8 / cell)); // label each, or every n-th
  const textOf = (axis, at) => {
    const index = numberAt(axis, at);
    return axis.kind === "dims" ? index : every > 1 ? `${index} ${tokenText(axis.labels[at])}` : tokenText(axis.labels[at]);
  };
  const shorten = (text) => ([...text].length > 18 ? `${[...text].slice(0, 17).join("")}…` : text);
  const labels = (axis, count) => Array.from({ length: Math.ceil(count / every) }, (_, n) => ({ at: n * every, text: shorten(textOf(axis, n * every)) }));
  const [rowLabels, colLabels] = [labels(rows, matrix.rows), labels(cols, matrix.cols)];
  const widest = (list) => Math.max(0, ...list.map(({ text }) => textWidth(text, size, true)));
  const flat = widest(colLabels) <= cell * every - 4; // column labels lie, else they stand
  const left = GAP + Math.ceil(Math.max(widest(rowLabels), textWidth(names.rows, 12)) + 8);
  const top = GAP + LINE + 6 + LINE + Math.ceil(flat ? size + 6 : widest(colLabels) + 8);
  const [width, height] = [matrix.cols * cell, matrix.rows * cell];
  const legend = { x: left, y: top + height + 16 };
  return {
    cell, size, flat, left, top, width, height, legend, rowLabels, colLabels,
    total: { width: Math.max(left + width, left + 360, GAP + textWidth(title, 14) * 1.08 + 14 + textWidth(file, 11, true)) + GAP, height: legend.y + LEGEND.height + 16 + GAP },
  };
}

const measure = new OffscreenCanvas(1, 1).getContext("2d");

function textWidth(text, size, mono = false) {
  measure.font = `${size}px ${mono ? "monospace" : "sans-serif"}`;
  return measure.measureText(text).width;
}

/**
 * Draws the figure with a pen.
 * @param {any} figure {title, names, rows, cols, matrix, colour, limits, masked, palette}
 * @param {ReturnType<typeof layoutFigure>} layout
 * @param {{rect: Function, text: Function, image: Function}} pen
 * @param {boolean} cells one rect per cell; otherwise one image
 */
function drawFigure(figure, layout, pen, cells) {
  const { matrix, colour, limits, palette, names, title } = figure;
  const { cell, size, flat, left, top, width, height, legend } = layout;
  pen.rect(0, 0, layout.total.width, layout.total.height, palette.background);
  pen.text(title, GAP, GAP + 10, { size: 14, bold: true, fill: palette.text });
  pen.text(figure.file, GAP + textWidth(title, 14) * 1.08 + 14, GAP + 10, { size: 11, mono: true, fill: palette.muted });
  pen.text(names.cols, left, GAP + LINE + 14, { size: 12, bold: true, fill: axisColour(figure.cols.kind, palette) });
  pen.text(names.rows, left - 6, top - 10, { size: 12, bold: true, anchor: "end", fill: axisColour(figure.rows.kind, palette) });
  for (const { at, text } of layout.rowLabels) pen.text(text, left - 6, top + (at + 0.5) * cell, { size, mono: true, anchor: "end", fill: palette.text });
  for (const { at, text } of layout.colLabels) {
    const x = left + (at + 0.5) * cell;
    if (flat) pen.text(text, x, top - 9, { size, mono: true, anchor: "middle", fill: palette.text });
    else if (isUpright(text)) upward(text, top - 6, size).forEach(([letter, y]) => pen.text(letter, x, y, { size, mono: true, anchor: "middle", fill: palette.text }));
    else pen.text(text, x, top - 6, { size, mono: true, angle: -90, fill: palette.text });
  }
  const masked = matrix.data.includes(-Infinity);
  if (!cells) {
    if (masked) pen.rect(left, top, width, height, "hatch");
    pen.image(left, top, width, height);
  } else {
    for (let r = 0; r < matrix.rows; r++) {
      for (let c = 0; c < matrix.cols; c++) {
        const value = matrix.data[r * matrix.cols + c]; // (rows, cols)
        const shade = Number.isFinite(value) ? colourOf(value, colour, limits, palette) : null;
        pen.rect(left + c * cell, top + r * cell, cell, cell, shade ? css(shade) : "hatch");
        if (cell < 34) continue;
        pen.text(cellFormatOf(matrix)(value), left + (c + 0.5) * cell, top + (r + 0.5) * cell, { size: 10, mono: true, anchor: "middle", fill: shade ? ink(shade) : palette.muted });
      }
    }
  }
  drawLegend(figure, pen, legend, masked);
}

function drawLegend({ colour, limits, palette, masked: name }, pen, { x, y }, masked) {
  const [low, high] = [fmt(limits[0]), `${limits[2] ? "≥ " : ""}${fmt(limits[1])}`];
  const start = x + textWidth(low, 11, true) + 6;
  const step = LEGEND.width / LEGEND.steps;
  const text = { size: 11, mono: true, fill: palette.text };
  pen.text(low, x, y + LEGEND.height / 2, text);
  for (let n = 0; n < LEGEND.steps; n++) {
    const value = limits[0] + ((limits[1] - limits[0]) * n) / (LEGEND.steps - 1);
    pen.rect(start + n * step, y, step + 0.3, LEGEND.height, css(colourOf(value, colour, limits, palette)));
  }
  pen.text(high, start + LEGEND.width + 6, y + LEGEND.height / 2, text);
  if (!masked) return;
  const box = start + LEGEND.width + 20 + textWidth(high, 11, true);
  pen.rect(box, y, LEGEND.height * 1.6, LEGEND.height, "hatch");
  pen.text(name, box + LEGEND.height * 1.6 + 6, y + LEGEND.height / 2, { size: 11, fill: palette.text });
}

/** @returns {Promise<Blob>} */
export async function pngFigure(figure) {
  const image = new Image();
  image.src = URL.createObjectURL(await svgFigure(figure));
  await image.decode();
  const canvas = new OffscreenCanvas(Math.ceil(image.width * RATIO), Math.ceil(image.height * RATIO));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return canvas.convertToBlob({ type: "image/png" });
}

/** The figure as an SVG: real rects and text, above SVG_CELLS one embedded image and text. @returns {Promise<Blob>} */
export async function svgFigure(figure) {
  const layout = layoutFigure(figure);
  const { matrix, palette, lang } = figure;
  const cells = matrix.rows <= SVG_CELLS && matrix.cols <= SVG_CELLS;
  const image = cells ? null : await dataUrl(await heatImage(matrix, figure.colour, figure.limits, palette).convertToBlob());
  const { width, height } = layout.total;
  const make = (name, attributes, text) => {
    const node = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) node.setAttribute(key, typeof value === "number" ? String(Math.round(value * 100) / 100) : value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const svg = make("svg", { width, height, viewBox: `0 0 ${width.toFixed(2)} ${height.toFixed(2)}`, lang });
  const pattern = make("pattern", { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse" });
  pattern.append(make("path", { d: "M-1 7L7 -1M-7 7L1 -1M5 7L13 -1", stroke: fillOf(palette.text), "stroke-opacity": 0.3 }));
  const defs = make("defs", {});
  defs.append(pattern);
  svg.append(make("title", {}, figure.title), defs);
  const pen = {
    rect: (x, y, w, h, fill) => svg.append(make("rect", { x, y, width: w, height: h, fill: fill === "hatch" ? "url(#hatch)" : fillOf(fill), "shape-rendering": "crispEdges" })),
    text: (text, x, y, { size, mono, bold, anchor, angle, fill }) =>
      svg.append(
        make("text", {
          x, y, fill: fillOf(fill), "font-size": size, "font-weight": bold ? "600" : undefined, "text-anchor": anchor, "dominant-baseline": "central",
          "font-family": mono ? "monospace" : "sans-serif", transform: angle ? `rotate(${angle} ${x.toFixed(2)} ${y.toFixed(2)})` : undefined,
        }, text),
      ),
    image: (x, y, w, h) => svg.append(make("image", { x, y, width: w, height: h, href: image, preserveAspectRatio: "none", style: "image-rendering: pixelated" })),
  };
  drawFigure(figure, layout, pen, cells);
  return new Blob(['<?xml version="1.0" encoding="UTF-8"?>\n', new XMLSerializer().serializeToString(svg)], { type: "image/svg+xml" });
}

/** Any CSS colour as #rrggbb: older SVG readers know no "rgb(1 2 3 / 1)". */
function fillOf(colour) {
  return `#${rgb(colour).map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** @returns {Promise<string>} */
function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
