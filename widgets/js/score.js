/** One unit as a score: a lane for every gate and state, and one for what the whole network makes of it. */
import { LONG, TOKEN, isGate } from "./colour.js";
import {
  clearCanvas,
  clip,
  element,
  glyph,
  number,
  pointerShare,
  spoken,
  watchPointer,
  write,
} from "./dom.js";
import { inWords } from "./experiment.js";

export const LANES = { lstm: ["i", "f", "g", "o", "c", "h"], gru: ["r", "z", "n", "h"], rnn: ["h"] };
const SURPRISE = "surprise",
  AXIS = 18,
  MOST_BITS = 8;

export function createScore(view) {
  const { store, state, lab, theme, tip } = view;
  const canvas = element("canvas", { class: "un-time", role: "img" });
  const cursor = element("div", { class: "un-cursor" });
  const stage = element("div", { class: "un-stage un-score" }, canvas, cursor);
  const names = element("div", { class: "un-names" }),
    values = element("div", { class: "un-values", "aria-hidden": "true" });
  const caption = element("figcaption");
  const panel = element(
    "figure",
    { class: "un-figure" },
    caption,
    element("div", { class: "un-lanes" }, names, stage, values),
  );
  let lanes = [],
    height = 44,
    builtFor = null;

  const stepAt = (event) => Math.floor(pointerShare(event, stage)[0] * lab.ids.length);
  const laneAt = (event) =>
    lanes[
      Math.min(lanes.length - 1, Math.floor((pointerShare(event, stage)[1] * stage.clientHeight) / height))
    ];
  watchPointer(stage, {
    onMove: (event) => store.set({ time: stepAt(event) }),
    onHover: (event) =>
      tip.show(
        event,
        event
          ? `step ${stepAt(event) + 1}, ${spoken(lab.read[stepAt(event)])}: ${reading(laneAt(event), stepAt(event))}`
          : "",
      ),
  });

  const track = (name, run) => run.layers[state.layer][name];
  const at = (t) => t * lab.network.hidden + state.unit;
  const valueAt = (name, t) => (name === SURPRISE ? lab.surprise[t] : track(name, lab.now)[at(t)]);

  function reading(name, t) {
    const value = valueAt(name, t);
    if (name === SURPRISE)
      return value === undefined
        ? "nothing follows"
        : `${number(value)} bits of surprise at ${spoken(lab.read[t + 1])}`;
    const learnt = lab.edits.length ? ` (as learnt ${number(track(name, lab.learnt)[at(t)])})` : "";
    return `${name} ${number(value)}${learnt}`;
  }

  function build() {
    builtFor = lab.network.cell;
    lanes = [...LANES[builtFor], SURPRISE];
    height = clip(Math.floor(308 / lanes.length), 44, 154);
    stage.style.height = `${height * lanes.length + AXIS}px`;
    const row = (extra) => ({ ...extra, style: { height: `${height}px`, ...extra.style } });
    names.replaceChildren(
      ...lanes.map((name) =>
        element(
          "div",
          row({
            class: "un-lane-name",
            style: { color: `var(${TOKEN[name] ?? "--soft"})` },
            on: name === SURPRISE ? {} : { click: () => store.set({ colour: name }) },
            title:
              name === SURPRISE
                ? "−log₂ of the probability that the network gave to the character that follows"
                : `${LONG[name]}: click to colour the text and the map by it`,
          }),
          element("b", { class: "un-long", text: name === SURPRISE ? "surprise, bits" : LONG[name] }),
          element("b", { class: "un-short", text: name === SURPRISE ? "bits" : name }),
          element("span", { class: "un-range" }),
        ),
      ),
    );
    values.replaceChildren(...lanes.map(() => element("div", row({ class: "un-value" }))));
  }

  /** [low, high] of a lane; a cell state gets the room that this unit needs. */
  function span(name) {
    if (name === SURPRISE) return [0, MOST_BITS];
    if (isGate(name)) return [0, 1];
    if (name !== "c") return [-1, 1];
    let most = 1;
    for (let t = 0; t < lab.ids.length; t++)
      most = Math.max(most, Math.abs(track("c", lab.now)[at(t)]), Math.abs(track("c", lab.learnt)[at(t)]));
    return [-Math.ceil(most), Math.ceil(most)];
  }

  function paint() {
    const width = stage.clientWidth,
      steps = lab.ids.length,
      dx = width / steps;
    const context = clearCanvas(canvas, width, height * lanes.length + AXIS);
    lanes.forEach((name, k) => {
      const [low, high] = span(name),
        top = k * height + 4,
        tall = height - 8;
      const y = (v) => top + tall * (1 - (clip(v, low, high) - low) / (high - low));
      write(names.children[k].lastChild, name === SURPRISE ? `0…${MOST_BITS}` : `${number(low, 0)}…${high}`);
      const bars = (run) =>
        name === SURPRISE
          ? lab[run === lab.now ? "surprise" : "reference"]
          : Array.from({ length: steps }, (_, t) => track(name, run)[at(t)]);
      paintLane(context, bars(lab.now), {
        y,
        dx,
        width,
        colour: theme.token(TOKEN[name] ?? "--soft"),
        rule: theme.token("--rule"),
      });
      const line = name === SURPRISE ? lab.reference : lab.edits.length ? bars(lab.learnt) : null;
      if (line) paintLine(context, line, { y, dx, colour: theme.token("--ink") });
    });
    paintAxis(context, lab.read, { dx, width, top: height * lanes.length, theme });
    cursor.style.width = `${Math.max(3, dx)}px`;
    const other = lab.edits.length
      ? " Line: as learnt."
      : lab.reference
        ? " Line in the last lane: the other model."
        : "";
    write(caption, `Unit ${state.unit} over time.${other}`);
    canvas.setAttribute(
      "aria-label",
      lanes
        .filter((name) => name !== SURPRISE)
        .map((name) => inWords(lab, state.layer, state.unit, name))
        .join(" "),
    );
  }

  function move() {
    cursor.style.transform = `translateX(${(state.time * stage.clientWidth) / lab.ids.length}px)`;
    lanes.forEach((name, k) => {
      const value = valueAt(name, state.time);
      write(values.children[k], value === undefined ? "–" : number(value));
      names.children[k].classList.toggle("chosen", name === state.colour);
    });
  }

  return {
    element: panel,
    update(changed) {
      const redraw = view.any(changed, ["read", "now", "unit", "layer", "theme", "width"]);
      if (builtFor !== lab.network.cell) build();
      if (redraw) paint();
      if (redraw || view.any(changed, ["time", "colour"])) move();
    },
  };
}

