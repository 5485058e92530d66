/** Beside a training that is under way: what it has reached, its curve, a stop button, the latest samples. */
import { LONG, shade } from "./colour.js";
import { button, clearCanvas, drawing, element, write } from "./dom.js";
import { followTheme } from "./theme.js";

const PATIENCE_MS = 4000;
const LEFT = 62, RIGHT = 160, TOP = 10, LOSS = 240, GAP = 34, NORM = 84, FOOT = 40;
const HEIGHT = TOP + LOSS + GAP + NORM + FOOT;
const MAP = 150, LINE = 15;

function render({ model, el }) {
  const root = element("section", { class: "un un-live", "aria-label": "training" });
  const title = element("div", { class: "un-title", role: "heading", "aria-level": 2 });
  const words = element("p", { class: "un-sentence", role: "status", "aria-live": "off" });
  const stop = button("■ stop and keep", "stop the training and keep what it has learnt", ask);
  const bar = element("progress", { max: 1, "aria-label": "steps done" });
  const samples = element("div", { class: "un-samples", "aria-label": "latest samples" });
  const chart = drawing("svg", { class: "un-curve", height: HEIGHT, role: "img" });
  const map = createMap();
  const theme = followTheme(root, model.get("theme"), () => {}); // its colours are all the style sheet's
  let patience = null;

  function ask() {
    stop.disabled = true;
    write(stop, "stopping …");
    model.set("stop", true);
    model.save_changes();
    // A kernel that only listens between cells does not hear this; interrupting it does the same.
    patience = setTimeout(() => model.get("heard") || model.widget_manager?.kernel?.interrupt?.(), PATIENCE_MS);
  }

  function show() {
    write(title, model.get("title"));
    write(words, model.get("summary"));
    bar.value = model.get("share");
    stop.hidden = model.get("share") >= 1; // nothing is left to stop
    chart.setAttribute("aria-label", `${model.get("title")} ${model.get("summary")}`);
  }

  function showSamples() {
    samples.replaceChildren(...model.get("samples").map(([heat, text]) =>
      element("figure", { class: "un-figure" },
        element("figcaption", { text: `written at temperature ${heat}` }), element("pre", { text }))));
  }

  const showCurve = () => drawCurve(chart, model.get("curve"), root.clientWidth - 46);
  const showMap = () => map.draw(model.get("gates"), root.clientWidth - 46);
  root.append(title, words, element("div", { class: "un-row" }, stop, bar), samples, chart, map.element);
  el.append(root);
  for (const draw of [show, showSamples, showCurve, showMap]) draw();
  const size = new ResizeObserver(() => {
    showCurve();
    showMap();
  });
  size.observe(root);
  const listeners = [["change:title", show], ["change:summary", show], ["change:share", show],
    ["change:samples", showSamples], ["change:curve", showCurve], ["change:gates", showMap]];
  for (const [event, listener] of listeners) model.on(event, listener);
  return () => {
    clearTimeout(patience);
    theme.stop();
    size.disconnect();
    for (const [event, listener] of listeners) model.off(event, listener);
    root.remove();
  };
}

function numbers(view) {
  return Float32Array.from({ length: (view?.byteLength ?? 0) / 4 }, (_, k) => view.getFloat32(4 * k, true));
}

