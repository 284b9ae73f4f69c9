import { isOneOf, lazily } from "./characters.js";
import { Detokenizer } from "./detokenizer.js";
import { GRAPHEME_CLUSTER } from "./graphemes.js";
import { WordMatcher } from "./matching.js";
import { normalize } from "./normalize.js";
import { dividedText } from "./paragraphs.js";
import { UNSPACED_LETTERS } from "./scripts.js";
import { Spacing } from "./spacing.js";
import { END_ID, END_WORD, UNKNOWN_ID } from "./vocabulary.js";

const ATTACHED_MARKS = "[\\p{M}\\u200c\\u200d]*";
const SPACED_CHARACTER = `(?:(?![${UNSPACED_LETTERS}])[\\p{L}\\p{N}])`;
const SPACED_LETTER = `(?:(?![${UNSPACED_LETTERS}])\\p{L})`;

const WORD_PARTS = [
  `${SPACED_CHARACTER}${ATTACHED_MARKS}`,
  `['’·](?=${SPACED_CHARACTER})`, // don't, d'Artagnan
  `[-‐‑־](?=${SPACED_LETTER})`, // absent-minded, 22-year-old, and the Hebrew maqaf
  // acronyms and sounds that Hebrew has no letter for
  '(?<=\\p{Script=Hebrew})["״׳](?=\\p{Script=Hebrew})',
  "(?<=\\p{Script=Armenian})[՛՜՞](?=\\p{Script=Armenian})", // stand after a vowel
  "(?<=[\\p{L}\\p{M}])[-‐‑](?=\\p{N})", // mid-1805, but not 1805-1812
  "(?<=\\p{Nd})[.,:٫٬](?=\\p{Nd})", // 1,000 3.14 12:30 ٣٫١٤
];

/** The pattern of a token, by the kind of the tokenizer. */
const tokenPatterns = {
  words: lazily(() => {
    const alternatives = [
      `[${UNSPACED_LETTERS}]${ATTACHED_MARKS}`, // a Han, kana or Thai character is a token
      `${SPACED_CHARACTER}${ATTACHED_MARKS}(?:${WORD_PARTS.join("|")})*`,
      "\\.{2,}|-{2,}|‐{2,}|–{2,}|—{2,}|―{2,}|…+",
      `(?!\\p{White_Space})${GRAPHEME_CLUSTER}`, // punctuation, symbols, emoji
    ];
    return new RegExp(alternatives.join("|"), "gu");
  }),
  whitespace: lazily(() => /\P{White_Space}+/gu),
};

/** Tokens after which a quotation mark opens a quotation. */
const BEFORE_OPENING = "([{<“‘„‚«‹\"'—–-";

/** Splits text into words; a word's id is its index in the vocabulary. */
export class Tokenizer {
  #matcher;
  #spacing;

  /**
   * @param {object} data
   * @param {string[]} data.words the vocabulary in id order, the two special words first
   * @param {"words" | "whitespace"} data.kind how text is split
   * @param {boolean} data.lowercase whether case is folded before
   * @param {import("./spacing.js").SpacingData | null} [data.spacing] where the vocabulary's text
   *   has no space between words; null if not learned
   */
  constructor({ words, kind, lowercase, spacing = null }) {
    this.words = words;
    this.kind = kind;
    this.lowercase = lowercase;
    /** The id of every word. */
    this.index = new Map(words.map((word, id) => [word, id]));
    this.#matcher = lazily(() => new WordMatcher(words, this.index));
    this.#spacing = lazily(() => spacing && new Spacing(spacing, words));
  }

  /** Finds words as people type them. */
  get matcher() {
    return this.#matcher();
  }

  /** The text as it is split. */
  normalize(text) {
    return normalize(text, this.lowercase);
  }

  /** The words of the text, known or not, normalised. */
  split(text) {
    return this.normalize(text).match(tokenPatterns[this.kind]()) ?? [];
  }

  /** A new detokenizer, at the beginning of a text. */
  detokenizer() {
    return new Detokenizer(this.kind, this.#spacing(), this.index);
  }
}

/**
 * A typed string as token ids.
 *
 * @typedef {object} Prompt
 * @property {number[]} ids
 * @property {string[]} words the spelling of every token, known or not, ends included
 * @property {boolean[]} spaced whether a space follows each
 * @property {string[]} unknown the distinct words that the vocabulary lacks in any typesetting;
 *   each is read as one that differs in case, or else as unknown
 */

/**
 * Reads a typed string: paragraphs between blank lines, or lines of tokenized text. The last has an
 * end only where a blank line (or a line end) shows that it is complete.
 *
 * @param {Tokenizer} tokenizer
 * @param {string} text
 * @returns {Prompt}
 */
export function readPrompt(tokenizer, text) {
  const { paragraphs, complete } = dividedText(text, tokenizer.kind);
  const prompt = { ids: [], words: [], spaced: [] };
  const unknown = new Set();
  for (const paragraph of paragraphs) {
    const { words, spaced } = typedWords(tokenizer, paragraph);
    matchedWords(tokenizer, words, spaced).forEach(({ typed, id, exact }, place) => {
      prompt.ids.push(id);
      prompt.words.push(id === UNKNOWN_ID ? typed : tokenizer.words[id]);
      prompt.spaced.push(spaced[place]);
      if (!exact) unknown.add(typed);
    });
    prompt.ids.push(END_ID);
    prompt.words.push(END_WORD);
    prompt.spaced.push(false);
  }
  if (!complete) Object.values(prompt).forEach((tokens) => tokens.pop());
  return { ...prompt, unknown: [...unknown] };
}

/** The words of a typed paragraph, and whether a space follows each. */
function typedWords(tokenizer, paragraph) {
  const normal = tokenizer.normalize(paragraph);
  const words = tokenizer.split(normal);
  if (tokenizer.kind === "words" && !words.every((word) => tokenizer.index.has(word))) {
    const rejoined = tokenizer.normalize(tokenizer.matcher.rejoined(normal));
    if (rejoined !== normal) return withSpaces(rejoined, tokenizer.split(rejoined));
  }
  return withSpaces(normal, words);
}

/** The words of a normalised text, and whether a space follows each. */
function withSpaces(normal, words) {
  let end = 0;
  const spaced = words.map((word) => {
    end = normal.indexOf(word, end) + word.length;
    // a few Arabic marks form a cluster with the space behind them
    return isSpace(normal[end]) || isSpace(normal[end - 1]);
  });
  return { words, spaced };
}

/** Whether a tokenizer takes the character for white space. */
function isSpace(character) {
  return character !== undefined && /\p{White_Space}/u.test(character);
}

function matchedWords(tokenizer, words, spaced) {
  return words.map((word, place) => {
    const id = tokenizer.index.get(word);
    if (id !== undefined) return { typed: word, id, exact: true };
    const opens = place === 0 || spaced[place - 1] || isOneOf(words[place - 1], BEFORE_OPENING);
    return tokenizer.matcher.match(word, opens);
  });
}
