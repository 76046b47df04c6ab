import assert from "node:assert/strict";
import { test } from "node:test";

import { outcome } from "../../attnviz/view/static/watch/measures.js";

const t = (key, params = {}) => `${key} ${Object.values(params).join(" ")}`.trim();
const ctx = (header, looks) => ({ t, number: String, percent: (share) => `${100 * share} %`, header, metrics: { looks } });
const LOOKS = [{ step: 25, loss: 2, accuracy: 0.5 }, { step: 50, loss: 1, accuracy: 0.75 }, { step: 75, loss: 0.5, accuracy: 1 }];

test("one sentence says when the target was reached, or how far off it is", () => {
  const task = { metric: "accuracy", predicts: "classes", target: 0.7 };
  assert.equal(outcome(ctx(task, [])), "");
  assert.equal(outcome(ctx(task, LOOKS.slice(0, 1))), "watch.short_of watch.metric.accuracy 50 % 70 %");
  assert.equal(outcome(ctx(task, LOOKS)), "watch.reached 50 watch.metric.accuracy 75 %");
  assert.equal(outcome(ctx({ ...task, target: null }, LOOKS)), "watch.held_now watch.metric.accuracy 100 %");
});

test("a language model reaches its target from above", () => {
  const language = { metric: "nats per symbol", predicts: "classes", target: 0.6 };
  assert.match(outcome(ctx(language, LOOKS)), /^watch.reached 75 watch.loss.nats 0.5/);
  assert.match(outcome(ctx(language, LOOKS.slice(0, 2))), /^watch.short_of/);
});
