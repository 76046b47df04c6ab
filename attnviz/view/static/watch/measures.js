/** Names, units and ranges of the numbers of a run. */

import { fmt } from "../core/format.js";

const LEAST_R2 = -1; // below it a forecast is so far off that its curve would press all others flat

/**
 * @typedef {Object} Measured  what of a run's header tells how to read its numbers
 * @property {string} metric
 * @property {"classes"|"values"} predicts
 * @property {"character"|"symbol"} unit
 */

/** Whether the metric is the loss itself, as of a language model. */
export const isLanguage = ({ metric }) => metric === "nats per symbol";

const isShare = ({ metric }) => metric !== "R2";

/** "Loss (nats)". */
export const lossName = (t, { predicts }) => t(predicts === "values" ? "watch.loss.squared" : "watch.loss.nats");

/** Name of the curve beside the loss: the metric, or the accuracy of a language model. */
export const metricName = (t, run) => t(`watch.metric.${isLanguage(run) ? "accuracy" : run.metric.replace(" ", "-")}`);

/** Its value: a share of what was asked in percent, a share of a variance as a number. */
export const metricText = (run, value, percent) => (isShare(run) || !Number.isFinite(value) ? percent(value) : fmt(value));

/** Return range and format of the axis of some runs' metrics. @returns {{y: [number, number], format: string}} */
export function metricAxis(runs, values) {
  if (runs.every(isShare)) return { y: [-0.03, 1.05], format: ".0%" };
  const low = values.reduce((least, value) => (value < least ? value : least), 0);
  return { y: [Math.max(LEAST_R2, low) - 0.03, 1.05], format: ".1f" };
}

/** A loss in other words, [label, value] each: perplexity e^loss, and loss / ln 2 bits. */
export function inOtherWords(t, run, loss) {
  if (!isLanguage(run) || !Number.isFinite(loss)) return [];
  return [[t("watch.perplexity"), fmt(Math.exp(loss))], [t(`watch.bits.${run.unit}`), fmt(loss / Math.LN2)]];
}

/** With a plus where it is one. */
export const signed = (x) => (x > 0 ? `+${fmt(x)}` : fmt(x));

/** A name inside of a sentence: "accuracy", but "F1". */
const inside = (name) => (/^[A-Z][a-z]/.test(name) ? name[0].toLowerCase() + name.slice(1) : name);

/**
 * How it goes, in one sentence: when the target was reached, or how far off it is; "" before anybody looked.
 * @param {{t: Function, number: Function, percent: (share: number) => string, header: any, metrics: {looks: import("./metrics.js").Look[]}}} ctx
 */
export function outcome({ t, number, percent, header, metrics }) {
  const isLoss = isLanguage(header);
  const valueOf = (look) => (isLoss ? look.loss : look.accuracy);
  const asText = (value) => (isLoss ? fmt(value) : metricText(header, value, percent));
  const said = (look) => ({ metric: inside(isLoss ? lossName(t, header) : metricName(t, header)), value: asText(valueOf(look)) });
  const { target } = header;
  const first = target ? metrics.looks.find((look) => (isLoss ? look.loss <= target : look.accuracy >= target)) : undefined;
  if (first) return t("watch.reached", { step: number(first.step), ...said(first) });
  const last = metrics.looks.at(-1);
  if (!last) return "";
  return target ? t("watch.short_of", { ...said(last), target: asText(target) }) : t("watch.held_now", said(last));
}
