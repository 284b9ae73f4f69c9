import { acceptance, endsInOneSpace, keystrokesSaved, restOf } from "./acceptance.js";
import { Latest } from "./latest.js";
import { ProbabilityTable, savedText, scoreText } from "./panels.js";
import { SuggestionBar } from "./suggestions.js";
import { shadesOf } from "./surprisal.js";

/** Milliseconds without a key press after which the whole text is scored. */
const PAUSE = 400;
/** Milliseconds between the times at which a continuation is written into the text. */
const WRITING = 250;

/**
 * A model that answers: behind a server, or in the page itself.
 *
 * @typedef {object} Engine
 * @property {string[]} parts of the model: `network`, `ngrams`, `cache`
 * @property {string[]} closing marks that follow a word without a space
 * @property {(text: string, k: number) => Promise<{predictions: Suggestion[], typed: string,
 *   unknown: string[], shares?: Object<string, number>}>} predict
 * @property {(text: string, isLate: () => boolean, onProgress: (done: number, total: number) =>
 *   void) => Promise<{from: number, words: {word: string, bits: number}[]}>} score the words from a
 *   place of the text on; stops early once the text is no longer the newest
 * @property {(text: string, settings: {words: number, temperature: number}, signal: AbortSignal,
 *   onPiece: (piece: string) => void) => Promise<void>} generate
 */

/** The page for writing: asks an engine as the text changes, and takes suggestions over. */
export class Writer {
  /**
   * @param {Engine} engine
   * @param {import("./editor.js").Editor} editor
   * @param {(id: string) => HTMLElement} find an element of the page by its id
   */
  constructor(engine, editor, find) {
    this.engine = engine;
    this.editor = editor;
    this.find = find;
    this.count = find("count");
    this.bar = new SuggestionBar(find("suggestions"), find("announcer"), (n) => this.take(n));
    this.table = new ProbabilityTable(find("probabilities"), engine.parts);
    this.typed = "";
    /** Where the cursor stands behind a space that a suggestion brought; -1 for nowhere. */
    this.spaceBehind = -1;
    /** Whether Tab leaves the field, as it does after Escape. */
    this.leaving = false;
    /** Whether Tab was pressed before its suggestion came. */
    this.taking = false;
    /** What taking a suggestion wrote, for undo: the text before it and the key presses saved. */
    this.taken = [];
    this.generated = 0;
    this.stop = null;
    this.answers = new Latest(
      ({ before, k }) => engine.predict(before, k),
      (input, answer) => this.show(input.before, answer),
      (error) => this.report(error),
    );
    this.scores = new Latest(
      (text, isLate) => engine.score(text, isLate, (done, total) => this.showScoring(done, total)),
      (text, scored) => this.showScore(text, scored),
      (error) => this.report(error),
    );
  }

  /** Listen to the page, and ask for the first suggestions. */
  begin() {
    const { field } = this.editor;
    field.addEventListener("beforeinput", (event) => this.beforeInput(event));
    field.addEventListener("input", (event) => this.changed(event.inputType));
    field.addEventListener("keydown", (event) => this.keyDown(event));
    field.addEventListener("blur", () => (this.leaving = false));
    // also after the cursor was moved without a change of the text
    document.addEventListener("selectionchange", () => {
      if (document.activeElement === field) this.ask();
    });
    this.count.addEventListener("change", () => this.ask(true));
    this.find("shading").addEventListener("change", () => this.scoreSoon(0));
    this.find("write-on").addEventListener("click", () => this.writeOn());
    this.ask();
    this.showSaved();
  }

  changed(inputType) {
    if (inputType === "historyUndo") this.forgetUndone();
    this.taking = false;
    this.editor.keepShades(this.scoredText ?? "");
    this.find("score").textContent = "";
    this.showSaved();
    this.ask();
    this.scoreSoon(PAUSE);
  }

  /** Ask for suggestions, unless those shown belong to the text up to the cursor. */
  ask(again = false) {
    const { before } = this.editor;
    this.bar.disable(before === null);
    if (before === null) return this.withdraw();
    if (!again && before === this.asked) return;
    this.withdraw();
    this.asked = before;
    this.answers.ask({ before, k: Number(this.count.value) });
  }

  /** The suggestions shown belong to another text: they can no longer be taken. */
  withdraw() {
    this.asked = null;
    this.current = false;
    this.editor.showRest("");
  }

  show(before, { predictions, typed, shares, unknown }) {
    if (before !== this.editor.before) return;
    this.typed = typed;
    this.current = true;
    this.bar.show(predictions);
    this.table.show(predictions, shares);
    const best = predictions[0];
    this.editor.showRest((typed && best && restOf(best.word, typed)) || "");
    this.say(noteOn(predictions, typed, unknown));
    document.body.dataset.answered = before;
    if (this.taking) this.takeFirst();
  }

  /** Take the first suggestion; one that is being looked for once it is there. */
  takeFirst() {
    this.taking = !this.current && this.editor.before !== null;
    if (!this.taking && !this.take(0)) this.say("nothing to take; Esc, then Tab leaves the text field");
  }

