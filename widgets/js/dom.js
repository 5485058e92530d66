/** Building blocks of the views: elements, canvases, words for characters and numbers. Data only ever becomes text. */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, { text, style, on, ...attributes }, children) {
  if (text !== undefined) node.textContent = text;
  for (const [name, value] of Object.entries(style ?? {})) node.style.setProperty(name, value);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false)
      node.setAttribute(name, value === true ? "" : value);
  }
  for (const [type, listener] of Object.entries(on ?? {})) node.addEventListener(type, listener);
  node.append(...children);
  return node;
}

/** An HTML element; `text`, `style` (object) and `on` (listeners) are special, all else becomes an attribute. */
export const element = (tag, properties = {}, ...children) =>
  fill(document.createElement(tag), properties, children);

/** The same for SVG. */
export const drawing = (tag, properties = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), properties, children);

/** JupyterLab keeps keys from anything that does not carry this. */
export const KEYS = { "data-lm-suppress-shortcuts": "true" };

/** What a view says when its kernel is silent. */
export const SILENT = "The kernel has not answered: it is busy, or it was restarted; then run this cell again.";

/** A text box takes so many characters and no more: the browser cuts what is pasted, and `say` tells of it, or "". */
export function limit(box, most, say) {
  box.maxLength = most;
  box.addEventListener("paste", ({ clipboardData }) => {
    const count = clipboardData.getData("text").length,
      room = most - box.value.length + box.selectionEnd - box.selectionStart;
    say(count > room ? tooLong(count, room, most) : "");
  });
  box.addEventListener("input", ({ inputType }) => inputType !== "insertFromPaste" && say(""));
  return box;
}

const tooLong = (count, room, most) =>
  `Of the ${count.toLocaleString("en")} characters pasted the first ${Math.max(0, room).toLocaleString("en")} were taken: ` +
  `this box holds ${most.toLocaleString("en")}.`;

/** A labelled control: the words in front, the control behind. */
export const labelled = (words, control) =>
  element("label", { class: "un-label" }, element("span", { text: words }), control);

/** A button; its name for a screen reader is the hint, and contains the words that stand on it. */
export const button = (text, hint, onClick, extra = {}) =>
  element("button", {
    type: "button",
    text,
    title: hint,
    "aria-label": text ? spokenName(text, hint) : null,
    on: { click: onClick },
    ...KEYS,
    ...extra,
  });

function spokenName(text, hint) {
  const words = text.replace(/[^\p{L}\p{N} −+.]/gu, "").trim();
  return hint.includes(words) ? hint : `${words}: ${hint}`;
}

/** Replace the options of a select by [value, words] pairs or {group, options}, and choose one. */
export function setOptions(select, entries, chosen) {
  const option = ([value, words]) => element("option", { value, text: words });
  select.replaceChildren(
    ...entries.map((entry) =>
      entry.group ? element("optgroup", { label: entry.group }, ...entry.options.map(option)) : option(entry),
    ),
  );
  select.value = chosen;
}

/** Write only when it differs: unchanged text costs no layout. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Size a canvas in CSS pixels at the screen's density and return its cleared context. */
export function clearCanvas(canvas, width, height) {
  const ratio = globalThis.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** A number with a true minus sign. */
export function number(value, digits = 2) {
  const rounded = Math.abs(value).toFixed(digits);
  return (value < 0 && Number(rounded) !== 0 ? "−" : "") + rounded;
}

/** A value in its own unit, to two digits of the spread it lies in: finer is not to be seen in a picture of it. */
export function measured(value, spread) {
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(spread)));
  if (!(decimals <= 6 && Math.abs(value) < 1e7)) return String(Number(value.toPrecision(4))).replaceAll("-", "−");
  return number(value, decimals);
}

export const percent = (p) => `${(100 * p).toFixed(1)} %`;

export const clip = (value, low, high) => Math.max(low, Math.min(high, value));

const GLYPHS = { "\n": "⏎", " ": "·", "\t": "⇥" };
const NAMES = { "\n": "new line", " ": "space", "\t": "tab", "·": "middle dot" };

/** One visible sign for a character: ⏎ for a new line, · for a space. */
export function glyph(character) {
  if (GLYPHS[character]) return GLYPHS[character];
  const code = character.codePointAt(0);
  return code < 32 && character.length === 1 ? String.fromCodePoint(0x2400 + code) : character;
}

/** A character for a sentence or a screen reader. */
export const spoken = (character) => NAMES[character] ?? `“${glyph(character)}”`;

/** A stretch of characters in quotes, spaces kept as spaces. */
export const quoted = (characters) => `“${characters.map((c) => (c === " " ? " " : glyph(c))).join("")}”`;

/** Pointer position over a node as shares of its width and height, each 0...1. */
export function pointerShare(event, node) {
  const box = node.getBoundingClientRect();
  return [
    clip((event.clientX - box.left) / box.width, 0, 0.999999),
    clip((event.clientY - box.top) / box.height, 0, 0.999999),
  ];
}

/** Press, drag, touch: `onMove(event)` while the pointer is down, `onHover(event|null)` while it is over the node. */
export function watchPointer(node, { onMove, onHover }) {
  node.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    node.setPointerCapture(event.pointerId);
    onMove(event);
  });
  node.addEventListener("pointermove", (event) => {
    if (node.hasPointerCapture(event.pointerId)) onMove(event);
    onHover(event);
  });
  node.addEventListener("pointerleave", () => onHover(null));
}

/** One small box for values under the pointer; it belongs to a view and never takes focus. */
export function createTooltip(root) {
  const box = element("div", { class: "un-tip", hidden: true, "aria-hidden": "true" });
  root.append(box);
  return {
    show(event, text) {
      if (!event) return void (box.hidden = true);
      write(box, text);
      box.hidden = false;
      const frame = root.getBoundingClientRect();
      const x = clip(event.clientX - frame.left + 14, 4, Math.max(4, frame.width - box.offsetWidth - 8));
      const y = event.clientY - frame.top + 18;
      box.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
    },
  };
}

/**
 * Keys on a node: a table of key -> action. A key that is answered goes no further.
 * Modifiers are left to the browser, but for Ctrl or ⌘ with z, which is looked up as "undo".
 */
export function listenKeys(node, actions) {
  node.addEventListener("keydown", (event) => {
    const undo = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (!undo && (event.ctrlKey || event.metaKey || event.altKey)) return;
    const action = actions[undo ? "undo" : event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action(event);
  });
}
