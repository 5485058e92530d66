/** A network that goes on drawing: begin a stroke, let it continue, see the density of its pen and what its gates do. */
import { createRolls } from "./chance.js";
import { drawOffset, penMixture } from "./density.js";
import { KEYS, button, clearCanvas, clip, element, labelled, number, write } from "./dom.js";
import { createInside, holding } from "./inside.js";
import { bounds, drawDensity, drawInk, drawRules, inkDocument, offer, scaleTo, strokesOf } from "./paper.js";
import { showPanels } from "./panels.js";
import { buildNetwork, run, step, zeroState } from "./rnn.js";
import { createStore } from "./store.js";
import { followTheme, stillness } from "./theme.js";

const SHARED = ["offsets", "bias", "seed", "signal", "unit", "layer", "moment", "held", "theme", "message"];
const MOST = 900, TICK = 30, CLOSE = 170, SHEET = 230, UNIT = 30, BASE = 150;
const NUDGE = 0.3; // heights of an x, one press of an arrow key

/** Draw the explorer for a model (anywidget's or the page's) into a node; returns what cleans it up. */
function render({ model, el }) {
  const root = element("section", { class: "un un-sketch", "aria-label": "a network that goes on drawing", ...KEYS });
  el.append(root);
  const packed = model.get("_model");
  if (!packed.weights) {
    root.classList.add("light");
    root.append(element("p", { class: "un-message", role: "status", text: model.get("message") }));
    return () => root.remove();
  }
  const network = buildNetwork(packed, packed.weights);
  const store = createStore(model, SHARED), { state } = store;
  const theme = followTheme(root, state.theme, () => store.touch("drawn"));
  const view = { root, store, state, network, token: theme.token, clock: "points of the pen before now", pace: model.get("_pace"), sample: model.get("_sample"), open: null };
  view.lab = createLab(view);
  view.inside = () => view.lab.inside();
  return showPanels(view, theme, [createHead, createAsk, createSheet, createInside], (changed) => {
    view.lab.read();
    if (changed.has("offsets") || changed.has("start")) store.set({ moment: view.lab.result.steps - 1 });
  });
}

/** What the network makes of the offsets so far: [dx, dy, lifted, by whom], by whom 0 the reader, 1 the network. */
function createLab({ state, network }) {
  const lab = { mixture: null, result: null };
  let known = "";
  lab.read = () => {
    const edits = holding(state), key = JSON.stringify([state.offsets, edits, state.bias]);
    if (key === known) return;
    known = key;
    // A first step from nowhere, so that a blank sheet has a prediction, too.
    const rows = state.offsets.length ? state.offsets : [[0, 0, 0]];
    lab.result = run(network, Float32Array.from(rows.flatMap((row) => row.slice(0, 3))), { edits, state: zeroState(network) });
    lab.mixture = mixtureOf(lab.result, state.bias);
  };
  const mixtureOf = (result, bias) => penMixture(result.logits, result.logits.length - network.outputs, network.outputs, bias);
  /** So many offsets more, each drawn from the density that those before it led to. */
  lab.more = (count) => {
    lab.read();
    const rolls = createRolls(state.seed), edits = holding(state), found = [];
    let used = 4 * state.offsets.length, now = lab.result;
    while (found.length < count) {
      const offset = drawOffset(mixtureOf(now, state.bias), () => rolls(used++));
      found.push([...offset, 1]);
      now = step(network, Float32Array.from(offset), now.state, edits);
    }
    return found;
  };
  lab.inside = () => ({
    signals: lab.result.layers[state.layer],
    steps: lab.result.steps,
    names: (t) => {
      const row = state.offsets[t];
      return row ? `a move of ${number(row[0])} across and ${number(row[1])} up${row[2] ? ", then a lift," : ""}` : "nothing yet";
    },
  });
  return lab;
}

function createHead({ state, lab }) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2, text: "How does it go on?" });
  const words = element("p", { class: "un-sentence", role: "status", "aria-live": "off" });
  return {
    element: element("header", {}, title, words),
    update() {
      const own = state.offsets.filter((row) => !row[3]).length, its = state.offsets.length - own;
      write(words, `${own} points given, ${its} drawn by the network; the pen is lifted after the next with ${Math.round(100 * lab.mixture.lift)} %. Draw a stroke on the sheet, then let it go on.`);
    },
  };
}

