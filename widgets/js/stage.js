// The projector: one picture as large as the window allows, keys for everything, a list of all lessons.
// Widgets live in the program that serves this page (tools/demo.py); `change` tells it what a hand has moved.

const FRAME = 940; // pixels that pictures are drawn for, as wide as in a notebook
const LARGEST = 2.4;
const LEAST = 0.8; // of the window's width
const HELP = "Page Down, Page Up: next and previous picture · L: lessons · A: what to ask first · D: dark or light · +, −, 0: size";

const find = (id) => document.getElementById(id);
const settings = new URLSearchParams(location.search);
const revive = (key, value) => {
  if (value === null || typeof value !== "object" || typeof value.$base64 !== "string") return value;
  return new DataView(Uint8Array.from(atob(value.$base64), (letter) => letter.charCodeAt(0)).buffer);
};

async function ask(path, body) {
  const options = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(path, { ...options, headers: { "X-Unrolled": "demo" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return JSON.parse(text, revive);
}

let lessons = [];
let shown = { lesson: 0, picture: 0 };
let theme = settings.get("theme") === "dark" ? "dark" : "light";
let size = 1; // of the learner's choice, on top of what fits
let opened = 0; // counts openings, so that a late answer for an earlier one is dropped

// The kernel's side of one part, as anywidget knows it.
function bridge(stage, number, state, tellOthers) {
  const listeners = new Map();
  const dirty = new Set();
  let sending = Promise.resolve();
  const put = (name, value) => {
    state[name] = value;
    for (const listener of [...(listeners.get(`change:${name}`) ?? [])]) listener(model, value);
  };
  const model = {
    get: (name) => state[name],
    set(name, value) {
      dirty.add(name);
      put(name, value);
    },
    on: (event, listener) => void listeners.set(event, [...(listeners.get(event) ?? []), listener]),
    off: (event, listener) =>
      void listeners.set(event, (listeners.get(event) ?? []).filter((one) => one !== listener)),
    save_changes() {
      const traits = Object.fromEntries([...dirty].map((name) => [name, state[name]]));
      dirty.clear();
      sending = sending.then(() => ask("change", { stage, number, traits })).then(tellOthers).catch(complain);
    },
    send() {},
  };
  return { model, put };
}

function drawPlot(place, figure, config) {
  const layout = { ...figure.layout, width: FRAME - 30, autosize: false };
  Plotly.react(place, figure.data, layout, { ...config, responsive: false });
  const heading = figure.layout.meta;
  if (heading?.title) place.setAttribute("aria-label", `${heading.title} ${heading.summary ?? ""}`);
}

async function drawModule(place, part, model) {
  const style = document.createElement("style");
  style.textContent = part.style;
  const address = URL.createObjectURL(new Blob([part.module], { type: "text/javascript" }));
  const module = await import(address);
  URL.revokeObjectURL(address);
  place.before(style);
  await module.default.render({ model, el: place });
}

async function open(lesson, picture) {
  const turn = ++opened;
  shown = { lesson, picture };
  const { slug, number, question, asks, pictures } = lessons[lesson];
  find("number").textContent = number;
  find("question").textContent = question;
  find("asks").textContent = asks ? `Ask first. ${asks}` : "";
  document.title = `${number} · ${question}`;
  find("tabs").replaceChildren(...pictures.map((name, k) => tab(name, lesson, k, k === picture)));
  const target = `${location.pathname}?lesson=${slug}&picture=${picture}&theme=${theme}`;
  history.replaceState(null, "", target);
  find("message").textContent = "Loading …";
  find("stage").replaceChildren();
  document.body.dataset.ready = "";
  try {
    const { stage, parts } = await ask(`open?lesson=${slug}&picture=${picture}&theme=${theme}`);
    if (turn !== opened) return;
    await build(stage, parts);
    if (turn !== opened) return;
    find("message").textContent = "";
    fit();
    requestAnimationFrame(() => requestAnimationFrame(() => (document.body.dataset.ready = `${slug}/${picture}/${theme}`)));
  } catch (problem) {
    complain(problem);
  }
}

async function build(stage, parts) {
  const card = document.createElement("div");
  card.className = `unrolled-card ${theme}`;
  find("stage").append(card);
  const places = parts.map(() => card.appendChild(document.createElement("div")));
  const bridges = [];
  const tellOthers = (changes) => {
    for (const [number, traits] of Object.entries(changes)) {
      const part = parts[number];
      if (part.kind === "plot") drawPlot(places[number], traits.figure, part.config);
      else if (part.kind === "html") places[number].innerHTML = traits.value ?? places[number].innerHTML;
      else for (const [name, value] of Object.entries(traits)) bridges[number].put(name, value);
    }
    fit();
  };
  for (const [number, part] of parts.entries()) {
    if (part.kind === "plot") drawPlot(places[number], part.figure, part.config);
    else if (part.kind === "html") places[number].innerHTML = part.state.value;
    else {
      bridges[number] = bridge(stage, number, part.state, tellOthers);
      await drawModule(places[number], part, bridges[number].model);
    }
  }
}

function complain(problem) {
  find("message").textContent = problem.message;
}

// As large as the window allows; what is tall scrolls rather than shrink below what the last row can read.
// A transform, since Plotly's and the canvases' mouse know what a transform is.
function fit() {
  const stage = find("stage");
  const room = find("room");
  const wide = room.clientWidth / FRAME;
  const whole = room.clientHeight / Math.max(stage.offsetHeight, 1);
  const factor = Math.min(wide, LARGEST, Math.max(whole, LEAST * wide)) * size;
  stage.style.transform = `translateX(${Math.max(0, (room.clientWidth - FRAME * factor) / 2)}px) scale(${factor})`;
  find("spacer").style.height = `${stage.offsetHeight * factor}px`;
}

function tab(name, lesson, picture, current) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  if (current) button.setAttribute("aria-current", "true");
  button.addEventListener("click", () => open(lesson, picture));
  return button;
}

function turn(by) {
  const all = lessons.flatMap(({ pictures }, lesson) => pictures.map((_, picture) => ({ lesson, picture })));
  const now = all.findIndex(({ lesson, picture }) => lesson === shown.lesson && picture === shown.picture);
  const next = all[now + by];
  if (next) open(next.lesson, next.picture);
}

function choose() {
  const list = find("list");
  list.showModal();
  list.querySelectorAll("button")[shown.lesson]?.focus();
}

function paint(next) {
  theme = next;
  document.documentElement.className = theme;
  document.body.dataset.jpThemeLight = String(theme === "light"); // what widgets look at
  find("dark").textContent = theme === "dark" ? "light" : "dark";
}

const keys = {
  PageDown: () => turn(1),
  PageUp: () => turn(-1),
  l: choose,
  d: () => (paint(theme === "dark" ? "light" : "dark"), open(shown.lesson, shown.picture)),
  a: () => (find("asks").hidden = !find("asks").hidden),
  ArrowDown: () => find("room").scrollBy({ top: 80 }),
  ArrowUp: () => find("room").scrollBy({ top: -80 }),
  "+": () => (size *= 1.1),
  "-": () => (size /= 1.1),
  0: () => (size = 1),
};

// Widgets come first: they stop the keys that they use. A text field keeps all letters to itself.
document.addEventListener("keydown", (event) => {
  const list = find("list");
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (list.open) return walk(event, [...list.querySelectorAll("button")]);
  const typing = event.target.matches?.("input:not([type=range]), textarea, select, [contenteditable]");
  if (typing && !event.key.startsWith("Page")) return;
  const action = keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
  fit();
});

function walk(event, buttons) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  buttons[Math.min(buttons.length - 1, Math.max(0, buttons.indexOf(document.activeElement) + by))].focus();
}

async function begin() {
  paint(theme);
  find("help").textContent = HELP;
  lessons = await ask("lessons");
  const rows = lessons.map(({ number, question }, k) => {
    const button = tab(`${number} · ${question}`, k, 0, false);
    button.addEventListener("click", () => find("list").close());
    return button;
  });
  find("rows").replaceChildren(...rows);
  for (const [id, key] of [["lessons", "l"], ["dark", "d"], ["back", "PageUp"], ["on", "PageDown"]]) {
    find(id).addEventListener("click", keys[key]);
  }
  new ResizeObserver(fit).observe(find("room"));
  new ResizeObserver(fit).observe(find("stage"));
  const wanted = settings.get("lesson");
  const place = lessons.findIndex(({ slug, number }) => wanted === slug || wanted === number);
  await open(Math.max(place, 0), place < 0 ? 0 : Math.min(+(settings.get("picture") ?? 0), lessons[place].pictures.length - 1));
}

begin().catch(complain);
