/** The weighted die: what a network expects next, rolled one character at a time, or chosen by hand. */
import { byChance, createRolls, distribution, entropy, needed, place } from "./chance.js";
import { KEYS, button, clip, createTooltip, element, glyph, labelled, limit, listenKeys, percent, quoted, spoken, write } from "./dom.js";
import { buildNetwork, encode, run, step } from "./rnn.js";
import { createStore } from "./store.js";
import { followTheme, stillness } from "./theme.js";

const SHARED = ["seed_text", "picks", "used", "temperature", "top_k", "top_p", "seed", "theme", "message"];
const ROWS = 12, LONGEST = 2000, HOT = 2;

/** Draw the die for a model (anywidget's or the page's) into a node; returns what cleans it up. */
function render({ model, el }) {
  const root = element("section", { class: "un un-die", "data-lm-suppress-shortcuts": "true", "aria-label": "weighted die" });
  el.append(root);
  const packed = model.get("_model");
  if (!packed.weights) {
    root.classList.add("light");
    root.append(element("p", { class: "un-message", role: "status", text: model.get("message") }));
    return () => root.remove();
  }
  const network = buildNetwork(packed, packed.weights);
  const store = createStore(model, SHARED), { state } = store;
  const view = { root, store, state, network, tip: createTooltip(root), landed: null, say: "" };
  const theme = followTheme(root, state.theme, () => store.touch("drawn"));
  view.walk = createWalk(network);
  const act = createActions(view);
  const panels = [createHeading, createButtons, createSettings, createText, createDieStrip, createBars].map((make) => make(view, act));
  root.append(...panels.map((panel) => panel.element));
  store.listen((changed) => {
    if (changed.has("theme")) theme.choose(state.theme);
    if (changed.has("picks")) view.landed = lastRoll(view);
    // A new temperature is another die: the last roll says nothing about it.
    else if (["temperature", "top_k", "top_p"].some((name) => changed.has(name))) view.landed = null;
    if (!view.walk.read(state)) view.say = trouble(view);
    else view.say = remark(view);
    view.now = look(view);
    for (const panel of panels) panel.update(changed);
  });
  listenKeys(root, { undo: () => act.undo() });
  store.touch("start");
  return () => {
    act.stop();
    theme.stop();
    store.stop();
    root.remove();
  };
}

/** The network's state after the given text and after each pick; only what is new is computed. */
function createWalk(network) {
  let seedText = null, ids = [], path = [];
  const walk = {
    dropped: [],
    /** Read the seed text and the picks; false if there is nothing to start from. */
    read({ seed_text, picks }) {
      if (seed_text !== seedText) {
        const { ids: start, dropped } = encode(network, seed_text || "\n");
        Object.assign(walk, { dropped, start });
        [seedText, ids, path] = [seed_text, [], []];
        if (start.length) path.push(keepLast(network, run(network, start, { readout: true })));
      }
      if (!path.length) return false;
      const wanted = picks.map(([id]) => id);
      let same = 0;
      while (same < ids.length && ids[same] === wanted[same]) same += 1;
      ids = wanted;
      path.length = same + 1;
      for (let k = same; k < wanted.length; k++) path.push(keepLast(network, step(network, wanted[k], path[k].state)));
      return true;
    },
    logits: (back = 0) => path[path.length - 1 - back]?.logits,
  };
  return walk;
}

const keepLast = ({ vocabulary }, { state, logits }) => ({ state, logits: logits.slice(-vocabulary.length) });

function look({ walk, state, landed }) {
  if (!walk.logits()) return null;
  const settings = { temperature: state.temperature, topK: state.top_k, topP: state.top_p };
  const now = distribution(walk.logits(), settings), plain = distribution(walk.logits());
  const rolled = landed ? distribution(walk.logits(1), settings) : now;
  return { now, plain, order: byChance(now), rolled };
}

function lastRoll({ state }) {
  const last = state.picks.at(-1);
  return last ? { id: last[0], roll: last[1] } : null;
}

/** Why there is nothing to roll. */
function trouble({ state, walk }) {
  if (state.seed_text === "") return "Type a few characters to start from: this network has never seen a new line.";
  return `None of these characters is known to the network: ${walk.dropped.map(spoken).join(", ")}. Type others.`;
}

/** What is worth saying though all goes on. */
function remark({ state, walk, network }) {
  if (state.seed_text === "") return "With nothing to start from, the network starts as after a new line.";
  if (!walk.dropped.length) return "";
  const unknown = walk.dropped.map(spoken).join(", ");
  return network.unknown === null
    ? `The network has never seen ${unknown}, so it reads the text without.`
    : `The network has never seen ${unknown}, so it reads ${spoken(network.unknown)} instead.`;
}

