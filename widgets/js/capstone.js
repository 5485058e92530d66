/** The front door: bring a file, paste, or take a sample; choose a cell; train; open; take the page home. */
import { KEYS, button, clearCanvas, element, labelled, setOptions, write } from "./dom.js";
import { offer } from "./paper.js";
import { showPanels } from "./panels.js";
import { createStore } from "./store.js";
import { followTheme } from "./theme.js";

const SHARED = ["cell", "hidden_size", "steps", "busy", "sentence", "preview", "result", "message", "theme", "_values", "_choices", "_page"];
const SKY = 90, LONGEST_PREVIEW = 600;

function render({ model, el }) {
  const root = element("section", { class: "un un-door", "aria-label": "bring your own sequences", ...KEYS });
  el.append(root);
  const store = createStore(model, SHARED), { state } = store;
  const theme = followTheme(root, state.theme, () => store.touch("drawn"));
  const view = { root, model, store, state, token: theme.token, options: model.get("_options") };
  view.ask = (what, more = {}, buffers = []) => {
    store.set({ message: "", busy: true });
    model.save_changes();
    model.send({ ask: what, cell: state.cell, hidden_size: state.hidden_size, steps: state.steps, ...more }, undefined, buffers);
  };
  return showPanels(view, theme, [createTitle, createBringing, createRead, createTraining, createEnd]);
}

const group = (number, title, ...children) =>
  element("div", { class: "un-step", role: "group", "aria-label": title }, element("h3", { text: `${number} ${title}` }), ...children);

function createTitle({ state }) {
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2, text: "Bring your own sequences" });
  const message = element("p", { class: "un-message", role: "alert" });
  return {
    element: element("header", {}, title, element("p", { class: "un-sentence", text: "Text, numbers in a CSV file, tunes in ABC, or strokes from the pad. Nothing leaves this machine." }), message),
    update: () => write(message, state.message),
  };
}

function createBringing(view) {
  const { store, state, ask, options } = view;
  const file = element("input", { type: "file", ...KEYS, on: { change: () => take(file.files[0]) } });
  async function take(one) {
    if (!one) return;
    file.value = ""; // so that the same file, mended, can be taken again
    if (one.size > options.largest) {
      const most = options.largest / 1e6;
      return store.set({ message: `'${one.name}' has ${(one.size / 1e6).toFixed(1)} MB; use a part of it, at most ${most} MB.` });
    }
    ask("bring", { name: one.name }, [await one.arrayBuffer()]);
  }
  const sample = element("select", { ...KEYS });
  setOptions(sample, options.samples.map((name) => [name, name]), options.samples[0]);
  const box = element("textarea", { class: "un-text", rows: 3, spellcheck: "false", "aria-label": "text, numbers or tunes to paste", placeholder: "or paste here", ...KEYS });
  const read = button("read it", "read what was pasted", () => {
    if (box.value.length > options.largest) return store.set({ message: `What was pasted has ${(box.value.length / 1e6).toFixed(1)} million characters; paste at most ${options.largest / 1e6} million.` });
    ask("paste", { text: box.value });
  });
  const bring = button("take the sample", "take the sample that is chosen", () => ask("sample", { name: sample.value }));
  takeDropped(view, take);
  return {
    element: group("1", "What have you got?", element("div", { class: "un-row" }, labelled("your file", file), labelled("or a sample", sample), bring), element("div", { class: "un-row" }, box, read)),
    update() {
      for (const control of [file, bring, read]) control.disabled = state.busy;
    },
  };
}

/** A file may also be dropped anywhere on the door. */
function takeDropped({ root, state }, take) {
  root.addEventListener("dragover", (event) => event.preventDefault());
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!state.busy) take(event.dataTransfer?.files[0]);
  });
}

function createRead({ state, token }) {
  const words = element("p", { class: "un-read", role: "status", "aria-live": "polite" });
  const preview = element("pre", { tabindex: 0, "aria-label": "its beginning", ...KEYS }), sky = element("canvas", { role: "img" });
  return {
    element: element("div", {}, words, preview, sky),
    update() {
      write(words, state.sentence);
      write(preview, state.preview.slice(0, LONGEST_PREVIEW));
      const values = state._values;
      preview.hidden = !state.preview || values.length > 0;
      sky.hidden = !values.length;
      if (sky.hidden) return;
      const width = Math.max(240, sky.parentElement.clientWidth), context = clearCanvas(sky, width, SKY);
      const low = Math.min(...values), high = Math.max(...values);
      sky.style.cssText = `width:${width}px;height:${SKY}px`;
      Object.assign(context, { strokeStyle: token("--ink"), lineWidth: 1.2 });
      context.beginPath();
      values.forEach((value, k) => context.lineTo((k * (width - 8)) / (values.length - 1) + 4, SKY - 6 - ((value - low) / (high - low || 1)) * (SKY - 12)));
      context.stroke();
      sky.setAttribute("aria-label", `The series from beginning to end, ${low.toPrecision(3)} to ${high.toPrecision(3)}.`);
    },
  };
}

function createTraining(view) {
  const { store, state, ask, model } = view;
  const cell = element("select", { ...KEYS, on: { change: () => store.set({ cell: cell.value }) } });
  const number = (name, low, high) => {
    const box = element("input", { type: "number", min: low, max: high, ...KEYS, on: { change: () => {
      const value = Math.round(Number(box.value));
      if (Number.isFinite(value) && box.value !== "" && value >= low && value <= high) store.set({ [name]: value, message: "" });
      else store.set({ message: `A whole number from ${low} to ${high} is asked for here.` });
      box.value = state[name];
    } } });
    return box;
  };
  const hidden = number("hidden_size", 1, 512), steps = number("steps", 1, 20000);
  const train = button("train", "train: a network on what was read", () => ask("train"));
  const result = element("p", { class: "un-read", role: "status", "aria-live": "polite" });
  let offered = null;
  return {
    element: group("2", "Choose and train", element("div", { class: "un-row" }, labelled("cell", cell), labelled("units", hidden), labelled("steps", steps), train), result),
    update() {
      if (offered !== state._choices) setOptions(cell, state._choices.map((name) => [name, name]), state.cell);
      offered = state._choices;
      cell.value = state.cell;
      for (const [box, name] of [[hidden, "hidden_size"], [steps, "steps"]]) if (document.activeElement !== box) box.value = state[name];
      train.disabled = state.busy || !state.sentence;
      write(train, state.busy ? "busy …" : "train");
      write(result, state.result);
    },
  };
}

function createEnd({ state, ask, store }) {
  const open = button("open it", "open it: look inside while it runs", () => ask("open"));
  const page = button("save as a page", "save as a page: one file that runs your network anywhere", () => ask("page"));
  return {
    element: group("3", "Open it, show it", element("div", { class: "un-row" }, open, page)),
    update(changed) {
      open.disabled = page.disabled = state.busy || !state.result;
      if (!changed.has("_page") || !state._page.text) return;
      offer(state._page.text, state._page.name, "text/html");
      store.set({ _page: {} });
    },
  };
}

export default { render };
