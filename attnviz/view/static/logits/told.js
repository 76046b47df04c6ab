/** What is computed of the server's answers. */

/** The first row from which on the most probable output of a column is that of the last row. Pure. @param {number[][][]} outputs */
export function settledAt(outputs, column) {
  const last = outputs.at(-1)[column][0];
  let row = outputs.length - 1;
  while (row > 0 && outputs[row - 1][column][0] === last) row -= 1;
  return row;
}

/** The largest parts, and the others as one; all of them add up to the sum. Pure. @param {any[]} parts  each with its share */
export function shorten(parts, most) {
  const shown = parts.length > most + 1 ? parts.slice(0, most) : parts;
  const rest = parts.slice(shown.length);
  const sum = (list) => list.reduce((total, { share }) => total + share, 0);
  return { shown, rest: { count: rest.length, share: sum(rest) }, sum: sum(parts) };
}
