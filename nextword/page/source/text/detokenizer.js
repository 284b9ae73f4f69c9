import {
  firstCharacter,
  isAlphanumeric,
  isOneOf,
  lastCharacter,
  lazily,
} from "./characters.js";
import { isUnspaced, isWidePunctuation } from "./scripts.js";
import { TURNING_MARKS } from "./spacing.js";
import { END_WORD } from "./vocabulary.js";

const GLUED_MARKS = "/\\—―";
const GLUED_TO_LEFT = ".,;:!?%‰…°′″™®";
const GLUED_TO_RIGHT = "#@~`¿¡$£¥";
/** Marks that open and close alike. */
const PAIRED_MARKS = '"_*';
const REPEATED_APART = ".*-–—";
const RUN_OF_DOTS = /^(?:\.\.+|…+)$/;
const RUN_OF_DASHES = /^(?:--+|——+|――+)$/;
const ELISIONS = new Set(
  (
    "bout cause cos cuz d em er im ll m n neath nother pon re round s t til tis twas tween twere " +
    "twill twould ve"
  ).split(" "),
);

const openingMark = lazily(() => /^[\p{Ps}\p{Pi}]/u);
const closingMark = lazily(() => /^[\p{Pe}\p{Pf}]/u);
const otherMark = lazily(() => /^\p{Po}/u);
const smallLetter = lazily(() => /^\p{Lowercase}$/u);
/** Greek letters, and the accents and signs that bear the name but are of no script. */
const greekLetter = lazily(() => /[\p{Script=Greek}\u0342\u0345\u0385]/u);
/** Digits as Python's `str.isdigit` has them: those of numbers, raised, circled and the like. */
const initialDigit = lazily(
  () =>
    new RegExp(
      "^[\\p{Nd}²³¹\\u1369-\\u1371\\u19da⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒\\u{10a40}-\\u{10a43}" +
        "\\u{10e60}-\\u{10e68}\\u{11052}-\\u{1105a}\\u{1f100}-\\u{1f10a}]",
      "u",
    ),
);

/**
 * Turns one stream of words into text; remembers open quotes and brackets.
 *
 * The spacing learned from the training text comes first; the rules here decide what that text does
 * not show. Each word's text is returned at once, so nothing depends on the next word.
 */
export class Detokenizer {
  #kind;
  #spacing;
  #index;
  #previous = "";
  #before = "";
  #glued = false; // whether the previous word follows without a space
  #glueNext = true;
  #open = new Set();
  #unspacedParagraph = false;

  /**
   * @param {"words" | "whitespace"} kind of the words
   * @param {import("./spacing.js").Spacing | null} spacing learned from a text; null for rules
   *   alone
   * @param {Map<string, number>} index the id of each word that `spacing` knows
   */
  constructor(kind = "words", spacing = null, index = new Map()) {
    this.#kind = kind;
    this.#spacing = spacing;
    this.#index = index;
  }

