import { WHITE_SPACE, lazily, stripped } from "./characters.js";

const blankLines = lazily(
  () => new RegExp(`\\n[${WHITE_SPACE.replace("\n", "")}]*\\n[${WHITE_SPACE}]*`),
);
const whiteSpaces = lazily(() => new RegExp(`[${WHITE_SPACE}]+`));

/** Marks around a line that other programs write, in tokenized text. */
const writtenEnd = lazily(
  () =>
    new RegExp(
      `(?<![^${WHITE_SPACE}])(?:<eos>|</?s>|<bos>|<\\|endoftext\\|>)(?![^${WHITE_SPACE}])`,
      "iu",
    ),
);

/**
 * The paragraphs of a string, or the lines of tokenized text.
 *
 * @param {string} text as it was typed
 * @param {"words" | "whitespace"} kind the tokenizer's
 * @returns {{ paragraphs: string[], complete: boolean }} `complete`: whether the last one is
 */
export function dividedText(text, kind) {
  const plain = text.replace(/\r\n?/g, "\n");
  return kind === "whitespace" ? dividedIntoLines(plain) : dividedAtBlankLines(plain);
}

function dividedAtBlankLines(text) {
  const pieces = text.split(blankLines());
  const joined = pieces.map((piece) => stripped(piece).split("\n").map(stripped).join(" "));
  const paragraphs = joined.filter((paragraph) => paragraph !== "");
  return { paragraphs, complete: paragraphs.length > 0 && joined.at(-1) === "" };
}

function dividedIntoLines(text) {
  if (stripped(text) === "") return { paragraphs: [], complete: false };
  const lines = text.split("\n");
  const last = lines.at(-1);
  const ended = lines.length > 1 && stripped(last) === "";
  if (ended) lines.pop();
  // an end that is written out ends a line too
  return { paragraphs: lines.flatMap(splitAtEnds), complete: ended || hasWrittenEnd(last) };
}

/**
 * A line of tokenized text cut at each literal `<eos>`, `</s>` or the like. A mark at the line's
 * beginning or end, or twice in a row, is the line's own and counts once.
 */
function splitAtEnds(line) {
  if (!line.includes("<")) return [line];
  const parts = line.split(writtenEnd());
  if (parts.length === 1) return parts;
  const written = parts.map(stripped).filter((part) => part !== "");
  return written.length > 0 ? written : [""];
}

/** Whether a line ends in such a mark, behind something else. */
function hasWrittenEnd(line) {
  const words = stripped(line).split(whiteSpaces());
  return words.length > 1 && writtenEnd().test(words.at(-1));
}
