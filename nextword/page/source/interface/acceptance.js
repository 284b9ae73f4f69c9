import { keyboardSpelling } from "../text/typesetting.js";

/**
 * @typedef {{word: string, probability: number, space: boolean, space_after: boolean,
 *   parts?: Object<string, number>}} Suggestion
 *   `space` and `space_after`: whether a space stands before and after the word
 * @typedef {{start: number, insert: string, spaced: boolean}} Edit
 *   what is written from `start` to the cursor, and whether it ends in a space of its own
 */

/**
 * The edit that takes a suggestion.
 *
 * @param {string} before the text up to the cursor
 * @param {string} typed the letters at its end that the suggestion completes
 * @param {Suggestion} suggestion
 * @param {string} after the text behind the cursor
 * @returns {Edit}
 */
export function acceptance(before, typed, suggestion, after = "") {
  const { word } = suggestion;
  const spaced = suggestion.space_after && !/^\s/.test(after);
  const tail = spaced ? " " : "";
  if (typed) {
    // only what is missing is written, unless the word's letters differ from those typed
    const rest = restOf(word, typed);
    if (rest !== null) return { start: before.length, insert: rest + tail, spaced };
    return { start: before.length - typed.length, insert: word + tail, spaced };
  }
  if (suggestion.space) {
    const lead = before && !/\s$/.test(before) ? " " : "";
    return { start: before.length, insert: lead + word + tail, spaced };
  }
  const start = before.length - (endsInOneSpace(before) ? 1 : 0);
  return { start, insert: word + tail, spaced };
}

/** The letters of a word after those typed; null where they differ in more than typesetting. */
export function restOf(word, typed) {
  const begins = word.slice(0, typed.length);
  // a writer's own apostrophes stay
  const alike = begins === typed || keyboardSpelling(begins) === keyboardSpelling(typed);
  return alike ? word.slice(typed.length) : null;
}

/** Whether a text ends in a single space behind something, as one that was added would. */
export function endsInOneSpace(text) {
  return /\S $/.test(text);
}

/** Key presses that taking a suggestion spared: its letters, but for the one press. */
export function keystrokesSaved(before, edit) {
  const removed = before.length - edit.start;
  return Math.max(0, edit.insert.length - removed - 1);
}
