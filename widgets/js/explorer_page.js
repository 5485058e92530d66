// Stands in for the kernel in a page: every picture was drawn beforehand, a change of the controls picks one.
const kept = JSON.parse(document.getElementById("state").textContent);
const plot = document.getElementById("plot");
const listeners = {};
const traits = { spec: kept.spec, values: kept.start, theme: kept.theme, title: "", summary: "", message: "", asked: 0, done: 0, ready: true };
const NARROWEST = 560; // pixels: below this a picture keeps its width and scrolls in itself

// The pictures were drawn in one theme; the other has another colour for each of its colours.
const triple = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16)).join(",");
const repainted = (theme) => {
  const pairs = Object.entries(kept.tokens[kept.theme]).filter(([name]) => name !== "name");
  const other = kept.tokens[theme];
  return new Map(pairs.reverse().flatMap(([name, hex]) => [[hex, other[name]], [triple(hex), triple(other[name])]]));
};
let parts = []; // of the pool in the theme that is shown, made when first needed
let colours = new Map();

function part(number) {
  return (parts[number] ??= paintedPart(kept.pool[number]));
}

function paintedPart(value) {
  if (traits.theme === kept.theme) return value;
  const text = JSON.stringify(value);
  const painted = text.replace(/#[0-9a-f]{6}\b|(?<=rgba\()\d+,\d+,\d+/g, (old) => colours.get(old) ?? old);
  return JSON.parse(painted);
}

// Which of its values a control shows, as widgets/sweeps.py counts them.
function place(control) {
  const value = traits.values[control.name];
  if (control.kind === "slider" || control.kind === "time") return Math.round((value - control.minimum) / control.step);
  return value === null || value === undefined ? "all" : Number(value);
}

function put(changes) {
  for (const [name, value] of Object.entries(changes)) {
    traits[name] = value;
    for (const listener of listeners[`change:${name}`] ?? []) listener();
  }
}

function draw() {
  const state = kept.states[kept.spec.map(place).join(",")];
  if (!state) return put({ message: "This page does not hold that picture; the notebook draws it.", done: traits.asked });
  if (state.message !== undefined) return put({ message: part(state.message), done: traits.asked });
  if (state.html !== undefined) plot.innerHTML = part(state.html);
  else paintPlot(state);
  put({ title: part(state.title), summary: part(state.summary), message: "", done: traits.asked });
}

// What is on the screen, as numbers in the pool: where only the layout differs, plotly need not draw the traces again.
let shown = null;

function paintPlot(state) {
  const copy = (key) => structuredClone(part(state.layout[key]));
  const keys = Object.keys(state.layout);
  const same = shown?.parts === parts && keys.join() === Object.keys(shown.state.layout).join();
  if (same && state.data.join() === shown.state.data.join()) {
    const moved = keys.filter((key) => state.layout[key] !== shown.state.layout[key]);
    if (moved.length) Plotly.relayout(plot, Object.fromEntries(moved.map((key) => [key, copy(key)])));
  } else {
    const layout = Object.fromEntries(keys.map((key) => [key, copy(key)]));
    layout.width = Math.max(NARROWEST, plot.clientWidth);
    Plotly.react(plot, state.data.map(part), layout, { ...kept.config, responsive: false });
  }
  shown = { state, parts };
}

const model = {
  get: (name) => traits[name],
  set: (name, value) => { traits[name] = value; },
  on: (event, listener) => { (listeners[event] ??= []).push(listener); },
  off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener); },
  save_changes: draw,
};
bar.render({ model, el: document.getElementById("bar") });

const choice = document.createElement("button");
Object.assign(choice, { type: "button", className: "choice" });
document.querySelector("main").before(choice);
followFrame(choice, (theme) => {
  traits.theme = theme;
  parts = [];
  colours = repainted(theme);
  for (const node of document.querySelectorAll(".unrolled-card, .unrolled-bar")) {
    node.classList.toggle("dark", theme === "dark");
    node.classList.toggle("light", theme === "light");
  }
  draw();
});
let width = plot.clientWidth;
new ResizeObserver(() => {
  if (plot.clientWidth === width) return;
  width = plot.clientWidth;
  shown = null;
  draw();
}).observe(plot);
