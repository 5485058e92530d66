/** The LSTM cell as a drawing whose every wire carries a number, can be hovered and focused, and says its equation. */
import { readings } from "./cell_parts.js";
import { LONG, css, readable, shade } from "./colour.js";
import { KEYS, drawing, element, listenKeys, number, spoken, write } from "./dom.js";
import { DRAWINGS, block } from "./lstm_drawings.js";

const unspoken = { "aria-hidden": "true" };

export function createCell(view) {
  const { store, state, lab } = view;
  const svg = drawing("svg", { class: "un-wiring un-lstm-svg", viewBox: "0 0 640 330", role: "group" });
  const caption = element("figcaption"),
    explanation = createMeaning(view);
  let shown = null,
    groups = new Map(),
    hovered = null,
    numbers = null;

  const parts = () => DRAWINGS[shown].parts;
  const hover = (id) => () => {
    hovered = id;
    explain();
  };

  function build() {
    shown = state.drawing;
    const { plan, names, squash } = DRAWINGS[shown];
    groups = new Map(parts().map((part) => [part.id, partGroup(part)]));
    const [x, y, width, height] = plan.frame;
    const quiet = [
      ...plan.quiet.map((d) => drawing("path", { d, class: "un-quiet" })),
      ...(plan.dashed ?? []).map((d) => drawing("path", { d, class: "un-quiet un-peephole" })),
    ];
    layOut(plan, names, squash, (id) => groups.get(id));
    const notes = [...plan.notes, ...blockNotes(DRAWINGS[shown], lab.network.hidden)].map(
      ([left, top, anchor, text]) =>
        drawing("text", { x: left, y: top, "text-anchor": anchor, class: "un-note", text, ...unspoken }),
    );
    const last = [...groups].filter(([id]) => (plan.over ?? []).includes(id)).map(([, group]) => group);
    const first = [...groups.values()].filter((group) => !last.includes(group));
    svg.replaceChildren(
      drawing("rect", { x, y, width, height, rx: 12, class: "un-cell-frame" }),
      ...quiet,
      ...first,
      ...last,
      ...notes,
    );
  }

  function partGroup(part) {
    const group = drawing("g", {
      class: "un-part",
      tabindex: -1,
      role: "button",
      "data-part": part.id,
      ...KEYS,
      on: {
        pointerenter: hover(part.id),
        pointerleave: hover(null),
        click: () => pick(part.id),
        focus: () => choose(part.id),
      },
    });
    listenKeys(group, {
      ArrowRight: () => walk(1),
      ArrowDown: () => walk(1),
      ArrowLeft: () => walk(-1),
      ArrowUp: () => walk(-1),
      Home: () => pick(parts()[0].id),
      End: () => pick(parts().at(-1).id),
      PageDown: () => view.go(state.time + 1),
      PageUp: () => view.go(state.time - 1),
      Enter: () => pick(part.id),
      " ": () => view.toggle(),
    });
    return group;
  }

  /** The part that is explained; where it is a gate or a state, the text is coloured by it too. */
  function choose(id) {
    const { signal } = parts().find((part) => part.id === id);
    store.set(signal ? { part: id, colour: signal } : { part: id });
  }

  function pick(id) {
    choose(id);
    groups.get(id).focus({ preventScroll: true });
  }
  view.pickPart = pick;

  function walk(n) {
    const ids = parts().map(({ id }) => id);
    pick(ids[(ids.indexOf(state.part) + n + ids.length) % ids.length]);
  }

  function explain() {
    const part = parts().find(({ id }) => id === (hovered ?? state.part)) ?? parts()[0];
    explanation.show(part, numbers);
    for (const [id, group] of groups) group.classList.toggle("lit", id === part.id);
  }

  function paint() {
    numbers = view.numbers = {
      ...readings(lab.network, lab.ids, lab.now, state.layer, state.time, state.unit),
      reading: state.layer ? `layer ${state.layer}` : spoken(lab.read[state.time]),
    };
    for (const part of parts()) paintNumbers(groups.get(part.id), part, numbers);
    const place = `unit ${state.unit}, step ${state.time + 1}`;
    write(
      caption,
      `The wires of ${place}, drawn ${DRAWINGS[shown].source}: hover over one, or walk with the arrow keys`,
    );
    svg.setAttribute("aria-label", `LSTM cell, ${place}. Arrow keys go from wire to wire.`);
  }

  return {
    picture: element("figure", { class: "un-figure" }, caption, svg),
    explanation: explanation.element,
    update(changed) {
      const rebuilt = shown !== state.drawing;
      if (rebuilt) build();
      if (rebuilt || view.any(changed, ["read", "now", "unit", "layer", "time", "theme"])) paint();
      for (const [id, group] of groups) group.setAttribute("tabindex", id === state.part ? 0 : -1);
      explain();
    },
  };
}