  /** Write a suggestion into the text, with the spaces that belong there. */
  take(number) {
    const suggestion = this.current && this.bar.shown[number];
    const { before, after } = this.editor;
    if (!suggestion || before === null) return false;
    const edit = acceptance(before, this.typed, suggestion, after);
    this.taken.push({ text: before + after, saved: keystrokesSaved(before, edit) });
    this.editor.replace(edit.start, before.length, edit.insert);
    this.spaceBehind = edit.spaced ? edit.start + edit.insert.length : -1;
    return true;
  }

  /** A mark takes the space back that a suggestion brought; a second space is not written. */
  beforeInput(event) {
    const { before } = this.editor;
    const behind = before !== null && before.length === this.spaceBehind && endsInOneSpace(before);
    this.spaceBehind = -1;
    if (!behind || event.isComposing || event.inputType !== "insertText") return;
    if (event.data === " ") {
      event.preventDefault();
    } else if (this.engine.closing.includes(event.data)) {
      event.preventDefault();
      this.editor.replace(before.length - 1, before.length, event.data);
    }
  }

  keyDown(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code);
    const plain = !event.altKey && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (event.key === "Escape") {
      this.stop?.abort();
      this.leaving = true;
      this.say("Tab now leaves the text field");
    } else if (event.key === "Tab" && plain && !this.leaving) {
      event.preventDefault();
      this.takeFirst();
    } else if (digit && event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.take(Number(digit[1]) - 1);
    } else if (event.key.length === 1) {
      this.leaving = false;
    }
  }

  scoreSoon(milliseconds) {
    clearTimeout(this.timer);
    const text = this.editor.field.value;
    if (!this.find("shading").checked || !text.trim()) {
      this.editor.shade([]);
      this.find("score").textContent = "";
      return;
    }
    this.timer = setTimeout(() => this.scores.ask(text), milliseconds);
  }

  showScore(text, { from, words }) {
    if (text !== this.editor.field.value) return;
    this.scoredText = text;
    this.editor.shade(shadesOf(text, words, from));
    this.find("score").textContent = scoreText(words);
  }

  showScoring(done, total) {
    const counted = `${done.toLocaleString("en")} of ${total.toLocaleString("en")}`;
    this.find("score").textContent = `${counted} words scored`;
  }

  /** Have the model continue the text, or stop it. */
  async writeOn() {
    if (this.stop) return this.stop.abort();
    const { field } = this.editor;
    const words = numberIn(this.find("words"));
    const temperature = numberIn(this.find("temperature"));
    this.completeWord();
    const button = this.find("write-on");
    const pieces = new Pieces((text) => this.append(text));
    this.stop = new AbortController();
    button.textContent = "Stop";
    // keys typed meanwhile would fall between its words
    field.readOnly = true;
    try {
      const settings = { words, temperature };
      await this.engine.generate(field.value, settings, this.stop.signal, (piece) => pieces.add(piece));
    } catch (error) {
      if (error.name !== "AbortError") this.report(error);
    }
    pieces.write();
    field.readOnly = false;
    this.stop = null;
    button.textContent = "Write on";
  }

  /** Complete a half-typed word at the end of the text. */
  completeWord() {
    if (!this.editor.after && this.typed && !this.bar.has(this.typed)) this.take(0);
  }

  append(text) {
    const { field } = this.editor;
    // a space that was typed is not written again
    const lead = /\s$/.test(field.value) ? text.replace(/^ /, "") : text;
    this.generated += lead.length;
    field.readOnly = false;
    this.editor.replace(field.value.length, field.value.length, lead);
    field.readOnly = true;
  }

  /** Undo took suggestions back that had been taken. */
  forgetUndone() {
    const place = this.taken.findIndex(({ text }) => text === this.editor.field.value);
    if (place >= 0) this.taken.length = place;
  }

  showSaved() {
    const { length } = this.editor.field.value;
    if (!length) [this.taken, this.generated] = [[], 0];
    const saved = this.taken.reduce((sum, { saved }) => sum + saved, 0);
    this.find("saved").textContent = savedText(saved, Math.max(0, length - this.generated));
  }

  report(error) {
    this.say(error.message);
    return error.retryAfter ?? null;
  }

  say(text) {
    this.find("status").textContent = text;
  }
}

/** A note on an answer; empty where there is nothing to say. */
function noteOn(predictions, typed, unknown) {
  if (!predictions.length && typed) return `no word that the model knows begins with “${typed}”`;
  if (!unknown.length) return "";
  return `not in the model's vocabulary: ${unknown.slice(-3).join(", ")}`;
}

/** The pieces of a continuation, written several at once: each time is a step of undo. */
class Pieces {
  /** @param {(text: string) => void} write */
  constructor(write) {
    this.onWrite = write;
    this.text = "";
    this.began = performance.now();
  }

  add(piece) {
    this.text += piece;
    if (performance.now() - this.began > WRITING) this.write();
  }

  write() {
    if (this.text) this.onWrite(this.text);
    this.text = "";
    this.began = performance.now();
  }
}

/** The number in a field, within the field's limits; its usual one where it holds none. */
function numberIn(field) {
  const typed = field.value.trim() === "" ? NaN : Number(field.value);
  const number = Number.isNaN(typed) ? Number(field.defaultValue) : typed;
  const within = Math.min(Math.max(number, Number(field.min)), Number(field.max));
  field.value = String(field.step === "" ? Math.round(within) : within);
  return Number(field.value);
}
