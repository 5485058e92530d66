/** Pictures of a pen at work: ink on paper, the density of the next point, letters under a window. */
import { clearCanvas, clip } from "./dom.js";

export const WIDTH = 900;
const LINE = 2.1; // of the ink, in CSS pixels
const RANGE = 1.5; // heights of an x that the close-up shows to each side

/** Corners of some points, with room around them: {left, right, low, high}, y upwards. */
export function bounds(points, room = 0.8) {
  const box = { left: -0.4, right: 4, low: -1.2, high: 2.6 };
  for (const [x, y] of points) {
    box.left = Math.min(box.left, x - room);
    box.right = Math.max(box.right, x + room);
    box.low = Math.min(box.low, y - room);
    box.high = Math.max(box.high, y + room);
  }
  return box;
}

/** Where heights of an x lie on a canvas of this width: pixels a height, and the two ways to turn a place. */
export function scaleTo(box, width, tallest = 260) {
  const unit = Math.min(width / (box.right - box.left), tallest / (box.high - box.low), 46);
  return { unit, height: Math.ceil(unit * (box.high - box.low)), x: (x) => unit * (x - box.left), y: (y) => unit * (box.high - y) };
}

/** Strokes as runs of points: [[x, y], ...] cut behind every point at which the pen is lifted. */
export function strokesOf(points, lifted, end = points.length) {
  const strokes = [];
  let open = null;
  for (let k = 0; k < end; k++) {
    if (!open) strokes.push((open = []));
    open.push(points[k]);
    if (lifted[k]) open = null;
  }
  return strokes;
}

/** Draw strokes as ink; a stroke of one point is a dot. */
export function drawInk(context, scale, strokes, colour, width = LINE) {
  context.strokeStyle = context.fillStyle = colour;
  Object.assign(context, { lineWidth: width, lineJoin: "round", lineCap: "round" });
  for (const stroke of strokes) {
    context.beginPath();
    const [[x, y], ...rest] = stroke;
    context.moveTo(scale.x(x), scale.y(y));
    for (const [a, b] of rest) context.lineTo(scale.x(a), scale.y(b));
    if (!rest.length) context.lineTo(scale.x(x) + 0.1, scale.y(y));
    context.stroke();
  }
}

/** The base line, and the line up to which small letters reach. */
export function drawRules(context, scale, width, colour) {
  Object.assign(context, { strokeStyle: colour, lineWidth: 1 });
  for (const [y, dashes] of [[0, []], [1, [4, 5]]]) {
    context.setLineDash(dashes);
    context.beginPath();
    context.moveTo(0, scale.y(y));
    context.lineTo(width, scale.y(y));
    context.stroke();
  }
  context.setLineDash([]);
}

/** Density of a mixture at an offset. Each component is [weight, mean x, mean y, deviation x, deviation y, correlation]. */
export function densityAt(mixture, x, y) {
  let sum = 0;
  for (const [weight, mx, my, sx, sy, rho] of mixture) {
    const u = (x - mx) / sx, v = (y - my) / sy, free = Math.max(1e-6, 1 - rho * rho);
    sum += (weight * Math.exp(-(u * u - 2 * rho * u * v + v * v) / (2 * free))) / (2 * Math.PI * sx * sy * Math.sqrt(free));
  }
  return sum;
}

