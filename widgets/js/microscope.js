/** The gate microscope: one network, one text, every gate and state of every unit, and what holding one of them does. */
import { createConsequence } from "./consequence.js";
import { createChoices, createTextBox, createTransport } from "./transport.js";
import { LONG } from "./colour.js";
import { KEYS, clip, createTooltip, element, number, percent, spoken, write } from "./dom.js";
import { argmax, createExperiment, inWords, prediction, question, sentence } from "./experiment.js";
import { createHold } from "./hold.js";
import { bestFeature } from "./ranking.js";
import { SIGNALS, buildNetwork } from "./rnn.js";
import { LANES, createScore } from "./score.js";
import { createStore } from "./store.js";
import { createStrip } from "./strip.js";
import { followTheme } from "./theme.js";
import { createUnitMap } from "./unit_map.js";
import { createWiring } from "./wiring.js";

const SHARED = ["text", "time", "unit", "layer", "colour", "order", "edits", "shown", "theme", "message"];
const KEYBOARD = [
  "Tab goes through: time, unit and picture controls, the text, the strip, the map, the wiring, the experiment.",
  "On the strip and the map: left and right move in time, Page Up and Page Down by ten, Home and End to the ends; up and down choose a unit; space plays and pauses; Ctrl z undoes.",
  "On the wiring: arrow keys go from part to part, Enter chooses the signal that the experiment holds.",
];

/** Draw the microscope for a model (anywidget's or the page's) into a node; returns what cleans it up. */
function render({ model, el }) {
  const networks = model.get("_models").map((one) => buildNetwork(one, one.weights));
  const root = element("section", {
    class: "un un-microscope",
    "data-lm-suppress-shortcuts": "true",
    "aria-label": "gate microscope",
  });
  el.append(root);
  if (!networks.length) {
    root.classList.add("light");
    root.append(element("p", { class: "un-message", role: "status", text: model.get("message") }));
    return () => root.remove();
  }
  const store = createStore(model, SHARED, { part: null, held: null, scope: "all" });
  const view = createView({ model, root, store, networks });
  const text = createTextBox(view),
    panels = createPanels(view, text);
  const size = new ResizeObserver(() => store.touch("width"));
  size.observe(root);
  const announcer = createAnnouncer(view);
  store.listen((changed) => {
    if (changed.has("theme")) view.theme.choose(store.state.theme);
    if (["text", "shown", "edits", "start"].some((name) => changed.has(name))) recompute(view, changed);
    text.say(changed);
    if (!view.lab.ids.length) return;
    fitState(view);
    for (const panel of panels) panel.update(changed);
    announcer.hear(changed);
  });
  for (const name of ["start", "read", "now", "text"]) store.touch(name);
  return () => {
    for (const panel of panels) panel.stop?.();
    announcer.stop();
    size.disconnect();
    view.theme.stop();
    store.stop();
    root.remove();
  };
}

function createView({ model, root, store, networks }) {
  const { state } = store,
    lab = createExperiment(networks);
  const view = {
    root,
    store,
    state,
    lab,
    networks,
    tip: createTooltip(root),
    scores: model.get("_scores"),
    theme: followTheme(root, state.theme, () => store.touch("theme")),
    any: (changed, names) => names.some((name) => changed.has(name)),
    ranking: null,
    go: (time) => store.set({ time: clip(time, 0, lab.ids.length - 1) }),
    reset() {
      store.remember(["edits", "text"]);
      store.set({ ...model.get("_start"), scope: "all" });
    },
  };
  view.historyKeys = { undo: () => store.undo() };
  view.travelKeys = travelKeys(view);
  return view;
}

function travelKeys(view) {
  const { state, store } = view;
  const unitBy = (n) => {
    const { units } = view.ranking;
    store.set({ unit: units[clip(units.indexOf(state.unit) + n, 0, units.length - 1)] });
  };
  return {
    ...view.historyKeys,
    ArrowRight: () => view.go(state.time + 1),
    ArrowLeft: () => view.go(state.time - 1),
    PageDown: () => view.go(state.time + 10),
    PageUp: () => view.go(state.time - 10),
    Home: () => view.go(0),
    End: () => view.go(Infinity),
    ArrowUp: () => unitBy(-1),
    ArrowDown: () => unitBy(1),
    " ": () => view.toggle(),
  };
}

