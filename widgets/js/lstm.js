/** The LSTM cell, wired: one network reads a text, and one unit's numbers stand on the wires of a drawing of your choice. */
import { LONG } from "./colour.js";
import {
  KEYS,
  button,
  clip,
  createTooltip,
  element,
  labelled,
  number,
  setOptions,
  spoken,
  write,
} from "./dom.js";
import { createExperiment } from "./experiment.js";
import { createCell } from "./lstm_cell.js";
import { DRAWINGS } from "./lstm_drawings.js";
import { createLayers } from "./lstm_layers.js";
import { buildNetwork } from "./rnn.js";
import { createStore } from "./store.js";
import { createStrip } from "./strip.js";
import { followTheme } from "./theme.js";
import { createTextBox, createTransport } from "./transport.js";

const TRAITS = ["text", "time", "unit", "layer", "drawing", "part", "theme", "message"];
const LOCAL = { colour: "c", edits: [], shown: 0 };
const HELP = [
  "On the text: left and right move in time, Page Up and Page Down by ten, Home and End to the ends; space plays and pauses.",
  "On the drawing: arrow keys go from wire to wire, Page Up and Page Down move in time; a gate or state also colours the text.",
  "On the four layers: arrow keys choose the unit.",
];

/** Draw the diagram for a model (anywidget's or the page's) into a node; returns what cleans it up. */
function render({ model, el }) {
  const networks = model.get("_models").map((one) => buildNetwork(one, one.weights));
  const root = element("section", { class: "un un-lstm", "aria-label": "LSTM cell diagram", ...KEYS });
  el.append(root);
  if (!networks.length) {
    root.classList.add("light");
    root.append(element("p", { class: "un-message", role: "status", text: model.get("message") }));
    return () => root.remove();
  }
  const store = createStore(model, TRAITS, LOCAL),
    view = createDiagramView(root, store, networks);
  const text = createTextBox(view),
    panels = assemble(view, text),
    reader = createReader(view);
  const size = new ResizeObserver(() => store.touch("width"));
  size.observe(root);
  store.listen((changed) => {
    if (changed.has("theme")) view.theme.choose(store.state.theme);
    if ((changed.has("text") || changed.has("start")) && view.lab.update(store.state))
      for (const name of ["now", "read"]) changed.add(name);
    text.say(changed);
    if (!view.lab.ids.length) return;
    stayInside(view);
    for (const panel of panels) panel.update(changed);
    reader.hear(changed);
  });
  for (const name of ["start", "read", "now", "text"]) store.touch(name);
  return () => {
    for (const panel of panels) panel.stop?.();
    reader.stop();
    size.disconnect();
    view.theme.stop();
    store.stop();
    root.remove();
  };
}

function createDiagramView(root, store, networks) {
  const { state } = store,
    lab = createExperiment(networks);
  const view = {
    root,
    store,
    state,
    lab,
    tip: createTooltip(root),
    theme: followTheme(root, state.theme, () => store.touch("theme")),
    any: (changed, names) => names.some((name) => changed.has(name)),
    go: (time) => store.set({ time: clip(time, 0, lab.ids.length - 1) }),
    historyKeys: {},
  };
  view.travelKeys = {
    ArrowRight: () => view.go(state.time + 1),
    ArrowLeft: () => view.go(state.time - 1),
    PageDown: () => view.go(state.time + 10),
    PageUp: () => view.go(state.time - 10),
    Home: () => view.go(0),
    End: () => view.go(Infinity),
    " ": () => view.toggle(),
  };
  return view;
}

function assemble(view, text) {
  const [heading, transport, choices, strip, cell, layers, words] = [
    createSummary,
    createTransport,
    createDrawingChoice,
    createStrip,
    createCell,
    createLayers,
    createAccount,
  ].map((create) => create(view));
  const keys = element(
    "details",
    { class: "un-soft" },
    element("summary", { text: "Keys", ...KEYS }),
    element("ul", {}, ...HELP.map((line) => element("li", { text: line }))),
  );
  view.root.append(
    heading.element,
    element("div", { class: "un-controls" }, transport.element, choices.unit),
    choices.drawings,
    element(
      "div",
      { class: "un-grid un-lstm-grid" },
      cell.picture,
      element("div", {}, cell.explanation, layers.element),
    ),
    text.element,
    strip.element,
    words.element,
    keys,
  );
  return [heading, transport, choices, strip, cell, layers, words];
}

