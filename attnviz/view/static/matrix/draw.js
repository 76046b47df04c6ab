/** Drawing one matrix on its two canvases: cells and axes below, the linked marks above. */

import { isDims, tokenAt } from "./axis.js";
import { css, ink, rgb } from "../core/colors.js";
import { fmtCell, tokenText } from "../core/format.js";
import { colourOf, heatImage } from "./heat.js";

export const LABEL_CELL = 11; // px: from here on tokens are written beside the cells
const NUMBER_CELL = { width: 29, height: 18 };
const ROOMY_CELL = 34; // px from where on a cell holds six letters, below five
const LABEL_FONT = 11;
const LABEL_MAX = { row: 84, col: 64 };
const TITLE_HEIGHT = 16;
const PAD = 6;
const APART = { rows: 18, cols: 36 }; // px between ticks, at least
const TICK_ROOM = { [APART.rows]: 14, [APART.cols]: 27 }; // px that a mark and a tick need beside each other
const LETTER = 0.602; // width of a monospaced letter, in ems
const HAN = /^[\p{Script=Han}\u3000-\u303f\uff00-\uff65]+$/u; // as wide as high, punctuation too

/**
 * @typedef {Object} Geometry
 * @property {number} rows
 * @property {number} cols
 * @property {number} cw  cell width, px
 * @property {number} ch  cell height, px
 * @property {number} left  gutter of the row labels
 * @property {number} top   gutter of the column labels
 * @property {number} width   visible part of the cells
 * @property {number} height
 * @property {number} scrollX
 * @property {number} scrollY
 */

let measure = null;

/** A pen that measures text in a font. */
function measuring(font) {
  measure ??= new OffscreenCanvas(1, 1).getContext("2d");
  measure.font = font;
  return measure;
}

const textWidth = (text, font) => measuring(font).measureText(text).width;

function widest(labels, font) {
  const pen = measuring(font);
  // tens of thousands of labels never fit beside cells; those that do are few
  return labels.reduce((most, label) => Math.max(most, pen.measureText(tokenText(label)).width), 0);
}

/** Room for the row labels and their axis' title. */
export function gutterLeft(axis, title, ch, palette) {
  const titleWidth = textWidth(title, `600 ${LABEL_FONT}px ${palette.font}`);
  const labels = ch >= LABEL_CELL ? Math.min(LABEL_MAX.row, widest(axis.labels, labelFont(axis, palette))) : 22;
  return Math.ceil(Math.max(titleWidth, labels) + PAD + 3);
}

/** Room for the column labels and their axis' title. */
export function gutterTop(axis, cw, palette) {
  if (cw < LABEL_CELL) return TITLE_HEIGHT + 16;
  const width = widest(axis.labels, labelFont(axis, palette));
  const labels = width <= cw - 2 ? 16 : Math.min(LABEL_MAX.col, Math.ceil(width)) + PAD;
  return TITLE_HEIGHT + labels;
}

function labelFont(axis, palette) {
  return `${isDims(axis) ? LABEL_FONT - 1 : LABEL_FONT}px ${palette.codeFont}`;
}

export function axisColour(kind, palette) {
  return { queries: palette.query, keys: palette.key, dims: palette.muted, wide: palette.muted }[kind];
}

/** The colour of a linked row or column: dimensions have none of their own. */
export const markColour = (kind, palette) => (isDims({ kind }) ? palette.text : axisColour(kind, palette));

/** The cells that are in view: [first, end). */
export function visible(g) {
  return {
    r0: Math.max(0, Math.floor(g.scrollY / g.ch)),
    r1: Math.min(g.rows, Math.ceil((g.scrollY + g.height) / g.ch)),
    c0: Math.max(0, Math.floor(g.scrollX / g.cw)),
    c1: Math.min(g.cols, Math.ceil((g.scrollX + g.width) / g.cw)),
  };
}

const xOf = (g, c) => g.left + c * g.cw - g.scrollX;
const yOf = (g, r) => g.top + r * g.ch - g.scrollY;

/** Cells, numbers, axes. */
export function drawBase(pen, g, spec, titles, palette) {
  pen.clearRect(0, 0, g.left + g.width + 2, g.top + g.height + 2);
  drawAxes(pen, g, spec, titles, palette);
  pen.save();
  pen.beginPath();
  pen.rect(g.left, g.top, g.width, g.height);
  pen.clip();
  if (spec.matrix) drawCells(pen, g, spec, palette);
  pen.restore();
  pen.strokeStyle = palette.border;
  pen.lineWidth = 1;
  pen.strokeRect(g.left - 0.5, g.top - 0.5, g.width + 1, g.height + 1);
}

