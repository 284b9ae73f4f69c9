// The likeliest words, and draws by temperature and nucleus; as nextword/inference/sampling.py.

import { FIRST_WORD_ID } from "../text/vocabulary.js";

const SMALLEST = 2 ** -126; // the least probability whose logarithm is taken

/**
 * The likeliest of some words, the likeliest first, equal ones in order of their ids; never a
 * special one.
 * @param {Float32Array} probabilities (vocabulary)
 * @param {ArrayLike<number> | null} candidates ids, ascending; null for all words
 * @param {number} k how many
 * @returns {{ id: number, probability: number }[]} fewer where there are fewer
 */
export function topWords(probabilities, candidates, k) {
  const best = [];
  const count = candidates ? candidates.length : probabilities.length;
  for (let i = 0; i < count && k > 0; i++) {
    const id = candidates ? candidates[i] : i;
    const probability = probabilities[id];
    const full = best.length >= k;
    if (id < FIRST_WORD_ID || (full && probability <= best[k - 1].probability)) continue;
    if (full) best.pop();
    let place = best.length;
    while (place > 0 && best[place - 1].probability < probability) place--;
    best.splice(place, 0, { id, probability });
  }
  return best;
}

/**
 * The distribution to draw from: first the words that are not allowed lose their share, then the
 * temperature acts, then the nucleus of Holtzman and others (2020): the fewest words, the likeliest
 * first, that reach `topP`. Equal words count in order of their ids.
 * @param {Float32Array} probabilities (vocabulary)
 * @param {(id: number) => boolean} allowed
 * @param {{ temperature: number, topP: number }} sampling
 * @returns {{ ids: Uint32Array, shares: Float64Array }} words, the likeliest first; shares add up to
 *   one
 */
export function nucleus(probabilities, allowed, { temperature, topP }) {
  let ids = Uint32Array.from(probabilities.keys()).filter(allowed);
  if (ids.length === 0) throw new Error("no word is allowed");
  const logs = probabilities.map((probability) => Math.log(Math.max(probability, SMALLEST)));
  ids.sort((one, other) => logs[other] - logs[one] || one - other);
  if (temperature === 0) return { ids: ids.slice(0, 1), shares: Float64Array.of(1) };
  const best = logs[ids[0]];
  let shares = Float64Array.from(ids, (id) => Math.exp((logs[id] - best) / temperature));
  const total = shares.reduce((sum, share) => sum + share, 0);
  // a word stays if those before it do not reach topP yet
  let reached = 0;
  let stay = 0;
  while (stay < ids.length && (topP >= 1 || reached < topP * total)) reached += shares[stay++];
  ids = ids.slice(0, stay);
  shares = shares.slice(0, stay).map((share) => share / reached);
  return { ids, shares };
}

/**
 * A word drawn from a distribution.
 * @param {{ ids: Uint32Array, shares: Float64Array }} distribution from nucleus
 * @param {() => number} random gives numbers from 0 to less than 1
 * @returns {number} its id
 */
export function drawWord({ ids, shares }, random) {
  let left = random();
  for (let i = 0; i < ids.length; i++) {
    left -= shares[i];
    if (left < 0) return ids[i];
  }
  return ids[ids.length - 1]; // rounding
}

/**
 * Random numbers from 0 to less than 1, the same for the same seed (mulberry32).
 * @param {number} seed a whole number
 * @returns {() => number}
 */
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}
