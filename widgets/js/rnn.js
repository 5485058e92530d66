/**
 * Elman, LSTM and GRU networks, in torch's conventions (lessons/cells.py is the same in Python).
 *
 * A network over characters is embedding -> stacked recurrent layers -> readout; one over numbers has no
 * embedding. Signals are stored time first, unit last: unit u at step t stands at index t * hidden + u.
 */

/** Everything that is recorded per cell, in the order of computation. */
export const SIGNALS = { lstm: ["i", "f", "g", "o", "c", "h"], gru: ["r", "z", "n", "q", "h"], rnn: ["h"] };

/** Row blocks of weight_ih and weight_hh, in torch's order. */
const BLOCKS = { lstm: ["i", "f", "g", "o"], gru: ["r", "z", "n"], rnn: ["h"] };

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** Rows in blocks of four: one pass over x then feeds four independent sums, reading weights in order. */
function packRows(weight, rows, columns) {
  const packed = new Float32Array(Math.ceil(rows / 4) * columns * 4);
  for (let r = 0; r < rows; r++) {
    for (let k = 0; k < columns; k++)
      packed[((r >> 2) * columns + k) * 4 + (r & 3)] = weight[r * columns + k];
  }
  return { packed, rows, columns };
}

const padded = (rows) => new Float64Array(Math.ceil(rows / 4) * 4);

/** out = matrix · x[start : start + columns] + bias */
function affine({ packed, rows, columns }, x, start, bias, out) {
  const end = start + columns;
  for (let r = 0, p = 0; r < rows; r += 4) {
    let a = 0,
      b = 0,
      c = 0,
      d = 0;
    for (let k = start; k < end; k++, p += 4) {
      const v = x[k];
      a += packed[p] * v;
      b += packed[p + 1] * v;
      c += packed[p + 2] * v;
      d += packed[p + 3] * v;
    }
    out[r] = a + bias[r];
    out[r + 1] = b + bias[r + 1];
    out[r + 2] = c + bias[r + 2];
    out[r + 3] = d + bias[r + 3];
  }
}

/** One entry of the same product, for a single row. */
function affineRow({ packed, columns }, row, x, start, bias) {
  let sum = bias[row];
  for (let k = 0; k < columns; k++) sum += packed[((row >> 2) * columns + k) * 4 + (row & 3)] * x[start + k];
  return sum;
}

/**
 * Build a network from its description and its weights.
 * @param {{cell: string, hidden_size: number, num_layers: number, embedding_size: number, vocabulary: ?string[],
 *   unknown: ?string, precision: ?string, tensors: Object<string, {offset: number, shape: number[]}>}} description
 *   offsets in numbers; without a vocabulary the inputs are vectors of embedding_size numbers
 * @param {DataView} weights float32 or, if precision says so, float16; little-endian
 */
export function buildNetwork(description, weights) {
  const { cell, hidden_size: hidden, num_layers: depth, embedding_size: width } = description;
  const floats = description.precision === "float16" ? halves(weights) : littleEndianFloats(weights);
  const tensor = (name) => {
    const { offset, shape } = description.tensors[name];
    return floats.subarray(offset, offset + shape.reduce((a, b) => a * b, 1));
  };
  const rows = BLOCKS[cell].length * hidden,
    vocabulary = description.vocabulary ?? null,
    [outputs] = description.tensors["readout.weight"].shape;
  const bias = (name, count) =>
    Float64Array.from({ length: padded(count).length }, (_, k) => tensor(name)[k] ?? 0);
  const layers = Array.from({ length: depth }, (_, k) => ({
    fromInput: packRows(tensor(`weight_ih_l${k}`), rows, k ? hidden : width),
    fromState: packRows(tensor(`weight_hh_l${k}`), rows, hidden),
    inputBias: bias(`bias_ih_l${k}`, rows),
    stateBias: bias(`bias_hh_l${k}`, rows),
  }));
  const network = {
    cell,
    hidden,
    depth,
    width,
    rows,
    layers,
    vocabulary,
    outputs,
    name: description.name ?? "",
    relu: description.nonlinearity === "relu",
    unknown: description.unknown ?? null,
    index: new Map((vocabulary ?? []).map((symbol, k) => [symbol, k])),
    embedding: vocabulary && tensor("embedding"),
    readout: packRows(tensor("readout.weight"), outputs, hidden),
    readoutBias: bias("readout.bias", outputs),
  };
  network.firstInput = vocabulary && tabulateFirstInput(network);
  return network;
}

