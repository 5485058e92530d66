/** The text as the time axis: one cell a character, coloured by one signal of one unit. */
import { LONG, css, isGate, readable, shade } from "./colour.js";
import { KEYS, clearCanvas, element, glyph, listenKeys, number, spoken, watchPointer, write } from "./dom.js";

export function createStrip(view) {
  const { store, state, lab, tip } = view;
  const box = element("div", {
    class: "un-strip",
    role: "listbox",
    "aria-label": "The text, one character a step",
    ...KEYS,
  });
  const legend = createLegend();
  const caption = element("span");
  const panel = element(
    "figure",
    { class: "un-figure" },
    element("figcaption", { class: "un-row" }, caption, legend.element),
    box,
  );
  let cells = [],
    current = null;

  const value = (t) => lab.now.layers[state.layer][state.colour][t * lab.network.hidden + state.unit];
  const say = (t) => `step ${t + 1}, ${spoken(lab.read[t])}: ${state.colour} ${number(value(t))}`;
  const stepUnder = (event) => {
    const cell = box.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest(".un-cell");
    return cell && box.contains(cell) ? cells.indexOf(cell) : -1;
  };
  watchPointer(box, {
    onMove: (event) => stepUnder(event) >= 0 && store.set({ time: stepUnder(event) }),
    onHover: (event) =>
      tip.show(
        event && stepUnder(event) >= 0 ? event : null,
        event && stepUnder(event) >= 0 ? say(stepUnder(event)) : "",
      ),
  });
  listenKeys(box, view.travelKeys);

  function build() {
    cells = lab.read.map((character) =>
      element("span", { class: "un-cell", role: "option", tabindex: -1, text: glyph(character), ...KEYS }),
    );
    box.replaceChildren(...cells);
    current = null;
  }

  function paint() {
    const name = state.colour;
    cells.forEach((cell, t) => {
      const rgb = shade(name, value(t));
      cell.style.backgroundColor = css(rgb);
      cell.style.color = readable(rgb);
    });
    write(caption, `Every character, coloured by the ${LONG[name]} of unit ${state.unit} after reading it`);
    legend.paint(name);
  }

  function move() {
    const had = box.contains(box.getRootNode().activeElement);
    if (current) {
      current.tabIndex = -1;
      current.classList.remove("now");
      current.setAttribute("aria-selected", "false");
    }
    current = cells[state.time];
    current.tabIndex = 0;
    current.classList.add("now");
    current.setAttribute("aria-selected", "true");
    current.setAttribute("aria-label", say(state.time));
    if (had) current.focus({ preventScroll: true });
  }

  return {
    element: panel,
    update(changed) {
      const rebuilt = changed.has("read");
      if (rebuilt) build();
      if (rebuilt || view.any(changed, ["now", "unit", "layer", "colour"])) paint();
      if (rebuilt || view.any(changed, ["now", "unit", "layer", "colour", "time"])) move();
    },
  };
}

/** A colour bar with the ends of its scale. */
export function createLegend() {
  const canvas = element("canvas", { class: "un-legend-bar" });
  const low = element("span"),
    high = element("span");
  let painted = null;
  return {
    element: element(
      "span",
      { class: "un-legend", role: "img", "aria-label": "colour scale" },
      low,
      canvas,
      high,
    ),
    paint(name) {
      if (painted === name) return;
      painted = name;
      const end = name === "c" || name === "q" ? 2 : 1,
        start = isGate(name) ? 0 : -end;
      const context = clearCanvas(canvas, 96, 10);
      for (let x = 0; x < 96; x++) {
        context.fillStyle = css(shade(name, start + ((end - start) * x) / 95));
        context.fillRect(x, 0, 1, 10);
      }
      const beyond = name === "c" || name === "q";
      write(low, isGate(name) ? "0 closed" : `${beyond ? "≤ " : ""}${number(start, 0)}`);
      write(high, isGate(name) ? "1 open" : `${beyond ? "≥ " : ""}+${end}`);
    },
  };
}
