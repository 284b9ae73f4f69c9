import { lazily } from "./characters.js";

/** Letters of scripts that put no spaces between words, for a character class: a token each. */
export const UNSPACED_LETTERS =
  "\\u0e00-\\u0fff" + // Thai, Lao, Tibetan
  "\\u1000-\\u109f" + // Myanmar
  "\\u1780-\\u17ff" + // Khmer
  "\\u1980-\\u19ff" + // New Tai Lue, Khmer symbols
  "\\u1a20-\\u1aaf" + // Tai Tham
  "\\u2e80-\\u2fdf" + // radicals
  "\\u3005-\\u3007" + // ideographic iteration mark, closing mark, zero
  "\\u3021-\\u3035" + // Hangzhou numerals, kana repeat marks
  "\\u3038-\\u303c" +
  "\\u3040-\\u312f" + // Hiragana, Katakana, Bopomofo
  "\\u31a0-\\u31ff" + // Bopomofo and Katakana extensions
  "\\u3400-\\u4dbf" + // Han extension A
  "\\u4e00-\\u9fff" + // Han
  "\\ua9e0-\\ua9ff" + // Myanmar extensions
  "\\uaa60-\\uaa7f" +
  "\\uf900-\\ufaff" + // Han compatibility forms
  "\\uff66-\\uff9f" + // half-width Katakana
  "\\u{1aff0}-\\u{1b16f}" + // Kana extensions
  "\\u{20000}-\\u{3fffd}"; // Han extensions B and later

const WIDE_PUNCTUATION =
  "\\u3001-\\u3004\\u3008-\\u3020\\u3036\\u3037\\u303d-\\u303f" +
  "\\ufe30-\\ufe4f\\uff01-\\uff0f\\uff1a-\\uff20\\uff3b-\\uff40\\uff5b-\\uff65";

const unspacedLetter = lazily(() => new RegExp(`^[${UNSPACED_LETTERS}]`, "u"));
const widePunctuation = lazily(() => new RegExp(`^[${WIDE_PUNCTUATION}]`, "u"));

/** Whether the character is wide punctuation, which includes its space. */
export function isWidePunctuation(character) {
  return widePunctuation().test(character);
}

/** Whether the character is a letter or wide punctuation of a script without spaces. */
export function isUnspaced(character) {
  return unspacedLetter().test(character) || isWidePunctuation(character);
}