function createActions(view) {
  const { store, state } = view;
  let timer = null;
  const change = (patch) => {
    store.remember(["picks", "used"]);
    store.set({ message: "", ...patch }); // what Python had to say was about how it began
  };
  const rolls = () => {
    if (view.seed !== state.seed) Object.assign(view, { seed: state.seed, rolls: createRolls(state.seed) });
    return view.rolls;
  };
  // The panels hear of a roll in the next frame; the next roll may come before and needs its own distribution.
  const rollAfter = (picks) => {
    if (!view.walk.read({ seed_text: state.seed_text, picks })) return;
    const { now } = look({ ...view, landed: null }), roll = rolls()(state.used);
    change({ picks: [...picks, [place(now, roll), roll]], used: state.used + 1 });
  };
  const full = () => state.picks.length >= LONGEST;

  const act = {
    /** Roll: the next character is where the next random number falls. */
    roll() {
      if (!full()) rollAfter(state.picks);
    },
    /** Take the last character back and roll for it anew, with the next number. */
    again() {
      rollAfter(state.picks.slice(0, -1));
    },
    force(id) {
      if (view.now && !full()) change({ picks: [...state.picks, [id, null]] });
    },
    go(count) {
      act.stop();
      let left = count;
      const one = () => {
        act.roll();
        left -= 1;
        if (left <= 0) act.stop();
      };
      if (stillness()) while (left > 0) one();
      else timer = setInterval(one, 45);
    },
    undo() {
      act.stop();
      store.undo();
    },
    back() {
      act.stop();
      if (state.picks.length) change({ picks: state.picks.slice(0, -1) });
    },
    reset() {
      act.stop();
      change({ picks: [], used: 0 });
    },
    stop() {
      clearInterval(timer);
      timer = null;
    },
  };
  return act;
}

function createHeading(view) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2, text: "Which character comes next?" });
  const words = element("p", { class: "un-sentence", role: "status", "aria-live": "polite" });
  return { element: element("header", {}, title, words), update: () => write(words, sentence(view)) };
}

function sentence({ now, state, network, walk }) {
  if (!now) return "";
  const read = [...state.seed_text, ...state.picks.map(([id]) => network.vocabulary[id])].slice(-14);
  const [first] = now.order, many = needed(now.now, 0.9);
  const where = read.length ? `After ${quoted(read)}` : "At the start";
  return `${where}, ${spoken(network.vocabulary[first])} is likeliest (${percent(now.now[first])}); `
    + `${many} of ${walk.logits().length} characters hold 90 %, ${entropy(now.now).toFixed(2)} bits to guess.`;
}

function createButtons({ store, state }, act) {
  const undo = button("↶ undo", "undo", () => act.undo());
  const roll = button("⚄ roll", "roll the die for one character", () => act.roll(), { class: "un-roll" });
  const again = button("roll again", "take the last character back and roll for it again", () => act.again());
  return {
    element: element("div", { class: "un-row un-actions", role: "group", "aria-label": "the die" }, roll, again,
      button("continue 20", "roll for twenty characters", () => act.go(20)), undo,
      button("↺ reset", "back to the text given", () => act.reset())),
    update() {
      undo.disabled = !store.undoSteps();
      again.disabled = !state.picks.length;
    },
  };
}