function littleEndianFloats(view) {
  const count = view.byteLength / 4;
  const littleEndianMachine = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
  if (littleEndianMachine)
    return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
  return Float32Array.from({ length: count }, (_, k) => view.getFloat32(4 * k, true));
}

/** IEEE 754 half precision: five bits of exponent, ten of fraction. */
function halves(view) {
  return Float32Array.from({ length: view.byteLength / 2 }, (_, k) => {
    const bits = view.getUint16(2 * k, true),
      exponent = (bits >> 10) & 31,
      fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    return bits >> 15 ? -size : size;
  });
}

/** The first layer sees only a few different inputs, so its input product is made once per symbol. */
function tabulateFirstInput({ layers, embedding, width, rows, vocabulary }) {
  const out = padded(rows);
  const [{ fromInput, inputBias }] = layers;
  return vocabulary.map((_, k) => {
    affine(fromInput, embedding, k * width, inputBias, out);
    return out.slice();
  });
}

/**
 * Split text into symbol numbers and what had to be left out.
 * @returns {{ids: number[], characters: string[], dropped: string[]}} characters are those that are read
 */
export function encode(network, text) {
  const ids = [],
    characters = [],
    dropped = new Set();
  const fallback = network.unknown === null ? undefined : network.index.get(network.unknown);
  for (const character of text) {
    const id = network.index.get(character);
    if (id === undefined) dropped.add(character);
    if ((id ?? fallback) === undefined) continue;
    ids.push(id ?? fallback);
    characters.push(character);
  }
  return { ids, characters, dropped: [...dropped] };
}

/** State before the first step: zeros. */
export function zeroState(network) {
  const zeros = () => Array.from({ length: network.depth }, () => new Float32Array(network.hidden));
  return network.cell === "lstm" ? { h: zeros(), c: zeros() } : { h: zeros() };
}

/**
 * Run over symbol numbers (or, without a vocabulary, over vectors laid end to end) and keep every gate and state.
 * @param {object} network from buildNetwork
 * @param {ArrayLike<number>} ids
 * @param {{state?: object, edits?: Edit[], readout?: boolean}} options
 *   Edit: {name, value, unit?: number, layer?: number, steps?: [from, before|null]}; what is left out means "all"
 * @returns {{steps: number, layers: Object<string, Float32Array>[], logits: ?Float32Array, start: object, state: object}}
 */
export function run(network, ids, { state = zeroState(network), edits = [], readout = true } = {}) {
  const steps = network.firstInput ? ids.length : ids.length / network.width;
  const layers = [];
  for (let k = 0; k < network.depth; k++) {
    const mine = edits.filter((edit) => (edit.layer ?? k) === k);
    layers.push(runLayer(network, k, ids, steps, layers[k - 1]?.h, state, mine));
  }
  return {
    steps,
    layers,
    start: state,
    state: finalState(network, layers, steps, state),
    logits: readout ? readLogits(network, layers.at(-1).h, steps) : null,
  };
}

/** One step: the same as a run over one symbol (or one vector). */
export const step = (network, id, state, edits = []) =>
  run(network, network.firstInput ? [id] : id, { state, edits });

function finalState(network, layers, steps, start) {
  if (!steps) return start;
  const last = (name) =>
    layers.map((signals) => signals[name].slice((steps - 1) * network.hidden, steps * network.hidden));
  return network.cell === "lstm" ? { h: last("h"), c: last("c") } : { h: last("h") };
}

function runLayer(network, k, ids, steps, below, start, edits) {
  const { cell, hidden, rows } = network;
  const layer = network.layers[k];
  const signals = Object.fromEntries(
    SIGNALS[cell].map((name) => [name, new Float32Array(steps * hidden)]),
  );
  const input = padded(rows),
    recurrent = padded(rows);
  const before = { h: start.h[k], c: start.c?.[k], at: 0 };
  for (let t = 0; t < steps; t++) {
    const at = t * hidden;
    let fromInput = input;
    if (below) affine(layer.fromInput, below, at, layer.inputBias, input);
    else if (!network.firstInput) affine(layer.fromInput, ids, t * network.width, layer.inputBias, input);
    else fromInput = network.firstInput[ids[t]];
    affine(layer.fromState, before.h, before.at, layer.stateBias, recurrent);
    const hold = edits.length ? (name) => holdValues(signals[name], name, edits, t, hidden) : () => {};
    CELLS[cell](signals, at, fromInput, recurrent, before, hidden, hold, network.relu);
    Object.assign(before, { h: signals.h, c: signals.c, at });
  }
  return signals;
}