function createAsk(view) {
  const { store, state, lab } = view;
  let timer = null;
  const room = () => MOST - state.offsets.length;
  const add = (count) => {
    if (room() <= 0) {
      toggle(false);
      return store.set({ message: `The sheet holds ${MOST} points; clear it or undo.` });
    }
    store.set({ offsets: [...state.offsets, ...lab.more(Math.min(count, room()))], message: "" });
  };
  const play = button("▶ go on", "go on: let the network draw", () => toggle(), { class: "un-play" });
  function toggle(on = timer === null) {
    clearInterval(timer);
    timer = null;
    if (on) timer = setInterval(() => add(stillness() ? 20 : 1), stillness() ? 500 : TICK);
    write(play, timer === null ? "▶ go on" : "❚❚ pause");
    play.setAttribute("aria-label", timer === null ? "go on: let the network draw" : "pause");
  }
  const whole = button("100 points", "100 points at once", () => add(100));
  const undo = button("↶ undo", "undo the last stroke", () => {
    toggle(false);
    const before = state.offsets.slice(0, -1).map((row) => row[2]).lastIndexOf(1);
    store.set({ offsets: state.offsets.slice(0, before + 1), message: "" });
  });
  const clear = button("clear", "clear the sheet", () => {
    toggle(false);
    store.set({ offsets: [], message: "" });
  });
  const given = button("↺ the beginning", "the beginning that came with the page", () => {
    toggle(false);
    store.set({ offsets: view.sample.map((row) => [...row]), message: "" });
  });
  const save = button("save as SVG", "save as SVG: the whole sheet as a picture", () => {
    const { points, lifted } = placed(state.offsets);
    if (points.length) offer(inkDocument(points, lifted, ""), "drawing.svg", "image/svg+xml");
  });
  const bias = element("input", { type: "range", min: 0, max: 5, step: 0.25, class: "un-slider", "aria-label": "bias", ...KEYS, on: { input: () => store.set({ bias: Number(bias.value) }) } });
  const told = element("span", { class: "un-number" }), message = element("span", { class: "un-message", role: "status" });
  const seed = element("input", { type: "number", min: 0, step: 1, class: "un-unit", ...KEYS, on: { change: () => store.set({ seed: clip(Math.round(Number(seed.value) || 0), 0, 2 ** 32 - 1) }) } });
  return {
    element: element("div", { class: "un-asking" },
      element("div", { class: "un-row" }, play, whole, undo, clear, given, save),
      element("div", { class: "un-row" }, element("label", { class: "un-label un-grow" }, element("span", { text: "bias (0 as learnt, more is neater)" }), bias, told), labelled("seed", seed)), message),
    update() {
      undo.disabled = clear.disabled = save.disabled = !state.offsets.length;
      bias.value = state.bias;
      write(told, number(state.bias));
      if (document.activeElement !== seed) seed.value = state.seed;
      write(message, state.message);
    },
    stop: () => clearInterval(timer),
  };
}

/** Offsets as places, from the start of the base line. */
function placed(offsets) {
  let x = 0, y = 0;
  const points = offsets.map(([dx, dy]) => [(x += dx), (y += dy)]);
  return { points, lifted: offsets.map((row) => row[2] > 0.5) };
}

/** A stroke as points a pace apart, as the network has learnt them. */
export function resampled(stroke, pace) {
  const kept = [stroke[0]];
  let [x, y] = stroke[0], left = pace;
  for (const [a, b] of stroke.slice(1)) {
    let far = Math.hypot(a - x, b - y);
    while (far >= left) {
      x += ((a - x) * left) / far;
      y += ((b - y) * left) / far;
      kept.push([x, y]);
      far = Math.hypot(a - x, b - y);
      left = pace;
    }
    left -= far;
    [x, y] = [a, b];
  }
  return kept;
}

