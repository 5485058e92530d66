/** The text strip: a text coloured by any signal of any unit, and the other places where that unit fires. */
import { fromTrace, peaks, readOn, toRead } from "./activations.js";
import { LONG } from "./colour.js";
import {
  KEYS,
  button,
  clip,
  createTooltip,
  element,
  labelled,
  number,
  quoted,
  setOptions,
  write,
} from "./dom.js";
import { createLongStrip } from "./long_strip.js";
import { createPlaces } from "./places.js";
import { beginning, bestFeature, chooseOrder, orderEntries, rank } from "./ranking.js";
import { buildNetwork } from "./rnn.js";
import { createStore } from "./store.js";
import { createLegend } from "./strip.js";
import { followTheme } from "./theme.js";

const SHARED = ["time", "unit", "layer", "colour", "order", "source", "direction", "theme", "message"];
const HELP = [
  "On the text: left and right move by a character, Page Up and Page Down by a line, Home and End to the ends; up and down choose a unit.",
  "Every place in the list is a button that takes you there.",
];

function render({ model, el }) {
  const root = element("section", {
    class: "un un-text-strip",
    "data-lm-suppress-shortcuts": "true",
    "aria-label": "text strip",
  });
  el.append(root);
  const [sources, network] = openSources(model);
  if (!sources.length || !sources[0].characters.length) {
    root.classList.add("light");
    root.append(
      element("p", {
        class: "un-message",
        role: "status",
        text:
          model.get("message") ||
          "There is nothing to read: give a text of at least one character the model knows.",
      }),
    );
    return () => root.remove();
  }
  const store = createStore(model, SHARED),
    view = createStripView({ model, root, store, sources });
  const panels = createStripPanels(view),
    life = { stopped: false };
  const size = new ResizeObserver(() => store.touch("width"));
  size.observe(root);
  store.listen((changed) => {
    if (changed.has("theme")) view.theme.choose(store.state.theme);
    fitPlace(view);
    for (const panel of panels) panel.update(changed);
  });
  store.touch("start");
  if (network) readAll(network, sources, life, () => store.touch("progress"));
  return () => {
    life.stopped = true;
    for (const panel of panels) panel.stop?.();
    size.disconnect();
    view.theme.stop();
    store.stop();
    root.remove();
  };
}

/** What there is to look at: the text, and the longer text to search, if one came along. */
function openSources(model) {
  const trace = model.get("_trace"),
    [packed] = model.get("_models");
  if (trace.values) return [[fromTrace(trace)], null];
  if (!packed) return [[], null];
  const network = buildNetwork(packed, packed.weights);
  return [
    [model.get("text"), model.get("search")].filter(Boolean).map((text) => toRead(network, text)),
    network,
  ];
}

async function readAll(network, sources, life, onProgress) {
  for (const source of sources) await readOn(network, source, life, onProgress);
}

function createStripView({ model, root, store, sources }) {
  const { state } = store;
  const view = {
    root,
    store,
    state,
    sources,
    tip: createTooltip(root),
    scores: model.get("_scores"),
    theme: followTheme(root, state.theme, () => store.touch("theme")),
    any: (changed, names) => names.some((name) => changed.has(name)),
    source: () => sources[state.source] ?? sources[0],
    /** Where to look for peaks: in the longer text, if there is one. */
    searched: () => sources.at(-1),
    ranking: { units: [] },
    go: (time) => store.set({ time: clip(time, 0, Math.max(0, view.source().done - 1)) }),
  };
  const unitBy = (n) => {
    const { units } = view.ranking;
    store.set({ unit: units[clip(units.indexOf(state.unit) + n, 0, units.length - 1)] });
  };
  view.travelKeys = {
    ArrowRight: () => view.go(state.time + 1),
    ArrowLeft: () => view.go(state.time - 1),
    Home: () => view.go(0),
    End: () => view.go(Infinity),
    ArrowUp: () => unitBy(-1),
    ArrowDown: () => unitBy(1),
  };
  return view;
}

function fitPlace({ state, store, sources }) {
  const { hidden, depth, names } = sources[0];
  const source = clip(state.source, 0, sources.length - 1);
  store.set({
    source,
    unit: clip(state.unit, 0, hidden - 1),
    layer: clip(state.layer, 0, depth - 1),
    colour: names.includes(state.colour) ? state.colour : names.at(-1),
    time: clip(state.time, 0, Math.max(0, sources[source].characters.length - 1)),
  });
}

function createStripPanels(view) {
  const strip = createLongStrip(view),
    heading = createStripHeading(view, strip);
  const pickers = createPickers(view),
    places = createPlaces(view);
  const keyboard = element(
    "details",
    { class: "un-soft" },
    element("summary", { text: "Keys", ...KEYS }),
    element("ul", {}, ...HELP.map((text) => element("li", { text }))),
  );
  view.root.append(
    heading.element,
    pickers.element,
    heading.bar,
    strip.element,
    heading.readout,
    places.element,
    keyboard,
  );
  return [pickers, strip, heading, places];
}