function drawCells(pen, g, spec, palette) {
  const { r0, r1, c0, c1 } = visible(g);
  const area = [xOf(g, c0), yOf(g, r0), (c1 - c0) * g.cw, (r1 - r0) * g.ch];
  if (spec.masked) {
    pen.fillStyle = hatch(pen, palette);
    pen.fillRect(...area);
  }
  pen.imageSmoothingEnabled = false;
  pen.drawImage(heatImage(spec.matrix, spec.colour, spec.limits, palette), c0, r0, c1 - c0, r1 - r0, ...area);
  if (g.cw < NUMBER_CELL.width || g.ch < NUMBER_CELL.height) return;
  const { data, cols } = spec.matrix;
  const letters = g.cw >= ROOMY_CELL ? 6 : 5;
  const size = Math.min(12, (g.cw - 3) / (letters * LETTER), g.ch - 6);
  pen.font = `${size}px ${palette.codeFont}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  for (let r = r0; r < r1; r += 1) {
    for (let c = c0; c < c1; c += 1) {
      const x = data[r * cols + c]; // (rows, cols)
      if (Number.isNaN(x) && spec.masked) continue; // a token that the other trace does not have
      const muted = x === 0 || !Number.isFinite(x);
      pen.fillStyle = muted ? palette.muted : ink(colourOf(x, spec.colour, spec.limits, palette));
      pen.fillText((spec.format ?? fmtCell)(x, letters), xOf(g, c) + g.cw / 2, yOf(g, r) + g.ch / 2 + 0.5);
    }
  }
}

const hatches = new WeakMap();

/** The pattern of cells that are not allowed. */
function hatch(pen, palette) {
  if (!hatches.has(palette)) {
    const tile = new OffscreenCanvas(6, 6);
    const brush = tile.getContext("2d");
    brush.fillStyle = css(rgb(palette.text), 0.05);
    brush.fillRect(0, 0, 6, 6);
    brush.strokeStyle = css(rgb(palette.text), 0.28);
    brush.lineWidth = 1;
    brush.beginPath();
    for (const shift of [-6, 0, 6]) {
      brush.moveTo(shift - 1, 7);
      brush.lineTo(shift + 7, -1);
    }
    brush.stroke();
    hatches.set(palette, tile);
  }
  return pen.createPattern(hatches.get(palette), "repeat");
}

function drawAxes(pen, g, spec, titles, palette) {
  pen.textBaseline = "middle";
  pen.font = `600 ${LABEL_FONT}px ${palette.font}`;
  pen.textAlign = "left";
  pen.fillStyle = axisColour(spec.cols.kind, palette);
  pen.fillText(titles.cols, g.left, TITLE_HEIGHT / 2);
  pen.textAlign = "right";
  pen.fillStyle = axisColour(spec.rows.kind, palette);
  pen.fillText(titles.rows, g.left - PAD, g.top - 8);
  const { r0, r1, c0, c1 } = visible(g);
  pen.fillStyle = palette.text;
  for (let r = r0; r < r1; r += 1) if (hasLabel(r, g.ch, APART.rows)) drawRowLabel(pen, g, spec.rows, r, palette);
  pen.fillStyle = palette.text;
  for (let c = c0; c < c1; c += 1) if (hasLabel(c, g.cw, APART.cols)) drawColLabel(pen, g, spec.cols, c, palette);
}

/** Every label from LABEL_CELL on, else ticks at least `apart` pixels from each other. */
function hasLabel(index, cell, apart) {
  return cell >= LABEL_CELL || index % tickStep(cell, apart) === 0;
}

function tickStep(cell, apart) {
  return 2 ** Math.ceil(Math.log2(apart / cell));
}

/** The ticks on either side of a place: they give way to its mark. */
function ticksBeside(index, cell, apart) {
  if (cell >= LABEL_CELL) return [];
  const step = tickStep(cell, apart);
  const before = Math.floor(index / step) * step;
  return [before, before + step].filter((tick) => Math.abs(tick - index) * cell < TICK_ROOM[apart]);
}

function labelText(axis, index, cell) {
  return cell >= LABEL_CELL ? tokenText(axis.labels[index]) : String(tokenAt(axis, index));
}

function drawRowLabel(pen, g, axis, r, palette) {
  const centre = yOf(g, r) + g.ch / 2;
  if (centre < g.top || centre > g.top + g.height) return;
  const y = g.ch >= LABEL_CELL ? centre : Math.max(centre, g.top + 6); // clear of the axis' title
  pen.font = g.ch >= LABEL_CELL ? labelFont(axis, palette) : `10px ${palette.codeFont}`;
  pen.textAlign = "right";
  pen.fillText(clip(pen, labelText(axis, r, g.ch), g.left - PAD - 2), g.left - PAD, y);
}

function drawColLabel(pen, g, axis, c, palette) {
  const x = xOf(g, c) + g.cw / 2;
  if (x < g.left || x > g.left + g.width) return;
  const text = labelText(axis, c, g.cw);
  const isIndex = g.cw < LABEL_CELL;
  pen.font = isIndex ? `10px ${palette.codeFont}` : labelFont(axis, palette);
  if (isIndex || pen.measureText(text).width <= g.cw - 2) {
    pen.textAlign = "center";
    pen.fillText(text, x, g.top - 8);
    return;
  }
  const shown = clip(pen, text, g.top - TITLE_HEIGHT - PAD);
  if (isUpright(text)) {
    pen.textAlign = "center";
    upward(shown, g.top - 4, LABEL_FONT).forEach(([letter, y]) => pen.fillText(letter, x, y));
    return;
  }
  pen.save();
  pen.translate(x, g.top - 4);
  pen.rotate(-Math.PI / 2);
  pen.textAlign = "left";
  pen.fillText(shown, 0, 0);
  pen.restore();
}

/** Whether a label above a narrow column is written from top to bottom, each character upright, and not turned. */
export function isUpright(text) {
  return HAN.test(text);
}

/**
 * The characters of an upright label with the middle of each, the last one just above `bottom`.
 * @returns {[string, number][]}
 */
export function upward(text, bottom, size) {
  return [...text].reverse().map((letter, n) => [letter, bottom - (n + 0.5) * size]);
}

function clip(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length > 1 && pen.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return `${letters.join("")}…`;
}

/**
 * The linked rows and columns.
 * @param {{rows: {index: number, colour: string}[], cols: {index: number, colour: string}[], locked: boolean}} marks
 */
export function drawMarks(pen, g, spec, marks, palette) {
  pen.clearRect(0, 0, g.left + g.width + 4, g.top + g.height + 4);
  const line = marks.locked ? 2 : 1;
  pen.save();
  pen.beginPath();
  pen.rect(g.left - 1, g.top - 1, g.width + 2, g.height + 2);
  pen.clip();
  pen.lineWidth = line;
  const edge = line / 2;
  for (const { index, colour } of marks.rows) {
    pen.strokeStyle = colour;
    pen.strokeRect(g.left - 4, yOf(g, index) - edge, g.width + 8, g.ch + line);
  }
  for (const { index, colour } of marks.cols) {
    pen.strokeStyle = colour;
    pen.strokeRect(xOf(g, index) - edge, g.top - 4, g.cw + line, g.height + 8);
  }
  if (marks.rows.length && marks.cols.length) {
    pen.strokeStyle = palette.text;
    pen.lineWidth = 2;
    const [r, c] = [marks.rows[0].index, marks.cols[0].index];
    pen.strokeRect(xOf(g, c) - 1, yOf(g, r) - 1, g.cw + 2, g.ch + 2);
  }
  pen.restore();
  for (const mark of marks.rows) drawRowMark(pen, g, spec.rows, mark, palette);
  for (const mark of marks.cols) drawColMark(pen, g, spec.cols, mark, palette);
}

function drawRowMark(pen, g, axis, { index, colour }, palette) {
  const height = Math.max(14, Math.min(g.ch, 18));
  const centre = yOf(g, index) + g.ch / 2;
  if (centre < g.top || centre > g.top + g.height) return;
  const y = g.ch < LABEL_CELL ? Math.max(centre, g.top + 6) : centre;
  pen.fillStyle = palette.background;
  for (const tick of ticksBeside(index, g.ch, APART.rows)) {
    pen.fillRect(0, Math.max(yOf(g, tick) + g.ch / 2, g.top + 6) - 7, g.left - 2, 14);
  }
  pen.font = g.ch >= LABEL_CELL ? labelFont(axis, palette) : `10px ${palette.codeFont}`;
  const width = Math.min(g.left - 2, pen.measureText(labelText(axis, index, g.ch)).width + 2 * PAD - 2);
  pen.fillStyle = colour;
  pen.fillRect(g.left - 2 - width, y - height / 2, width, height);
  pen.fillStyle = ink(rgb(colour));
  pen.textBaseline = "middle";
  drawRowLabel(pen, g, axis, index, palette);
}

function drawColMark(pen, g, axis, { index, colour }, palette) {
  const x = xOf(g, index) + g.cw / 2;
  if (x < g.left || x > g.left + g.width) return;
  const flat = g.cw < LABEL_CELL || g.top - TITLE_HEIGHT === 16;
  const width = flat ? Math.max(g.cw, 26) : Math.max(13, Math.min(g.cw, 18));
  pen.fillStyle = palette.background;
  for (const tick of ticksBeside(index, g.cw, APART.cols)) {
    pen.fillRect(xOf(g, tick) + g.cw / 2 - 13, TITLE_HEIGHT, 26, g.top - TITLE_HEIGHT - 1);
  }
  pen.fillStyle = colour;
  pen.fillRect(x - width / 2, TITLE_HEIGHT, width, g.top - TITLE_HEIGHT - 1);
  pen.fillStyle = ink(rgb(colour));
  pen.textBaseline = "middle";
  drawColLabel(pen, g, axis, index, palette);
}
