/** Tests the plane of a head's queries and keys. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { eigen, evening, planeOf } from "../../attnviz/view/static/plane/components.js";
import { most, roomy } from "../../attnviz/view/static/plane/picture.js";
import { close, matrix, weights } from "./view.js";

const dot = (a, b) => a.reduce((sum, value, d) => sum + value * b[d], 0);
const random = (rows, cols, by = 1) => {
  const { data } = weights(rows, cols);
  return { data: data.map((value) => by * (value * cols - 1)), rows, cols };
};

test("eigenvectors are orthonormal, the largest value first, and give the matrix back", () => {
  const { data } = random(6, 6);
  const symmetric = Float64Array.from({ length: 36 }, (_, at) => data[at] + data[(at % 6) * 6 + Math.floor(at / 6)]);
  const shifted = symmetric.map((value, at) => value + (at % 7 === 0 ? 10 : 0)); // all values above 0
  const found = eigen(shifted, 6);
  found.forEach((one, i) => found.forEach((other, j) => assert.ok(Math.abs(dot(one.vector, other.vector) - Number(i === j)) < 1e-12)));
  found.slice(1).forEach(({ value }, n) => assert.ok(value <= found[n].value));
  const back = shifted.map((_, at) => found.reduce((sum, { value, vector }) => sum + value * vector[Math.floor(at / 6)] * vector[at % 6], 0));
  assert.ok(close([...back], [...shifted], 1e-11));
});

test("the plane is that of the first two principal components of both, evened out", () => {
  const [q, k] = [random(9, 5), random(7, 5, 40)];
  const { query, key, axes, shares, factor } = planeOf(q, k);
  assert.equal(factor, evening(q, k));
  assert.ok(factor < 0.5); // keys are much longer
  const scaled = [...q.data].map((value) => value / factor), read = [...k.data].map((value) => value * factor);
  assert.ok(close([evening(matrix([scaled.slice(0, 5)]), matrix([scaled.slice(0, 5)]))], [1]));
  assert.ok(close([dot(scaled.slice(0, 5), read.slice(0, 5))], [dot([...q.data.slice(0, 5)], [...k.data.slice(0, 5)])], 1e-12)); // q·k stays
  assert.ok(Math.abs(dot(axes[0], axes[1])) < 1e-12);
  const all = [...query, ...key];
  const variance = [0, 1].map((at) => all.reduce((sum, place) => sum + place[at] ** 2, 0) / all.length);
  const cloud = [...scaled, ...read];
  const means = Array.from({ length: 5 }, (_, d) => cloud.filter((__, at) => at % 5 === d).reduce((a, b) => a + b) / 16);
  const total = cloud.reduce((sum, value, at) => sum + (value - means[at % 5]) ** 2, 0) / 16;
  assert.ok(close(shares, variance.map((value) => value / total), 1e-9));
  assert.ok(variance[0] >= variance[1]);
  assert.ok(Math.abs(all.reduce((sum, [x, y]) => sum + x * y, 0)) < 1e-9); // not correlated
});

test("queries lie to the left of keys, whatever sign the numbers have", () => {
  const [q, k] = [random(9, 4), random(7, 4, 3)];
  const turned = ({ data, ...rest }) => ({ ...rest, data: data.map((value) => -value) });
  const mean = (places, at) => places.reduce((sum, place) => sum + place[at], 0) / places.length;
  const [one, other] = [planeOf(q, k), planeOf(turned(q), turned(k))];
  for (const { query, key } of [one, other]) for (const at of [0, 1]) assert.ok(mean(query, at) < mean(key, at));
  assert.ok(close(one.query.flat(), other.query.flat(), 1e-9));
  const same = planeOf(q, q); // equal means: the axes' own largest number decides
  for (const axis of same.axes) assert.ok(axis.some((value) => value > 0 && axis.every((each) => Math.abs(each) <= value + 1e-9)));
});

test("one token, equal vectors, zeros and one dimension have a plane too", () => {
  const one = planeOf(matrix([[1, 2, 3]]), matrix([[3, 1, 0]]));
  assert.ok(close(one.shares, [1, 0], 1e-9));
  assert.ok(one.query[0][0] < one.key[0][0]);
  for (const rows of [[[0.1, 0.7], [0.1, 0.7]], [[0, 0], [0, 0]]]) {
    const { query, key, shares, factor } = planeOf(matrix(rows), matrix(rows));
    assert.deepEqual([query, key, shares, factor].flat(3).map(Math.abs), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  }
  const line = planeOf(matrix([[1], [2]]), matrix([[4], [5]]));
  assert.deepEqual(line.shares, [1, 0]);
  assert.ok([...line.query, ...line.key].every(([x, y]) => Number.isFinite(x) && y === 0));
});

test("a query's lines lead to what it reads most, a key's to who reads it most", () => {
  const read = matrix([[1, 0, 0], [0.01, 0.99, 0], [0.3, 0.1, 0.6]]);
  assert.deepEqual(most(read, "query", 2, 2).map(({ token }) => token), [2, 0]);
  assert.deepEqual(most(read, "query", 1, 5).map(({ token }) => token), [1]); // 1% is too thin
  assert.deepEqual(most(read, "key", 0, 5).map(({ token }) => token), [0, 2]);
  assert.deepEqual(most(undefined, "key", 0, 5), []);
});

test("a label stands beside its point where it covers nothing, those that matter most first", () => {
  const points = [{ x: 50, y: 50 }, { x: 60, y: 50 }, { x: 199, y: 50 }];
  const label = (n, text) => ({ ...points[n], text });
  const [one, other, last, ...none] = roomy([label(1, "a"), label(0, "b"), label(2, "c"), label(0, "d")], points, 200, 100);
  assert.deepEqual(none, []); // the second label of a point has no side left
  assert.ok(one.text === "a" && one.x > 60);
  assert.ok(other.text === "b" && other.x < 50);
  assert.ok(last.text === "c" && last.x < 199); // inside the picture
});