/** Whatever the traits say, the state must point at something that is there. */
function stayInside({ lab, state, store }) {
  const ids = DRAWINGS.torch.parts.map(({ id }) => id);
  store.set({
    time: clip(state.time, 0, lab.ids.length - 1),
    unit: clip(state.unit, 0, lab.network.hidden - 1),
    layer: clip(state.layer, 0, lab.network.depth - 1),
    drawing: DRAWINGS[state.drawing] ? state.drawing : "olah",
    part: ids.includes(state.part) ? state.part : "c",
  });
}

/** One sentence from the numbers on the wires. */
const account = ({ lab, state, numbers: v }) =>
  `Reading ${spoken(lab.read[state.time])}, unit ${state.unit} keeps ${number(100 * v.f, 0)} % of its memory ` +
  `(${number(v.c0)}), writes ${number(v.i * v.g)}, holds ${number(v.c)} now and shows ${number(v.h)}.`;

function createSummary(view) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2 }),
    sentence = element("p", { class: "un-sentence" });
  return {
    element: element("header", {}, title, sentence),
    update() {
      write(title, "One cell: four layers of neurons, wired");
      queueMicrotask(() => view.numbers && write(sentence, account(view)));
    },
  };
}

function createDrawingChoice(view) {
  const { store, state, lab } = view;
  const unit = element("input", {
    type: "number",
    min: 0,
    class: "un-unit",
    ...KEYS,
    on: {
      input() {
        const wanted = Number.parseInt(unit.value, 10);
        if (Number.isInteger(wanted)) store.set({ unit: clip(wanted, 0, lab.network.hidden - 1) });
      },
      blur: () => (unit.value = state.unit),
    },
  });
  const layer = element("select", {
      ...KEYS,
      on: { change: () => store.set({ layer: Number(layer.value) }) },
    }),
    layerLabel = labelled("layer", layer);
  const choices = Object.values(DRAWINGS).map(({ key, title }) =>
    button(title, `drawing ${title}`, () => store.set({ drawing: key }), { "data-drawing": key }),
  );
  let offered = false;
  return {
    unit: element("div", { class: "un-row" }, labelled("unit", unit), layerLabel),
    drawings: element(
      "div",
      { class: "un-row un-drawings", role: "group", "aria-label": "drawing" },
      element("span", { class: "un-soft", text: "drawn as in" }),
      ...choices,
    ),
    update() {
      const { hidden, depth } = lab.network;
      if (!offered) {
        setOptions(
          layer,
          Array.from({ length: depth }, (_, k) => [k, `${k + 1} of ${depth}`]),
          state.layer,
        );
        layerLabel.hidden = depth === 1;
        unit.max = hidden - 1;
        offered = true;
      }
      layer.value = state.layer;
      if (Number(unit.value) !== state.unit || unit.value === "") unit.value = state.unit;
      for (const choice of choices)
        choice.setAttribute("aria-pressed", String(choice.dataset.drawing === state.drawing));
    },
  };
}

/** The drawing in words: every wire with its name, equation and number. */
function createAccount(view) {
  const list = element("ul"),
    plain = (equation) => equation.replace(/\{(\w+)\|?([^}]*)\}/g, (_, id, text) => text || id);
  const details = element(
    "details",
    { class: "un-soft", on: { toggle: () => view.store.touch("words") } },
    element("summary", { text: "In words", ...KEYS }),
    list,
  );
  const line = (part) => {
    const value = part.value(view.numbers);
    return `${part.title}: ${plain(part.equation)}, ${value === null ? view.numbers.reading : number(value)}.`;
  };
  return {
    element: details,
    update() {
      if (!details.open) return;
      const { parts } = DRAWINGS[view.state.drawing];
      list.replaceChildren(...parts.map((part) => element("li", { text: line(part) })));
    },
  };
}

/** Tells a screen reader where one is, once things are calm. */
function createReader(view) {
  const region = element("p", { class: "un-hidden", role: "status", "aria-live": "polite" });
  view.root.append(region);
  let calm = null;
  const speak = () =>
    write(
      region,
      `Step ${view.state.time + 1}. ${account(view)} Text coloured by ${LONG[view.state.colour]}.`,
    );
  return {
    hear(changed) {
      if (!view.any(changed, ["time", "unit", "layer", "now"])) return;
      clearTimeout(calm);
      calm = setTimeout(speak, 500);
    },
    stop: () => clearTimeout(calm),
  };
}

export default { render };
