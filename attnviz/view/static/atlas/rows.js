/** Which heads a table shows, in which order, and which part of an example. */

const SHOWN = 40; // tokens of an example around its strongest place, on either side
export const MEASURES = ["entropy", "distance"];

/** The number that a head is sorted by: a lift, a measure, or its place in the model; null: not measured. Pure. */
export function valueOf(head, column) {
  if (MEASURES.includes(column)) return head[column];
  return column in head.readings ? head.readings[column].lift : null;
}

/** The heads with a label ("" all, "none" without one), by a column: "order" as in the model, else the largest first. Pure. */
export function chosenHeads(heads, { label, sort }) {
  const kept = heads.filter((head) => !label || (label === "none" ? !head.label : head.label === label));
  if (sort === "order") return kept;
  const rank = (head) => valueOf(head, sort) ?? -Infinity;
  return [...kept].sort((a, b) => rank(b) - rank(a));
}

/** From where to where the tokens of a text are shown, so that its strongest places are in it. Pure. */
export function windowOf(length, marks) {
  const [query, key] = marks[0] ?? [0, 0];
  const [low, high] = [Math.min(query, key), Math.max(query, key)];
  if (high - low > 2 * SHOWN) return [Math.max(0, query - SHOWN), Math.min(length, query + SHOWN + 1)];
  return [Math.max(0, low - SHOWN), Math.min(length, high + SHOWN + 1)];
}

/** The link of an example, with the head and, where there is one, a place of it. Pure. */
export function linkTo(text, head, mark) {
  const place = { layer: head.layer, stack: head.stack, kind: head.kind, head: head.head };
  const lock = mark ? { q: mark[0], k: mark[1], lock: 1 } : {};
  return `${text.link}&${new URLSearchParams(/** @type {any} */ ({ ...place, ...lock }))}`;
}