function createStripHeading(view, strip) {
  const { state, store, sources } = view,
    legend = createLegend();
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2 }),
    words = element("p", { class: "un-sentence" });
  const message = element("p", { class: "un-message", role: "status" });
  const progress = element("span", { class: "un-soft" });
  const readout = element("p", { class: "un-readout-line", "aria-live": "polite" });
  const switches = sources.map((_, k) =>
    button("", `show ${k ? "the longer text" : "the text"}`, () => store.set({ source: k, time: 0 })),
  );
  let seen = 0;
  return {
    element: element("header", {}, title, words, message),
    bar: element(
      "div",
      { class: "un-row un-strip-bar" },
      ...(sources.length > 1
        ? [element("span", { class: "un-models", role: "group", "aria-label": "which text" }, ...switches)]
        : []),
      progress,
      legend.element,
    ),
    readout,
    update(changed) {
      const { characters, done, note } = view.source();
      switches.forEach((choice, k) => {
        write(
          choice,
          `${k ? "longer text" : "text"}, ${sources[k].characters.length.toLocaleString("en")} characters`,
        );
        choice.setAttribute("aria-pressed", String(k === state.source));
      });
      const reading = sources.find((source) => source.done < source.characters.length);
      write(
        progress,
        reading ? `reading: ${Math.round((100 * reading.done) / reading.characters.length)} %` : "",
      );
      write(message, [state.message, note].filter(Boolean).join(" "));
      legend.paint(state.colour);
      if (!done) return;
      write(title, `Where does unit ${state.unit} fire?`);
      if (done !== seen || view.any(changed, ["start", "unit", "layer", "colour", "source"]))
        write(words, whereSentence(view, strip.values()));
      seen = done;
      write(
        readout,
        state.time < done
          ? strip.say(state.time) +
              (state.time
                ? `, after ${quoted(characters.slice(Math.max(0, state.time - 24), state.time))}`
                : "")
          : "",
      );
    },
  };
}

function whereSentence({ state, scores, source }, values) {
  const { characters } = source(),
    [top] = peaks(values, { count: 1 }),
    [low] = peaks(values, { count: 1, lowest: true });
  const follows = bestFeature(scores, state.layer, state.unit);
  const around = (t) => quoted(characters.slice(Math.max(0, t - 8), t + 1));
  return `${beginning(follows)} ${LONG[state.colour]} is highest after ${around(top)} (${number(values[top])}) and lowest after ${around(low)} (${number(values[low])}).`;
}

function createPickers(view) {
  const { store, state, sources } = view,
    { hidden, depth, names } = sources[0];
  const unit = element("input", {
    type: "number",
    min: 0,
    max: hidden - 1,
    class: "un-unit",
    ...KEYS,
    on: {
      input: () =>
        Number.isInteger(Number.parseInt(unit.value, 10)) &&
        store.set({ unit: clip(Number.parseInt(unit.value, 10), 0, hidden - 1) }),
    },
  });
  const picker = (key, toValue = (value) => value) => {
    const select = element("select", {
      ...KEYS,
      on: { change: () => store.set({ [key]: toValue(select.value) }) },
    });
    return select;
  };
  const layer = picker("layer", Number),
    colour = picker("colour"),
    order = picker("order"),
    best = element("span", { class: "un-best" });
  setOptions(
    layer,
    Array.from({ length: depth }, (_, k) => [k, `${k + 1} of ${depth}`]),
    state.layer,
  );
  setOptions(
    colour,
    names.map((name) => [name, LONG[name]]),
    state.colour,
  );
  const layerLabel = labelled("layer", layer);
  layerLabel.hidden = depth === 1;
  let offered = null;

  function sort() {
    const source = view.source(),
      signal = source.layers[state.layer][state.colour].subarray(0, source.done * hidden);
    view.ranking = rank(state.order, view.scores, state.layer, signal, state.colour, hidden);
    const top = view.ranking.say(0) ? view.ranking.units.slice(0, 5) : [];
    best.replaceChildren(
      ...top.map((one) =>
        button(
          `${one} · ${view.ranking.brief(one)}`,
          `choose unit ${one}, ${view.ranking.say(one)}`,
          () => store.set({ unit: one }),
          { "data-unit": one, "aria-label": null },
        ),
      ),
    );
  }

  return {
    element: element(
      "div",
      { class: "un-row un-pickers" },
      labelled("unit", unit),
      layerLabel,
      labelled("colour by", colour),
      labelled("sort units by", order),
      best,
    ),
    update(changed) {
      if (offered !== state.layer) setOptions(order, orderEntries(view.scores, state.layer), state.order);
      offered = state.layer;
      Object.assign(layer, { value: state.layer });
      Object.assign(colour, { value: state.colour });
      chooseOrder(order, state.order);
      if (Number(unit.value) !== state.unit || unit.value === "") unit.value = state.unit;
      const finished = changed.has("progress") && view.source().done === view.source().characters.length;
      if (finished || view.any(changed, ["start", "layer", "colour", "order", "source"])) sort();
      for (const choice of best.children)
        choice.setAttribute("aria-pressed", String(choice.dataset.unit === String(state.unit)));
    },
  };
}

export default { render };
