/** A line being written: the ink, where the next point may fall, and the window that slides over the letters. */
import { css, shade } from "./colour.js";
import { KEYS, button, clearCanvas, clip, element, labelled, number, percent, pointerShare, setOptions, watchPointer, write } from "./dom.js";
import { WIDTH, bounds, drawDensity, drawInk, drawRules, drawWindow, inkDocument, offer, scaleTo, strokesOf } from "./paper.js";
import { showPanels } from "./panels.js";
import { createStore } from "./store.js";
import { followTheme, stillness } from "./theme.js";

const SHARED = ["text", "bias", "seed", "hand", "network", "step", "theme", "message", "_page"];
const TICK = 30; // ms between two points while it plays
const CLOSE = 212; // px, the side of the close-up

/** Draw the explorer for a model (anywidget's or the page's) into a node; returns what cleans it up. */
function render({ model, el }) {
  const root = element("section", { class: "un un-writing", "aria-label": "a network writing by hand", ...KEYS });
  el.append(root);
  const store = createStore(model, SHARED), { state } = store;
  const view = { root, store, state, choices: model.get("_choices"), page: () => state._page, playing: false };
  const theme = followTheme(root, state.theme, () => store.touch("drawn"));
  view.look = { token: theme.token, shade: (value) => css(shade("f", value)) };
  view.last = () => Math.max(0, (view.page().points ?? []).length - 1);
  view.go = (step) => store.set({ step: clip(Math.round(step), 0, view.last()) });
  return showPanels(view, theme, [createHead, createAsk, createPlayer, createLetters, createPaper, createBelow]);
}

function createHead({ state, page }) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2, text: "A line being written" });
  const words = element("p", { class: "un-sentence" });
  return { element: element("header", {}, title, words), update: () => write(words, page().summary ?? "") };
}

/** What to write, how neatly, from which draws, in whose hand. */
function createAsk({ store, state, choices }) {
  const text = element("input", { type: "text", maxlength: 200, spellcheck: "false", autocomplete: "off", class: "un-line", ...KEYS,
    on: { change: () => store.set({ text: text.value }) } });
  text.addEventListener("keydown", (event) => event.key === "Enter" && store.set({ text: text.value }));
  const bias = element("input", { type: "range", min: 0, max: 5, step: 0.25, class: "un-slider", "aria-label": "bias", ...KEYS,
    on: { input: () => write(told, number(Number(bias.value))), change: () => store.set({ bias: Number(bias.value) }) } });
  const told = element("span", { class: "un-number" });
  const seed = element("input", { type: "number", min: 0, step: 1, ...KEYS, on: { change: () => {
    const value = Number(seed.value);
    store.set({ seed: Number.isFinite(value) ? clip(Math.round(value), 0, 2 ** 32 - 1) : 0 });
    seed.value = state.seed;
  } } });
  const hand = element("select", { ...KEYS, on: { change: () => store.set({ hand: hand.value }) } });
  const network = element("select", { ...KEYS, on: { change: () => store.set({ network: network.value }) } });
  const message = element("span", { class: "un-message", role: "alert" });
  setOptions(hand, choices.hands, state.hand);
  setOptions(network, choices.networks.map((name) => [name, name]), state.network);
  const which = labelled("network", network), whose = labelled("go on from the hand of", hand);
  which.hidden = choices.networks.length < 2;
  whose.hidden = choices.hands.length < 2;
  const asked = labelled("text", text);
  asked.hidden = !choices.reads;
  asked.classList.add("un-grow");
  return {
    element: element("div", { class: "un-asking" },
      element("div", { class: "un-row" }, asked, which, whose),
      element("div", { class: "un-row" }, element("label", { class: "un-label un-grow" }, element("span", { text: "bias (0 as learnt, more is neater)" }), bias, told),
        labelled("seed", seed), button("write again", "write again with the next seed", () => store.set({ seed: (state.seed + 1) % 2 ** 32 }))),
      message),
    update(changed) {
      if (changed.has("text") || changed.has("start")) text.value = state.text;
      bias.value = state.bias;
      write(told, number(state.bias));
      if (document.activeElement !== seed) seed.value = state.seed;
      hand.value = state.hand;
      network.value = state.network;
      write(message, state.message);
    },
  };
}

