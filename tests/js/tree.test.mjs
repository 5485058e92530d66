// Where the nodes of a tree stand, what is closed at first, and where the selection goes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { childrenOf, closedAtFirst, layOut, nearestOpen, underneath } from "../../widgets/js/tree_layout.js";

const nodes = (...parents) => parents.map((p) => ({ p }));
const tree = nodes(-1, 0, 0, 2, 2, 2, 0); // a root over a leaf, a node with three leaves, and a leaf

test("every leaf has a column, every parent stands over the middle of its children", () => {
  const { places, columns, rows } = layOut(tree, []);
  assert.deepEqual([columns, rows], [5, 3]);
  assert.deepEqual(
    [...places.keys()].sort().map((k) => places.get(k).column),
    [2, 0, 2, 1, 2, 3, 4],
  );
  assert.equal(places.get(4).row, 2);
});

test("what is closed takes one column and hides what is below it", () => {
  const { places, columns, rows } = layOut(tree, [2]);
  assert.deepEqual([columns, rows, places.size], [3, 2, 4]);
  assert.equal(nearestOpen(tree, places, 4), 2);
  assert.equal(nearestOpen(tree, places, 99), 0);
  assert.deepEqual(underneath(childrenOf(tree), 2), [3, 4, 5]);
});

test("a wide tree is closed from below until it fits, a narrow one is left open", () => {
  assert.deepEqual(closedAtFirst(tree, 5), []);
  assert.deepEqual(closedAtFirst(tree, 4), [2]);
  assert.deepEqual(closedAtFirst(tree, 2), [0]);
  assert.deepEqual(layOut([], []).columns, 0);
});
