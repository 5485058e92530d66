/** Colour scales: gates 0...1 in Cividis, signed states in red-white-blue around 0. Tables made once, 256 entries. */

const CIVIDIS = [
  [0, 34, 78],
  [53, 69, 108],
  [102, 105, 112],
  [148, 142, 119],
  [199, 180, 102],
  [254, 232, 56],
];
const RED_BLUE = [
  [5, 48, 97],
  [67, 147, 195],
  [209, 229, 240],
  [247, 247, 247],
  [253, 219, 199],
  [214, 96, 77],
  [103, 0, 31],
];

function table(stops) {
  return Array.from({ length: 256 }, (_, k) => {
    const x = (k / 255) * (stops.length - 1),
      below = Math.min(stops.length - 2, Math.floor(x));
    return stops[below].map((low, j) => Math.round(low + (stops[below + 1][j] - low) * (x - below)));
  });
}

const TABLES = { gate: table(CIVIDIS), signed: table(RED_BLUE) };

/** Names of the signals, for people. */
export const LONG = {
  i: "input gate i",
  f: "forget gate f",
  g: "candidate g",
  o: "output gate o",
  c: "cell state c",
  r: "reset gate r",
  z: "update gate z",
  n: "candidate n",
  q: "recurrent candidate q",
  h: "hidden state h",
};

/** CSS token that draws a signal: the same gate has the same colour everywhere. */
export const TOKEN = {
  f: "--f",
  z: "--f",
  i: "--i",
  r: "--i",
  g: "--g",
  n: "--g",
  o: "--o",
  c: "--ink",
  h: "--ink",
  q: "--g",
};

export const isGate = (name) => "ifozr".includes(name);

/** [low, high] that a signal can reach; c has no bound, its display is squashed by tanh. */
export const range = (name) => (isGate(name) ? [0, 1] : name === "c" ? [-3, 3] : [-1, 1]);

/** [r, g, b] of a value of a signal. */
export function shade(name, value) {
  if (isGate(name)) return TABLES.gate[Math.max(0, Math.min(255, Math.round(255 * value)))];
  const squashed = name === "c" || name === "q" ? Math.tanh(value) : value;
  return TABLES.signed[Math.max(0, Math.min(255, Math.round(127.5 * (squashed + 1))))];
}

export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** Black or white, whichever reads better on a colour (the larger contrast by WCAG's relative luminance). */
export function readable(rgb) {
  const [r, g, b] = rgb.map((v) =>
    v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000" : "#fff";
}
