/** Chance as lessons/sampling.py has it: the same distribution, the same rolls under the same seed. */

const WORDS = 624, MIDDLE = 397;

/**
 * torch's CPU generator (Mersenne twister, MT19937): `roll(seed, k)` is the k-th torch.rand(()) after
 * torch.Generator().manual_seed(seed).
 */
export function createRolls(seed) {
  const words = new Uint32Array(WORDS), rolled = [];
  words[0] = seed >>> 0;
  for (let k = 1; k < WORDS; k++) words[k] = Math.imul(1812433253, words[k - 1] ^ (words[k - 1] >>> 30)) + k;
  let place = WORDS;

  function twist() {
    for (let k = 0; k < WORDS; k++) {
      const y = (words[k] & 0x80000000) | (words[(k + 1) % WORDS] & 0x7fffffff);
      words[k] = words[(k + MIDDLE) % WORDS] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    place = 0;
  }

  function next() {
    if (place === WORDS) twist();
    let y = words[place++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return (y & 0xffffff) / 0x1000000;
  }

  return (k) => {
    while (rolled.length <= k) rolled.push(next());
    return rolled[k];
  };
}

const likeliest = (values) => [...values.keys()].sort((a, b) => values[b] - values[a] || a - b);

function keep(probabilities, kept) {
  let total = 0;
  for (const id of kept) total += probabilities[id];
  const cut = new Float64Array(probabilities.length);
  for (const id of kept) cut[id] = probabilities[id] / total;
  return cut;
}

/**
 * softmax(logits / temperature), cut to the `topK` likeliest (0: all), then to the smallest set worth `topP`.
 * Temperature 0 puts everything on the likeliest.
 */
export function distribution(logits, { temperature = 1, topK = 0, topP = 1 } = {}) {
  const count = logits.length, top = Math.max(...logits);
  let probabilities = new Float64Array(count);
  if (temperature === 0) probabilities[logits.indexOf(top)] = 1;
  else for (let v = 0; v < count; v++) probabilities[v] = Math.exp((logits[v] - top) / temperature);
  probabilities = keep(probabilities, [...probabilities.keys()]);
  if (topK > 0 && topK < count) probabilities = keep(probabilities, likeliest(probabilities).slice(0, topK));
  if (topP < 1) {
    let before = 0;
    const nucleus = likeliest(probabilities).filter((id) => {
      const needed = before < topP;
      before += probabilities[id];
      return needed;
    });
    probabilities = keep(probabilities, nucleus);
  }
  return probabilities;
}

/** The symbol on whose stretch of the stacked probabilities a roll in 0...1 lands; `order` is how they are stacked. */
export function place(probabilities, roll, order = probabilities.keys()) {
  let stacked = 0, last = 0;
  for (const id of order) {
    if (!probabilities[id]) continue;
    stacked += probabilities[id];
    last = id;
    if (stacked > roll) return id;
  }
  return last;
}

/** Bits of surprise on average: how undecided the die is. */
export function entropy(probabilities) {
  return -probabilities.reduce((sum, p) => (p > 0 ? sum + p * Math.log2(p) : sum), 0);
}

/** How many of the likeliest symbols hold a share of the probability. */
export function needed(probabilities, share) {
  let total = 0, count = 0;
  for (const p of [...probabilities].sort((a, b) => b - a)) {
    if (total >= share - 1e-12) break;
    total += p;
    count += 1;
  }
  return count;
}

export const byChance = likeliest;
