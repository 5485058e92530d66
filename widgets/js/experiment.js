/** From text, model and clamps to numbers: which characters are read, both runs, and how far the clamps move things. */
import { SIGNALS, encode, run, softmax } from "./rnn.js";
import { LONG, isGate } from "./colour.js";
import { glyph, number, quoted, spoken } from "./dom.js";
import { beginning } from "./ranking.js";

export const LONGEST = 600;

/**
 * Holds the latest results; `update` recomputes only what a change touches.
 * `read` are the characters the networks see; `network`, `now` and `learnt` belong to the model that is shown.
 */
export function createExperiment(networks) {
  const lab = {
    networks,
    read: [],
    ids: [],
    note: "",
    network: networks[0],
    now: null,
    learnt: null,
    edits: [],
    bits: [],
  };
  let learntRuns = [],
    readText = null;

  function readAgain(text) {
    const { ids, characters, dropped } = encode(networks[0], text);
    lab.note = complaint(networks[0], ids.length, dropped);
    if (!ids.length) return;
    const cut = Math.min(ids.length, LONGEST);
    lab.read = characters.slice(0, cut);
    lab.ids = ids.slice(0, cut);
    learntRuns = networks.map((network) => run(network, lab.ids));
    lab.bits = learntRuns.map((result) => mean(surprises(lab, result)));
  }

  lab.update = ({ text, shown, edits }) => {
    if (text !== readText) readAgain(text);
    readText = text;
    if (!lab.ids.length) return false;
    lab.network = networks[shown];
    lab.learnt = learntRuns[shown];
    lab.edits = edits.filter((edit) => (edit.model ?? 0) === shown && fits(lab.network, edit));
    lab.now = lab.edits.length ? run(lab.network, lab.ids, { edits: lab.edits }) : lab.learnt;
    lab.surprise = surprises(lab, lab.now);
    lab.reference = lab.edits.length
      ? surprises(lab, lab.learnt)
      : networks.length > 1
        ? surprises(lab, learntRuns[1 - shown])
        : null;
    lab.shift = lab.edits.length ? lab.ids.map((_, t) => divergence(lab, t)) : null;
    return true;
  };
  return lab;
}

/** Whether a clamp names something that the network has. */
const fits = ({ cell, hidden, depth }, { name, unit, layer, value }) =>
  SIGNALS[cell].includes(name) && unit < hidden && layer < depth && Number.isFinite(value);

function complaint(network, count, dropped) {
  const names = dropped.map((c) => spoken(c)).join(", ");
  if (dropped.length && network.unknown !== null)
    return `Read as “${glyph(network.unknown)}”, because the model does not know them: ${names}.`;
  const left = dropped.length ? `Left out, because the model has never seen them: ${names}.` : "";
  if (!count) return `${left} There is nothing to read: type at least one character the model knows.`.trim();
  if (count > LONGEST)
    return `${left} Only the first ${LONGEST} characters are read; text.strip takes longer texts.`.trim();
  return left;
}

const mean = (values) => (values.length ? values.reduce((a, b) => a + b, 0) / values.length : 0);

/** Probabilities of the next character after step t. */
export function prediction({ networks }, result, t) {
  const symbols = networks[0].vocabulary.length;
  return softmax(result.logits, t * symbols, symbols);
}

/** Bits of surprise at each character that follows; one shorter than the text. */
function surprises(lab, result) {
  return lab.ids.slice(1).map((id, t) => -Math.log2(Math.max(1e-12, prediction(lab, result, t)[id])));
}

/** Kullback–Leibler divergence of the prediction now from the prediction as learnt, in bits. */
function divergence(lab, t) {
  const p = prediction(lab, lab.now, t),
    q = prediction(lab, lab.learnt, t);
  return p.reduce((sum, value, v) => sum + value * Math.log2((value + 1e-12) / (q[v] + 1e-12)), 0);
}

/** Position of the largest value. */
export const argmax = (values) => values.reduce((best, value, k) => (value > values[best] ? k : best), 0);

/** The values of one unit over time. */
export const unitTrack = (lab, result, layer, name, unit) =>
  lab.ids.map((_, t) => result.layers[layer][name][t * lab.network.hidden + unit]);

const WHAT = { lstm: "keep", gru: "keep", rnn: "say" };

export const question = (lab, unit) => `What does unit ${unit} ${WHAT[lab.network.cell]}?`;

/** The sentence under the question. `follows` is a score of this unit, if there is one worth naming. */
export function sentence(lab, { layer, unit, time }, follows) {
  if (lab.edits.length) return clampSentence(lab, time);
  const state = lab.network.cell === "lstm" ? "c" : "h";
  const track = unitTrack(lab, lab.now, layer, state, unit);
  const peak = argmax(track),
    before = lab.read.slice(Math.max(0, peak - 6), peak + 1);
  const gate = { lstm: "f", gru: "z" }[lab.network.cell];
  const kept = gate && unitTrack(lab, lab.now, layer, gate, unit).filter((v) => v > 0.9).length;
  const first = gate
    ? `${LONG[gate].slice(0, -2)} stays above 0.9 for ${kept} of ${lab.ids.length} steps, and its `
    : "";
  return `${beginning(follows)} ${first}${LONG[state].slice(0, -2)} peaks at ${number(track[peak])}, after ${quoted(before)}.`;
}

function clampSentence(lab, time) {
  const top = argmax(lab.shift),
    held = lab.edits.length === 1 ? describeEdit(lab.edits[0]) : `${lab.edits.length} signals`;
  return (
    `Holding ${held} moves the prediction at this step by ${number(lab.shift[time])} bits, ` +
    `most after step ${top + 1} (${spoken(lab.read[top])}): ${number(lab.shift[top])} bits.`
  );
}

/** A clamp in a few words: f of unit 74 at 0.00. */
export function describeEdit({ name, unit, value, steps, layer }, withLayer = false) {
  const where = !steps ? "" : steps[1] === null ? `, from step ${steps[0] + 1}` : `, step ${steps[0] + 1}`;
  return `${name} of unit ${unit}${withLayer ? ` in layer ${layer + 1}` : ""} at ${number(value)}${where}`;
}

/** One sentence per lane, for those who do not see the picture. */
export function inWords(lab, layer, unit, name) {
  const track = unitTrack(lab, lab.now, layer, name, unit),
    top = argmax(track),
    low = argmax(track.map((v) => -v));
  const shut = isGate(name)
    ? ` Below 0.1 at ${track.filter((v) => v < 0.1).length} steps, above 0.9 at ${track.filter((v) => v > 0.9).length}.`
    : "";
  return (
    `${LONG[name]}: mean ${number(mean(track))}, highest ${number(track[top])} at step ${top + 1} (${spoken(lab.read[top])}), ` +
    `lowest ${number(track[low])} at step ${low + 1} (${spoken(lab.read[low])}).${shut}`
  );
}
