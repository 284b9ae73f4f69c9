import { isAscii } from "./characters.js";

/** Soft hyphens, marks of direction, separators without width: nobody sees or types them. */
const INVISIBLE = new RegExp(
  "[\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e" +
    "\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb]",
  "g",
);

/** Letters of two sounds (IJ, DZ with caron ...), of Latin, Armenian and Arabic typesetting. */
const JOINED = new RegExp(
  "[\\u0132\\u0133\\u01c4-\\u01cc\\u01f1-\\u01f3\\ufb00-\\ufb06\\ufb13-\\ufb17" +
    "\\ufb50-\\ufbb1\\ufbd3-\\ufd3d\\ufd50-\\ufdc7\\ufe70-\\ufefc]",
  "g",
);

/**
 * The text in NFC, ligatures as letters, without invisible marks; idempotent.
 *
 * Joiners and variation selectors stay: Persian, the Indic scripts and emoji are spelled with
 * them. Lone surrogates are replaced.
 */
function clean(text) {
  if (isAscii(text)) return text;
  return text
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .replace(INVISIBLE, "")
    .replace(JOINED, lettersOf)
    .normalize("NFC");
}

/** The letters of a joined form; a form that NFKC writes with a space stays as it is. */
function lettersOf(joined) {
  const letters = joined.normalize("NFKC");
  return letters.includes(" ") ? joined : letters;
}

/**
 * The text as a tokenizer splits it.
 *
 * @param {string} text any text
 * @param {boolean} lowercase whether case is folded, too; the dot of the Turkish capital İ is
 *   dropped
 */
export function normalize(text, lowercase) {
  const cleaned = clean(text);
  return lowercase ? cleaned.replaceAll("\u0130", "i").toLowerCase() : cleaned;
}
