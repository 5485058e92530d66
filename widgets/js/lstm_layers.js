/** One cell is one layer: the four layers of neurons inside it, every unit a stripe, in the order of the drawing. */
import { LONG, css, shade } from "./colour.js";
import {
  KEYS,
  clearCanvas,
  clip,
  element,
  listenKeys,
  number,
  pointerShare,
  watchPointer,
  write,
} from "./dom.js";
import { DRAWINGS } from "./lstm_drawings.js";

const TALL = 20,
  ROOM = 8;

export function createLayers(view) {
  const { store, state, lab, tip } = view;
  const canvas = element("canvas", { class: "un-lstm-layers" }),
    frame = element("div", { class: "un-cursor" }),
    names = element("div", { class: "un-lstm-names", "aria-hidden": "true" });
  const stage = element(
    "div",
    {
      class: "un-stage",
      tabindex: 0,
      role: "slider",
      "aria-label": "unit, in four layers",
      "aria-valuemin": 0,
      ...KEYS,
    },
    canvas,
    frame,
  );
  const caption = element("figcaption");

  const unitBy = (n) => store.set({ unit: clip(state.unit + n, 0, lab.network.hidden - 1) });
  const at = (event) => {
    const [x, y] = pointerShare(event, stage);
    const { order } = DRAWINGS[state.drawing];
    return { unit: Math.floor(x * lab.network.hidden), name: order[Math.min(3, Math.floor(4 * y))] };
  };
  const value = (name, unit) => lab.now.layers[state.layer][name][state.time * lab.network.hidden + unit];
  watchPointer(stage, {
    onMove: (event) => store.set({ unit: at(event).unit }),
    onHover(event) {
      const place = event && at(event);
      tip.show(
        event,
        place ? `${LONG[place.name]} of unit ${place.unit}: ${number(value(place.name, place.unit))}` : "",
      );
    },
  });
  listenKeys(stage, {
    ArrowRight: () => unitBy(1),
    ArrowUp: () => unitBy(1),
    ArrowLeft: () => unitBy(-1),
    ArrowDown: () => unitBy(-1),
    PageUp: () => unitBy(10),
    PageDown: () => unitBy(-10),
    Home: () => unitBy(-Infinity),
    End: () => unitBy(Infinity),
    " ": () => view.toggle(),
  });

  function paint() {
    const { order, names: letters, squash } = DRAWINGS[state.drawing],
      { hidden } = lab.network;
    const width = Math.max(80, stage.clientWidth),
      height = 4 * TALL + 3 * ROOM,
      context = clearCanvas(canvas, width, height);
    order.forEach((name, k) => {
      for (let unit = 0; unit < hidden; unit++) {
        context.fillStyle = css(shade(name, value(name, unit)));
        const left = (unit * width) / hidden;
        context.fillRect(left, k * (TALL + ROOM), Math.max(0.5, width / hidden - (width > 4 * hidden)), TALL);
      }
    });
    frame.style.left = `${(state.unit * width) / hidden - 2}px`;
    frame.style.width = `${Math.max(4, width / hidden + 3)}px`;
    names.replaceChildren(
      ...order.map((name) =>
        element("span", { style: { color: `var(--${name})` }, text: `${letters[name]} ${squash[name]}` }),
      ),
    );
    stage.setAttribute("aria-valuemax", hidden - 1);
    stage.setAttribute("aria-valuenow", state.unit);
    stage.setAttribute(
      "aria-valuetext",
      `unit ${state.unit}: ${order.map((name) => `${LONG[name]} ${number(value(name, state.unit))}`).join(", ")}`,
    );
    write(caption, `Inside: four layers of ${hidden} neurons at this step; the frame is unit ${state.unit}`);
  }

  return {
    element: element(
      "figure",
      { class: "un-figure" },
      caption,
      element("div", { class: "un-lstm-rows" }, names, stage),
    ),
    update(changed) {
      const seen = ["read", "now", "unit", "layer", "time", "theme", "drawing", "width"];
      if (view.any(changed, seen)) paint();
    },
  };
}
