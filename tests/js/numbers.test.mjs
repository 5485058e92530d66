// Networks over numbers, and weights in half precision, against torch: tests/test_live_page.py writes the cases.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createRolls } from "../../widgets/js/chance.js";
import { drawOffset, drawValue, normals, penMixture, valueMixture } from "../../widgets/js/density.js";
import { SIGNALS, buildNetwork, run, shares, step, zeroState } from "../../widgets/js/rnn.js";
import { resampled } from "../../widgets/js/sketch.js";

const { networks, value, pen } = JSON.parse(readFileSync(process.env.UNROLLED_CASES, "utf8"));

const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const floats = (base64) => new Float32Array(bytes(base64).buffer);
const network = ({ model }) => buildNetwork(model, new DataView(bytes(model.weights).buffer));

function near(actual, expected, tolerance, what) {
  assert.equal(actual.length, expected.length, what);
  const worst = Math.max(...Array.from(actual, (one, k) => Math.abs(one - expected[k])));
  assert.ok(worst <= tolerance, `${what}: off by ${worst}`);
}

for (const one of networks) {
  test(`${one.name} equals torch at every gate, state and step`, () => {
    const net = network(one),
      input = one.inputs ?? one.ids,
      result = run(net, input);
    near(result.logits, floats(one.answers), 1e-5, "answers");
    one.layers.forEach((signals, k) => {
      for (const name of SIGNALS[net.cell]) near(result.layers[k][name], floats(signals[name]), 1e-5, `${k} ${name}`);
    });
  });
}

const numeric = networks.filter(({ inputs }) => inputs);

test("vectors one at a time are the same as all at once", () => {
  for (const one of numeric) {
    const net = network(one),
      whole = run(net, one.inputs),
      answers = [];
    let state = zeroState(net);
    for (let at = 0; at < one.inputs.length; at += net.width) {
      const result = step(net, one.inputs.slice(at, at + net.width), state);
      state = result.state;
      answers.push(...result.logits);
    }
    near(answers, whole.logits, 1e-6, one.name);
  }
});

test("the shares of a vector and of the state add up to what a gate squashes", () => {
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  for (const one of numeric.filter(({ model }) => model.cell === "lstm")) {
    const net = network(one),
      result = run(net, one.inputs),
      t = result.steps - 1;
    const { input, state } = shares(net, one.inputs, result, net.depth - 1, t, 0).f;
    near([sigmoid(input + state)], [result.layers.at(-1).f[t * net.hidden]], 1e-5, one.name);
  }
});

test("a network over numbers that holds a gate goes another way from there on", () => {
  const one = numeric.find(({ model }) => model.cell === "lstm"),
    net = network(one);
  const free = run(net, one.inputs),
    held = run(net, one.inputs, { edits: [{ name: "f", value: 0, unit: 0 }] });
  assert.equal(held.layers[0].f[0], 0);
  assert.notDeepEqual([...held.logits], [...free.logits]);
});

test("densities are those of lessons.forecast and lessons.mixture_density", () => {
  value.forEach(({ numbers, last, mixture }) => {
    const found = valueMixture(numbers, 0, numbers.length, last);
    near(found.flat(), mixture.flat(), 1e-6, "value");
  });
  pen.forEach(({ numbers, bias, mixture, lift }) => {
    const found = penMixture(numbers, 0, numbers.length, bias);
    near(found.components.flat(), mixture.flat(), 1e-5, "pen");
    near([found.lift], [lift], 1e-6, "lift");
  });
});

test("what is drawn has the mean and the deviation of its density", () => {
  const rolls = createRolls(7);
  let used = 0;
  const roll = () => rolls(used++);
  const [{ mixture }] = value,
    drawn = Array.from({ length: 20000 }, () => drawValue(mixture, roll));
  const mean = mixture.reduce((sum, [weight, middle]) => sum + weight * middle, 0);
  const spread = mixture.reduce((sum, [weight, middle, s]) => sum + weight * (s * s + (middle - mean) ** 2), 0);
  const average = drawn.reduce((a, b) => a + b) / drawn.length;
  const scatter = drawn.reduce((sum, one) => sum + (one - average) ** 2, 0) / drawn.length;
  near([average], [mean], 5 * Math.sqrt(spread / drawn.length), "mean");
  near([scatter / spread], [1], 0.1, "variance");
  const offsets = Array.from({ length: 4000 }, () => drawOffset({ components: [[1, 2, -1, 0.5, 2, 0.9]], lift: 0.3 }, roll));
  const together = offsets.reduce((sum, [x, y]) => sum + ((x - 2) / 0.5) * ((y + 1) / 2), 0) / offsets.length;
  near([together], [0.9], 0.1, "correlation");
  near([offsets.filter(([, , up]) => up).length / offsets.length], [0.3], 0.05, "lifts");
  assert.ok(normals(0, 0).every(Number.isFinite));
});

test("a stroke is cut into steps of one pace, however fast it was drawn", () => {
  const points = resampled([[0, 0], [0.05, 0], [3, 0], [3, 2]], 0.5);
  points.slice(1).forEach(([x, y], k) => {
    const way = Math.hypot(x - points[k][0], y - points[k][1]);
    assert.ok(way <= 0.5 + 1e-9 && way > 0.3, `${k}: ${way}`);
  });
  assert.equal(points.length, 11);
  assert.deepEqual(resampled([[1, 1]], 0.5), [[1, 1]]);
});
