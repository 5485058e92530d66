/**
 * What the wiring diagrams are made of: where every wire and box lies, its equation, its value and its meaning.
 *
 * An equation names other parts in braces, {f} or {keep|f·c₋₁}: the view turns them into links.
 * `value(v)` takes the numbers of one unit at one step (see `readings`), `numbers(v)` writes the equation out with them.
 */
import { number } from "./dom.js";
import { shares } from "./rnn.js";

const gate = (name, title, squash, words) => ({
  id: name,
  title,
  words,
  signal: name,
  equation: `${name} = ${squash}(W·{x} + W·{h0|h₋₁} + b)`,
  numbers: (v) => `${squash}(${number(v.shares[name].input)} + ${number(v.shares[name].state)})`,
  value: (v) => v[name],
});

const INPUT = {
  id: "x",
  title: "input x",
  equation: "x",
  value: () => null,
  numbers: (v) => v.reading,
  words: "What arrives at this step. Every gate reads all of it, through its own weights.",
};
const LAST_HIDDEN = {
  id: "h0",
  title: "hidden state one step ago",
  equation: "h₋₁",
  value: (v) => v.h0,
  numbers: () => "from the step before",
  words: "This unit's own number is shown; the gates read the hidden states of all units.",
};

const LSTM = [
  INPUT,
  LAST_HIDDEN,
  {
    id: "c0",
    title: "cell state one step ago",
    equation: "c₋₁",
    value: (v) => v.c0,
    numbers: () => "from the step before",
    words: "The memory as it arrives. No other unit can write here.",
  },
  gate(
    "f",
    "forget gate f",
    "σ",
    "How much of the old memory survives: 0 empties it, 1 keeps all of it. (Gers, Schmidhuber & Cummins 2000)",
  ),
  gate(
    "i",
    "input gate i",
    "σ",
    "How much of the candidate is written: 0 lets nothing in. (Hochreiter & Schmidhuber 1997)",
  ),
  gate("g", "candidate g", "tanh", "What would be written into the memory, between −1 and 1."),
  gate("o", "output gate o", "σ", "How much of the memory the rest of the network gets to see."),
  {
    id: "keep",
    title: "what is kept",
    equation: "{f}·{c0|c₋₁}",
    value: (v) => v.f * v.c0,
    numbers: (v) => `${number(v.f)} · ${number(v.c0)}`,
    words: "The old memory after the forget gate.",
  },
  {
    id: "write",
    title: "what is written",
    equation: "{i}·{g}",
    value: (v) => v.i * v.g,
    numbers: (v) => `${number(v.i)} · ${number(v.g)}`,
    words: "The candidate after the input gate, added to what is kept.",
  },
  {
    id: "c",
    title: "cell state c",
    signal: "c",
    equation: "c = {keep|f·c₋₁} + {write|i·g}",
    value: (v) => v.c,
    numbers: (v) => `${number(v.f * v.c0)} + ${number(v.i * v.g)}`,
    words:
      "The memory. A sum, not a squashing: with f at 1 it passes on unchanged, and so does its gradient.",
  },
  {
    id: "squash",
    title: "memory, squashed",
    equation: "tanh {c}",
    value: (v) => Math.tanh(v.c),
    numbers: (v) => `tanh(${number(v.c)})`,
    words: "The memory brought into −1…1 before it is shown.",
  },
  {
    id: "h",
    title: "hidden state h",
    signal: "h",
    equation: "h = {o}·{squash|tanh c}",
    value: (v) => v.h,
    numbers: (v) => `${number(v.o)} · ${number(Math.tanh(v.c))}`,
    words: "What this unit tells the readout, the layer above and every gate at the next step.",
  },
];

