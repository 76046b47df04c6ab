/** Which lines the plane draws, and which labels have room in it. Pure. */

const LEAST = 0.02; // weight: a thinner line says nothing
const LETTER = 7.3; // px of a letter
const WIDE = 12; // px of one that is as wide as high
const LINE = 12; // px of a label's height
const GAP = 7; // px between a point and its label

/**
 * The keys that a query reads most, or the queries that read a key most, the strongest first.
 * @param {import("../core/data.js").Matrix|undefined} weights
 * @param {string} side  "query" or "key"
 */
export function most(weights, side, token, count) {
  if (!weights) return [];
  const { data, rows, cols } = weights;
  const found = side === "query"
    ? Array.from({ length: cols }, (_, key) => ({ token: key, weight: data[token * cols + key] }))
    : Array.from({ length: rows }, (_, query) => ({ token: query, weight: data[query * cols + token] }));
  return found.filter(({ weight }) => weight >= LEAST).sort((a, b) => b.weight - a.weight).slice(0, count);
}

const widthOf = (text) => [...text].reduce((sum, letter) => sum + (letter > "\u2e7f" ? WIDE : LETTER), 0);

/**
 * The labels that cover no earlier one and no point; each with its place, to the right of its point or to the left.
 * @template {{x: number, y: number, text: string}} Label
 * @param {Label[]} labels  what matters most first
 * @param {{x: number, y: number}[]} points
 * @returns {Label[]}
 */
export function roomy(labels, points, width, height) {
  /** @type {number[][]} */
  const taken = points.map(({ x, y }) => [x - 4, y - 4, x + 4, y + 4]);
  const free = ([left, top, right, bottom]) => left >= 0 && right <= width && top >= 0 && bottom <= height && taken.every(([l, t, r, b]) => right <= l || left >= r || bottom <= t || top >= b);
  return labels.flatMap((label) => {
    const wide = widthOf(label.text);
    const box = [label.x + GAP, label.x - GAP - wide].map((left) => [left, label.y - LINE / 2, left + wide, label.y + LINE / 2]).find(free);
    if (!box) return [];
    taken.push(box);
    return [{ ...label, x: box[0], y: label.y + LINE / 3 }];
  });
}
