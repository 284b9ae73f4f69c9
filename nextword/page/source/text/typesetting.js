import { isAscii, lazily } from "./characters.js";

/** The keys of a keyboard, and the characters that each stands for. */
const KEYBOARD = [
  ["'", "’‘ʼʻ‛´`′׳՚᾽"],
  ['"', "“”„‟«»″״"],
  ["-", "‐‑‒–—―−־"],
  ["oe", "œ"],
  ["Oe", "Œ"],
  ["ae", "æ"],
  ["Ae", "Æ"],
  ["ی", "يى"], // the Arabic and the Persian key for one letter
  ["ک", "ك"],
  ["", "\u200c\u200d\u0640"], // joiners, and the stroke that stretches a word
];

const keyOf = lazily(
  () => new Map(KEYBOARD.flatMap(([key, typeset]) => [...typeset].map((mark) => [mark, key]))),
);
const typesetMark = lazily(() => new RegExp(`[${[...keyOf().keys()].join("")}]`, "g"));

/**
 * A whole line; JavaScript's own `^` and `$` stand at other line ends, too. Built lazily, since a
 * browser that does not know look-behinds would not even run the script that says so.
 */
const dashesOrDots = lazily(() => new RegExp("(?<![^\\n])[-.]{2,}(?![^\\n])", "g"));

/** Vowel points of Hebrew and Arabic, which few people type, and the dot of a folded İ. */
const POINTS = /[\u0307\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u0652\u0670]/g;

/**
 * One of this module's spellings for each of many words: of all in one text, which is far faster.
 *
 * @param {(word: string) => string} spelling
 * @param {string[]} words
 */
export function eachSpelled(spelling, words) {
  const lines = spelling(words.join("\n")).split("\n");
  return lines.length === words.length ? lines : words.map(spelling); // a word has a line end
}

/** The word with the quotes, dashes, digits and letter forms that a keyboard has. */
export function keyboardSpelling(word) {
  const typed = isAscii(word) ? word.replaceAll("`", "'") : withKeys(word);
  // a dash or an ellipsis of any length
  return typed.replace(dashesOrDots(), (run) => (run[0] === "-" ? "-" : "..."));
}

function withKeys(word) {
  return word
    .replace(typesetMark(), (mark) => keyOf().get(mark))
    .normalize("NFKC")
    .replace(/(?![0-9])\p{Nd}/gu, decimalDigit);
}

/** The ASCII digit of the same value. Unicode has each script's ten digits in a row. */
function decimalDigit(digit) {
  const code = digit.codePointAt(0);
  let value = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return String(value % 10);
}

/**
 * A key that words share if they differ only in typesetting, case and vowel points.
 *
 * Turkish and Greek case are folded, too.
 */
export function caseKey(word) {
  return caseKeyOfSpelling(keyboardSpelling(word));
}

/** The case key of a word in keyboard spelling. */
export function caseKeyOfSpelling(spelling) {
  if (isAscii(spelling)) return spelling.toLowerCase();
  return foldCase(spelling).replace(POINTS, "").replaceAll("ı", "i");
}

/**
 * Unicode's full case folding. JavaScript has no function for it, but the letters that fold
 * together are those with the same capitals, and the first step gives ẞ and İ theirs.
 */
export function foldCase(text) {
  const folded = (part) => part.toLowerCase().toUpperCase().toLowerCase().replaceAll("ς", "σ");
  return text
    .split("ı") // its capital is that of i
    .map(folded)
    .join("ı")
    .replace(/[\u13f8-\u13fd\uab70-\uabbf]/g, (cherokee) => cherokee.toUpperCase());
}
