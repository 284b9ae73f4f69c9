/**
 * A pattern of a grapheme cluster that begins with punctuation, a symbol or an emoji: Unicode's
 * rules (UAX 29) for extended clusters, without those for conjuncts of Indic letters. It stands in
 * for `Intl.Segmenter`, whose rules changed between browsers, and which some still lack.
 */

const PREPENDED =
  "[\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u0d4e\\u{110bd}\\u{110cd}" +
  "\\u{111c2}\\u{111c3}\\u{1193f}\\u{11941}\\u{11a3a}\\u{11a84}-\\u{11a89}\\u{11d46}]";
const EXTENDING = "[\\p{Grapheme_Extend}\\p{Emoji_Modifier}]";
const UNJOINED_SPACING_MARK =
  "[\\u102b\\u102c\\u1038\\u1062-\\u1064\\u1067-\\u106d\\u1083\\u1087-\\u108c\\u108f" +
  "\\u109a-\\u109c\\u1a61\\u1a63\\u1a64\\uaa7b\\uaa7d\\u{11720}\\u{11721}]";
const SPACING_MARK = `(?:[\\u0e33\\u0eb3]|(?!${UNJOINED_SPACING_MARK})\\p{Mc})`;
const BREAKING = `(?:(?!${EXTENDING}|${PREPENDED}|\\u200d)[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}])`;
const FLAG_EMOJI = "\\p{Regional_Indicator}{2}";
const PICTOGRAPH = "\\p{Extended_Pictographic}";
const LEADING_JAMO = "[\\u1100-\\u115f\\ua960-\\ua97c]";
const VOWEL_JAMO = "[\\u1160-\\u11a7\\ud7b0-\\ud7c6]";
const TRAILING_JAMO = "[\\u11a8-\\u11ff\\ud7cb-\\ud7fb]";
const SYLLABLE = "[\\uac00-\\ud7a3]";

/** Characters that continue a cluster. Letters are among them only after a prepended mark. */
const CONTINUATION = [
  `${EXTENDING}|\\u200d|${SPACING_MARK}`,
  `(?<=${PREPENDED})(?:${FLAG_EMOJI}|(?!${BREAKING})[^])`,
  `(?<=${PICTOGRAPH}${EXTENDING}*\\u200d)${PICTOGRAPH}`,
  `(?<=${LEADING_JAMO})(?:${LEADING_JAMO}|${VOWEL_JAMO}|${SYLLABLE})`,
  `(?<=${VOWEL_JAMO}|${SYLLABLE})(?:${VOWEL_JAMO}|${TRAILING_JAMO})`,
  `(?<=${TRAILING_JAMO})${TRAILING_JAMO}`,
].join("|");

export const GRAPHEME_CLUSTER = `(?:${BREAKING}|(?:${FLAG_EMOJI}|[^])(?:${CONTINUATION})*)`;
