import { normalize } from "../text/normalize.js";
import { caseKey } from "../text/typesetting.js";

/** Surprisal in bits from which a word has each shade; the first has none. */
const SHADE_EDGES = [2, 4, 7, 10, 13];

/** Characters that may be passed over in search of a word. */
const SEARCHED = 40;
/** By how many characters a word in the text may be shorter or longer than the model spells it. */
const STRETCHES = [0, -1, 1, -2, 2, 3, 4];

/**
 * Where the words of a score stand in a text, with their shades.
 *
 * @param {string} text
 * @param {{word: string, bits: number}[]} words in the text's order, as the model spells them
 * @param {number} from where the first word is looked for
 * @returns {{ start: number, end: number, shade: number }[]} words that are not found are left out
 */
export function shadesOf(text, words, from = 0) {
  const shades = [];
  for (const { word, bits } of words) {
    const place = placeOf(text, afterSpace(text, from), word);
    if (!place) continue;
    from = place.end;
    shades.push({ ...place, shade: shadeOf(bits) });
  }
  return shades;
}

function afterSpace(text, from) {
  const space = /\s*/y;
  space.lastIndex = from;
  space.exec(text);
  return space.lastIndex;
}

/** Where a word stands, here in any typesetting, or a little later as the model spells it. */
function placeOf(text, start, word) {
  const end = endOf(text, start, word);
  if (end !== undefined) return { start, end };
  const later = text.slice(start, start + SEARCHED + word.length).indexOf(word);
  return later < 0 ? null : { start: start + later, end: start + later + word.length };
}

/** The end of a word that begins at a place, in any typesetting; undefined if another one does. */
function endOf(text, start, word) {
  if (text.startsWith(word, start)) return start + word.length;
  const key = caseKey(word);
  const keyUpTo = (end) => caseKey(normalize(text.slice(start, end), false));
  const ends = STRETCHES.map((stretch) => start + word.length + stretch);
  return ends.find((end) => end > start && keyUpTo(end) === key);
}

/** The number of a surprisal's shade, from 0. */
export function shadeOf(bits) {
  return SHADE_EDGES.filter((edge) => bits >= edge).length;
}
