/** Scale raw scores: scale, bias, soft-cap. Follows attnviz.attention.scaled_scores. */

/** Return the kind of scale: "root" is 1 / √d_head, "none" is 1, "own" anything else. */
export function scaleKind({ scale, scoring, d_head: width }) {
  const root = Math.abs(scale ** -2 - width) < 0.01;
  if (scale === 1) return root && scoring === "scaled_dot" ? "root" : "none"; // in one dimension both are 1
  return root ? "root" : "own";
}

export const hasCap = ({ softcap }) => softcap !== null && softcap !== undefined;

/** s′ = scale · s + bias; with a cap c: c · tanh(s′ / c). */
export function scaledScore(site, score, bias = 0) {
  const scaled = score * site.scale + bias;
  return hasCap(site) ? site.softcap * Math.tanh(scaled / site.softcap) : scaled;
}

/** Whether two numbers are the same within the rounding of float32. */
export const agrees = (x, y) => Math.abs(x - y) <= 1e-4 * Math.max(1, Math.abs(x), Math.abs(y));
