/**
 * What the weights show as a whole, in a sentence: the pattern that the task expects, where the head follows it, else
 * the first of some plain patterns that holds most of the attention.
 */

import { fmtWhole } from "../core/format.js";
import { placeOf, tokenAt } from "./axis.js";
import { visibleWeights } from "./shown.js";

const EVEN = 0.9; // of the largest entropy that a row can have

/**
 * Whether a key is what a pattern reads, by the key's place, the query's own place among the keys and their tokens.
 * @type {Record<string, (key: number, own: number, about: any) => boolean>}
 */
const PATTERNS = {
  itself: (key, own) => key === own,
  previous: (key, own) => own >= 0 && key === own - 1,
  next: (key, own) => own >= 0 && key === own + 1,
  first: (key) => key === 0,
  special: (key, own, { special }) => special[key],
  same: (key, own, { query, labels }) => key !== own && labels[key] === query,
};

/**
 * The plain pattern with the largest share of the attention, by the mean over the queries that have such a key and one
 * more to read; and whether it is named: it has such keys for half of the queries at least, and holds if it is nearer to all than to chance,
 * as in attnviz.analysis.telling. Keys of weight 0 count as masked.
 *
 * @returns {{name: string, share: number, holds: boolean}|null}
 */
export function measured({ data, rows, cols, queries, keys }, isSelf, specials) {
  const special = keys.labels.map((_, key) => specials.has(tokenAt(keys, key)));
  const found = Object.entries(PATTERNS).map(([name, isRead]) => ({ name, isRead, share: 0, chance: 0, rows: 0 }));
  let [read, spread] = [0, 0];
  for (let row = 0; row < rows; row += 1) {
    const weights = data.subarray(row * cols, (row + 1) * cols);
    let [places, entropy] = [0, 0];
    for (const weight of weights) {
      if (weight <= 0) continue;
      places += 1;
      entropy -= weight * Math.log(weight);
    }
    if (places < 2) continue;
    read += 1;
    spread += entropy / Math.log(places);
    const about = { special, labels: keys.labels, query: queries.labels[row] };
    const own = isSelf ? placeOf(keys, tokenAt(queries, row)) : -1;
    for (const each of found) {
      let [mine, share] = [0, 0];
      for (let key = 0; key < cols; key += 1) {
        if (weights[key] <= 0 || !each.isRead(key, own, about)) continue;
        mine += 1;
        share += weights[key];
      }
      if (!mine || mine === places) continue;
      each.share += share;
      each.chance += mine / places;
      each.rows += 1;
    }
  }
  if (!read) return null;
  if (spread / read > EVEN) return { name: "even", share: spread / read, holds: true };
  const means = found.filter(({ rows: n }) => 2 * n >= read).map(({ name, share, chance, rows: n }) => ({ name, share: share / n, holds: share / n > (1 + chance / n) / 2 }));
  return means.reduce((best, each) => (best && best.share >= each.share ? best : each), null);
}

/** The sentence on the chosen head's weights as they are shown; "" while they are not here. */
export function patternText(ctx, state) {
  const { t, data } = ctx;
  const shown = data.isDifference ? undefined : visibleWeights(state, ctx);
  if (!shown) return "";
  const site = data.site(state.site);
  const told = data.header.follows?.find((one) => one.site === state.site && one.head === state.head);
  const isWhole = shown.rows === data.tokens(site.queries).length && shown.cols === data.tokens(site.keys).length;
  if (told && isWhole && !shown.hidden?.length) return t("view.pattern.expected", { pattern: t(told.key), share: fmtWhole(told.mass) });
  const found = measured(shown, site.kind === "self", new Set(data.header.specials[site.keys]));
  if (!found) return "";
  if (found.name === "even") return t("view.pattern.even");
  const pattern = t(`view.pattern.${found.name}`);
  return t(found.holds ? "view.pattern.mostly" : "view.pattern.none", { pattern, share: fmtWhole(found.share) });
}
