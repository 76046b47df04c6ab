/** A matrix as an image, one pixel a cell, made once for its numbers, scale and theme; and the legend of its colours. */

import { css } from "../core/colors.js";
import { el, sizeCanvas } from "../core/dom.js";

const CACHE_BYTES = 96 * 2 ** 20;
const cache = new Map(); // numbers -> {key, palette, canvas}; least recently used first
let cachedBytes = 0;

/**
 * @param {{data: Float32Array, rows: number, cols: number}} matrix
 * @param {"sequential"|"diverging"} colour
 * @param {[number, number]} limits  what is larger is drawn as the upper one
 * @param {import("../core/colors.js").Palette} palette
 * @returns {OffscreenCanvas} (rows, cols); −∞ and NaN are transparent
 */
export function heatImage(matrix, colour, limits, palette) {
  const key = `${colour} ${limits}`;
  const known = cache.get(matrix.data);
  if (known && known.key === key && known.palette === palette) {
    cache.delete(matrix.data);
    cache.set(matrix.data, known);
    return known.canvas;
  }
  if (known) drop(matrix.data);
  const canvas = new OffscreenCanvas(matrix.cols, matrix.rows);
  const context = canvas.getContext("2d");
  const image = context.createImageData(matrix.cols, matrix.rows);
  paint(new Uint32Array(image.data.buffer), matrix.data, palette.tables[colour], limits);
  context.putImageData(image, 0, 0);
  cache.set(matrix.data, { key, palette, canvas });
  cachedBytes += matrix.data.length * 4;
  for (const oldest of cache.keys()) {
    if (cachedBytes <= CACHE_BYTES || oldest === matrix.data) break;
    drop(oldest);
  }
  return canvas;
}

function drop(data) {
  cache.delete(data);
  cachedBytes -= data.length * 4;
}

function paint(pixels, data, table, [low, high]) {
  const last = table.length - 1;
  const scale = last / (high - low || 1);
  for (let i = 0; i < data.length; i += 1) {
    const at = (data[i] - low) * scale + 0.5;
    if (at >= 0) pixels[i] = table[at > last ? last : at | 0];
    else if (data[i] !== -Infinity && data[i] === data[i]) pixels[i] = table[0];
  }
}

/** The colour of one number, [r, g, b]. */
export function colourOf(x, colour, [low, high], palette) {
  const t = Math.min(1, (x - low) / (high - low || 1));
  return colour === "diverging" ? palette.diverging(2 * t - 1) : palette.sequential(t);
}

const extremes = new WeakMap(); // numbers -> largest finite |x|

/** Symmetric limits around 0 that hold every finite number of these matrices. @returns {[number, number]} */
export function symmetricLimits(...matrices) {
  let most = 0;
  for (const { data } of matrices) {
    let largest = extremes.get(data);
    if (largest === undefined) {
      largest = 0;
      for (let i = 0; i < data.length; i += 1) {
        const size = Math.abs(data[i]);
        if (size > largest && size !== Infinity) largest = size;
      }
      extremes.set(data, largest);
    }
    most = Math.max(most, largest);
  }
  return [-(most || 1), most || 1];
}

const [WIDTH, HEIGHT] = [64, 8]; // px of a legend

/** The bar of colours beside a matrix or an image, with the numbers at its ends. */
export class Legend {
  constructor() {
    this.low = el("span");
    this.bar = el("canvas", { "aria-hidden": "true" });
    this.high = el("span");
    this.element = el("span", { class: "av-legend" }, this.low, this.bar, this.high);
    this.drawn = [];
  }

  /**
   * @param {"sequential"|"diverging"} colour
   * @param {import("../core/colors.js").Palette} palette
   * @param {string} low  what stands at its ends
   * @param {string} high
   */
  draw(colour, palette, low, high) {
    this.low.textContent = low;
    this.high.textContent = high;
    if (this.drawn[0] === colour && this.drawn[1] === palette) return;
    this.drawn = [colour, palette];
    const pen = sizeCanvas(this.bar, WIDTH, HEIGHT);
    for (let x = 0; x < WIDTH; x += 1) {
      pen.fillStyle = css(colourOf((x + 0.5) / WIDTH, colour, [0, 1], palette));
      pen.fillRect(x, 0, 1, HEIGHT);
    }
  }
}
