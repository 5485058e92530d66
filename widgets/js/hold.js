/** The experiment: hold a gate or a state of the chosen unit at a value, for all steps or some, and take it back. */
import { LONG, isGate, range } from "./colour.js";
import { KEYS, button, element, labelled, number, setOptions, write } from "./dom.js";
import { describeEdit } from "./experiment.js";

const HOLDABLE = { lstm: ["f", "i", "g", "o", "c", "h"], gru: ["z", "r", "n", "h"], rnn: ["h"] };

export function createHold(view) {
  const { store, state, lab } = view;
  const signal = element("select", {
    ...KEYS,
    on: { change: () => store.set({ held: signal.value, part: signal.value }) },
  });
  const scope = element("select", { ...KEYS, on: { change: () => store.set({ scope: scope.value }) } });
  setOptions(
    scope,
    [
      ["all", "all steps"],
      ["one", "this step"],
      ["on", "from this step on"],
    ],
    state.scope,
  );
  const slider = element("input", {
    type: "range",
    step: 0.01,
    ...KEYS,
    on: { input: () => hold(Number(slider.value), "slide") },
  });
  const output = element("output", { class: "un-held-value" });
  const quick = element("span", { class: "un-quick" });
  const release = button("as learnt", "let this signal go, as the network learnt it", () => edit(null));
  const chips = element("div", { class: "un-chips", role: "group", "aria-label": "what is held" });
  const undo = button("undo", "undo the last change", () => store.undo());
  const reset = button("reset", "back to the start", () => view.reset());
  const title = element("span");
  const panel = element(
    "figure",
    { class: "un-figure un-hold" },
    element("figcaption", {}, title),
    element("div", { class: "un-row un-line" }, labelled("hold", signal), slider, output),
    element("div", { class: "un-row" }, quick, release, labelled("for", scope)),
    element("div", { class: "un-row" }, chips, undo, reset),
  );

  const matches = (other) =>
    other.name === state.held &&
    other.unit === state.unit &&
    other.layer === state.layer &&
    (other.model ?? 0) === state.shown;
  const current = () => state.edits.find(matches);
  const steps = () => ({ all: null, one: [state.time, state.time + 1], on: [state.time, null] })[state.scope];

  function edit(value, gesture) {
    if (value === null && !current()) return;
    store.remember(["edits", "text"], gesture && `${gesture} ${state.held} ${state.unit}`);
    const others = state.edits.filter((other) => !matches(other));
    const mine = {
      model: state.shown,
      layer: state.layer,
      unit: state.unit,
      name: state.held,
      value,
      steps: steps(),
    };
    store.set({ edits: value === null ? others : [...others, mine] });
  }
  const hold = (value, gesture) => edit(value, gesture);

  function choices(name) {
    const entries = isGate(name)
      ? [
          ["shut 0", 0],
          ["open 1", 1],
        ]
      : [
          ["−1", -1],
          ["0", 0],
          ["+1", 1],
        ];
    quick.replaceChildren(
      ...entries.map(([text, value]) =>
        button(text, `hold ${LONG[name]} at ${number(value, 0)}`, () => hold(value)),
      ),
    );
    const [low, high] = range(name);
    Object.assign(slider, { min: low, max: high });
  }

  function list() {
    const mine = state.edits.filter((other) => (other.model ?? 0) === state.shown);
    const chip = (other) =>
      element("button", {
        type: "button",
        class: "un-chip",
        title: "let go",
        text: `${describeEdit(other, lab.network.depth > 1)} ✕`,
        ...KEYS,
        on: {
          click: () => {
            store.remember(["edits", "text"]);
            store.set({ edits: state.edits.filter((one) => one !== other) });
          },
        },
      });
    chips.replaceChildren(
      ...(mine.length ? mine.map(chip) : [element("span", { class: "un-soft", text: "Nothing is held." })]),
    );
  }

  let offered = null;
  return {
    element: panel,
    update(changed) {
      const names = HOLDABLE[lab.network.cell];
      if (!names.includes(state.held)) store.set({ held: names[0] });
      if (offered !== lab.network.cell)
        setOptions(
          signal,
          names.map((name) => [name, LONG[name]]),
          state.held,
        );
      if (offered !== `${lab.network.cell}` || view.any(changed, ["held", "shown"])) choices(state.held);
      offered = lab.network.cell;
      signal.value = state.held;
      scope.value = state.scope;
      const held = current(),
        value = held
          ? held.value
          : lab.now.layers[state.layer][state.held][state.time * lab.network.hidden + state.unit];
      if (Number(slider.value) !== value) slider.value = value;
      slider.setAttribute("aria-valuetext", `${number(value)}, ${held ? "held" : "as learnt"}`);
      slider.setAttribute("aria-label", `value of ${LONG[state.held]}`);
      write(output, number(value));
      panel.classList.toggle("active", Boolean(held));
      release.disabled = !held;
      write(title, `Experiment: hold a signal of unit ${state.unit}`);
      if (view.any(changed, ["edits", "shown", "layer", "now"])) list();
      undo.disabled = !store.undoSteps();
    },
  };
}
