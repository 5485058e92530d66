/** Inside a network that reads numbers: one signal of all units over time, and a hand that holds one of them. */
import { LONG, css, isGate, range, shade } from "./colour.js";
import { KEYS, clearCanvas, clip, element, labelled, number, pointerShare, setOptions, watchPointer, write } from "./dom.js";
import { SIGNALS } from "./rnn.js";

const MAP = { height: 150, left: 64, right: 16, foot: 34 }; // px

/**
 * Controls and map. `view.inside()` gives {signals, hidden, steps, names} of the layer that is shown: names(t) says
 * what was read at step t. Shared state: signal, unit, layer, moment, held (a value, or null).
 */
export function createInside(view) {
  const { store, state, network } = view, signals = SIGNALS[network.cell];
  const signal = element("select", { ...KEYS, on: { change: () => store.set({ signal: signal.value, held: null }) } });
  setOptions(signal, signals.map((name) => [name, LONG[name]]), state.signal);
  const layer = element("select", { ...KEYS, on: { change: () => store.set({ layer: Number(layer.value) }) } });
  setOptions(layer, Array.from({ length: network.depth }, (_, k) => [k, `${k + 1} of ${network.depth}`]), state.layer);
  const unit = element("input", { type: "number", min: 0, max: network.hidden - 1, class: "un-unit", ...KEYS,
    on: { change: () => store.set({ unit: clip(Math.round(Number(unit.value) || 0), 0, network.hidden - 1) }) } });
  const hold = element("input", { type: "checkbox", ...KEYS, on: { change: () => store.set({ held: hold.checked ? Number(at.value) : null }) } });
  const at = element("input", { type: "range", step: 0.01, class: "un-slider", "aria-label": "held at", ...KEYS,
    on: { input: () => store.set({ held: Number(at.value) }) } });
  const told = element("span", { class: "un-number" }), words = element("p", { class: "un-sentence" });
  const whichLayer = labelled("layer", layer);
  whichLayer.hidden = network.depth < 2;
  const canvas = element("canvas", { tabindex: 0, role: "application", ...KEYS });
  const move = (moments, units) => {
    const { steps } = view.inside();
    store.set({ moment: clip(state.moment + moments, 0, steps - 1), unit: clip(state.unit + units, 0, network.hidden - 1) });
  };
  const keys = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], PageUp: [0, -10], PageDown: [0, 10] };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    move(...keys[event.key]);
  });
  watchPointer(canvas, {
    onMove(event) {
      const [x, y] = pointerShare(event, canvas), { steps } = view.inside();
      const across = (x * canvas.clientWidth - MAP.left) / (canvas.clientWidth - MAP.left - MAP.right);
      store.set({
        moment: clip(Math.floor(across * steps), 0, steps - 1),
        unit: clip(Math.floor((y * (MAP.height + MAP.foot) * network.hidden) / MAP.height), 0, network.hidden - 1),
      });
    },
    onHover() {},
  });
  return {
    element: element("div", { class: "un-asking" },
      element("div", { class: "un-row" }, labelled("look at", signal), whichLayer, labelled("unit", unit),
        labelled("hold this unit's signal", hold), element("label", { class: "un-label un-grow" }, at, told)),
      element("figure", { class: "un-figure" }, words, canvas)),
    update() {
      const [low, high] = range(state.signal), value = state.held ?? (isGate(state.signal) ? 1 : 0);
      signal.value = state.signal;
      layer.value = state.layer;
      Object.assign(at, { min: low, max: high });
      at.value = value;
      hold.checked = state.held !== null;
      write(told, number(value));
      if (document.activeElement !== unit) unit.value = state.unit;
      paintMap(canvas, view, words);
    },
  };
}

/** What is held, as an edit for rnn.js. */
export const holding = ({ held, signal, unit, layer }) => (held === null ? [] : [{ name: signal, value: held, unit, layer }]);

function paintMap(canvas, view, words) {
  const { state, network } = view, { signals, steps, names } = view.inside();
  const width = Math.max(260, canvas.parentElement.clientWidth), inner = width - MAP.left - MAP.right;
  if (!steps) return;
  const context = clearCanvas(canvas, width, MAP.height + MAP.foot), values = signals[state.signal];
  canvas.style.cssText = `width:${width}px;height:${MAP.height + MAP.foot}px`;
  const wide = inner / steps, high = MAP.height / network.hidden;
  for (let t = 0; t < steps; t++)
    for (let u = 0; u < network.hidden; u++) {
      context.fillStyle = css(shade(state.signal, values[t * network.hidden + u]));
      context.fillRect(MAP.left + t * wide, u * high, wide + 0.5, high + 0.5);
    }
  Object.assign(context, { strokeStyle: view.token("--i"), lineWidth: 1.5 });
  const moment = clip(state.moment, 0, steps - 1);
  context.strokeRect(MAP.left + moment * wide, 0, Math.max(2, wide), MAP.height);
  context.strokeRect(MAP.left, state.unit * high, inner, Math.max(2, high));
  Object.assign(context, { fillStyle: view.token("--soft"), font: '11.5px system-ui, "DejaVu Sans", sans-serif', textAlign: "right", textBaseline: "middle" });
  context.fillText("unit 0", MAP.left - 8, 8);
  context.fillText(String(network.hidden - 1), MAP.left - 8, MAP.height - 6);
  Object.assign(context, { textAlign: "center", textBaseline: "alphabetic" });
  const every = [1, 2, 5, 10, 20, 50, 100, 200, 500].find((some) => steps / some <= 10) ?? 1000;
  for (let back = 0; back < steps; back += every) context.fillText(back ? `−${back}` : "now", MAP.left + (steps - back - 0.5) * wide, MAP.height + 14);
  context.fillText(view.clock, MAP.left + inner / 2, MAP.height + 30);
  const value = values[moment * network.hidden + state.unit];
  const held = state.held === null ? "" : ` It is held at ${number(state.held)} all the time.`;
  const sentence = `The ${LONG[state.signal]} of all ${network.hidden} units. Unit ${state.unit} has ${number(value)} where ${names(moment)} is read.${held}`;
  write(words, sentence);
  canvas.setAttribute("aria-label", `${sentence} Arrow keys move in time and from unit to unit.`);
}