const GRU = [
  INPUT,
  { ...LAST_HIDDEN, words: "The memory as it arrives: in a GRU the hidden state is the memory." },
  gate(
    "z",
    "update gate z",
    "σ",
    "How much of the old state stays: 1 keeps it, 0 replaces it by the candidate. (Cho et al. 2014; torch's convention)",
  ),
  gate("r", "reset gate r", "σ", "How much of the last state the candidate gets to see. (Cho et al. 2014)"),
  {
    id: "q",
    title: "recurrent candidate q",
    signal: "q",
    equation: "q = W·{h0|h₋₁} + b",
    value: (v) => v.q,
    numbers: () => "sum over all units",
    words: "What the last hidden states would add to the candidate.",
  },
  {
    id: "rq",
    title: "what the candidate sees of the past",
    equation: "{r}·{q}",
    value: (v) => v.r * v.q,
    numbers: (v) => `${number(v.r)} · ${number(v.q)}`,
    words: "The recurrent candidate after the reset gate.",
  },
  {
    id: "n",
    title: "candidate n",
    signal: "n",
    equation: "n = tanh(W·{x} + b + {rq|r·q})",
    value: (v) => v.n,
    numbers: (v) => `tanh(${number(v.shares.n.input)} + ${number(v.r * v.q)})`,
    words: "The new state on offer, between −1 and 1.",
  },
  {
    id: "rest",
    title: "room for the new",
    equation: "1 − {z}",
    value: (v) => 1 - v.z,
    numbers: (v) => `1 − ${number(v.z)}`,
    words: "What the update gate does not keep is filled with the candidate: one gate does the work of two.",
  },
  {
    id: "keep",
    title: "what is kept",
    equation: "{z}·{h0|h₋₁}",
    value: (v) => v.z * v.h0,
    numbers: (v) => `${number(v.z)} · ${number(v.h0)}`,
    words: "The old state after the update gate.",
  },
  {
    id: "write",
    title: "what is written",
    equation: "{rest|(1 − z)}·{n}",
    value: (v) => (1 - v.z) * v.n,
    numbers: (v) => `${number(1 - v.z)} · ${number(v.n)}`,
    words: "The candidate in the room that is left.",
  },
  {
    id: "h",
    title: "hidden state h",
    signal: "h",
    equation: "h = {keep|z·h₋₁} + {write|(1 − z)·n}",
    value: (v) => v.h,
    numbers: (v) => `${number(v.z * v.h0)} + ${number((1 - v.z) * v.n)}`,
    words: "Memory and output in one: the readout, the layer above and the next step all read it.",
  },
];

const ELMAN = [
  INPUT,
  LAST_HIDDEN,
  {
    id: "fromInput",
    title: "from the input",
    equation: "W·{x} + b",
    value: (v) => v.shares.h.input,
    numbers: () => "sum over the input",
    words: "What the character at this step says to this unit.",
  },
  {
    id: "fromState",
    title: "from the past",
    equation: "W·{h0|h₋₁} + b",
    value: (v) => v.shares.h.state,
    numbers: () => "sum over all units",
    words: "What all units' last states say to this unit.",
  },
  {
    id: "sum",
    title: "sum",
    equation: "{fromInput|W·x + b} + {fromState|W·h₋₁ + b}",
    value: (v) => v.shares.h.input + v.shares.h.state,
    numbers: (v) => `${number(v.shares.h.input)} + ${number(v.shares.h.state)}`,
    words: "Present and past added. There is no gate: the state is made anew at every step.",
  },
  {
    id: "h",
    title: "hidden state h",
    signal: "h",
    equation: "h = tanh({sum})",
    value: (v) => v.h,
    numbers: (v) => `tanh(${number(v.shares.h.input + v.shares.h.state)})`,
    words:
      "Squashed at every step, so a memory must survive the whole matrix and tanh again and again. (Elman 1990)",
  },
];

export const PARTS = { lstm: LSTM, gru: GRU, rnn: ELMAN };

