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
    /** @type {Map<string, Decoder>} the one used last at the end */
    this.decoders = new Map();
    /** Words read so far, each of which takes time. */
    this.steps = 0;
  }

  /**
   * The model after some words of a text; do not let it read on but in a fork.
   * @param {ArrayLike<number>} ids
   * @returns {Decoder}
   */
  at(ids) {
    const joined = Array.from(ids, (id) => `${id},`);
    const ends = [0];
    for (const piece of joined) ends.push(ends[ends.length - 1] + piece.length);
    const text = joined.join("");
    let known = ids.length;
    while (known > 0 && !this.decoders.has(text.slice(0, ends[known]))) known--;
    let decoder = this.decoders.get(text.slice(0, ends[known])) ?? this.begin();
    this.keep(text.slice(0, ends[known]), decoder);
    for (let i = known; i < ids.length; i++) {
      decoder = decoder.fork();
      decoder.read(ids[i]);
      this.steps++;
      this.keep(text.slice(0, ends[i + 1]), decoder);
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
