import { WHITE_SPACE, hasAlphanumeric, isAlphanumeric } from "./characters.js";

/** Characters at a text's end that may belong to a half-typed word. */
const LONGEST_RUN = 64;

/**
 * A typed text, divided before the word that is being typed at its end.
 *
 * These are the most letters, from the beginning of a word on, with which a word of the vocabulary
 * begins; if there are none, the letters and digits at the end.
 *
 * @param {import("./tokenizer.js").Tokenizer} tokenizer
 * @param {string} text
 * @returns {{ before: string, letters: string }} `letters` is empty behind white space
 */
export function splitTyped(tokenizer, text) {
  const run = trailingRun(text);
  const letters =
    suffixesFromWords(run).find((suffix) =>
      tokenizer.matcher.beginsWord(tokenizer.normalize(suffix)),
    ) ?? alphanumericEnd(run);
  return { before: text.slice(0, text.length - letters.length), letters };
}

/** The last characters of a text up to white space. */
function trailingRun(text) {
  const characters = Array.from(text.slice(-2 * LONGEST_RUN)).slice(-LONGEST_RUN);
  const space = characters.findLastIndex((character) => WHITE_SPACE.includes(character));
  return characters.slice(space + 1);
}

/** Suffixes of a run that begin where letters or digits do, the longest first. */
function suffixesFromWords(run) {
  return run
    .map((character, place) => {
      const begins = hasAlphanumeric(character) && !hasAlphanumeric(run[place - 1] ?? "");
      return begins ? run.slice(place).join("") : "";
    })
    .filter((suffix) => suffix !== "");
}

function alphanumericEnd(run) {
  const other = run.findLastIndex((character) => !isAlphanumeric(character));
  return run.slice(other + 1).join("");
}
