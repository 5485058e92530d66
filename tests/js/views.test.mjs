// What the views are made of and needs no browser: state shared between views, orders of units, lines, peaks, colours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fromTrace, column, lineOf, lineStarts, peaks } from "../../widgets/js/activations.js";
import { readable, shade } from "../../widgets/js/colour.js";
import { glyph, measured, number, quoted } from "../../widgets/js/dom.js";
import { beginning, bestFeature, orderEntries, rank } from "../../widgets/js/ranking.js";
import { createStore } from "../../widgets/js/store.js";

const frames = [];
globalThis.requestAnimationFrame = (callback) => frames.push(callback);
globalThis.cancelAnimationFrame = () => {};
const paint = () => frames.splice(0).forEach((callback) => callback());

/** Behaves like anywidget's model: set tells everyone at once, save_changes is counted. */
function fakeModel(traits) {
  const listeners = [];
  return {
    saved: 0,
    sets: 0,
    listeners,
    get: (name) => traits[name],
    set(name, value) {
      this.sets += 1;
      if (traits[name] === value) return;
      traits[name] = value;
      for (const [event, listener] of [...listeners]) if (event === `change:${name}`) listener();
    },
    on: (event, listener) => listeners.push([event, listener]),
    off: (event, listener) =>
      void listeners.splice(
        listeners.findIndex(([e, l]) => e === event && l === listener),
        1,
      ),
    save_changes() {
      this.saved += 1;
    },
  };
}

test("two views of one widget stay in step, without a loop, and the kernel hears once", async () => {
  const model = fakeModel({ time: 0, edits: [] }),
    one = createStore(model, ["time", "edits"]),
    two = createStore(model, ["time", "edits"]);
  const heard = [];
  two.listen((changed) => heard.push([...changed]));
  for (let t = 1; t <= 5; t++) one.set({ time: t });
  assert.equal(two.state.time, 5);
  assert.equal(model.sets, 5);
  paint();
  assert.deepEqual(heard, [["time"]]);
  assert.equal(model.saved, 0);
  await new Promise((resolve) => setTimeout(resolve, 320));
  assert.equal(model.saved, 1);
  two.set({ edits: [{ name: "f", value: 0 }] });
  assert.deepEqual(one.state.edits, [{ name: "f", value: 0 }]);
  one.set({ edits: [{ name: "f", value: 0 }] });
  assert.equal(model.sets, 6, "an equal value is no change");
  one.stop();
  two.stop();
  assert.equal(model.listeners.length, 0, "no listener is left");
  assert.equal(model.saved, 2, "stopping saves what was not saved");
});

test("the kernel moves the view, and hears nothing back", () => {
  const model = fakeModel({ unit: 1 }),
    store = createStore(model, ["unit"]);
  let seen = null;
  store.listen((changed) => (seen = [...changed]));
  model.set("unit", 7);
  paint();
  assert.deepEqual([store.state.unit, seen, model.sets], [7, ["unit"], 1]);
  store.stop();
  assert.equal(model.saved, 0);
});

test("undo takes back gestures, not every pixel of a drag", () => {
  const model = fakeModel({ edits: [] }),
    store = createStore(model, ["edits"]);
  for (const value of [0.1, 0.2, 0.3]) {
    store.remember(["edits"], "slide f");
    store.set({ edits: [value] });
  }
  store.remember(["edits"]);
  store.set({ edits: [] });
  assert.deepEqual([store.undo(), store.state.edits], [true, [0.3]]);
  assert.deepEqual([store.undo(), store.state.edits], [true, []]);
  assert.equal(store.undo(), false);
  store.stop();
});

const scores = [
  {
    feature: "inside bold",
    measure: "AUC",
    layer: 0,
    signal: "c",
    values: [0.5, 0.02, 0.9],
    units: [1, 2, 0],
    clear: true,
    chance: 0.7,
  },
  {
    feature: "place in the line",
    measure: "correlation",
    layer: 0,
    signal: "c",
    values: [0.1, -0.2, 0.05],
    units: [1, 0, 2],
    clear: false,
    chance: 0.4,
  },
];

test("units are ranked by number, mean, swing and by what they follow", () => {
  const signal = Float32Array.of(0, 1, 5, 0, 3, 5, 0, -3, 5);
  assert.deepEqual(rank("index", scores, 0, signal, "c", 3).units, [0, 1, 2]);
  assert.deepEqual(rank("mean", scores, 0, signal, "c", 3).units[0], 2);
  assert.deepEqual(rank("swing", scores, 0, signal, "c", 3).units[0], 1);
  const follow = rank("follow:inside bold", scores, 0, signal, "c", 3);
  assert.deepEqual([follow.units, follow.say(1)], [[1, 2, 0], "AUC 0.98 ↓"]);
  assert.match(follow.words, /inside bold.*chance reaches 0\.70/);
  assert.equal(
    rank("follow:gone", scores, 0, signal, "c", 3).units[0],
    1,
    "by swing where there is no such order",
  );
  const unranked = [{ ...scores[0], units: undefined }];
  assert.deepEqual(rank("follow:inside bold", unranked, 0, signal, "c", 3).units, [1, 2, 0]);
});

