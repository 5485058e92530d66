/** Time, unit, layer, model and text: the controls above the pictures. */
import { LONG } from "./colour.js";
import { KEYS, button, clip, element, labelled, limit, number, setOptions, spoken, write } from "./dom.js";
import { SIGNALS } from "./rnn.js";
import { stillness } from "./theme.js";

const MOST = 10_000; // characters of a text box, more than are read

export function createTransport(view) {
  const { store, state, lab } = view;
  let timer = null;
  const play = button("▶ play", "play through the text", () => toggle(), { class: "un-play" });
  const slider = element("input", {
    type: "range",
    min: 0,
    class: "un-slider",
    "aria-label": "time step",
    ...KEYS,
    on: { input: () => store.set({ time: Number(slider.value) }) },
  });
  const readout = element("span", { class: "un-readout" });
  slider.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    toggle();
  });

  function toggle(on = timer === null) {
    clearInterval(timer);
    timer = null;
    if (on) {
      if (state.time === lab.ids.length - 1) store.set({ time: 0 });
      timer = setInterval(advance, stillness() ? 600 : 160);
    }
    write(play, on ? "❚❚ pause" : "▶ play");
    play.setAttribute("aria-label", on ? "pause" : "play through the text");
  }

  function advance() {
    if (state.time >= lab.ids.length - 1) toggle(false);
    else store.set({ time: state.time + 1 });
  }
  view.toggle = toggle;

  return {
    element: element(
      "div",
      { class: "un-row un-transport", role: "group", "aria-label": "time" },
      button("|◀", "first step", () => view.go(0)),
      button("◀", "one step back", () => view.go(state.time - 1)),
      play,
      button("▶", "one step forward", () => view.go(state.time + 1)),
      slider,
      readout,
    ),
    update(changed) {
      if (!view.any(changed, ["read", "time"])) return;
      slider.max = lab.ids.length - 1;
      slider.value = state.time;
      slider.setAttribute(
        "aria-valuetext",
        `step ${state.time + 1} of ${lab.ids.length}, ${spoken(lab.read[state.time])}`,
      );
      write(readout, `step ${state.time + 1} of ${lab.ids.length}, reads ${spoken(lab.read[state.time])}`);
    },
    stop: () => clearInterval(timer),
  };
}

export function createChoices(view) {
  const { store, state, lab, networks } = view;
  const unit = element("input", {
    type: "number",
    min: 0,
    class: "un-unit",
    ...KEYS,
    on: { input: () => chooseUnit(), blur: () => (unit.value = state.unit) },
  });
  const layer = element("select", {
    ...KEYS,
    on: { change: () => store.set({ layer: Number(layer.value) }) },
  });
  const layerLabel = labelled("layer", layer);
  const colour = element("select", { ...KEYS, on: { change: () => store.set({ colour: colour.value }) } });
  const models = networks.map((network, k) =>
    button("", `show model ${"AB"[k]}`, () => store.set({ shown: k })),
  );
  let offered = null;

  function chooseUnit() {
    const wanted = Number.parseInt(unit.value, 10);
    if (Number.isInteger(wanted)) store.set({ unit: clip(wanted, 0, lab.network.hidden - 1) });
  }

  return {
    element: element(
      "div",
      { class: "un-row" },
      labelled("unit", unit),
      layerLabel,
      labelled("colour by", colour),
      ...(models.length > 1
        ? [element("span", { class: "un-models", role: "group", "aria-label": "model" }, ...models)]
        : []),
    ),
    update(changed) {
      const { network } = lab;
      if (offered !== network) {
        setOptions(
          layer,
          Array.from({ length: network.depth }, (_, k) => [k, `${k + 1} of ${network.depth}`]),
          state.layer,
        );
        setOptions(
          colour,
          SIGNALS[network.cell].map((name) => [name, LONG[name]]),
          state.colour,
        );
        layerLabel.hidden = network.depth === 1;
        unit.max = network.hidden - 1;
        offered = network;
      }
      layer.value = state.layer;
      colour.value = state.colour;
      if (Number(unit.value) !== state.unit || unit.value === "") unit.value = state.unit;
      if (!view.any(changed, ["read", "shown"])) return;
      models.forEach((choice, k) => {
        write(choice, `${"AB"[k]}: ${networks[k].name} · ${number(lab.bits[k])} bits a character`);
        choice.setAttribute("aria-pressed", String(k === state.shown));
      });
    },
  };
}

export function createTextBox(view) {
  const { store, state, lab } = view;
  const box = element("textarea", {
    rows: 2,
    class: "un-text",
    spellcheck: "false",
    "aria-label": "text to read",
    ...KEYS,
    on: {
      input: () => {
        store.remember(["edits", "text"], "typing");
        store.set({ text: box.value });
      },
    },
  });
  let cut = "";
  limit(box, MOST, (words) => {
    cut = words;
    store.touch("cut");
  });
  const message = element("span", { class: "un-message", role: "status" });
  return {
    element: element(
      "div",
      { class: "un-text-box" },
      element(
        "div",
        { class: "un-row" },
        element("label", { class: "un-label" }, element("span", { text: "text to read (edit it)" })),
        message,
      ),
      box,
    ),
    /** Keep the box and the message line right, also when there is nothing that could be read. */
    say(changed) {
      write(message, [state.message, cut, lab.note].filter(Boolean).join(" "));
      if (changed.has("text") && box.value !== state.text) box.value = state.text;
    },
  };
}
