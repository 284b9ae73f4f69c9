// Reads the tree of n-grams from the sections that nextword/export/ngram_sections.py writes.
//
// A node is the index of an n-gram, the short ones first, within a length by context, then by last
// word. So the nodes of single words are their ids.

/**
 * The tree as flat arrays: `words` and `shares` of all n-grams of two words or more, and for each
 * context the `offsets` of its successors among those, its `backoffs` and its `totals`.
 * @param {{ order: number, sizes: number[] }} described in the header
 * @param {Map<string, ArrayBufferView>} sections
 */
export function readTree(described, sections) {
  const { order, sizes } = described;
  const vocabularySize = sizes[0];
  const longer = sizes.slice(1).reduce((sum, size) => sum + size, 0);
  const contexts = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
  const tree = {
    order,
    vocabularySize,
    unigrams: sections.get("ngram.unigrams"),
    total: sections.get("ngram.total")[0],
    words: new Int32Array(longer),
    shares: new Float32Array(longer),
    offsets: new Int32Array(contexts + 1),
    backoffs: new Float32Array(contexts),
    totals: new Float32Array(contexts),
  };
  // the suffix of each n-gram, to whose successors the words of longer n-grams refer
  const suffixes = new Int32Array(vocabularySize + longer);
  let first = 0;
  for (let length = 2; length <= order; length++) {
    const level = { length, first, size: sizes[length - 2] };
    readSuccessors(tree, sections.get(`ngram.${length}.successors`), level);
    readWords(tree, sections.get(`ngram.${length}.words`), level, suffixes);
    readShares(tree, sections, level);
    first += level.size;
  }
  return tree;
}

/** Where the successors of each context of a level begin and end. */
function readSuccessors(tree, bytes, level) {
  const next = varintReader(bytes);
  for (let node = level.first; node < level.first + level.size; node++) {
    tree.offsets[node + 1] = tree.offsets[node] + next();
  }
}

/** The last words, each as its place among the successors of its context's suffix. */
function readWords(tree, bytes, level, suffixes) {
  const { words, offsets, vocabularySize } = tree;
  const next = varintReader(bytes);
  for (let node = level.first; node < level.first + level.size; node++) {
    const base = level.length === 2 ? 0 : offsets[suffixes[node]] + vocabularySize;
    let place = -1;
    for (let i = offsets[node]; i < offsets[node + 1]; i++) {
      place += 1 + next();
      const suffix = base + place;
      suffixes[vocabularySize + i] = suffix;
      words[i] = level.length === 2 ? suffix : words[suffix - vocabularySize];
    }
  }
}

/** Shares and totals, and the back-offs that the shares leave. */
function readShares(tree, sections, level) {
  const { shares, offsets, backoffs, totals } = tree;
  const section = (name) => sections.get(`ngram.${level.length}.${name}`);
  const [codes, values] = [section("shares"), section("share_values")];
  const [totalCodes, totalValues] = [section("totals"), section("total_values")];
  const [high, totalHigh] = [codes.length / 2, totalCodes.length / 2];
  let place = 0;
  let context = 0;
  for (let node = level.first; node < level.first + level.size; node++) {
    let left = 1;
    if (offsets[node] < offsets[node + 1]) {
      const total = totalValues[totalCodes[context] | (totalCodes[totalHigh + context] << 8)];
      totals[node] = total;
      context++;
      for (let i = offsets[node]; i < offsets[node + 1]; i++, place++) {
        shares[i] = values[codes[place] | (codes[high + place] << 8)] / total;
        left -= shares[i];
      }
    }
    backoffs[node] = Math.max(0, left);
  }
}

/** A function that gives one number after the other. */
function varintReader(bytes) {
  let place = 0;
  return () => {
    let number = 0;
    let factor = 1;
    let byte;
    do {
      byte = bytes[place++];
      number += (byte & 127) * factor;
      factor *= 128;
    } while (byte > 127);
    return number;
  };
}