test("the picker tells clear features from chance, layer by layer", () => {
  const groups = orderEntries(scores, 0).filter((entry) => entry.group);
  assert.deepEqual(
    groups.map(({ group, options }) => [group, options.length]),
    [
      ["units that follow", 1],
      ["no clearer than chance", 1],
    ],
  );
  assert.equal(orderEntries(scores, 1).length, 3);
  assert.equal(bestFeature(scores, 0, 1).feature, "inside bold");
  assert.equal(bestFeature(scores, 0, 0), null);
  assert.equal(bestFeature(scores, 1, 1), null);
  assert.equal(beginning(bestFeature(scores, 0, 1)), "Low where “inside bold” holds (AUC 0.98); its");
  assert.equal(
    beginning({ feature: "place", measure: "correlation", value: 0.8 }),
    "Rises with “place” (correlation 0.80); its",
  );
  assert.equal(beginning(null), "Its");
});

test("lines break at new lines and between words", () => {
  const text = [..."to be or\nnot to be that"],
    starts = lineStarts(text, 7);
  assert.deepEqual(
    starts.map((start, k) => text.slice(start, starts[k + 1]).join("")),
    ["to be ", "or\n", "not to ", "be that"],
  );
  for (let t = 0; t < text.length; t++) {
    const line = lineOf(starts, t);
    assert.ok(starts[line] <= t && t < (starts[line + 1] ?? Infinity));
  }
  assert.ok(lineStarts([..."x".repeat(100)], 9).every((start, k) => start === 9 * k));
  assert.deepEqual(lineStarts([..."ab\n"], 9), [0]);
});

test("peaks are the largest values and keep their distance", () => {
  const values = Float32Array.from({ length: 400 }, (_, t) => Math.sin(t / 7) + t / 1000);
  const found = peaks(values, { count: 5, gap: 30 });
  assert.equal(values[found[0]], Math.max(...values));
  for (const a of found) for (const b of found) assert.ok(a === b || Math.abs(a - b) >= 30);
  assert.deepEqual(peaks(Float32Array.of(2, -4, 1), { count: 1, lowest: true }), [1]);
  assert.deepEqual(peaks(new Float32Array(0)), []);
});

test("a trace's values arrive where they belong", () => {
  const values = Float32Array.from({ length: 2 * 2 * 3 * 4 }, (_, k) => k);
  const text = fromTrace({
    characters: ["a", "b", "c"],
    names: ["c", "h"],
    hidden_size: 4,
    num_layers: 2,
    values: new DataView(values.buffer),
  });
  assert.deepEqual([...column(text, 1, "h", 2)], [36 + 2, 36 + 6, 36 + 10]);
});

test("text on every colour of every scale reads at WCAG AA", () => {
  const luminance = (rgb) =>
    rgb
      .map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4))
      .reduce((s, v, k) => s + v * [0.2126, 0.7152, 0.0722][k], 0);
  for (const name of ["f", "h", "c"]) {
    for (let value = -3; value <= 3; value += 0.01) {
      const back = luminance(shade(name, value)),
        text = readable(shade(name, value)) === "#fff" ? 1 : 0;
      assert.ok((Math.max(back, text) + 0.05) / (Math.min(back, text) + 0.05) >= 4.5, `${name} ${value}`);
    }
  }
});

test("signs for characters and numbers", () => {
  assert.deepEqual([glyph("\n"), glyph(" "), glyph("\u0007"), glyph("<")], ["⏎", "·", "␇", "<"]);
  assert.deepEqual([number(-0.001), number(-1.5), number(2, 0)], ["0.00", "−1.50", "2"]);
  assert.equal(quoted(["a", " ", "\n"]), "“a ⏎”");
});

test("a value is told to two digits of the spread it lies in", () => {
  assert.deepEqual([1.20512, 0.9108, -0.001, -2].map((value) => measured(value, 0.6)), ["1.21", "0.91", "0.00", "−2.00"]);
  assert.deepEqual([measured(1013.24, 8), measured(123456.7, 5e3)], ["1013.2", "123457"]);
  assert.deepEqual([measured(1.23456e-9, 1e-9), measured(-4.5678e90, 1e90)], ["1.235e−9", "−4.568e+90"]);
});