function createPanels(view, text) {
  const make = [
    createHeading,
    createTransport,
    createChoices,
    createStrip,
    createScore,
    createUnitMap,
    createWiring,
    createHold,
    createConsequence,
  ];
  const [heading, transport, choices, strip, score, map, wiring, hold, consequence] = make.map((create) =>
    create(view),
  );
  const left = element("div", {}, score.element, map.element),
    right = element("div", {}, wiring.element, hold.element, consequence.element);
  const words = createWords(view),
    keyboard = element(
      "details",
      { class: "un-soft" },
      element("summary", { text: "Keys", ...KEYS }),
      element("ul", {}, ...KEYBOARD.map((text) => element("li", { text }))),
    );
  view.root.append(
    heading.element,
    element("div", { class: "un-controls" }, transport.element, choices.element),
    text.element,
    strip.element,
    element("div", { class: "un-grid" }, left, right),
    words.element,
    keyboard,
  );
  return [heading, transport, choices, strip, map, score, wiring, hold, consequence, words];
}

/** The pictures in words, written when somebody asks for them. */
function createWords(view) {
  const { state, lab } = view,
    list = element("ul");
  const details = element(
    "details",
    { class: "un-soft", on: { toggle: () => view.store.touch("words") } },
    element("summary", { text: "In words", ...KEYS }),
    list,
  );
  const write = () => {
    const now = prediction(lab, lab.now, state.time),
      top = [...now.keys()].sort((a, b) => now[b] - now[a]).slice(0, 5);
    const lines = [
      `Step ${state.time + 1} of ${lab.ids.length} reads ${spoken(lab.read[state.time])}; then most probable: ${top.map((id) => `${spoken(lab.network.vocabulary[id])} ${percent(now[id])}`).join(", ")}.`,
      ...LANES[lab.network.cell].map((name) => inWords(lab, state.layer, state.unit, name)),
      `Units in the order of the map: ${view.ranking.units
        .slice(0, 10)
        .map((unit) => `${unit} ${view.ranking.brief(unit)}`)
        .join(", ")} …`,
    ];
    list.replaceChildren(...lines.map((text) => element("li", { text })));
  };
  return { element: details, update: () => details.open && write() };
}

/** Recompute the runs; `read` and `now` are marked as changed for the panels. */
function recompute(view, changed) {
  const { lab, state } = view;
  if (!lab.update(state)) return;
  changed.add("now");
  if (changed.has("text") || changed.has("start")) changed.add("read");
}

/** Whatever the traits say, the state must point at something that is there. */
function fitState({ lab, state, store }) {
  const { network } = lab,
    names = SIGNALS[network.cell];
  const fitted = {
    time: clip(state.time, 0, lab.ids.length - 1),
    unit: clip(state.unit, 0, network.hidden - 1),
    layer: clip(state.layer, 0, network.depth - 1),
    colour: names.includes(state.colour) ? state.colour : names.at(-1),
  };
  store.set(fitted);
}

function createHeading(view) {
  const { state, lab } = view;
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2 });
  const words = element("p", { class: "un-sentence" });
  return {
    element: element("header", {}, title, words),
    update(changed) {
      if (!lab.ids.length) return;
      write(title, question(lab, state.unit));
      if (view.any(changed, ["now", "unit", "layer", "time"]))
        write(words, sentence(lab, state, bestFeature(view.scores, state.layer, state.unit, state.shown)));
    },
  };
}

/** Tells a screen reader, once things are calm, where one is and what comes next. */
function createAnnouncer(view) {
  const { state, lab } = view;
  const region = element("p", { class: "un-hidden", role: "status", "aria-live": "polite" });
  view.root.append(region);
  let calm = null;
  const speak = () => {
    const next = prediction(lab, lab.now, state.time),
      top = argmax(next);
    const value = lab.now.layers[state.layer][state.colour][state.time * lab.network.hidden + state.unit];
    write(
      region,
      `Unit ${state.unit}, step ${state.time + 1}, ${spoken(lab.read[state.time])}: ${LONG[state.colour]} ${number(value)}. ` +
        `Most probable next: ${spoken(lab.network.vocabulary[top])}, ${percent(next[top])}.`,
    );
  };
  return {
    hear(changed) {
      if (!view.any(changed, ["time", "unit", "layer", "now", "colour"])) return;
      clearTimeout(calm);
      calm = setTimeout(speak, 500);
    },
    stop: () => clearTimeout(calm),
  };
}

export default { render };
