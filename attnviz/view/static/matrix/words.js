/** Sub-words merged to words: which tokens, under what name, and the weights between them. Pure functions. */

const BYTES = /(?:\\x[0-9a-f]{2})+/g; // how tokens that are parts of a character are called
const UTF8 = new TextDecoder("utf-8", { fatal: true });
const CONTINUES = /^##(?=.)/s; // how WordPiece marks a piece that goes on with a word

/**
 * Tokens by word, in reading order; a token that belongs to no word stands alone.
 *
 *     wordGroups([null, 0, 0, 1]) = [[0], [1, 2], [3]]
 *
 * @param {(number|null)[]} words  word of each token
 * @param {(number|null)[]} [segments]  sentence of each token: words do not reach across
 * @returns {number[][]}
 */
export function wordGroups(words, segments = []) {
  const groups = [];
  words.forEach((word, token) => {
    const goesOn = token > 0 && word !== null && words[token - 1] === word && segments[token - 1] === segments[token];
    if (goesOn) groups.at(-1).push(token);
    else groups.push([token]);
  });
  return groups;
}

/**
 * The name of each group: its labels joined, without the marks of WordPiece and without white space around a word.
 * A "##" is such a mark where every piece that goes on with a word has it; else the text has it.
 * @param {string[]} labels  of the tokens
 * @param {number[][]} groups
 * @returns {string[]}
 */
export function wordLabels(labels, groups) {
  const marked = groups.every((tokens) => tokens.slice(1).every((token) => CONTINUES.test(labels[token])));
  const join = (tokens) => tokens.map((token, n) => (marked && n > 0 ? labels[token].replace(CONTINUES, "") : labels[token])).join("");
  return groups.map((tokens) => withoutBytes(join(tokens)).trim() || join(tokens));
}

/** A character whose bytes were tokens of their own ("\\xf0\\x9f\\x98\\x80"), whole again; bytes that are none stay. */
function withoutBytes(label) {
  return label.replace(BYTES, (bytes) => {
    try {
      return UTF8.decode(Uint8Array.from(bytes.slice(2).split("\\x"), (byte) => Number.parseInt(byte, 16)));
    } catch {
      return bytes;
    }
  });
}

/**
 * Weights between groups of tokens: summed over the keys of a group, averaged over its queries,
 *
 *     merged[a, b] = 1 / |a| · Σ_{i in a} Σ_{j in b} weights[i, j]
 *
 * so that a row sums to 1 where the rows of its tokens do and every key is in a group. Groups of one select.
 *
 * @param {{data: Float32Array, rows: number, cols: number}} weights
 * @param {number[][]} queries  groups of rows
 * @param {number[][]} keys     groups of columns
 * @returns {{data: Float32Array, rows: number, cols: number}}
 */
export function mergeWeights(weights, queries, keys) {
  const [rows, cols] = [queries.length, keys.length];
  const place = new Int32Array(weights.cols).fill(-1); // key -> group
  keys.forEach((tokens, b) => tokens.forEach((j) => (place[j] = b)));
  const data = new Float32Array(rows * cols);
  const row = new Float64Array(cols);
  queries.forEach((tokens, a) => {
    row.fill(0);
    for (const i of tokens) {
      for (let j = 0, at = i * weights.cols; j < weights.cols; j += 1, at += 1) if (place[j] >= 0) row[place[j]] += weights.data[at];
    }
    for (let b = 0; b < cols; b += 1) data[a * cols + b] = row[b] / tokens.length;
  });
  return { data, rows, cols };
}
