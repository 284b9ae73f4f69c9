// The continuous cache of Grave, Joulin and Usunier (2017): recent words in similar contexts; as
// nextword/inference/cache.py.

/**
 * The words of a text so far, the last one first; each knows the features before it. Texts that
 * begin alike share their beginning.
 * @typedef {{ word: number, key: Float32Array, before: Recent | null, length: number }} Recent
 */

/**
 * One more word.
 * @param {Recent | null} recent
 * @param {Float32Array | null} key features before the word, which the very first lacks
 * @param {number} word
 * @returns {Recent | null}
 */
export function remember(recent, key, word) {
  if (key === null) return null;
  return { word, key, before: recent, length: (recent?.length ?? 0) + 1 };
}

/**
 * The distribution over recent words, by how similar the features before each are to the present.
 * @param {{ size: number, sharpness: number }} settings
 * @param {Recent | null} recent
 * @param {Float32Array} features at present
 * @param {Float32Array} network its distribution, given where nothing can be compared
 * @returns {{ probabilities: Float32Array, gateFeatures: number[] }}
 */
export function recentDistribution(settings, recent, features, network) {
  const kept = Math.min(recent?.length ?? 0, settings.size);
  const similarities = new Float64Array(kept);
  let best = -Infinity;
  for (let i = 0, entry = recent; i < kept; i++, entry = entry.before) {
    similarities[i] = settings.sharpness * dotProduct(entry.key, features);
    best = Math.max(best, similarities[i]);
  }
  let total = 0;
  for (let i = 0; i < kept; i++) {
    similarities[i] = Math.exp(similarities[i] - best);
    total += similarities[i];
  }
  let probabilities = network;
  if (total > 0 && Number.isFinite(total)) {
    probabilities = new Float32Array(network.length);
    for (let i = 0, entry = recent; i < kept; i++, entry = entry.before) {
      probabilities[entry.word] += similarities[i] / total;
    }
  }
  let likeliest = 0;
  for (let i = 0; i < probabilities.length; i++) likeliest = Math.max(likeliest, probabilities[i]);
  return { probabilities, gateFeatures: [Math.log(likeliest), Math.log1p(kept)] };
}

function dotProduct(one, other) {
  // four sums need not wait for each other
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < one.length; i += 4) {
    first += one[i] * other[i];
    second += one[i + 1] * other[i + 1];
    third += one[i + 2] * other[i + 2];
    fourth += one[i + 3] * other[i + 3];
  }
  for (; i < one.length; i++) first += one[i] * other[i];
  return first + second + third + fourth;
}
