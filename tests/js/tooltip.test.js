/** What is said of a cell. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { describeCell } from "../../attnviz/view/static/matrix/tooltip.js";
import { matrix } from "./view.js";

const AXIS = { kind: "queries", labels: ["a", "b", "c"] };

test("a picture says no number of another head with fewer tokens, which was chosen before it is drawn anew", () => {
  const spec = { title: "Weights", rows: AXIS, cols: { ...AXIS, kind: "keys" }, matrix: matrix([[1, 0, 0], [0, 1, 0], [0, 0, 1]]) };
  const site = { kind: "cross" };
  const said = (held, row, col) => {
    const data = { site: () => site, get: (_site, _head, stage) => (stage === "weights" ? held : undefined) };
    const ctx = { t: (key) => key, full: String, data, store: { state: { site: 0, head: 0, hide: "none" } } };
    return describeCell(/** @type {any} */ (ctx), /** @type {any} */ (spec), row, col).slice(2).map(({ text }) => text);
  };
  assert.deepEqual(said(spec.matrix, 2, 2), ["1.00"]);
  const smaller = matrix([[0.25, 0.75]]);
  assert.deepEqual(said(smaller, 0, 1), ["0.750"]);
  for (const [row, col] of [[2, 2], [0, 2], [1, 0]]) assert.deepEqual(said(smaller, row, col), []);
});
