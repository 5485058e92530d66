// Ink, densities and scales of lesson 15's drawings, as far as they need no browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bounds, densityAt, scaleTo, strokesOf } from "../../widgets/js/paper.js";

test("strokes end where the pen is lifted, and an end cuts the last one", () => {
  const points = [[0, 0], [1, 0], [2, 0], [3, 0]], lifted = [false, true, true, true];
  assert.deepEqual(strokesOf(points, lifted), [[[0, 0], [1, 0]], [[2, 0]], [[3, 0]]]);
  assert.deepEqual(strokesOf(points, lifted, 1), [[[0, 0]]]);
  assert.deepEqual(strokesOf(points, lifted, 3), [[[0, 0], [1, 0]], [[2, 0]]]);
  assert.deepEqual(strokesOf([], []), []);
});

test("a density integrates to one, leans, and peaks at its mean", () => {
  const mixture = [[0.7, 0.5, -0.3, 0.4, 0.6, 0.8], [0.3, -1, 1, 0.3, 0.3, 0]], step = 0.05;
  let sum = 0;
  for (let x = -5; x <= 5; x += step) for (let y = -5; y <= 5; y += step) sum += densityAt(mixture, x, y) * step * step;
  assert.ok(Math.abs(sum - 1) < 1e-3);
  const [one] = mixture;
  assert.ok(densityAt([one], 0.9, 0.1) > 5 * densityAt([one], 0.9, -0.7));
  const top = 0.7 / (2 * Math.PI * 0.4 * 0.6 * Math.sqrt(1 - 0.64));
  assert.ok(Math.abs(densityAt([one], 0.5, -0.3) - top) < 1e-9);
  assert.ok(Number.isFinite(densityAt([[1, 0, 0, 1, 1, 1]], 0.1, 0.1)));
});

test("everything fits on the sheet, y upwards", () => {
  const points = [[-3, 5], [20, -4]], box = bounds(points), scale = scaleTo(box, 600);
  for (const [x, y] of points) {
    assert.ok(scale.x(x) >= 0 && scale.x(x) <= 600);
    assert.ok(scale.y(y) >= 0 && scale.y(y) <= scale.height);
  }
  assert.ok(scale.y(1) < scale.y(0) && scale.x(1) > scale.x(0));
});
