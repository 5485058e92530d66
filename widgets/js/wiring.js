/** The cell as a wiring diagram: live numbers on its wires, width by value, every part hoverable and focusable. */
import { PARTS, WIRING, readings } from "./cell_parts.js";
import { LONG, css, readable, shade } from "./colour.js";
import { KEYS, drawing, element, listenKeys, number, spoken, write } from "./dom.js";

export function createWiring(view) {
  const { store, state, lab } = view;
  const svg = drawing("svg", { class: "un-wiring", viewBox: "0 0 440 262", role: "group" });
  const caption = element("figcaption");
  const panel = element(
    "figure",
    { class: "un-figure" },
    caption,
    svg,
    element("figcaption", { class: "un-soft", text: "" }),
  );
  const explanation = createExplanation(view);
  panel.lastChild.replaceWith(explanation.element);
  let builtFor = null,
    groups = new Map(),
    parts = [],
    hovered = null,
    numbers = null;

  function build() {
    builtFor = lab.network.cell;
    parts = PARTS[builtFor];
    groups = new Map(parts.map((part) => [part.id, partGroup(part)]));
    const plan = WIRING[builtFor];
    drawPlan(plan, (id) => groups.get(id));
    const [x, y, width, tall] = plan.frame;
    const quiet = plan.quiet.map((d) => drawing("path", { d, class: "un-quiet" }));
    svg.replaceChildren(
      drawing("rect", { x, y, width, height: tall, rx: 12, class: "un-cell-frame" }),
      ...quiet,
      ...groups.values(),
    );
    if (!groups.has(state.part)) store.set({ part: builtFor === "lstm" ? "c" : "h" });
  }

  function partGroup(part) {
    const show = (id) => () => {
      hovered = id;
      explain();
    };
    const group = drawing("g", {
      class: "un-part",
      tabindex: -1,
      role: "button",
      "data-part": part.id,
      ...KEYS,
      on: {
        pointerenter: show(part.id),
        pointerleave: show(null),
        click: () => pick(part.id),
        focus: () => store.set({ part: part.id }),
      },
    });
    listenKeys(group, {
      ...view.historyKeys,
      ArrowRight: () => focusBy(1),
      ArrowDown: () => focusBy(1),
      ArrowLeft: () => focusBy(-1),
      ArrowUp: () => focusBy(-1),
      Home: () => pick(parts[0].id),
      End: () => pick(parts.at(-1).id),
      Enter: () => pick(part.id),
      " ": () => pick(part.id),
    });
    return group;
  }

  function pick(id) {
    const { signal } = parts.find((part) => part.id === id);
    store.set(signal ? { part: id, held: signal } : { part: id });
    groups.get(id).focus({ preventScroll: true });
  }
  view.pickPart = pick;

  function focusBy(n) {
    const k = parts.findIndex((part) => part.id === state.part);
    pick(parts[(k + n + parts.length) % parts.length].id);
  }

  function explain() {
    const part = parts.find(({ id }) => id === (hovered ?? state.part)) ?? parts[0];
    explanation.show(part, numbers);
    for (const [id, group] of groups) group.classList.toggle("lit", id === part.id);
  }

  function paint() {
    numbers = {
      ...readings(lab.network, lab.ids, lab.now, state.layer, state.time, state.unit),
      reading: state.layer ? `hidden states of layer ${state.layer}` : spoken(lab.read[state.time]),
    };
    const held = heldHere(view);
    for (const part of parts) paintPart(groups.get(part.id), part, numbers, held.has(part.signal));
    write(
      caption,
      `Unit ${state.unit} at step ${state.time + 1}: hover over a wire, or walk with the arrow keys`,
    );
    svg.setAttribute(
      "aria-label",
      `Wiring of unit ${state.unit} at step ${state.time + 1}. Arrow keys go from part to part.`,
    );
  }

  function rove() {
    for (const [id, group] of groups) group.setAttribute("tabindex", id === state.part ? 0 : -1);
  }

  return {
    element: panel,
    update(changed) {
      if (builtFor !== lab.network.cell) build();
      if (view.any(changed, ["read", "now", "unit", "layer", "time", "theme"])) paint();
      if (view.any(changed, ["part", "now", "shown"])) rove();
      explain();
    },
  };
}

/** Signals of the chosen unit that a clamp holds at the chosen step. */
export function heldHere({ lab, state }) {
  const here = ({ unit, layer, steps }) =>
    unit === state.unit &&
    layer === state.layer &&
    (!steps || (state.time >= steps[0] && state.time < (steps[1] ?? Infinity)));
  return new Map(lab.edits.filter(here).map((edit) => [edit.name, edit.value]));
}

