/** Densities that a network answers with, read off its numbers and drawn from: mixtures of Gaussians in one and two dimensions. */
import { place } from "./chance.js";

const NARROWEST = { value: -6, pen: -5 }, WIDEST = { value: 3, pen: 5 }; // as in lessons/forecast.py, lessons/mixture_density.py
const LEANEST = 3;

const between = (value, low, high) => Math.max(low, Math.min(high, value));

function portions(numbers, start, count, sharper = 1) {
  let top = -Infinity, total = 0;
  const weights = new Float64Array(count);
  for (let k = 0; k < count; k++) top = Math.max(top, numbers[start + k] * sharper);
  for (let k = 0; k < count; k++) total += weights[k] = Math.exp(numbers[start + k] * sharper - top);
  return weights.map((weight) => weight / total);
}

/** The mixture over the next value that 3 M numbers stand for: [weight, mean, deviation] each, means counted from `last`. */
export function valueMixture(numbers, start, count, last) {
  const M = count / 3, weights = portions(numbers, start, M);
  return Array.from({ length: M }, (_, k) => [
    weights[k],
    last + numbers[start + M + k],
    Math.exp(between(numbers[start + 2 * M + k], NARROWEST.value, WIDEST.value)),
  ]);
}

/** The mixture over a pen's next offset that 6 M + 1 numbers stand for, [weight, mean x, mean y, deviation x, deviation y, correlation] each, and the chance of a lift. */
export function penMixture(numbers, start, count, bias = 0) {
  const M = (count - 1) / 6, weights = portions(numbers, start, M, 1 + bias);
  const spread = (k) => Math.exp(between(numbers[start + 3 * M + k], NARROWEST.pen, WIDEST.pen) - bias);
  const components = Array.from({ length: M }, (_, k) => [
    weights[k],
    numbers[start + M + 2 * k],
    numbers[start + M + 2 * k + 1],
    spread(2 * k),
    spread(2 * k + 1),
    Math.tanh(between(numbers[start + 5 * M + k], -LEANEST, LEANEST)),
  ]);
  return { components, lift: 1 / (1 + Math.exp(-numbers[start + 6 * M])) };
}

/** Two independent standard normal numbers from two rolls in 0...1 (Box and Muller 1958). */
export function normals(first, second) {
  const radius = Math.sqrt(-2 * Math.log(1 - first)), angle = 2 * Math.PI * second;
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

const component = (mixture, roll) => mixture[place(mixture.map(([weight]) => weight), roll)];

/** A value from a mixture; `roll()` gives the next number in 0...1. Three are used. */
export function drawValue(mixture, roll) {
  const [, mean, deviation] = component(mixture, roll());
  return mean + deviation * normals(roll(), roll())[0];
}

/** An offset [dx, dy, lifted] from a pen's mixture. Four rolls are used. */
export function drawOffset({ components, lift }, roll) {
  const [, mx, my, sx, sy, rho] = component(components, roll());
  const [a, b] = normals(roll(), roll());
  return [mx + sx * a, my + sy * (rho * a + Math.sqrt(1 - rho * rho) * b), roll() < lift ? 1 : 0];
}
