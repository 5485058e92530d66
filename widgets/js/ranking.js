/** Orders of units: by number, by what they do on this text, by how well they follow something (scores from Python). */
import { LONG } from "./colour.js";
import { number } from "./dom.js";

/** 1: follows exactly, 0: not at all, -1: turned around. An AUC has its middle at one half. */
const centred = (measure, value) => (measure === "AUC" ? 2 * value - 1 : value);

/** The score of a unit that is low there, as that of its negative: an AUC of 0.02 separates as well as 0.98. */
const turned = (measure, value) => (centred(measure, value) >= 0 ? value : measure === "AUC" ? 1 - value : -value);

const arrow = (measure, value) => (centred(measure, value) < 0 ? "↓" : "↑");

const ofLayer = (scores, layer, model) =>
  scores.filter((score) => score.layer === layer && (score.model ?? 0) === model);

/** Entries of the "sort units" picker; scores are those of lessons.units, one value per unit. */
export function orderEntries(scores, layer, model = 0) {
  const option = ({ feature }) => [`follow:${feature}`, feature],
    mine = ofLayer(scores, layer, model);
  const groups = [
    { group: "units that follow", options: mine.filter((score) => score.clear).map(option) },
    { group: "no clearer than chance", options: mine.filter((score) => !score.clear).map(option) },
  ];
  return [
    ["index", "their number"],
    ["mean", "mean on this text"],
    ["swing", "swing on this text"],
    ...groups.filter(({ options }) => options.length),
  ];
}

/**
 * Rank units.
 * @param {Float32Array} signal (T · H) values of the signal that is looked at
 * @returns {{units: number[], say: (unit: number) => string, brief: (unit: number) => string, words: string}} best
 *   first, by swing where there is no such order; `say` and `brief` give the score of a unit, an arrow says on which side of "no relation" it lies
 */
export function rank(order, scores, layer, signal, name, hidden, model = 0) {
  const all = Array.from({ length: hidden }, (_, u) => u);
  const score = ofLayer(scores, layer, model).find(({ feature }) => `follow:${feature}` === order);
  if (score) {
    const { measure, values, chance } = score,
      strength = (u) => Math.abs(centred(measure, values[u]));
    return {
      units: score.units ?? all.sort((a, b) => strength(b) - strength(a)),
      say: (u) => `${measure} ${number(turned(measure, values[u]))} ${arrow(measure, values[u])}`,
      brief: (u) => `${arrow(measure, values[u])} ${number(turned(measure, values[u]))}`,
      words: `How well ${score.signal} follows “${score.feature}” (${measure}${chance === undefined ? "" : `; chance reaches ${number(chance)}`})`,
    };
  }
  if (order === "index")
    return {
      units: all,
      say: () => "",
      brief: () => "",
      words: `Sorted by number; colours show ${LONG[name]}`,
    };
  const mean = order === "mean",
    values = mean ? means(signal, hidden) : swings(signal, hidden);
  return {
    units: all.sort((a, b) => values[b] - values[a]),
    say: (u) => number(values[u]),
    brief: (u) => number(values[u]),
    words: `${mean ? "Mean" : "Standard deviation"} of ${name} on this text`,
  };
}

function means(signal, hidden) {
  const sums = new Float64Array(hidden),
    steps = signal.length / hidden;
  for (let k = 0; k < signal.length; k++) sums[k % hidden] += signal[k] / steps;
  return sums;
}

function swings(signal, hidden) {
  const centre = means(signal, hidden),
    sums = new Float64Array(hidden),
    steps = signal.length / hidden;
  for (let k = 0; k < signal.length; k++) sums[k % hidden] += (signal[k] - centre[k % hidden]) ** 2 / steps;
  return sums.map(Math.sqrt);
}

/** Show an order in its picker; where it is not on offer units are ranked by swing. */
export function chooseOrder(picker, order) {
  const offered = [...picker.options].some(({ value }) => value === order);
  picker.value = offered ? order : "swing";
}

/** The feature that a unit follows best, if it is clear and the unit is among the first three of it. */
export function bestFeature(scores, layer, unit, model = 0) {
  let best = null;
  for (const { feature, measure, values, units, clear, chance } of ofLayer(scores, layer, model)) {
    const strength = Math.abs(centred(measure, values[unit]));
    const place = units
      ? units.indexOf(unit)
      : values.filter((v) => Math.abs(centred(measure, v)) > strength).length;
    const floor = Math.max(0.3, best?.strength ?? 0, chance === undefined ? 0 : centred(measure, chance));
    if (clear && place < 3 && strength > floor) best = { feature, measure, value: values[unit], strength };
  }
  return best;
}

/** What a unit follows, as the beginning of a sentence about it; "Its" if nothing is worth naming. */
export function beginning(follows) {
  if (!follows) return "Its";
  const { feature, measure, value } = follows,
    up = centred(measure, value) > 0;
  const how =
    measure === "AUC"
      ? `${up ? "High" : "Low"} where “${feature}” holds`
      : `${up ? "Rises" : "Falls"} with “${feature}”`;
  return `${how} (${measure} ${number(turned(measure, value))}); its`;
}
