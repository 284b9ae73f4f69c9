// A model at a position in one text, and a cache of states, so that one more letter or a deleted
// word costs one step or none.

import { END_ID } from "../text/vocabulary.js";

/** A model at a position in one text. */
export class Decoder {
  /**
   * @param {PackedModel} model
   * @param {boolean} cached whether recent words become more likely
   * @param state of the model
   */
  constructor(model, cached = true, state = model.initialState()) {
    this.model = model;
    this.cached = cached;
    this.state = state;
    this.last = null;
  }

  /**
   * Read one more word.
   * @param {number} id
   */
  read(id) {
    this.state = this.model.step(this.state, id);
    this.last = null;
  }

  /** A decoder at the same position that reads on by itself. */
  fork() {
    const other = new Decoder(this.model, this.cached, this.state);
    other.last = this.last;
    return other;
  }

  /** The distribution of the next word; see PackedModel.distribution. */
  distribution() {
    this.last ??= this.model.distribution(this.state, this.cached);
    return this.last;
  }
}

/** The state is kept after each of this many words at the end of a text. */
const RECENT = 64;
/** Before those, it is kept after one word in so many. */
const EARLIER = 64;

/** States of a model by the words read, those used last. */
export class PrefixCache {
  /**
   * @param {PackedModel} model
   * @param {{ cached?: boolean, capacity?: number }} options
   */
  constructor(model, { cached = true, capacity = 256 } = {}) {
    this.model = model;
    this.cached = cached;
    this.capacity = capacity;
    /** @type {Map<number, Decoder>} the one used last at the end */
    this.decoders = new Map();
    /** Words read so far, each of which takes time. */
    this.steps = 0;
  }

  /**
   * The model after some words of a text; do not let it read on but in a fork.
   * @param {ArrayLike<number>} ids
   * @param {() => Promise<void> | undefined} pause is awaited between words, for a long text
   * @returns {Promise<Decoder>}
   */
  async at(ids, pause = () => undefined) {
    const keys = prefixKeys(ids);
    let known = ids.length;
    while (known > 0 && !this.decoders.has(keys[known])) known--;
    let decoder = this.decoders.get(keys[known]) ?? this.begin();
    this.keep(keys[known], decoder);
    for (let read = known + 1; read <= ids.length; read++) {
      await pause();
      decoder = decoder.fork();
      decoder.read(ids[read - 1]);
      this.steps++;
      if (read > ids.length - RECENT || read % EARLIER === 0) this.keep(keys[read], decoder);
    }
    return decoder;
  }

  /** The model at the beginning of a text, where a paragraph has just ended. */
  begin() {
    const decoder = new Decoder(this.model, this.cached);
    decoder.read(END_ID);
    this.steps++;
    return decoder;
  }

  /** Keep a decoder as the one used last. */
  keep(key, decoder) {
    this.decoders.delete(key);
    this.decoders.set(key, decoder);
    if (this.decoders.size > this.capacity) {
      this.decoders.delete(this.decoders.keys().next().value);
    }
  }
}

/** A number for each beginning of a text, the empty one first: 52 bits of two hashes. */
function prefixKeys(ids) {
  const keys = [0];
  let [high, low] = [0x9e3779b9, 0x85ebca6b];
  for (let i = 0; i < ids.length; i++) {
    high = Math.imul(high ^ ids[i], 0x01000193) + i;
    low = Math.imul(low ^ (low >>> 15) ^ ids[i], 0x2c1b3c6d) + 1;
    keys.push((high >>> 0) * 2 ** 20 + (low & 0xfffff));
  }
  return keys;
}
