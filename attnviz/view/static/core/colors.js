/** Colours read from the page's theme, and the two colour scales. */

const STEPS = 1024;

/**
 * @typedef {Object} Palette
 * @property {boolean} dark
 * @property {string} background
 * @property {string} surface
 * @property {string} text
 * @property {string} muted
 * @property {string} border
 * @property {string} query
 * @property {string} key
 * @property {string} value
 * @property {string} font
 * @property {string} codeFont
 * @property {(t: number) => number[]} sequential  0..1 -> [r, g, b]; 0 is the background
 * @property {(t: number) => number[]} diverging   -1..1 -> [r, g, b]; 0 is the background
 * @property {{sequential: Uint32Array, diverging: Uint32Array}} tables  the same as packed pixels
 */

/**
 * @param {Element} element  an element below .attnviz
 * @returns {Palette}
 */
export function palette(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  const background = rgb(read("--av-background"));
  return {
    ...scales(background),
    background: css(background),
    surface: read("--av-surface"),
    text: read("--av-text"),
    muted: css(mix(background, rgb(read("--av-text")), 0.66)),
    border: css(mix(background, rgb(read("--av-text")), 0.2)),
    query: read("--av-query"),
    key: read("--av-key"),
    value: read("--av-value"),
    font: read("--av-font"),
    codeFont: read("--av-code"),
  };
}

let made = null; // the last scales, and their background

/**
 * The two colour scales on a background.
 * @param {number[]} background
 */
export function scales(background) {
  if (String(made?.background) !== String(background)) made = { background, scales: makeScales(background) };
  return made.scales;
}

function makeScales(background) {
  const dark = luminance(background) < 0.35;
  // light to dark on a light page, dark to light on a dark one: far from the background means more
  const purple = dark ? [[124, 92, 196], [236, 226, 255]] : [[129, 90, 190], [38, 6, 84]];
  const ochre = dark ? [[170, 122, 30], [255, 224, 150]] : [[184, 130, 24], [92, 52, 0]];
  const up = ramp([background, ...purple]);
  const down = ramp([background, ...ochre]);
  const sequential = (t) => up(curve(t));
  const diverging = (t) => (t < 0 ? down(curve(-t)) : up(curve(t)));
  return { dark, sequential, diverging, tables: { sequential: table(sequential, 0, 1), diverging: table(diverging, -1, 1) } };
}

/** Small weights must be seen: the scale rises faster near 0. The legend shows the same curve. */
function curve(t) {
  return Math.min(1, Math.max(0, t)) ** 0.7;
}

/** The scale as packed pixels (little-endian RGBA), STEPS + 1 of them from low to high. */
function table(scale, low, high) {
  return Uint32Array.from({ length: STEPS + 1 }, (_, i) => {
    const [r, g, b] = scale(low + ((high - low) * i) / STEPS);
    return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
  });
}

/** @param {number[]} colour */
export function css([r, g, b], alpha = 1) {
  return `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)} / ${alpha})`;
}

/** Black or white, whichever reads better on this colour. @param {number[]} colour */
export function ink([r, g, b]) {
  return luminance([r, g, b]) > 0.18 ? "#111" : "#fff";
}

/** Relative luminance, 0 to 1. Source: WCAG 2.2, "relative luminance". */
function luminance(color) {
  const [r, g, b] = color.map(linear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const known = new Map(); // CSS colours that were read

/** Any CSS colour -> [r, g, b]. */
export function rgb(text) {
  if (!known.has(text)) known.set(text, channels(text));
  return known.get(text);
}

function channels(text) {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  pixel.fillStyle = "#808080";
  pixel.fillStyle = text;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function mix(from, to, t) {
  return from.map((channel, i) => channel + (to[i] - channel) * t);
}

/** Even steps to the eye: interpolates the stops in OKLab. */
function ramp(stops) {
  const labs = stops.map(oklab);
  return (t) => {
    const at = Math.min(t * (labs.length - 1), labs.length - 1 - 1e-9);
    const i = Math.floor(at);
    return fromOklab(mix(labs[i], labs[i + 1], at - i));
  };
}

function linear(channel) {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
}

function gamma(c) {
  const value = c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055;
  return Math.round(255 * Math.min(1, Math.max(0, value)));
}

/** sRGB -> OKLab. Source: Ottosson, "A perceptual color space for image processing", 2020. */
function oklab(color) {
  const [r, g, b] = color.map(linear);
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromOklab([L, a, b]) {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    gamma(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    gamma(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    gamma(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}
