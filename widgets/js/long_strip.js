/** A long text in colour: only the lines in sight are painted, and an overview shows all of it at once. */
import { column, lineOf, lineStarts } from "./activations.js";
import { css, isGate, readable, shade } from "./colour.js";
import {
  KEYS,
  clearCanvas,
  clip,
  element,
  glyph,
  listenKeys,
  number,
  pointerShare,
  spoken,
  watchPointer,
} from "./dom.js";

const WIDE = 10,
  TALL = 23,
  LINES = 14,
  OVERseen = 26;

export function createLongStrip(view) {
  const { store, state, tip, theme } = view;
  const canvas = element("canvas", { class: "un-page" });
  const cursor = element("div", { class: "un-cursor un-letter" });
  const paper = element("div", { class: "un-paper" }, cursor);
  const scroller = element(
    "div",
    { class: "un-scroller", tabindex: 0, role: "slider", "aria-label": "place in the text", ...KEYS },
    canvas,
    paper,
  );
  const overview = element("canvas", { class: "un-time" }),
    lens = element("div", { class: "un-lens" });
  const strip = element("div", { class: "un-overview", "aria-hidden": "true" }, overview, lens);
  let starts = [0],
    values = new Float32Array(),
    columns = 80,
    seen = LINES * TALL,
    coloured = 0,
    frame = null;

  const place = (event) => {
    const box = scroller.getBoundingClientRect();
    const line = Math.floor((event.clientY - box.top + scroller.scrollTop) / TALL),
      x = Math.floor((event.clientX - box.left) / WIDE);
    const t = (starts[line] ?? Infinity) + x;
    return x >= 0 && t < Math.min(starts[line + 1] ?? Infinity, view.source().done) ? t : -1;
  };
  const say = (t) =>
    `character ${(t + 1).toLocaleString("en")}, ${spoken(view.source().characters[t])}: ${state.colour} ${number(values[t])}`;
  watchPointer(scroller, {
    onMove: (event) => place(event) >= 0 && store.set({ time: place(event) }),
    onHover: (event) =>
      tip.show(
        event && place(event) >= 0 ? event : null,
        event && place(event) >= 0 ? say(place(event)) : "",
      ),
  });
  const jump = (event) => store.set({ time: Math.floor(pointerShare(event, strip)[0] * view.source().done) });
  watchPointer(strip, { onMove: jump, onHover: () => {} });
  scroller.addEventListener("scroll", () => (frame ??= requestAnimationFrame(paintPage)));
  const byLine = (n) => {
    const line = lineOf(starts, state.time),
      next = clip(line + n, 0, starts.length - 1);
    const end = (starts[next + 1] ?? view.source().done) - 1;
    view.go(Math.min(starts[next] + state.time - starts[line], end));
  };
  listenKeys(scroller, { ...view.travelKeys, PageDown: () => byLine(1), PageUp: () => byLine(-1) });

  function paintPage() {
    frame = null;
    const width = scroller.clientWidth,
      top = scroller.scrollTop,
      { characters, done } = view.source();
    const context = clearCanvas(canvas, width, seen);
    context.font = '14px "DejaVu Sans Mono", ui-monospace, monospace';
    context.textAlign = "center";
    context.textBaseline = "middle";
    const first = Math.floor(top / TALL),
      last = Math.min(starts.length - 1, Math.ceil((top + seen) / TALL));
    for (let line = first; line <= last; line++) {
      const y = line * TALL - top,
        end = starts[line + 1] ?? characters.length;
      for (let t = starts[line]; t < end; t++)
        paintLetter(context, (t - starts[line]) * WIDE, y, characters[t], t < done ? values[t] : null);
    }
    const total = Math.max(1, starts.length * TALL);
    lens.style.left = `${(100 * (starts[first] ?? 0)) / Math.max(1, characters.length)}%`;
    lens.style.width = `${Math.max(0.5, (100 * Math.min(seen, total)) / total)}%`;
  }

  function paintLetter(context, x, y, character, value) {
    const rgb = value === null ? null : shade(state.colour, value);
    if (rgb) {
      context.fillStyle = css(rgb);
      context.fillRect(x, y, WIDE - 0.5, TALL - 1);
    }
    context.fillStyle = rgb ? readable(rgb) : theme.token("--soft");
    context.fillText(glyph(character), x + WIDE / 2, y + TALL / 2);
  }

  /** Each pixel column of the overview shows the value furthest from rest among its characters. */
  function paintOverview() {
    const width = strip.clientWidth,
      steps = view.source().characters.length,
      rest = isGate(state.colour) ? 0.5 : 0;
    const context = clearCanvas(overview, width, OVERseen);
    for (let x = 0; x < width; x++) {
      const from = Math.floor((x * steps) / width),
        to = Math.max(from + 1, Math.floor(((x + 1) * steps) / width));
      let most = null;
      for (let t = from; t < Math.min(to, values.length); t++)
        if (most === null || Math.abs(values[t] - rest) > Math.abs(most - rest)) most = values[t];
      if (most === null) continue;
      context.fillStyle = css(shade(state.colour, most));
      context.fillRect(x, 0, 1, OVERseen);
    }
  }

  function lay() {
    columns = Math.max(10, Math.floor(scroller.clientWidth / WIDE));
    starts = lineStarts(view.source().characters, columns);
    seen = clip(starts.length, 2, LINES) * TALL;
    scroller.style.height = canvas.style.height = `${seen}px`;
    paper.style.height = `${starts.length * TALL}px`;
    paper.style.marginTop = `${-seen}px`;
  }

  function move() {
    const line = lineOf(starts, state.time),
      y = line * TALL;
    cursor.style.transform = `translate(${(state.time - starts[line]) * WIDE}px, ${y}px)`;
    if (y < scroller.scrollTop || y + TALL > scroller.scrollTop + seen) scroller.scrollTop = y - seen / 2;
    const total = view.source().characters.length;
    for (const [name, value] of [
      ["valuemin", 1],
      ["valuemax", total],
      ["valuenow", state.time + 1],
    ])
      scroller.setAttribute(`aria-${name}`, value);
    scroller.setAttribute(
      "aria-valuetext",
      `${say(state.time)}; line: ${view
        .source()
        .characters.slice(starts[line], starts[line + 1])
        .join("")
        .trim()}`,
    );
  }

  return {
    element: element("div", {}, strip, scroller),
    values: () => values,
    say,
    update(changed) {
      const source = view.source(),
        fresh = view.any(changed, ["source", "start", "width"]);
      if (fresh) lay();
      const recolour = fresh || source.done !== coloured || view.any(changed, ["unit", "layer", "colour"]);
      coloured = source.done;
      if (recolour) values = column(source, state.layer, state.colour, state.unit);
      if (recolour || changed.has("theme")) {
        paintPage();
        paintOverview();
      }
      if ((recolour || changed.has("time")) && state.time < source.done) move();
    },
    stop: () => cancelAnimationFrame(frame),
  };
}
