/** Orders of units: by number, by what they do on this text, by how well they follow something (scores from Python). */
import { LONG } from "./colour.js";
import { number } from "./dom.js";

/** Entries of the "sort units" picker; scores are {feature, measure, layer, signal, values: one per unit}. */
export function orderEntries(scores, layer, model = 0) {
  const mine = scores.filter((score) => score.layer === layer && (score.model ?? 0) === model);
  const entries = [["index", "their number"], ["mean", "mean on this text"], ["swing", "swing on this text"]];
  return mine.length ? [...entries, { group: "units that follow", options: mine.map((s) => [`follow:${s.feature}`, s.feature]) }] : entries;
}

/**
 * Rank units.
 * @param {Float32Array} signal (T · H) values of the signal that is looked at
 * @returns {{units: number[], say: (unit: number) => string, words: string}} best first; say gives the score of a unit
 */
export function rank(order, scores, layer, signal, name, hidden, model = 0) {
  const all = Array.from({ length: hidden }, (_, u) => u);
  const score = scores.find((s) => `follow:${s.feature}` === order && s.layer === layer && (s.model ?? 0) === model);
  if (score) {
    const strength = (u) => Math.abs(score.values[u] - (score.measure === "AUC" ? 0.5 : 0));
    return {
      units: all.sort((a, b) => strength(b) - strength(a)),
      say: (u) => `${score.measure} ${number(score.values[u])}`,
      words: `How well ${score.signal} follows “${score.feature}”, best first`,
    };
  }
  if (order === "index") return { units: all, say: () => "", words: `Sorted by number; colours show ${LONG[name]}` };
  const values = order === "swing" ? swings(signal, hidden) : means(signal, hidden);
  return {
    units: all.sort((a, b) => values[b] - values[a]),
    say: (u) => number(values[u]),
    words: order === "swing" ? `Standard deviation of ${name} over this text, largest first` : `Mean of ${name} over this text, largest first`,
  };
}

function means(signal, hidden) {
  const sums = new Float64Array(hidden), steps = signal.length / hidden;
  for (let k = 0; k < signal.length; k++) sums[k % hidden] += signal[k] / steps;
  return sums;
}

function swings(signal, hidden) {
  const centre = means(signal, hidden), sums = new Float64Array(hidden), steps = signal.length / hidden;
  for (let k = 0; k < signal.length; k++) sums[k % hidden] += (signal[k] - centre[k % hidden]) ** 2 / steps;
  return sums.map(Math.sqrt);
}

/** The feature that a unit follows best, if it is among the first three units of it. */
export function bestFeature(scores, layer, unit, model = 0) {
  let best = null;
  for (const score of scores) {
    if (score.layer !== layer || (score.model ?? 0) !== model) continue;
    const strength = (v) => Math.abs(v - (score.measure === "AUC" ? 0.5 : 0)) * (score.measure === "AUC" ? 2 : 1);
    const mine = strength(score.values[unit]);
    const better = score.values.filter((v) => strength(v) > mine).length;
    if (better < 3 && mine > (best?.mine ?? 0.3)) best = { feature: score.feature, measure: score.measure, value: score.values[unit], mine };
  }
  return best;
}
