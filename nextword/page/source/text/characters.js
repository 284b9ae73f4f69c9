/**
 * White space as Python's `str.isspace` has it, for a character class or `includes`; a tokenizer
 * has `\p{White_Space}`, which lacks the four information separators.
 */
export const WHITE_SPACE =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007" +
  "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

/** Letters and digits as Python's `str.isalnum` has them, for a character class. */
const ALPHANUMERIC = "\\p{L}\\p{N}";

/**
 * A value that is made when it is first asked for. Patterns with Unicode properties take a part of
 * a millisecond each to make, which the page's start need not wait for.
 *
 * @template T
 * @param {() => T} make
 * @returns {() => T}
 */
export function lazily(make) {
  let value;
  return () => (value ??= make());
}

const anyAlphanumeric = lazily(() => new RegExp(`[${ALPHANUMERIC}]`, "u"));
const allAlphanumeric = lazily(() => new RegExp(`^[${ALPHANUMERIC}]+$`, "u"));

/** Whether the text has a letter or digit. */
export function hasAlphanumeric(text) {
  return anyAlphanumeric().test(text);
}

/** Whether the text is letters and digits alone, at least one. */
export function isAlphanumeric(text) {
  return allAlphanumeric().test(text);
}

/** Whether the text has no character beyond ASCII; such text needs no Unicode normalisation. */
export function isAscii(text) {
  return /^[\0-\x7f]*$/.test(text);
}

/** Whether the text is one of some characters of the Basic Multilingual Plane. */
export function isOneOf(text, characters) {
  return text.length === 1 && characters.includes(text);
}

/** The text without white space at its ends. */
export function stripped(text) {
  let start = 0;
  let end = text.length;
  while (start < end && WHITE_SPACE.includes(text[start])) start++;
  while (start < end && WHITE_SPACE.includes(text[end - 1])) end--;
  return text.slice(start, end);
}

/** The first character, which may be a surrogate pair; empty where there is none. */
export function firstCharacter(text) {
  return text === "" ? "" : String.fromCodePoint(text.codePointAt(0));
}

/** The last character, which may be a surrogate pair; empty where there is none. */
export function lastCharacter(text) {
  return Array.from(text.slice(-2)).at(-1) ?? "";
}