function createPlayer(view) {
  const { store, state, page } = view;
  let timer = null;
  const play = button("▶ play", "play: write the line", () => toggle(), { class: "un-play" });
  const slider = element("input", { type: "range", min: 0, class: "un-slider", "aria-label": "step", ...KEYS,
    on: { input: () => view.go(Number(slider.value)) } });
  const readout = element("span", { class: "un-readout" });
  slider.addEventListener("keydown", (event) => {
    if (event.key !== " ") return;
    event.preventDefault();
    toggle();
  });
  function toggle(on = timer === null) {
    clearInterval(timer);
    timer = null;
    if (on && page().points) {
      if (state.step >= view.last()) view.go(0);
      timer = setInterval(() => (state.step >= view.last() ? toggle(false) : view.go(state.step + (stillness() ? 12 : 1))), stillness() ? 400 : TICK);
    }
    write(play, timer === null ? "▶ play" : "❚❚ pause");
    play.setAttribute("aria-label", timer === null ? "play: write the line" : "pause");
  }
  const save = button("save as SVG", "save as SVG: the whole line as a picture", () => {
    const { points, lifted, text } = page();
    if (points) offer(inkDocument(points, lifted, text), "handwriting.svg", "image/svg+xml");
  });
  return {
    element: element("div", { class: "un-row un-transport", role: "group", "aria-label": "time" },
      button("|◀", "first point", () => view.go(0)), button("◀", "one point back", () => view.go(state.step - 1)), play,
      button("▶", "one point forward", () => view.go(state.step + 1)), slider, readout, save),
    update(changed) {
      if (changed.has("_page") && timer !== null) toggle(true);
      slider.max = view.last();
      slider.value = state.step;
      const words = `point ${Math.min(state.step, view.last()) + 1} of ${view.last() + 1}`;
      slider.setAttribute("aria-valuetext", words);
      write(readout, words);
    },
    stop: () => clearInterval(timer),
  };
}

/** The text, every letter on ground as dark as it is read at this step. */
function createLetters({ state, page }) {
  const row = element("div", { class: "un-letters", role: "img" });
  let shown = null, spans = [];
  return {
    element: row,
    update() {
      const { phi = [], text = "" } = page(), values = phi[Math.min(state.step, phi.length - 1)];
      row.hidden = !values;
      if (!values) return;
      if (shown !== text) {
        spans = [...text, "■"].map((letter) => element("span", { text: letter === " " ? "·" : letter }));
        row.replaceChildren(...spans);
        shown = text;
      }
      const most = Math.max(...values, 1e-9), first = values.indexOf(Math.max(...values));
      spans.forEach((span, u) => {
        const share = values[u] / most;
        span.style.setProperty("--share", `${Math.round(100 * share)}%`);
        span.classList.toggle("most", u === first);
      });
      const name = first < text.length ? `“${text[first]}”, letter ${first + 1} of ${text.length}` : "the end of the text";
      row.setAttribute("aria-label", `The window reads ${name} most.`);
    },
  };
}

