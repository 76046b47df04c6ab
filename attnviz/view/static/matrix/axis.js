/**
 * One side of a matrix, where places on the screen and tokens of the sequence may differ: tokens are left out, or merged
 * to words.
 *
 * @typedef {Object} Axis
 * @property {"queries"|"keys"|"dims"|"wide"|"names"} kind  dims: of the head; wide: of the model
 * @property {string[]} labels
 * @property {string} [title]    the axis' title, if not the kind's own
 * @property {number[]} [index]  the (first) token that each place stands for, where that is not its own number
 * @property {number[][]} [tokens]  all tokens that each place stands for, where they are merged
 * @property {Int32Array} [of]   the place of each token, -1 where it is not shown
 * @property {boolean} [merged]  its places are words
 * @property {boolean} [both]    the rows are the queries and the keys (input of self-attention)
 */

/** Whether an axis has dimensions, of the head or of the model, and no tokens. */
export const isDims = ({ kind }) => kind === "dims" || kind === "wide";

/** The (first) token of a place. */
export const tokenAt = (axis, place) => (axis.index ? axis.index[place] : place);

/** The place of a token; -1 where it is not shown, or there is none. */
export function placeOf(axis, token) {
  if (token === null) return -1;
  const place = axis.of ? (axis.of[token] ?? -1) : axis.index ? axis.index.indexOf(token) : token;
  return place < axis.labels.length ? place : -1;
}

/** The number of a place as text: "3", or "3–5" for a word of three tokens. */
export function numberAt(axis, place) {
  const tokens = axis.tokens?.[place];
  return tokens?.length > 1 ? `${tokens[0]}–${tokens.at(-1)}` : String(tokenAt(axis, place));
}
