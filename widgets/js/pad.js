/** A pad to write on by mouse, touch or keyboard; what is written can be kept, exported, deleted. */
import { KEYS, button, clearCanvas, clip, element, labelled, setOptions, write } from "./dom.js";
import { drawInk, drawRules, offer } from "./paper.js";
import { showPanels } from "./panels.js";
import { createStore } from "./store.js";
import { followTheme } from "./theme.js";

const SHARED = ["strokes", "text", "name", "saved", "message", "theme"];
const HEIGHT = 230, UNIT = 46, BASE = 150; // px: of the pad, of the height of an x, and where letters stand
const NUDGE = 0.15; // heights of an x, one press of an arrow key
const MOST = 5000; // points on the pad

function render({ model, el }) {
  const root = element("section", { class: "un un-pad", "aria-label": "a pad for your own handwriting", ...KEYS });
  el.append(root);
  const store = createStore(model, SHARED), { state } = store;
  const theme = followTheme(root, state.theme, () => store.touch("drawn"));
  const view = { root, store, state, token: theme.token, open: null, at: [0.5, 0.5], down: false, alone: model.alone };
  view.strokes = () => (view.open ? [...state.strokes, view.open] : state.strokes);
  view.ask = (what, name = state.name) => {
    store.set({ message: "" });
    model.save_changes();
    model.send({ ask: what, strokes: state.strokes, text: state.text, name });
  };
  return showPanels(view, theme, [createTitle, createSheet, createFields]);
}

function createTitle(view) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2, text: "Your own hand" });
  const words = element("p", { class: "un-sentence", role: "status", "aria-live": "polite" });
  return {
    element: element("header", {}, title, words),
    update() {
      const strokes = view.strokes(), points = strokes.reduce((sum, stroke) => sum + stroke.length, 0);
      write(words, points ? `${strokes.length} ${strokes.length === 1 ? "stroke" : "strokes"}, ${points} points. Nothing leaves this machine.`
        : "Write a word between the lines with mouse, pen or finger. Nothing leaves this machine.");
    },
  };
}

function createSheet(view) {
  const { store, state, token } = view;
  const canvas = element("canvas", { class: "un-sheet", tabindex: 0, role: "application", ...KEYS,
    "aria-label": "pad: draw with the pointer, or move the pen with the arrow keys; space puts it down and lifts it" });
  const scale = { unit: UNIT, x: (x) => UNIT * x + 24, y: (y) => BASE - UNIT * y };
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const round = (v) => Math.round(v * 1000) / 1000;
    return [round((event.clientX - box.left - 24) / UNIT), round((BASE - (event.clientY - box.top)) / UNIT)];
  };
  const full = () => view.strokes().reduce((sum, stroke) => sum + stroke.length, 0) >= MOST;
  const begin = (point) => {
    if (full()) return void store.set({ message: `The pad holds ${MOST} points; save it or clear it.` });
    view.open = [point];
    store.touch("drawn");
  };
  const add = (point) => {
    const [x, y] = view.open.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) < 0.02 || full()) return;
    view.open.push(point);
    store.touch("drawn");
  };
  const end = () => {
    if (!view.open) return;
    const stroke = view.open;
    view.open = null;
    view.at = stroke.at(-1);
    store.set({ strokes: [...state.strokes, stroke], message: "" });
    store.touch("drawn");
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button || view.open) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    view.pointer = event.pointerId;
    begin(place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!view.open || event.pointerId !== view.pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) add(place(one));
  });
  for (const type of ["pointerup", "pointercancel"]) canvas.addEventListener(type, (event) => event.pointerId === view.pointer && end());
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  canvas.addEventListener("keydown", (event) => {
    const way = steps[event.key];
    if (!way && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === " ") return view.open ? end() : begin([...view.at]);
    view.at = [0, 1].map((k) => Math.round(1000 * (view.at[k] + NUDGE * way[k])) / 1000);
    if (view.open) add(view.at);
    store.touch("drawn");
  });
  return {
    element: canvas,
    update() {
      const width = Math.max(240, canvas.parentElement.clientWidth - 46);
      const context = clearCanvas(canvas, width, HEIGHT);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${HEIGHT}px`;
      drawRules(context, scale, width, token("--edge"));
      drawInk(context, scale, view.strokes(), token("--ink"), 2.6);
      if (document.activeElement !== canvas) return;
      const [x, y] = view.open?.at(-1) ?? view.at;
      Object.assign(context, { strokeStyle: token("--i"), lineWidth: 2 });
      context.beginPath();
      context.arc(clip(scale.x(x), 4, width - 4), clip(scale.y(y), 4, HEIGHT - 4), 5, 0, 7);
      context.stroke();
    },
  };
}

function createFields(view) {
  const { store, state, ask } = view;
  const box = (name, hint) => element("input", { type: "text", maxlength: 60, placeholder: hint, spellcheck: "false", autocomplete: "off", ...KEYS,
    on: { input: () => store.set({ [name]: fields[name].value }) } });
  const fields = { text: box("text", "what it says"), name: box("name", "a name for it") };
  const saved = element("select", { ...KEYS, on: { change: () => store.set({ name: saved.value }) } });
  const undo = button("↶ undo", "undo the last stroke", () => store.set({ strokes: state.strokes.slice(0, -1) }));
  const clear = button("clear", "clear the pad", () => store.set({ strokes: [], message: "" }));
  const keep = button("save", "save it in data/user", () => ask("save"));
  const exported = button("export", "export it as a JSON file", () =>
    offer(JSON.stringify({ text: state.text, strokes: state.strokes }), `${state.name || "handwriting"}.json`, "application/json"));
  const load = button("open", "open the saved piece", () => saved.value && ask("open", saved.value));
  const remove = button("delete", "delete the saved piece", () => saved.value && ask("delete", saved.value));
  const message = element("span", { class: "un-message", role: "alert" });
  const kept = element("div", { class: "un-row" }, labelled("saved", saved), load, remove);
  let offered = null;
  keep.hidden = Boolean(view.alone); // nobody keeps anything where there is no kernel
  return {
    element: element("div", { class: "un-asking" },
      element("div", { class: "un-row" }, labelled("it says", fields.text), labelled("name", fields.name), keep, exported, undo, clear), kept, message),
    update() {
      for (const [name, field] of Object.entries(fields)) if (field.value !== state[name]) field.value = state[name];
      undo.disabled = clear.disabled = keep.disabled = exported.disabled = !state.strokes.length;
      kept.hidden = view.alone || !state.saved.length;
      if (offered !== state.saved) setOptions(saved, state.saved.map((name) => [name, name]), state.saved.includes(state.name) ? state.name : state.saved[0]);
      offered = state.saved;
      if (state.saved.includes(state.name)) saved.value = state.name;
      write(message, state.message);
    },
  };
}

export default { render };