/** Geometry in a 440 × 262 box. lines: [part, path, colour]; boxes: [part, x, y]; pills: [part, x, y, width, text]. */
export const WIRING = {
  lstm: {
    frame: [66, 20, 306, 208],
    quiet: ["M8 208H304M140 208V188M196 208V188M248 208V188M304 208V188", "M92 250V208"],
    lines: [
      ["h0", "M8 208H92", "--soft"],
      ["x", "M92 250V208", "--soft"],
      ["c0", "M8 58H128", "--ink"],
      ["keep", "M152 58H210", "--ink"],
      ["c", "M234 58H432", "--ink"],
      ["f", "M140 160V70", "--f"],
      ["i", "M196 160V112H210", "--i"],
      ["g", "M248 160V112H234", "--g"],
      ["write", "M222 100V70", "--ink"],
      ["squash", "M346 58V86M346 106V120", "--ink"],
      ["o", "M304 160V132H334", "--o"],
      ["h", "M346 144V208H432", "--ink"],
    ],
    operations: [
      ["keep", 140, 58, "×"],
      ["c", 222, 58, "+"],
      ["write", 222, 112, "×"],
      ["h", 346, 132, "×"],
    ],
    pills: [["squash", 346, 96, 44, "tanh"]],
    boxes: [
      ["f", 140, 174],
      ["i", 196, 174],
      ["g", 248, 174],
      ["o", 304, 174],
    ],
    labels: [
      ["c0", 4, 46, "start", "c₋₁"],
      ["h0", 4, 197, "start", "h₋₁"],
      ["c", 436, 46, "end", "c"],
      ["h", 436, 197, "end", "h"],
      ["f", 132, 152, "end", "f"],
      ["i", 188, 152, "end", "i"],
      ["g", 256, 152, "start", "g"],
      ["o", 296, 152, "end", "o"],
    ],
    values: [
      ["c0", 4, 78, "start"],
      ["keep", 181, 47, "middle"],
      ["c", 436, 78, "end"],
      ["write", 231, 91, "start"],
      ["squash", 338, 117, "end"],
      ["h0", 4, 228, "start"],
      ["h", 436, 228, "end"],
    ],
    reading: [102, 246],
  },
  gru: {
    frame: [66, 20, 306, 212],
    quiet: ["M46 58V212H330M116 212V188M186 212V188M244 212V188M330 212V188", "M92 250V212"],
    lines: [
      ["x", "M92 250V212", "--soft"],
      ["h0", "M8 58H104", "--ink"],
      ["keep", "M128 58H318", "--ink"],
      ["h", "M342 58H432", "--ink"],
      ["z", "M116 160V70", "--f"],
      ["rest", "M116 112H144M176 112H318", "--f"],
      ["q", "M186 160V140H232", "--soft"],
      ["r", "M244 160V152", "--i"],
      ["rq", "M256 140H284V174H308", "--soft"],
      ["n", "M330 160V124", "--g"],
      ["write", "M330 100V70", "--ink"],
    ],
    operations: [
      ["keep", 116, 58, "×"],
      ["h", 330, 58, "+"],
      ["write", 330, 112, "×"],
      ["rq", 244, 140, "×"],
    ],
    pills: [["rest", 160, 112, 32, "1−"]],
    boxes: [
      ["z", 116, 174],
      ["q", 186, 174],
      ["r", 244, 174],
      ["n", 330, 174],
    ],
    labels: [
      ["h0", 4, 46, "start", "h₋₁"],
      ["h", 436, 46, "end", "h"],
      ["z", 108, 152, "end", "z"],
      ["q", 178, 152, "end", "q"],
      ["r", 256, 157, "start", "r"],
      ["n", 338, 152, "start", "n"],
    ],
    values: [
      ["h0", 4, 78, "start"],
      ["keep", 223, 47, "middle"],
      ["h", 436, 78, "end"],
      ["write", 339, 91, "start"],
      ["rest", 246, 102, "middle"],
      ["rq", 278, 132, "middle"],
    ],
    reading: [102, 248],
  },
  rnn: {
    frame: [66, 62, 306, 152],
    quiet: ["M400 116V36H36V116"],
    lines: [
      ["h0", "M8 116H90", "--soft"],
      ["x", "M220 250V198", "--soft"],
      ["fromState", "M146 116H208", "--f"],
      ["fromInput", "M220 170V128", "--i"],
      ["sum", "M232 116H290", "--ink"],
      ["h", "M334 116H432", "--ink"],
    ],
    operations: [["sum", 220, 116, "+"]],
    pills: [
      ["fromState", 118, 116, 56, "W·h₋₁"],
      ["fromInput", 220, 184, 56, "W·x"],
      ["h", 312, 116, 44, "tanh"],
    ],
    boxes: [],
    labels: [
      ["h0", 4, 104, "start", "h₋₁"],
      ["h", 436, 104, "end", "h"],
    ],
    values: [
      ["h0", 4, 137, "start"],
      ["fromState", 177, 105, "middle"],
      ["fromInput", 230, 154, "start"],
      ["sum", 261, 105, "middle"],
      ["h", 436, 137, "end"],
    ],
    reading: [230, 246],
  },
};

/** The numbers of one unit at one step: every signal, the states one step before, and what each gate adds up. */
export function readings(network, ids, result, layer, t, unit) {
  const signals = result.layers[layer],
    at = t * network.hidden + unit;
  const v = Object.fromEntries(Object.entries(signals).map(([name, values]) => [name, values[at]]));
  const before = (name) => (t ? signals[name][at - network.hidden] : result.start[name][layer][unit]);
  v.h0 = before("h");
  if (signals.c) v.c0 = before("c");
  v.shares = shares(network, ids, result, layer, t, unit);
  return v;
}
