// The control bar of every explorer: heading, summary, buttons, sliders, pickers, message line.
// `spec` lists the controls; `values` holds what they are set to. At most one change is under way:
// the next is sent when the kernel has answered (`done`), so that dragging never piles up work.

const PATIENCE_MS = 4000; // after this a kernel that does not answer is asked again
const SILENT = "The kernel has not answered: it is busy, or it was restarted; then run this cell again.";
const GLYPHS = { back: "◀", play: "▶ play", pause: "❚❚ pause", next: "▶", reset: "↺ reset" };

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

// JupyterLab takes arrow and letter keys from every focused element that does not carry this attribute itself.
const free = (node) => (node.setAttribute("data-lm-suppress-shortcuts", "true"), node);

// Calls back once the plot beside the bar is there, after it has taken the width of its card.
function whenDrawn(el, then) {
  const look = setInterval(() => {
    if (!el.closest(".unrolled-card")?.querySelector(".js-plotly-plot .main-svg")) return;
    clearInterval(look);
    window.dispatchEvent(new Event("resize"));
    then();
  }, 100);
  return look;
}

function render({ model, el }) {
  let values = { ...model.get("values") };
  let waiting = 0;
  let queued = false;
  let timer = null;
  let patience = null;
  let own = ""; // what the bar itself has to say
  const setters = {};
  const spec = model.get("spec");
  const time = spec.find((control) => control.kind === "time");
  const root = element("section", { class: `unrolled unrolled-bar ${model.get("theme")}` });
  const heading = element("h3");
  const summary = element("p", { class: "summary", role: "status", "aria-live": "polite" });
  const message = element("p", { class: "message", role: "alert" });
  const bar = element("div", { class: "bar", role: "group", "aria-label": "controls" });

  function send() {
    if (waiting && performance.now() - waiting < PATIENCE_MS) {
      queued = true;
      return;
    }
    queued = false;
    // The kernel answers changes only: nothing is asked where nothing changes, as at the end of a slider.
    if (JSON.stringify(values) === JSON.stringify(model.get("values"))) return;
    waiting = performance.now();
    clearTimeout(patience);
    patience = setTimeout(() => {
      say(SILENT);
      if (queued) send();
    }, PATIENCE_MS + 100);
    model.set("values", { ...values });
    model.set("asked", model.get("asked") + 1);
    model.save_changes();
  }

  function say(words) {
    own = words;
    show();
  }

  function change(name, value) {
    values[name] = value;
    setters[name](value);
    send();
  }

  function answered() {
    if (model.get("done") < model.get("asked")) return;
    waiting = 0;
    clearTimeout(patience);
    if (own === SILENT) say("");
    if (queued) send();
  }

  const button = (label, name, action) => {
    const node = free(element("button", { type: "button", "aria-label": name, title: name }, label));
    node.addEventListener("click", action);
    return node;
  };

  const clamp = (control, value) => Math.max(control.minimum, Math.min(control.maximum, value));
  const tidy = (control, value) => {
    const steps = Math.round((value - control.minimum) / control.step);
    return clamp(control, +(control.minimum + steps * control.step).toFixed(6));
  };

  function slider(control) {
    const { name, label, minimum, maximum, step } = control;
    const range = free(element("input", { type: "range", min: minimum, max: maximum, step, "aria-label": label }));
    const number = free(element("input", { type: "number", min: minimum, max: maximum, step,
      "aria-label": `${label}, typed` }));
    range.addEventListener("input", () => change(name, +range.value));
    number.addEventListener("change", () => change(name, tidy(control, +number.value || 0)));
    setters[name] = (value) => {
      range.value = value;
      if (document.activeElement !== number || +number.value !== value) number.value = value;
      if (control.texts) range.setAttribute("aria-valuetext", `${value}: ${control.texts[value]}`);
    };
    return [element("label", { class: "wide" }, element("span", {}, label), range), number];
  }

  function move(by) {
    change(time.name, clamp(time, values[time.name] + by));
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    summary.setAttribute("aria-live", "polite");
    if (root.play) {
      root.play.textContent = GLYPHS.play;
      root.play.setAttribute("aria-pressed", "false");
    }
  }

  function toggle() {
    if (timer) return stop();
    if (values[time.name] >= time.maximum) change(time.name, time.minimum);
    summary.setAttribute("aria-live", "off");
    root.play.textContent = GLYPHS.pause;
    root.play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      if (waiting) return;
      if (values[time.name] >= time.maximum) return stop();
      move(time.step);
    }, time.pace);
  }

  function reset() {
    stop();
    change(time.name, time.start);
  }

  function timeline(control) {
    const parts = slider(control);
    root.play = button(GLYPHS.play, "play or pause", toggle);
    root.play.classList.add("play");
    root.play.setAttribute("aria-pressed", "false");
    return [
      element("div", { class: "group" },
        button(GLYPHS.back, "one step back", () => move(-control.step)), root.play,
        button(GLYPHS.next, "one step forward", () => move(control.step)),
        button(GLYPHS.reset, "back to the start", reset)),
      element("div", { class: "group grow" }, ...parts),
    ];
  }

  function pick({ name, label, options }) {
    const select = free(element("select", { "aria-label": label },
      ...options.map((option, k) => element("option", { value: k }, option))));
    select.addEventListener("change", () => change(name, +select.value));
    setters[name] = (value) => { select.value = value; };
    return [element("label", {}, element("span", {}, label), select)];
  }

  // A whole number, or nothing: "all".
  function index(control) {
    const { name, label, maximum, all } = control;
    const number = free(element("input", { type: "number", min: 0, max: maximum, "aria-label": label,
      placeholder: all ?? "" }));
    number.addEventListener("change", () =>
      change(name, number.value === "" && all ? null : clamp({ minimum: 0, maximum }, Math.round(+number.value))));
    const parts = [element("label", {}, element("span", {}, label), number)];
    const every = all ? button(all, `${label}: ${all}`, () => change(name, null)) : null;
    if (every) parts.push(every);
    setters[name] = (value) => {
      number.value = value ?? "";
      every?.setAttribute("aria-pressed", String(value === null || value === undefined));
    };
    return [element("div", { class: "group" }, ...parts)];
  }

  // The browser cuts what is pasted to what the box holds.
  function text({ name, label, most }) {
    const input = free(element("input", { type: "text", "aria-label": label, spellcheck: "false", maxlength: most }));
    input.addEventListener("paste", (event) => {
      const count = event.clipboardData.getData("text").length;
      const room = most - input.value.length + input.selectionEnd - input.selectionStart;
      const [pasted, taken, all] = [count, Math.max(0, room), most].map((n) => n.toLocaleString("en"));
      say(count > room ? `Of the ${pasted} characters pasted the first ${taken} were taken: this box holds ${all}.` : "");
    });
    input.addEventListener("input", (event) => {
      if (event.inputType !== "insertFromPaste") say("");
      change(name, input.value.replaceAll("⏎", "\n"));
    });
    setters[name] = (value) => {
      if (document.activeElement !== input) input.value = value.replaceAll("\n", "⏎");
    };
    const group = element("label", { class: "grow" }, element("span", {}, label), input);
    group.style.flexBasis = `${Math.min(800, Math.max(260, 90 + 9 * model.get("values")[name].length))}px`;
    return [group];
  }

  // A box to tick; named apart from the "switch" of the language.
  function tick({ name, label }) {
    const box = free(element("input", { type: "checkbox", "aria-label": label }));
    box.addEventListener("change", () => change(name, box.checked));
    setters[name] = (value) => { box.checked = value; };
    return [element("label", {}, box, element("span", {}, label))];
  }

  const alone = (control) => [element("div", { class: "group grow" }, ...slider(control))];
  const builders = { time: timeline, slider: alone, pick, index, text, switch: tick };
  for (const control of spec) bar.append(...builders[control.kind](control));

  // Keys anywhere in the bar: ← → move in time, Home starts, space plays, digits choose in the first picker.
  const digits = spec.find((control) => control.kind === "pick");
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input:not([type=range]), select");
    if (typing) return;
    const own = event.target.matches("input[type=range]");
    const actions = {
      ArrowLeft: time && !own && (() => move(-time.step)),
      ArrowRight: time && !own && (() => move(time.step)),
      Home: time && !own && reset,
      " ": time && !event.target.matches("button") && toggle,
    };
    let action = actions[event.key];
    const digit = Number.parseInt(event.key, 10);
    if (digits && digit >= 1 && digit <= digits.options.length) action = () => change(digits.name, digit - 1);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  });

  function show() {
    heading.textContent = model.get("title");
    summary.textContent = model.get("summary");
    message.textContent = own || model.get("message");
    const plot = el.closest(".unrolled-card")?.querySelector(".js-plotly-plot");
    plot?.setAttribute("role", "img");
    plot?.setAttribute("aria-label", `${heading.textContent} ${summary.textContent}`);
  }

  function values_changed() {
    if (waiting) return;
    values = { ...model.get("values") };
    for (const [name, value] of Object.entries(values)) setters[name]?.(value);
  }

  root.append(heading, summary, bar, message);
  el.append(root);
  values_changed();
  show();
  const listeners = [["change:values", values_changed], ["change:title", show], ["change:summary", show],
    ["change:message", show], ["change:done", answered]];
  for (const [event, listener] of listeners) model.on(event, listener);
  const look = whenDrawn(el, () => {
    show();
    if (model.get("ready")) return;
    model.set("ready", true);
    model.save_changes();
  });
  return () => {
    clearInterval(look);
    clearTimeout(patience);
    stop();
    for (const [event, listener] of listeners) model.off(event, listener);
  };
}

export default { render };