function drawCurve(chart, curve, width) {
  if (!curve.steps || width < 200) return;
  const inner = width - LEFT - RIGHT, floor = TOP + LOSS + GAP;
  const x = (step) => LEFT + (inner * step) / curve.steps;
  const between = (value, [low, high], top, height) => top + height * (1 - (value - low) / (high - low));
  const y = (value) => between(value, curve.span, TOP, LOSS);
  const z = (norm) => between(Math.log10(norm), curve.decades, floor, NORM);
  const steps = numbers(curve.x);
  const path = (values, place) => {
    let d = "";
    values.forEach((value, k) => {
      if (Number.isFinite(place(value))) d += `${d ? "L" : "M"}${x(steps[k]).toFixed(1)} ${place(value).toFixed(1)}`;
    });
    return d;
  };
  const text = (words, at, down, anchor, token = "--soft") =>
    drawing("text", { x: at, y: down + 4, "text-anchor": anchor, text: words, style: { fill: `var(${token})` } });
  const across = (down, kind, token) => drawing("line", { x1: LEFT, x2: LEFT + inner, y1: down, y2: down, class: kind, style: { stroke: `var(${token})` } });
  const line = (d, kind, token) => drawing("path", { d, class: kind, style: { stroke: `var(${token})` } });
  const nodes = [];
  for (const value of ruler(...curve.span)) nodes.push(across(y(value), "un-rule", "--rule"), text(String(value), LEFT - 8, y(value), "end"));
  for (let k = curve.decades[0]; k <= curve.decades[1]; k++) nodes.push(across(z(10 ** k), "un-rule", "--rule"), text(String(+(10 ** k).toPrecision(1)), LEFT - 8, z(10 ** k), "end"));
  for (const step of ruler(0, curve.steps)) nodes.push(text(step.toLocaleString("en"), x(step), floor + NORM + 12, "middle"));
  nodes.push(text("step", LEFT + inner / 2, floor + NORM + 30, "middle"));
  nodes.push(sideways(`loss (${curve.unit})`, TOP + LOSS / 2), sideways("gradient norm", floor + NORM / 2));
  for (const [, value] of curve.baselines) nodes.push(across(y(value), "un-dashed", "--soft"));
  if (curve.clip) nodes.push(across(z(curve.clip), "un-dashed", "--i"), text(`clipped at ${curve.clip}`, LEFT + inner + 8, z(curve.clip), "start", "--i"));
  nodes.push(line(path(numbers(curve.losses), y), "un-pale", "--f"), line(path(numbers(curve.means), y), "un-strong", "--f"));
  nodes.push(line(path(numbers(curve.norms), z), "un-thin", "--g"));
  const points = curve.evaluations.map(([step, value]) => [x(step), y(value)]);
  nodes.push(line(points.map(([a, b], k) => `${k ? "L" : "M"}${a} ${b}`).join(""), "un-dotted", "--i"));
  for (const [cx, cy] of points) nodes.push(drawing("circle", { cx, cy, r: 4, style: { fill: "var(--i)" } }));
  const named = curve.baselines.map(([name, value]) => [`${name} ${value.toFixed(2)}`, y(value), "--soft"]);
  if (points.length) named.push([`${curve.held} ${curve.evaluations.at(-1)[1].toFixed(2)}`, points.at(-1)[1], "--i"]);
  for (const [words, down, token] of apart(named)) nodes.push(text(words, LEFT + inner + 8, down, "start", token));
  chart.setAttribute("width", width);
  chart.replaceChildren(...nodes);
}

const sideways = (words, down) =>
  drawing("text", { text: words, "text-anchor": "middle", transform: `translate(14 ${down}) rotate(-90)`, style: { fill: "var(--soft)" } });

/** Labels moved off one another, those that touch around their mean, as widgets/training.py's `spread` does. */
function apart(labels) {
  const sorted = [...labels].sort((a, b) => a[1] - b[1]), groups = [];
  const mean = (group) => group.reduce((sum, place) => sum + place, 0) / group.length;
  sorted.forEach(([, down], k) => {
    groups.push([down - k * LINE]);
    while (groups.length > 1 && mean(groups.at(-2)) > mean(groups.at(-1))) groups.push(groups.splice(-2).flat());
  });
  const last = TOP + LOSS - (sorted.length - 1) * LINE;
  const level = groups.flatMap((group) => group.map(() => Math.max(TOP, Math.min(mean(group), last))));
  return sorted.map(([words, , token], k) => [words, level[k] + k * LINE, token]);
}

/** Round numbers from low to high, about six of them. */
function ruler(low, high) {
  const rough = (high - low) / 6, power = 10 ** Math.floor(Math.log10(rough));
  const by = [1, 2, 5, 10].find((k) => k * power >= rough) * power;
  const marks = [];
  for (let k = Math.ceil(low / by - 1e-9); k * by <= high + by * 1e-9; k++) marks.push(+(k * by).toPrecision(6));
  return marks;
}

function createMap() {
  const caption = element("figcaption"), canvas = element("canvas"), text = element("div", { class: "un-map-text", "aria-hidden": "true" });
  const figure = element("figure", { class: "un-figure", hidden: true }, caption, canvas, text);
  return {
    element: figure,
    draw(gates, width) {
      if (!gates.values || width < 200) return;
      const { steps, units, signal, characters } = gates, values = numbers(gates.values);
      figure.hidden = false;
      canvas.style.cssText = `width:${width}px;height:${MAP}px`;
      // One pixel a value, then stretched: a rectangle for each took the training's own processor time.
      const small = element("canvas", { width: steps, height: units });
      const image = new ImageData(steps, units);
      for (let t = 0; t < steps; t++) for (let u = 0; u < units; u++)
        image.data.set([...shade(signal, values[t * units + u]), 255], 4 * (u * steps + t));
      small.getContext("2d").putImageData(image, 0, 0);
      const context = clearCanvas(canvas, width, MAP);
      context.imageSmoothingEnabled = units > canvas.height;
      context.drawImage(small, 0, 0, width, MAP);
      write(caption, `${LONG[signal]} of all ${units} units while the model reads, after ${gates.after} steps`);
      if (text.childElementCount !== steps) text.replaceChildren(...characters.map((c) => element("span", { text: c })));
    },
  };
}

export default { render };
