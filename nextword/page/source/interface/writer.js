import { acceptance, endsInOneSpace, keystrokesSaved, restOf } from "./acceptance.js";
import { Latest } from "./latest.js";
import { ProbabilityTable, savedText, scoreText } from "./panels.js";
import { SuggestionBar } from "./suggestions.js";
import { shadesOf } from "./surprisal.js";

/** Milliseconds without a key press after which the whole text is scored. */
const PAUSE = 400;

/**
 * A model that answers: behind a server, or in the page itself.
 *
 * @typedef {object} Engine
 * @property {string[]} parts of the model: `network`, `ngrams`, `cache`
 * @property {string[]} closing marks that follow a word without a space
 * @property {(text: string, k: number) => Promise<{predictions: Suggestion[], typed: string,
 *   unknown: string[], shares?: Object<string, number>}>} predict
 * @property {(text: string) => Promise<{word: string, bits: number}[]>} score
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
    this.saved = 0;
    /** Where the cursor stands behind a space that a suggestion brought; -1 for nowhere. */
    this.spaceBehind = -1;
    /** Whether Tab leaves the field, as it does after Escape. */
    this.leaving = false;
    this.composing = false;
    this.stop = null;
    this.answers = new Latest(
      ({ before, k }) => engine.predict(before, k),
      (input, answer) => this.show(input.before, answer),
      (error) => this.report(error),
    );
    this.scores = new Latest(
      (text) => engine.score(text),
      (text, words) => this.showScore(text, words),
      (error) => this.report(error),
    );
  }

  /** Listen to the page, and ask for the first suggestions. */
  begin() {
    const { field } = this.editor;
    field.addEventListener("compositionstart", () => this.compose(true));
    field.addEventListener("compositionend", () => this.compose(false));
    field.addEventListener("beforeinput", (event) => this.beforeInput(event));
    field.addEventListener("input", () => this.changed());
    field.addEventListener("keydown", (event) => this.keyDown(event));
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

  compose(composing) {
    this.composing = composing;
    if (!composing) this.changed();
  }

  changed() {
    this.editor.shade([]);
    this.showSaved();
    this.ask();
    this.scoreSoon(PAUSE);
  }

  /** Ask for suggestions, unless those shown belong to the text up to the cursor. */
  ask(again = false) {
    const { before } = this.editor;
    if (this.composing || before === null) return this.withdraw();
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
  }

  /** Write a suggestion into the text, with the spaces that belong there. */
  take(number) {
    const suggestion = this.current && this.bar.shown[number];
    const { before, after } = this.editor;
    if (!suggestion || before === null) return false;
    const edit = acceptance(before, this.typed, suggestion, after);
    this.saved += keystrokesSaved(before, edit);
    this.editor.replace(edit.start, before.length, edit.insert);
    this.spaceBehind = edit.spaced ? edit.start + edit.insert.length : -1;
    return true;
  }

  /** A mark takes the space back that a suggestion brought; a second space is not written. */
  beforeInput(event) {
    const { before } = this.editor;
    const behind = before !== null && before.length === this.spaceBehind && endsInOneSpace(before);
    this.spaceBehind = -1;
    if (!behind || this.composing || event.inputType !== "insertText") return;
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
      this.leaving = true;
      this.say("Tab now leaves the text field");
    } else if (event.key === "Tab" && plain && !this.leaving) {
      if (this.take(0)) event.preventDefault();
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

  showScore(text, words) {
    if (text !== this.editor.field.value) return;
    this.editor.shade(shadesOf(text, words));
    this.find("score").textContent = scoreText(words);
  }

  /** Have the model continue the text, or stop it. */
  async writeOn() {
    if (this.stop) return this.stop.abort();
    const button = this.find("write-on");
    const settings = {
      words: Number(this.find("words").value),
      temperature: Number(this.find("temperature").value),
    };
    this.stop = new AbortController();
    button.textContent = "Stop";
    try {
      await this.engine.generate(this.editor.field.value, settings, this.stop.signal, (piece) => {
        const { value } = this.editor.field;
        // a space that was typed is not written again
        const lead = /\s$/.test(value) ? piece.replace(/^ /, "") : piece;
        this.editor.replace(value.length, value.length, lead);
      });
    } catch (error) {
      if (error.name !== "AbortError") this.report(error);
    }
    this.stop = null;
    button.textContent = "Write on";
  }

  showSaved() {
    const characters = this.editor.field.value.length;
    if (!characters) this.saved = 0;
    this.find("saved").textContent = savedText(this.saved, characters);
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