function paintLane(context, values, { y, dx, width, colour, rule }) {
  const zero = Math.round(y(0)) + 0.5;
  context.fillStyle = rule;
  context.fillRect(0, zero - 0.5, width, 1);
  context.fillStyle = colour;
  context.globalAlpha = 0.72;
  const gap = dx > 4 ? 1 : 0;
  values.forEach((value, t) => {
    const edge = y(value);
    context.fillRect(
      t * dx + gap / 2,
      Math.min(zero, edge),
      Math.max(1, dx - gap),
      Math.max(1, Math.abs(zero - edge)),
    );
  });
  context.globalAlpha = 1;
}

function paintLine(context, values, { y, dx, colour }) {
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  values.forEach((value, t) => {
    context.moveTo(t * dx, y(value));
    context.lineTo((t + 1) * dx, y(value));
  });
  context.stroke();
}

function paintAxis(context, read, { dx, width, top, theme }) {
  context.fillStyle = theme.token("--soft");
  context.textBaseline = "middle";
  const each = dx >= 8;
  context.font = `${each ? 11 : 10.5}px ${each ? '"DejaVu Sans Mono", ui-monospace, monospace' : 'system-ui, "DejaVu Sans", sans-serif'}`;
  if (each) {
    context.textAlign = "center";
    read.forEach((character, t) => context.fillText(glyph(character), (t + 0.5) * dx, top + AXIS / 2 + 1));
    return;
  }
  const every = [10, 20, 50, 100, 200].find((n) => n * dx >= 44) ?? 500;
  for (let n = every; n <= read.length; n += every) {
    const x = (n - 0.5) * dx,
      words = n === every ? `step ${n}` : String(n);
    context.textAlign = x + 14 > width ? "right" : "center";
    context.fillRect(Math.round(x), top, 1, 4);
    context.fillText(words, Math.min(x, width), top + 11);
  }
}
