import assert from "node:assert/strict";
import { test } from "node:test";

import { Metrics } from "../../attnviz/view/static/watch/metrics.js";

const line = (step, seconds) => `${JSON.stringify({ step, loss: 1, learning_rate: 0.1, seconds })}\n`;

test("the speed is that of the run's own turns, of late", () => {
  const metrics = new Metrics();
  assert.equal(metrics.stepsPerSecond(), 0);
  metrics.add(new TextEncoder().encode(line(1, 5)));
  assert.equal(metrics.stepsPerSecond(), 0);
  for (let step = 2; step <= 300; step += 1) metrics.add(new TextEncoder().encode(line(step, step < 150 ? step * 2 : 300 + (step - 150) / 4)));
  assert.equal(metrics.stepsPerSecond(), 4);
  metrics.clear();
  assert.equal(metrics.stepsPerSecond(), 0);
});
