// A packed model: reads word ids one by one and gives, after each, the distribution of the next; as
// nextword/inference/mixture.py.
//
// A state is replaced, never changed, so any number of texts may go on from it.

import { inflate, readContainer } from "./container.js";
import { gateShares, softmax, weightedSum } from "./distribution.js";
import { openKernel } from "./kernel.js";
import { openNetwork } from "./network.js";
import { Ngrams } from "./ngrams.js";
import { recentDistribution, remember } from "./recent.js";
import { readTree } from "./tree.js";

/**
 * The model in the bytes of nextword.export.pack.
 * @param {Uint8Array} bytes
 * @param {{ webAssembly?: boolean }} options
 * @returns {Promise<PackedModel>}
 */
export async function openModel(bytes, { webAssembly = true } = {}) {
  const { header, sections } = readContainer(await inflate(bytes));
  return new PackedModel(header, sections, openKernel(webAssembly));
}

/** A network, perhaps mixed with n-grams and a cache, or n-grams alone. */
export class PackedModel {
  constructor(header, sections, kernel) {
    this.header = header;
    /** @type {string[]} */
    this.words = header.words;
    const counted = header.architecture.kind === "ngram";
    this.network = counted ? null : openNetwork(header.architecture, sections, kernel);
    this.ngrams = header.ngram ? new Ngrams(readTree(header.ngram, sections)) : null;
  }

  /** The state before the first word. */
  initialState() {
    return {
      network: this.network && { features: null, state: this.network.initialState() },
      ngram: this.ngrams && this.ngrams.initialState(),
      recent: null,
    };
  }

  /**
   * The state after one more word.
   * @param state from initialState or step
   * @param {number} id
   */
  step(state, id) {
    return {
      network: this.network && this.network.step(state.network.state, id),
      ngram: this.ngrams && this.ngrams.step(state.ngram, id),
      recent: this.network && remember(state.recent, state.network.features, id),
    };
  }

  /**
   * The distribution of the next word, after one word at least.
   * @param state from step
   * @param {boolean} cached whether recent words become more likely
   * @returns {{ probabilities: Float32Array,
   *   parts: { name: string, probabilities: Float32Array, share: number }[] }}
   */
  distribution(state, cached) {
    const parts = [];
    if (this.network) {
      parts.push({ name: "network", ...softmax(this.network.scores(state.network.features)) });
    }
    if (this.ngrams) parts.push({ name: "ngrams", ...this.ngrams.distribution(state.ngram) });
    if (this.network && cached) {
      const features = state.network.features;
      const network = parts[0].probabilities;
      const cache = recentDistribution(this.header.cache, state.recent, features, network);
      parts.push({ name: "cache", ...cache });
    }
    const shares = this.shares(parts);
    const distributions = parts.map((part) => part.probabilities);
    return {
      probabilities: parts.length > 1 ? weightedSum(distributions, shares) : distributions[0],
      parts: parts.map(({ name, probabilities }, i) => ({ name, probabilities, share: shares[i] })),
    };
  }

  /**
   * Each part's share: by the weights of all, else by those without a cache, which gets a fixed
   * share, else the network's alone.
   */
  shares(parts) {
    if (!this.network) return [1];
    const { weights, cache } = this.header;
    const names = parts.map((part) => part.name);
    const features = (part) => part.gateFeatures;
    const all = weights[names.join("+")];
    if (all) return gateShares(all, parts.flatMap(features));
    const uncached = names.filter((name) => name !== "cache");
    const some = weights[uncached.join("+")];
    const weighted = some ? uncached.length : 1;
    const shares = some ? gateShares(some, parts.slice(0, weighted).flatMap(features)) : [1];
    // each further part takes its share from those before it
    for (let i = weighted; i < parts.length; i++) {
      for (let j = 0; j < i; j++) shares[j] *= 1 - cache.share;
      shares.push(cache.share);
    }
    return shares;
  }
}
