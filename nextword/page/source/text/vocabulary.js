/** Id 0: stands for every word outside the vocabulary. */
export const UNKNOWN_ID = 0;

/** Id 1: the end of a paragraph (`words`) or of a line (`whitespace`). */
export const END_ID = 1;

/** How the vocabulary spells the end. */
export const END_WORD = "<eos>";

/** The ids before the first word that somebody may write: those two. */
export const FIRST_WORD_ID = 2;
