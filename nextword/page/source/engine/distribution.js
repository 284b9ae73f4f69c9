// The network's distribution, and the mixture of distributions by a gate; as softmax_distributions
// in nextword/inference/decoder.py and nextword/inference/gating.py.

/**
 * A softmax, and the features by which the gate trusts it: its entropy and greatest log-probability.
 * @param {Float32Array} scores (vocabulary)
 * @returns {{ probabilities: Float32Array, gateFeatures: number[] }}
 */
export function softmax(scores) {
  let best = -Infinity;
  for (let i = 0; i < scores.length; i++) best = Math.max(best, scores[i]);
  const probabilities = new Float32Array(scores.length);
  let total = 0;
  let weighted = 0;
  for (let i = 0; i < scores.length; i++) {
    const below = scores[i] - best;
    const share = Math.exp(below);
    probabilities[i] = share;
    total += share;
    if (share > 0) weighted += share * below;
  }
  if (!Number.isFinite(total)) {
    throw new Error("the model's probabilities are not numbers; its weights are damaged");
  }
  for (let i = 0; i < scores.length; i++) probabilities[i] /= total;
  const logTotal = Math.log(total);
  return { probabilities, gateFeatures: [logTotal - weighted / total, -logTotal] };
}

/**
 * Each part's share, a softmax over linear functions of the gate features of all parts.
 * @param {{ mean: number[], scale: number[], slopes: number[][], biases: number[] }} weights
 * @param {number[]} gateFeatures
 * @returns {number[]}
 */
export function gateShares({ mean, scale, slopes, biases }, gateFeatures) {
  const standard = gateFeatures.map((feature, i) => (feature - mean[i]) / scale[i]);
  const linear = slopes.map((row, part) =>
    row.reduce((sum, slope, i) => sum + slope * standard[i], biases[part]),
  );
  const best = Math.max(...linear);
  const shares = linear.map((value) => Math.exp(value - best));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/**
 * The sum of distributions, each times its share.
 * @param {Float32Array[]} distributions
 * @param {number[]} shares
 * @returns {Float32Array}
 */
export function weightedSum(distributions, shares) {
  const sum = new Float32Array(distributions[0].length);
  for (let part = 0; part < shares.length; part++) {
    const probabilities = distributions[part];
    const share = Math.fround(shares[part]);
    for (let i = 0; i < sum.length; i++) sum[i] += Math.fround(share * probabilities[i]);
  }
  return sum;
}