/** Where the next point may fall, seen close: a map of the density, the point that was drawn, and both axes. */
export function drawDensity(canvas, mixture, drawn, { size, token }) {
  const context = clearCanvas(canvas, size + 46, size + 40), cells = 106, cell = size / cells;
  const at = (k) => ((k + 0.5) / cells * 2 - 1) * RANGE;
  const values = Array.from({ length: cells * cells }, (_, k) => densityAt(mixture, at(k % cells), -at(Math.floor(k / cells))));
  const most = Math.max(...values, 1e-9);
  context.save();
  context.translate(40, 4);
  context.fillStyle = token("--ground");
  context.fillRect(0, 0, size, size);
  context.fillStyle = token("--f");
  values.forEach((value, k) => {
    context.globalAlpha = (value / most) ** 0.4; // a needle beside a wide hill must not hide it
    if (context.globalAlpha > 0.02) context.fillRect((k % cells) * cell, Math.floor(k / cells) * cell, cell, cell);
  });
  context.globalAlpha = 1;
  Object.assign(context, { strokeStyle: token("--edge"), lineWidth: 1 });
  context.strokeRect(0, 0, size, size);
  const place = (v) => ((v / RANGE + 1) / 2) * size;
  context.fillStyle = token("--ink");
  context.beginPath();
  context.arc(place(0), place(0), 3, 0, 7);
  context.fill();
  if (drawn) {
    Object.assign(context, { strokeStyle: token("--i"), lineWidth: 2 });
    context.beginPath();
    context.arc(clip(place(drawn[0]), 3, size - 3), clip(place(-drawn[1]), 3, size - 3), 6, 0, 7);
    context.stroke();
  }
  context.fillStyle = token("--soft");
  context.font = '11.5px system-ui, "DejaVu Sans", sans-serif';
  context.textAlign = "center";
  for (const tick of [-1, 0, 1]) {
    context.fillText(String(tick).replace("-", "−"), place(tick), size + 14);
    context.textAlign = "right";
    context.fillText(String(tick).replace("-", "−"), -5, place(-tick) + 4);
    context.textAlign = "center";
  }
  context.fillText("across (heights of an x)", size / 2, size + 30);
  context.rotate(-Math.PI / 2);
  context.fillText("up (heights of an x)", -size / 2, -26);
  context.restore();
}

/** How much each letter is read at each step: letters from top to bottom, steps from left to right. */
export function drawWindow(canvas, phi, letters, step, { width, row, token, shade }) {
  const margin = 34, inner = width - margin - 8, height = row * letters.length;
  const context = clearCanvas(canvas, width, height + 36), steps = phi.length, wide = inner / Math.max(1, steps);
  const most = phi.reduce((high, values) => Math.max(high, ...values), 1e-9);
  phi.forEach((values, t) =>
    values.forEach((value, u) => {
      context.fillStyle = shade(Math.sqrt(value / most)); // so that a faint reading shows beside a strong one
      context.fillRect(margin + t * wide, u * row, wide + 0.5, row + 0.3);
    }),
  );
  context.fillStyle = token("--ink");
  context.font = `${Math.min(13, row)}px "DejaVu Sans Mono", ui-monospace, monospace`;
  context.textAlign = "right";
  context.textBaseline = "middle";
  letters.forEach((letter, u) => context.fillText(letter, margin - 8, (u + 0.5) * row));
  Object.assign(context, { strokeStyle: token("--i"), lineWidth: 2 });
  const x = margin + (step + 0.5) * wide;
  context.beginPath();
  context.moveTo(x, 0);
  context.lineTo(x, height);
  context.stroke();
  context.fillStyle = token("--soft");
  context.font = '11.5px system-ui, "DejaVu Sans", sans-serif';
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  const every = [10, 20, 50, 100, 200, 500].find((some) => steps / some <= 12) ?? 1000;
  for (let t = 0; t < steps; t += every) context.fillText(String(t), margin + (t + 0.5) * wide, height + 13);
  context.fillText("step (points of the pen)", margin + inner / 2, height + 30);
  return { margin, inner };
}

/** The ink as an SVG document whose unit is the height of an x; the text goes in as text. */
export function inkDocument(points, lifted, text) {
  const NS = "http://www.w3.org/2000/svg", box = bounds(points, 0.5);
  const root = document.createElementNS(NS, "svg"), title = document.createElementNS(NS, "title");
  const sides = [box.left, -box.high, box.right - box.left, box.high - box.low];
  root.setAttribute("viewBox", sides.map((side) => side.toFixed(3)).join(" "));
  title.textContent = text;
  const group = document.createElementNS(NS, "g");
  const look = { fill: "none", stroke: "#1b1f24", "stroke-width": "0.06", "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [name, value] of Object.entries(look)) group.setAttribute(name, value);
  for (const stroke of strokesOf(points, lifted)) {
    const path = document.createElementNS(NS, "path"), run = stroke.length > 1 ? stroke : [stroke[0], stroke[0]];
    path.setAttribute("d", `M${run.map(([x, y]) => `${x.toFixed(3)} ${(-y).toFixed(3)}`).join("L")}`);
    group.append(path);
  }
  root.append(title, group);
  return new XMLSerializer().serializeToString(root);
}

/** Hand a text to the learner as a file. */
export function offer(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
