// Stands in for the kernel in a page: every picture was drawn beforehand, a change of the controls picks one.
const kept = JSON.parse(document.getElementById("state").textContent);
const plot = document.getElementById("plot");
const listeners = {};
const traits = { spec: kept.spec, values: kept.start, theme: kept.theme, title: "", summary: "", message: "", asked: 0, done: 0, ready: true };
const part = (number) => structuredClone(kept.pool[number]);

function put(changes) {
  for (const [name, value] of Object.entries(changes)) {
    traits[name] = value;
    for (const listener of listeners[`change:${name}`] ?? []) listener();
  }
}

function draw() {
  const state = kept.states[JSON.stringify(kept.names.map((name) => traits.values[name])).replaceAll(",", ", ")];
  if (!state) return put({ message: "This page does not hold that picture; the notebook draws it.", done: traits.asked });
  const layout = Object.fromEntries(Object.entries(state.layout).map(([key, number]) => [key, part(number)]));
  Plotly.react(plot, state.data.map(part), layout, kept.config);
  put({ title: part(state.title), summary: part(state.summary), message: "", done: traits.asked });
}

const model = {
  get: (name) => traits[name],
  set: (name, value) => { traits[name] = value; },
  on: (event, listener) => { (listeners[event] ??= []).push(listener); },
  off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener); },
  save_changes: draw,
};
bar.render({ model, el: document.getElementById("bar") });
draw();