function holdValues(signal, name, edits, t, hidden) {
  for (const { name: held, value, unit, steps } of edits) {
    if (held !== name || (steps && (t < steps[0] || t >= (steps[1] ?? Infinity)))) continue;
    if (unit === undefined || unit === null) signal.fill(value, t * hidden, (t + 1) * hidden);
    else signal[t * hidden + unit] = value;
  }
}

const CELLS = { lstm: lstmStep, gru: gruStep, rnn: elmanStep };

function lstmStep({ i, f, g, o, c, h }, at, x, s, before, H, hold) {
  for (let u = 0; u < H; u++) {
    i[at + u] = sigmoid(x[u] + s[u]);
    f[at + u] = sigmoid(x[H + u] + s[H + u]);
    g[at + u] = Math.tanh(x[2 * H + u] + s[2 * H + u]);
    o[at + u] = sigmoid(x[3 * H + u] + s[3 * H + u]);
  }
  for (const name of ["i", "f", "g", "o"]) hold(name);
  for (let u = 0; u < H; u++) c[at + u] = f[at + u] * before.c[before.at + u] + i[at + u] * g[at + u];
  hold("c");
  for (let u = 0; u < H; u++) h[at + u] = o[at + u] * Math.tanh(c[at + u]);
  hold("h");
}

function gruStep({ r, z, n, q, h }, at, x, s, before, H, hold) {
  for (let u = 0; u < H; u++) {
    r[at + u] = sigmoid(x[u] + s[u]);
    z[at + u] = sigmoid(x[H + u] + s[H + u]);
    q[at + u] = s[2 * H + u];
  }
  for (const name of ["r", "z", "q"]) hold(name);
  for (let u = 0; u < H; u++) n[at + u] = Math.tanh(x[2 * H + u] + r[at + u] * q[at + u]);
  hold("n");
  for (let u = 0; u < H; u++) h[at + u] = (1 - z[at + u]) * n[at + u] + z[at + u] * before.h[before.at + u];
  hold("h");
}

function elmanStep({ h }, at, x, s, before, H, hold, relu) {
  for (let u = 0; u < H; u++) h[at + u] = relu ? Math.max(0, x[u] + s[u]) : Math.tanh(x[u] + s[u]);
  hold("h");
}

function readLogits({ readout, readoutBias, hidden, outputs }, h, steps) {
  const out = padded(outputs),
    logits = new Float32Array(steps * outputs);
  for (let t = 0; t < steps; t++) {
    affine(readout, h, t * hidden, readoutBias, out);
    for (let v = 0; v < outputs; v++) logits[t * outputs + v] = out[v];
  }
  return logits;
}

/**
 * Probabilities of one row of logits, softmax(logits / temperature).
 * @throws {RangeError} when the temperature is not above 0
 */
export function softmax(logits, start, count, temperature = 1) {
  if (!(temperature > 0))
    throw new RangeError("The temperature must be above 0; for the most probable choice take a small one.");
  let top = -Infinity,
    total = 0;
  for (let v = 0; v < count; v++) top = Math.max(top, logits[start + v]);
  const probabilities = new Float64Array(count);
  for (let v = 0; v < count; v++)
    total += probabilities[v] = Math.exp((logits[start + v] - top) / temperature);
  for (let v = 0; v < count; v++) probabilities[v] /= total;
  return probabilities;
}

/**
 * What a unit's gates add up before their squashing: the share of the input and the share of the last state.
 * @returns {Object<string, {input: number, state: number}>} by gate, biases included
 */
export function shares(network, ids, result, layer, t, unit) {
  const { hidden, cell } = network,
    weights = network.layers[layer];
  const [h, from] = t ? [result.layers[layer].h, (t - 1) * hidden] : [result.start.h[layer], 0];
  return Object.fromEntries(
    BLOCKS[cell].map((name, block) => {
      const row = block * hidden + unit;
      const input = layer
        ? affineRow(weights.fromInput, row, result.layers[layer - 1].h, t * hidden, weights.inputBias)
        : network.firstInput
          ? network.firstInput[ids[t]][row]
          : affineRow(weights.fromInput, row, ids, t * network.width, weights.inputBias);
      return [name, { input, state: affineRow(weights.fromState, row, h, from, weights.stateBias) }];
    }),
  );
}
