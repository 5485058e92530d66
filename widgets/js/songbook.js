/** A tune to be written, read, seen and heard: its text, its score, its notes on a piano roll, its sound. */
import { css, shade } from "./colour.js";
import { KEYS, SILENT, button, clip, createTooltip, drawing, element, labelled, limit, listenKeys, percent, setOptions, write } from "./dom.js";
import { createStore } from "./store.js";
import { followTheme } from "./theme.js";

const SHARED = ["text", "choice", "repeats", "asked", "done", "title", "summary", "message", "theme"];
const PATIENCE_MS = 15000, MOST = 20_000; // characters of a tune, as in lessons/abc_reader.py
const ROLL = 190, LEFT = 46, FOOT = 22, ROUND = 2;
const PICTURE = "data:image/svg+xml;base64,"; // nothing else is ever shown as a picture

function render({ model, el }) {
  const root = element("section", { class: "un un-songbook", "data-lm-suppress-shortcuts": "true", "aria-label": "song book" });
  el.append(root);
  const store = createStore(model, SHARED);
  const view = { root, store, state: store.state, model, tip: createTooltip(root) };
  const theme = followTheme(root, store.state.theme, () => store.touch("theme"));
  view.silent = () => view.late && store.state.asked.number > store.state.done;
  view.ask = (what) => {
    store.set({ asked: { what, number: (store.state.asked.number ?? 0) + 1 } });
    clearTimeout(view.patience);
    view.late = false;
    view.patience = setTimeout(() => {
      view.late = true;
      store.touch("late");
    }, PATIENCE_MS);
  };
  const parts = [createTop, createPickers, createBox, createPlayer, createScore, createRoll].map((make) => make(view));
  root.append(...parts.map((part) => part.element));
  store.listen((changed) => {
    if (changed.has("theme")) theme.choose(store.state.theme);
    for (const part of parts) part.update(changed);
  });
  const heard = () => store.touch("tune");
  for (const name of ["_sound", "_notes", "_score"]) model.on(`change:${name}`, heard);
  const size = new ResizeObserver(() => store.touch("width"));
  size.observe(root);
  store.touch("tune");
  return () => {
    clearTimeout(view.patience);
    for (const part of parts) part.stop?.();
    for (const name of ["_sound", "_notes", "_score"]) model.off(`change:${name}`, heard);
    size.disconnect();
    theme.stop();
    store.stop();
    root.remove();
  };
}

/** What there is to see, in words. */
function createTop({ state }) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2 });
  const sentence = element("p", { class: "un-sentence", role: "status" });
  return {
    element: element("header", {}, title, sentence),
    update() {
      write(title, state.title);
      write(sentence, state.summary);
    },
  };
}

/** Dance, metre, key, temperature and seed, and the buttons that make the network write. */
function createPickers({ store, state, model, ask }) {
  const options = model.get("_options");
  const choose = (name, value) => store.set({ choice: { ...state.choice, [name]: value } });
  const pickers = ["dance", "metre", "key"].map((name) => {
    const select = element("select", { ...KEYS, on: { change: () => choose(name, select.value) } });
    setOptions(select, (options[name] ?? []).map((value) => [value, value]), state.choice[name]);
    return [name, select];
  });
  const heat = element("input", { type: "number", class: "un-unit", min: 0, max: 2, step: 0.1, ...KEYS,
    on: { change: () => choose("temperature", clip(Number(heat.value) || 0, 0, 2)) } });
  const seed = element("input", { type: "number", class: "un-unit", min: 0, max: 99999, step: 1, ...KEYS,
    on: { change: () => choose("seed", clip(Math.round(Number(seed.value)) || 0, 0, 99999)) } });
  const buttons = [
    button("♪ write a tune", "write a tune in this dance, metre and key", () => ask("write")),
    button("go on from the box", "go on from the box: keep the notes there and let the network continue them", () => ask("continue")),
  ];
  const row = element("div", { class: "un-row un-song-row", hidden: model.alone || !options.dance },
    ...pickers.map(([name, select]) => labelled(name, select)), labelled("temperature", heat), labelled("seed", seed), ...buttons);
  return {
    element: row,
    update() {
      for (const [name, select] of pickers) select.value = state.choice[name];
      if (Number(heat.value) !== state.choice.temperature) heat.value = state.choice.temperature;
      if (Number(seed.value) !== state.choice.seed) seed.value = state.choice.seed;
      const waiting = (state.asked.number ?? 0) > state.done;
      for (const one of buttons) one.disabled = waiting;
    },
  };
}

