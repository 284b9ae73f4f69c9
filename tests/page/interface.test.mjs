// The parts of the page's interface that need no browser.
import assert from "node:assert/strict";
import { test } from "node:test";

import { acceptance, keystrokesSaved } from "../../nextword/page/source/interface/acceptance.js";
import { Latest } from "../../nextword/page/source/interface/latest.js";
import { savedText, scoreText } from "../../nextword/page/source/interface/panels.js";
import { percentText } from "../../nextword/page/source/interface/suggestions.js";
import { shadesOf } from "../../nextword/page/source/interface/surprisal.js";

const word = (word, space = true, space_after = true) => ({ word, space, space_after });

function taken(before, typed, suggestion, after = "") {
  const { start, insert } = acceptance(before, typed, suggestion, after);
  return before.slice(0, start) + insert + after;
}

test("a word brings the spaces that belong around it", () => {
  assert.equal(taken("of ", "", word("France")), "of France ");
  assert.equal(taken("of", "", word("France")), "of France ");
  assert.equal(taken("", "", word("The")), "The ");
  assert.equal(taken("of\n\n", "", word("The")), "of\n\nThe ");
  assert.equal(taken("said ", "", word("(", true, false)), "said (");
  assert.equal(taken("of ", "", word("France"), " and"), "of France and");
});

test("a mark takes back the one space before it", () => {
  assert.equal(taken("France ", "", word(",", false)), "France, ");
  assert.equal(taken("France", "", word(",", false)), "France, ");
  assert.equal(taken("France  ", "", word(",", false)), "France  , ");
  assert.equal(taken("France\n", "", word(",", false)), "France\n, ");
  assert.equal(taken(" ", "", word(",", false)), " , ");
});

test("typed letters are completed, and replaced only where they differ", () => {
  assert.deepEqual(acceptance("of Fr", "Fr", word("France")), {
    start: 5,
    insert: "ance ",
    spaced: true,
  });
  assert.equal(taken("of fr", "fr", word("France")), "of France ");
  assert.equal(taken("don'", "don'", word("don’t")), "don't ");
  assert.equal(taken("don’t", "don’t", word("don't")), "don’t ");
  assert.equal(taken("of France", "France", word("France")), "of France ");
});

test("key presses saved are the letters written but one", () => {
  const saved = (before, typed, suggestion) =>
    keystrokesSaved(before, acceptance(before, typed, suggestion));
  assert.equal(saved("of Fr", "Fr", word("France")), 4);
  assert.equal(saved("of fr", "fr", word("France")), 4);
  assert.equal(saved("I ", "", word("a")), 1);
  assert.equal(saved("on ", "", word(",", false, false)), 0);
});

/** Work that is done when the test says so. */
function controlled() {
  const pending = [];
  const started = [];
  const work = (input) => {
    started.push(input);
    return new Promise((resolve, reject) => pending.push({ resolve, reject }));
  };
  return { pending, started, work };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("one piece of work at a time, always for the newest input", async () => {
  const { pending, started, work } = controlled();
  const delivered = [];
  const latest = new Latest(work, (input, output) => delivered.push([input, output]), assert.fail);
  for (const input of ["a", "ab", "abc"]) latest.ask(input);
  assert.deepEqual(started, ["a"]);
  pending[0].resolve(1);
  await settled();
  assert.deepEqual(started, ["a", "abc"]);
  assert.deepEqual(delivered, [], "the answer to 'a' came late");
  pending[1].resolve(2);
  await settled();
  assert.deepEqual(delivered, [["abc", 2]]);
});

test("an input after an error is worked on, and a passing error is tried again", async () => {
  const { pending, started, work } = controlled();
  const delivered = [];
  const waits = [null, 0];
  const latest = new Latest(work, (input) => delivered.push(input), () => waits.shift());
  latest.ask("a");
  pending[0].reject(new Error("final"));
  await settled();
  assert.deepEqual(started, ["a"]);
  latest.ask("b");
  pending[1].reject(new Error("passing"));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual(started, ["a", "b", "b"]);
  pending[2].resolve();
  await settled();
  assert.deepEqual(delivered, ["b"]);
});

test("words are shaded where they stand", () => {
  const words = [
    { word: "He", bits: 1 },
    { word: "don’t", bits: 5 },
    { word: "say", bits: 20 },
    { word: "<eos>", bits: 3 },
    { word: "He", bits: 2 },
  ];
  assert.deepEqual(shadesOf("He don't say\n\nHe", words), [
    { start: 0, end: 2, shade: 0 },
    { start: 3, end: 8, shade: 2 },
    { start: 9, end: 12, shade: 5 },
    { start: 14, end: 16, shade: 1 },
  ]);
});

test("words in other typesetting are shaded, and those after an unknown spelling", () => {
  const words = ["été", "‘", "five", "Grand", "Moscow"].map((word) => ({ word, bits: 5 }));
  const text = "e\u0301te\u0301 ' \ufb01ve ??? gr\u00adand Moscow";
  const found = shadesOf(text, words).map(({ start, end }) => text.slice(start, end));
  assert.deepEqual(found, ["e\u0301te\u0301", "'", "\ufb01ve", "Moscow"]);
});

test("figures are short", () => {
  assert.equal(percentText(0.67812), "67.8 %");
  assert.equal(percentText(0.0696), "6.96 %");
  assert.equal(percentText(0.000312), "0.03 %");
  assert.equal(percentText(1e-9), "<0.01 %");
  assert.equal(savedText(41, 120), "41 of 120 characters (34\u00a0%)");
  assert.equal(savedText(0, 0), "0");
  assert.equal(scoreText([{ bits: 2 }, { bits: 4 }]), "2 words, 3.0 bits each: perplexity 8.00");
});
