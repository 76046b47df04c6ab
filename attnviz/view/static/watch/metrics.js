/** The numbers of a run, step by step: the lines of metrics.jsonl. */

const SMOOTHING = 0.9; // share of the past in the smoothed loss

const LATELY = 100; // steps
const AROUND = 10; // steps before and after one, whose mean is less noisy than it and lags less than the smoothed loss

/** Index of the last of these rising numbers that is not above x; -1: all are. */
export function lastAt(numbers, x) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * @typedef {Object} Look  a look at held-out data
 * @property {number} step
 * @property {number} loss
 * @property {number} accuracy      value of the metric
 * @property {number|null} train     the same on the training batch of that step
 * @property {number[][]} outputs    ids of outputs, or forecasts, per sample
 * @property {number[]|null} spectrum
 */
export class Metrics {
  constructor() {
    this.clear();
  }

  clear() {
    /** @type {number[]} */
    this.step = [];
    this.loss = [];
    this.smooth = [];
    this.rate = [];
    this.seconds = []; // of training so far
    /** @type {Look[]} */
    this.looks = [];
    this.damaged = 0; // lines that are none of a run's
    this.past = 0;
    this.weight = 0;
  }

  /** @param {Uint8Array} bytes whole lines */
  add(bytes) {
    for (const line of new TextDecoder().decode(bytes).split("\n")) if (line) this.line(line);
  }

  line(line) {
    let values;
    try {
      values = JSON.parse(line.replace(/\b(NaN|-?Infinity)\b/g, "null"));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.damaged += 1;
      return;
    }
    const { step, loss, learning_rate: rate, seconds, validation, accuracy, spectrum } = values;
    const lists = [...[validation?.outputs ?? []].flat(1), spectrum ?? []];
    if (typeof step !== "number" || typeof loss !== "number" || !Array.isArray(validation?.outputs ?? []) || !lists.every(Array.isArray)) {
      this.damaged += 1;
      return;
    }
    this.past = SMOOTHING * this.past + (1 - SMOOTHING) * loss;
    this.weight = SMOOTHING * this.weight + (1 - SMOOTHING);
    this.step.push(step);
    this.loss.push(loss);
    this.smooth.push(this.past / this.weight); // an exponential mean that knows how young it is
    this.rate.push(rate ?? NaN);
    this.seconds.push(seconds ?? NaN);
    if (!validation) return;
    const { loss: held = NaN, accuracy: right = NaN, outputs = [] } = validation;
    this.looks.push({ step, loss: held ?? NaN, accuracy: right ?? NaN, train: accuracy ?? null, outputs, spectrum: spectrum ?? null });
  }

  /** Steps that a second of training makes, of late; 0 while that is not known. */
  stepsPerSecond() {
    const lines = Math.min(LATELY, this.seconds.length - 1);
    const seconds = this.seconds.at(-1) - this.seconds.at(-1 - lines);
    return lines > 0 && seconds > 0 ? lines / seconds : 0;
  }

  /** Index of the line of a step, or of the last one before it; -1: none. */
  lineAt(step) {
    return lastAt(this.step, step);
  }

  /** The last look at held-out data up to a step. @returns {Look|undefined} */
  lookAt(step) {
    let index = this.looks.length - 1;
    while (index >= 0 && this.looks[index].step > step) index -= 1;
    return this.looks[index];
  }

  /** Return how much higher the loss was on held-out data than in training, the mean of the steps around it. */
  gap({ step, loss }) {
    const line = this.lineAt(step);
    if (line < 0) return NaN;
    const around = this.loss.slice(Math.max(0, line - AROUND), line + AROUND + 1);
    return loss - around.reduce((sum, value) => sum + value, 0) / around.length;
  }

  get last() {
    return this.step.at(-1) ?? 0;
  }
}