  /** A detokenizer at the same position that goes on by itself. */
  copy() {
    const other = new Detokenizer(this.#kind, this.#spacing, this.#index);
    other.#previous = this.#previous;
    other.#before = this.#before;
    other.#glued = this.#glued;
    other.#glueNext = this.#glueNext;
    other.#open = new Set(this.#open);
    other.#unspacedParagraph = this.#unspacedParagraph;
    return other;
  }

  /**
   * Whether a space separates a word, if it came next, from its two neighbours; nothing is
   * remembered. Whatever follows the word counts as a word, not as a mark.
   *
   * @param {string} word
   * @returns {{ before: boolean, after: boolean }}
   */
  spacesAround(word) {
    if (word === END_WORD || this.#kind === "whitespace") {
      const spaced = word !== END_WORD;
      return { before: spaced && this.#previous !== "", after: spaced };
    }
    const other = this.copy();
    const before = other.push(word) !== word;
    return { before, after: !(other.#learnedAfter() ?? other.#glueNext) };
  }

  /** Whether the training text has no space after the last word, where a word follows. */
  #learnedAfter() {
    const id = this.#index.get(this.#previous);
    if (this.#spacing === null || id === undefined) return null;
    return this.#spacing.gluedAfter(id, this.#glued);
  }

  /**
   * The text to append: the word, with or without a space before it. The end word gives a paragraph
   * break (`words`) or a line end (`whitespace`).
   */
  push(word) {
    if (word === END_WORD) {
      this.#reset();
      return this.#kind === "words" ? "\n\n" : "\n";
    }
    if (this.#kind === "whitespace") {
      const space = this.#previous === "" ? "" : " ";
      this.#previous = word;
      return space + word;
    }
    return this.#pushProse(word);
  }

  #reset() {
    this.#previous = "";
    this.#before = "";
    this.#glued = false;
    this.#glueNext = true;
    this.#open.clear();
    this.#unspacedParagraph = false;
  }

  #pushProse(word) {
    const begins = this.#previous === "";
    if (begins) this.#unspacedParagraph = isUnspaced(firstCharacter(word));
    if (this.#previous === "'" && ELISIONS.has(word.toLowerCase())) this.#open.delete("'");
    const learned = this.#learned(word);
    if (learned !== null && isOneOf(word, TURNING_MARKS)) {
      if (learned) this.#open.add(word); // it closes
      else this.#open.delete(word); // it opens
    }
    const [left, right] = this.#sides(word);
    const apart = word === this.#previous && isOneOf(word, REPEATED_APART);
    const byRules = begins || (!apart && (left || this.#glueNext)) || this.#isContinued(word);
    const glued = learned ?? byRules;
    this.#glued = glued && !begins;
    this.#before = this.#previous;
    this.#previous = word;
    this.#glueNext = right;
    return glued ? word : ` ${word}`;
  }

  /** Whether the training text has no space before the word; null if it shows neither. */
  #learned(word) {
    if (this.#spacing === null || this.#previous === "") return null;
    const previous = this.#index.get(this.#previous);
    const following = this.#index.get(word);
    if (previous === undefined || following === undefined) return null;
    return this.#spacing.glued(previous, this.#glued, following);
  }

  /** Whether no space separates the previous word from this one, judged as a pair. */
  #isContinued(word) {
    const last = lastCharacter(this.#previous);
    const first = firstCharacter(word);
    if (isUnspaced(last) || isUnspaced(first)) {
      if (isUnspaced(last) && isUnspaced(first)) return true;
      // wide punctuation includes its space; beside Latin words the paragraph's script decides
      if (isWidePunctuation(last) || isWidePunctuation(first)) return true;
      return isAlphanumeric(last) && isAlphanumeric(first) && this.#unspacedParagraph;
    }
    if (isOneOf(this.#previous, "-–") && endsInDigit(this.#before) && initialDigit().test(first)) {
      return true; // 1805-1812
    }
    // e.g. and a.m.: a letter after a letter and its dot
    const small = smallLetter();
    return this.#previous === "." && small.test(this.#before) && small.test(word);
  }

  /** Whether the word sticks to its left neighbour, and to its right one. */
  #sides(word) {
    if (isAlphanumeric(word)) return [false, false];
    if (isOneOf(word, PAIRED_MARKS)) return this.#alternate(word);
    if (word === "'") return this.#straightSingle();
    if (word === "’") return this.#curlyApostrophe();
    if (RUN_OF_DOTS.test(word)) return [true, this.#glueNext];
    if (RUN_OF_DASHES.test(word) || isOneOf(word, GLUED_MARKS)) {
      const glued = !(isOneOf(word, "—―") && /[\u0400-\u052f]/.test(this.#previous));
      return [glued, glued];
    }
    if (isOneOf(word, "-–")) return [endsInDigit(this.#previous), false];
    return this.#sidesOfMark(word);
  }

  #sidesOfMark(word) {
    if (isOneOf(word, GLUED_TO_LEFT)) return [true, false];
    if (isOneOf(word, GLUED_TO_RIGHT)) return [false, true];
    if (word === "€") return [false, !endsInDigit(this.#previous)];
    if (isOneOf(word, "„‚")) {
      this.#open.add(word);
      return [false, true];
    }
    // German „...“ closes with the English opening quote
    if (word === "“" && this.#open.delete("„")) return [true, false];
    if (word === "‘" && this.#open.delete("‚")) return [true, false];
    if (word === "‘") this.#open.add(word);
    if (otherMark().test(word) && this.#isOfAnotherScript(firstCharacter(word))) {
      return [true, false];
    }
    return [closingMark().test(word), openingMark().test(word)];
  }

  /** Whether the mark ends a phrase in a script other than Latin, as ، । and ։ do. */
  #isOfAnotherScript(mark) {
    // a Greek semicolon, elsewhere a multiplication or a list
    if (mark === "·") return greekLetter().test(lastCharacter(this.#previous));
    return mark > "\u036f" && !("\u2000" <= mark && mark <= "\u2e7f");
  }

  #alternate(mark) {
    if (this.#open.delete(mark)) return [true, false];
    this.#open.add(mark);
    return [false, true];
  }

  /** A closing quote or a plural's apostrophe, or the beginning of a word (’Tis). */
  #curlyApostrophe() {
    if (this.#glueNext) return [true, true];
    const begins = !isAlphanumeric(lastCharacter(this.#previous)) && !this.#open.has("‘");
    // after these letters it may be a plural's
    if (!/[szx]$/.test(this.#previous)) this.#open.delete("‘");
    return [!begins, begins];
  }

  /** A closing quote, a plural's apostrophe (the princess' shawl), or an opening quote. */
  #straightSingle() {
    const mayBePlural = !this.#open.has("'") && !this.#glueNext;
    if (mayBePlural && /[szx]$/.test(this.#previous)) return [true, false];
    return this.#alternate("'");
  }
}

function endsInDigit(word) {
  return initialDigit().test(lastCharacter(word));
}
