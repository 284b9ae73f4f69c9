// Answers a JSON list of calls from standard input with a JSON list of their results.
import { readFileSync } from "node:fs";

import { Detokenizer } from "../../nextword/page/source/text/detokenizer.js";
import { Tokenizer, readPrompt } from "../../nextword/page/source/text/tokenizer.js";
import { splitTyped } from "../../nextword/page/source/text/typed.js";
import { caseKey, foldCase, keyboardSpelling } from "../../nextword/page/source/text/typesetting.js";

/** Each function takes a tokenizer and one input. */
const functions = {
  caseKey: (_, word) => caseKey(word),
  foldCase: (_, text) => foldCase(text),
  keyboardSpelling: (_, word) => keyboardSpelling(word),
  normalize: (tokenizer, text) => tokenizer.normalize(text),
  split: (tokenizer, text) => tokenizer.split(text),
  readPrompt,
  splitTyped,
  withPrefix: (tokenizer, text) => tokenizer.matcher.withPrefix(tokenizer.normalize(text)),
  detokenize: (tokenizer, words) => detokenized(tokenizer.detokenizer(), words),
  detokenizeByRules: (_, words) => detokenized(new Detokenizer(), words),
};

/** The text of each word, and the spaces that were foretold around it. */
function detokenized(detokenizer, words) {
  return words.map((word) => {
    const { before, after } = detokenizer.spacesAround(word);
    return [detokenizer.push(word), before, after];
  });
}

const { tokenizers, calls } = JSON.parse(readFileSync(0, "utf-8"));
const prepared = tokenizers.map((data) => new Tokenizer(data));
const results = calls.map(({ name, tokenizer, inputs }) =>
  inputs.map((input) => functions[name](prepared[tokenizer], input)),
);
process.stdout.write(JSON.stringify(results));
