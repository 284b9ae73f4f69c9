import { lazily } from "./characters.js";
import { caseKey, caseKeyOfSpelling, eachSpelled, keyboardSpelling } from "./typesetting.js";
import { FIRST_WORD_ID, UNKNOWN_ID } from "./vocabulary.js";

/** A letter or numeral, other than a decimal digit. */
const WORD_LETTER = "[\\p{L}\\p{Nl}\\p{No}]";

/** A word with an apostrophe, or with two in a Hebrew acronym, as some keyboards have them. */
const partedWord = lazily(
  () =>
    new RegExp(
      // only at the beginning of a word, so that time stays linear
      `(?<!${WORD_LETTER})${WORD_LETTER}+(?:['’‘‛´\`′＇]${WORD_LETTER}+)+` +
        "|(?<![\\u05d0-\\u05ea])[\\u05d0-\\u05ea]+(?:''|[“”„‟″])[\\u05d0-\\u05ea]+",
      "gu",
    ),
);

/** Marks that open a quotation, by the key that types them. */
const OPENING_MARKS = new Map([
  ['"', "„«“"],
  ["'", "‚‹‘"],
]);

/** Marks that close a quotation, by the mark that opens it. */
const CLOSING_MARKS = new Map([
  ["„", "“”"],
  ["«", "»"],
  ["“", "”"],
  ["‚", "‘’"],
  ["‹", "›"],
  ["‘", "’"],
]);

/**
 * A typed word and the vocabulary's word that it is read as.
 *
 * @typedef {object} Match
 * @property {string} typed
 * @property {number} id the unknown word's if none matches
 * @property {boolean} exact whether the two differ in typesetting at most
 */

/** Finds typed words in a vocabulary, whatever their quotes, dashes, letter forms and case. */
export class WordMatcher {
  #spellings;
  #folded;
  #byKeyboard;
  #byCase;
  #spellingsByLetter;
  #foldedByLetter;

  /**
   * @param {string[]} words the vocabulary by ids
   * @param {Map<string, number>} index the id of each word
   */
  constructor(words, index) {
    this.words = words;
    this.index = index;
    // in keyboard spelling, and by case keys, without the special words; each when first needed
    this.#spellings = lazily(() => eachSpelled(keyboardSpelling, words.slice(FIRST_WORD_ID)));
    this.#folded = lazily(() => eachSpelled(caseKeyOfSpelling, this.#spellings()));
    this.#byKeyboard = lazily(() => firstOfEach(this.#spellings()));
    this.#byCase = lazily(() => firstOfEach(this.#folded()));
    this.#spellingsByLetter = lazily(() => new SpellingsByLetter(this.#spellings()));
    this.#foldedByLetter = lazily(() => new SpellingsByLetter(this.#folded()));
  }

  /**
   * The vocabulary's word behind a typed one.
   *
   * @param {string} typed as the tokenizer spells it
   * @param {boolean} opens whether a quotation mark in its place would open a quotation
   * @returns {Match}
   */
  match(typed, opens) {
    const id = this.index.get(typed) ?? this.#typeset(typed, opens);
    if (id !== undefined) return { typed, id, exact: true };
    return { typed, id: this.#byCase().get(caseKey(typed)) ?? UNKNOWN_ID, exact: false };
  }

  /** A typed text, in which ``don´t`` and ``don`t`` are spelled so as to be one word. */
  rejoined(text) {
    return text.replace(partedWord(), (typed) => {
      // a straight mark, which the tokenizer leaves whole
      const word = keyboardSpelling(typed.replaceAll("''", '"'));
      return this.#typeset(word, false) === undefined ? typed : word;
    });
  }

  /**
   * The ids of the words with this prefix in any typesetting; if none has it, in any case.
   *
   * @param {string} prefix as the tokenizer spells it
   * @returns {number[]} in increasing order, without special words
   */
  withPrefix(prefix) {
    const found = this.#spellingsByLetter().withPrefix(keyboardSpelling(prefix));
    return found.length > 0 ? found : this.#foldedByLetter().withPrefix(caseKey(prefix));
  }

  /** Whether a word of the vocabulary begins with these letters, or is just these. */
  beginsWord(typed) {
    return this.withPrefix(typed).length > 0;
  }

  /** The id of the word in other typesetting. */
  #typeset(word, opens) {
    const key = keyboardSpelling(word);
    const mark = OPENING_MARKS.has(key) ? this.#quotationMark(key, opens) : undefined;
    return mark ?? this.#byKeyboard().get(key);
  }

  /** The id of the text's own quotation mark; the commonest where it has several. */
  #quotationMark(key, opens) {
    let opening = this.#commonest(OPENING_MARKS.get(key));
    if (opening === "“" && this.#rank("„") < this.#rank("”")) {
      opening = "„"; // German closes a quotation with the mark that opens one in English
    }
    const mark = opens ? opening : this.#commonest(CLOSING_MARKS.get(opening) ?? "");
    return this.index.get(mark);
  }

  /** The mark with the smallest id; an empty string where the vocabulary has none of them. */
  #commonest(marks) {
    const known = [...marks].filter((mark) => this.index.has(mark));
    return known.sort((one, other) => this.#rank(one) - this.#rank(other))[0] ?? "";
  }

  #rank(mark) {
    return this.index.get(mark) ?? this.words.length;
  }
}

/** The first id, that of the commonest word, of each spelling. */
function firstOfEach(spellings) {
  const ids = new Map();
  for (let place = spellings.length - 1; place >= 0; place--) {
    ids.set(spellings[place], place + FIRST_WORD_ID);
  }
  return ids;
}

/** The vocabulary's spellings by their first letter, so that a prefix is looked for among few. */
class SpellingsByLetter {
  #spellings;
  #places = new Map();

  constructor(spellings) {
    this.#spellings = spellings;
    spellings.forEach((spelling, place) => {
      const letter = spelling.slice(0, 1);
      const places = this.#places.get(letter);
      if (places) places.push(place);
      else this.#places.set(letter, [place]);
    });
  }

  /** The ids of the spellings with this prefix, in increasing order. */
  withPrefix(prefix) {
    const places = prefix === "" ? this.#spellings.keys() : this.#places.get(prefix[0]);
    return Array.from(places ?? [])
      .filter((place) => this.#spellings[place].startsWith(prefix))
      .map((place) => place + FIRST_WORD_ID);
  }
}