/** Which rows or columns of the weights lead to which gate. */
function blockNotes(shape, hidden) {
  const { blocks } = shape.plan;
  if (!blocks) return [];
  const [across, down, way] = blocks;
  return shape.order.map((id, k) =>
    way === "vertical"
      ? [across, down[k] + 4, "middle", block(shape, id, hidden)]
      : [across[k], down, "middle", block(shape, id, hidden)],
  );
}

function layOut(plan, names, squash, group) {
  const words = (id, x, y, anchor, kind, text) =>
    group(id).append(drawing("text", { x, y, "text-anchor": anchor, class: kind, text, ...unspoken }));
  for (const [id, d, colour] of plan.lines) {
    if ((plan.over ?? []).includes(id)) group(id).append(drawing("path", { d, class: "un-bridge" }));
    group(id).append(
      drawing("path", { d, class: "un-touch" }),
      drawing("path", { d, class: "un-wire", style: { stroke: `var(${colour})` } }),
    );
  }
  for (const [id, x, y, sign] of plan.operations) {
    group(id).append(drawing("circle", { cx: x, cy: y, r: 12, class: "un-op" }));
    words(id, x, y + 5, "middle", "un-op-sign", sign);
  }
  for (const [id, x, y, width, text] of plan.pills) {
    group(id).append(
      drawing("rect", { x: x - width / 2, y: y - 11, width, height: 22, rx: 11, class: "un-op" }),
    );
    words(id, x, y + 4, "middle", "un-pill", text);
  }
  for (const [id, x, y] of plan.boxes) {
    const box = { x: x - 26, y: y - 16, width: 52, height: 32, rx: 6, class: "un-gate" };
    group(id).append(drawing("rect", { ...box, style: { stroke: `var(--${id})` } }));
    words(id, x, y + 4, "middle", "un-gate-value", "");
  }
  for (const [id, x, y, anchor] of plan.labels) {
    const text = squash[id] ? `${names[id]} ${squash[id]}` : names[id];
    words(id, x, y, anchor, `un-part-name un-name-${id}`, text);
  }
  for (const [id, x, y, anchor] of plan.values) words(id, x, y, anchor, "un-number", "");
}

function paintNumbers(group, part, numbers) {
  const value = part.value(numbers),
    shown = value === null ? numbers.reading : number(value);
  const width = value === null ? 2 : 1.2 + 5 * Math.min(1, Math.abs(value));
  for (const wire of group.querySelectorAll(".un-wire")) wire.style.strokeWidth = width.toFixed(2);
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
  group.setAttribute("aria-label", `${part.title}: ${shown}`);
}

/** Beside the drawing: the equation with links to the parts that it names, the same with numbers, where the weights are. */
function createMeaning(view) {
  const { state, lab } = view;
  const title = element("b"),
    equation = element("div", { class: "un-equation" }),
    values = element("div", { class: "un-equation" }),
    words = element("p"),
    where = element("p", { class: "un-soft" });
  let told = null;

  const link = (id, text) =>
    element("button", {
      type: "button",
      class: "un-link",
      text,
      "aria-label": `${text}: go to ${LONG[id] ?? text}`,
      on: { click: () => view.pickPart(id) },
      ...KEYS,
    });

  return {
    element: element("div", { class: "un-explanation" }, title, equation, values, words, where),
    show(part, numbers) {
      const value = part.value(numbers);
      write(
        values,
        value === null ? `= ${numbers.reading}` : `= ${part.numbers(numbers)} = ${number(value)}`,
      );
      write(where, part.where(state.unit, lab.network.hidden, state.layer));
      if (told === part) return;
      told = part;
      write(title, part.title);
      write(words, part.words);
      const pieces = part.equation.split(/(\{[^}]+\})/).filter(Boolean);
      equation.replaceChildren(
        ...pieces.map((piece) => {
          const [, id, text] = /^\{(\w+)\|?(.*)\}$/.exec(piece) ?? [];
          return id ? link(id, text || id) : piece;
        }),
      );
    },
  };
}
