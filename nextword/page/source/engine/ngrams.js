// N-grams: the distribution of the next word given the last few; as nextword/ngram/model.py.

import { END_ID } from "../text/vocabulary.js";

const NO_NODE = -1;

/** Interpolated modified Kneser-Ney n-grams. */
export class Ngrams {
  /** @param tree from readTree */
  constructor(tree) {
    this.tree = tree;
    this.order = tree.order;
  }

  /**
   * The context of a text's first word: ends of lines.
   * @returns {Int32Array} (order - 1)
   */
  initialState() {
    return new Int32Array(this.order - 1).fill(END_ID);
  }

  /**
   * The context after one more word.
   * @param {Int32Array} context
   * @param {number} id
   */
  step(context, id) {
    const next = new Int32Array(context.length);
    next.set(context.subarray(1));
    if (next.length) next[next.length - 1] = id;
    return next;
  }

  /**
   * The distribution after a context, and the features by which the gate trusts it.
   * @param {Int32Array} context
   * @returns {{ probabilities: Float32Array, gateFeatures: number[] }}
   */
  distribution(context) {
    const { unigrams, words, shares, offsets, backoffs, totals } = this.tree;
    const nodes = this.match(context);
    // of each length of context: the product of the back-offs of all longer ones
    const weights = new Float32Array(this.order).fill(1);
    for (let length = this.order - 1; length > 0; length--) {
      const node = nodes[length];
      const backoff = node === NO_NODE ? 1 : backoffs[node];
      weights[length - 1] = weights[length] * backoff;
    }
    const probabilities = new Float32Array(unigrams.length);
    for (let i = 0; i < unigrams.length; i++) probabilities[i] = unigrams[i] * weights[0];
    let longest = 0;
    for (let length = 1; length < this.order; length++) {
      const node = nodes[length];
      if (node === NO_NODE) continue;
      longest = length;
      for (let i = offsets[node]; i < offsets[node + 1]; i++) {
        probabilities[words[i]] += Math.fround(weights[length] * shares[i]);
      }
    }
    const gateFeatures = new Array(this.order + 1).fill(0);
    gateFeatures[longest] = 1;
    const total = longest ? totals[nodes[longest]] : this.tree.total;
    gateFeatures[this.order] = Math.fround(Math.log1p(total));
    return { probabilities, gateFeatures };
  }

  /**
   * The nodes of the last words of a context, by their number; NO_NODE where nothing follows them.
   * No match spans an end of line.
   */
  match(context) {
    const { offsets } = this.tree;
    const nodes = new Int32Array(this.order).fill(NO_NODE);
    for (let length = 1; length < this.order; length++) {
      const begin = context.length - length;
      let node = context[begin];
      for (let i = begin + 1; i < context.length && node !== NO_NODE; i++) {
        // only the first word of a context may be an end
        node = context[i] === END_ID ? NO_NODE : this.child(node, context[i]);
      }
      if (node !== NO_NODE && offsets[node] < offsets[node + 1]) nodes[length] = node;
    }
    return nodes;
  }

  /** The node of a context and one more word. */
  child(node, word) {
    const { words, offsets, vocabularySize } = this.tree;
    let low = offsets[node];
    let high = offsets[node + 1];
    const end = high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (words[middle] < word) low = middle + 1;
      else high = middle;
    }
    return low < end && words[low] === word ? low + vocabularySize : NO_NODE;
  }
}
