/** A forecast: the last values, which can be dragged, the fan of what may follow, and the gates that made it. */
import { createRolls } from "./chance.js";
import { drawValue, valueMixture } from "./density.js";
import { KEYS, button, clearCanvas, clip, element, labelled, measured, write } from "./dom.js";
import { createInside, holding } from "./inside.js";
import { showPanels } from "./panels.js";
import { buildNetwork, run, step } from "./rnn.js";
import { createStore } from "./store.js";
import { followTheme } from "./theme.js";

const SHARED = ["values", "horizon", "seed", "chosen", "signal", "unit", "layer", "moment", "held", "theme", "message"];
const HEIGHT = 320, LEFT = 64, RIGHT = 16, TOP = 12, FOOT = 40;
const QUICK = 24, PATHS = 120, SETTLED = 160; // paths while something moves, and once things are calm
const LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95];
const MOVABLE = 24; // of the last values

/** Draw the explorer for a model (anywidget's or the page's) into a node; returns what cleans it up. */
function render({ model, el }) {
  const root = element("section", { class: "un un-forecast", "aria-label": "a forecast", ...KEYS });
  el.append(root);
  const packed = model.get("_model");
  if (!packed.weights) {
    root.classList.add("light");
    root.append(element("p", { class: "un-message", role: "status", text: model.get("message") }));
    return () => root.remove();
  }
  const network = buildNetwork(packed, packed.weights), series = model.get("_series");
  const store = createStore(model, SHARED), { state } = store;
  const theme = followTheme(root, state.theme, () => store.touch("drawn"));
  const view = { root, store, state, network, series, token: theme.token, clock: "values before now" };
  const lab = createLab(view);
  Object.assign(view, { lab, inside: () => lab.inside() });
  let calm = null;
  const stop = showPanels(view, theme, [createHead, createAsk, createChart, createInside], (changed) => {
    if (["values", "horizon", "seed", "held", "signal", "unit", "layer", "start"].some((name) => changed.has(name))) {
      lab.forecast(QUICK);
      clearTimeout(calm);
      calm = setTimeout(() => {
        lab.forecast(PATHS);
        store.touch("drawn");
      }, SETTLED);
    }
  });
  return () => {
    clearTimeout(calm);
    stop();
  };
}

/** From values and what is held to paths and quantiles. */
function createLab({ state, network, series }) {
  const standard = (value) => (value - series.mean) / series.deviation;
  const raw = (value) => value * series.deviation + series.mean;
  const lab = { paths: [], fan: [] };
  lab.forecast = (count) => {
    const edits = holding(state), read = Float32Array.from(state.values, standard);
    const roll = stream(createRolls(state.seed));
    lab.read = run(network, read, { edits });
    lab.paths = Array.from({ length: count }, () => {
      let now = { logits: lab.read.logits.slice(-network.outputs), state: lab.read.state }, last = read.at(-1);
      return Array.from({ length: state.horizon }, (_, k) => {
        last = drawValue(valueMixture(now.logits, 0, network.outputs, last), roll);
        if (k + 1 < state.horizon) now = step(network, Float32Array.of(last), now.state, edits);
        return raw(last);
      });
    });
    lab.fan = Array.from({ length: state.horizon }, (_, k) => quantiles(lab.paths.map((path) => path[k])));
  };
  lab.inside = () => ({
    signals: lab.read.layers[state.layer],
    steps: state.values.length,
    names: (t) => `${measured(state.values[t], series.deviation)}${t === state.values.length - 1 ? " (now)" : ""}`,
  });
  return lab;
}

/** The same rolls each time, one after the other, so that a fan moves and does not flicker. */
function stream(rolls) {
  let used = 0;
  return () => rolls(used++);
}

function quantiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return LEVELS.map((level) => {
    const at = level * (sorted.length - 1), below = Math.floor(at);
    return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
  });
}

const round = (value) => String(Number(value.toPrecision(4))).replace("-", "−");

