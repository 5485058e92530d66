// The four drawings of the LSTM cell: complete, each in its own letters, and with the weights in their true places.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PARTS } from "../../widgets/js/cell_parts.js";
import { DRAWINGS, block } from "../../widgets/js/lstm_drawings.js";

const all = Object.values(DRAWINGS),
  ids = PARTS.lstm.map(({ id }) => id);
const numbers = { x: null, h0: -0.2, c0: 0.5, f: 0.9, i: 0.4, g: -0.6, o: 0.3, c: 0.21, h: 0.06 };

test("there are four, and each draws every part with a wire, a name and a number", () => {
  assert.deepEqual(Object.keys(DRAWINGS), ["olah", "greff", "keras", "torch"]);
  for (const { key, plan, parts } of all) {
    assert.deepEqual(
      parts.map(({ id }) => id),
      ids,
    );
    assert.deepEqual(new Set(plan.lines.map(([id]) => id)), new Set(ids), key);
    const numbered = new Set([...plan.values, ...plan.boxes].map(([id]) => id));
    assert.deepEqual(numbered, new Set(ids), key);
    for (const id of ["x", "h0", "c0", "f", "i", "g", "o", "c", "h"])
      assert.ok(
        plan.labels.some(([name]) => name === id),
        `${key} names ${id}`,
      );
  }
});

test("everything lies inside the box", () => {
  for (const { key, plan } of all) {
    const points = [...plan.operations, ...plan.boxes, ...plan.labels, ...plan.values, ...plan.pills];
    for (const [id, x, y] of points) assert.ok(x >= 0 && x <= 640 && y >= 0 && y <= 330, `${key} ${id}`);
  }
});

test("links of equations lead to parts, and the letters are the drawing's own", () => {
  for (const { key, parts, names } of all)
    for (const part of parts) {
      for (const [, id] of part.equation.matchAll(/\{(\w+)\|?[^}]*\}/g))
        assert.ok(ids.includes(id), `${key} ${id}`);
      if ("figo".includes(part.id))
        assert.ok(part.equation.startsWith(`${names[part.id]} = `), part.equation);
    }
  const of = (key, id) =>
    DRAWINGS[key].parts.find((part) => part.id === id).equation.replace(/\{\w+\|?([^}]*)\}/g, "$1");
  assert.match(of("olah", "g"), /^C̃ₜ = tanh\(W_C·\[hₜ₋₁, xₜ\]/);
  assert.match(of("greff", "o"), /p_o ⊙ cᵗ \+/);
  assert.match(of("keras", "g"), /kernel_c/);
  assert.equal(of("torch", "h"), "hₜ = oₜ ⊙ tanh(cₜ)");
});

test("weights stand where torch and Keras put them", () => {
  const where = (key, id) => DRAWINGS[key].parts.find((part) => part.id === id).where(5, 128, 1);
  assert.equal(where("torch", "g"), "row 261 of weight_ih_l1 and weight_hh_l1");
  assert.equal(where("keras", "f"), "column 133 of kernel and recurrent_kernel");
  assert.match(where("greff", "g"), /row 5 of W_z and R_z$/);
  assert.equal(where("olah", "keep"), "");
  assert.equal(block(DRAWINGS.torch, "o", 128), "384…511");
  assert.deepEqual(DRAWINGS.keras.order, DRAWINGS.torch.order);
});

test("the numbers on the wires add up", () => {
  const value = (id) => DRAWINGS.keras.parts.find((part) => part.id === id).value(numbers);
  assert.ok(Math.abs(value("keep") + value("write") - numbers.c) < 1e-9);
  assert.ok(Math.abs(numbers.o * value("squash") - numbers.h) < 0.01);
});
