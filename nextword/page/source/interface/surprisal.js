/** Surprisal in bits from which a word has each shade; the first has none. */
const SHADE_EDGES = [2, 4, 7, 10, 13];

/** Characters that may be passed over in search of a word, as words are spelled differently. */
const SEARCHED = 40;

/**
 * Where the words of a score stand in a text, with their shades.
 *
 * @param {string} text
 * @param {{word: string, bits: number}[]} words in the text's order, as the model spells them
 * @returns {{start: number, end: number, shade: number}[]} words that are not found are left out
 */
export function shadesOf(text, words) {
  const shades = [];
  let from = 0;
  for (const { word, bits } of words) {
    const found = text.slice(from, from + SEARCHED + word.length).indexOf(word);
    if (found < 0) continue;
    const start = from + found;
    from = start + word.length;
    shades.push({ start, end: from, shade: shadeOf(bits) });
  }
  return shades;
}

/** The number of a surprisal's shade, from 0. */
function shadeOf(bits) {
  return SHADE_EDGES.filter((edge) => bits >= edge).length;
}