function createSettings(view, act) {
  const { store, state, network } = view;
  const number = (name, attributes, tidy) => {
    const box = element("input", { type: "number", ...attributes, ...KEYS, on: {
      change: () => {
        const value = box.value === "" ? tidy(Number.NaN) : tidy(Number(box.value));
        set(name, value);
        box.value = shown(name, value);
      },
    } });
    return box;
  };
  const shown = (name, value) => ((name === "top_k" && !value) || (name === "top_p" && value === 1) ? "" : value);
  const set = (name, value) => {
    if (name === "seed" && value !== state.seed) store.set({ message: "", seed: value, picks: [], used: 0 });
    else store.set({ message: "", [name]: value });
  };
  let hottest = HOT; // Python may ask for more than the slider offers by itself
  const heat = (value) => (Number.isFinite(value) ? clip(value, 0, hottest) : 1);
  const warm = element("input", { type: "range", min: 0, max: HOT, step: 0.05, class: "un-slider", "aria-label": "temperature", ...KEYS,
    on: { input: () => set("temperature", Number(warm.value)) } });
  const typed = number("temperature", { min: 0, max: HOT, step: 0.05, "aria-label": "temperature, typed" }, heat);
  const topK = number("top_k", { min: 1, max: network.vocabulary.length, placeholder: "all" },
    (value) => (Number.isFinite(value) ? clip(Math.round(value), 1, network.vocabulary.length) : 0));
  const topP = number("top_p", { min: 0.05, max: 1, step: 0.05, placeholder: "all" },
    (value) => (Number.isFinite(value) && value > 0 ? clip(value, 0.01, 1) : 1));
  const seed = number("seed", { min: 0, step: 1 }, (value) => (Number.isFinite(value) ? clip(Math.round(value), 0, 2 ** 32 - 1) : 0));
  const inputs = { temperature: typed, top_k: topK, top_p: topP, seed };
  const text = element("textarea", { class: "un-text", rows: 2, spellcheck: "false", "aria-label": "text to start from", ...KEYS, on: {
    input: () => {
      act.stop();
      store.set({ message: "", seed_text: text.value, picks: [], used: 0 });
    },
  } });
  let cut = "";
  limit(text, LONGEST, (words) => {
    cut = words;
    store.touch("cut");
  });
  const message = element("span", { class: "un-message", role: "alert" });
  return {
    element: element("div", { class: "un-settings" },
      element("div", { class: "un-row" }, element("label", { class: "un-label un-grow" }, element("span", { text: "temperature" }), warm), typed,
        labelled("top-k", topK), labelled("top-p", topP), labelled("seed of the rolls", seed)),
      element("div", { class: "un-row" }, element("label", { class: "un-label un-grow" }, element("span", { text: "start from" }), text)), message),
    update() {
      hottest = Math.max(hottest, state.temperature);
      warm.max = typed.max = hottest;
      warm.value = state.temperature;
      for (const [name, box] of Object.entries(inputs)) if (document.activeElement !== box) box.value = shown(name, state[name]);
      if (text.value !== state.seed_text) text.value = state.seed_text;
      write(message, [state.message, cut, view.say].filter(Boolean).join(" "));
    },
  };
}

/** The text so far. With the focus on it, a typed character is forced, Backspace takes one back. */
function createText(view, act) {
  const { state, network } = view;
  const given = element("span", { class: "un-given" }), drawn = element("span"), last = element("span", { class: "un-last" });
  const box = element("div", { class: "un-passage", tabindex: 0, role: "textbox", "aria-readonly": "true", "aria-multiline": "true",
    "aria-label": "the text so far; type a character to force it, Backspace takes one back, right arrow rolls", ...KEYS },
    given, drawn, last, element("span", { class: "un-caret", "aria-hidden": "true" }));
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const id = network.index.get(event.key === "Enter" ? "\n" : event.key);
    const action = { Backspace: act.back, ArrowRight: act.roll }[event.key] ?? (id === undefined ? null : () => act.force(id));
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });
  return {
    element: box,
    update() {
      const symbols = state.picks.map(([id]) => network.vocabulary[id]);
      write(given, state.seed_text);
      write(drawn, symbols.slice(0, -1).join(""));
      const end = symbols.at(-1) ?? "";
      write(last, end === "\n" ? "⏎\n" : end);
      last.hidden = !end;
      box.scrollTop = box.scrollHeight;
    },
  };
}

/** The die laid flat, as it was for the last character: every character has its share of 0...1, the roll is a point. */
function createDieStrip(view, act) {
  const { network, tip } = view;
  const pin = element("div", { class: "un-pin" });
  const segments = network.vocabulary.map((symbol, id) => {
    const node = element("span", { class: "un-side", text: glyph(symbol) });
    node.addEventListener("pointermove", (event) => tip.show(event, `${glyph(symbol)} ${percent(view.now?.rolled[id] ?? 0)}`));
    node.addEventListener("pointerleave", () => tip.show(null));
    return node;
  });
  const flat = element("div", { class: "un-flat" }, ...segments), caption = element("figcaption");
  let shownFor = null;

  function paint(probabilities) {
    let seen = 0;
    segments.forEach((node, id) => {
      const p = probabilities[id];
      node.style.flexGrow = p;
      node.hidden = p === 0;
      if (p > 0) node.classList.toggle("odd", Boolean(seen++ % 2));
      node.classList.toggle("thin", p * flat.clientWidth < 10);
      node.classList.toggle("hit", view.landed?.id === id);
    });
  }

  return {
    element: element("figure", { class: "un-figure" }, caption, element("div", { class: "un-track", role: "img", "aria-label": "the die laid flat" }, flat, pin)),
    update() {
      if (!view.now) return;
      paint(view.now.rolled);
      write(caption, flatWords(view));
      const roll = view.landed?.roll ?? null;
      pin.hidden = roll === null;
      if (roll !== null) pin.style.left = `${100 * roll}%`;
      if (roll !== null && view.landed !== shownFor && !stillness()) tumble(pin, roll);
      shownFor = view.landed;
    },
  };
}

