/** Every gate and state over a whole text: from a trace that came along, or by running a network in short slices. */
import { SIGNALS, encode, run } from "./rnn.js";

const SLICE = 64,
  PATIENCE_MS = 8,
  TELL_MS = 120,
  MOST_FLOATS = 32e6,
  LONGEST = 20_000;

/** What a trace brought: signals one behind the other, each (layers, time, hidden). */
export function fromTrace({ characters, names, hidden_size: hidden, num_layers: depth, values }) {
  const floats = new Float32Array(
    values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength),
  );
  const each = characters.length * hidden;
  const layers = Array.from({ length: depth }, (_, k) =>
    Object.fromEntries(
      names.map((name, n) => [name, floats.subarray((n * depth + k) * each, (n * depth + k + 1) * each)]),
    ),
  );
  return { characters, names, hidden, depth, layers, done: characters.length, note: "" };
}

/** Characters that the network can read, and room for what it will compute. */
export function toRead(network, text) {
  const names = SIGNALS[network.cell],
    { hidden, depth } = network;
  const { ids, characters, dropped } = encode(network, text);
  const most = Math.min(LONGEST, Math.floor(MOST_FLOATS / (hidden * depth * names.length)));
  const steps = Math.min(ids.length, most);
  const notes = [];
  if (dropped.length && network.unknown === null)
    notes.push(
      `${dropped.length} kinds of characters were left out, because the model has never seen them: ${dropped.slice(0, 8).join(" ")}.`,
    );
  if (ids.length > most) notes.push(`Only the first ${most.toLocaleString("en")} characters are read.`);
  return {
    characters: characters.slice(0, steps),
    ids: ids.slice(0, steps),
    names,
    hidden,
    depth,
    done: 0,
    note: notes.join(" "),
    layers: Array.from({ length: depth }, () =>
      Object.fromEntries(names.map((name) => [name, new Float32Array(steps * hidden)])),
    ),
  };
}

/**
 * Read on until everything is computed, leaving the page time to breathe; `onProgress` now and then, and at the end.
 * @param {{stopped: boolean}} life set `stopped` to end early
 */
export async function readOn(network, text, life, onProgress) {
  let state,
    began = performance.now(),
    told = began;
  while (text.done < text.ids.length && !life.stopped) {
    const ids = text.ids.slice(text.done, text.done + SLICE);
    const result = run(network, ids, { state, readout: false });
    result.layers.forEach((signals, k) => {
      for (const name of text.names) text.layers[k][name].set(signals[name], text.done * text.hidden);
    });
    state = result.state;
    text.done += result.steps;
    const now = performance.now(),
      ended = text.done === text.ids.length;
    if (ended || now - told > TELL_MS) {
      onProgress();
      told = now;
    }
    if (ended || now - began < PATIENCE_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    began = performance.now();
  }
}

/** One unit's values over the part that has been read. */
export function column(text, layer, name, unit) {
  const values = new Float32Array(text.done),
    signal = text.layers[layer][name];
  for (let t = 0; t < text.done; t++) values[t] = signal[t * text.hidden + unit];
  return values;
}

/** Places of the largest (or smallest) values, best first, no two closer than `gap` characters. */
export function peaks(values, { count = 8, gap = 40, lowest = false } = {}) {
  const taken = [],
    sign = lowest ? -1 : 1;
  while (taken.length < count) {
    let best = -1;
    for (let t = 0; t < values.length; t++) {
      if (
        (best < 0 || sign * values[t] > sign * values[best]) &&
        taken.every((other) => Math.abs(other - t) >= gap)
      )
        best = t;
    }
    if (best < 0) break;
    taken.push(best);
  }
  return taken;
}

/** Where lines start when characters are set in `columns`: after a new line, else before the last word that does not fit. */
export function lineStarts(characters, columns) {
  const starts = [0];
  let space = -1;
  for (let t = 0; t < characters.length; t++) {
    const start = starts.at(-1);
    if (t - start >= columns) {
      starts.push(space > start ? space + 1 : t);
      space = -1;
    }
    if (characters[t] === " ") space = t;
    if (characters[t] === "\n" && t + 1 < characters.length) {
      starts.push(t + 1);
      space = -1;
    }
  }
  return starts;
}

/** The line in which a character stands. */
export function lineOf(starts, t) {
  let low = 0,
    high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle] <= t) low = middle;
    else high = middle - 1;
  }
  return low;
}