function createSheet(view) {
  const { store, state, lab, token } = view;
  const canvas = element("canvas", { class: "un-sheet", tabindex: 0, role: "application", style: { "touch-action": "none" }, ...KEYS });
  const close = element("canvas", { role: "img" }), said = element("figcaption");
  let scale = null, pointer = null, at = null;
  const here = () => placed(state.offsets).points.at(-1) ?? [0, 0];
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) / scale.unit + scale.left, (scale.base - (event.clientY - box.top)) / scale.unit];
  };
  const end = () => {
    const stroke = view.open;
    view.open = pointer = null;
    if (!stroke) return;
    let [x, y] = here();
    const points = resampled(stroke, view.pace).slice(0, MOST - state.offsets.length);
    const rows = points.map(([a, b], k) => {
      const row = [a - x, b - y, k === points.length - 1 ? 1 : 0, 0];
      [x, y] = [a, b];
      return row;
    });
    store.set({ offsets: [...state.offsets, ...rows], message: rows.length ? "" : `The sheet holds ${MOST} points; clear it or undo.` });
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || pointer !== null) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture((pointer = event.pointerId));
    view.open = [place(event)];
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer || !view.open) return;
    view.open.push(place(event));
    store.touch("drawn");
  });
  for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, (event) => event.pointerId === pointer && end());
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  canvas.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (!way && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    at ??= here();
    if (event.key === " ") {
      if (view.open) end();
      else view.open = [[...at]];
    } else {
      at = [at[0] + NUDGE * way[0], at[1] + NUDGE * way[1]];
      view.open?.push([...at]);
    }
    store.touch("drawn");
  });
  return {
    element: element("div", { class: "un-below" }, element("figure", { class: "un-figure un-close" }, said, close), element("figure", { class: "un-figure un-way" }, canvas)),
    update(changed) {
      if (changed.has("offsets")) at = null;
      const { points, lifted } = placed(state.offsets), width = Math.max(240, canvas.parentElement.clientWidth);
      // While a stroke is drawn the sheet must not move under the pen.
      if (!view.open || !scale) {
        const box = bounds(points), fit = scaleTo({ ...box, right: Math.max(box.right, box.left + width / UNIT) }, width, SHEET);
        scale = { ...fit, left: box.left, base: fit.y(0) };
      }
      const context = clearCanvas(canvas, width, Math.max(scale.height, BASE));
      canvas.style.width = `${width}px`;
      canvas.style.height = `${Math.max(scale.height, BASE)}px`;
      drawRules(context, scale, width, token("--rule"));
      const own = state.offsets.map((row) => !row[3]);
      paintSheet(context, scale, points, lifted, own, token);
      if (view.open) drawInk(context, scale, [view.open], token("--ink"), 2.6);
      if (document.activeElement === canvas && at) {
        context.fillStyle = token("--i");
        context.beginPath();
        context.arc(scale.x(at[0]), scale.y(at[1]), 4, 0, 7);
        context.fill();
      }
      canvas.setAttribute("aria-label", `A sheet with ${strokesOf(points, lifted).length} strokes. Draw with the pointer, or move with the arrow keys; space puts the pen down and lifts it.`);
      drawDensity(close, lab.mixture.components, null, { size: CLOSE, token });
      const ratio = globalThis.devicePixelRatio || 1, most = lab.mixture.components.reduce((a, b) => (b[0] > a[0] ? b : a));
      close.style.cssText = `width:${close.width / ratio}px;height:${close.height / ratio}px`;
      const words = "Where the next point may fall, seen from here";
      write(said, words);
      close.setAttribute("aria-label", `${words}; likeliest around ${number(most[1])} across and ${number(most[2])} up.`);
    },
  };
}

/** Given ink dark, the network's own in blue: a stroke changes its colour where the hand changes. */
function paintSheet(context, scale, points, lifted, own, token) {
  for (let k = 0; k < points.length; k++) {
    const starts = k === 0 || lifted[k - 1];
    drawInk(context, scale, [starts ? [points[k]] : [points[k - 1], points[k]]], token(own[k] ? "--ink" : "--f"));
  }
}

export default { render };