function drawPlan(plan, group) {
  for (const [id, d, colour] of plan.lines) {
    group(id).append(
      drawing("path", { d, class: "un-touch" }),
      drawing("path", { d, class: "un-wire", style: { stroke: `var(${colour})` } }),
    );
  }
  for (const [id, x, y, text] of plan.operations) {
    group(id).append(
      drawing("circle", { cx: x, cy: y, r: 11, class: "un-op" }),
      drawing("text", {
        "aria-hidden": "true",
        x,
        y: y + 5,
        "text-anchor": "middle",
        class: "un-op-sign",
        text,
      }),
    );
  }
  for (const [id, x, y, width, text] of plan.pills) {
    group(id).append(
      drawing("rect", { x: x - width / 2, y: y - 11, width, height: 22, rx: 11, class: "un-op" }),
      drawing("text", {
        "aria-hidden": "true",
        x,
        y: y + 4,
        "text-anchor": "middle",
        class: "un-pill",
        text,
      }),
    );
  }
  for (const [id, x, y] of plan.boxes) {
    group(id).append(
      drawing("rect", {
        x: x - 22,
        y: y - 14,
        width: 44,
        height: 28,
        rx: 6,
        class: "un-gate",
        style: { stroke: `var(--${{ z: "f", r: "i", n: "g", q: "g" }[id] ?? id})` },
      }),
      drawing("text", {
        "aria-hidden": "true",
        x,
        y: y + 4,
        "text-anchor": "middle",
        class: "un-gate-value",
      }),
    );
  }
  for (const [id, x, y, anchor, text] of plan.labels) {
    group(id).append(
      drawing("text", {
        "aria-hidden": "true",
        x,
        y,
        "text-anchor": anchor,
        class: `un-part-name un-name-${id}`,
        text,
      }),
    );
  }
  for (const [id, x, y, anchor] of plan.values)
    group(id).append(
      drawing("text", { "aria-hidden": "true", x, y, "text-anchor": anchor, class: "un-number" }),
    );
  group("x").append(
    drawing("text", { "aria-hidden": "true", x: plan.reading[0], y: plan.reading[1], class: "un-reading" }),
  );
}

function paintPart(group, part, numbers, held) {
  const value = part.value(numbers);
  const shown = value === null ? numbers.reading : number(value);
  for (const wire of group.querySelectorAll(".un-wire"))
    wire.style.strokeWidth = value === null ? 2 : (1.2 + 5 * Math.min(1, Math.abs(value))).toFixed(2);
  const box = group.querySelector(".un-gate");
  if (box) {
    const rgb = shade(part.signal, value),
      text = group.querySelector(".un-gate-value");
    box.style.fill = css(rgb);
    text.style.fill = readable(rgb);
    write(text, shown);
  }
  const label = group.querySelector(".un-number");
  if (label) write(label, shown);
  const reading = group.querySelector(".un-reading");
  if (reading) write(reading, `x = ${shown}`);
  group.classList.toggle("held", held);
  group.setAttribute("aria-label", `${part.title}: ${shown}${held ? ", held" : ""}`);
}

/** The box under the diagram: equation with links to the parts it names, the same with numbers, one sentence. */
function createExplanation(view) {
  const title = element("b"),
    equation = element("span", { class: "un-equation" }),
    values = element("span", { class: "un-equation" });
  const words = element("p"),
    rows = element("span", { class: "un-soft" });
  let shown = null;
  return {
    element: element(
      "div",
      { class: "un-explanation" },
      element("div", { class: "un-row" }, title, rows),
      element("div", {}, equation, values),
      words,
    ),
    show(part, numbers) {
      const value = part.value(numbers),
        held = heldHere(view).get(part.signal);
      write(
        values,
        value === null
          ? ` = ${numbers.reading}`
          : held === undefined
            ? ` = ${part.numbers(numbers)} = ${number(value)}`
            : ` held at ${number(held)}`,
      );
      if (shown === part) return;
      shown = part;
      write(title, part.title);
      write(words, part.words);
      write(rows, weightRows(view, part));
      equation.replaceChildren(
        ...part.equation
          .split(/(\{[^}]+\})/)
          .filter(Boolean)
          .map((piece) => {
            const [, id, text] = /^\{(\w+)\|?(.*)\}$/.exec(piece) ?? [];
            return id
              ? element("button", {
                  type: "button",
                  class: "un-link",
                  text: text || id,
                  "aria-label": `go to ${LONG[id] ?? text ?? id}`,
                  on: { click: () => view.pickPart(id) },
                  ...KEYS,
                })
              : piece;
          }),
      );
    },
  };
}

/** Where the weights of a gate stand in torch's tensors. */
function weightRows({ lab, state }, part) {
  const block = { lstm: ["i", "f", "g", "o"], gru: ["r", "z", "n"], rnn: ["h"] }[lab.network.cell].indexOf(
    part.id === "q" ? "n" : part.id,
  );
  if (block < 0 || !part.equation.includes("W")) return "";
  const where = part.id === "q" ? "weight_hh" : "weight_ih, weight_hh";
  return `row ${block * lab.network.hidden + state.unit} of ${where}_l${state.layer}`;
}