/** The tune's text, and what is wrong with it. */
function createBox({ store, state, model, ask, silent }) {
  const box = element("textarea", { class: "un-text", rows: 8, spellcheck: "false", readonly: model.alone || undefined, "aria-label": "the tune in ABC notation", ...KEYS,
    on: { input: () => store.set({ text: box.value }) } });
  const read = button("read the box", "read the box: draw and play the tune that is written there", () => ask("read"));
  read.hidden = Boolean(model.alone);
  const what = model.alone ? "the tune in ABC notation" : "the tune in ABC notation (edit it, then read it)";
  let cut = "";
  limit(box, MOST, (words) => {
    cut = words;
    store.touch("cut");
  });
  const message = element("p", { class: "un-message", role: "status" });
  return {
    element: element("div", { class: "un-text-box" },
      element("div", { class: "un-row" }, element("span", { class: "un-soft", text: what }), read, message), box),
    update() {
      if (box.value !== state.text) box.value = state.text;
      const waiting = (state.asked.number ?? 0) > state.done;
      read.disabled = waiting;
      write(message, cut || (silent() ? SILENT : waiting ? "" : state.message));
    },
  };
}

/** The sound: the browser's own player, repeats or none, and files to keep. */
function createPlayer(view) {
  const { state, store, model, ask } = view;
  const audio = element("audio", { controls: true, preload: "auto", class: "un-audio", "aria-label": "the tune", ...KEYS });
  const repeats = element("input", { type: "checkbox", ...KEYS, on: { change: () => {
    store.set({ repeats: repeats.checked });
    ask("read");
  } } });
  const whether = labelled("play the repeats", repeats);
  whether.hidden = Boolean(model.alone);
  const links = [["WAV", "tune.wav"], ["MIDI", "tune.mid"], ["ABC", "tune.abc"]].map(([text, download]) =>
    element("a", { text, download, class: "un-soft", ...KEYS }));
  let urls = [], sounded = null;
  view.audio = audio;
  const blob = (part, type) => {
    const url = URL.createObjectURL(new Blob([part], { type }));
    urls.push(url);
    return url;
  };
  return {
    element: element("div", { class: "un-row un-song-row" }, audio, whether,
      element("span", { class: "un-soft", text: "keep it as" }), ...links),
    update(changed) {
      repeats.checked = state.repeats;
      const sound = model.get("_sound");
      if (!changed.has("tune") || sound === sounded) return;
      sounded = sound;
      for (const url of urls) URL.revokeObjectURL(url);
      urls = [];
      if (!sound?.byteLength) return void audio.removeAttribute("src");
      audio.src = blob(sound, "audio/wav");
      links[0].href = audio.src;
      links[1].href = blob(model.get("_midi"), "audio/midi");
      links[2].href = blob(state.text, "text/plain");
    },
    stop() {
      audio.pause();
      for (const url of urls) URL.revokeObjectURL(url);
    },
  };
}

/** The score, as a picture that the browser neither runs nor lets load anything. */
function createScore({ model }) {
  const picture = element("img", { class: "un-score", alt: "" }), note = element("p", { class: "un-soft" });
  return {
    element: element("figure", { class: "un-figure" }, picture, note),
    update(changed) {
      if (!changed.has("tune")) return;
      const { picture: source = "", words = "" } = model.get("_score");
      picture.hidden = !source.startsWith(PICTURE);
      if (!picture.hidden && picture.src !== source) picture.src = source;
      picture.alt = picture.hidden ? "" : words;
      write(note, picture.hidden ? words : "");
    },
  };
}

