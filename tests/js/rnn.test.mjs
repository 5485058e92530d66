// The runtime against torch: tests/test_esm.py writes the cases, with what lessons.trace says about them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readOn, toRead } from "../../widgets/js/activations.js";
import { PARTS, WIRING, readings } from "../../widgets/js/cell_parts.js";
import {
  SIGNALS,
  buildNetwork,
  encode,
  run,
  shares,
  softmax,
  step,
  zeroState,
} from "../../widgets/js/rnn.js";

const CASES = JSON.parse(readFileSync(process.env.UNROLLED_CASES, "utf8"));

function floats(base64) {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"));
  return new Float32Array(bytes.buffer);
}

// One byte in front: views of a websocket message do not start where floats would like to.
function network({ model }) {
  const bytes = Buffer.from(model.weights, "base64"),
    shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  return buildNetwork(model, new DataView(shifted.buffer, 1));
}

function near(actual, expected, tolerance, what) {
  assert.equal(actual.length, expected.length, what);
  let worst = 0;
  actual.forEach(
    (value, k) =>
      (worst = Math.max(worst, Math.abs(value - expected[k]) || (Number.isNaN(value) ? Infinity : 0))),
  );
  assert.ok(worst <= tolerance, `${what}: off by ${worst}`);
}

for (const one of CASES) {
  test(`${one.name} equals torch at every gate, state and step`, () => {
    const net = network(one),
      result = run(net, one.ids, { edits: one.edits });
    near(result.logits, floats(one.logits), 1e-5 * one.scale, "logits");
    result.layers.forEach((signals, k) => {
      for (const name of SIGNALS[net.cell])
        near(signals[name], floats(one.layers[k][name]), 1e-5, `layer ${k} ${name}`);
    });
  });
}

const plain = CASES.filter(({ edits }) => !edits.length);

test("step by step is the same as a whole run", () => {
  for (const one of plain) {
    const net = network(one),
      whole = run(net, one.ids);
    let state = zeroState(net);
    const rows = one.ids.flatMap((id) => {
      const result = step(net, id, state);
      state = result.state;
      return [...result.logits];
    });
    near(rows, whole.logits, 1e-6 * one.scale, one.name);
  }
});

test("reading in slices is the same as a whole run", async () => {
  for (const one of plain) {
    const net = network(one),
      text = one.ids.map((id) => net.vocabulary[id]).join("");
    const read = toRead(net, text),
      whole = run(net, one.ids);
    await readOn(net, read, { stopped: false }, () => {});
    assert.equal(read.done, one.ids.length);
    for (const name of read.names) near(read.layers.at(-1)[name], whole.layers.at(-1)[name], 1e-6, name);
  }
});

test("reading stops when the view is gone", async () => {
  const net = network(plain.at(-1)),
    read = toRead(net, net.vocabulary.join("").repeat(200));
  const life = { stopped: false };
  setTimeout(() => (life.stopped = true));
  await readOn(net, read, life, () => {});
  assert.ok(read.done > 0 && read.done < read.ids.length);
});

test("the shares of input and state add up to what a gate squashes", () => {
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));
  for (const one of plain) {
    const net = network(one),
      result = run(net, one.ids),
      t = one.ids.length - 1,
      unit = net.hidden - 1;
    for (let layer = 0; layer < net.depth; layer++) {
      const parts = shares(net, one.ids, result, layer, t, unit);
      const value = (name) => result.layers[layer][name][t * net.hidden + unit];
      for (const [name, { input, state }] of Object.entries(parts)) {
        if (name === "n") assert.ok(Math.abs(value("n") - Math.tanh(input + value("r") * value("q"))) < 1e-5);
        else {
          const squash = name === "g" || name === "h" ? Math.tanh : sigmoid;
          assert.ok(Math.abs(value(name) - squash(input + state)) < 1e-5, `${one.name} ${name}`);
        }
      }
    }
  }
});

test("the numbers on the wires fit together", () => {
  for (const one of plain) {
    const net = network(one),
      result = run(net, one.ids);
    const v = { ...readings(net, one.ids, result, net.depth - 1, one.ids.length - 1, 0), reading: "x" };
    const value = Object.fromEntries(PARTS[net.cell].map((part) => [part.id, part.value(v)]));
    const equal = (a, b) => assert.ok(Math.abs(a - b) < 1e-5, `${one.name}: ${a} is not ${b}`);
    if (net.cell === "lstm") {
      equal(value.keep + value.write, value.c);
      equal(value.o * value.squash, value.h);
    }
    if (net.cell === "gru") equal(value.keep + value.write, value.h);
    if (net.cell === "rnn") equal(Math.tanh(value.sum), value.h);
    for (const part of PARTS[net.cell])
      assert.ok(!/NaN|undefined/.test(part.numbers(v)), `${part.id}: ${part.numbers(v)}`);
  }
});

test("every wire, box, label and link belongs to a part, and every part can be reached", () => {
  for (const [cell, parts] of Object.entries(PARTS)) {
    const ids = new Set(parts.map(({ id }) => id)),
      { lines, boxes, pills, operations, labels, values } = WIRING[cell];
    const drawn = [...lines, ...boxes, ...pills, ...operations, ...labels, ...values].map(([id]) => id);
    const linked = parts.flatMap(({ equation }) => [...equation.matchAll(/\{(\w+)/g)].map(([, id]) => id));
    for (const id of [...drawn, ...linked]) assert.ok(ids.has(id), `${cell}: ${id}`);
    for (const id of ids) assert.ok(drawn.includes(id), `${cell}: ${id} is not drawn`);
  }
});

test("softmax: temperature, large numbers, refusal", () => {
  const [one] = CASES,
    expected = one.probabilities;
  const count = one.model.vocabulary.length,
    t = one.ids.length - 1;
  for (const [temperature, row] of Object.entries(expected)) {
    near(
      [...softmax(floats(one.logits), t * count, count, Number(temperature))],
      row,
      1e-6,
      `temperature ${temperature}`,
    );
  }
  near([...softmax(Float32Array.of(1e4, 1e4, -1e4), 0, 3)], [0.5, 0.5, 0], 1e-9, "large");
  for (const bad of [0, -1, NaN]) assert.throws(() => softmax(Float32Array.of(1, 2), 0, 2, bad), /above 0/);
});

test("text outside the vocabulary is named and left out, or read as the unknown symbol", () => {
  const [one] = CASES,
    net = network(one),
    [a, b] = net.vocabulary;
  assert.deepEqual(encode(net, `${a}é${b}😀é`), { ids: [0, 1], characters: [a, b], dropped: ["é", "😀"] });
  const known = { ...net, unknown: a };
  assert.deepEqual(encode(known, `${b}é`), { ids: [1, 0], characters: [b, "é"], dropped: ["é"] });
  assert.deepEqual(encode(net, ""), { ids: [], characters: [], dropped: [] });
});