function flatWords({ landed, network, now }) {
  if (!landed) return "The die laid flat: a roll is a number from 0 to 1, and the character that it falls on is written";
  const symbol = spoken(network.vocabulary[landed.id]), share = percent(now.rolled[landed.id]);
  return landed.roll === null
    ? `You chose ${symbol}; its share of the die was ${share}`
    : `The last roll: ${landed.roll.toFixed(3)} fell on ${symbol}, whose share of the die is ${share}`;
}

/** Let the pin swing a little before it rests. */
function tumble(pin, roll) {
  const at = (share) => ({ left: `${100 * clip(share, 0, 1)}%` });
  pin.animate([at((roll + 0.37) % 1), at((roll + 0.81) % 1), at(roll + 0.03), at(roll)], { duration: 260, easing: "ease-out" });
}

/** The likeliest as rows, all others as small keys. Every one can be clicked to force it. */
function createBars(view, act) {
  const { network, state } = view;
  const caption = element("figcaption");
  const rows = Array.from({ length: Math.min(ROWS, network.vocabulary.length) }, (_, k) => createRollRow(act, k));
  const list = element("div", { class: "un-dist un-dist-pick", role: "group", "aria-label": "likeliest characters" }, ...rows.map((row) => row.element));
  const keys = network.vocabulary.map((symbol, id) => createKey(act, symbol, id));
  const others = element("div", { class: "un-keys", role: "group", "aria-label": "all characters" }, ...keys.map((key) => key.element));
  rove(list);
  rove(others);
  const all = element("figcaption");
  return {
    element: element("div", { class: "un-pair" }, element("figure", { class: "un-figure" }, caption, list), element("figure", { class: "un-figure" }, all, others)),
    update() {
      if (!view.now) return;
      const { now, plain, order } = view.now, top = now[order[0]] || 1;
      const changed = state.temperature !== 1 || state.top_k > 0 || state.top_p < 1;
      write(caption, changed ? "Probability of the next character (line: at temperature 1, uncut)" : "Probability of the next character: click one to choose it yourself");
      write(all, "All characters of the network: the more colour, the likelier");
      rows.forEach((row, k) => row.show(order[k], network.vocabulary[order[k]], now[order[k]], changed ? plain[order[k]] : null));
      keys.forEach((key, id) => key.show(now[id], Math.sqrt(now[id] / top)));
    },
  };
}

function createRollRow(act, k) {
  const character = element("span", { class: "un-dist-character" }), bar = element("i"), line = element("u");
  const value = element("span", { class: "un-dist-value" });
  let id = 0;
  const row = element("button", { type: "button", class: "un-dist-row", tabindex: k ? -1 : 0, ...KEYS, on: { click: () => act.force(id) } },
    character, element("span", { class: "un-dist-bar" }, bar, line), value);
  return {
    element: row,
    show(next, symbol, now, plain) {
      id = next;
      write(character, glyph(symbol));
      write(value, percent(now));
      bar.style.width = `${100 * now}%`;
      line.hidden = plain === null;
      line.style.left = `${100 * (plain ?? 0)}%`;
      row.classList.toggle("never", now === 0);
      row.setAttribute("aria-label", `${spoken(symbol)}, ${percent(now)}; choose it`);
    },
  };
}

function createKey(act, symbol, id) {
  const node = element("button", { type: "button", class: "un-key", text: glyph(symbol), tabindex: id ? -1 : 0, ...KEYS, on: { click: () => act.force(id) } });
  return {
    element: node,
    show(p, depth) {
      node.style.setProperty("--depth", `${Math.round(100 * depth)}%`);
      node.classList.toggle("deep", depth > 0.55);
      node.title = `${spoken(symbol)} ${percent(p)}`;
      node.setAttribute("aria-label", `${spoken(symbol)}, ${percent(p)}; choose it`);
    },
  };
}

/** One tab stop for a group of buttons: arrow keys go from one to the next. */
function rove(group) {
  group.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const nodes = [...group.children], next = nodes[clip(nodes.indexOf(event.target) + by, 0, nodes.length - 1)];
    event.preventDefault();
    event.stopPropagation();
    for (const node of nodes) node.tabIndex = node === next ? 0 : -1;
    next.focus();
  });
}

export default { render };