function createHead({ state, series, lab }) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2, text: "What comes next?" });
  const words = element("p", { class: "un-sentence", role: "status", "aria-live": "polite" });
  const told = (value) => measured(value, series.deviation);
  return {
    element: element("header", {}, title, words),
    update() {
      const [low, , , , high] = lab.fan.at(-1), [, first, middle, last] = lab.fan[0];
      write(words, `${series.column}: after ${told(state.values.at(-1))}, half of the paths begin between ${told(first)} and ${told(last)} (middle ${told(middle)}); `
        + `${state.horizon} steps ahead nine of ten lie between ${told(low)} and ${told(high)}.`);
    },
  };
}

function createAsk({ store, state, series }) {
  const horizon = element("input", { type: "range", min: 2, max: 60, class: "un-slider", "aria-label": "steps ahead", ...KEYS,
    on: { input: () => store.set({ horizon: Number(horizon.value) }) } });
  const told = element("span", { class: "un-number" }), message = element("span", { class: "un-message", role: "status" });
  return {
    element: element("div", { class: "un-asking" },
      element("div", { class: "un-row" },
        element("label", { class: "un-label un-grow" }, element("span", { text: "steps ahead" }), horizon, told),
        button("other paths", "other paths: draw them anew", () => store.set({ seed: (state.seed + 1) % 2 ** 32 })),
        button("↺ reset", "reset: the values as they were, nothing held", () => store.set({ values: [...series.values], held: null }))),
      message),
    update() {
      horizon.value = state.horizon;
      write(told, String(state.horizon));
      write(message, state.message);
    },
  };
}