/** The sheet: ink up to this step, the rest faint, the density over it. */
function createPaper(view) {
  const { state, page, look } = view;
  const canvas = element("canvas", { class: "un-paper", role: "img" });
  return {
    element: element("figure", { class: "un-figure" }, canvas),
    update() {
      const { points, lifted, mixtures, text } = page();
      if (!points) return;
      const width = Math.max(240, Math.min(WIDTH * 1.3, canvas.parentElement.clientWidth)), box = bounds(points), scale = scaleTo(box, width);
      const context = clearCanvas(canvas, width, scale.height), step = Math.min(state.step, points.length - 1);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${scale.height}px`;
      drawRules(context, scale, width, look.token("--rule"));
      context.globalAlpha = 0.16;
      drawInk(context, scale, strokesOf(points, lifted), look.token("--ink"));
      context.globalAlpha = 1;
      cloud(context, scale, mixtures?.[step], step ? points[step - 1] : [0, 0], look.token("--f"));
      drawInk(context, scale, strokesOf(points, lifted, step + 1), look.token("--ink"));
      const [x, y] = points[step];
      context.fillStyle = look.token("--i");
      context.beginPath();
      context.arc(scale.x(x), scale.y(y), 4, 0, 7);
      context.fill();
      canvas.setAttribute("aria-label", `Ink of ${text ? `“${text}”` : "no given text"}, drawn up to point ${step + 1} of ${points.length}.`);
    },
  };
}

/** Every component as the ellipse of one and of two deviations, the more opaque the more it weighs. */
function cloud(context, scale, mixture, [x, y], colour) {
  context.fillStyle = colour;
  for (const [weight, mx, my, sx, sy, rho] of mixture ?? []) {
    if (weight < 0.01) continue;
    const mean = (sx * sx + sy * sy) / 2, away = Math.hypot((sx * sx - sy * sy) / 2, rho * sx * sy);
    const angle = 0.5 * Math.atan2(2 * rho * sx * sy, sx * sx - sy * sy);
    for (const size of [2, 1]) {
      context.globalAlpha = 0.08 + 0.3 * weight;
      context.beginPath();
      const [long, short] = [mean + away, mean - away].map((v) => Math.max(1.5, size * scale.unit * Math.sqrt(Math.max(v, 0))));
      context.ellipse(scale.x(x + mx), scale.y(y + my), long, short, -angle, 0, 7);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** Below: the close-up of the density, and the window's way through the letters. */
function createBelow(view) {
  const { state, page, look } = view;
  const close = element("canvas", { role: "img" }), path = element("canvas", { role: "img" });
  const said = element("figcaption"), windowed = element("figcaption", { text: "How much each letter is read (bright: much)" });
  const right = element("figure", { class: "un-figure un-way" }, windowed, path);
  const seek = (event) => {
    const [x] = pointerShare(event, path), { phi = [] } = page();
    view.go(((x * path.clientWidth - view.frame.margin) / view.frame.inner) * phi.length - 0.5);
  };
  watchPointer(path, { onMove: seek, onHover: () => {} });
  return {
    element: element("div", { class: "un-below" }, element("figure", { class: "un-figure un-close" }, said, close), right),
    update() {
      const { points, lifted, mixtures, lifts, phi = [], text = "" } = page();
      if (!points) return;
      const step = Math.min(state.step, points.length - 1), before = step ? points[step - 1] : [0, 0];
      const drawn = [points[step][0] - before[0], points[step][1] - before[1]];
      drawDensity(close, mixtures[step], drawn, { size: CLOSE, ...look });
      sizeAs(close);
      const many = mixtures[step].filter(([weight]) => weight >= 0.05).length;
      const words = `Where point ${step + 1} may fall, seen from the one before; the pen is lifted after it with ${percent(lifts[step])}`;
      write(said, words);
      close.setAttribute("aria-label", `${words}. ${many} components weigh 5 % or more; the point drawn lies ${number(drawn[0])} across and ${number(drawn[1])} up.`);
      right.hidden = !phi.length || !phi[0].length;
      if (right.hidden) return;
      const letters = [...text, "■"].map((letter) => (letter === " " ? "·" : letter)), row = clip(Math.floor(230 / letters.length), 6, 18);
      view.frame = drawWindow(path, phi, letters, step, { width: Math.max(220, right.clientWidth), row, ...look });
      sizeAs(path);
      path.setAttribute("aria-label", `The window's way through the letters: ${told(phi, text)}`);
    },
  };
}

/** In which order the letters are read most, for who cannot see the map. */
function told(phi, text) {
  const order = [];
  for (const values of phi) {
    const most = values.indexOf(Math.max(...values));
    if (order.at(-1) !== most) order.push(most);
  }
  const names = order.map((u) => (u < text.length ? text[u] : "end")).join(", ");
  const back = order.some((u, k) => k && u < order[k - 1]);
  return `${names}; it ${back ? "goes back at some step" : "never goes back"}.`;
}

/** A canvas drawn at the screen's density shows at its size in CSS pixels. */
function sizeAs(canvas) {
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.style.width = `${canvas.width / ratio}px`;
  canvas.style.height = `${canvas.height / ratio}px`;
}

export default { render };
