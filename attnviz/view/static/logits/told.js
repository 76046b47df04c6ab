/** Computations on the server's answers. */

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

/** A part by its name in Python: "decoder.1.self:0" is a head, "decoder.1.mlp" a feed-forward part; others are their own kind. Pure. */
export function partOf(name) {
  const head = /^(\w+)\.(\d+)\.(self|cross)(?:\.\w+)?:(\d+)$/.exec(name);
  if (head) return { kind: head[3] === "cross" ? "cross" : "head", layer: Number(head[2]), head: Number(head[4]) };
  const mlp = /^(\w+)\.(\d+)\.mlp$/.exec(name);
  return mlp ? { kind: "mlp", layer: Number(mlp[2]) } : { kind: name.replaceAll(" ", "-") };
}

/**
 * Shares that are stacked from 0 on, those above it and those below it apart: for each band its outer edges. Pure.
 * @param {{shares: number[]}[]} bands
 * @returns {{up: number[], down: number[]}[]}
 */
export function stack(bands) {
  const edge = { up: bands[0].shares.map(() => 0), down: bands[0].shares.map(() => 0) };
  return bands.map(({ shares }) => {
    edge.up = edge.up.map((level, n) => level + Math.max(0, shares[n]));
    edge.down = edge.down.map((level, n) => level + Math.min(0, shares[n]));
    return { ...edge };
  });
}