/** The values, the fan and what really came; the last values can be dragged. */
function createChart(view) {
  const { store, state, series, lab, token } = view;
  const canvas = element("canvas", { tabindex: 0, role: "application", style: { "touch-action": "none" }, ...KEYS });
  const frame = { low: 0, high: 1, wide: 1, shown: 0, from: 0 };
  const x = (k) => LEFT + (k - frame.from) * frame.wide, y = (value) => TOP + ((frame.high - value) / (frame.high - frame.low)) * (HEIGHT - TOP - FOOT);
  const movable = () => Math.min(MOVABLE, state.values.length);
  const put = (k, value) => {
    const values = [...state.values];
    values[k] = value;
    store.set({ values });
  };
  let dragged = null;
  const under = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    const [px] = under(event), k = Math.round((px - LEFT) / frame.wide + frame.from);
    if (event.button || k < state.values.length - movable() || k >= state.values.length) return;
    canvas.setPointerCapture(event.pointerId);
    dragged = k;
    store.set({ chosen: state.values.length - 1 - k });
  });
  canvas.addEventListener("pointermove", (event) => {
    if (dragged === null) return;
    const [, py] = under(event), share = clip((py - TOP) / (HEIGHT - TOP - FOOT), 0, 1);
    put(dragged, frame.high - share * (frame.high - frame.low));
  });
  for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, () => (dragged = null));
  const nudge = (by) => put(state.values.length - 1 - state.chosen, state.values[state.values.length - 1 - state.chosen] + (by * (frame.high - frame.low)) / 40);
  const keys = {
    ArrowLeft: () => store.set({ chosen: clip(state.chosen + 1, 0, movable() - 1) }),
    ArrowRight: () => store.set({ chosen: clip(state.chosen - 1, 0, movable() - 1) }),
    ArrowUp: () => nudge(1),
    ArrowDown: () => nudge(-1),
  };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
  /** The scale stays as long as nothing leaves it, so that dragging does not move the ground. */
  function rescale() {
    const seen = [...state.values.slice(frame.from), ...series.truth.slice(0, state.horizon), ...lab.fan.flat()];
    const low = Math.min(...seen), high = Math.max(...seen), room = 0.08 * (high - low || 1);
    if (dragged !== null) return;
    if (low < frame.low || high > frame.high || high - low < 0.5 * (frame.high - frame.low)) Object.assign(frame, { low: low - room, high: high + room });
  }
  return {
    element: element("figure", { class: "un-figure" }, canvas),
    update() {
      const width = Math.max(260, canvas.parentElement.clientWidth), count = state.values.length;
      frame.shown = Math.min(count, Math.max(40, Math.floor((width - 120) / 6)));
      frame.from = count - frame.shown;
      frame.wide = (width - LEFT - RIGHT) / (frame.shown + state.horizon - 1);
      rescale();
      const context = clearCanvas(canvas, width, HEIGHT);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${HEIGHT}px`;
      drawAxes(context, { x, y, frame, width, count, series, token });
      drawFan(context, { x, y, count, lab, state, token });
      line(context, series.truth.slice(0, state.horizon).map((value, k) => [x(count + k), y(value)]), token("--ink"), 1.6, [5, 4]);
      line(context, state.values.slice(frame.from).map((value, k) => [x(frame.from + k), y(value)]), token("--ink"), 2);
      for (let k = count - movable(); k < count; k++) {
        const chosen = k === count - 1 - state.chosen;
        context.fillStyle = token(chosen ? "--i" : "--ink");
        context.beginPath();
        context.arc(x(k), y(state.values[k]), chosen ? 6 : 3, 0, 7);
        context.fill();
      }
      const last = count - 1 - state.chosen;
      canvas.setAttribute("aria-label", `The last ${frame.shown} values and the fan of ${state.horizon} steps ahead. Chosen: the value ${state.chosen} steps before now, ${measured(state.values[last], series.deviation)}. `
        + "Left and right choose another, up and down move it.");
    },
  };
}

function line(context, points, colour, width, dashes = []) {
  if (!points.length) return;
  Object.assign(context, { strokeStyle: colour, lineWidth: width, lineJoin: "round" });
  context.setLineDash(dashes);
  context.beginPath();
  points.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.stroke();
  context.setLineDash([]);
}

function drawAxes(context, { x, y, frame, width, count, series, token }) {
  Object.assign(context, { font: '11.5px system-ui, "DejaVu Sans", sans-serif', textAlign: "right", textBaseline: "middle" });
  for (const value of ticks(frame.low, frame.high, 6)) {
    line(context, [[LEFT, y(value)], [width - RIGHT, y(value)]], token("--rule"), 1);
    context.fillStyle = token("--soft");
    context.fillText(round(value), LEFT - 8, y(value));
  }
  line(context, [[x(count - 1), TOP], [x(count - 1), HEIGHT - FOOT]], token("--edge"), 1, [2, 3]);
  Object.assign(context, { fillStyle: token("--soft"), textAlign: "center", textBaseline: "alphabetic" });
  const end = Math.round((width - RIGHT - LEFT) / frame.wide) + frame.from - count + 1;
  for (const at of ticks(-frame.shown + 1, end, 8)) context.fillText(at ? String(at).replace("-", "−") : "now", x(count - 1 + at), HEIGHT - FOOT + 16);
  context.fillText("steps from now (bold: may be dragged; dashed: what really came)", LEFT + (width - LEFT - RIGHT) / 2, HEIGHT - 6);
  context.save();
  context.rotate(-Math.PI / 2);
  context.fillText(series.column, -(TOP + HEIGHT - FOOT) / 2, 14);
  context.restore();
}

function drawFan(context, { x, y, count, lab, state, token }) {
  const now = [x(count - 1), y(state.values.at(-1))];
  const at = (level) => lab.fan.map((row, k) => [x(count + k), y(row[level])]);
  context.fillStyle = token("--f");
  for (const [low, high, opacity] of [[0, 4, 0.16], [1, 3, 0.28]]) {
    context.globalAlpha = opacity;
    context.beginPath();
    context.moveTo(...now);
    for (const point of [...at(high), ...at(low).reverse()]) context.lineTo(...point);
    context.closePath();
    context.fill();
  }
  context.globalAlpha = 0.5;
  for (const path of lab.paths.slice(0, 3)) line(context, [now, ...path.map((value, k) => [x(count + k), y(value)])], token("--f"), 1);
  context.globalAlpha = 1;
  line(context, [now, ...at(2)], token("--f"), 2.4);
}

/** Round numbers from low to high, about `many` of them. */
function ticks(low, high, many) {
  const rough = (high - low) / many, power = 10 ** Math.floor(Math.log10(rough));
  const by = [1, 2, 5, 10].find((k) => k * power >= rough) * power, found = [];
  for (let k = Math.ceil(low / by - 1e-9); k * by <= high + by * 1e-9; k++) found.push(Number((k * by).toPrecision(6)));
  return found;
}

export default { render };
