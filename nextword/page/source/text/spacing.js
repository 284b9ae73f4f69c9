import { hasAlphanumeric } from "./characters.js";
import { END_WORD } from "./vocabulary.js";

const UNSEEN_SIDE = 0;
const SPACED_SIDE = 1;
const GLUED_SIDE = 2;
const MIXED_SIDE = 3;

/** Marks that open and close alike: which of the two, the words beside them seldom tell. */
export const TURNING_MARKS = "\"'’*_";

/**
 * The contents of `spacing.json`.
 *
 * @typedef {object} SpacingData
 * @property {(Uint8Array | string)[]} sides three, each with a number or digit for every word:
 *   before it, after it where a space stands before it, and after it where none does
 * @property {[number, number][]} glued pairs of words without a space, where their sides differ
 * @property {[number, number][]} spaced pairs of words with a space, likewise
 */

/** Where a vocabulary's words stand without a space. */
export class Spacing {
  #sides;
  #words;
  #pairs = new Map();

  /**
   * @param {SpacingData} data
   * @param {string[]} words the vocabulary by ids
   */
  constructor({ sides, glued, spaced }, words) {
    this.#sides = sides.map((side) => (typeof side === "string" ? numbersOfDigits(side) : side));
    this.#words = words;
    for (const pair of glued) this.#pairs.set(this.#key(...pair), true);
    for (const pair of spaced) this.#pairs.set(this.#key(...pair), false);
  }

  /**
   * Whether no space separates two words; null where the text shows neither.
   *
   * @param {number} previous the first word's id
   * @param {boolean} gluedBefore whether no space stands before the first word
   * @param {number} following the second word's id
   * @returns {boolean | null}
   */
  glued(previous, gluedBefore, following) {
    const known = this.#pairs.get(this.#key(previous, following));
    if (known !== undefined) return known;
    const after = this.#sides[gluedBefore ? 2 : 1][previous];
    const before = this.#sides[0][following];
    const side = decidingSide(after, before, this.#isWord(previous), this.#isWord(following));
    return side === MIXED_SIDE ? null : side === GLUED_SIDE;
  }

  /**
   * Whether no space follows a word; null where the text shows neither.
   *
   * @param {number} word its id
   * @param {boolean} gluedBefore whether no space stands before it
   * @returns {boolean | null}
   */
  gluedAfter(word, gluedBefore) {
    const side = this.#sides[gluedBefore ? 2 : 1][word];
    return side === UNSEEN_SIDE || side === MIXED_SIDE ? null : side === GLUED_SIDE;
  }

  #key(previous, following) {
    return previous * this.#words.length + following;
  }

  /** Whether the word holds a letter or digit; the unknown word counts as one. */
  #isWord(id) {
    return this.#words[id] !== END_WORD && hasAlphanumeric(this.#words[id]);
  }
}

/**
 * Whether two words are glued or spaced, by their sides that meet; mixed if undecided.
 *
 * Between a mark and a word the mark alone decides. Of two marks one that is glued is enough; two
 * words must agree.
 */
function decidingSide(after, before, previousIsWord, followingIsWord) {
  if (previousIsWord !== followingIsWord) {
    const side = previousIsWord ? before : after;
    return side === UNSEEN_SIDE ? MIXED_SIDE : side;
  }
  const oneIsGlued = after === GLUED_SIDE || before === GLUED_SIDE;
  if (oneIsGlued && (after === before || !previousIsWord)) return GLUED_SIDE;
  return after === SPACED_SIDE && before === SPACED_SIDE ? SPACED_SIDE : MIXED_SIDE;
}

function numbersOfDigits(digits) {
  const numbers = new Uint8Array(digits.length);
  for (let place = 0; place < digits.length; place++) {
    numbers[place] = digits.charCodeAt(place) - 48;
  }
  return numbers;
}