/** The notes in time and pitch, coloured by how sure the network was of each; the one that sounds is marked. */
function createRoll(view) {
  const { model, state } = view;
  const svg = drawing("svg", { class: "un-roll", height: ROLL + FOOT, role: "img", tabindex: 0, ...KEYS });
  const readout = element("p", { class: "un-readout-line", "aria-live": "off" });
  const head = drawing("line", { y1: 0, y2: ROLL, style: { stroke: "var(--i)", "stroke-width": "2px" } });
  let boxes = [], notes = [], drawn = null, frame = null, x = () => 0, marked = [];

  function mark() {
    const now = view.audio.currentTime;
    head.setAttribute("x1", x(now));
    head.setAttribute("x2", x(now));
    const sounding = notes.flatMap((note, k) => (note.start <= now && now < note.end ? [k] : []));
    for (const k of marked) if (!sounding.includes(k)) boxes[k]?.forEach((box) => box.classList.remove("now"));
    for (const k of sounding) boxes[k]?.forEach((box) => box.classList.add("now"));
    marked = sounding;
    const note = notes[sounding[0]];
    write(readout, note ? told(note) : `${notes.length} notes`);
  }

  function follow() {
    frame = null;
    mark();
    if (!view.audio.paused) frame = requestAnimationFrame(follow);
  }

  const begin = () => (frame ??= requestAnimationFrame(follow));
  for (const event of ["play", "pause", "seeked", "timeupdate", "ended"]) view.audio.addEventListener(event, begin);

  const go = (by) => {
    const now = view.audio.currentTime + 0.001;
    const at = notes.findLastIndex((note) => note.start <= now);
    const next = notes[clip(at + by, 0, notes.length - 1)];
    if (next) view.audio.currentTime = next.start;
    begin();
  };
  listenKeys(svg, {
    ArrowRight: () => go(1),
    ArrowLeft: () => go(-1),
    Home: () => go(-notes.length),
    " ": () => (view.audio.paused ? view.audio.play() : view.audio.pause()),
  });

  function draw(width) {
    const { list, bars, names, span } = model.get("_notes");
    notes = list ?? [];
    boxes = [];
    marked = [];
    svg.setAttribute("width", width);
    if (!notes.length) return void svg.replaceChildren();
    const end = notes.at(-1).end, [low, high] = span;
    const row = ROLL / (high - low + 1), y = (pitch) => (high - pitch) * row;
    x = (seconds) => LEFT + ((width - LEFT - 8) * seconds) / end;
    const line = (x1, y1, x2, y2) => drawing("line", { x1, y1, x2, y2, style: { stroke: "var(--rule)" } });
    const text = (words, at, down, anchor) => drawing("text", { x: at, y: down, "text-anchor": anchor, text: words, style: { fill: "var(--soft)", "font-size": "11px" } });
    const nodes = names.flatMap(([pitch, name]) => [line(LEFT, y(pitch) + row / 2, width - 8, y(pitch) + row / 2), text(name, LEFT - 6, y(pitch) + row / 2 + 4, "end")]);
    nodes.push(...bars.map((at) => line(x(at), 0, x(at), ROLL)), head);
    boxes = notes.map((note) => note.pitches.map((pitch) => {
      const fill = note.chance === null ? "var(--soft)" : css(shade("f", note.shade));
      const box = drawing("rect", { x: x(note.start), y: y(pitch), width: Math.max(1.5, x(note.end) - x(note.start) - 1), height: Math.max(3, row), rx: ROUND, class: "un-note", style: { fill } });
      box.addEventListener("pointermove", (event) => view.tip.show(event, told(note)));
      box.addEventListener("pointerleave", () => view.tip.show(null));
      box.addEventListener("click", () => {
        view.audio.currentTime = note.start;
        begin();
      });
      nodes.push(box);
      return box;
    }));
    for (let at = 0; at <= end; at += end > 60 ? 20 : 5) nodes.push(text(`${at} s`, x(at), ROLL + 16, "middle"));
    svg.replaceChildren(...nodes);
    mark();
  }

  return {
    element: element("figure", { class: "un-figure" },
      element("figcaption", { class: "un-soft", text: "Each note by time and pitch; its colour says how probable the network held it: dark is a surprise, bright is expected. Left and right move by a note, space plays." }), svg, readout),
    update() {
      svg.setAttribute("aria-label", `piano roll. ${state.summary}`);
      const width = view.root.clientWidth - 46, list = model.get("_notes");
      // Hidden or being laid out anew: the observer of sizes calls again. Colours follow the theme by themselves.
      if (width < 200 || (drawn?.list === list && drawn.width === width)) return;
      drawn = { list, width };
      draw(width);
    },
    stop: () => cancelAnimationFrame(frame),
  };
}

const told = ({ name, bar, chance }) => `${name}, bar ${bar}${chance === null ? "" : `, held ${percent(chance)} probable`}`;

export default { render };
