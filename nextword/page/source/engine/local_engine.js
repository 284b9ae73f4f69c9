import { PrefixCache } from "./decoder.js";
import { drawWord, nucleus, randomNumbers, topWords } from "./sampling.js";
import { readPrompt } from "../text/tokenizer.js";
import { splitTyped } from "../text/typed.js";
import { END_ID, END_WORD, UNKNOWN_ID } from "../text/vocabulary.js";

/** Milliseconds of work after which the page may paint and listen. */
const TURN = 8;
/** The share of the likeliest words from which a continuation is drawn. */
const TOP_P = 0.9;

/** The model in the page itself. */
export class LocalEngine {
  /**
   * @param {import("./model.js").PackedModel} model
   * @param {import("../text/tokenizer.js").Tokenizer} tokenizer
   * @param {{parts: string[], closing: string[]}} info
   */
  constructor(model, tokenizer, info) {
    this.tokenizer = tokenizer;
    this.parts = info.parts;
    this.closing = info.closing;
    this.states = new PrefixCache(model, { cached: info.parts.includes("cache") });
    /** The ids of the text scored last, and the surprisal of each in bits. */
    this.scored = { ids: [], bits: [] };
  }

  async predict(text, k) {
    const { before, letters } = splitTyped(this.tokenizer, text);
    const prompt = readPrompt(this.tokenizer, before);
    const { probabilities, parts } = (await this.after(prompt.ids)).distribution();
    const candidates = letters
      ? this.tokenizer.matcher.withPrefix(this.tokenizer.normalize(letters))
      : null;
    const position = detokenizerAfter(this.tokenizer, prompt.words);
    const predictions = topWords(probabilities, candidates, k).map(({ id, probability }) => {
      const word = this.tokenizer.words[id];
      const { before: space, after: space_after } = position.spacesAround(word);
      const by = parts.map((part) => [part.name, part.probabilities[id]]);
      return { word, probability, space, space_after, parts: Object.fromEntries(by) };
    });
    const shares = Object.fromEntries(parts.map(({ name, share }) => [name, share]));
    return { predictions, typed: letters, unknown: prompt.unknown, shares };
  }

  async score(text, isLate, onProgress) {
    const { ids, words } = readPrompt(this.tokenizer, text);
    const known = commonBeginning(ids, this.scored.ids);
    const bits = this.scored.bits.slice(0, known);
    const decoder = (await this.after(ids.slice(0, known))).fork();
    const turn = new Turn(() => onProgress(bits.length, ids.length));
    for (const id of ids.slice(known)) {
      await turn.taken();
      if (isLate()) break;
      bits.push(-Math.log2(decoder.distribution().probabilities[id]));
      decoder.read(id);
    }
    this.scored = { ids: ids.slice(0, bits.length), bits };
    const scored = bits.map((surprisal, place) => ({ word: words[place], bits: surprisal }));
    return { from: 0, words: scored };
  }

  /** The model after some words; a long text is read in turns. */
  after(ids) {
    const turn = new Turn();
    return this.states.at(ids, () => turn.taken());
  }

  async generate(text, { words, temperature }, signal, onPiece) {
    const prompt = readPrompt(this.tokenizer, text);
    const detokenizer = detokenizerAfter(this.tokenizer, prompt.words);
    const decoder = (await this.after(prompt.ids)).fork();
    const random = randomNumbers(crypto.getRandomValues(new Uint32Array(1))[0]);
    const turn = new Turn();
    let last = prompt.ids.at(-1) ?? END_ID;
    let left = words;
    while (left > 0) {
      await turn.taken();
      signal.throwIfAborted();
      // nor does one end follow another
      const allowed = (id) => id !== UNKNOWN_ID && !(id === END_ID && last === END_ID);
      const { probabilities } = decoder.distribution();
      last = drawWord(nucleus(probabilities, allowed, { temperature, topP: TOP_P }), random);
      onPiece(detokenizer.push(this.tokenizer.words[last]));
      decoder.read(last);
      left -= last === END_ID ? 0 : 1;
    }
  }
}

/** Lets the page paint and listen between pieces of work. */
class Turn {
  /** @param {() => void} onEnd is called at the end of each turn */
  constructor(onEnd = () => {}) {
    this.began = performance.now();
    this.onEnd = onEnd;
  }

  /** Wait for the page if the work took long; undefined if it did not. */
  taken() {
    return performance.now() - this.began < TURN ? undefined : this.next();
  }

  async next() {
    this.onEnd();
    await new Promise((resolve) => setTimeout(resolve));
    this.began = performance.now();
  }
}

/** A detokenizer at the end of a text; spaces depend on its last paragraph alone. */
function detokenizerAfter(tokenizer, words) {
  const detokenizer = tokenizer.detokenizer();
  for (const word of words.slice(words.lastIndexOf(END_WORD) + 1)) detokenizer.push(word);
  return detokenizer;
}

/** The number of ids with which two texts begin alike. */
function commonBeginning(ids, others) {
  const differs = ids.findIndex((id, place) => id !== others[place]);
  return differs < 0 ? ids.length : differs;
}
